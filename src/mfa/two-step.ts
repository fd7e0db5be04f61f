import {
  authenticatorEnrolledMail,
  authenticatorReplacedMail,
  mfaDeactivatedMail,
} from '../mail/templates/sign-in.ts';
import type { EnqueueMail, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { UserChangeHooks } from '../security/user-changes.ts';
import type { EndWeakerSignIns } from '../security/factor-change.ts';
import { recordCompletedAction, lockUserIfSignInValid } from '../security/verified-factors.ts';
import type { Encryption } from '../crypto/encryption.ts';
import type { EnrollmentRefusal } from './enrollment.ts';
import { verifyEnrollmentCode, consumePendingEnrollment } from './enrollment.ts';
import { consumeReservedCode, revokeActiveCode } from './recovery-code.ts';
import type { TotpAttempt } from './totp.ts';
import { bindAuthenticator, unbindAuthenticator } from './totp.ts';

/** What a change of factors leaves alone, and whether sessions with MFA end as well (`endWeakerSignIns`). */
export interface Ending {
  /** End the other sessions, too, those with MFA. */
  endOtherSessions: boolean;
  /** The number of the browser's own session, where it has one. */
  session: string | undefined;
  /** The id of the device that the browser is known as, where it is. */
  device?: string | undefined;
}

/**
 * Switches two-step verification on: a code of the pending secret is verified, and in one transaction the secret
 * becomes the authenticator, what rests on the password alone ends, the proof and the audit row are written and the mail
 * is posted. Where another tab was first, nothing happens and the next page asks for a code of the phone that won.
 */
export async function activateMfa(
  db: Db,
  encryption: Encryption,
  enqueueMail: EnqueueMail,
  endWeakerSignIns: EndWeakerSignIns,
  attempt: TotpAttempt & Ending,
): Promise<EnrollmentRefusal | undefined> {
  const { account, interaction, session, device, endOtherSessions } = attempt;
  const judged = await verifyEnrollmentCode(db, encryption, attempt);
  if ('refusal' in judged) return judged.refusal;
  await transactionWithRetry(db, async (tx) => {
    if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return;
    const mine = await consumePendingEnrollment(tx, interaction);
    const won = mine && (await bindAuthenticator(tx, encryption, attempt, judged.proven));
    if (!won) return;
    await endWeakerSignIns(tx, { accountId: account.id, interaction, session, device, endOtherSessions });
    await Promise.all([
      recordCompletedAction(tx, interaction, account.id, 'replace_authenticator'),
      enqueueMail(tx, account, 'authenticator-connected', authenticatorEnrolledMail),
    ]);
  });
  return undefined;
}

export interface MfaChange extends Ending {
  account: Recipient;
  interaction: string;
  origin: Origin;
  /** The recovery code opened this sign-in: it is spent here, if it still is this interaction's. */
  claimed: boolean;
  /** The authenticator that this sign-in knows, which alone it may take away. */
  authenticator: string | undefined;
}

export type AuthenticatorReplacement = MfaChange & { code: string };

/**
 * Another phone takes the old one's place. A code of the new secret is verified; then, in one transaction: the old
 * recovery code is spent, the old secret goes, the new one comes, what rests on the password alone ends, other sessions
 * end where asked, the audit row and the mail are written. Until that transaction the old phone works; where the
 * code was claimed by another sign-in meanwhile, or another tab was first and connected its own phone, nothing happens:
 * of two phones the first one stays, and the other tab is asked for its digits.
 */
export async function replaceAuthenticator(
  db: Db,
  encryption: Encryption,
  enqueueMail: EnqueueMail,
  aftermath: UserChangeHooks,
  replacement: AuthenticatorReplacement,
): Promise<EnrollmentRefusal | undefined> {
  const {
    account,
    interaction,
    origin: requestInfo,
    claimed,
    authenticator,
    endOtherSessions,
    session,
    device,
  } = replacement;
  const judged = await verifyEnrollmentCode(db, encryption, replacement);
  if ('refusal' in judged) return judged.refusal;
  await transactionWithRetry(db, async (tx) => {
    if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return;
    if (!(await consumePendingEnrollment(tx, interaction))) return;
    if (claimed && !(await consumeReservedCode(tx, account.id, interaction, requestInfo))) return;
    if (!authenticator || !(await unbindAuthenticator(tx, account.id, authenticator))) {
      if (claimed) throw new Error('a recovery code was live beside an authenticator that is gone');
      return;
    }
    const [, bound] = await Promise.all([
      revokeActiveCode(tx, account.id),
      bindAuthenticator(tx, encryption, replacement, judged.proven),
    ]);
    if (!bound) {
      throw new Error('the place of the authenticator was taken inside the transaction that emptied it');
    }
    await aftermath.endWeakerSignIns(tx, {
      accountId: account.id,
      interaction,
      session,
      device,
      endOtherSessions,
    });
    await Promise.all([
      recordCompletedAction(tx, interaction, account.id, 'replace_authenticator'),
      recordAuditEvent(tx, { event: 'authenticator.replaced', accountId: account.id, origin: requestInfo }),
      enqueueMail(tx, account, 'authenticator-replaced', authenticatorReplacedMail),
      aftermath.closeCase(tx, account.id),
    ]);
  });
  return undefined;
}

/**
 * Switches two-step verification off: in one transaction the authenticator and the recovery code end, what rests
 * on the password alone ends, other sessions end where asked, and this session may connect a phone again for ten minutes.
 * Where a recovery code opened the sign-in it is spent here, if it still is this interaction's.
 */
export async function deactivateMfa(
  db: Db,
  enqueueMail: EnqueueMail,
  aftermath: UserChangeHooks,
  change: MfaChange,
): Promise<void> {
  const {
    account,
    interaction,
    origin: requestInfo,
    claimed,
    authenticator,
    endOtherSessions,
    session,
    device,
  } = change;
  await transactionWithRetry(db, async (tx) => {
    if (!(await lockUserIfSignInValid(tx, account.id, interaction))) return;
    if (claimed && !(await consumeReservedCode(tx, account.id, interaction, requestInfo))) return;
    // Sent twice, or done by another tab: nothing is left to take away, and the answer is the same.
    if (!authenticator || !(await unbindAuthenticator(tx, account.id, authenticator))) return;
    await revokeActiveCode(tx, account.id);
    await aftermath.endWeakerSignIns(tx, {
      accountId: account.id,
      interaction,
      session,
      device,
      endOtherSessions,
    });
    await aftermath.weakenSession(tx, account.id, session);
    await aftermath.openEnrolment(tx, account.id, session);
    await recordCompletedAction(tx, interaction, account.id, 'deactivate_two_step');
    await recordAuditEvent(tx, { event: 'two-step.deactivated', accountId: account.id, origin: requestInfo });
    await enqueueMail(tx, account, 'two-step-deactivated', mfaDeactivatedMail);
  });
}
