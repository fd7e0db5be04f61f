/** Forms that other sites send in a victim's name, and deeds that a mere link would do. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import type { Fields } from '../rig/forms.ts';
import { deedUrl } from '../new-phone-threats/people.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { forge } from './hostile.ts';
import { gotIn, keyOn, newPerson, nextStep, provePassword, recoveryCodeOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
let other: RelyingParty;
/** The token of a sign-in of the attacker's own. */
let foreign: string;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  other = await startRelyingParty({ hemma, description: { name: 'Lön', firstParty: false } });
  const attacker = newVisitor();
  await attacker.visit((await party.begin()).url);
  foreign = tokenOn(attacker);
});
afterAll(async () => {
  await party.stop();
  await other.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const tokenOn = ({ screen }: Visitor) =>
  screen.page.querySelector('main [name=token]')?.getAttribute('value') ?? '';

/** Every forgery of the form in front of the victim is refused, and the page stands where it stood. */
async function expectRefused(victim: Visitor, fields: Fields, button?: string): Promise<void> {
  const { step, url } = victim.screen;
  for (const { how, answer } of await forge(victim, fields, button, foreign)) {
    expect([step, how, answer.status >= 400 && answer.status < 500]).toEqual([step, how, true]);
    expect([step, how, answer.headers.location]).toEqual([step, how, undefined]);
  }
  await expectSame(victim, url, step);
}

/** The same fields in a link: a GET changes nothing, whoever opens it. */
async function expectSame(victim: Visitor, url: URL, step: string | undefined): Promise<void> {
  await victim.visit(url);
  expect(victim.screen.step).toBe(step);
}

async function expectNothingByLink(victim: Visitor, fields: Record<string, string>): Promise<void> {
  const { step, url } = victim.screen;
  const link = new URL(url);
  link.search = new URLSearchParams({ ...fields, token: tokenOn(victim) }).toString();
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']) {
    await victim.request(link, { method, headers: { 'sec-fetch-site': 'same-origin' } });
    await expectSame(victim, url, step);
  }
}

test('T21 no other site signs anybody in: the pages of a first sign-in', async () => {
  const { email } = await hemma.account({ email: 'astrid@example.com' });
  travel(days(8));
  const victim = newVisitor();
  await victim.visit((await party.begin()).url);
  await expectRefused(victim, { email, password: PASSWORD });
  await expectNothingByLink(victim, { email, password: PASSWORD });
  await victim.submit({ email, password: PASSWORD });

  expect(victim.screen.step).toBe('mailed-code');
  const code = /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
  await expectRefused(victim, { code });
  await expectRefused(victim, {}, 'again=yes');
  await expectNothingByLink(victim, { code });
  await victim.submit({ code });

  expect(victim.screen.step).toBe('enrollment');
  const digits = sixDigits(keyOn(victim));
  await expectRefused(victim, { code: digits });
  await expectNothingByLink(victim, { code: digits });
  await victim.submit({ code: digits });

  expect(victim.screen.step).toBe('new-recovery-code');
  const lastGroup = recoveryCodeOn(victim).slice(-4);
  await expectRefused(victim, { lastGroup });
  await expectNothingByLink(victim, { lastGroup });
  await victim.submit({ lastGroup });
  expect(gotIn(victim)).toBe(true);
});

test('SECURITY 79, T21 no other site types six digits, changes the account or consents', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' });
  const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
  const victim = cecilia.browser;
  nextStep();
  await provePassword(victim, party, bodil.email, { prompt: 'login' });
  expect(victim.screen.step).toBe('other-account');
  await expectRefused(victim, {}, 'choice=switch');
  await expectRefused(victim, {}, 'choice=stay');
  await expectNothingByLink(victim, { choice: 'switch' });

  const fresh = newVisitor();
  await provePassword(fresh, other, bodil.email);
  const code = sixDigits(bodil.key);
  await expectRefused(fresh, { code, rememberDevice: 'yes' });
  await expectNothingByLink(fresh, { code });
  await fresh.submit({ code });

  expect(fresh.screen.step).toBe('consent');
  await expectRefused(fresh, {}, 'choice=allow');
  await expectRefused(fresh, {}, 'choice=deny');
  await expectNothingByLink(fresh, { choice: 'allow' });
  await fresh.submit({}, 'choice=allow');
  expect(gotIn(fresh)).toBe(true);
});

