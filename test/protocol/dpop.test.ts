/** Tokens bound to a key of the application's (RFC 9449): a nonce for every proof, each proof once, no way around it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { parseClient } from '../../src/clients/connectivity-check.ts';
import { call, isProblem, resourceOf, type Service, service } from '../api/callers.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { newProver, nonceFrom, postProved, type Prover } from './proofs.ts';
import { basic, basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let bound: RelyingParty;
let page: RelyingParty;
let machine: Service;
let bo: Person;
let prover: Prover;
let other: Prover;
let nonce: string;

const offline = ['profile', 'email', 'offline_access'] as const;
const grant = { grant_type: 'client_credentials' };
const token = () => hemma.url('/token');
const newNonce = () => nonceFrom(token(), grant, basic(machine.id, machine.secret));

beforeAll(async () => {
  hemma = await startHemma();
  bound = await startRelyingParty({ hemma, description: { scopes: [...offline], dpopRequired: true } });
  page = await startRelyingParty({ hemma, description: { type: 'single-page', scopes: [...offline] } });
  machine = await service(hemma, 'machine', ['people:read']);
  bo = await newPerson(hemma, { twoStep: false });
  [prover, other] = [await newProver(), await newProver()];
  nonce = await newNonce();
});
afterEach(back);
afterAll(async () => {
  await Promise.all([bound, page].map((party) => party.stop()));
  await hemma.stop();
});

/** What redeems the code that somebody came back with, for an application with a secret or without. */
async function redemption(party: RelyingParty, parameters: Record<string, string | null> = {}) {
  const begun = await party.begin({ scope: 'openid offline_access', prompt: 'consent', ...parameters });
  const { code = '' } = broughtBack((await bo.signIn(begun.url)).url);
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: party.redirectUri,
    code_verifier: begun.verifier,
    ...(party.clientSecret ? {} : { client_id: party.clientId }),
  };
}
const headersOf = (party: RelyingParty) => (party.clientSecret ? basicOf(party) : {});
const proved = (fields: Record<string, string>, party: RelyingParty, by = prover) =>
  postProved(token(), fields, { prover: by, nonce, headers: headersOf(party) });
const tokensFor = async (party: RelyingParty) => {
  const { status, json } = await proved(await redemption(party), party);
  expect([status, json['token_type']]).toEqual([200, 'DPoP']);
  return { access: String(json['access_token']), refresh: String(json['refresh_token']) };
};
const machineAsks = (proof: string, more = {}) =>
  post(token(), { ...grant, ...more }, { ...basic(machine.id, machine.secret), dpop: proof });
const useless = { status: 400, json: { error: 'invalid_dpop_proof' } };

describe('an application whose tokens must be bound', () => {
  test('signs people in with openid-client, which is told the nonce and comes again with it', async () => {
    const configuration = await bound.configuration();
    const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair());
    const begun = await bound.begin({ scope: 'openid offline_access', prompt: 'consent' });
    const { url } = await bo.signIn(begun.url);
    const checks = {
      expectedState: begun.state,
      expectedNonce: begun.nonce,
      pkceCodeVerifier: begun.verifier,
      idTokenExpected: true,
    };
    const tokens = await client.authorizationCodeGrant(configuration, url, checks, undefined, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    const told = await client.fetchUserInfo(configuration, tokens.access_token, bo.account.id, { DPoP });
    expect(told.sub).toBe(bo.account.id);
    const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', undefined, {
      DPoP,
    });
    expect(renewed.token_type).toBe('dpop');
    // Whoever comes for a nonce was not refused anything.
    const { rows } = await hemma.db.query("SELECT 1 FROM audit WHERE detail::text LIKE '%use_dpop_nonce%'");
    expect(rows).toEqual([]);
  });

  test('gets none without a proof, and its code and refresh token are not spent by that', async () => {
    const fields = await redemption(bound);
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    expect(await post(token(), fields, basicOf(bound))).toMatchObject(refused);
    const first = await proved(fields, bound);
    expect(first.status).toBe(200);
    const renew = { grant_type: 'refresh_token', refresh_token: String(first.json['refresh_token']) };
    expect(await post(token(), renew, basicOf(bound))).toMatchObject(refused);
    expect(await proved(renew, bound)).toMatchObject({ status: 200, json: { token_type: 'DPoP' } });
  });

  test('can be of every kind, but has no business in the interface for programs', () => {
    const about = { id: 'xx', name: 'X', dpopRequired: true, redirectUris: ['https://x.example/back'] };
    expect(parseClient({ ...about, type: 'single-page' })).toHaveProperty('client');
    expect(parseClient({ ...about, type: 'web', apiScopes: ['people:read'] })).toMatchObject({
      faults: [{ field: 'dpopRequired', code: 'dpop-not-for-api' }],
    });
  });
});

