import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { generateToken } from '../../crypto/encryption.ts';
import { sessionLimits } from '../../sessions/session-limits.ts';

/**
 * The life of a signing key: pending (published, so that relying parties have it before they need it) → signing →
 * retired (published, so that what it signed can be verified) → gone. Its moments are written down when they are
 * decided, and every process reads the state off its clock: nobody switches anything, and all switch at once.
 */
export type KeyState = 'pending' | 'signing' | 'retired' | 'gone';

export interface KeyTimes {
  signsAt: Date;
  /** When its successor signs instead; a key without one signs on. */
  retiresAt: Date | undefined;
  goneAt: Date | undefined;
}

/** One key with its private half. */
export interface SigningKey extends KeyTimes {
  id: string;
  createdAt: Date;
  jwk: JWK;
}

const second = 1000;
const hour = 3600 * second;

/**
 * Milliseconds that a key is published before it signs. Relying parties keep what they read: openid-client 5 minutes,
 * jose 10, mod_auth_openidc an hour, .NET 12 hours (and it looks again for an unknown key only every 5 minutes). Twice
 * the longest.
 */
export const publishAheadMs: number = 24 * hour;

/**
 * Milliseconds that a retired key stays published. No token outlives an hour, but an ID token comes back as the hint of
 * a sign-out (RP-Initiated Logout 1.0 §2) for as long as its session may last; and an hour for clocks.
 */
export const retiredKeyMs: number = sessionLimits.overall * second + 2 * hour;

/** Milliseconds in which every process has read what another wrote, many times over. */
export const propagationMs: number = 10 * second;

/** One key of each type. RSA serves RS256 and PS256, so it names no algorithm; the others have one each. */
export const keyTypes = ['RSA', 'EC', 'OKP'] as const;
export type KeyType = (typeof keyTypes)[number];

const generationAlgs = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' } as const;
export const algorithmsByKeyType: Record<KeyType, readonly string[]> = {
  RSA: ['RS256', 'PS256'],
  EC: ['ES256'],
  OKP: ['EdDSA'],
};

export const getKeyType = ({ jwk }: SigningKey): KeyType =>
  keyTypes.find((type) => type === jwk.kty) ?? 'RSA';

/** A key as the library takes it: an RSA key that an older version made still says RS256, and would refuse PS256. */
export function toLibraryJwk(jwk: JWK): JWK {
  if (jwk.kty !== 'RSA') return jwk;
  const { alg: _alg, ...any } = jwk;
  return any;
}

/** Makes a key. Finding an RSA key takes the better part of a second: never inside a transaction. */
export async function generateSigningKey(type: KeyType): Promise<JWK & { kid: string }> {
  // RSA of 3072 bits: 128 bits of strength, like P-256 and Ed25519 (ASVS 11.2.3).
  const { privateKey } = await generateKeyPair(generationAlgs[type], {
    extractable: true,
    modulusLength: 3072,
  });
  const jwk = {
    ...(await exportJWK(privateKey)),
    kid: generateToken().slice(0, 16),
    use: 'sig',
    alg: generationAlgs[type],
  };
  return { ...toLibraryJwk(jwk), kid: jwk.kid };
}

export function getKeyState({ signsAt, retiresAt, goneAt }: KeyTimes, now: Date): KeyState {
  if (goneAt && goneAt <= now) return 'gone';
  if (retiresAt && retiresAt <= now) return 'retired';
  return signsAt <= now ? 'signing' : 'pending';
}

const publicationOrder: Record<KeyState, number> = { signing: 0, pending: 1, retired: 2, gone: 3 };

/** What is published now; the first of a type is the one that signs. */
export function listPublishedKeys(keys: readonly SigningKey[], now: Date): JWK[] {
  return keys
    .map((key) => ({ ...key, state: getKeyState(key, now) }))
    .filter(({ state }) => state !== 'gone')
    .toSorted(
      (a, b) =>
        publicationOrder[a.state] - publicationOrder[b.state] || b.signsAt.getTime() - a.signsAt.getTime(),
    )
    .map(({ jwk }) => jwk);
}

/** Seconds until a key's days are over, or until the successor that it has takes over. */
export const getSecondsLeft = ({ signsAt, retiresAt }: KeyTimes, days: number, now: Date): number =>
  Math.floor(((retiresAt?.getTime() ?? signsAt.getTime() + days * 24 * hour) - now.getTime()) / second);

/** Whether a key has signed for so many days that the next one should be published now, to take over in time. */
export const isRotationDue = (key: SigningKey, days: number, now: Date): boolean =>
  !key.retiresAt && key.signsAt.getTime() + days * 24 * hour - publishAheadMs <= now.getTime();
