/** Two-step verification is on, and a thief has the password: nothing can be changed with it (T15, T16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { deeds, tryEveryPage } from './every-page.ts';
import { deedUrl, gotIn, newPerson, pageOf, type Person, proveBoth, provePassword } from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

describe('T16 two-step verification is on, and the thief has the password', () => {
  let victim: Person;
  let own: Person;
  beforeAll(async () => {
    victim = await newPerson(hemma, party, 'offer@example.com');
    own = await newPerson(hemma, party, 'tjuv@example.com');
  });

  test.each(deeds)(
    'the link for %s stops at the six digits, whatever is sent to whatever page',
    async (deed) => {
      const thief = newVisitor();
      expect((await provePassword(thief, deedUrl(hemma, deed), victim.email)).step).toBe('totp');
      await tryEveryPage(thief, own, ['totp', 'problem']);
    },
  );

  test('T15 the half sign-in is nobody on the account pages', async () => {
    const thief = newVisitor();
    await provePassword(thief, (await party.begin()).url, victim.email);
    for (const path of ['/account', '/account/data', '/account/sessions', '/account/language']) {
      await thief.visit(hemma.url(path));
      expect(['password', 'problem']).toContain(thief.screen.step);
      expect(thief.screen.text).not.toContain(victim.email);
    }
  });

  test('a browser that is remembered stands in for the six digits of no deed', async () => {
    const owner = await newPerson(hemma, party, 'minns@example.com');
    const fresh = newVisitor();
    await provePassword(fresh, (await party.begin()).url, owner.email);
    await fresh.submit({ code: sixDigits(owner.key, { step: 1 }), rememberDevice: 'yes' });
    expect(gotIn(fresh)).toBe(true);
    const thief = newVisitor({ stolen: fresh.cookies.all().filter(({ name }) => name.includes('device')) });
    await provePassword(thief, (await party.begin()).url, owner.email);
    expect(gotIn(thief)).toBe(true);
    for (const deed of deeds) {
      await provePassword(thief, deedUrl(hemma, deed), owner.email);
      expect([deed, thief.screen.step]).toEqual([deed, 'totp']);
      await thief.visit(pageOf(thief, 'confirm'));
      expect([deed, thief.screen.step]).toEqual([deed, 'totp']);
    }
  });

  test('afterwards the password, the phone, the code and the address are still the owner’s', async () => {
    const owner = newVisitor();
    await proveBoth(owner, deedUrl(hemma, 'check_recovery_code'), victim);
    await owner.submit({ code: victim.recoveryCode }, 'choice=do');
    expect(owner.screen.url.pathname).toBe('/account');
    expect(owner.screen.text).toContain(victim.email);
  });
});
