import type { Provider } from 'oidc-provider';
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js';
import type { Db } from '../../db/database.ts';
import { serializeCalls } from '../../db/in-turn.ts';
import type { Encryption } from '../../crypto/encryption.ts';
import { UnknownSecretKeyError } from '../../crypto/encryption.ts';
import type { SigningKey } from './rotation.ts';
import { isRotationDue, listPublishedKeys, getSecondsLeft, getKeyState, getKeyType } from './rotation.ts';
import { rotateKeys, listSigningKeys, pruneKeys } from './keys.ts';

/** The keys that this process publishes and signs with. */
export interface Keyring {
  /** Reads what other processes changed, and takes over what the clock has brought about meanwhile. */
  follow(): Promise<void>;
  /** Publishes successors of keys whose days are over and removes those that are gone. */
  tend(): Promise<void>;
  /** False while there are keys that this process cannot open: soon it would sign with what nobody publishes. */
  readable(): boolean;
  /** How long the key of each type that signs goes on signing; below zero where its successor is late. */
  secondsLeft(): readonly (readonly [Record<string, string>, number])[];
}

/**
 * Hands the provider its keys anew. The library takes keys at construction only; this is the very function that its
 * constructor calls, and it throws before it changes anything. A second provider would be the way through the front
 * door, but then everybody who holds the first one would sign with yesterday's keys for ever, and not know it.
 */
const replaceProviderKeys = (provider: Provider, keys: readonly SigningKey[], now: Date): void =>
  initializeKeystore.call(provider, { keys: listPublishedKeys(keys, now) });

/** Keeps the provider's keys those of the database. `days`: how long a key signs. */
export function createKeyring(
  provider: Provider,
  db: Db,
  encryption: Encryption,
  { signing, days }: { signing: SigningKey[]; days: number },
): Keyring {
  const nameOf = (now: Date) => known.map((key) => `${key.id} ${getKeyState(key, now)}`).join('\n');
  let known = signing;
  let shown: string | undefined;
  let readable = true;
  const refresh = serializeCalls(async () => {
    known = await listSigningKeys(db, encryption, known).catch((fault: unknown) => {
      // A database that is away says nothing of the keys.
      if (fault instanceof UnknownSecretKeyError) readable = false;
      throw fault;
    });
    readable = true;
    const now = new Date();
    const name = nameOf(now);
    if (name === shown) return;
    replaceProviderKeys(provider, known, now);
    shown = name;
  });
  return {
    follow: refresh,
    readable: () => readable,
    secondsLeft() {
      const now = new Date();
      return known
        .filter((key) => getKeyState(key, now) === 'signing')
        .map((key) => [{ type: getKeyType(key) }, getSecondsLeft(key, days, now)] as const);
    },
    async tend() {
      const now = new Date();
      if (known.some((key) => isRotationDue(key, days, now) && getKeyState(key, now) === 'signing'))
        await rotateKeys(db, encryption, { days });
      if (known.some((key) => getKeyState(key, now) === 'gone')) await pruneKeys(db, now);
    },
  };
}