test('SECURITY 34, T21 no other site types a recovery code, connects another phone or switches anything off', async () => {
  const gerd = await newPerson(hemma, party, { email: 'gerd@example.com' });
  const victim = newVisitor();
  await provePassword(victim, party, gerd.email);
  await victim.visit(new URL('recovery-code', victim.screen.url));
  await expectRefused(victim, { code: gerd.recoveryCode }, 'phoneGone=yes');
  await expectNothingByLink(victim, { code: gerd.recoveryCode, phoneGone: 'yes' });
  await victim.submit({ code: gerd.recoveryCode }, 'phoneGone=yes');

  expect(victim.screen.step).toBe('re-enrollment');
  const code = sixDigits(keyOn(victim));
  await expectRefused(victim, { code });
  await expectNothingByLink(victim, { code });

  for (const [deed, fields, button] of [
    ['deactivate_two_step', {}, 'choice=do'],
    ['delete_account', { email: gerd.email }, 'choice=do'],
    ['change_password', { password: 'en helt annan sjö' }, undefined],
    ['change_email', { email: 'ny@example.com' }, undefined],
  ] as const) {
    const browser = newVisitor();
    await browser.visit(deedUrl(hemma, deed));
    await browser.submit({ email: gerd.email, password: PASSWORD });
    nextStep();
    await browser.submit({ code: sixDigits(gerd.key) });
    expect(['confirm', 'new-password', 'new-email']).toContain(browser.screen.step);
    await expectRefused(browser, fields, button);
    await expectNothingByLink(browser, { ...fields, choice: 'do' });
  }
});

test('T21 no other site changes My details, and no token of another session does', async () => {
  const doris = await newPerson(hemma, party, { email: 'doris@example.com', locale: 'sv' });
  const thief = await newPerson(hemma, party, { email: 'malin@example.com' });
  await thief.browser.visit(hemma.url('/account'));
  const foreignAccount = tokenOn(thief.browser);
  nextStep();
  const victim = doris.browser;
  await provePassword(victim, party, doris.email, { prompt: 'login' });
  await victim.submit({ code: sixDigits(doris.key), rememberDevice: 'yes' });
  const unchanged = async () => {
    const { page } = await victim.visit(hemma.url('/account'));
    expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe('sv');
    expect(page.querySelectorAll('[data-device]')).toHaveLength(1);
    return page.querySelector('[data-device]')?.getAttribute('data-device') ?? '';
  };
  const device = await unchanged();
  for (const token of [foreign, foreignAccount]) {
    const sent = await forge(victim, { locale: 'en' }, undefined, token);
    for (const { how, answer } of sent) expect([how, answer.status >= 400]).toEqual([how, true]);
    await unchanged();
    for (const { how, answer } of await forge(victim, {}, `forget=${device}`, token)) {
      expect([how, answer.status >= 400]).toEqual([how, true]);
    }
    await unchanged();
  }
  await victim.visit(hemma.url(`/account?locale=en&forget=${device}&token=${tokenOn(victim)}`));
  await unchanged();
  // Another account's device is not the thief's to forget, with the thief's own good form.
  await thief.browser.visit(hemma.url('/account'));
  await thief.browser.post(hemma.url('/account'), { token: tokenOn(thief.browser), forget: device });
  await unchanged();
  await victim.submit({}, `forget=${device}`);
  expect(victim.screen.page.querySelectorAll('[data-device]')).toHaveLength(0);
});

test('T21 no other site and no link signs anybody out', async () => {
  const elsa = await newPerson(hemma, party, { email: 'elsa@example.com' });
  const victim = elsa.browser;
  await victim.visit(hemma.url('/session/end'));
  expect(victim.screen.step).toBe('sign-out');
  const page = victim.screen;
  const stillIn = async () => (await victim.visit(hemma.url('/account'))).step;
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    await victim.request(hemma.url('/session/end/confirm?logout=yes'), { method });
  }
  expect(await stillIn()).toBe('account');
  victim.backTo(page);
  await victim.visit(hemma.url('/session/end'));
  const forgeries = await forge(victim, {}, 'logout=yes', foreign);
  expect(forgeries.filter(({ answer }) => answer.status < 400).map(({ how }) => how)).toEqual([]);
  expect(await stillIn()).toBe('account');
  await victim.visit(hemma.url('/session/end'));
  await victim.submit({}, 'logout=yes');
  expect(await stillIn()).toBe('password');
});

test('SECURITY 80, T21 no page lets the scripts of other sites read it', async () => {
  const fia = await newPerson(hemma, party, { email: 'fia@example.com' });
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
    for (const path of ['/account', '/auth', '/session/end', '/']) {
      const { headers } = await fia.browser.request(hemma.url(path), { headers: { origin } });
      expect([path, headers['access-control-allow-origin']]).toEqual([path, undefined]);
      expect([path, headers['access-control-allow-credentials']]).toEqual([path, undefined]);
    }
  }
});
