import {
  userDeletedMail,
  emailChangedMail,
  noticeEmailChangedMail,
  passwordChangedMail,
} from '../mail/templates/sign-in.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { UserChangeHooks } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import {
  hasVerifiedFactor,
  recordCompletedAction,
  recordVerifiedFactor,
  lockUserIfSignInValid,
  discardVerifiedFactors,
} from '../security/verified-factors.ts';
import { sha256 } from '../crypto/encryption.ts';
import { clearAttempts } from '../security/throttle.ts';
import type { User } from './users.ts';
import {
  findUserById,
  normalizeEmail,
  isLastAdministrator,
  recordPasswordReset,
  deleteUserRow,
  replaceEmail,
  replaceNoticeEmail,
  replacePassword,
} from './users.ts';
import type { PasswordFault } from './password-rules.ts';
import { validatePassword } from './password-rules.ts';

interface ProfileChange {
  account: User;
  interaction: string;
  origin: Origin;
  /** The public number of the browser's own session, where it has one. */
  session: string | undefined;
  /** The id of the device that the browser is known as, where it is. */
  device: string | undefined;
}

/** What the budget of wrong passwords is counted by, where the browser is not a known one. */
export const emailThrottleSubject = (email: string): string =>
  `email:${sha256(normalizeEmail(email)).toString('base64url')}`;

/**
 * Gives the account a new password: in one transaction with the proof that it was chosen here, the end of other
 * sessions and of all that rests on the old password (see `endWeakerSignIns`), audit and mail.
 * It never touches two-step verification (ASVS 6.4.3).
 */
export async function changePassword(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  aftermath: UserChangeHooks,
  { password, brand, ...changed }: ProfileChange & { password: string; brand: string },
): Promise<{ code: PasswordFault } | undefined> {
  const { account, interaction, origin: requestInfo, session, device } = changed;
  const userInputs = [account.email, account.name, brand];
  const fault = validatePassword(password, { twoStep: account.twoStepRequired, context: userInputs });
  if (fault) return { code: fault };
  const hash = await hasher.hash(password.normalize('NFC'));
  await transactionWithRetry(db, async (tx) => {
    if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return;
    // Sent twice: the first was the deed.
    if (!(await recordCompletedAction(tx, interaction, account.id, 'change_password'))) return;
    await replacePassword(tx, account.id, hash);
    if (await hasVerifiedFactor(tx, interaction, account.id, 'mailbox'))
      await recordPasswordReset(tx, account.id);
    await recordVerifiedFactor(tx, interaction, { factor: 'password', accountId: account.id });
    await clearAttempts(tx, emailThrottleSubject(account.email), 'password');
    const change = { accountId: account.id, interaction, session, device, endOtherSessions: true };
    await aftermath.endWeakerSignIns(tx, change);
    await recordAuditEvent(tx, { event: 'password.changed', accountId: account.id, origin: requestInfo });
    await enqueueMail(tx, account, 'password-changed', passwordChangedMail);
  });
  return undefined;
}

/**
 * Makes a proved address the account's, in the caller's transaction, and tells the old one. Answers false where
 * another account has the address: nothing changes, and only whoever reads mail there hears that it is taken.
 */
export async function changeEmail(
  tx: Db,
  enqueueMail: EnqueueMail,
  change: ProfileChange,
  email: string,
): Promise<boolean> {
  const { account, interaction, origin: requestInfo } = change;
  if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return false;
  if (!(await replaceEmail(tx, account.id, email))) return false;
  await recordCompletedAction(tx, interaction, account.id, 'change_email');
  // Whoever reads the old address may wait half-way in a sign-in.
  await discardVerifiedFactors(tx, { accountId: account.id, except: interaction });
  await recordAuditEvent(tx, { event: 'email.changed', accountId: account.id, origin: requestInfo });
  await enqueueMail(tx, account, 'email-changed', (facts) => emailChangedMail(facts, email));
  return true;
}

/**
 * Gives the account a second address for notices, which was proved in this interaction, or takes it away; in the
 * caller's transaction. The sign-in address hears of it, and so does the second one that was there before.
 */
export async function changeNoticeEmail(
  tx: Db,
  enqueueMail: EnqueueMail,
  { account, interaction, origin: requestInfo }: ProfileChange,
  email: string | undefined,
): Promise<void> {
  if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return;
  if (!(await recordCompletedAction(tx, interaction, account.id, 'change_notice_email'))) return;
  const replaced = await replaceNoticeEmail(tx, account.id, email);
  if (!replaced) return;
  const event = email ? 'notice-email.changed' : 'notice-email.removed';
  await recordAuditEvent(tx, { event, accountId: account.id, origin: requestInfo });
  const recipient = { ...account, noticeEmail: replaced.before };
  await enqueueMail(tx, recipient, 'notice-email-changed', (facts) => noticeEmailChangedMail(facts, email));
}

/**
 * Deletes the account and ends its sessions and tokens; the last mail goes to its address. The last administrator
 * stays: nobody could make another. Answers whether the account is gone: sent twice it is, and it stays where what was
 * proved here was voided meanwhile.
 */
export function deleteUser(
  db: Db,
  enqueueMail: EnqueueMail,
  aftermath: UserChangeHooks,
  change: ProfileChange,
): Promise<boolean | { code: 'last-administrator' }> {
  const { account, interaction, origin: requestInfo } = change;
  return transactionWithRetry(db, async (tx) => {
    if (!(await lockUserIfSignInValid(tx, account.id, interaction)))
      return !(await findUserById(tx, account.id));
    if (await isLastAdministrator(tx, account.id)) return { code: 'last-administrator' };
    await deleteUserRow(tx, account.id);
    await aftermath.endEverything(tx, { accountId: account.id });
    await recordAuditEvent(tx, { event: 'account.deleted', accountId: account.id, origin: requestInfo });
    await enqueueMail(tx, account, 'account-deleted', userDeletedMail);
    return true;
  });
}
