/** T28: refresh tokens are rotated, a used one ends its family, and a family ends on its day. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { ClientDescription } from '../../src/clients/schema.ts';
import { back, days, hours, minutes, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basicOf, get, post } from './requests.ts';

let hemma: Hemma;
let web: RelyingParty;
let page: RelyingParty;
let other: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  const description: Partial<ClientDescription> = { scopes: ['profile', 'email', 'offline_access'] };
  web = await startRelyingParty({ hemma, description });
  other = await startRelyingParty({ hemma, description });
  page = await startRelyingParty({ hemma, description: { ...description, type: 'single-page' } });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([web, page, other].map((party) => party.stop()));
  await hemma.stop();
});

const offline = { scope: 'openid profile offline_access', prompt: 'consent' };

async function startFamily(party: RelyingParty, person?: Person) {
  const who = person ?? (await newPerson(hemma, { twoStep: false }));
  const signedIn = await who.signInTo(party, offline);
  return { who, ...signedIn, refresh: signedIn.tokens.refresh_token ?? '' };
}

const use = (party: RelyingParty, refresh_token: string, more: Record<string, string> = {}) =>
  post(
    hemma.url('/token'),
    {
      grant_type: 'refresh_token',
      refresh_token,
      ...(party.clientSecret ? {} : { client_id: party.clientId }),
      ...more,
    },
    party.clientSecret ? basicOf(party) : {},
  );
const next = (answer: { json: Record<string, unknown> }) => String(answer.json['refresh_token']);
const refused = { status: 400, json: { error: 'invalid_grant' } };
const me = (token: unknown) => get(hemma.url('/me'), { authorization: `Bearer ${String(token)}` });

describe.each(['web', 'single-page'])('a %s application', (type) => {
  const party = () => (type === 'web' ? web : page);

  test('gets a refresh token only with offline_access and the yes of the person', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    const { screen, tokens } = await person.signInTo(party(), { scope: 'openid offline_access' });
    expect(screen.step).toBe('back');
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens.scope).toBe('openid');
    const { tokens: asked } = await person.signInTo(party(), offline);
    expect(person.steps).toEqual(['consent']);
    expect(asked.refresh_token).toEqual(expect.any(String));
  });

  test('T28 each use gives another token, with the acr, amr, auth_time and sid of the sign-in', async () => {
    const { refresh, claims } = await startFamily(party());
    travel(minutes(30));
    const answer = await use(party(), refresh);
    expect(answer.status).toBe(200);
    expect(next(answer)).not.toBe(refresh);
    const { acr, amr, auth_time, sid, sub } = claims;
    expect(decodeJwt(String(answer.json['id_token']))).toMatchObject({ acr, amr, auth_time, sid, sub });
    const { payload } = await party().verify(String(answer.json['id_token']));
    expect(payload.nonce === undefined || payload.nonce === claims['nonce']).toBe(true);
    expect((await me(answer.json['access_token'])).status).toBe(200);
  });

  test('SECURITY 67, T28 a token used before ends the whole family, access tokens too', async () => {
    const { refresh } = await startFamily(party());
    const second = await use(party(), refresh);
    const third = await use(party(), next(second));
    expect(await use(party(), refresh)).toMatchObject(refused);
    expect(await use(party(), next(third))).toMatchObject(refused);
    for (const { json } of [second, third]) expect((await me(json['access_token'])).status).toBe(401);
  });

  test('T28 a family ends thirty days after its sign-in, however often it was used', async () => {
    let { refresh } = await startFamily(party());
    for (let day = 0; day < 29; day += 7) {
      const answer = await use(party(), refresh);
      expect(answer.status).toBe(200);
      refresh = next(answer);
      travel(days(7));
    }
    expect(await use(party(), refresh)).toMatchObject(refused);
  });

  test('SECURITY 65, T26 a refresh token of another application is refused and goes on working for its own', async () => {
    const { refresh } = await startFamily(party());
    expect(await use(other, refresh)).toMatchObject(refused);
    expect((await use(party(), refresh)).status).toBe(200);
  });
});

describe('a refresh token', () => {
  test('gives less where less is asked and never more', async () => {
    const { refresh } = await startFamily(web);
    const less = await use(web, refresh, { scope: 'openid' });
    expect(less).toMatchObject({ status: 200, json: { scope: 'openid' } });
    const more = await use(web, next(less), { scope: 'openid email' });
    expect(more).toMatchObject({ status: 400, json: { error: 'invalid_scope' } });
  });

  test('SECURITY 72 cut by a letter, lengthened by one or made up is refused, and an access token is none', async () => {
    const { refresh, tokens } = await startFamily(web);
    for (const wrong of [refresh.slice(0, -1), `${refresh}A`, 'made-up', tokens.access_token])
      expect(await use(web, wrong)).toMatchObject(refused);
    expect((await use(web, refresh)).status).toBe(200);
  });

  test('goes on after the session ran idle, since the person said so', async () => {
    const { refresh } = await startFamily(web);
    travel(hours(20));
    expect((await use(web, refresh)).status).toBe(200);
  });

  test('SECURITY 68, T28 that was used is refused by another process too, as after a restart', async () => {
    const { refresh } = await startFamily(web);
    const latest = await use(web, refresh);
    const second = await startHemma({ beside: hemma.env });
    const there = (token: string) =>
      exchange(new URL(`http://127.0.0.1:${second.port}/token`), {
        method: 'POST',
        headers: {
          host: new URL(hemma.issuer).host,
          'content-type': 'application/x-www-form-urlencoded',
          ...basicOf(web),
        },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString(),
      });
    try {
      expect((await there(refresh)).status).toBe(400);
      expect((await there(next(latest))).status).toBe(400);
    } finally {
      await second.stop();
    }
  });
});
