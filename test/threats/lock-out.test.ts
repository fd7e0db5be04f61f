/** Strangers who try to keep the owner out, and an office that must not keep itself out (T4, R18, R20). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, hours, minutes, runOn, stopClock, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { recordDelays } from '../support/delays.ts';
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

const codeTo = async (email: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';

/** Guesses a password until the budget of the address pauses. */
async function besiege(email: string, stranger: Visitor): Promise<void> {
  await stranger.visit((await party.begin()).url);
  for (let guess = 1; guess <= 11; guess++) await stranger.submit({ email, password: `wrong ${guess}` });
  expect(refusalOn(stranger)).toBe('throttled');
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
    // The level is what it was counted to be, however long that takes.
    stopClock();
    const delays = recordDelays();
    try {
      await stuff(from(office), namesOf('guess', 199), office);
      const browser = from(office);
      await browser.visit((await party.begin()).url);
      await browser.submit({ email: 'last@example.com', password: 'no' });
      expect(browser.screen.status).toBe(422);
      // The first hundred answers are not held back; the last one is, by the longest delay.
      expect(delays.asked).toHaveLength(100);
      expect([Math.min(...delays.asked), delays.asked.at(-1)]).toEqual([30, 3000]);
    } finally {
      delays.release();
    }
    const browser = from(office);
    await browser.visit((await party.begin()).url);
    await browser.submit({ email, password: PASSWORD });
    expect(browser.screen).toMatchObject({ status: 429, step: 'password' });
    expect(Number(browser.screen.headers['retry-after'])).toBeLessThan(60);
    runOn();
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
