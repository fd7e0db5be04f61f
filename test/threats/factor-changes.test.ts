/**
 * A user adds, replaces or removes a factor while others are signed in, or half-way, with the password alone
 * (ASVS 7.4.3, R50). Longer than usual: one provider serves all of it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { deskAt } from '../help-desk/desk.ts';
import { sendAndHold } from '../new-phone-threats/held.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  type Person,
  proveBoth,
  provePassword,
  standsAt,
} from '../new-phone-threats/people.ts';
import { newDevice, type } from '../protocol/devices.ts';
import { at, signInFirst } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

const deadline = 180_000;

let hemma: Hemma;
let party: RelyingParty;
/** Renews tokens without a session, asks for consent, and signs devices in. */
let offline: RelyingParty;
/** Requires MFA. */
let strict: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  offline = await startRelyingParty({
    hemma,
    description: {
      name: 'Tv:n',
      firstParty: false,
      consent: 'remembered',
      deviceFlow: true,
      scopes: ['profile', 'email', 'offline_access'],
    },
  });
  strict = await startRelyingParty({ hemma, description: { name: 'Lön' } });
});
afterEach(back);
afterAll(async () => {
  for (const app of [party, offline, strict]) await app.stop();
  await hemma.stop();
});

/** A user whom nothing obliges to use MFA. */
const passwordOnly = async (name: string) => {
  const { id, email } = await hemma.account({ email: `${name}@example.com`, twoStepRequired: false });
  return { id, email };
};

const times = async <T>(count: number, make: () => Promise<T>): Promise<T[]> => {
  const made: T[] = [];
  while (made.length < count) made.push(await make());
  return made;
};

/** A browser that signed in with the password. */
async function signedIn(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await party.begin()).url, email);
  expect(gotIn(browser)).toBe(true);
  return browser;
}

/** A sign-in that is finished but for the last redirect, which is not followed yet. */
async function held(email: string) {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  return { browser, rest: await sendAndHold(browser, { email, password: PASSWORD }) };
}

/** A sign-in in which the password is verified and another page is open. */
async function halfWay(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await strict.begin({ acr_values: 'urn:hemma:2' })).url, email);
  expect(['enrollment', 'totp', 'mailed-code']).toContain(browser.screen.step);
  return browser;
}

async function hasSession(browser: Visitor): Promise<boolean> {
  await browser.visit((await party.begin({ prompt: 'none' })).url);
  return gotIn(browser);
}

async function getsInBy({ browser, rest }: { browser: Visitor; rest: URL }): Promise<boolean> {
  await browser.visit(rest);
  return gotIn(browser) || hasSession(browser);
}

const isHalfWay = async (browser: Visitor) => (await standsAt(browser)) !== 'password';

const box = ({ screen }: Visitor) => screen.page.querySelector('input[name=endOtherSessions]');

/** The field of the box, ticked or not, where the page has one. */
const others = (browser: Visitor, ticked: boolean) =>
  box(browser) ? { endOtherSessions: ticked ? 'yes' : null } : {};

/** From the QR code to the end, with the box ticked or not; answers the key. */
async function connect(browser: Visitor, ticked: boolean): Promise<string> {
  const key = keyOn(browser.screen);
  await browser.submit({ code: sixDigits(key), ...others(browser, ticked) });
  await browser.submit({ lastGroup: codeOn(at('new-recovery-code', browser.screen)).slice(-4) });
  return key;
}

async function activate(browser: Visitor, email: string, ticked = false): Promise<string> {
  await provePassword(browser, deedUrl(hemma, 'activate_two_step'), email);
  const key = await connect(browser, ticked);
  expect(browser.screen.url.pathname).toBe('/account');
  return key;
}

