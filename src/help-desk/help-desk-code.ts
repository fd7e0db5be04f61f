import { randomUUID } from 'node:crypto';
import type { Account } from '../users/users.ts';
import { latestChanges } from '../users/users.ts';
import { newCode, normalCode } from '../mfa/recovery-code-format.ts';
import { issueHelpDeskCode } from '../mfa/recovery-code.ts';
import { authenticatorOf } from '../mfa/totp.ts';
import { helpDeskCode, helpDeskCodeSent } from '../mail/templates/help-desk.ts';
import type { Post } from '../mail/outbox.ts';
import { audit, auditRows } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { takeTurn } from '../db/database.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { askApproval, takeApproval } from './approvals.ts';
import type { Case, CaseDeed, CaseRefusal } from './cases.ts';
import { openCaseFor, touchCase, turnedAway } from './cases.ts';
import { newStopCode } from './dispute-link.ts';

/** T31: at most three a day and one in ten minutes for an account; for an operator the setting says how many a day. */
const mostADay = 3;
const pauseSeconds = 600;
const day = 24 * 3_600_000;
/** Whoever has just changed the address or reset the password by mail may be the thief. */
const quietHours = 72;

export type AccountFault = { code: 'account-disabled' | 'address-not-verified' | 'no-checks' };
export type SendRefusal =
  | CaseRefusal
  | AccountFault
  | { code: 'no-phone-to-replace' | 'approval-needed' | 'too-many-codes' | 'operator-limit' }
  | { code: 'changed-recently' | 'code-just-sent'; seconds: number };

/** When codes were sent in a case, and by whom. */
export async function sendsOf(db: Db, caseId: string): Promise<{ at: Date; by: string }[]> {
  const { rows } = await db.query<{ sent_at: Date; operator_id: string }>(
    'SELECT sent_at, operator_id FROM help_desk_sends WHERE case_id = $1 ORDER BY sent_at',
    [caseId],
  );
  return rows.map((row) => ({ at: row.sent_at, by: row.operator_id }));
}

/** When the mail server refused a code of this case for good: nobody will read it, and the address wants to be corrected. */
export async function refusedSendsOf(
  db: Db,
  { accountId, openedAt, closedAt }: Case,
): Promise<readonly Date[]> {
  const rows = await auditRows(db, {
    accountId,
    event: 'mail.refused',
    since: openedAt,
    until: closedAt,
    limit: 50,
  });
  return rows.filter(({ detail }) => detail['kind'] === 'help-desk-code').map(({ at }) => at);
}

/** Seconds until 72 hours have passed since `times`; undefined where they have. */
export function quietSeconds(...times: readonly (Date | undefined)[]): number | undefined {
  const latest = Math.max(...times.map((time) => time?.getTime() ?? 0));
  const left = latest + quietHours * 3_600_000 - Date.now();
  return left > 0 ? Math.ceil(left / 1000) : undefined;
}

/** What must hold of the account whatever is mailed to it, and of the case. */
export function faultOf(account: Account, { checks }: Case): AccountFault | undefined {
  if (account.disabledAt) return { code: 'account-disabled' };
  if (!account.emailVerified) return { code: 'address-not-verified' };
  return checks.length === 0 ? { code: 'no-checks' } : undefined;
}

/** How often a code went to this account, and how often this operator had one sent, in the last 24 hours. */
async function limits(
  open: Db,
  accountId: string,
  operatorId: string,
  dailyCodes: number,
): Promise<SendRefusal | undefined> {
  const { rows } = await open.query<{ theirs: number; mine: number; latest: Date | null }>(
    `SELECT count(*) FILTER (WHERE account_id = $1)::int AS theirs, count(*) FILTER (WHERE operator_id = $2)::int AS mine,
       max(sent_at) FILTER (WHERE account_id = $1) AS latest
     FROM help_desk_sends WHERE (account_id = $1 OR operator_id = $2) AND sent_at > $3`,
    [accountId, operatorId, new Date(Date.now() - day)],
  );
  const { theirs = 0, mine = 0, latest } = rows[0] ?? {};
  const wait = latest ? pauseSeconds - (Date.now() - latest.getTime()) / 1000 : 0;
  if (theirs >= mostADay) return { code: 'too-many-codes' };
  if (wait > 0) return { code: 'code-just-sent', seconds: Math.ceil(wait) };
  return mine >= dailyCodes ? { code: 'operator-limit' } : undefined;
}

