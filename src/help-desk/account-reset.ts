import type { Account } from '../users/users.ts';
import { latestChanges, openEnrolment, replacePassword } from '../users/users.ts';
import { removeOtherDevices } from '../users/devices.ts';
import { voidLive } from '../mfa/recovery-code.ts';
import { endAuthenticator } from '../mfa/totp.ts';
import { beginAnewAsked, invitedAnew } from '../mail/templates/help-desk.ts';
import type { Post } from '../mail/outbox.ts';
import type { Aftermath } from '../security/user-changes.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { voidProofs } from '../security/verified-factors.ts';
import { randomToken } from '../crypto/encryption.ts';
import type { Approval } from './approvals.ts';
import { askApproval, grant, standing } from './approvals.ts';
import type { Case, CaseDeed, CaseRefusal } from './cases.ts';
import { endCase, openCaseFor, touchCase, turnedAway } from './cases.ts';
import { newStopCode } from './dispute-link.ts';
import type { AccountFault } from './help-desk-code.ts';
import { faultOf, quietSeconds } from './help-desk-code.ts';

type AnewRefusal = CaseRefusal | AccountFault | { code: 'changed-recently'; seconds: number };

/** The invitation goes to the sign-in address: never to one that was changed in the last 72 hours. */
async function anewFault(open: Db, account: Account, found: Case): Promise<AnewRefusal | undefined> {
  const fault = faultOf(account, found);
  if (fault) return fault;
  const { emailChangedAt } = await latestChanges(open, account.id);
  const seconds = quietSeconds(emailChangedAt);
  return seconds === undefined ? undefined : { code: 'changed-recently', seconds };
}

/** Password and phone are lost together: one operator asks that the person be invited anew. Nothing changes yet, and the person is told. */
export function askToBeginAnew(db: Db, post: Post, deed: CaseDeed): Promise<AnewRefusal | undefined> {
  return db.transaction(async (open) => {
    const asked = await openCaseFor(open, 'cases.send-code', deed);
    if ('refusal' in asked) return turnedAway(open, deed, asked.refusal);
    const { found, account } = asked;
    const about = { accountId: account.id, by: deed.by.id, origin: deed.origin };
    const fault = await anewFault(open, account, found);
    if (fault) {
      const detail = { case: found.number, reason: fault.code };
      await audit(open, { event: 'help-desk.refused', ...about, detail });
      return fault;
    }
    const first = await askApproval(open, { about: found, deed: 'invite', by: deed.by.id });
    if (!first) return undefined;
    await touchCase(open, found.id);
    const detail = { case: found.number, deed: 'invite' };
    await audit(open, { event: 'help-desk.approval-asked', ...about, detail });
    // Before anything happens the person hears of it, and can stop it.
    const stopCode = await newStopCode(open, found.id);
    await post(open, account, 'begin-anew-asked', (facts) => beginAnewAsked(facts, found.number, stopCode));
    return undefined;
  });
}

/**
 * Takes away all that the account could be opened with, and invites the person anew: whoever reads its mail chooses a
 * password with a typed code and then connects a phone, in one sign-in. The mail carries no code and no secret.
 */
async function beginAnew(
  open: Db,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything'>,
  { account, found, hash, deed }: { account: Account; found: Case; hash: string; deed: CaseDeed },
): Promise<void> {
  await replacePassword(open, account.id, hash);
  await endAuthenticator(open, account.id);
  await voidLive(open, account.id);
  // The password alone connects no phone: the mailbox is asked in the same sign-in.
  await openEnrolment(open, account.id, undefined);
  const { by, origin } = deed;
  await voidProofs(open, { accountId: account.id });
  await removeOtherDevices(open, account.id, undefined);
  await aftermath.endEverything(open, { accountId: account.id });
  const detail = { case: found.number };
  await audit(open, {
    event: 'help-desk.invitation-sent',
    accountId: account.id,
    by: by.id,
    origin,
    detail,
  });
  await post(open, account, 'invited-anew', invitedAnew);
  await endCase(open, { id: found.id, outcome: 'invited-anew', by: by.id, origin });
}

export type ApprovalRefusal = AnewRefusal | { code: 'nothing-to-approve' | 'own-request' };

/** What waits for this operator: the very question that they were shown, or, where they name none, the first. */
async function waiting(
  open: Db,
  found: Case,
  by: string,
  shown: string | undefined,
): Promise<Approval | ApprovalRefusal> {
  const all = (await standing(open, found)).filter(({ approvedBy }) => approvedBy === undefined);
  const theirs = all.filter(({ askedBy }) => askedBy !== by);
  if (all.length > 0 && theirs.length === 0) return { code: 'own-request' };
  return theirs.find(({ id }) => shown === undefined || id === shown) ?? { code: 'nothing-to-approve' };
}

/**
 * Another operator than the one who asked allows it: a code to a privileged account, which the first one then sends, or
 * an account that begins anew, which it does at once. `question`: the one that stood on the page; a form that is sent
 * twice allows nothing that nobody has read.
 */
export async function approve(
  db: Db,
  hasher: Hasher,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything'>,
  deed: CaseDeed & { question?: string | undefined },
): Promise<ApprovalRefusal | undefined> {
  // A password that nobody knows, made before the transaction.
  const hash = await hasher.hash(randomToken());
  return transactionWithRetry(db, async (open) => {
    const asked = await openCaseFor(open, 'cases.approve', deed);
    if ('refusal' in asked) return turnedAway(open, deed, asked.refusal);
    const { found, account } = asked;
    const question = await waiting(open, found, deed.by.id, deed.question);
    if ('code' in question) return turnedAway(open, deed, question);
    const anew = question.deed === 'invite';
    const fault = anew ? await anewFault(open, account, found) : undefined;
    if (fault) return turnedAway(open, deed, fault);
    if (!(await grant(open, question.id, deed.by.id))) return { code: 'nothing-to-approve' };
    await touchCase(open, found.id);
    const detail = { case: found.number, deed: question.deed, asked: question.askedBy };
    await audit(open, {
      event: 'help-desk.approved',
      accountId: account.id,
      by: deed.by.id,
      origin: deed.origin,
      detail,
    });
    if (anew) await beginAnew(open, post, aftermath, { account, found, hash, deed });
    return undefined;
  });
}
