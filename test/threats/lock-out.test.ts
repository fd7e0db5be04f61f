/** Strangers who try to keep the owner out, and an office that must not keep itself out (T4, R18, R20). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, days, hours, minutes, seconds, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';
import { gotIn, newPerson, nextStep, provePassword, refusalOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({
    env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1', HEMMA_TRUSTED_NETWORKS: '10.20.0.0/16,2001:db8:77::/48' },
  });
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const from = (address: string) => newVisitor({ headers: { 'x-forwarded-for': address } });

/** Another page of the sign-in in front of a browser. */
const pageOf = ({ screen }: Visitor, step: string) => new URL(step, screen.url).href;

/** Emails with a code that were written for an address. */
async function codesFor(email: string): Promise<number> {
  const { count } = await hemma.db.query("SELECT 1 FROM mails WHERE recipient = $1 AND kind LIKE '%-code'", [
    email,
  ]);
  return count;
}
const codeTo = async (email: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
const wrong = (code: string) => (code.startsWith('1') ? '2222 2222' : '1111 1111');

/** Guesses a password until the budget of the address pauses. */
async function besiege(email: string, stranger: Visitor): Promise<void> {
  await stranger.visit((await party.begin()).url);
  for (let guess = 1; guess <= 11; guess++) await stranger.submit({ email, password: `wrong ${guess}` });
  expect(refusalOn(stranger)).toBe('throttled');
}

async function askForgotten(browser: Visitor, email: string): Promise<Visitor> {
  await browser.visit((await party.begin({ prompt: 'login' })).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email });
  return browser;
}

/** Wrong passwords for distinct names, twenty at a time; answers their statuses. */
async function stuff(stranger: Visitor, names: readonly string[], address: string): Promise<number[]> {
  await stranger.visit((await party.begin()).url);
  const statuses: number[] = [];
  for (let first = 0; first < names.length; first += 20) {
    const guesses = names.slice(first, first + 20).map((email) => {
      const { action, body } = fillIn(stranger.screen.page, stranger.screen.url, { email, password: 'no' });
      const headers = { ...asForm, 'sec-fetch-site': 'same-origin', 'x-forwarded-for': address };
      return stranger.request(action, { method: 'POST', body: body.toString(), headers });
    });
    statuses.push(...(await Promise.all(guesses)).map(({ status }) => status));
  }
  return statuses;
}

const namesOf = (what: string, count: number) =>
  Array.from({ length: count }, (_none, at) => `${what}${at}@example.com`);

describe('a stranger who guesses at the password', () => {
  test('at two requests an hour does not keep the owner out of a new browser: an emailed code lets them in', async () => {
    const owner = await newPerson(hemma, party, { email: 'astrid@example.com' });
    const stranger = from('198.51.100.7');
    await besiege(owner.email, stranger);
    for (let guess = 0; guess < 20; guess++) {
      travel(minutes(30));
      await stranger.visit((await party.begin()).url);
      await stranger.submit({ email: owner.email, password: 'still wrong' });
    }
    const browser = from('192.0.2.9');
    const begun = await provePassword(browser, party, owner.email);
    expect(browser.screen).toMatchObject({ status: 429, step: 'password' });
    await browser.submit({}, 'Mejla mig en kod');
    expect(browser.screen).toMatchObject({ status: 200, step: 'password-and-code' });
    await browser.submit({ password: PASSWORD, code: await codeTo(owner.email) });
    expect(browser.screen.step).toBe('totp');
    nextStep();
    await browser.submit({ code: sixDigits(owner.key) });
    expect(gotIn(browser)).toBe(true);
    const { id_token: token = '' } = await party.redeem(begun, browser.screen.url);
    expect(decodeJwt(token)).toMatchObject({ acr: 'urn:hemma:2', amr: ['pwd', 'otp', 'mfa'] });
    // From now on this browser is known, and is not kept out at all.
    await stranger.submit({ email: owner.email, password: 'still wrong' });
    nextStep();
    await provePassword(browser, party, owner.email, { prompt: 'login' });
    expect(browser.screen.step).toBe('totp');
  }, 120_000);

  test('gets no new guesses from it, and other new browsers of the owner still need a code', async () => {
    const owner = await newPerson(hemma, party, { email: 'berit@example.com' });
    const stranger = from('198.51.100.8');
    await besiege(owner.email, stranger);
    const browser = from('192.0.2.10');
    await provePassword(browser, party, owner.email);
    await browser.submit({}, 'Mejla mig en kod');
    await browser.submit({ password: PASSWORD, code: await codeTo(owner.email) });
    expect(browser.screen.step).toBe('totp');
    await stranger.submit({ email: owner.email, password: 'wrong again' });
    expect(stranger.screen.status).toBe(429);
    const another = from('192.0.2.11');
    await provePassword(another, party, owner.email);
    expect(another.screen.status).toBe(429);
  });

  test('or the owner, who mistypes in a known browser, gets in by an emailed code as well', async () => {
    const owner = await newPerson(hemma, party, { email: 'bella@example.com' });
    await owner.browser.visit((await party.begin({ prompt: 'login' })).url);
    for (let guess = 1; guess <= 11; guess++)
      await owner.browser.submit({ email: owner.email, password: `mistyped ${guess}` });
    expect(owner.browser.screen).toMatchObject({ status: 429, step: 'password' });
    await owner.browser.submit({}, 'Mejla mig en kod');
    await owner.browser.submit({ password: PASSWORD, code: await codeTo(owner.email) });
    expect(owner.browser.screen.step).toBe('totp');
  });

  test('spends nothing of the budgets of the second factor, which come after the password', async () => {
    const owner = await newPerson(hemma, party, { email: 'cilla@example.com' });
    const stranger = from('198.51.100.9');
    await stranger.visit((await party.begin()).url);
    const token = stranger.screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '';
    const at = { totp: pageOf(stranger, 'totp'), code: pageOf(stranger, 'recovery-code') };
    for (let guess = 0; guess < 8; guess++) {
      await stranger.post(at.totp, { token, email: owner.email, code: wrongDigits(owner.key) });
      await stranger.post(at.code, { token, email: owner.email, code: 'AAAA-AAAA-AAAA-AAAA-AAAA' });
    }
    const { rows } = await hemma.db.query<{ factor: string }>(
      "SELECT factor FROM attempts WHERE factor IN ('totp', 'recovery-code') AND subject = $1",
      [`account:${owner.id}`],
    );
    expect(rows).toEqual([]);
  });
});

