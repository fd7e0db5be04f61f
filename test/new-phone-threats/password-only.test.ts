/** Two-step verification is on, and a thief has the password: whatever is asked for, it opens nothing (T15, T16). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { basicOf, post } from '../protocol/requests.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { signInFirst } from '../rig/ceremony.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { deeds, tryEveryPage } from './every-page.ts';
import {
  deedUrl,
  gotIn,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  provePassword,
  tokenOn,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;
let stranger: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  stranger = await startRelyingParty({ hemma, description: { name: 'Lön', firstParty: false } });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await stranger.stop();
  await hemma.stop();
});

describe('SECURITY 49, T16 two-step verification is on, and the thief has the password', () => {
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

  test('SECURITY 2, T15 the half sign-in is nobody on the account pages, to applications and to programs', async () => {
    const thief = newVisitor();
    await provePassword(thief, (await party.begin()).url, victim.email);
    const half = thief.screen;
    const token = tokenOn(thief);
    for (const path of ['/account', '/account/data', '/account/sessions', '/account/language']) {
      await thief.visit(hemma.url(path));
      expect(['password', 'problem']).toContain(thief.screen.step);
      expect(thief.screen.text).not.toContain(victim.email);
    }
    for (const form of [{ locale: 'en' }, { download: 'yes' }, { endOtherSessions: 'yes' }]) {
      thief.backTo(half);
      await thief.post(hemma.url('/account'), { token, ...form });
      expect([form, thief.screen.step]).toEqual([form, 'password']);
    }
    await thief.visit((await party.begin({ prompt: 'none' })).url);
    expect(thief.screen.url.searchParams.get('error')).toBe('login_required');
    expect((await thief.request(hemma.url('/me'))).status).toBe(401);
  });

  test('SECURITY 11, 54 a browser that is remembered stands in for the six digits of no deed', async () => {
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

const asking =
  (parameters: Record<string, string>, whom = () => party) =>
  async (browser: Visitor) =>
    browser.visit((await whom().begin(parameters)).url);

const level1 = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:hemma:1' } } });

/** Every way to a sign-in, with every wish that might talk the provider out of the second factor. */
const ways: Record<string, (browser: Visitor) => Promise<unknown>> = {
  'an application that asks for nothing': asking({}),
  'prompt=login': asking({ prompt: 'login' }),
  'prompt=consent': asking({ prompt: 'consent' }),
  'max_age=0': asking({ max_age: '0' }),
  'a long max_age': asking({ max_age: '100000000' }),
  'acr_values of level 1': asking({ acr_values: 'urn:hemma:1' }),
  'acr_values of nobody': asking({ acr_values: 'urn:mace:none 0' }),
  'an essential acr of level 1': asking({ claims: level1 }),
  'response_mode=form_post': asking({ response_mode: 'form_post' }),
  'an application of somebody else': asking({}, () => stranger),
  'a step-up': (browser) => browser.visit(deedUrl(hemma, 'step_up')),
  'My details': (browser) => browser.visit(hemma.url('/account')),
  async 'a request that is a form'(browser) {
    const { url } = await party.begin();
    await browser.post(hemma.url('/auth'), Object.fromEntries(new URL(url).searchParams));
  },
  async 'a pushed request'(browser) {
    const fields = Object.fromEntries(new URL((await party.begin()).url).searchParams);
    const { json } = await post(hemma.url('/request'), fields, basicOf(party));
    const query = { client_id: party.clientId, request_uri: String(json['request_uri']) };
    await browser.visit(hemma.url(`/auth?${new URLSearchParams(query).toString()}`));
  },
};

describe('SECURITY 3, 4, 5 every way to a sign-in asks for the second factor', () => {
  const people: Pick<Person, 'email' | 'key'>[] = [];
  let turn = 0;
  beforeAll(async () => {
    const email = 'frivillig@example.com';
    await hemma.account({ email, twoStepRequired: false });
    const { url } = await party.begin({ acr_values: 'urn:hemma:2' });
    people.push(await newPerson(hemma, party, 'maste@example.com'));
    people.push({ email, ...(await signInFirst(newVisitor(), url, email)) });
  });

  async function stopsAtTheDigits(browser: Visitor, way: string, email: string): Promise<void> {
    await ways[way]?.(browser);
    expect([email, browser.screen.step]).toEqual([email, 'password']);
    await browser.submit({ email, password: PASSWORD });
    expect([email, browser.screen.step]).toEqual([email, 'totp']);
    const { screen } = browser;
    await browser.visit((await party.begin({ prompt: 'none' })).url);
    expect(browser.screen.url.searchParams.get('error')).toBe('login_required');
    browser.backTo(screen);
  }

  test.each(Object.keys(ways))('%s', async (way) => {
    for (const { email, key } of people) {
      const browser = newVisitor();
      await stopsAtTheDigits(browser, way, email);
      // The clock is put back after each test, and digits work once.
      nextStep((turn += 1));
      await browser.submit({ code: sixDigits(key) });
      expect([email, browser.screen.status, browser.screen.step === 'totp']).toEqual([email, 200, false]);
    }
  });

  test('also while the phone is switched off after too many wrong digits', async () => {
    const email = people[1]?.email ?? '';
    await hemma.db.query(
      'UPDATE authenticators SET disabled_at = $2 FROM accounts WHERE accounts.id = account_id AND email = $1',
      [email, new Date()],
    );
    for (const way of Object.keys(ways)) await stopsAtTheDigits(newVisitor(), way, email);
  });
});
