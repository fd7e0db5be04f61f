import { generate } from 'otplib';
import type { Recipient } from '../mail/outbox.ts';
import { discardMail } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import type { Db } from '../db/database.ts';
import type { EndWeakerSignIns } from '../security/factor-change.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { recordVerifiedFactor } from '../security/verified-factors.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { getPendingEnrollment } from './enrollment.ts';
import { confirmRecoveryCode, issuePendingCode } from './recovery-code.ts';
import { findAuthenticator, stepSeconds } from './totp.ts';
import { activateMfa } from './two-step.ts';

/** What a person has in the pocket once two-step verification is on: the key in the phone, and the code on paper. */
export interface EnrolledAuthenticator {
  key: string;
  recoveryCode: string;
}

/**
 * Connects a phone the way a person does, for an account that was made to be tried out: its key and recovery code are
 * told. `by` names who makes it so, in the audit and in place of an interaction.
 */
export async function enrollAuthenticator(
  db: Db,
  encryption: Encryption,
  hasher: Hasher,
  endWeakerSignIns: EndWeakerSignIns,
  { account, brand, by }: { account: Recipient; brand: string; by: string },
): Promise<EnrolledAuthenticator> {
  const requestInfo: Origin = { address: '127.0.0.1', request: by, userAgent: '' };
  const interaction = `${by}:${account.id}`;
  const { key } = await getPendingEnrollment(db, encryption, { account, interaction, brand });
  // The code of the step before now: the first sign-in within this half minute still finds its own step unspent.
  const code = await generate({ secret: key, epoch: Date.now() / 1000 - stepSeconds });
  await recordVerifiedFactor(db, interaction, { factor: 'password', accountId: account.id });
  const ending = { session: undefined, endOtherSessions: false };
  await activateMfa(db, encryption, discardMail, endWeakerSignIns, {
    account,
    interaction,
    code,
    origin: requestInfo,
    ...ending,
  });
  const recoveryCode = await issuePendingCode(db, encryption, hasher, { account, interaction });
  await confirmRecoveryCode(db, encryption, discardMail, endWeakerSignIns, {
    account,
    interaction,
    lastGroup: recoveryCode.slice(-4),
    authenticator: (await findAuthenticator(db, account.id))?.id,
    claimed: false,
    origin: requestInfo,
    ...ending,
  });
  return { key, recoveryCode };
}