/** Everything that must hold, asked in the turns of account and operator; an approval is used up by it. */
async function judge(
  open: Db,
  { account, found, by }: { account: Account; found: Case; by: string },
  dailyCodes: number,
): Promise<SendRefusal | undefined> {
  const fault = faultOf(account, found);
  if (fault) return fault;
  if (!(await authenticatorOf(open, account.id))) return { code: 'no-phone-to-replace' };
  const { emailChangedAt, passwordResetAt } = await latestChanges(open, account.id);
  const seconds = quietSeconds(emailChangedAt, passwordResetAt);
  if (seconds !== undefined) return { code: 'changed-recently', seconds };
  const spent = await limits(open, account.id, by, dailyCodes);
  if (spent) return spent;
  // Whoever can change other people's access is worth more to a thief: two operators, always (NIST SP 800-63B-4 §4.2.1).
  if (account.role === 'person') return undefined;
  const approved = await takeApproval(open, { about: found, deed: 'send-code', by });
  return approved ? undefined : { code: 'approval-needed' };
}

async function send(open: Db, post: Post, to: Account, found: Case, code: string, hash: string, by: string) {
  await issueHelpDeskCode(open, { accountId: to.id, hash });
  await open.query(
    'INSERT INTO help_desk_sends (id, case_id, account_id, operator_id, sent_at) VALUES ($1, $2, $3, $4, $5)',
    [randomUUID(), found.id, to.id, by, new Date()],
  );
  await touchCase(open, found.id);
  const stopCode = await newStopCode(open, found.id);
  await post(open, to, 'help-desk-code', (facts) => helpDeskCode(facts, code));
  await post(open, to, 'help-desk-code-sent', (facts) => helpDeskCodeSent(facts, found.number, stopCode));
}

/**
 * Mails a code for connecting a new phone to the account's sign-in address, and nowhere else. It is made here, goes
 * sealed into the outbox and is answered to nobody: no operator sees it, whatever they ask. Every code before it is
 * void. All that must hold is asked in the transaction that sends; a refusal is written down, too.
 */
export async function sendHelpDeskCode(
  db: Db,
  hasher: Hasher,
  post: Post,
  { dailyCodes, ...deed }: CaseDeed & { dailyCodes: number },
): Promise<SendRefusal | undefined> {
  const code = newCode();
  const hash = await hasher.hash(normalCode(code));
  const by = deed.by.id;
  return db.transaction(async (open) => {
    const asked = await openCaseFor(open, 'cases.send-code', deed);
    if ('refusal' in asked) return turnedAway(open, deed, asked.refusal);
    const { found, account } = asked;
    await takeTurn(open, `operator:${by}`);
    const refusal = await judge(open, { account, found, by }, dailyCodes);
    const about = { accountId: account.id, by, origin: deed.origin };
    if (refusal?.code === 'approval-needed') {
      const first = await askApproval(open, { about: found, deed: 'send-code', by });
      await touchCase(open, found.id);
      const detail = { case: found.number, deed: 'send-code' };
      if (first) await audit(open, { event: 'help-desk.approval-asked', ...about, detail });
    } else if (refusal) {
      const detail = { case: found.number, reason: refusal.code };
      await audit(open, { event: 'help-desk.refused', ...about, detail });
    }
    if (refusal) return refusal;
    await send(open, post, account, found, code, hash, by);
    const detail = { case: found.number, checks: found.checks.map(({ name }) => name).join(' ') };
    await audit(open, { event: 'help-desk.code-sent', ...about, detail });
    return undefined;
  });
}
