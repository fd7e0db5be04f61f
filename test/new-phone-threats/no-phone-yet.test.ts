/** No phone is connected any more, or not yet: what a thief with the password alone makes of that (T16, T17). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { deeds, tryEveryPage } from './every-page.ts';
import {
  deedUrl,
  gotIn,
  keyOn,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  proveBoth,
  provePassword,
  tokenOn,
} from './people.ts';

const THIEF = { email: 'ond@example.com', key: 'JBSWY3DPEHPK3PXP', recoveryCode: '0000' };

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

/** Two-step verification is required and none is on: an account that nobody used in its first seven days. */
async function unused(email: string): Promise<string> {
  await hemma.account({ email });
  travel(days(8));
  return email;
}

/** The person switched two-step verification off, in a browser of their own, and went for coffee. */
async function deactivated(email: string): Promise<string> {
  const owner = await newPerson(hemma, party, email);
  await proveBoth(owner.browser, deedUrl(hemma, 'deactivate_two_step'), owner);
  await owner.browser.submit({}, 'choice=do');
  expect(owner.browser.screen.url.pathname).toBe('/account');
  return email;
}

const mailsTo = (address: string) => hemma.mails().filter(({ to }) => to === address);

/** The newest code that was mailed to the thief, once a mail that was asked for later has come to somebody else. */
async function codeToThief(address: string): Promise<string | undefined> {
  const watch = `vakt${hemma.mails().length}@example.com`;
  await hemma.account({ email: watch });
  const other = newVisitor();
  await other.visit((await party.begin()).url);
  await other.visit(pageOf(other, 'forgotten-password'));
  await other.submit({ email: watch });
  await mailedCodeTo(hemma, watch);
  return /\d{4} \d{4}/.exec(mailsTo(address).at(-1)?.text ?? '')?.[0];
}

/** Goes as far as the pages let the thief: another address, then a phone by the code that is mailed there. */
async function takeOver(thief: Visitor, email: string): Promise<void> {
  await thief.post(pageOf(thief, 'new-email'), { token: tokenOn(thief), email });
  const first = await codeToThief(email);
  if (first) await thief.submit({ code: first });
  if (thief.screen.step === 'mailed-code') await thief.visit(thief.screen.url);
  const second = await codeToThief(email);
  if (second && second !== first) await thief.submit({ code: second });
  if (thief.screen.step === 'enrollment') await thief.submit({ code: sixDigits(keyOn(thief.screen)) });
}

test.each([
  ['an account that nobody used in its first week', unused],
  ['an account whose owner deactivated two-step verification', deactivated],
])('SECURITY 50, T16 the password alone moves neither address nor phone of %s', async (_which, arrange) => {
  const email = await arrange(`${arrange.name}@example.com`);
  const thief = newVisitor();
  await provePassword(thief, deedUrl(hemma, 'change_email'), email);
  expect(thief.screen.step).toBe('mailed-code');
  await takeOver(thief, `ond-${arrange.name}@example.com`);
  expect(thief.screen.step).toBe('mailed-code');
  expect(mailsTo(`ond-${arrange.name}@example.com`)).toEqual([]);
  const owner = newVisitor();
  await provePassword(owner, (await party.begin()).url, email);
  expect(owner.screen.step).toBe('mailed-code');
});

test('T17 the owner who wants another address is mailed the code for a first phone at the old one', async () => {
  const email = await unused('agare@example.com');
  const owner = newVisitor();
  await provePassword(owner, deedUrl(hemma, 'change_email'), email);
  expect(owner.screen.step).toBe('mailed-code');
  await owner.submit({ code: await mailedCodeTo(hemma, email) });
  expect(owner.screen.step).toBe('enrollment');
});

test.each(deeds)('T16 the link for %s leads the password alone to no deed and no QR code', async (deed) => {
  const email = await unused(`utan-${deed.replaceAll('_', '-')}@example.com`);
  const thief = newVisitor();
  await provePassword(thief, deedUrl(hemma, deed), email);
  // Whoever knows the password may change it: that is all that this account has.
  if (deed === 'change_password') return expect(thief.screen.step).toBe('new-password');
  expect(thief.screen.step).toBe('mailed-code');
  return tryEveryPage(thief, THIEF, ['mailed-code', 'problem']);
});