describe('activating MFA', () => {
  test(
    'ends ten sessions and ten sign-ins that rest on the password, and keeps the session that does it',
    async () => {
      const { email } = await passwordOnly('astrid');
      const sessions = await times(10, () => signedIn(email));
      const finished = await times(5, () => held(email));
      const open = await times(5, () => halfWay(email));
      const owner = await signedIn(email);
      const before = party.logoutTokens.length;
      await activate(owner, email);
      const alive = [
        ...(await Promise.all(sessions.map(hasSession))),
        ...(await Promise.all(finished.map(getsInBy))),
        ...(await Promise.all(open.map(isHalfWay))),
      ];
      expect(alive.filter(Boolean)).toHaveLength(0);
      expect(await hasSession(owner)).toBe(true);
      expect((await owner.visit(hemma.url('/account'))).step).toBe('account');
      expect(await party.told(10, before)).toHaveLength(10);
    },
    deadline,
  );

  test('at the first sign-in (J1) ends what a thief of the password has', async () => {
    const { id, email } = await passwordOnly('bertil');
    const [session, waiting, half] = [await signedIn(email), await held(email), await halfWay(email)];
    await hemma.db.query('UPDATE accounts SET two_step_required = true WHERE id = $1', [id]);
    await signInFirst(newVisitor(), (await party.begin()).url, email);
    expect([await hasSession(session), await getsInBy(waiting), await isHalfWay(half)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('takes no second authenticator from a QR code that was shown before', async () => {
    const { email } = await passwordOnly('cecilia');
    const thief = await halfWay(email);
    const stolen = keyOn(at('enrollment', thief.screen));
    const owner = await signedIn(email);
    const key = await activate(owner, email);
    await thief.submit({ code: sixDigits(stolen) });
    expect(await standsAt(thief)).toBe('password');
    const again = newVisitor();
    await proveBoth(again, (await party.begin()).url, { email, key });
    expect(gotIn(again)).toBe(true);
  });

  test.each([
    ['keeps a session with MFA in another browser where the box is not ticked', false],
    ['ends a session with MFA in another browser where the box is ticked', true],
  ])('%s', async (_what, ticked) => {
    const { email } = await passwordOnly(`david-${String(ticked)}`);
    const mfa = await signedIn(email);
    const key = await activate(mfa, email);
    // MFA is switched off and on again in another browser.
    const owner = newVisitor();
    await proveBoth(owner, (await party.begin()).url, { email, key });
    await proveBoth(owner, deedUrl(hemma, 'deactivate_two_step'), { email, key });
    await owner.submit(others(owner, false), 'choice=do');
    expect(await hasSession(mfa)).toBe(true);
    nextStep();
    await activate(owner, email, ticked);
    expect([await hasSession(mfa), await hasSession(owner)]).toEqual([!ticked, true]);
  });
});

/** What each page does that adds, replaces or removes a factor, in the owner's browser. */
const changes: Record<string, (owner: Person, ticked: boolean) => Promise<void>> = {
  async 'replacing the authenticator'(owner, ticked) {
    await proveBoth(owner.browser, deedUrl(hemma, 'replace_authenticator'), owner);
    await connect(owner.browser, ticked);
  },
  async 'deactivating MFA'(owner, ticked) {
    await proveBoth(owner.browser, deedUrl(hemma, 'deactivate_two_step'), owner);
    await owner.browser.submit(others(owner.browser, ticked), 'choice=do');
  },
  async 'replacing the recovery code'(owner, ticked) {
    await proveBoth(owner.browser, deedUrl(hemma, 'new_recovery_code'), owner);
    const code = codeOn(at('new-recovery-code', owner.browser.screen));
    await owner.browser.submit({ lastGroup: code.slice(-4), ...others(owner.browser, ticked) });
  },
};

/** A browser whose trusted-device cookie stands in for the six digits: its sessions rest on the password. */
async function trusted({ email, key }: Person): Promise<Visitor> {
  const browser = newVisitor();
  nextStep();
  await provePassword(browser, (await party.begin()).url, email);
  await browser.submit({ code: sixDigits(key), rememberDevice: 'yes' });
  const again = newVisitor({
    stolen: browser.cookies.all().filter(({ name }) => name.endsWith('hemma-device')),
  });
  await provePassword(again, (await party.begin()).url, email);
  expect(gotIn(again)).toBe(true);
  return again;
}

describe.each(Object.entries(changes))('%s', (name, change) => {
  test.each([false, true])(
    'ends what rests on the password, and sessions with MFA only where the box is ticked (%s)',
    async (ticked) => {
      const owner = await newPerson(
        hemma,
        party,
        `${name.replaceAll(/\W/g, '-')}-${String(ticked)}@example.com`,
      );
      const device = await trusted(owner);
      const mfa = newVisitor();
      await proveBoth(mfa, (await party.begin()).url, owner);
      const half = await halfWay(owner.email);
      const waiting = newVisitor();
      nextStep();
      await provePassword(waiting, (await party.begin()).url, owner.email);
      const rest = await sendAndHold(waiting, { code: sixDigits(owner.key) });
      await change(owner, ticked);
      expect(owner.browser.screen.url.pathname).toBe('/account');
      expect({
        device: await hasSession(device),
        held: await getsInBy({ browser: waiting, rest }),
        half: await isHalfWay(half),
        mfa: await hasSession(mfa),
        acting: await hasSession(owner.browser),
      }).toEqual({ device: false, held: false, half: false, mfa: !ticked, acting: true });
      const fresh = newVisitor({
        stolen: device.cookies.all().filter(({ name: one }) => one.endsWith('device')),
      });
      await provePassword(fresh, (await party.begin()).url, owner.email);
      // Without MFA there is nothing that a device could be trusted instead of: an emailed code is asked for.
      expect(fresh.screen.step).toBe(name === 'deactivating MFA' ? 'mailed-code' : 'totp');
    },
    deadline,
  );
});

const knownBrowsers = async (id: string) =>
  (await hemma.db.query('SELECT 1 FROM devices WHERE account_id = $1', [id])).count;
const newDeviceMails = async (id: string) =>
  (await hemma.db.query("SELECT 1 FROM mails WHERE account_id = $1 AND kind = 'new-device'", [id])).count;

test.each(Object.entries(changes))(
  '%s leaves the browser that does it as the only known one',
  async (name, change) => {
    const owner = await newPerson(hemma, party, `known-${name.replaceAll(' ', '-')}@example.com`);
    const other = newVisitor();
    nextStep();
    await proveBoth(other, (await party.begin()).url, owner);
    expect([await knownBrowsers(owner.id), await newDeviceMails(owner.id)]).toEqual([2, 1]);
    nextStep();
    await change(owner, true);
    expect(await knownBrowsers(owner.id)).toBe(1);
    if (name !== 'replacing the recovery code') return;
    nextStep();
    await proveBoth(other, (await party.begin({ prompt: 'login' })).url, owner);
    expect([await knownBrowsers(owner.id), await newDeviceMails(owner.id)]).toEqual([2, 2]);
  },
  deadline,
);

test(
  'activating MFA leaves the browser that does it as the only known one',
  async () => {
    const { id, email } = await passwordOnly('known-activating');
    await signedIn(email);
    const owner = await signedIn(email);
    expect(await knownBrowsers(id)).toBe(2);
    await activate(owner, email);
    expect(await knownBrowsers(id)).toBe(1);
  },
  deadline,
);

test('an account reset by the help desk ends sign-ins that are half-way or finished, and known browsers', async () => {
  const desk = await deskAt(hemma);
  const owner = await newPerson(hemma, party, 'reset@example.com');
  expect(await knownBrowsers(owner.id)).toBe(1);
  const half = await halfWay(owner.email);
  const waiting = newVisitor();
  nextStep();
  await provePassword(waiting, (await party.begin()).url, owner.email);
  const rest = await sendAndHold(waiting, { code: sixDigits(owner.key) });
  const [one, other] = [await desk.operator('reset-1'), await desk.operator('reset-2')];
  const opened = await desk.open(one, owner.id);
  await desk.tick(one, opened);
  await desk.askAnew(one, opened);
  expect(await desk.approve(other, opened)).toBe('done');
  expect([await getsInBy({ browser: waiting, rest }), await isHalfWay(half)]).toEqual([false, false]);
  expect(await knownBrowsers(owner.id)).toBe(0);
});

describe('the pages that change factors', () => {
  const offered = (browser: Visitor, step: string) => {
    expect(browser.screen.step).toBe(step);
    expect(box(browser)?.hasAttribute('checked')).toBe(true);
    expect(browser.screen.text).toContain('Logga ut på alla andra enheter');
  };

  test('offer to sign out on all other devices, ticked, and keep what was chosen when a form is refused', async () => {
    const { email } = await hemma.account({ email: 'pages@example.com' });
    const browser = newVisitor();
    await provePassword(browser, (await party.begin()).url, email);
    offered(browser, 'enrollment');
    const key = keyOn(browser.screen);
    await browser.submit({ code: '12', endOtherSessions: null });
    expect([browser.screen.refusal, box(browser)?.hasAttribute('checked')]).toEqual([
      'malformed-code',
      false,
    ]);
    await browser.submit({ code: sixDigits(key) });
    // It was asked one page earlier.
    expect(box(browser)).toBeNull();
    await browser.submit({ lastGroup: codeOn(browser.screen).slice(-4) });
    const pages = {
      replace_authenticator: 're-enrollment',
      new_recovery_code: 'new-recovery-code',
      deactivate_two_step: 'confirm',
    };
    for (const [intent, step] of Object.entries(pages)) {
      await proveBoth(browser, deedUrl(hemma, intent), { email, key });
      offered(browser, step);
    }
  });
});

/** Signs in to the application that renews tokens, with a code that is redeemed; answers its refresh token. */
async function tokensBy(browser: Visitor, prove: (url: string) => Promise<unknown>) {
  const begun = await offline.begin({ scope: 'openid email offline_access', prompt: 'login consent' });
  await prove(begun.url);
  await browser.submit({}, 'choice=allow');
  expect(gotIn(browser)).toBe(true);
  return { begun, url: browser.screen.url };
}

const refreshes = (token: string | undefined) =>
  offline.refresh(token ?? '').then(
    ({ refresh_token: next }) => next,
    ({ error }: { error?: string }) => error,
  );

describe('tokens and codes that rest on the password', () => {
  test(
    'end when MFA is activated; those of a sign-in with MFA go on',
    async () => {
      const { id, email } = await passwordOnly('eva');
      const thief = newVisitor();
      const byPassword = (browser: Visitor) => (url: string) => provePassword(browser, url, email);
      const weak = await tokensBy(thief, byPassword(thief));
      const tokens = await offline.redeem(weak.begun, weak.url);
      // Renewed once: a family of two, of which one is spent.
      const renewed = await offline.refresh(tokens.refresh_token ?? '');
      const unredeemed = await tokensBy(thief, byPassword(thief));
      const owner = await signedIn(email);
      const key = await activate(owner, email);
      expect(await refreshes(renewed.refresh_token)).toBe('invalid_grant');
      await expect(offline.userinfo(renewed.access_token, id)).rejects.toThrow();
      await expect(offline.redeem(unredeemed.begun, unredeemed.url)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      const strong = await tokensBy(owner, (url) => proveBoth(owner, url, { email, key }));
      const kept = await offline.redeem(strong.begun, strong.url);
      expect(decodeJwt(kept.id_token ?? '')).toMatchObject({ acr: 'urn:hemma:2' });
      await proveBoth(owner, deedUrl(hemma, 'replace_authenticator'), { email, key });
      await connect(owner, false);
      expect(await refreshes(kept.refresh_token)).not.toBe('invalid_grant');
    },
    deadline,
  );

  test('end when the password is changed', async () => {
    const { email } = await passwordOnly('frida');
    const thief = newVisitor();
    const weak = await tokensBy(thief, (url) => provePassword(thief, url, email));
    const { refresh_token: token } = await offline.redeem(weak.begun, weak.url);
    const owner = await signedIn(email);
    await provePassword(owner, deedUrl(hemma, 'change_password'), email);
    await owner.submit({ password: 'en helt annan sjö i maj' });
    expect(owner.screen.url.pathname).toBe('/account');
    expect(await refreshes(token)).toBe('invalid_grant');
  });
});

describe('the device flow', () => {
  async function toSignIn(email: string, browser = newVisitor()) {
    const device = await newDevice(hemma, offline, { scope: 'openid offline_access' });
    await type(hemma, browser, device.code);
    await browser.submit({}, 'confirm=yes');
    const rest = await sendAndHold(browser, { email, password: PASSWORD });
    return { device, browser, rest };
  }

  test('lets no device in by a sign-in, a consent or an answer from before MFA was activated', async () => {
    const { email } = await passwordOnly('gustav');
    const finished = await toSignIn(email);
    const consenting = await toSignIn(email);
    expect((await consenting.browser.visit(consenting.rest)).step).toBe('consent');
    const answered = await toSignIn(email);
    await answered.browser.visit(answered.rest);
    expect((await answered.browser.submit({}, 'choice=allow')).step).toBe('device-allowed');
    await activate(await signedIn(email), email);
    await finished.browser.visit(finished.rest);
    await consenting.browser.submit({}, 'choice=allow');
    for (const { device, browser } of [finished, consenting, answered]) {
      expect(browser === answered.browser || browser.screen.step !== 'device-allowed').toBe(true);
      expect((await device.ask()).json['access_token']).toBeUndefined();
      expect(await hasSession(browser)).toBe(false);
    }
    expect((await answered.device.ask()).json).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('a consent that is asked for after a sign-in', () => {
  test('carries no session past the change of factors that came in between', async () => {
    const { email } = await passwordOnly('hanna');
    const thief = newVisitor();
    await provePassword(thief, (await offline.begin({ prompt: 'login consent' })).url, email);
    expect(thief.screen.step).toBe('consent');
    const answered = newVisitor();
    await provePassword(answered, (await offline.begin({ prompt: 'login consent' })).url, email);
    const rest = await sendAndHold(answered, {}, 'choice=allow');
    await activate(await signedIn(email), email);
    await thief.submit({}, 'choice=allow');
    expect([gotIn(thief), await getsInBy({ browser: answered, rest })]).toEqual([false, false]);
    expect(await hasSession(thief)).toBe(false);
  });

  test('does not raise a session again that deactivating MFA lowered', async () => {
    const owner = await newPerson(hemma, party, 'ida@example.com');
    const { browser } = owner;
    await proveBoth(browser, (await offline.begin({ prompt: 'login consent' })).url, owner);
    const asked = at('consent', browser.screen);
    await proveBoth(browser, deedUrl(hemma, 'deactivate_two_step'), owner);
    await browser.submit(others(browser, false), 'choice=do');
    browser.backTo(asked);
    await browser.submit({}, 'choice=allow');
    await browser.visit((await party.begin({ prompt: 'none', acr_values: 'urn:hemma:2' })).url);
    expect(gotIn(browser)).toBe(false);
  });
});
