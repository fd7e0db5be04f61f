/** Whom the benchmark is about: the same people, applications and resource at every target. */
import { createHash } from 'node:crypto';

export const password = 'tre hjortar och en korg';

/** An application that signs people in, and a program that has no people. Nobody ever goes to these addresses. */
export const webClient = {
  id: 'bench-web',
  secret: 'bench-web-secret-bench-web-secret-bench-web',
  redirectUri: 'https://app.bench.example/callback',
} as const;
export const serviceClient = {
  id: 'bench-service',
  secret: 'bench-service-secret-bench-service-secret',
} as const;

/** What signed access tokens are for. */
export const benchResource = { id: 'https://api.bench.example', scope: 'orders:read' } as const;

/** What signs ID tokens and access tokens, at every target. */
export const signingAlg = 'ES256';

/** People of each kind; no more connections than that, so that nobody signs in twice at once. */
export const usersPerKind = 64;
/** Those with a phone: six digits are good once in half a minute, so they take turns. */
export const usersWithTotp = 192;

/** `crowd`: many people of the `plain` kind, where the size of the database is what is looked at. */
export type UserKind = 'plain' | 'hashed' | 'phone' | 'recovery' | 'crowd';

/** What the browser of somebody of the crowd is known by at first. */
export const populationDeviceToken = (number: number): string => `device-${number}`;

/** What a person with a phone has: the key in it, and the recovery code on paper. */
export interface Credentials {
  key: string;
  recoveryCode: string;
}

/** What each person has, by address. */
export type CredentialsByEmail = Record<string, Credentials>;

/** At the measure of the rest everybody has the same at first. */
export const baselineCredentials: Credentials = {
  key: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  recoveryCode: 'BENC-HBEN-CHBE-NCHB-ENCH',
};

/** `plain` people have passwords whose hash costs nothing, so that the rest of a sign-in can be seen. */
export const fixtureEmail = (kind: UserKind, number: number): string => `${kind}-${number}@bench.example`;

/** What every password is hashed with (DESIGN §5), and how such a hash begins. */
export const argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const hashPrefix = `$argon2id$v=19$m=${argon2Cost.memoryCost},t=${argon2Cost.timeCost},p=${argon2Cost.parallelism}$`;
/** Says of itself that it was made with today's costs, so that nobody makes it anew. */
const freeSalt = 'YmVuY2hiZW5jaGJlbmNoYg';

/** A hash of the benchmark alone that costs nothing; see `free-hash.ts`. */
export const freeHash = (secret: string): string =>
  `${hashPrefix}${freeSalt}$${createHash('sha256').update(secret).digest('base64').replace(/=+$/, '')}`;

export const isFreeHash = (hash: string): boolean => hash.startsWith(`${hashPrefix}${freeSalt}$`);

const fixtureEmails = (kind: UserKind, count: number) =>
  Array.from({ length: count }, (_, number) => fixtureEmail(kind, number));

/** Everybody who has a phone. */
export const usersWithPhones: readonly string[] = [
  ...fixtureEmails('phone', usersWithTotp),
  ...fixtureEmails('recovery', usersPerKind),
];