test('SECURITY 50, T16 ten minutes after a deactivation its own browser needs a mailed code for a phone, too', async () => {
  const owner = await newPerson(hemma, party, 'kaffe@example.com');
  await proveBoth(owner.browser, deedUrl(hemma, 'deactivate_two_step'), owner);
  await owner.browser.submit({}, 'choice=do');
  const again = deedUrl(hemma, 'activate_two_step');
  expect((await provePassword(owner.browser, again, owner.email)).step).toBe('enrollment');
  const { screen } = owner.browser;
  travel(601_000);
  await owner.browser.submit({ code: sixDigits(keyOn(screen)) });
  expect([owner.browser.screen.step, gotIn(owner.browser)]).toEqual(['mailed-code', false]);
});

test('T16 deactivating in a browser that was not signed in opens the window to nobody', async () => {
  const owner = await newPerson(hemma, party, 'bibliotek@example.com');
  const library = newVisitor();
  await proveBoth(library, deedUrl(hemma, 'deactivate_two_step'), owner);
  await library.submit({}, 'choice=do');
  for (const browser of [library, owner.browser, newVisitor()]) {
    await provePassword(browser, deedUrl(hemma, 'activate_two_step'), owner.email);
    expect(browser.screen.step).toBe('mailed-code');
  }
});

/** Asks for a code for a forgotten password, in a browser of its own. */
async function forgotten(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email });
  return browser;
}

test('SECURITY 38, T32 the code for a first phone is nothing without the password, and once it was used', async () => {
  const email = await unused('en-gang@example.com');
  const owner = newVisitor();
  await provePassword(owner, (await party.begin()).url, email);
  const code = await mailedCodeTo(hemma, email);
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const form = { token: tokenOn(thief), email, code, password: '', lastGroup: code.slice(-4) };
  for (const step of ['mailed-code', 'enrollment', 'totp', 'new-password', 'recovery-code', 'password']) {
    await thief.post(pageOf(thief, step), form);
    expect([step, thief.screen.step]).toEqual([step, 'password']);
  }
  const page = owner.screen;
  expect((await owner.submit({ code })).step).toBe('enrollment');
  // It is good for a phone and nothing else.
  for (const step of ['new-password', 'new-email', 'new-recovery-code', 'confirm', 'recovery-code'])
    expect([step, (await owner.visit(pageOf(owner, step))).step]).toEqual([step, 'enrollment']);
  const key = keyOn(owner.screen);
  owner.backTo(page);
  expect([(await owner.submit({ code })).step, keyOn(owner.screen)]).toEqual(['enrollment', key]);
  const again = newVisitor();
  await provePassword(again, (await party.begin()).url, email);
  await again.submit({ code });
  expect([again.screen.step, again.screen.refusal]).toEqual(['mailed-code', 'wrong-mailed-code']);
  nextStep();
  expect((await owner.submit({ code: sixDigits(key) })).step).toBe('new-recovery-code');
  expect(gotIn(owner)).toBe(false);
});

test('SECURITY 38, T32 a mailed code is good for its own purpose, in one sign-in and between two', async () => {
  const email = await unused('annat@example.com');
  const owner = await forgotten(email);
  const passwordCode = await mailedCodeTo(hemma, email);
  // The password was not forgotten after all, and the page asks for the code for a first phone.
  await owner.visit(pageOf(owner, 'password'));
  await owner.submit({ email, password: PASSWORD });
  expect(owner.screen.step).toBe('mailed-code');
  const phoneCode = await mailedCodeTo(hemma, email);
  expect(phoneCode).not.toBe(passwordCode);
  await owner.submit({ code: passwordCode });
  expect([owner.screen.step, owner.screen.refusal]).toEqual(['mailed-code', 'wrong-mailed-code']);
  const thief = await forgotten(email);
  await thief.submit({ code: phoneCode });
  expect([thief.screen.step, thief.screen.refusal]).toEqual(['mailed-code', 'wrong-mailed-code']);
  expect((await owner.submit({ code: phoneCode })).step).toBe('enrollment');
});
