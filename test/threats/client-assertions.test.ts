/**
 * Client assertions: one audience, which is one string, and one algorithm (RFC 7523bis, CVE-2025-27370).
 * Longer than usual: every endpoint and every path of registration is tried with the same clients.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { clientSchema } from '../../src/clients/schema.ts';
import { createSecret } from '../../src/clients/secrets.ts';
import { applyClient, findClientById, clientsTopic } from '../../src/clients/clients.ts';
import { createInitialAccessToken } from '../../src/oidc/registration/initial-access-tokens.ts';
import { listClientErrors } from '../../src/oidc/client-errors.ts';
import { call, machineToken, service } from '../api/callers.ts';
import { operator } from '../console/town.ts';
import { post } from '../protocol/requests.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';

let hemma: Hemma;
let machine: string;
const keys = {} as Record<string, { own: CryptoKey; jwk: JWK }>;
let secret: Uint8Array;
const scopes = ['clients:read', 'clients:write'] as const;

const described = (id: string, more: object) =>
  clientSchema.parse({
    id,
    name: id,
    type: 'web',
    redirectUris: ['https://app.example/back'],
    deviceFlow: true,
    ...more,
  });

beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  machine = await machineToken(hemma, await service(hemma, 'machine', scopes), scopes);
  for (const [name, alg] of [
    ['ec', 'ES256'],
    ['rsa', 'RS256'],
    ['okp', 'EdDSA'],
  ] as const) {
    const pair = await generateKeyPair(alg, { extractable: true });
    // A key says nothing of its algorithm unless a test does.
    keys[name] = { own: pair.privateKey, jwk: await exportJWK(pair.publicKey) };
  }
  const jwks = { keys: [keys['ec']?.jwk] };
  await applyClient(hemma.db, described('signer', { jwks }));
  await applyClient(hemma.db, described('old-library', { jwks, assertionAudience: 'token-endpoint' }));
  await applyClient(hemma.db, described('sharer', { authMethod: 'client_secret_jwt' }));
  const old = { authMethod: 'client_secret_jwt', assertionAudience: 'token-endpoint' };
  await applyClient(hemma.db, described('old-sharer', old));
  secret = Buffer.from('a-secret-that-both-of-them-sign-with-00000000000');
  for (const clientId of ['sharer', 'old-sharer'])
    await createSecret(hemma.db, { clientId, name: 'x', given: secret.toString(), vault: hemma.vault }, {});
});
afterAll(() => hemma.stop());

const endpoints = [
  '/token',
  '/token/introspection',
  '/token/revocation',
  '/request',
  '/device/auth',
] as const;

const asserting = (assertion: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
});

/** Signs as a client; `aud` is what a test puts there. */
function sign(id: string, aud: unknown, by: { alg: string; key: CryptoKey | Uint8Array }): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: id, sub: id, aud, jti: randomUUID(), iat: now, exp: now + 60 };
  return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg: by.alg }).sign(by.key);
}

const fields: Record<(typeof endpoints)[number], Record<string, string>> = {
  '/token': { grant_type: 'refresh_token', refresh_token: 'x' },
  '/token/introspection': { token: 'x' },
  '/token/revocation': { token: 'x' },
  '/request': {
    response_type: 'code',
    redirect_uri: 'https://app.example/back',
    scope: 'openid',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  },
  '/device/auth': { scope: 'openid' },
};

/** Whether the client was authenticated at an endpoint. */
async function accepted(endpoint: (typeof endpoints)[number], assertion: string): Promise<boolean> {
  const { status, json } = await post(hemma.url(endpoint), { ...fields[endpoint], ...asserting(assertion) });
  if (status === 401) expect(json['error']).toBe('invalid_client');
  return status !== 401;
}

const ways = [
  ['private_key_jwt', 'signer', 'old-library'],
  ['client_secret_jwt', 'sharer', 'old-sharer'],
] as const;
const keyOf = (way: string) =>
  way === 'private_key_jwt'
    ? { alg: 'ES256', key: keys['ec']?.own as CryptoKey }
    : { alg: 'HS256', key: secret };