describe('an office behind one address', () => {
  test('lets a colleague in who never mistyped, after 100 others did', async () => {
    const office = '192.0.2.50';
    const colleague = await hemma.account({ email: 'dagny@example.com', twoStepRequired: false });
    const statuses = await stuff(from(office), namesOf('colleague', 100), office);
    expect(new Set(statuses)).toEqual(new Set([422]));
    const browser = from(office);
    await provePassword(browser, party, colleague.email);
    expect(gotIn(browser)).toBe(true);
    // Nor is it forgotten only once everybody is silent: 100 more later do not add up.
    travel(hours(2));
    expect(new Set(await stuff(from(office), namesOf('other', 100), office))).toEqual(new Set([422]));
    const another = await hemma.account({ email: 'disa@example.com', twoStepRequired: false });
    const second = from(office);
    await provePassword(second, party, another.email);
    expect(gotIn(second)).toBe(true);
  }, 120_000);

  test('that is full of failures is slowed down, then refused, and an emailed code still lets its people in', async () => {
    const office = '192.0.2.51';
    const email = 'elin@example.com';
    await hemma.account({ email, twoStepRequired: false });
    await stuff(from(office), namesOf('guess', 199), office);
    const browser = from(office);
    await browser.visit((await party.begin()).url);
    const begun = performance.now();
    await browser.submit({ email: 'last@example.com', password: 'no' });
    expect(browser.screen.status).toBe(422);
    expect(performance.now() - begun).toBeGreaterThan(2000);
    await browser.submit({ email, password: PASSWORD });
    expect(browser.screen).toMatchObject({ status: 429, step: 'password' });
    expect(Number(browser.screen.headers['retry-after'])).toBeLessThan(60);
    await browser.submit({}, 'Mejla mig en kod');
    await browser.submit({ password: PASSWORD, code: await codeTo(email) });
    expect(gotIn(browser)).toBe(true);
  }, 120_000);

  test.each(['10.20.30.40', '2001:db8:77:1::1'])(
    'has no network budget where it is trusted (%s), and keeps those of users',
    async (office) => {
      const names = namesOf(`t${office.length}-`, 220);
      expect(new Set(await stuff(from(office), names, office))).toEqual(new Set([422]));
      const stranger = from(office);
      await stranger.visit((await party.begin()).url);
      const email = `felicia${office.length}@example.com`;
      for (let guess = 1; guess <= 11; guess++) await stranger.submit({ email, password: `wrong ${guess}` });
      expect(refusalOn(stranger)).toBe('throttled');
    },
    120_000,
  );
});

