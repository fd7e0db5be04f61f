import {
  accountDeleted,
  emailChanged,
  noticeEmailChanged,
  passwordChanged,
} from '../mail/templates/sign-in.ts';
import type { Post } from '../mail/outbox.ts';
import type { Aftermath } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { proved, recordDeed, recordProof, turnOf, voidProofs } from '../security/verified-factors.ts';
import { sha256 } from '../crypto/encryption.ts';
import { clearAttempts } from '../security/throttle.ts';
import type { Account } from './users.ts';
import {
  accountById,
  emailKey,
  isLastAdministrator,
  notePasswordReset,
  removeAccount,
  replaceEmail,
  replaceNoticeEmail,
  replacePassword,
} from './users.ts';
import type { PasswordFault } from './password-rules.ts';
import { passwordFault } from './password-rules.ts';

interface Change {
  account: Account;
  interaction: string;
  origin: Origin;
  /** The public number of the browser's own session, where it has one. */
  session: string | undefined;
  /** The id of the device that the browser is known as, where it is. */
  device: string | undefined;
}

/** What the budget of wrong passwords is counted by, where the browser is not a known one. */
export const emailSubject = (email: string): string =>
  `email:${sha256(emailKey(email)).toString('base64url')}`;

/**
 * Gives the account a new password: in one transaction with the proof that it was chosen here, the end of other
 * sessions and of all that rests on the old password (see `endWeakerSignIns`), audit and mail.
 * It never touches two-step verification (ASVS 6.4.3).
 */
export async function choosePassword(
  db: Db,
  hasher: Hasher,
  post: Post,
  aftermath: Aftermath,
  { password, brand, ...changed }: Change & { password: string; brand: string },
): Promise<{ code: PasswordFault } | undefined> {
  const { account, interaction, origin, session, device } = changed;
  const context = [account.email, account.name, brand];
  const fault = passwordFault(password, { twoStep: account.twoStepRequired, context });
  if (fault) return { code: fault };
  const hash = await hasher.hash(password.normalize('NFC'));
  await transactionWithRetry(db, async (open) => {
    if (!(await turnOf(open, account.id, interaction))) return;
    // Sent twice: the first was the deed.
    if (!(await recordDeed(open, interaction, account.id, 'change_password'))) return;
    await replacePassword(open, account.id, hash);
    if (await proved(open, interaction, account.id, 'mailbox')) await notePasswordReset(open, account.id);
    await recordProof(open, interaction, { factor: 'password', accountId: account.id });
    await clearAttempts(open, emailSubject(account.email), 'password');
    const change = { accountId: account.id, interaction, session, device, endOtherSessions: true };
    await aftermath.endWeakerSignIns(open, change);
    await audit(open, { event: 'password.changed', accountId: account.id, origin });
    await post(open, account, 'password-changed', passwordChanged);
  });
  return undefined;
}

/**
 * Makes a proved address the account's, in the caller's transaction, and tells the old one. Answers false where
 * another account has the address: nothing changes, and only whoever reads mail there hears that it is taken.
 */
export async function changeEmail(open: Db, post: Post, change: Change, email: string): Promise<boolean> {
  const { account, interaction, origin } = change;
  if (!(await turnOf(open, account.id, interaction))) return false;
  if (!(await replaceEmail(open, account.id, email))) return false;
  await recordDeed(open, interaction, account.id, 'change_email');
  // Whoever reads the old address may wait half-way in a sign-in.
  await voidProofs(open, { accountId: account.id, except: interaction });
  await audit(open, { event: 'email.changed', accountId: account.id, origin });
  await post(open, account, 'email-changed', (facts) => emailChanged(facts, email));
  return true;
}

/**
 * Gives the account a second address for notices, which was proved in this interaction, or takes it away; in the
 * caller's transaction. The sign-in address hears of it, and so does the second one that was there before.
 */
export async function changeNoticeEmail(
  open: Db,
  post: Post,
  { account, interaction, origin }: Change,
  email: string | undefined,
): Promise<void> {
  if (!(await turnOf(open, account.id, interaction))) return;
  if (!(await recordDeed(open, interaction, account.id, 'change_notice_email'))) return;
  const replaced = await replaceNoticeEmail(open, account.id, email);
  if (!replaced) return;
  const event = email ? 'notice-email.changed' : 'notice-email.removed';
  await audit(open, { event, accountId: account.id, origin });
  const told = { ...account, noticeEmail: replaced.before };
  await post(open, told, 'notice-email-changed', (facts) => noticeEmailChanged(facts, email));
}

/**
 * Deletes the account and ends its sessions and tokens; the last mail goes to its address. The last administrator
 * stays: nobody could make another. Answers whether the account is gone: sent twice it is, and it stays where what was
 * proved here was voided meanwhile.
 */
export function deleteAccount(
  db: Db,
  post: Post,
  aftermath: Aftermath,
  change: Change,
): Promise<boolean | { code: 'last-administrator' }> {
  const { account, interaction, origin } = change;
  return transactionWithRetry(db, async (open) => {
    if (!(await turnOf(open, account.id, interaction))) return !(await accountById(open, account.id));
    if (await isLastAdministrator(open, account.id)) return { code: 'last-administrator' };
    await removeAccount(open, account.id);
    await aftermath.endEverything(open, { accountId: account.id });
    await audit(open, { event: 'account.deleted', accountId: account.id, origin });
    await post(open, account, 'account-deleted', accountDeleted);
    return true;
  });
}
