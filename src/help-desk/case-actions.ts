import { accountById } from '../users/users.ts';
import type { Operator } from '../users/operators.ts';
import { permitted } from '../users/operators.ts';
import { voidHelpDeskCode } from '../mfa/recovery-code.ts';
import { caseClosed, caseLeftAlone } from '../mail/templates/help-desk.ts';
import type { Post } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { takeTurn } from '../db/database.ts';
import type { Case, CaseDeed, CaseRefusal } from './cases.ts';
import { casesLeftAlone, endCase, openCase, openCaseFor, writeChecks, writeNote } from './cases.ts';

/** An operator whom the person called opens the case, or finds the one that is open. */
export function openCaseFrom(
  db: Db,
  post: Post,
  { target, by, origin }: { target: string; by: Operator; origin?: Origin | undefined },
): Promise<{ found: Case } | { refusal: CaseRefusal }> {
  if (target === by.id) return Promise.resolve({ refusal: { code: 'own-account' } });
  return db.transaction(async (open) => {
    const account = await permitted(open, 'cases.send-code', { target, by });
    if (!account) return { refusal: { code: 'not-there' } };
    return { found: await openCase(open, post, { account, by: by.id, origin }) };
  });
}

/** Ticks how the person was made sure of: the whole list, each entry with who ticked it first and when. */
export function tickChecks(
  db: Db,
  { names, known, ...deed }: CaseDeed & { names: readonly string[]; known: readonly { name: string }[] },
): Promise<CaseRefusal | { code: 'unknown-check' } | undefined> {
  return db.transaction(async (open) => {
    const asked = await openCaseFor(open, 'cases.send-code', deed);
    if ('refusal' in asked) return asked.refusal;
    if (!names.every((name) => known.some((one) => one.name === name))) return { code: 'unknown-check' };
    const { found } = asked;
    const at = new Date().toISOString();
    const ticked = [...new Set(names)].map(
      (name) => found.checks.find((one) => one.name === name) ?? { name, by: deed.by.id, at },
    );
    await writeChecks(open, found.id, ticked);
    await audit(open, {
      event: 'help-desk.checked',
      accountId: found.accountId,
      by: deed.by.id,
      origin: deed.origin,
      detail: { case: found.number, checks: ticked.map(({ name }) => name).join(' ') },
    });
    return undefined;
  });
}

const longestNote = 2000;

/** Adds a note for the next operator. */
export function addNote(
  db: Db,
  { text, ...deed }: CaseDeed & { text: string },
): Promise<CaseRefusal | { code: 'missing-note' } | undefined> {
  // Cut in the middle of a character it would be none that PostgreSQL keeps.
  const kept = text.normalize('NFC').trim().slice(0, longestNote).toWellFormed();
  if (kept === '') return Promise.resolve({ code: 'missing-note' });
  return db.transaction(async (open) => {
    const asked = await openCaseFor(open, 'cases.send-code', deed);
    if ('refusal' in asked) return asked.refusal;
    const { found } = asked;
    await writeNote(open, found.id, { text: kept, by: deed.by.id, at: new Date().toISOString() });
    await audit(open, {
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
export function closeByHand(db: Db, post: Post, deed: CaseDeed): Promise<CaseRefusal | undefined> {
  return db.transaction(async (open) => {
    const asked = await openCaseFor(open, 'cases.send-code', deed);
    if ('refusal' in asked) return asked.refusal;
    const { found, account } = asked;
    await endCase(open, { id: found.id, outcome: 'closed', by: deed.by.id, origin: deed.origin });
    await voidHelpDeskCode(open, account.id);
    await post(open, account, 'case-closed', (facts) => caseClosed(facts, found.number));
    return undefined;
  });
}

/** Days after which a case that nobody touches is closed. A code lives an hour, so none of it is alive by then. */
const patienceDays = 14;

/**
 * Closes cases that nobody touched for fourteen days, at most `limit`, each in the turn of its account: whoever does
 * something in one meanwhile keeps it open. The person is told. Answers how many were found.
 */
export async function closeLeftAlone(db: Db, post: Post, limit: number): Promise<number> {
  const untouchedSince = new Date(Date.now() - patienceDays * 86_400_000);
  const found = await casesLeftAlone(db, untouchedSince, limit);
  for (const { id, accountId } of found) {
    await db.transaction(async (open) => {
      await takeTurn(open, `account:${accountId}`);
      const account = await accountById(open, accountId);
      const number = await endCase(open, { id, outcome: 'left-alone', untouchedSince });
      if (!account || !number) return;
      await voidHelpDeskCode(open, accountId);
      await post(open, account, 'case-closed', (facts) => caseLeftAlone(facts, number, patienceDays));
    });
  }
  return found.length;
}
