/** T26 and T27: a code is good once, for sixty seconds, for its own application and its own browser. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { back, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type Begun, type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
let page: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  lon = await startRelyingParty({ hemma });
  page = await startRelyingParty({ hemma, description: { type: 'single-page' } });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([autopay, lon, page].map((party) => party.stop()));
  await hemma.stop();
});

interface Coded {
  person: Person;
  begun: Begun;
  code: string;
}

async function codeFor(party: RelyingParty, parameters: Record<string, string> = {}): Promise<Coded> {
  const person = await newPerson(hemma, { twoStep: false });
  const begun = await party.begin(parameters);
  const { url } = await person.signIn(begun.url);
  return { person, begun, code: url.searchParams.get('code') ?? '' };
}

/** Presents a code as `party`; a field of `more` that is empty is left out. */
function redeem(party: RelyingParty, { begun, code }: Coded, more: Record<string, string> = {}) {
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: party.redirectUri,
    code_verifier: begun.verifier,
    ...(party.clientSecret ? {} : { client_id: party.clientId }),
    ...more,
  };
  const sent = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  return post(hemma.url('/token'), sent, party.clientSecret ? basicOf(party) : {});
}

const refused = { status: 400, json: { error: 'invalid_grant' } };
const me = (token: unknown) => get(hemma.url('/me'), { authorization: `Bearer ${String(token)}` });

describe('a code', () => {
  test('SECURITY 67, T27 presented a second time is refused, and the tokens of the first time are revoked', async () => {
    const coded = await codeFor(autopay, { scope: 'openid offline_access', prompt: 'consent' });
    const { status, json } = await redeem(autopay, coded);
    expect(status).toBe(200);
    expect((await me(json['access_token'])).status).toBe(200);
    expect(await redeem(autopay, coded)).toMatchObject(refused);
    expect((await me(json['access_token'])).status).toBe(401);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) };
    expect(await post(hemma.url('/token'), refresh, basicOf(autopay))).toMatchObject(refused);
  });

  test('SECURITY 67, T27 presented again after its minute is told as used, and takes the tokens of the first time along', async () => {
    const coded = await codeFor(autopay, { scope: 'openid offline_access', prompt: 'consent' });
    const { json } = await redeem(autopay, coded);
    const reuses = async () =>
      (await hemma.db.query("SELECT 1 FROM audit WHERE event = 'token.reused'")).count;
    const before = await reuses();
    travel(seconds(65));
    // Whoever has not what the code is bound to ends nothing with it.
    const guess = client.randomPKCECodeVerifier();
    expect(await redeem(autopay, coded, { code_verifier: guess })).toMatchObject(refused);
    expect((await me(json['access_token'])).status).toBe(200);
    expect(await redeem(autopay, coded)).toMatchObject(refused);
    expect((await me(json['access_token'])).status).toBe(401);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) };
    expect(await post(hemma.url('/token'), refresh, basicOf(autopay))).toMatchObject(refused);
    expect(await reuses()).toBe(before + 1);
  });

  test('T27 lives sixty seconds', async () => {
    const [early, late] = [await codeFor(autopay), await codeFor(autopay)];
    travel(seconds(50));
    expect((await redeem(autopay, early)).status).toBe(200);
    travel(seconds(15));
    expect(await redeem(autopay, late)).toMatchObject(refused);
  });

  test('T27 that came late ends nothing of what the person has meanwhile', async () => {
    const late = await codeFor(autopay);
    travel(seconds(65));
    const { tokens } = await late.person.signInTo(autopay);
    expect(await redeem(autopay, late)).toMatchObject(refused);
    expect((await me(tokens.access_token)).status).toBe(200);
  });

  test.each(['web', 'single-page'])(
    'SECURITY 65, T26 of another application is refused (%s)',
    async (type) => {
      const own = type === 'web' ? autopay : page;
      const coded = await codeFor(own);
      expect(await redeem(lon, coded, { redirect_uri: own.redirectUri })).toMatchObject(refused);
      expect(await redeem(lon, coded)).toMatchObject(refused);
    },
  );

  test('T26 is refused with another redirect_uri than it was sent to, or with none', async () => {
    const coded = await codeFor(autopay);
    expect(await redeem(autopay, coded, { redirect_uri: `${autopay.redirectUri}/` })).toMatchObject(refused);
    const other = await codeFor(autopay);
    expect((await redeem(autopay, other, { redirect_uri: '' })).status).toBe(400);
  });

  test('SECURITY 72, T26 cut by a letter, lengthened by one, made up or empty is refused', async () => {
    const coded = await codeFor(autopay);
    for (const code of [coded.code.slice(0, -1), `${coded.code}A`, 'made-up', coded.code.toLowerCase()])
      expect(await redeem(autopay, { ...coded, code })).toMatchObject(refused);
    expect((await redeem(autopay, coded, { code: '' })).status).toBe(400);
    expect((await redeem(autopay, coded)).status).toBe(200);
  });
});

describe.each(['web', 'single-page'])('PKCE of a %s application', (type) => {
  const party = () => (type === 'web' ? autopay : page);

  test.each([
    ['none', ''],
    ['another', client.randomPKCECodeVerifier()],
    ['a short', 'x'.repeat(42)],
    ['a too long', 'x'.repeat(129)],
    ['an odd', 'å'.repeat(50)],
  ])('T26 refuses the code with %s verifier', async (_which, code_verifier) => {
    const answer = await redeem(party(), await codeFor(party()), { code_verifier });
    expect(answer.status).toBe(400);
    expect(['invalid_grant', 'invalid_request']).toContain(answer.json['error']);
    expect(answer.json).not.toHaveProperty('access_token');
  });

  test('T26 refuses the challenge in place of the verifier', async () => {
    const coded = await codeFor(party());
    const challenge = await client.calculatePKCECodeChallenge(coded.begun.verifier);
    expect(await redeem(party(), coded, { code_verifier: challenge })).toMatchObject(refused);
  });

  test.each([
    ['without a challenge', { code_challenge: null, code_challenge_method: null }],
    ['with a method alone', { code_challenge: null }],
    ['with plain', { code_challenge_method: 'plain' }],
    ['with no method, which means plain', { code_challenge_method: null }],
    ['with an unknown method', { code_challenge_method: 'S512' }],
    ['with a short challenge', { code_challenge: 'x'.repeat(42) }],
    ['with an odd challenge', { code_challenge: '!'.repeat(43) }],
    ['with an empty challenge', { code_challenge: '' }],
  ])('SECURITY 69, T26 refuses a request %s', async (_how, parameters) => {
    const { url, state } = await party().begin(parameters);
    const { status, headers } = await get(url);
    expect(status).toBe(303);
    const answer = broughtBack(new URL(headers.location ?? ''));
    expect(answer).toMatchObject({ error: 'invalid_request', state, iss: hemma.issuer });
    expect(answer).not.toHaveProperty('code');
  });
});
