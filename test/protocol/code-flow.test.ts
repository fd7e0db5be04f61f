/** The code flow from end to end, for every type of client. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basic, basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let web: RelyingParty;
let page: RelyingParty;
let bo: Person;
beforeAll(async () => {
  hemma = await startHemma();
  web = await startRelyingParty({ hemma });
  page = await startRelyingParty({ hemma, description: { type: 'single-page' } });
  bo = await newPerson(hemma, { twoStep: false });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([web.stop(), page.stop()]);
  await hemma.stop();
});

/** A code for the web application, not redeemed yet. */
async function codeFor(party: RelyingParty) {
  const begun = await party.begin();
  const { url } = await bo.signIn(begun.url);
  return { begun, code: url.searchParams.get('code') ?? '' };
}

const grantOf = (party: RelyingParty, code: string, verifier: string) => ({
  grant_type: 'authorization_code',
  redirect_uri: party.redirectUri,
  code,
  code_verifier: verifier,
});

describe('a web application', () => {
  test('gets an ID token that jose verifies, and the issuer in the answer (RFC 9207)', async () => {
    const { begun, screen, tokens } = await bo.signInTo(web);
    expect(broughtBack(screen.url)).toMatchObject({ iss: hemma.issuer, state: begun.state });
    const { payload, protectedHeader } = await web.verify(tokens.id_token ?? '');
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: expect.any(String) });
    expect(payload).toMatchObject({
      iss: hemma.issuer,
      aud: web.clientId,
      sub: bo.account.id,
      nonce: begun.nonce,
      sid: expect.any(String),
    });
    expect(payload.exp).toBe((payload.iat ?? 0) + 3600);
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
    expect(tokens).not.toHaveProperty('refresh_token');
  });

  test('may present its secret in the Authorization header or in the form, and not in both', async () => {
    const one = await codeFor(web);
    const byHeader = await post(
      hemma.url('/token'),
      grantOf(web, one.code, one.begun.verifier),
      basicOf(web),
    );
    expect(byHeader).toMatchObject({ status: 200, json: { id_token: expect.any(String) } });
    expect(byHeader.headers['cache-control']).toContain('no-store');
    const two = await codeFor(web);
    const inForm = { client_id: web.clientId, client_secret: web.clientSecret };
    const fields = { ...grantOf(web, two.code, two.begun.verifier), ...inForm };
    expect(await post(hemma.url('/token'), fields, basicOf(web))).toMatchObject({ status: 400 });
    expect(await post(hemma.url('/token'), fields)).toMatchObject({ status: 200 });
  });

  test('is refused with a wrong, an empty or no secret, and its code is not spent by that', async () => {
    const { begun, code } = await codeFor(web);
    const fields = grantOf(web, code, begun.verifier);
    const wrong = await post(hemma.url('/token'), fields, basic(web.clientId, `${web.clientSecret}x`));
    expect(wrong).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect(wrong.headers['www-authenticate']).toMatch(/^Basic /);
    expect((await post(hemma.url('/token'), fields, basic(web.clientId, ''))).status).toBe(400);
    const without = await post(hemma.url('/token'), { ...fields, client_id: web.clientId });
    expect(without).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect((await post(hemma.url('/token'), fields, basicOf(web))).status).toBe(200);
  });

  test('an application that chose RS256 gets RS256', async () => {
    const small = await startRelyingParty({ hemma, description: { signingAlg: 'RS256' } });
    const { tokens } = await bo.signInTo(small);
    expect((await small.verify(tokens.id_token ?? '')).protectedHeader.alg).toBe('RS256');
    await small.stop();
  });
});

