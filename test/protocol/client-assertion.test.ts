/** Applications that sign (private_key_jwt): each assertion once, for this provider, by their own key, in its time. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { clientSchema } from '../../src/oidc/client-description.ts';
import { applyClient } from '../../src/oidc/clients.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { post } from './requests.ts';

let hemma: Hemma;
let own: CryptoKey;
let foreign: CryptoKey;
beforeAll(async () => {
  hemma = await startHemma();
  const pair = await generateKeyPair('ES256');
  own = pair.privateKey;
  foreign = (await generateKeyPair('ES256')).privateKey;
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig' }] };
  for (const id of ['signer', 'other'])
    await applyClient(hemma.db, clientSchema.parse({ id, name: id, type: 'service', scopes: [], jwks }));
});
afterAll(() => hemma.stop());

const now = () => Math.floor(Date.now() / 1000);
const good = () => ({
  iss: 'signer',
  sub: 'signer',
  aud: hemma.issuer,
  jti: randomUUID() as string,
  iat: now(),
  exp: now() + 60,
});
type Claims = ReturnType<typeof good>;
const sign = (claims: object, by = own) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(by);

const present = (assertion: string, more: Record<string, string> = {}) =>
  post(hemma.url('/token'), {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...more,
  });
const refused = { status: 401, json: { error: 'invalid_client' } };

describe('a client assertion', () => {
  test('is taken once; a second time it is refused', async () => {
    const assertion = await sign(good());
    expect(await present(assertion)).toMatchObject({
      status: 200,
      json: { access_token: expect.any(String) },
    });
    expect(await present(assertion)).toMatchObject(refused);
    expect((await present(await sign(good()))).status).toBe(200);
  });

  test('trap: clocks may differ by fifteen seconds and no more', async () => {
    expect((await present(await sign({ ...good(), exp: now() - 10 }))).status).toBe(200);
    expect(await present(await sign({ ...good(), exp: now() - 20 }))).toMatchObject(refused);
    expect((await present(await sign({ ...good(), nbf: now() + 10 }))).status).toBe(200);
    expect(await present(await sign({ ...good(), nbf: now() + 20 }))).toMatchObject(refused);
  });

  test.each([
    ['for another provider', (claims: Claims) => ({ ...claims, aud: 'https://other.example.com' })],
    ['for nobody', ({ aud: _aud, ...claims }: Claims) => claims],
    ['without an end', ({ exp: _exp, ...claims }: Claims) => claims],
    ['without a number', ({ jti: _jti, ...claims }: Claims) => claims],
    ['of another issuer', (claims: Claims) => ({ ...claims, iss: 'other' })],
    ['without an issuer', ({ iss: _iss, ...claims }: Claims) => claims],
  ])('%s is refused', async (_what, change) => {
    expect(await present(await sign(change(good())))).toMatchObject(refused);
  });

  test('by a foreign key, unsigned, or cut is refused', async () => {
    expect(await present(await sign(good(), foreign))).toMatchObject(refused);
    expect((await present(new UnsecuredJWT(good()).encode())).status).toBe(401);
    const assertion = await sign(good());
    expect((await present(`${assertion.slice(0, -6)}AAAAAA`)).status).toBe(401);
    for (const nonsense of ['x', 'a.b.c', '..', 'e30.e30.', '{}'])
      expect([400, 401]).toContain((await present(nonsense)).status);
  });

  test('does not speak for another application, nor beside a secret', async () => {
    expect((await present(await sign(good()), { client_id: 'other' })).status).toBe(400);
    expect((await present(await sign(good()), { client_secret: 'x' })).status).toBe(400);
    expect((await present(await sign(good()), { client_assertion_type: 'x' })).status).toBe(400);
  });

  test('is the only way in for an application that signs', async () => {
    const fields = { grant_type: 'client_credentials', client_id: 'signer', client_secret: 'x' };
    expect(await post(hemma.url('/token'), fields)).toMatchObject(refused);
    const bare = { grant_type: 'client_credentials', client_id: 'signer' };
    expect(await post(hemma.url('/token'), bare)).toMatchObject(refused);
  });
});