describe('a proof', () => {
  test('carries a nonce of ours: without one, with a strange or an old one it is told the next', async () => {
    const asked = { status: 400, json: { error: 'use_dpop_nonce' } };
    const told = { headers: { 'dpop-nonce': expect.stringMatching(/^[\w-]{43}$/) } };
    for (const claims of [{}, { nonce: 'A'.repeat(43) }, { nonce: '' }])
      expect(await machineAsks(await prover.prove('POST', token(), claims))).toMatchObject({
        ...asked,
        ...told,
      });
    const old = await newNonce();
    travel(minutes(5));
    expect(await machineAsks(await prover.prove('POST', token(), { nonce: old }))).toMatchObject(asked);
    const fresh = await newNonce();
    const answer = await machineAsks(await prover.prove('POST', token(), { nonce: fresh }));
    expect(answer).toMatchObject({ status: 200, json: { token_type: 'DPoP' } });
  });

  test('SECURITY 70 is good for one request, and a second one does not cost the code or the refresh token', async () => {
    const proof = await prover.prove('POST', token(), { nonce });
    const headers = { ...basicOf(bound), dpop: proof };
    const first = await post(token(), await redemption(bound), headers);
    expect(first.status).toBe(200);
    const renew = { grant_type: 'refresh_token', refresh_token: String(first.json['refresh_token']) };
    expect(await post(token(), renew, headers)).toMatchObject(useless);
    expect((await proved(renew, bound)).status).toBe(200);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ['for another method', { htm: 'GET' }],
    ['for another address', { htu: 'https://elsewhere.example/token' }],
    ['for no address', { htu: undefined }],
    ['without a number', { jti: undefined }],
    ['without a time', { iat: undefined }],
    ['of another kind', {}, { typ: 'JWT' }],
    ['signed by another key than it shows', {}, { jwk: 'other' }],
    ['that shows no key', {}, { jwk: undefined }],
  ])('%s is refused', async (_what, claims, header = {}) => {
    const shown = 'jwk' in header ? { jwk: header['jwk'] === 'other' ? other.jwk : undefined } : {};
    const proof = await prover.prove('POST', token(), { nonce, ...claims }, { ...header, ...shown });
    expect(await machineAsks(proof)).toMatchObject(useless);
  });

  test('that is none is refused, and never a fault', async () => {
    for (const nonsense of ['x', 'a.b.c', '..', 'e30.e30.', `${await prover.prove('POST', token())}, x`])
      expect(await machineAsks(nonsense)).toMatchObject(useless);
  });

  test('that an authorization request announces is the only one that redeems its code', async () => {
    const announced = { dpop_jkt: prover.thumbprint };
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    expect(await proved(await redemption(page, announced), page, other)).toMatchObject(refused);
    expect(await post(token(), await redemption(page, announced))).toMatchObject(refused);
    expect((await proved(await redemption(page, announced), page)).status).toBe(200);
    // A pushed request is bound by the proof that came with it (RFC 9449 §10.1).
    const pushed = async (by: Prover) => {
      const begun = await bound.begin({ scope: 'openid' });
      const to = hemma.url('/request');
      const fields = Object.fromEntries(new URL(begun.url).searchParams);
      const { json } = await postProved(to, fields, { prover, nonce, headers: basicOf(bound) });
      const query = new URLSearchParams({
        client_id: bound.clientId,
        request_uri: String(json['request_uri']),
      });
      const { code = '' } = broughtBack((await bo.signIn(hemma.url(`/auth?${query.toString()}`))).url);
      const redeem = { grant_type: 'authorization_code', code, redirect_uri: bound.redirectUri };
      return proved({ ...redeem, code_verifier: begun.verifier }, bound, by);
    };
    expect(await pushed(other)).toMatchObject(refused);
    expect((await pushed(prover)).status).toBe(200);
  });
});

