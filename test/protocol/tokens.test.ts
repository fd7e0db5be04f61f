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
const introspect = (party: RelyingParty, token: string) =>
  post(hemma.url('/token/introspection'), { token }, basicOf(party));
const revoke = (party: RelyingParty, token: string) =>
  post(hemma.url('/token/revocation'), { token }, basicOf(party));

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

  test('refuses a token that is cut, lengthened, expired, an ID token, in the query or sent twice', async () => {
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

  test('tells nothing about the tokens of others, or about what is no token', async () => {
    const { access, refresh } = await offline(await newcomer());
    for (const token of [access, refresh, access.slice(0, -1), `${access}A`, 'made-up'])
      expect((await introspect(lon, token)).json).toEqual({ active: false });
    expect((await introspect(autopay, access.slice(0, -1))).json).toEqual({ active: false });
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

  test('says yes to what is no token, and leaves the tokens of others alone (RFC 7009 §2.1, §2.2)', async () => {
    const { access, refresh } = await offline(await newcomer());
    expect((await revoke(autopay, 'made-up')).status).toBe(200);
    for (const token of [access, refresh]) await revoke(lon, token);
    expect((await me(access)).status).toBe(200);
    expect((await introspect(autopay, refresh)).json).toMatchObject({ active: true });
  });

  test('never says yes when the database could not do it', async () => {
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
