/** Lifetimes that an application chose: shorter than everybody's, and never longer. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { addSecret } from '../../src/clients/secrets.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';
import { basic, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let quick: RelyingParty;
let usual: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  const lifetimes = { accessToken: 120, idToken: 180, refreshToken: 3600, session: 600 };
  const scopes = ['profile', 'email', 'offline_access'] as const;
  quick = await startRelyingParty({ hemma, description: { lifetimes, scopes: [...scopes] } });
  usual = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([quick.stop(), usual.stop()]);
  await hemma.stop();
});

const newcomer = () => newPerson(hemma, { twoStep: false });
const offline = { scope: 'openid offline_access', prompt: 'consent' };

describe('an application with lifetimes of its own', () => {
  test('gets access and ID tokens that live as long as it chose; another one gets the usual', async () => {
    const person = await newcomer();
    const { tokens, claims } = await person.signInTo(quick);
    expect(tokens.expires_in).toBe(120);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(180);
    const me = () => get(hemma.url('/me'), { authorization: `Bearer ${tokens.access_token}` });
    expect((await me()).status).toBe(200);
    // The library's leeway for clocks that differ comes on top.
    travel(seconds(150));
    expect((await me()).status).toBe(401);
    back();
    const other = await person.signInTo(usual);
    expect(other.tokens.expires_in).toBe(3600);
    expect((other.claims.exp ?? 0) - (other.claims.iat ?? 0)).toBe(3600);
  });

  test('renews for as long as it chose, counted from the sign-in and not from the last renewal', async () => {
    const person = await newcomer();
    const { tokens } = await person.signInTo(quick, offline);
    travel(minutes(30));
    const renewed = await quick.refresh(tokens.refresh_token ?? '');
    expect(decodeJwt(renewed.id_token ?? '').sub).toBe(person.account.id);
    travel(minutes(29));
    const again = await quick.refresh(renewed.refresh_token ?? '');
    travel(minutes(2));
    await expect(quick.refresh(again.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('lets nobody in by a sign-in that is older than it allows, while others still do', async () => {
    const person = await newcomer();
    const first = await person.signInTo(quick);
    travel(minutes(9));
    await person.signInTo(quick);
    expect(person.steps).toEqual([]);
    travel(minutes(2));
    await person.signInTo(usual);
    expect(person.steps).toEqual([]);
    const silent = await quick.begin({ prompt: 'none' });
    expect(broughtBack((await person.visitor.visit(silent.url)).url)['error']).toBe('login_required');
    const again = await person.signInTo(quick);
    expect(person.steps).toEqual(['password']);
    expect(again.claims.auth_time).toBeGreaterThan(first.claims.auth_time ?? 0);
    await person.signInTo(quick);
    expect(person.steps).toEqual([]);
  });

  test('a service gets tokens for as long as it chose, and at most ten minutes', async () => {
    for (const [id, lifetimes, lives] of [
      ['brief', { accessToken: 60 }, 60],
      ['usual', {}, 600],
    ] as const) {
      const service = clientSchema.parse({ id, name: id, type: 'service', lifetimes });
      await applyClient(hemma.db, service);
      const secret = (await addSecret(hemma.db, id, 'test')) ?? '';
      const answer = await post(hemma.url('/token'), { grant_type: 'client_credentials' }, basic(id, secret));
      expect(answer).toMatchObject({ status: 200, json: { expires_in: lives } });
    }
  });
});