describe('a bound token', () => {
  const ask = async (access: string, by: Prover, scheme = 'DPoP', claims = {}) => {
    const proof = await by.prove('GET', hemma.url('/me'), { nonce, ...by.for(access), ...claims });
    return get(hemma.url('/me'), { authorization: `${scheme} ${access}`, dpop: proof });
  };

  test('opens userinfo with a proof of its key for this very token, and in no other way', async () => {
    const { access } = await tokensFor(bound);
    expect(await ask(access, prover)).toMatchObject({ status: 200, json: { sub: bo.account.id } });
    const bearer = await get(hemma.url('/me'), { authorization: `Bearer ${access}` });
    expect(bearer).toMatchObject({ status: 401, json: { error: 'invalid_token' } });
    expect(bearer.headers['www-authenticate']).toMatch(/^DPoP /);
    const answers = [
      await get(hemma.url('/me'), { authorization: `DPoP ${access}` }),
      await post(hemma.url('/me'), { access_token: access }),
      await ask(access, other),
      await ask(access, prover, 'Bearer'),
      await ask(access, prover, 'DPoP', { ath: undefined }),
      await ask(access, prover, 'DPoP', prover.for('another')),
      await ask(access, prover, 'DPoP', { htm: 'POST' }),
    ];
    for (const { status } of answers) expect([400, 401]).toContain(status);
  });

  test('SECURITY 70 with a proof that was used already opens nothing', async () => {
    const { access } = await tokensFor(bound);
    const proof = await prover.prove('GET', hemma.url('/me'), { nonce, ...prover.for(access) });
    const once = () => get(hemma.url('/me'), { authorization: `DPoP ${access}`, dpop: proof });
    expect((await once()).status).toBe(200);
    expect(await once()).toMatchObject({ status: 401, json: { error: 'invalid_dpop_proof' } });
  });

  test('says in introspection which key it is bound to', async () => {
    const { access } = await tokensFor(bound);
    const { json } = await post(hemma.url('/token/introspection'), { token: access }, basicOf(bound));
    const cnf = { jkt: prover.thumbprint };
    expect(json).toMatchObject({ active: true, token_type: 'DPoP', cnf });
  });

  test('of an application without a secret is renewed by its own key alone', async () => {
    const { refresh } = await tokensFor(page);
    const renew = { grant_type: 'refresh_token', refresh_token: refresh, client_id: page.clientId };
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    expect(await post(token(), renew)).toMatchObject(refused);
    expect(await proved(renew, page, other)).toMatchObject(refused);
    const renewed = await proved(renew, page);
    expect(renewed.status).toBe(200);
    const next = { ...renew, refresh_token: String(renewed.json['refresh_token']) };
    expect(await proved(next, page, other)).toMatchObject(refused);
  });

  test('is refused by the interface for programs, in words', async () => {
    const asked = { scope: 'people:read', resource: resourceOf(hemma) };
    const { json } = await machineAsks(await prover.prove('POST', token(), { nonce }), asked);
    expect(json['token_type']).toBe('DPoP');
    const access = String(json['access_token']);
    const answer = await call(hemma, '/people', { token: access });
    expect([answer.status, isProblem(answer, 'invalid-token')]).toEqual([401, true]);
    expect(answer.headers['www-authenticate']).toContain('bound to a key (DPoP) are not taken here');
    const proof = await prover.prove('GET', hemma.url('/api/people'), { nonce, ...prover.for(access) });
    const headers = { authorization: `DPoP ${access}`, dpop: proof };
    expect((await call(hemma, '/people', { headers })).status).toBe(401);
  });
});

describe('scripts of an application', () => {
  test('read the nonce and the challenge across origins', async () => {
    const origin = new URL(page.redirectUri).origin;
    const proof = await prover.prove('POST', token());
    const asked = await post(token(), { ...grant, client_id: page.clientId }, { origin, dpop: proof });
    expect(asked.headers['access-control-allow-origin']).toBe(origin);
    expect(asked.headers['access-control-expose-headers']).toContain('DPoP-Nonce');
    const { access } = await tokensFor(page);
    const me = await get(hemma.url('/me'), {
      origin,
      authorization: `DPoP ${access}`,
      dpop: await prover.prove('GET', hemma.url('/me'), prover.for(access)),
    });
    expect(me).toMatchObject({ status: 401, json: { error: 'use_dpop_nonce' } });
    expect(me.headers['access-control-expose-headers']).toMatch(/DPoP-Nonce.*WWW-Authenticate/);
  });
});
