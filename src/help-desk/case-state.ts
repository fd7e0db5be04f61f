import type { User } from '../users/users.ts';
import { findUserById } from '../users/users.ts';
import type { Actor } from '../users/operators.ts';
import { findHelpDeskCodeExpiry } from '../mfa/recovery-code.ts';
import type { Db } from '../db/database.ts';
import { listApprovals } from './approvals.ts';
import type { Case, CaseOutcome } from './cases.ts';
import { listCases } from './cases.ts';

/** How a case stands, in one word: what it waits for, or how it ended. */
export const caseStates = [
  'waiting',
  'approval',
  'approved',
  'sent',
  'new-phone',
  'stopped',
  'invited-anew',
  'closed',
  'left-alone',
] as const satisfies readonly ('waiting' | 'approval' | 'approved' | 'sent' | CaseOutcome)[];
export type CaseState = (typeof caseStates)[number];

export async function getCaseState(db: Db, helpDeskCase: Case): Promise<CaseState> {
  if (helpDeskCase.outcome) return helpDeskCase.outcome;
  const approvals = await listApprovals(db, helpDeskCase.id);
  if (approvals.some(({ approvedBy }) => approvedBy === undefined)) return 'approval';
  if (approvals.length > 0) return 'approved';
  return (await findHelpDeskCodeExpiry(db, helpDeskCase.accountId)) ? 'sent' : 'waiting';
}

/** A case in the queue: whose it is, and how it stands. */
export interface QueuedCase {
  one: Case;
  account: User | undefined;
  state: CaseState;
}

/**
 * A page of the cases that an operator looks after, the newest first, from `after` on; `next` is where the next page
 * begins, where there is one.
 */
export async function listCaseQueue(
  db: Db,
  actor: Actor,
  { closed, after, limit }: { closed: boolean; after: string | undefined; limit: number },
): Promise<{ cases: QueuedCase[]; next: string | undefined }> {
  const before = after === undefined ? undefined : new Date(after);
  // One more than is shown tells whether there are more.
  const found = await listCases(db, actor, { closed, before, limit: limit + 1 });
  const shown = found.slice(0, limit);
  const cases: QueuedCase[] = [];
  for (const one of shown)
    cases.push({ one, account: await findUserById(db, one.accountId), state: await getCaseState(db, one) });
  return { cases, next: found.length > limit ? shown.at(-1)?.openedAt.toISOString() : undefined };
}
