import { z } from 'zod';

/** RFC 7517 §4: a member of another kind would keep the whole set from being read, whenever the client comes. */
const optionalString = z.string().min(1).optional();
const commonMembers = { kid: optionalString, alg: optionalString, use: z.literal('sig').optional() };

const base64url = /^[A-Za-z0-9_-]+$/;
const base64urlString = z.string().regex(base64url);

/** Letters of base64url that 2048 bits take: less is not enough for a signature (ASVS 11.2.3). */
const rsaModulus = base64urlString.min(342, 'key-too-small');

/** The parts that only its owner may have; whoever pastes them here has shown them to us. */
const forbiddenMember = z.never('key-private').optional();
const privateMembers = {
  d: forbiddenMember,
  p: forbiddenMember,
  q: forbiddenMember,
  dp: forbiddenMember,
  dq: forbiddenMember,
  qi: forbiddenMember,
  oth: forbiddenMember,
  k: forbiddenMember,
};

const publicJwk = z.discriminatedUnion('kty', [
  z.looseObject({
    kty: z.literal('RSA'),
    n: rsaModulus,
    e: base64urlString,
    ...commonMembers,
    ...privateMembers,
  }),
  // The curves of the signatures that the token endpoint takes: ES256 and EdDSA.
  z.looseObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: base64urlString,
    y: base64urlString,
    ...commonMembers,
    ...privateMembers,
  }),
  z.looseObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: base64urlString,
    ...commonMembers,
    ...privateMembers,
  }),
]);

/** The public keys by which a client proves itself (RFC 7517); one that carries its private half is refused. */
export const publicJwksSchema = z.object({
  keys: z.array(publicJwk).min(1, 'keys-missing').max(10, 'too-many'),
});
