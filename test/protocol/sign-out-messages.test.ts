/** T30: every application of a session is told of its end by a signed token of its own. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person, type SignedIn } from './people.ts';
import { broughtBack } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
let person: Person;
let there: SignedIn;
let elsewhere: SignedIn;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  lon = await startRelyingParty({ hemma, description: { name: 'Lön', signingAlg: 'ES256' } });
});
beforeEach(async () => {
  person = await newPerson(hemma, { twoStep: false });
  there = await person.signInTo(autopay);
  elsewhere = await person.signInTo(lon);
});
afterAll(async () => {
  await Promise.all([autopay.stop(), lon.stop()]);
  await hemma.stop();
});

async function signOut() {
  await person.visitor.visit(hemma.url('/session/end'));
  return person.visitor.submit({}, 'logout=yes');
}

describe('a sign-out message', () => {
  test('T30 tells every application by a signed token of its own', async () => {
    const before = { autopay: autopay.logoutTokens.length, lon: lon.logoutTokens.length };
    const at = Math.floor(Date.now() / 1000);
    await signOut();
    for (const [party, first, count] of [
      [autopay, there, before.autopay],
      [lon, elsewhere, before.lon],
    ] as const) {
      const alg = party.description.signingAlg;
      for (let wait = 0; wait < 100 && party.logoutTokens.length === count; wait++)
        await new Promise((done) => setTimeout(done, 50));
      const [token = '', ...more] = party.logoutTokens.slice(count);
      expect(more).toEqual([]);
      const { payload, protectedHeader } = await party.verify<JWTPayload & { sid: string; events: object }>(
        token,
      );
      expect(protectedHeader).toMatchObject({ typ: 'logout+jwt', alg });
      expect(payload).toMatchObject({
        sub: person.account.id,
        sid: first.claims.sid,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        jti: expect.stringMatching(/./),
      });
      expect(payload).not.toHaveProperty('nonce');
      expect(payload.iat).toBeGreaterThanOrEqual(at);
      expect((payload.exp ?? Infinity) - (payload.iat ?? 0)).toBeLessThanOrEqual(120);
    }
  });

  test('T30 signing out is not held up by applications that are gone or never answer', async () => {
    const gone = await startRelyingParty({ hemma, description: { name: 'Gone' } });
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const backchannelLogoutUri = `http://localhost:${(silent.address() as AddressInfo).port}/`;
    const mute = await startRelyingParty({ hemma, description: { name: 'Mute', backchannelLogoutUri } });
    await person.signInTo(gone);
    await person.signInTo(mute);
    await gone.stop();
    const before = autopay.logoutTokens.length;
    const started = performance.now();
    expect((await signOut()).step).toBe('signed-out');
    expect(performance.now() - started).toBeLessThan(5000);
    const after = await person.visitor.visit((await autopay.begin({ prompt: 'none' })).url);
    expect(broughtBack(after.url)['error']).toBe('login_required');
    expect(autopay.logoutTokens).toHaveLength(before + 1);
    silent.close();
    await mute.stop();
  });
});