describe.each(ways)('the audience of an assertion (%s)', (way, id, old) => {
  test.each(endpoints)('is the issuer as one string at %s, and nothing else', async (endpoint) => {
    const { issuer } = hemma;
    expect(await accepted(endpoint, await sign(id, issuer, keyOf(way)))).toBe(true);
    const wrong = [
      [issuer],
      [issuer, hemma.url('/token')],
      ['https://evil.example', issuer],
      [],
      hemma.url('/token'),
      hemma.url(endpoint),
      `${issuer}/`,
      issuer.toUpperCase(),
      `${issuer}.evil.example`,
      '',
      1,
      { issuer },
      undefined,
    ];
    for (const aud of wrong)
      expect([aud, await accepted(endpoint, await sign(id, aud, keyOf(way)))]).toEqual([aud, false]);
  });

  test.each(endpoints)('is the token endpoint at %s for a client that is registered so', async (endpoint) => {
    const token = hemma.url('/token');
    expect(await accepted(endpoint, await sign(old, token, keyOf(way)))).toBe(true);
    const other = endpoint === '/token' ? `${token}/` : hemma.url(endpoint);
    const wrong = [[token], [token, hemma.issuer], hemma.issuer, other, undefined];
    for (const aud of wrong)
      expect([aud, await accepted(endpoint, await sign(old, aud, keyOf(way)))]).toEqual([aud, false]);
  });

  test('is explained to the administrator of the client, and not to the client', async () => {
    const assertion = await sign(id, [hemma.issuer], keyOf(way));
    const answer = await post(hemma.url('/token'), { ...fields['/token'], ...asserting(assertion) });
    expect(answer.json['error_description']).toBe('client authentication failed');
    expect(await listClientErrors(hemma.db, id)).toContainEqual(
      expect.objectContaining({
        endpoint: 'token',
        cause: 'assertion',
        detail: expect.stringContaining(`aud must be the string ${hemma.issuer}, which is no list`),
      }),
    );
  });
});

