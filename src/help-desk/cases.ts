// Longer than usual: a table has one owner.
import { randomInt, randomUUID } from 'node:crypto';
import type { User } from '../users/users.ts';
import { selectVisibleUsers } from '../users/users.ts';
import type { Actor, Operator } from '../users/operators.ts';
import { lockUserForAction } from '../users/operators.ts';
import { caseOpenedMail } from '../mail/templates/help-desk.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { isUuid, sql } from '../db/database.ts';
import { countAttempt } from '../security/throttle.ts';
import { createDisputeCode } from './dispute-link.ts';

/** How a case ended: the person has a phone again, stopped it, was invited anew, an operator closed it, or nobody did. */
export type CaseOutcome = 'new-phone' | 'stopped' | 'invited-anew' | 'closed' | 'left-alone';

/** A way in which an operator made sure who the person is. */
export interface IdentityCheck {
  name: string;
  by: string;
  at: string;
}

/** What an operator wrote down; never a part of the audit, which holds no free text. */
export interface CaseNote {
  text: string;
  by: string;
  at: string;
}

/** Somebody lost the phone and the code. One case of an account is open at a time. */
export interface Case {
  id: string;
  /** What the person reads to the agent. */
  number: string;
  accountId: string;
  openedAt: Date;
  /** The operator who opened it; undefined: the person, after the right password. */
  openedBy: string | undefined;
  /** Where the person sat who opened it. */
  address: string | undefined;
  checks: IdentityCheck[];
  notes: CaseNote[];
  closedAt: Date | undefined;
  closedBy: string | undefined;
  outcome: CaseOutcome | undefined;
}

interface Row {
  id: string;
  number: string;
  account_id: string;
  opened_at: Date;
  opened_by: string | null;
  address: string | null;
  checks: IdentityCheck[];
  notes: CaseNote[];
  closed_at: Date | null;
  closed_by: string | null;
  outcome: CaseOutcome | null;
}

const columns =
  'id, number, account_id, opened_at, opened_by, address, checks, notes, closed_at, closed_by, outcome';

const caseOf = (row: Row): Case => ({
  id: row.id,
  number: row.number,
  accountId: row.account_id,
  openedAt: row.opened_at,
  openedBy: row.opened_by ?? undefined,
  address: row.address ?? undefined,
  checks: row.checks,
  notes: row.notes,
  closedAt: row.closed_at ?? undefined,
  closedBy: row.closed_by ?? undefined,
  outcome: row.outcome ?? undefined,
});

/** The open case of an account, if there is one. */
export async function findOpenCase(db: Db, accountId: string): Promise<Case | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM help_desk_cases WHERE account_id = $1 AND closed_at IS NULL`,
    [accountId],
  );
  return rows[0] && caseOf(rows[0]);
}

/** The case with that number, as the person says it. Who may see it is asked elsewhere (`lockCaseForAction`). */
export async function findCaseByNumber(db: Db, typed: string): Promise<Case | undefined> {
  const digits = typed.replaceAll(/\D/g, '');
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM help_desk_cases WHERE number = $1`, [
    `${digits.slice(0, 3)}-${digits.slice(3)}`,
  ]);
  return rows[0] && caseOf(rows[0]);
}