describe('emailed codes', () => {
  test('go to the owner, however often a stranger has asked for them', async () => {
    const { email } = await hemma.account({ email: 'gerda@example.com' });
    const stranger = from('198.51.100.20');
    for (let time = 0; time < 8; time++) await askForgotten(stranger, email);
    expect(refusalOn(stranger)).toBe('throttled');
    const before = await codesFor(email);
    expect(before).toBeLessThanOrEqual(6);
    const owner = await askForgotten(from('192.0.2.20'), email);
    expect(owner.screen).toMatchObject({ status: 200, step: 'mailed-code' });
    expect(await codesFor(email)).toBe(before + 1);
  });

  test('are not spent by a stranger who types wrong ones in a sign-in of their own', async () => {
    const { email } = await hemma.account({ email: 'hilda@example.com', twoStepRequired: false });
    const stranger = await askForgotten(from('198.51.100.21'), email);
    const theirs = await codeTo(email);
    for (let guess = 0; guess < 6; guess++) await stranger.submit({ code: wrong(theirs) });
    expect(refusalOn(stranger)).toBe('throttled');
    const owner = await askForgotten(from('192.0.2.21'), email);
    await owner.submit({ code: await codeTo(email) });
    expect(owner.screen.step).toBe('new-password');
  });

  test('do not flood a mailbox: 6 from one network, 20 from forty, and a known browser is served all the same', async () => {
    const owner = await newPerson(
      hemma,
      party,
      { email: 'irma@example.com' },
      { headers: { 'x-forwarded-for': '192.0.2.22' } },
    );
    const one = from('198.51.100.22');
    for (let time = 0; time < 12; time++) {
      const { screen } = await askForgotten(one, owner.email);
      const wait = Number(screen.headers['retry-after'] ?? 0);
      // Waiting for the mailbox's own budget would take hours.
      if (wait < 1800) travel(seconds(wait));
    }
    expect(await codesFor(owner.email)).toBe(6);
    for (let network = 0; network < 40; network++)
      await askForgotten(from(`198.51.101.${network}`), owner.email);
    await askForgotten(owner.browser, owner.email);
    expect(owner.browser.screen.step).toBe('mailed-code');
    // 20 to the mailbox, and the known browser's.
    expect(await codesFor(owner.email)).toBe(21);
    const late = await askForgotten(from('192.0.2.23'), owner.email);
    expect(late.screen).toMatchObject({ status: 429, refusal: 'throttled' });
    // Refused requests are not counted: the mailbox has room again in a few hours, for every network.
    travel(seconds(Number(late.screen.headers['retry-after'])));
    expect(Number(late.screen.headers['retry-after'])).toBeLessThan(hours(6) / 1000);
    expect((await askForgotten(from('192.0.2.24'), owner.email)).screen.step).toBe('mailed-code');
  }, 120_000);

  test('go to an unknown address in no other way: the budgets run out alike', async () => {
    const { email } = await hemma.account({ email: 'jenny@example.com' });
    const course = async (address: string, to: string) => {
      const browser = from(address);
      const statuses: number[] = [];
      for (let time = 0; time < 5; time++) statuses.push((await askForgotten(browser, to)).screen.status);
      return statuses;
    };
    const known = await course('198.51.100.30', email);
    expect(known).toEqual([200, 200, 200, 429, 429]);
    expect(await course('198.51.100.31', 'unknown@example.com')).toEqual(known);
    expect(await codesFor('unknown@example.com')).toBe(0);
  });

  test('are limited by network first: one that asks for many addresses is refused, others are not', async () => {
    const browser = from('198.51.100.32');
    const statuses: number[] = [];
    for (const email of namesOf('mailbox', 31))
      statuses.push((await askForgotten(browser, email)).screen.status);
    expect(statuses).toEqual([...Array.from({ length: 30 }, () => 200), 429]);
    expect((await askForgotten(from('198.51.100.33'), 'mailbox30@example.com')).screen.status).toBe(200);
  }, 120_000);

  test('that were just sent stay valid, and asking again within the minute costs nothing', async () => {
    const { email } = await hemma.account({ email: 'klara@example.com', twoStepRequired: false });
    const owner = await askForgotten(from('192.0.2.30'), email);
    const code = await codeTo(email);
    for (let time = 0; time < 5; time++) {
      await owner.submit({}, 'Skicka en ny kod');
      expect(refusalOn(owner)).toBe('just-sent');
    }
    await owner.submit({ code });
    expect(owner.screen.step).toBe('new-password');
    expect((await askForgotten(from('192.0.2.30'), email)).screen.status).toBe(200);
  });

  test('for a first phone come after the password, and strangers cannot use them up', async () => {
    const { email } = await hemma.account({ email: 'lova@example.com' });
    travel(days(8));
    for (let network = 0; network < 24; network++) await askForgotten(from(`198.51.102.${network}`), email);
    const before = await codesFor(email);
    const owner = from('192.0.2.31');
    await provePassword(owner, party, email);
    expect(owner.screen).toMatchObject({ status: 200, step: 'mailed-code' });
    expect(await codesFor(email)).toBe(before + 1);
  }, 120_000);
});
