import {
  authenticatorConnected,
  authenticatorReplaced,
  twoStepDeactivated,
} from '../mail/templates/sign-in.ts';
import type { Post, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Aftermath } from '../security/user-changes.ts';
import type { EndWeakerSignIns } from '../security/factor-change.ts';
import { recordDeed, turnOf } from '../security/verified-factors.ts';
import type { Vault } from '../crypto/encryption.ts';
import type { ConnectionRefusal } from './enrollment.ts';
import { proveConnection, takePending } from './enrollment.ts';
import { spendClaimed, voidLive } from './recovery-code.ts';
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
export async function activate(
  db: Db,
  vault: Vault,
  post: Post,
  endWeakerSignIns: EndWeakerSignIns,
  attempt: TotpAttempt & Ending,
): Promise<ConnectionRefusal | undefined> {
  const { account, interaction, session, device, endOtherSessions } = attempt;
  const judged = await proveConnection(db, vault, attempt);
  if ('refusal' in judged) return judged.refusal;
  await transactionWithRetry(db, async (open) => {
    if (!(await turnOf(open, account.id, interaction))) return;
    const mine = await takePending(open, interaction);
    const won = mine && (await bindAuthenticator(open, vault, attempt, judged.proven));
    if (!won) return;
    await endWeakerSignIns(open, { accountId: account.id, interaction, session, device, endOtherSessions });
    await Promise.all([
      recordDeed(open, interaction, account.id, 'replace_authenticator'),
      post(open, account, 'authenticator-connected', authenticatorConnected),
    ]);
  });
  return undefined;
}

export interface Change extends Ending {
  account: Recipient;
  interaction: string;
  origin: Origin;
  /** The recovery code opened this sign-in: it is spent here, if it still is this interaction's. */
  claimed: boolean;
  /** The authenticator that this sign-in knows, which alone it may take away. */
  authenticator: string | undefined;
}

export type Replacement = Change & { code: string };

/**
 * Another phone takes the old one's place. A code of the new secret is verified; then, in one transaction: the old
 * recovery code is spent, the old secret goes, the new one comes, what rests on the password alone ends, other sessions
 * end where asked, the audit row and the mail are written. Until that transaction the old phone works; where the
 * code was claimed by another sign-in meanwhile, or another tab was first and connected its own phone, nothing happens:
 * of two phones the first one stays, and the other tab is asked for its digits.
 */
export async function replace(
  db: Db,
  vault: Vault,
  post: Post,
  aftermath: Aftermath,
  replacement: Replacement,
): Promise<ConnectionRefusal | undefined> {
  const { account, interaction, origin, claimed, authenticator, endOtherSessions, session, device } =
    replacement;
  const judged = await proveConnection(db, vault, replacement);
  if ('refusal' in judged) return judged.refusal;
  await transactionWithRetry(db, async (open) => {
    if (!(await turnOf(open, account.id, interaction))) return;
    if (!(await takePending(open, interaction))) return;
    if (claimed && !(await spendClaimed(open, account.id, interaction, origin))) return;
    if (!authenticator || !(await unbindAuthenticator(open, account.id, authenticator))) {
      if (claimed) throw new Error('a recovery code was live beside an authenticator that is gone');
      return;
    }
    const [, bound] = await Promise.all([
      voidLive(open, account.id),
      bindAuthenticator(open, vault, replacement, judged.proven),
    ]);
    if (!bound) {
      throw new Error('the place of the authenticator was taken inside the transaction that emptied it');
    }
    await aftermath.endWeakerSignIns(open, {
      accountId: account.id,
      interaction,
      session,
      device,
      endOtherSessions,
    });
    await Promise.all([
      recordDeed(open, interaction, account.id, 'replace_authenticator'),
      audit(open, { event: 'authenticator.replaced', accountId: account.id, origin }),
      post(open, account, 'authenticator-replaced', authenticatorReplaced),
      aftermath.closeCase(open, account.id),
    ]);
  });
  return undefined;
}

/**
 * Switches two-step verification off: in one transaction the authenticator and the recovery code end, what rests
 * on the password alone ends, other sessions end where asked, and this session may connect a phone again for ten minutes.
 * Where a recovery code opened the sign-in it is spent here, if it still is this interaction's.
 */
export async function deactivate(db: Db, post: Post, aftermath: Aftermath, change: Change): Promise<void> {
  const { account, interaction, origin, claimed, authenticator, endOtherSessions, session, device } = change;
  await transactionWithRetry(db, async (open) => {
    if (!(await turnOf(open, account.id, interaction))) return;
    if (claimed && !(await spendClaimed(open, account.id, interaction, origin))) return;
    // Sent twice, or done by another tab: nothing is left to take away, and the answer is the same.
    if (!authenticator || !(await unbindAuthenticator(open, account.id, authenticator))) return;
    await voidLive(open, account.id);
    await aftermath.endWeakerSignIns(open, {
      accountId: account.id,
      interaction,
      session,
      device,
      endOtherSessions,
    });
    await aftermath.weakenSession(open, account.id, session);
    await aftermath.openEnrolment(open, account.id, session);
    await recordDeed(open, interaction, account.id, 'deactivate_two_step');
    await audit(open, { event: 'two-step.deactivated', accountId: account.id, origin });
    await post(open, account, 'two-step-deactivated', twoStepDeactivated);
  });
}
