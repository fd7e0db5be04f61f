import { accountById } from '../users/users.ts';
import { voidHelpDeskCode } from '../mfa/recovery-code.ts';
import { caseStopped } from '../mail/templates/help-desk.ts';
import type { Post } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { takeTurn } from '../db/database.ts';
import { countForNetwork, forgiveForNetwork } from '../security/sliding-budget.ts';
import { caseById, endCase } from './cases.ts';
import { caseOfStopCode, looksLikeStopCode } from './dispute-link.ts';

export type StopRefusal =
  { code: 'wrong-stop-code' | 'nothing-to-stop' } | { code: 'throttled'; seconds: number };

async function stop(open: Db, post: Post, caseId: string, origin: Origin): Promise<StopRefusal | undefined> {
  const known = await caseById(open, caseId);
  if (!known) return { code: 'wrong-stop-code' };
  await takeTurn(open, `account:${known.accountId}`);
  if (!(await endCase(open, { id: caseId, outcome: 'stopped', origin }))) {
    // Typed twice, it is stopped all the same.
    const { outcome } = (await caseById(open, caseId)) ?? known;
    return outcome === 'stopped' ? undefined : { code: 'nothing-to-stop' };
  }
  await voidHelpDeskCode(open, known.accountId);
  const detail = { case: known.number };
  await audit(open, { event: 'help-desk.stopped', accountId: known.accountId, origin, detail });
  const account = await accountById(open, known.accountId);
  if (account) await post(open, account, 'case-stopped', (facts) => caseStopped(facts, known.number));
  return undefined;
}

/**
 * "That was not me": whoever has the code out of one of our mails stops the case, in any browser. The case is closed, a
 * code from the help desk is void also where somebody has typed it and waits, and the person is told. Wrong codes are
 * counted for the network that they come from, before they are looked at, and tell nothing of any account.
 */
export async function stopCase(
  db: Db,
  post: Post,
  { code, origin }: { code: string; origin: Origin },
): Promise<StopRefusal | undefined> {
  if (!looksLikeStopCode(code)) return { code: 'wrong-stop-code' };
  const counted = await countForNetwork(db, origin, 'dispute-code');
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  const caseId = await caseOfStopCode(db, code);
  if (!caseId) {
    await audit(db, { event: 'help-desk.stop-refused', origin });
    return { code: 'wrong-stop-code' };
  }
  await forgiveForNetwork(db, origin, 'dispute-code');
  return db.transaction((open) => stop(open, post, caseId, origin));
}
