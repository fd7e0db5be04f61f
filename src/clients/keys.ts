import { z } from 'zod';

/** RFC 7517 §4: a member of another kind would keep the whole set from being read, whenever the client comes. */
const word = z.string().min(1).optional();
const about = { kid: word, alg: word, use: z.literal('sig').optional() };

const base64url = /^[A-Za-z0-9_-]+$/;
const part = z.string().regex(base64url);

/** Letters of base64url that 2048 bits take: less is not enough for a signature (ASVS 11.2.3). */
const modulus = part.min(342, 'key-too-small');

/** The parts that only its owner may have; whoever pastes them here has shown them to us. */
const never = z.never('key-private').optional();
const secret = { d: never, p: never, q: never, dp: never, dq: never, qi: never, oth: never, k: never };

const publicKey = z.discriminatedUnion('kty', [
  z.looseObject({ kty: z.literal('RSA'), n: modulus, e: part, ...about, ...secret }),
  // The curves of the signatures that the token endpoint takes: ES256 and EdDSA.
  z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: part, y: part, ...about, ...secret }),
  z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: part, ...about, ...secret }),
]);

/** The public keys by which a client proves itself (RFC 7517); one that carries its private half is refused. */
export const publicKeys = z.object({
  keys: z.array(publicKey).min(1, 'keys-missing').max(10, 'too-many'),
});
