import type { Origin } from '../platform/audit.ts';
import { audit, deedsAudited } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { Effect } from '../platform/effects.ts';
import { writeAtOnce } from '../platform/effects.ts';
import type { Hasher } from '../platform/hashing.ts';
import { network } from '../platform/http.ts';
import type { Rebind } from '../platform/proofs.ts';
import { proofsRecorded } from '../platform/proofs.ts';
import { sha256 } from '../platform/secrets.ts';
import { attemptsCleared, countAttempts, moreCleared } from '../platform/throttle.ts';
import { successAfterFailures } from '../mail/messages.ts';
import type { Post } from '../mail/outbox.ts';
import type { Account } from './accounts.ts';
import { emailKey, hashReplaced, passwordOf, passwordStands } from './accounts.ts';
import { emailSubject } from './changes.ts';
import type { Device } from './devices.ts';
import { isRemembered } from './devices.ts';

/** Wrong tries before a right one that are worth a mail. */
const worthTelling = 5;

export type PasswordRefusal = { code: 'wrong-password' } | { code: 'throttled'; seconds: number };

/** What a person sends to prove who is there; `account` where the sign-in is bound to one already. */
export interface PasswordAttempt {
  interaction: string;
  rebind: Rebind;
  email: string;
  password: string;
  /** The token of the browser's device cookie. */
  device: string | undefined;
  origin: Origin;
}

/**
 * Verifies e-mail and password, and writes the proof. Unknown, disabled and known accounts take the same steps
 * and the same time (a decoy hash: see `passwordOf`), share the form of their budgets, and are refused in the same words.
 */
export async function verifyPassword(
  db: Db,
  hasher: Hasher,
  post: Post,
  { interaction, rebind, email, password, device, origin }: PasswordAttempt,
): Promise<PasswordRefusal | undefined> {
  const { account, hash, device: known } = await passwordOf(db, email, device);
  // A browser that signed in before has a budget of its own, so that strangers cannot spend the owner's, neither by
  // the account's address nor from the same network.
  const subject = known ? `device:${known.id}` : emailSubject(email);
  const detail = { email: sha256(emailKey(email)).toString('base64url').slice(0, 16) };
  const deed = { accountId: account?.id, origin, detail };
  const address = `address:${network(origin.address)}`;
  const budgets = known
    ? ([[subject, 'password']] as const)
    : ([
        [address, 'address'],
        [subject, 'password'],
      ] as const);
  const attempt = await countAttempts(db, budgets);
  if (!attempt.allowed) {
    await audit(db, { event: 'password.throttled', ...deed });
    return { code: 'throttled', seconds: attempt.seconds };
  }
  const normal = password.normalize('NFC');
  const right = await hasher.verify(hash, normal);
  if (!right || !hash || !account || account.disabledAt) {
    await audit(db, { event: 'password.wrong', ...deed });
    return { code: 'wrong-password' };
  }
  const renewed = hasher.outdated(hash) ? await hasher.hash(normal) : undefined;
  const proof = { interaction, rebind, account, known, subject, address, origin };
  if (await prove(db, post, { ...proof, hash, renewed })) return undefined;
  // Another sign-in with the same password may have renewed the hash in between: the one of now decides.
  const { hash: now } = await passwordOf(db, email, undefined);
  const still = now !== undefined && now !== hash && (await hasher.verify(now, normal));
  const stands = still && (await prove(db, post, { ...proof, hash: now, renewed: undefined }));
  return stands ? undefined : { code: 'wrong-password' };
}

interface RightPassword {
  interaction: string;
  rebind: Rebind;
  account: Account;
  known: Device | undefined;
  subject: string;
  address: string;
  origin: Origin;
  /** The hash that it was verified against. */
  hash: string;
  /** The same password hashed with today's parameters, where the old one was not. */
  renewed: string | undefined;
}

/**
 * Writes what a right password proves, if the hash that it was verified against is the account's to this moment: it was
 * read, then hashed for a while, and a password that was changed meanwhile proves nothing any more.
 */
function prove(
  db: Db,
  post: Post,
  { interaction, rebind, account, known, subject, address, origin, hash, renewed }: RightPassword,
): Promise<boolean> {
  const accountId = account.id;
  const remembered = known && isRemembered(known) ? [known] : [];
  // How many failures there were is known when they are forgotten: somebody may have guessed until this moment.
  const told = post.effect(account, 'success-after-failures', successAfterFailures);
  const effects: Effect[] = [
    attemptsCleared([subject, 'password'], known ? undefined : [address, 'address']),
    proofsRecorded({
      interaction,
      accountId,
      factors: [
        { factor: 'password' },
        ...remembered.map(({ id }) => ({ factor: 'device', ref: id }) as const),
      ],
      first: true,
    }),
    ...(renewed ? [hashReplaced(accountId, hash, renewed)] : []),
    { ...told, sql: ($) => told.sql($, moreCleared(worthTelling)) },
    deedsAudited([
      { event: 'password.right', accountId, origin },
      ...remembered.map(({ id }) => ({
        event: 'device.recognised' as const,
        accountId,
        origin,
        detail: { device: id },
      })),
    ]),
  ];
  return writeAtOnce(db, effects, rebind(passwordStands(accountId, hash)));
}
