import { findUserById } from '../users/users.ts';
import { revokeHelpDeskCode } from '../mfa/recovery-code.ts';
import { caseDisputedMail } from '../mail/templates/help-desk.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import { countForNetwork, forgiveForNetwork } from '../security/sliding-budget.ts';
import { findCaseById, markCaseClosed } from './cases.ts';
import { findCaseIdByDisputeCode, looksLikeDisputeCode } from './dispute-link.ts';

export type DisputeRefusal =
  { code: 'wrong-stop-code' | 'nothing-to-stop' } | { code: 'throttled'; seconds: number };

async function disputeInTransaction(
  tx: Db,
  enqueueMail: EnqueueMail,
  caseId: string,
  requestInfo: Origin,
): Promise<DisputeRefusal | undefined> {
  const known = await findCaseById(tx, caseId);
  if (!known) return { code: 'wrong-stop-code' };
  await acquireAdvisoryLock(tx, `account:${known.accountId}`);
  if (!(await markCaseClosed(tx, { id: caseId, outcome: 'stopped', origin: requestInfo }))) {
    // Typed twice, it is stopped all the same.
    const { outcome } = (await findCaseById(tx, caseId)) ?? known;
    return outcome === 'stopped' ? undefined : { code: 'nothing-to-stop' };
  }
  await revokeHelpDeskCode(tx, known.accountId);
  const detail = { case: known.number };
  await recordAuditEvent(tx, {
    event: 'help-desk.stopped',
    accountId: known.accountId,
    origin: requestInfo,
    detail,
  });
  const account = await findUserById(tx, known.accountId);
  if (account)
    await enqueueMail(tx, account, 'case-stopped', (facts) => caseDisputedMail(facts, known.number));
  return undefined;
}

/**
 * "That was not me": whoever has the code out of one of our mails stops the case, in any browser. The case is closed, a
 * code from the help desk is void also where somebody has typed it and waits, and the person is told. Wrong codes are
 * counted for the network that they come from, before they are looked at, and tell nothing of any account.
 */
export async function disputeCase(
  db: Db,
  enqueueMail: EnqueueMail,
  { code, origin: requestInfo }: { code: string; origin: Origin },
): Promise<DisputeRefusal | undefined> {
  if (!looksLikeDisputeCode(code)) return { code: 'wrong-stop-code' };
  const counted = await countForNetwork(db, requestInfo, 'dispute-code');
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  const caseId = await findCaseIdByDisputeCode(db, code);
  if (!caseId) {
    await recordAuditEvent(db, { event: 'help-desk.stop-refused', origin: requestInfo });
    return { code: 'wrong-stop-code' };
  }
  await forgiveForNetwork(db, requestInfo, 'dispute-code');
  return db.transaction((tx) => disputeInTransaction(tx, enqueueMail, caseId, requestInfo));
}
