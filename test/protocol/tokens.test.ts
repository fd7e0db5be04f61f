/** Userinfo, introspection and revocation: who may ask what about which token. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basic, basicOf, get, post, type Told } from './requests.ts';

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

const newcomer = () => newPerson(hemma, { twoStep: false });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const me = (token: string) => get(hemma.url('/me'), bearer(token));
type Hint = { token_type_hint?: string };
const introspect = (party: RelyingParty, token: string, hint: Hint = {}) =>
  post(hemma.url('/token/introspection'), { token, ...hint }, basicOf(party));
const revoke = (party: RelyingParty, token: string, hint: Hint = {}) =>
  post(hemma.url('/token/revocation'), { token, ...hint }, basicOf(party));
/** The right one, the wrong one, and one that nobody knows: a hint only says where to look first. */
const hints: Hint[] = ['access_token', 'refresh_token', 'x'].map((token_type_hint) => ({
  token_type_hint,
}));

async function offline(person: Person) {
  const asked = { scope: 'openid profile email offline_access', prompt: 'consent' };
  const { tokens } = await person.signInTo(autopay, asked);
  return { access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
}

describe('userinfo', () => {
  test('is the same by GET, by POST with the header and by POST with the form', async () => {
    const person = await newcomer();
    const { tokens } = await person.signInTo(autopay);
    const token = tokens.access_token;
    const answers: Told[] = [
      await me(token),
      await post(hemma.url('/me'), {}, bearer(token)),
      await post(hemma.url('/me'), { access_token: token }),
    ];
    for (const { status, json } of answers) {
      expect(status).toBe(200);
      expect(json).toEqual({
        sub: person.account.id,
        name: person.account.name,
        email: person.account.email,
        email_verified: true,
      });
    }
    expect(await autopay.userinfo(token, person.account.id)).toMatchObject({ sub: person.account.id });
  });

  test('holds what the scope allows and no more', async () => {
    const { tokens } = await (await newcomer()).signInTo(autopay, { scope: 'openid email' });
    expect(Object.keys((await me(tokens.access_token)).json).sort()).toEqual([
      'email',
      'email_verified',
      'sub',
    ]);
    const { tokens: bare } = await (await newcomer()).signInTo(autopay, { scope: 'openid' });
    expect(Object.keys((await me(bare.access_token)).json)).toEqual(['sub']);
  });

  test('SECURITY 72 refuses a token that is cut, lengthened, expired, an ID token, in the query or sent twice', async () => {
    const { tokens } = await (await newcomer()).signInTo(autopay);
    const token = tokens.access_token;
    for (const wrong of [token.slice(0, -1), `${token}A`, 'made-up', tokens.id_token ?? '']) {
      const answer = await me(wrong);
      expect(answer).toMatchObject({ status: 401, json: { error: 'invalid_token' } });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
    }
    expect((await get(hemma.url(`/me?access_token=${token}`))).status).toBe(400);
    expect((await post(hemma.url('/me'), { access_token: token }, bearer(token))).status).toBe(400);
    travel(minutes(59));
    expect((await me(token)).status).toBe(200);
    travel(minutes(2));
    expect((await me(token)).status).toBe(401);
  });
});

describe('introspection', () => {
  test('tells an application about its own tokens', async () => {
    const person = await newcomer();
    const { access, refresh } = await offline(person);
    for (const token of [access, refresh])
      expect(await introspect(autopay, token)).toMatchObject({
        status: 200,
        json: { active: true, sub: person.account.id, client_id: autopay.clientId, iss: hemma.issuer },
      });
  });

  test('says of what kind a token is and how long it lives, whatever the hint', async () => {
    const { access, refresh } = await offline(await newcomer());
    const now = Math.floor(Date.now() / 1000);
    for (const hint of hints) {
      const { json } = await introspect(autopay, access, hint);
      expect(json).toMatchObject({ active: true, token_type: 'Bearer', scope: expect.any(String) });
      expect(Number(json['exp']) - now).toBeLessThanOrEqual(3600);
      expect(json).not.toHaveProperty('cnf');
      const renewing = (await introspect(autopay, refresh, hint)).json;
      expect(renewing).toMatchObject({ active: true });
      expect(renewing).not.toHaveProperty('token_type');
    }
  });

  test('SECURITY 72 tells nothing about the tokens of others, or about what is no token', async () => {
    const { access, refresh } = await offline(await newcomer());
    for (const token of [access, refresh, access.slice(0, -1), `${access}A`, 'made-up'])
      expect((await introspect(lon, token)).json).toEqual({ active: false });
    for (const token of [access, refresh])
      for (const wrong of [token.slice(0, -1), `${token}A`, token.toLowerCase()])
        expect((await introspect(autopay, wrong)).json).toEqual({ active: false });
  });

  test('asks for the secret, and answers no application that has none', async () => {
    const { tokens } = await (await newcomer()).signInTo(page);
    const endpoint = hemma.url('/token/introspection');
    const own = await post(endpoint, { token: tokens.access_token, client_id: page.clientId });
    expect(own.json['active'] ?? false).toBe(false);
    expect((await post(endpoint, { token: tokens.access_token })).status).toBe(400);
    const wrong = await post(endpoint, { token: tokens.access_token }, basic(autopay.clientId, 'wrong'));
    expect(wrong).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
  });
});

describe('revocation', () => {
  test('ends a refresh token and what came of it', async () => {
    const { access, refresh } = await offline(await newcomer());
    expect((await revoke(autopay, refresh)).status).toBe(200);
    for (const token of [access, refresh])
      expect((await introspect(autopay, token)).json).toEqual({ active: false });
    expect((await me(access)).status).toBe(401);
    const use = { grant_type: 'refresh_token', refresh_token: refresh };
    expect(await post(hemma.url('/token'), use, basicOf(autopay))).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant' },
    });
  });

  test('ends an access token', async () => {
    const { access } = await offline(await newcomer());
    expect((await revoke(autopay, access)).status).toBe(200);
    expect((await me(access)).status).toBe(401);
  });

  test('finds a token of either kind whatever the hint, and one that was cut never', async () => {
    for (const hint of hints) {
      const { access, refresh } = await offline(await newcomer());
      for (const wrong of [refresh.slice(0, -1), `${access}A`])
        expect((await revoke(autopay, wrong, hint)).status).toBe(200);
      expect((await introspect(autopay, access)).json).toMatchObject({ active: true });
      expect((await revoke(autopay, access, hint)).status).toBe(200);
      expect((await introspect(autopay, access)).json).toEqual({ active: false });
      // What came of the same yes ends with it, and a second time is no fault.
      expect((await introspect(autopay, refresh)).json).toEqual({ active: false });
      expect((await revoke(autopay, refresh, hint)).status).toBe(200);
    }
  });

  test('says yes to what is no token, and leaves the tokens of others alone (RFC 7009 §2.1, §2.2)', async () => {
    const { access, refresh } = await offline(await newcomer());
    expect((await revoke(autopay, 'made-up')).status).toBe(200);
    for (const token of [access, refresh]) await revoke(lon, token);
    expect((await me(access)).status).toBe(200);
    expect((await introspect(autopay, refresh)).json).toMatchObject({ active: true });
  });

  test('SECURITY 71 never says yes when the database could not do it', async () => {
    const { access } = await offline(await newcomer());
    await hemma.db.query('ALTER TABLE oidc_records RENAME TO away');
    let answer: Told;
    try {
      answer = await revoke(autopay, access);
    } finally {
      await hemma.db.query('ALTER TABLE away RENAME TO oidc_records');
    }
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.body).not.toMatch(/oidc_records|relation|\bat .+:\d+/);
    expect((await me(access)).status).toBe(200);
  });
});

test.each(['/token', '/token/introspection', '/token/revocation', '/request', '/me', '/api/people'])(
  'SECURITY 76 an Authorization header that is none is refused at %s, and nothing fails',
  async (path) => {
    const odd = ['', ' ', 'Basic', 'Bearer', 'DPoP', 'Basic ', 'Bearer  x', 'Bearer x y', 'Basic Og==', 'x'];
    const worse = [
      'Basic %%%',
      'Basic \u00ff\u00fe',
      'Bearer \u00e5',
      `Bearer ${'x'.repeat(9000)}`,
      'Basic 4pyT',
    ];
    const most = [
      'Digest username="x"',
      'Negotiate x',
      'Bearer null',
      'Basic OjpA',
      ',',
      '=',
      'Basic, Bearer',
    ];
    for (const authorization of [...odd, ...worse, ...most]) {
      const fields = { grant_type: 'client_credentials', token: 'x' };
      const answer = await post(hemma.url(path), fields, { authorization });
      expect([authorization, [400, 401, 405].includes(answer.status)]).toEqual([authorization, true]);
    }
    expect((await get(hemma.url('/health/live'))).status).toBe(200);
  },
);
