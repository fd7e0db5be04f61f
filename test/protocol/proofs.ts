/** A key of an application's own and the proofs that it makes with it (RFC 9449), right or wrong as a test wants them. */
import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { post, type Told } from './requests.ts';

export interface Prover {
  jwk: JWK;
  thumbprint: string;
  /** A proof for a request; what is `undefined` in `claims` is left out. */
  prove(method: string, url: string, claims?: Record<string, unknown>, header?: object): Promise<string>;
  /** The part of a proof that binds it to an access token. */
  for(token: string): { ath: string };
}

export async function newProver(): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (htm, htu, claims = {}, header = {}) =>
      new SignJWT({ jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...claims })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })
        .sign(privateKey),
    for: (token) => ({ ath: createHash('sha256').update(token).digest('base64url') }),
  };
}

/** The nonce that the provider gives to whoever sends a proof without one. */
export async function nonceFrom(url: string, fields: Record<string, string>, headers = {}): Promise<string> {
  const dpop = await (await newProver()).prove('POST', url);
  const { headers: told } = await post(url, fields, { ...headers, dpop });
  return String(told['dpop-nonce']);
}

/** Posts a form with a right proof. */
export async function postProved(
  url: string,
  fields: Record<string, string>,
  { prover, nonce, headers = {} }: { prover: Prover; nonce: string; headers?: Record<string, string> },
): Promise<Told> {
  return post(url, fields, { ...headers, dpop: await prover.prove('POST', url, { nonce }) });
}
