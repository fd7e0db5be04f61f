/** Guessing with patience: other browsers, other addresses, other sign-ins, and the right password each time. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, days, hours, seconds, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { gotIn, newPerson, nextStep, provePassword, refusalOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  // The rig's own connection is a proxy, so that every thief can come from an address of its own.
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const thiefFrom = (number: number) =>
  newVisitor({
    headers: { 'x-forwarded-for': `198.51.${100 + Math.floor(number / 250)}.${1 + (number % 250)}` },
    userAgent: `Thief/${number}`,
  });

const mailsTo = (email: string, subject: RegExp) =>
  hemma.mails().filter((mail) => mail.to === email && subject.test(mail.subject));

test('T3 five wrong codes end the budget of the account, in other browsers, addresses and sign-ins too', async () => {
  const astrid = await newPerson(hemma, party, { email: 'astrid@example.com' });
  nextStep();
  for (let guess = 1; guess <= 5; guess++) {
    const thief = thiefFrom(guess);
    await provePassword(thief, party, astrid.email);
    await thief.submit({ code: wrongDigits(astrid.key) });
    expect([guess, refusalOn(thief)]).toEqual([guess, 'wrong-code']);
  }
  const sixth = thiefFrom(6);
  await provePassword(sixth, party, astrid.email);
  expect(sixth.screen.step).toBe('totp');
  await sixth.submit({ code: sixDigits(astrid.key) });
  expect(sixth.screen).toMatchObject({ status: 429, step: 'totp' });
  expect(Number(sixth.screen.headers['retry-after'])).toBeGreaterThan(20);
  expect(Number(sixth.screen.headers['retry-after'])).toBeLessThanOrEqual(30);
  travel(seconds(31));
  await sixth.submit({ code: sixDigits(astrid.key) });
  expect(gotIn(sixth)).toBe(true);
});

test('T3 each further wrong code doubles the pause, up to an hour', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' });
  const thief = thiefFrom(40);
  nextStep();
  await provePassword(thief, party, bodil.email);
  for (let guess = 1; guess <= 4; guess++) await thief.submit({ code: wrongDigits(bodil.key) });
  const pauses: number[] = [];
  for (let round = 1; round <= 9; round++) {
    // A new sign-in each time: the last one has run out during the pause.
    await provePassword(thief, party, bodil.email);
    await thief.submit({ code: wrongDigits(bodil.key) });
    expect(refusalOn(thief)).toBe('wrong-code');
    await thief.submit({ code: wrongDigits(bodil.key) });
    pauses.push(Number(thief.screen.headers['retry-after']));
    travel(seconds((pauses.at(-1) ?? 0) + 1));
  }
  expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
});

test('SECURITY 4, T3 at fifty wrong codes in a row the authenticator is disabled, and the owner gets one mail', async () => {
  const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
  for (let guess = 1; guess <= 50; guess++) {
    nextStep();
    const thief = thiefFrom(100 + guess);
    await provePassword(thief, party, cecilia.email);
    await thief.submit({ code: wrongDigits(cecilia.key) });
    expect([guess, refusalOn(thief)]).toEqual([guess, guess < 50 ? 'wrong-code' : 'authenticator-disabled']);
    travel(hours(1) + seconds(1));
  }
  for (const late of [thiefFrom(200), cecilia.browser]) {
    nextStep();
    await provePassword(late, party, cecilia.email, { prompt: 'login' });
    expect(refusalOn(late)).toBe('authenticator-disabled');
    const { url } = late.screen;
    const token = late.screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '';
    await late.post(url, { token, code: sixDigits(cecilia.key) });
    expect(gotIn(late)).toBe(false);
    // The password alone may not bind a new phone in its place.
    await late.visit(new URL('enrollment', url));
    expect(late.screen.step).toBe('totp');
  }
  await hemma.mail.mailTo(cecilia.email, /avstängd/);
  expect(mailsTo(cecilia.email, /avstängd/)).toHaveLength(1);
});

test('T3 every spelling of an address shares one budget of passwords', async () => {
  await hemma.account({ email: 'doris@example.com' });
  const spellings = ['doris@example.com', 'DORIS@Example.Com', '  doris@example.com ', 'ｄoris@example.com'];
  for (let guess = 1; guess <= 10; guess++) {
    const thief = thiefFrom(300 + guess);
    await thief.visit((await party.begin()).url);
    await thief.submit({ email: spellings[guess % 4] ?? '', password: `wrong ${guess}` });
    expect([guess, refusalOn(thief)]).toEqual([guess, 'wrong-password']);
  }
  for (const email of spellings) {
    const thief = thiefFrom(320);
    await thief.visit((await party.begin()).url);
    await thief.submit({ email, password: PASSWORD });
    expect(thief.screen.status).toBe(429);
  }
});

test('T3 a code in the mail has one budget too, and a new code gives no new guesses', async () => {
  const { email } = await hemma.account({ email: 'elsa@example.com' });
  travel(days(8));
  const codeIn = async () =>
    /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
  const thief = thiefFrom(400);
  await provePassword(thief, party, email);
  const first = await codeIn();
  const wrong = first.startsWith('1') ? '2222 2222' : '1111 1111';
  for (let guess = 1; guess <= 5; guess++) {
    await thief.submit({ code: wrong });
    expect([guess, refusalOn(thief)]).toEqual([guess, 'wrong-mailed-code']);
    if (guess !== 3) continue;
    travel(seconds(61));
    await provePassword(thief, party, email);
    await codeIn();
  }
  travel(seconds(61 - 30));
  await thief.submit({ code: wrong });
  travel(seconds(1));
  await thief.submit({ code: first });
  expect(thief.screen).toMatchObject({ status: 429, step: 'mailed-code' });
});