describe('the algorithm of an assertion', () => {
  const jwkOf = (name: string, alg?: string) => ({ ...keys[name]?.jwk, ...(alg ? { alg } : {}) });
  const by = (name: string, alg: string) => ({ alg, key: keys[name]?.own as CryptoKey });
  const all = () => ({ keys: [jwkOf('ec'), jwkOf('rsa'), jwkOf('okp')] });
  const works = async (id: string, key: { alg: string; key: CryptoKey | Uint8Array }) =>
    accepted('/token', await sign(id, hemma.issuer, key));
  /** An RSA key of one algorithm signs by another only where it is imported for that. */
  const rsa = async (alg: string) => {
    const jwk = await crypto.subtle.exportKey('jwk', keys['rsa']?.own as CryptoKey);
    const { alg: _alg, key_ops: _ops, ...bare } = jwk;
    const name = alg.startsWith('PS') ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
    const key = await crypto.subtle.importKey('jwk', bare, { name, hash: 'SHA-256' }, false, ['sign']);
    return { alg, key };
  };

  test('is the one that the client states; other keys and algorithms open nothing', async () => {
    await applyClient(hemma.db, described('one', { jwks: all(), assertionSigningAlg: 'ES256' }));
    expect(await works('one', by('ec', 'ES256'))).toBe(true);
    for (const key of [await rsa('RS256'), await rsa('PS256'), by('okp', 'EdDSA'), by('okp', 'Ed25519')])
      expect([key.alg, await works('one', key)]).toEqual([key.alg, false]);
    expect(await works('one', { alg: 'HS256', key: secret })).toBe(false);
    expect(await listClientErrors(hemma.db, 'one')).toContainEqual(
      expect.objectContaining({
        cause: 'assertion',
        detail: 'client assertion alg must be ES256, as the client is registered for; it was RS256',
      }),
    );
  });

  test.each([
    ['RS256', 'PS256'],
    ['PS256', 'RS256'],
  ])('is %s and not %s for a client that states so, though its key says neither', async (alg, other) => {
    const id = `rsa-${alg.toLowerCase()}`;
    await applyClient(hemma.db, described(id, { jwks: { keys: [jwkOf('rsa')] }, assertionSigningAlg: alg }));
    expect([await works(id, await rsa(alg)), await works(id, await rsa(other))]).toEqual([true, false]);
  });

  test('is chosen and shown where a client that is made states none', async () => {
    const make = async (more: object) => {
      const id = `made-${randomUUID().slice(0, 8)}`;
      const answer = await call(hemma, '/clients', {
        method: 'POST',
        token: machine,
        json: { id, name: id, type: 'service', ...more },
      });
      const { assertionSigningAlg: alg, assertionAudience: aud } = answer.json;
      return answer.status === 201 ? [alg, aud] : answer.json['errors'];
    };
    const keyed = (...list: object[]) => make({ jwks: { keys: list } });
    expect(await keyed(jwkOf('ec'))).toEqual(['ES256', 'issuer']);
    expect(await keyed(jwkOf('okp'))).toEqual(['EdDSA', 'issuer']);
    expect(await keyed(jwkOf('okp', 'Ed25519'))).toEqual(['Ed25519', 'issuer']);
    expect(await keyed(jwkOf('rsa'))).toEqual(['RS256', 'issuer']);
    expect(await keyed(jwkOf('rsa', 'PS256'))).toEqual(['PS256', 'issuer']);
    expect(await keyed(jwkOf('rsa'), jwkOf('ec', 'ES256'))).toEqual(['RS256', 'issuer']);
    expect(await make({ authMethod: 'client_secret_jwt' })).toEqual(['HS256', 'issuer']);
    expect(await make({})).toEqual([undefined, undefined]);
    const wrong = (code: string, field = 'assertionSigningAlg') => [
      expect.objectContaining({ code, path: field }),
    ];
    expect(await keyed(jwkOf('rsa', 'RS512'))).toEqual(wrong('assertion-alg-without-key'));
    expect(await make({ jwks: { keys: [jwkOf('ec')] }, assertionSigningAlg: 'RS256' })).toEqual(
      wrong('assertion-alg-without-key'),
    );
    expect(await make({ jwks: { keys: [jwkOf('ec')] }, assertionSigningAlg: 'HS256' })).toEqual(
      wrong('assertion-alg-of-other-method'),
    );
    expect(await make({ authMethod: 'client_secret_jwt', assertionSigningAlg: 'ES256' })).toEqual(
      wrong('assertion-alg-of-other-method'),
    );
    expect(await make({ assertionSigningAlg: 'ES256' })).toEqual(wrong('assertion-not-used'));
    expect(await make({ assertionAudience: 'token-endpoint' })).toEqual(
      wrong('assertion-not-used', 'assertionAudience'),
    );
    for (const assertionSigningAlg of ['none', 'RS512', 'HS512'])
      expect(await make({ jwks: all(), assertionSigningAlg })).toEqual(wrong('not-a-choice'));
  });

  test('stays where a new description states none, as long as a key fits it', async () => {
    const jwks = { keys: [jwkOf('rsa')] };
    await call(hemma, '/clients', {
      method: 'POST',
      token: machine,
      json: { id: 'stays', name: 'Stays', type: 'service', jwks, assertionSigningAlg: 'PS256' },
    });
    const put = async (more: object) =>
      (
        await call(hemma, '/clients/stays', {
          method: 'PUT',
          token: machine,
          json: { name: 'Stays', ...more },
          headers: { 'if-match': '*' },
        })
      ).json['assertionSigningAlg'];
    expect(await put({ jwks })).toBe('PS256');
    expect(await put({ jwks: { keys: [jwkOf('rsa'), jwkOf('ec')] } })).toBe('PS256');
    expect(await put({ jwks: { keys: [jwkOf('ec')] } })).toBe('ES256');
    expect(await put({ authMethod: 'client_secret_jwt' })).toBe('HS256');
    expect(await put({})).toBeUndefined();
  });

  test('is that of the keys for a client of a version that stated none', async () => {
    await applyClient(hemma.db, described('earlier', { jwks: { keys: [jwkOf('rsa'), jwkOf('ec')] } }));
    await hemma.db.query(
      "UPDATE clients SET metadata = metadata - 'assertionSigningAlg' - 'assertionAudience' WHERE id = 'earlier'",
    );
    await hemma.db.announce(clientsTopic);
    expect(await works('earlier', await rsa('RS256'))).toBe(true);
    expect(await works('earlier', by('ec', 'ES256'))).toBe(false);
    expect((await findClientById(hemma.db, 'earlier'))?.client).toMatchObject({
      assertionSigningAlg: 'RS256',
      assertionAudience: 'issuer',
    });
  });

  test('is registered and answered by RFC 7591', async () => {
    const made = await createInitialAccessToken(hemma.db, { name: 'supplier', uses: 10 }, {});
    if ('refusal' in made) throw new Error(made.refusal);
    const register = async (more: object) => {
      const answer = await exchange(new URL(hemma.url('/reg')), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${made.token}` },
        body: JSON.stringify({
          redirect_uris: ['https://app.example/back'],
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [jwkOf('rsa')] },
          ...more,
        }),
      });
      return JSON.parse(answer.body) as Record<string, unknown>;
    };
    expect(await register({})).toMatchObject({ token_endpoint_auth_signing_alg: 'RS256' });
    expect(await register({ token_endpoint_auth_signing_alg: 'PS256' })).toMatchObject({
      token_endpoint_auth_signing_alg: 'PS256',
    });
    for (const token_endpoint_auth_signing_alg of ['ES256', 'HS256', 'none'])
      expect(await register({ token_endpoint_auth_signing_alg })).toMatchObject({
        error: 'invalid_client_metadata',
        error_description: expect.stringContaining('token_endpoint_auth_signing_alg: '),
      });
  });
});

test('both are chosen in the console, and exported and applied by files', async () => {
  const { visitor } = await operator(hemma, 'alma@hemma.example', 'administrator');
  await visitor.visit(hemma.url('/admin/clients/-/new/service'));
  const jwks = JSON.stringify({ keys: [keys['rsa']?.jwk] });
  const id = 'by-hand';
  await visitor.submit({ id, name: 'By hand', authMethod: 'private_key_jwt', jwks });
  expect(visitor.screen.text).toContain('RS256');
  await visitor.visit(hemma.url(`/admin/clients/${id}/edit`));
  await visitor.submit({ assertionSigningAlg: 'PS256', assertionAudience: 'token-endpoint' });
  const stored = async () => (await findClientById(hemma.db, id))?.client;
  expect(await stored()).toMatchObject({
    assertionSigningAlg: 'PS256',
    assertionAudience: 'token-endpoint',
  });
  expect(visitor.screen.text).toContain('Token-adressen');
  const client = await stored();
  const list = [{ ...client, assertionAudience: undefined }];
  const applied = await call(hemma, '/clients/apply?adopt=true', {
    method: 'POST',
    token: machine,
    json: list,
  });
  expect(applied.json['items']).toEqual([
    {
      id,
      result: 'changed',
      changes: [{ field: 'assertionAudience', before: '"token-endpoint"', after: '"issuer"' }],
    },
  ]);
  await visitor.visit(hemma.url('/admin/clients/-/new/service'));
  await visitor.submit({
    id: 'other',
    name: 'X',
    authMethod: 'private_key_jwt',
    jwks,
    assertionSigningAlg: 'ES256',
  });
  expect(visitor.screen.refusal).toBe('assertion-alg-without-key');
});

test('request objects are not taken, so none is a way around', async () => {
  const object = await sign('signer', hemma.issuer, keyOf('private_key_jwt'));
  const answer = await post(hemma.url('/request'), {
    ...fields['/request'],
    ...asserting(await sign('signer', hemma.issuer, keyOf('private_key_jwt'))),
    request: object,
  });
  expect([answer.status, answer.json['error']]).toEqual([400, 'request_not_supported']);
});
