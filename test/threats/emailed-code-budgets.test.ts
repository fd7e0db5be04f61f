/** Emailed codes without a sign-in: a stranger neither uses up the owner's nor floods the mailbox (R18, R20). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/db/database.ts';
import { back, days, hours, seconds, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';
import { newPerson, nextStep, provePassword, refusalOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({
    env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' },
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

async function askForgotten(browser: Visitor, email: string): Promise<Visitor> {
  await browser.visit((await party.begin({ prompt: 'login' })).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email });
  return browser;
}

const namesOf = (what: string, count: number) =>
  Array.from({ length: count }, (_none, at) => `${what}${at}@example.com`);

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

  test('are six, too, for a stranger who has many networks of an IPv6 prefix, and the owner gets theirs', async () => {
    const { email } = await hemma.account({ email: 'isa@example.com' });
    for (let network = 0; network < 24; network++)
      await askForgotten(from(`2001:db8:5:${network.toString(16)}::1`), email);
    expect(await codesFor(email)).toBeLessThanOrEqual(6);
    const before = await codesFor(email);
    await askForgotten(from('2001:db8:6::1'), email);
    expect(await codesFor(email)).toBe(before + 1);
  });

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

  test('cost as many statements for an unknown address as for a known one', async () => {
    const { email } = await hemma.account({ email: 'josefin@example.com' });
    const { tally } = hemma.db as Database;
    const statements = async (to: string) => {
      let fewest = Infinity;
      for (let time = 0; time < 8; time++) {
        const browser = from(`198.51.103.${time}`);
        await browser.visit((await party.begin()).url);
        const { action, body } = fillIn(
          browser.screen.page,
          new URL('forgotten-password', browser.screen.url),
          {
            email: to,
          },
        );
        action.pathname = action.pathname.replace(/[^/]+$/, 'forgotten-password');
        const before = tally.statements;
        const headers = {
          ...asForm,
          'sec-fetch-site': 'same-origin',
          'x-forwarded-for': `198.51.103.${time}`,
        };
        await browser.request(action, { method: 'POST', body: body.toString(), headers });
        fewest = Math.min(fewest, tally.statements - before);
      }
      return fewest;
    };
    const known = await statements(email);
    expect(known).toBeGreaterThan(5);
    expect(await statements('josefina@example.com')).toBe(known);
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
