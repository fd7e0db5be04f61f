import { z } from 'zod';

const part = z.string().min(1);

/** Letters of base64url that 2048 bits take: less is not enough for a signature (ASVS 11.2.3). */
const modulus = z.string().min(342, 'key-too-small');

/** The parts that only its owner may have; whoever pastes them here has shown them to us. */
const never = z.never('key-private').optional();
const secret = { d: never, p: never, q: never, dp: never, dq: never, qi: never, k: never };

const publicKey = z.discriminatedUnion('kty', [
  z.looseObject({ kty: z.literal('RSA'), n: modulus, e: part, ...secret }),
  z.looseObject({ kty: z.literal('EC'), crv: part, x: part, y: part, ...secret }),
  z.looseObject({ kty: z.literal('OKP'), crv: part, x: part, ...secret }),
]);

/** The public keys by which a client proves itself (RFC 7517); one that carries its private half is refused. */
export const publicKeys = z.object({
  keys: z.array(publicKey).min(1, 'keys-missing').max(10, 'too-many'),
});
