/** What applications read about the provider before anything else. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { get } from './requests.ts';

let hemma: Hemma;
let document: Record<string, unknown>;
beforeAll(async () => {
  hemma = await startHemma();
  document = (await get(hemma.url('/.well-known/openid-configuration'))).json;
});
afterAll(() => hemma.stop());

describe('discovery', () => {
  test('names the configured issuer and every endpoint under it', () => {
    expect(document).toMatchObject({
      issuer: hemma.issuer,
      authorization_endpoint: hemma.url('/auth'),
      token_endpoint: hemma.url('/token'),
      userinfo_endpoint: hemma.url('/me'),
      jwks_uri: hemma.url('/jwks'),
      end_session_endpoint: hemma.url('/session/end'),
      pushed_authorization_request_endpoint: hemma.url('/request'),
      introspection_endpoint: hemma.url('/token/introspection'),
      revocation_endpoint: hemma.url('/token/revocation'),
      registration_endpoint: hemma.url('/reg'),
      device_authorization_endpoint: hemma.url('/device/auth'),
    });
  });

  test('offers code and none, S256 alone, no implicit and no password grant', () => {
    expect(document['response_types_supported']).toEqual(['code', 'none']);
    expect(document['code_challenge_methods_supported']).toEqual(['S256']);
    const grants = document['grant_types_supported'] as string[];
    expect([...grants].sort()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ]);
  });

  test('signs by RS256, PS256, ES256 and EdDSA, never by none or a shared secret', () => {
    const signing = document['id_token_signing_alg_values_supported'] as string[];
    expect([...signing].sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256']);
    expect(document['token_endpoint_auth_methods_supported']).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'client_secret_jwt',
      'none',
    ]);
    const algorithms = document['token_endpoint_auth_signing_alg_values_supported'] as string[];
    // HS256 is for those that an administrator gave a secret to sign with (client_secret_jwt).
    expect(algorithms.filter((alg) => alg === 'none' || alg.startsWith('HS'))).toEqual(['HS256']);
    expect(document['dpop_signing_alg_values_supported']).toEqual(['ES256', 'Ed25519', 'EdDSA']);
  });

  test('says the languages, the acr values, the scopes and what sign-out can do', () => {
    expect(document).toMatchObject({
      ui_locales_supported: ['sv', 'en'],
      acr_values_supported: ['urn:hemma:1', 'urn:hemma:2'],
      subject_types_supported: ['public', 'pairwise'],
      claims_parameter_supported: true,
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      request_uri_parameter_supported: false,
    });
    expect(document['scopes_supported']).toEqual(['openid', 'offline_access', 'profile', 'email', 'groups']);
    expect(document['claims_supported']).toEqual(
      expect.arrayContaining(['sub', 'sid', 'acr', 'amr', 'auth_time', 'name', 'email', 'email_verified']),
    );
  });

  test('publishes the public halves of its keys and nothing of the private ones', async () => {
    const { keys } = (await get(hemma.url('/jwks'))).json as { keys: Record<string, string>[] };
    expect(keys.map(({ kty }) => kty ?? '').toSorted()).toEqual(['EC', 'OKP', 'RSA']);
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/^.{16}$/) });
      expect(
        Object.keys(key).filter((part) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(part)),
      ).toEqual([]);
    }
    const modulus = keys.find(({ kty }) => kty === 'RSA')?.['n'] ?? '';
    expect(Buffer.from(modulus, 'base64url')).toHaveLength(3072 / 8);
  });

  test('is the same where OAuth looks for it (RFC 8414 §3), also for those who speak no OpenID Connect', async () => {
    const answer = await get(hemma.url('/.well-known/oauth-authorization-server'));
    expect(answer).toMatchObject({ status: 200, json: document });
    expect(answer.headers['content-type']).toContain('application/json');
  });

  test('is the same the next time, or not sent at all to whoever has it; for no other host', async () => {
    for (const path of ['/.well-known/openid-configuration', '/jwks']) {
      const url = new URL(hemma.url(path));
      const [one, two] = [await get(url.href), await get(url.href)];
      const lasting = ({ headers: { date: _date, 'x-request-id': _number, ...rest } }: typeof one) => rest;
      expect([two.status, two.body, lasting(two)]).toEqual([200, one.body, lasting(one)]);
      const etag = one.headers.etag ?? '';
      expect(await get(url.href, { 'if-none-match': etag })).toMatchObject({
        status: 304,
        body: '',
        headers: { etag },
      });
      expect((await get(url.href, { 'if-none-match': '"another"' })).status).toBe(200);
      const head = await exchange(url, { method: 'HEAD' });
      expect([head.status, head.headers['content-length']]).toEqual([200, one.headers['content-length']]);
      expect((await get(url.href, { host: 'elsewhere.example' })).status).toBe(421);
      const asked = await exchange(url, {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example.com', 'access-control-request-method': 'GET' },
      });
      expect([asked.status, asked.headers['access-control-allow-methods']]).toEqual([204, 'GET']);
    }
  });

  test('may be read by scripts of any site, and the keys too', async () => {
    const documents = ['openid-configuration', 'oauth-authorization-server'];
    for (const path of [...documents.map((name) => `/.well-known/${name}`), '/jwks']) {
      const { headers } = await get(hemma.url(path), { origin: 'https://app.example.com' });
      expect(headers['access-control-allow-origin']).toBeDefined();
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  });
});