describe('a single-page application', () => {
  test('signs people in without a secret, by PKCE, and reads its answer across origins', async () => {
    const { tokens, claims } = await bo.signInTo(page);
    expect(claims.sub).toBe(bo.account.id);
    expect(tokens.access_token).toEqual(expect.any(String));
    const { begun, code } = await codeFor(page);
    const fields = { ...grantOf(page, code, begun.verifier), client_id: page.clientId };
    const origin = new URL(page.redirectUri).origin;
    const foreign = await post(hemma.url('/token'), fields, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(400);
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
    const own = await post(hemma.url('/token'), fields, { origin });
    expect(own).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin } });
  });

  test('gets nothing by a made-up secret', async () => {
    const { begun, code } = await codeFor(page);
    const fields = grantOf(page, code, begun.verifier);
    const answer = await post(hemma.url('/token'), fields, basic(page.clientId, 'made-up'));
    expect(answer).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });
});

describe('a service', () => {
  test('gets an access token for itself, without a person, for ten minutes', async () => {
    const service = clientSchema.parse({ id: 'nightly', name: 'Nightly', type: 'service', scopes: [] });
    await applyClient(hemma.db, service);
    const secret = (await addSecret(hemma.db, 'nightly', 'first')) ?? '';
    const configuration = await client.discovery(
      new URL(hemma.issuer),
      'nightly',
      undefined,
      client.ClientSecretPost(secret),
      { execute: [client.allowInsecureRequests] },
    );
    const tokens = await client.clientCredentialsGrant(configuration);
    expect(tokens).toMatchObject({ expires_in: 600, access_token: expect.any(String) });
    expect(tokens).not.toHaveProperty('id_token');
    expect(tokens).not.toHaveProperty('refresh_token');
    const me = await get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` });
    expect(me.status).toBe(401);
    const started = await get(
      hemma.url('/auth?client_id=nightly&response_type=code&scope=openid&redirect_uri=https://x.example/'),
    );
    expect(started).toMatchObject({ status: 400, headers: {} });
    expect(started.headers.location).toBeUndefined();
  });

  test('is the only type that may ask so', async () => {
    const fields = { grant_type: 'client_credentials' };
    const answer = await post(hemma.url('/token'), fields, basicOf(web));
    expect(answer).toMatchObject({
      status: 400,
      json: { error_description: 'requested grant type is not allowed for this client' },
    });
    for (const grant_type of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:token-exchange']) {
      const other = await post(
        hemma.url('/token'),
        { grant_type, username: bo.account.email, password: 'x' },
        basicOf(web),
      );
      expect(other).toMatchObject({ status: 400, json: { error: 'unsupported_grant_type' } });
    }
  });
});

describe('the provider itself as a client', () => {
  const own = (parameters: Record<string, string>) =>
    hemma.url(
      `/auth?${new URLSearchParams({ client_id: 'hemma-account', scope: 'openid', redirect_uri: hemma.url('/account'), ...parameters }).toString()}`,
    );

  test('response_type=none comes back with a session and no token', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const screen = await person.signIn(own({ response_type: 'none', state: 's1' }));
    expect(screen).toMatchObject({ step: 'account', status: 200 });
    // My details takes what is for programs out of the address at once.
    const landed = new URL(screen.chain.at(-2)?.url ?? '');
    expect(landed.pathname).toBe('/account');
    expect(screen.url.search).toBe('');
    expect([...landed.searchParams.keys()].sort()).toEqual(['iss', 'state']);
    expect(screen.text).toContain(person.account.email);
  });

  test.each(['code', 'id_token', 'code id_token', 'token'])('gets no %s', async (response_type) => {
    const answer = await get(
      own({ response_type, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }),
    );
    const to = new URL(answer.headers.location ?? hemma.url('/none'));
    expect(to.href).not.toMatch(/[?&#](code|id_token|access_token)=/);
    expect(answer.headers.location ? (to.searchParams.get('error') ?? to.hash) : answer.status).toBeTruthy();
    expect(answer.status === 400 || to.href.includes('error=')).toBe(true);
  });

  test('an ordinary application may not ask for response_type=none', async () => {
    const { url } = await web.begin({ response_type: 'none' });
    const { headers } = await get(url);
    expect(broughtBack(new URL(headers.location ?? ''))).toMatchObject({
      error: 'invalid_request',
      error_description: 'requested response_type is not allowed for this client',
    });
  });
});