/** The case with that identifier. */
export async function findCaseById(db: Db, id: string): Promise<Case | undefined> {
  if (!isUuid(id)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM help_desk_cases WHERE id = $1`, [id]);
  return rows[0] && caseOf(rows[0]);
}

/** Seven digits: easy to say, and no secret. They look like no code of ours. */
const generateCaseNumber = () => {
  const digits = String(randomInt(10_000_000)).padStart(7, '0');
  return `${digits.slice(0, 3)}-${digits.slice(3)}`;
};

interface CaseOpening {
  account: User;
  /** The sign-in that it was opened in, by the person. */
  interaction?: string;
  /** The operator who opens it. */
  by?: string;
  origin?: Origin | undefined;
}

/**
 * Opens a case in the caller's transaction and tells the person by mail, with the code that stops it. An account has
 * one open case: whoever comes second is given that one, and nothing is mailed again.
 */
export async function openCase(
  tx: Db,
  enqueueMail: EnqueueMail,
  { account, interaction, by, origin: requestInfo }: CaseOpening,
): Promise<Case> {
  // Numbers are drawn: one that is taken is drawn again.
  for (let draw = 0; draw < 20; draw += 1) {
    const { rows } = await tx.query<Row>(
      `INSERT INTO help_desk_cases (id, number, account_id, opened_at, opened_by, interaction, address, request, checks, notes)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '[]', '[]') ON CONFLICT DO NOTHING RETURNING ${columns}`,
      [
        randomUUID(),
        generateCaseNumber(),
        account.id,
        new Date(),
        by ?? null,
        interaction ?? null,
        by ? null : (requestInfo?.address ?? null),
        requestInfo?.request ?? null,
      ],
    );
    const created = rows[0] && caseOf(rows[0]);
    const existing = created ?? (await findOpenCase(tx, account.id));
    if (!existing) continue;
    if (created) {
      const stopCode = await createDisputeCode(tx, created.id);
      const detail = { case: created.number };
      await recordAuditEvent(tx, {
        event: 'help-desk.case-opened',
        accountId: account.id,
        by,
        origin: requestInfo,
        detail,
      });
      await enqueueMail(tx, account, 'case-opened', (facts) =>
        caseOpenedMail(facts, created.number, stopCode),
      );
    }
    return existing;
  }
  throw new Error('no number for a case was free');
}

/** The person, whose password was right, opens a case from the sign-in; at most three a day without a pause. */
export async function openCaseByUser(
  db: Db,
  enqueueMail: EnqueueMail,
  { account, interaction, origin: requestInfo }: { account: User; interaction: string; origin: Origin },
): Promise<{ code: 'throttled'; seconds: number } | undefined> {
  if (await findOpenCase(db, account.id)) return undefined;
  const counted = await countAttempt(db, `account:${account.id}`, 'case');
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  await db.transaction((tx) => openCase(tx, enqueueMail, { account, interaction, origin: requestInfo }));
  return undefined;
}

/** Who does something to which case. */
export interface CaseAction {
  caseId: string;
  by: Operator;
  origin?: Origin | undefined;
}

export type CaseRefusal = { code: 'not-there' | 'own-account' | 'case-closed' };

/**
 * The case and its account, where this operator may do this to it now: asked in the transaction of the deed and in the
 * account's turn, so that what is read here stays so until its end. Nobody looks after their own case.
 */
export async function lockCaseForAction(
  tx: Db,
  permission: 'cases.read' | 'cases.send-code' | 'cases.approve',
  { caseId, by }: { caseId: string; by: Actor },
): Promise<{ found: Case; account: User } | { refusal: CaseRefusal }> {
  const known = await findCaseById(tx, caseId);
  if (!known) return { refusal: { code: 'not-there' } };
  if ('id' in by && known.accountId === by.id) return { refusal: { code: 'own-account' } };
  const account = await lockUserForAction(tx, permission, { target: known.accountId, by });
  // Read again: whoever had the turn before may have closed it.
  const found = account && (await findCaseById(tx, caseId));
  if (!found) return { refusal: { code: 'not-there' } };
  return { found, account };
}

/** Writes down that an operator was turned away before anything of the case was looked at; answers with the refusal. */
export async function auditCaseRefusal<Refusal extends { code: string }>(
  tx: Db,
  { caseId, by, origin: requestInfo }: CaseAction,
  refusal: Refusal,
): Promise<Refusal> {
  const known = await findCaseById(tx, caseId);
  const detail = { case: known?.number ?? null, reason: refusal.code };
  await recordAuditEvent(tx, {
    event: 'help-desk.refused',
    accountId: known?.accountId,
    by: by.id,
    origin: requestInfo,
    detail,
  });
  return refusal;
}

/** The same, for a case that is still open. */
export async function lockOpenCaseForAction(
  tx: Db,
  permission: 'cases.send-code' | 'cases.approve',
  deed: Pick<CaseAction, 'caseId' | 'by'>,
): Promise<{ found: Case; account: User } | { refusal: CaseRefusal }> {
  const locked = await lockCaseForAction(tx, permission, deed);
  if ('refusal' in locked || !locked.found.closedAt) return locked;
  return { refusal: { code: 'case-closed' } };
}

/** Every case of an account, the newest first, at most 100. Who may see them is asked elsewhere. */
export async function listUserCases(db: Db, accountId: string): Promise<Case[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM help_desk_cases WHERE account_id = $1 ORDER BY opened_at DESC LIMIT 100`,
    [accountId],
  );
  return rows.map(caseOf);
}

