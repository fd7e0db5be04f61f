import type { Account } from '../users/users.ts';
import { accountById } from '../users/users.ts';
import type { Actor } from '../users/operators.ts';
import { helpDeskCodeUntil } from '../mfa/recovery-code.ts';
import type { Db } from '../db/database.ts';
import { approvalsOf } from './approvals.ts';
import type { Case, Outcome } from './cases.ts';
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
] as const satisfies readonly ('waiting' | 'approval' | 'approved' | 'sent' | Outcome)[];
export type CaseState = (typeof caseStates)[number];

export async function stateOfCase(db: Db, one: Case): Promise<CaseState> {
  if (one.outcome) return one.outcome;
  const approvals = await approvalsOf(db, one.id);
  if (approvals.some(({ approvedBy }) => approvedBy === undefined)) return 'approval';
  if (approvals.length > 0) return 'approved';
  return (await helpDeskCodeUntil(db, one.accountId)) ? 'sent' : 'waiting';
}

/** A case in the queue: whose it is, and how it stands. */
export interface QueuedCase {
  one: Case;
  account: Account | undefined;
  state: CaseState;
}

/**
 * A page of the cases that an operator looks after, the newest first, from `after` on; `next` is where the next page
 * begins, where there is one.
 */
export async function caseQueue(
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
    cases.push({ one, account: await accountById(db, one.accountId), state: await stateOfCase(db, one) });
  return { cases, next: found.length > limit ? shown.at(-1)?.openedAt.toISOString() : undefined };
}
