import { generate } from 'otplib';
import type { Recipient } from '../mail/outbox.ts';
import { noPost } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import type { Db } from '../db/database.ts';
import type { EndWeakerSignIns } from '../security/factor-change.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { recordProof } from '../security/verified-factors.ts';
import type { Vault } from '../crypto/encryption.ts';
import { pendingConnection } from './enrollment.ts';
import { confirmCode, offerCode } from './recovery-code.ts';
import { authenticatorOf, stepSeconds } from './totp.ts';
import { activate } from './two-step.ts';

/** What a person has in the pocket once two-step verification is on: the key in the phone, and the code on paper. */
export interface ConnectedPhone {
  key: string;
  recoveryCode: string;
}

/**
 * Connects a phone the way a person does, for an account that was made to be tried out: its key and recovery code are
 * told. `by` names who makes it so, in the audit and in place of an interaction.
 */
export async function connectPhone(
  db: Db,
  vault: Vault,
  hasher: Hasher,
  endWeakerSignIns: EndWeakerSignIns,
  { account, brand, by }: { account: Recipient; brand: string; by: string },
): Promise<ConnectedPhone> {
  const origin: Origin = { address: '127.0.0.1', request: by, userAgent: '' };
  const interaction = `${by}:${account.id}`;
  const { key } = await pendingConnection(db, vault, { account, interaction, brand });
  // The code of the step before now: the first sign-in within this half minute still finds its own step unspent.
  const code = await generate({ secret: key, epoch: Date.now() / 1000 - stepSeconds });
  await recordProof(db, interaction, { factor: 'password', accountId: account.id });
  const ending = { session: undefined, endOtherSessions: false };
  await activate(db, vault, noPost, endWeakerSignIns, { account, interaction, code, origin, ...ending });
  const recoveryCode = await offerCode(db, vault, hasher, { account, interaction });
  await confirmCode(db, vault, noPost, endWeakerSignIns, {
    account,
    interaction,
    lastGroup: recoveryCode.slice(-4),
    authenticator: (await authenticatorOf(db, account.id))?.id,
    claimed: false,
    origin,
    ...ending,
  });
  return { key, recoveryCode };
}