/** The cases that an operator may see, the newest first: the queue, or what is closed. `limit` is at most 201. */
export async function listCases(
  db: Db,
  actor: Actor,
  { closed = false, before, limit }: { closed?: boolean; before?: Date | undefined; limit: number },
): Promise<Case[]> {
  const wanted = sql('help_desk_cases')
    .select(sql.raw(columns))
    .orderBy('opened_at', 'desc')
    .limit(Math.min(limit, 201));
  if ('id' in actor) wanted.whereNot('account_id', actor.id);
  if (closed) wanted.whereNotNull('closed_at');
  else wanted.whereNull('closed_at');
  if (before) wanted.where('opened_at', '<', before);
  const seen = selectVisibleUsers(actor);
  if (seen) wanted.whereIn('account_id', seen);
  return (await db.run<Row>(wanted)).rows.map(caseOf);
}

/** Writes down how the person was made sure of, in the caller's transaction and the account's turn. */
export async function saveIdentityChecks(
  tx: Db,
  id: string,
  checks: readonly IdentityCheck[],
): Promise<void> {
  await tx.query('UPDATE help_desk_cases SET checks = $2::text::jsonb, touched_at = $3 WHERE id = $1', [
    id,
    JSON.stringify(checks),
    new Date(),
  ]);
}

/** Adds a note, in the caller's transaction. */
export async function appendCaseNote(tx: Db, id: string, note: CaseNote): Promise<void> {
  await tx.query(
    'UPDATE help_desk_cases SET notes = notes || $2::text::jsonb, touched_at = $3 WHERE id = $1',
    [id, JSON.stringify([note]), new Date()],
  );
}

/** Somebody did something in a case, in the caller's transaction: it is not left alone. */
export async function touchCase(tx: Db, id: string): Promise<void> {
  await tx.query('UPDATE help_desk_cases SET touched_at = $2 WHERE id = $1', [id, new Date()]);
}

/** Open cases that nobody has touched since `before`, with their accounts, at most `limit`. */
export async function listInactiveCases(
  db: Db,
  before: Date,
  limit: number,
): Promise<{ id: string; accountId: string }[]> {
  const { rows } = await db.query<{ id: string; accountId: string }>(
    `SELECT id, account_id AS "accountId" FROM help_desk_cases
     WHERE closed_at IS NULL AND coalesce(touched_at, opened_at) < $1 LIMIT $2`,
    [before, limit],
  );
  return rows;
}

interface CaseClosing {
  id: string;
  outcome: CaseOutcome;
  by?: string;
  origin?: Origin | undefined;
  /** Only where nobody has touched it since. */
  untouchedSince?: Date;
}

/** Ends an open case, in the caller's transaction; answers its number where this call was the one. */
export async function markCaseClosed(
  tx: Db,
  { id, outcome, by, origin: requestInfo, untouchedSince }: CaseClosing,
): Promise<string | undefined> {
  const { rows } = await tx.query<Row>(
    `UPDATE help_desk_cases SET closed_at = $2, closed_by = $3, outcome = $4
     WHERE id = $1 AND closed_at IS NULL AND ($5::timestamptz IS NULL OR coalesce(touched_at, opened_at) < $5)
     RETURNING ${columns}`,
    [id, new Date(), by ?? null, outcome, untouchedSince ?? null],
  );
  const row = rows[0];
  if (!row) return undefined;
  const detail = { case: row.number, outcome };
  await recordAuditEvent(tx, {
    event: 'help-desk.case-closed',
    accountId: row.account_id,
    by,
    origin: requestInfo,
    detail,
  });
  return row.number;
}

/** The account has a phone again: what its open case was for is done. */
export async function closeOpenCase(tx: Db, accountId: string): Promise<void> {
  const waiting = await findOpenCase(tx, accountId);
  if (waiting) await markCaseClosed(tx, { id: waiting.id, outcome: 'new-phone' });
}

/** Removes cases closed before `before`, with all that hangs on them, at most `limit`; answers how many. */
export async function pruneCases(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM help_desk_cases WHERE id IN (SELECT id FROM help_desk_cases WHERE closed_at < $1 LIMIT $2)',
    [before, limit],
  );
  return count;
}
