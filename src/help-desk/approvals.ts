import { randomUUID } from 'node:crypto';
import { lockUserForAction } from '../users/operators.ts';
import type { Db } from '../db/database.ts';

/** What takes two operators: a code to somebody who looks after others, and an account that begins anew. */
export type ApprovableAction = 'send-code' | 'invite';

/** A deed that one operator asked for and another has to allow. */
export interface Approval {
  id: string;
  deed: ApprovableAction;
  askedBy: string;
  askedAt: Date;
  approvedBy: string | undefined;
}

/** Hours that a question waits, and that the answer to it is good for. */
const approvalHours = 24;
const validSince = () => new Date(Date.now() - approvalHours * 3_600_000);

/** What is asked or allowed in a case now, and not done yet. */
export async function listApprovals(db: Db, caseId: string): Promise<Approval[]> {
  const { rows } = await db.query<{
    id: string;
    deed: ApprovableAction;
    asked_by: string;
    asked_at: Date;
    approved_by: string | null;
  }>(
    `SELECT id, deed, asked_by, asked_at, approved_by FROM help_desk_approvals
     WHERE case_id = $1 AND used_at IS NULL AND coalesce(approved_at, asked_at) > $2 ORDER BY asked_at`,
    [caseId, validSince()],
  );
  return rows.map((row) => ({
    id: row.id,
    deed: row.deed,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    approvedBy: row.approved_by ?? undefined,
  }));
}

/** The case, and the account that it is about. */
interface CaseReference {
  id: string;
  accountId: string;
}

/**
 * What still stands of it, in the account's turn: two operators are two who are operators at the deed. What was asked or
 * allowed by somebody who may do neither to this account any more is void, and never comes back.
 */
export async function listValidApprovals(
  tx: Db,
  { id: caseId, accountId }: CaseReference,
): Promise<Approval[]> {
  const valid: Approval[] = [];
  for (const approval of await listApprovals(tx, caseId)) {
    const { id, askedBy, approvedBy } = approval;
    const by = { id: approvedBy ?? askedBy };
    const action = approvedBy ? 'cases.approve' : 'cases.send-code';
    if (await lockUserForAction(tx, action, { target: accountId, by })) valid.push(approval);
    else await tx.query('UPDATE help_desk_approvals SET used_at = $2 WHERE id = $1', [id, new Date()]);
  }
  return valid;
}

/** Asks for another operator's approval, in the account's turn; asking again while it waits changes nothing. */
export async function requestApproval(
  tx: Db,
  { about, deed, by }: { about: CaseReference; deed: ApprovableAction; by: string },
): Promise<boolean> {
  await listValidApprovals(tx, about);
  const { count } = await tx.query(
    `INSERT INTO help_desk_approvals (id, case_id, deed, asked_by, asked_at)
     SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (
       SELECT 1 FROM help_desk_approvals
       WHERE case_id = $2 AND deed = $3 AND approved_by IS NULL AND used_at IS NULL AND asked_at > $6)`,
    [randomUUID(), about.id, deed, by, new Date(), validSince()],
  );
  return count > 0;
}

/** Allows what somebody else asked for, once; answers whether this call did. */
export async function grantApproval(tx: Db, id: string, by: string): Promise<boolean> {
  const { count } = await tx.query(
    `UPDATE help_desk_approvals SET approved_by = $2, approved_at = $3
     WHERE id = $1 AND approved_by IS NULL AND used_at IS NULL AND asked_by <> $2 AND asked_at > $4`,
    [id, by, new Date(), validSince()],
  );
  return count > 0;
}

/** Uses an approval up that somebody else than `by` gave; answers whether there was one. */
export async function consumeApproval(
  tx: Db,
  { about, deed, by }: { about: CaseReference; deed: ApprovableAction; by: string },
): Promise<boolean> {
  await listValidApprovals(tx, about);
  const { count } = await tx.query(
    `UPDATE help_desk_approvals SET used_at = $4 WHERE id = (
       SELECT id FROM help_desk_approvals WHERE case_id = $1 AND deed = $2 AND used_at IS NULL
         AND approved_by <> $3 AND approved_at > $5 ORDER BY approved_at LIMIT 1)`,
    [about.id, deed, by, new Date(), validSince()],
  );
  return count > 0;
}
