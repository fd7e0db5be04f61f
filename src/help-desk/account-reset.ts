import type { User } from '../users/users.ts';
import { findLatestChanges, openEnrollment, replacePassword } from '../users/users.ts';
import { removeOtherDevices } from '../users/devices.ts';
import { revokeActiveCode } from '../mfa/recovery-code.ts';
import { removeAuthenticators } from '../mfa/totp.ts';
import { accountResetRequestedMail, accountResetInvitationMail } from '../mail/templates/help-desk.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { UserChangeHooks } from '../security/user-changes.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { discardVerifiedFactors } from '../security/verified-factors.ts';
import { generateToken } from '../crypto/encryption.ts';
import type { Approval } from './approvals.ts';
import { requestApproval, grantApproval, listValidApprovals } from './approvals.ts';
import type { Case, CaseAction, CaseRefusal } from './cases.ts';
import { markCaseClosed, lockOpenCaseForAction, touchCase, auditCaseRefusal } from './cases.ts';
import { createDisputeCode } from './dispute-link.ts';
import type { CaseEligibilityFault } from './help-desk-code.ts';
import { checkCaseEligibility, remainingCooldownSeconds } from './help-desk-code.ts';

type AccountResetRefusal = CaseRefusal | CaseEligibilityFault | { code: 'changed-recently'; seconds: number };

/** The invitation goes to the sign-in address: never to one that was changed in the last 72 hours. */
async function checkResetAllowed(
  tx: Db,
  account: User,
  found: Case,
): Promise<AccountResetRefusal | undefined> {
  const fault = checkCaseEligibility(account, found);
  if (fault) return fault;
  const { emailChangedAt } = await findLatestChanges(tx, account.id);
  const seconds = remainingCooldownSeconds(emailChangedAt);
  return seconds === undefined ? undefined : { code: 'changed-recently', seconds };
}

/** Password and phone are lost together: one operator asks that the person be invited anew. Nothing changes yet, and the person is told. */
export function requestAccountReset(
  db: Db,
  enqueueMail: EnqueueMail,
  deed: CaseAction,
): Promise<AccountResetRefusal | undefined> {
  return db.transaction(async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.send-code', deed);
    if ('refusal' in locked) return auditCaseRefusal(tx, deed, locked.refusal);
    const { found, account } = locked;
    const auditFields = { accountId: account.id, by: deed.by.id, origin: deed.origin };
    const fault = await checkResetAllowed(tx, account, found);
    if (fault) {
      const detail = { case: found.number, reason: fault.code };
      await recordAuditEvent(tx, { event: 'help-desk.refused', ...auditFields, detail });
      return fault;
    }
    const first = await requestApproval(tx, { about: found, deed: 'invite', by: deed.by.id });
    if (!first) return undefined;
    await touchCase(tx, found.id);
    const detail = { case: found.number, deed: 'invite' };
    await recordAuditEvent(tx, { event: 'help-desk.approval-asked', ...auditFields, detail });
    // Before anything happens the person hears of it, and can stop it.
    const stopCode = await createDisputeCode(tx, found.id);
    await enqueueMail(tx, account, 'begin-anew-asked', (facts) =>
      accountResetRequestedMail(facts, found.number, stopCode),
    );
    return undefined;
  });
}

/**
 * Takes away all that the account could be opened with, and invites the person anew: whoever reads its mail chooses a
 * password with a typed code and then connects a phone, in one sign-in. The mail carries no code and no secret.
 */
async function resetAccount(
  tx: Db,
  enqueueMail: EnqueueMail,
  aftermath: Pick<UserChangeHooks, 'endEverything'>,
  { account, found, hash, deed }: { account: User; found: Case; hash: string; deed: CaseAction },
): Promise<void> {
  await replacePassword(tx, account.id, hash);
  await removeAuthenticators(tx, account.id);
  await revokeActiveCode(tx, account.id);
  // The password alone connects no phone: the mailbox is asked in the same sign-in.
  await openEnrollment(tx, account.id, undefined);
  const { by, origin: requestInfo } = deed;
  await discardVerifiedFactors(tx, { accountId: account.id });
  await removeOtherDevices(tx, account.id, undefined);
  await aftermath.endEverything(tx, { accountId: account.id });
  const detail = { case: found.number };
  await recordAuditEvent(tx, {
    event: 'help-desk.invitation-sent',
    accountId: account.id,
    by: by.id,
    origin: requestInfo,
    detail,
  });
  await enqueueMail(tx, account, 'invited-anew', accountResetInvitationMail);
  await markCaseClosed(tx, { id: found.id, outcome: 'invited-anew', by: by.id, origin: requestInfo });
}

export type ApprovalRefusal = AccountResetRefusal | { code: 'nothing-to-approve' | 'own-request' };

/** What waits for this operator: the very question that they were shown, or, where they name none, the first. */
async function findPendingApproval(
  tx: Db,
  found: Case,
  by: string,
  shown: string | undefined,
): Promise<Approval | ApprovalRefusal> {
  const all = (await listValidApprovals(tx, found)).filter(({ approvedBy }) => approvedBy === undefined);
  const theirs = all.filter(({ askedBy }) => askedBy !== by);
  if (all.length > 0 && theirs.length === 0) return { code: 'own-request' };
  return theirs.find(({ id }) => shown === undefined || id === shown) ?? { code: 'nothing-to-approve' };
}

/**
 * Another operator than the one who asked allows it: a code to a privileged account, which the first one then sends, or
 * an account that begins anew, which it does at once. `question`: the one that stood on the page; a form that is sent
 * twice allows nothing that nobody has read.
 */
export async function approveRequest(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  aftermath: Pick<UserChangeHooks, 'endEverything'>,
  deed: CaseAction & { question?: string | undefined },
): Promise<ApprovalRefusal | undefined> {
  // A password that nobody knows, made before the transaction.
  const hash = await hasher.hash(generateToken());
  return transactionWithRetry(db, async (tx) => {
    const locked = await lockOpenCaseForAction(tx, 'cases.approve', deed);
    if ('refusal' in locked) return auditCaseRefusal(tx, deed, locked.refusal);
    const { found, account } = locked;
    const approval = await findPendingApproval(tx, found, deed.by.id, deed.question);
    if ('code' in approval) return auditCaseRefusal(tx, deed, approval);
    const isReset = approval.deed === 'invite';
    const fault = isReset ? await checkResetAllowed(tx, account, found) : undefined;
    if (fault) return auditCaseRefusal(tx, deed, fault);
    if (!(await grantApproval(tx, approval.id, deed.by.id))) return { code: 'nothing-to-approve' };
    await touchCase(tx, found.id);
    const detail = { case: found.number, deed: approval.deed, asked: approval.askedBy };
    await recordAuditEvent(tx, {
      event: 'help-desk.approved',
      accountId: account.id,
      by: deed.by.id,
      origin: deed.origin,
      detail,
    });
    if (isReset) await resetAccount(tx, enqueueMail, aftermath, { account, found, hash, deed });
    return undefined;
  });
}
