/** T30: every application of a session is told of its end by a signed token of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person, type SignedIn } from './people.ts';

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
  test('SECURITY 75, T30 tells every application by a signed token of its own', async () => {
    const before = { autopay: autopay.logoutTokens.length, lon: lon.logoutTokens.length };
    const at = Math.floor(Date.now() / 1000);
    await signOut();
    for (const [party, first, count] of [
      [autopay, there, before.autopay],
      [lon, elsewhere, before.lon],
    ] as const) {
      const alg = party.description.signingAlg;
      const [token = '', ...more] = await party.told(1, count);
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
      // §2.4 and nothing else; `sub` and `sid` both, so that an application may go by either.
      expect(Object.keys(payload).toSorted()).toEqual([
        'aud',
        'events',
        'exp',
        'iat',
        'iss',
        'jti',
        'sid',
        'sub',
      ]);
      expect(payload).not.toHaveProperty('nonce');
      expect(payload.iat).toBeGreaterThanOrEqual(at);
      expect((payload.exp ?? Infinity) - (payload.iat ?? 0)).toBeLessThanOrEqual(120);
    }
  });
});
