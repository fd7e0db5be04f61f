import { findUserById } from '../users/users.ts';
import type { Operator } from '../users/operators.ts';
import { lockUserForAction } from '../users/operators.ts';
import { revokeHelpDeskCode } from '../mfa/recovery-code.ts';
import { caseClosedMail, caseExpiredMail } from '../mail/templates/help-desk.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import type { Case, CaseAction, CaseRefusal } from './cases.ts';
import {
  listInactiveCases,
  markCaseClosed,
  openCase,
  lockOpenCaseForAction,
  saveIdentityChecks,
  appendCaseNote,
} from './cases.ts';

/** An operator whom the person called opens the case, or finds the one that is open. */
export function openCaseByOperator(
  db: Db,
  enqueueMail: EnqueueMail,
  { target, by, origin: requestInfo }: { target: string; by: Operator; origin?: Origin | undefined },
): Promise<{ found: Case } | { refusal: CaseRefusal }> {
  if (target === by.id) return Promise.resolve({ refusal: { code: 'own-account' } });
  return db.transaction(async (tx) => {
    const account = await lockUserForAction(tx, 'cases.send-code', { target, by });
    if (!account) return { refusal: { code: 'not-there' } };
    return { found: await openCase(tx, enqueueMail, { account, by: by.id, origin: requestInfo }) };
  });
}

/** Ticks how the person was made sure of: the whole list, each entry with who ticked it first and when. */
export function recordIdentityChecks(
  db: Db,
  { names, known, ...deed }: CaseAction & { names: readonly string[]; known: readonly { name: string }[] },
): Promise<CaseRefusal | { code: 'unknown-check' } | undefined> {
  return db.transaction(async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.send-code', deed);
    if ('refusal' in locked) return locked.refusal;
    if (!names.every((name) => known.some((one) => one.name === name))) return { code: 'unknown-check' };
    const { found } = locked;
    const at = new Date().toISOString();
    const checks = [...new Set(names)].map(
      (name) => found.checks.find((one) => one.name === name) ?? { name, by: deed.by.id, at },
    );
    await saveIdentityChecks(tx, found.id, checks);
    await recordAuditEvent(tx, {
      event: 'help-desk.checked',
      accountId: found.accountId,
      by: deed.by.id,
      origin: deed.origin,
      detail: { case: found.number, checks: checks.map(({ name }) => name).join(' ') },
    });
    return undefined;
  });
}

const maxNoteLength = 2000;

/** Adds a note for the next operator. */
export function addCaseNote(
  db: Db,
  { text, ...deed }: CaseAction & { text: string },
): Promise<CaseRefusal | { code: 'missing-note' } | undefined> {
  // Cut in the middle of a character it would be none that PostgreSQL keeps.
  const kept = text.normalize('NFC').trim().slice(0, maxNoteLength).toWellFormed();
  if (kept === '') return Promise.resolve({ code: 'missing-note' });
  return db.transaction(async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.send-code', deed);
    if ('refusal' in locked) return locked.refusal;
    const { found } = locked;
    await appendCaseNote(tx, found.id, { text: kept, by: deed.by.id, at: new Date().toISOString() });
    await recordAuditEvent(tx, {
      event: 'help-desk.noted',
      accountId: found.accountId,
      by: deed.by.id,
      origin: deed.origin,
      detail: { case: found.number },
    });
    return undefined;
  });
}

/** Closes a case; a code of it that nobody has used is void, and the person is told. */
export function closeCaseByOperator(
  db: Db,
  enqueueMail: EnqueueMail,
  deed: CaseAction,
): Promise<CaseRefusal | undefined> {
  return db.transaction(async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.send-code', deed);
    if ('refusal' in locked) return locked.refusal;
    const { found, account } = locked;
    await markCaseClosed(tx, { id: found.id, outcome: 'closed', by: deed.by.id, origin: deed.origin });
    await revokeHelpDeskCode(tx, account.id);
    await enqueueMail(tx, account, 'case-closed', (facts) => caseClosedMail(facts, found.number));
    return undefined;
  });
}

/** Days after which a case that nobody touches is closed. A code lives an hour, so none of it is alive by then. */
const inactiveDays = 14;

/**
 * Closes cases that nobody touched for fourteen days, at most `limit`, each in the turn of its account: whoever does
 * something in one meanwhile keeps it open. The person is told. Answers how many were found.
 */
export async function closeInactiveCases(db: Db, enqueueMail: EnqueueMail, limit: number): Promise<number> {
  const inactiveSince = new Date(Date.now() - inactiveDays * 86_400_000);
  const found = await listInactiveCases(db, inactiveSince, limit);
  for (const { id, accountId } of found) {
    await db.transaction(async (tx) => {
      await acquireAdvisoryLock(tx, `account:${accountId}`);
      const account = await findUserById(tx, accountId);
      const number = await markCaseClosed(tx, { id, outcome: 'left-alone', untouchedSince: inactiveSince });
      if (!account || !number) return;
      await revokeHelpDeskCode(tx, accountId);
      await enqueueMail(tx, account, 'case-closed', (facts) => caseExpiredMail(facts, number, inactiveDays));
    });
  }
  return found.length;
}
