import { z } from 'zod';
import type { AuthMethod } from './schema.ts';
import { publicJwksSchema } from './keys.ts';

/** Algorithms by which clients sign assertions (OpenID Connect Core §9); `EdDSA` and `Ed25519` are two names (RFC 9864). */
export const keyAlgs = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const;
export const assertionSigningAlgs = [...keyAlgs, 'HS256'] as const;
export type AssertionSigningAlg = (typeof assertionSigningAlgs)[number];

/**
 * What the `aud` of an assertion is: the issuer (RFC 7523bis, OpenID Connect Core errata), or for libraries that cannot
 * send it the token endpoint. Both are one string; nothing else is accepted (CVE-2025-27370).
 */
export const assertionAudiences = ['issuer', 'token-endpoint'] as const;
export type AssertionAudience = (typeof assertionAudiences)[number];

/** The fields of a description that say how a client signs assertions. */
export const assertionFields = {
  /** The one algorithm; chosen by the keys where nothing is said. */
  assertionSigningAlg: z.enum(assertionSigningAlgs).optional(),
  assertionAudience: z.enum(assertionAudiences).optional(),
};

type Keys = z.output<typeof publicJwksSchema>;
type Key = Keys['keys'][number];

/** Algorithms of each kind of key, the default first. */
const algsOf: Record<Key['kty'], readonly AssertionSigningAlg[]> = {
  EC: ['ES256'],
  OKP: ['EdDSA', 'Ed25519'],
  RSA: ['RS256', 'PS256'],
};

/** Whether a key verifies signatures of an algorithm. A key that names another algorithm does not. */
const fits = (alg: AssertionSigningAlg) => (key: Key) =>
  algsOf[key.kty].includes(alg) && (key.alg === undefined || key.alg === alg);

const someKeyFits = ({ keys }: Keys, alg: AssertionSigningAlg): boolean => keys.some(fits(alg));

const signs = (method: AuthMethod): boolean => method === 'private_key_jwt' || method === 'client_secret_jwt';

/** What of a description decides how its assertions are signed. */
interface Signer {
  authMethod: AuthMethod;
  jwks?: Keys | undefined;
  assertionSigningAlg?: AssertionSigningAlg | undefined;
  assertionAudience?: AssertionAudience | undefined;
}

/** The one algorithm of a client that names none: that of its first key, by the key's `alg` or its kind. */
function defaultAlg({ authMethod, jwks }: Signer): AssertionSigningAlg {
  if (authMethod === 'client_secret_jwt') return 'HS256';
  const keys = jwks?.keys ?? [];
  const [first] = keys.flatMap((key) => algsOf[key.kty].filter((alg) => fits(alg)(key)).slice(0, 1));
  return first ?? 'ES256';
}

/** How a client signs assertions, with its defaults; nothing for a client that signs none. */
export function assertionDefaults(client: Signer): Pick<Signer, 'assertionSigningAlg' | 'assertionAudience'> {
  if (!signs(client.authMethod)) return {};
  return {
    assertionSigningAlg: client.assertionSigningAlg ?? defaultAlg(client),
    assertionAudience: client.assertionAudience ?? 'issuer',
  };
}

/**
 * The algorithm that a client keeps where a new description of it names none: the one that it has, as long as it signs in
 * the same way and one of its keys fits. Without this, a description that leaves PS256 out would say RS256.
 */
export function keptAlg(
  known: Signer,
  given: { authMethod?: unknown; jwks?: unknown },
): AssertionSigningAlg | undefined {
  const { assertionSigningAlg: alg, authMethod } = known;
  const method = given.authMethod ?? (given.jwks === undefined ? undefined : 'private_key_jwt');
  if (!alg || method !== authMethod) return undefined;
  const read = publicJwksSchema.safeParse(given.jwks);
  return authMethod === 'client_secret_jwt' || (read.success && someKeyFits(read.data, alg))
    ? alg
    : undefined;
}

/** A client states one algorithm, which one of its keys must fit; one that signs no assertions states nothing of them. */
export function assertionRules(client: Signer, refuse: (path: string[], code: string) => void): void {
  const { authMethod, jwks } = client;
  if (!signs(authMethod)) {
    for (const name of ['assertionSigningAlg', 'assertionAudience'] as const)
      if (client[name] !== undefined) refuse([name], 'assertion-not-used');
    return;
  }
  const { assertionSigningAlg: alg = defaultAlg(client) } = client;
  const bySecret = authMethod === 'client_secret_jwt';
  if ((alg === 'HS256') !== bySecret) refuse(['assertionSigningAlg'], 'assertion-alg-of-other-method');
  else if (!bySecret && jwks && !someKeyFits(jwks, alg))
    refuse(['assertionSigningAlg'], 'assertion-alg-without-key');
}
