/** What a thief does with six digits that were seen, kept, or made with another clock. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { fillIn } from '../rig/forms.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { gotIn, keyOn, newPerson, nextStep, provePassword, refusalOn, signIn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

describe('one code, one sign-in', () => {
  test('T1 six digits that signed somebody in are refused, also from another browser, and it is recorded', async () => {
    const astrid = await newPerson(hemma, party, { email: 'astrid@example.com' });
    await signIn(newVisitor(), party, astrid);
    for (const thief of [astrid.browser, newVisitor()]) {
      await provePassword(thief, party, astrid.email, { prompt: 'login' });
      await thief.submit({ code: sixDigits(astrid.key) });
      expect(gotIn(thief)).toBe(false);
      expect(thief.screen).toMatchObject({ step: 'totp', status: 422 });
      expect(refusalOn(thief)).toBe('used-code');
    }
    const reused = (await auditOf(hemma, astrid.email)).filter(({ event }) => event === 'totp.reused');
    expect(reused.map(({ detail }) => detail)).toEqual([{ failures: 2 }, { failures: 1 }]);
  });

  test('T1 the six digits of the enrolment sign nobody in a second time', async () => {
    const { email } = await hemma.account({ email: 'bodil@example.com' });
    const person = newVisitor();
    await provePassword(person, party, email);
    const key = keyOn(person);
    await person.submit({ code: sixDigits(key) });
    const thief = newVisitor();
    await provePassword(thief, party, email);
    await thief.submit({ code: sixDigits(key) });
    expect(thief.screen.step).toBe('totp');
    expect(refusalOn(thief)).toBe('used-code');
  });

  test('T1 an older code than the last accepted one is refused, though it lies in the window', async () => {
    const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
    nextStep();
    const seen = sixDigits(cecilia.key);
    await signIn(newVisitor(), party, cecilia);
    const thief = newVisitor();
    await provePassword(thief, party, cecilia.email);
    await thief.submit({ code: seen });
    expect(gotIn(thief)).toBe(false);
    expect(refusalOn(thief)).toBe('used-code');
  });

  test('T1 one code in twenty sign-ins at once lets exactly one of them in', async () => {
    const doris = await newPerson(hemma, party, { email: 'doris@example.com' });
    nextStep();
    const browsers = Array.from({ length: 20 }, () => newVisitor());
    for (const browser of browsers) await provePassword(browser, party, doris.email);
    expect(browsers.map(({ screen }) => screen.step)).toEqual(Array.from({ length: 20 }, () => 'totp'));
    const code = sixDigits(doris.key);
    await Promise.all(browsers.map((browser) => browser.submit({ code })));
    expect(browsers.filter(gotIn)).toHaveLength(1);
    const others = browsers.filter((browser) => !gotIn(browser));
    expect(others.every(({ screen }) => screen.step === 'totp' && [422, 429].includes(screen.status))).toBe(
      true,
    );
    const rows = await auditOf(hemma, doris.email);
    expect(rows.filter(({ event }) => event === 'totp.right')).toHaveLength(1);
    const reused = others.filter(({ screen }) => screen.status === 422);
    expect(rows.filter(({ event }) => event === 'totp.reused')).toHaveLength(reused.length);
    // The first of a minute is recorded; further ones are only counted.
    const throttled = rows.filter(({ event }) => event === 'totp.throttled').length;
    expect(throttled > 0).toBe(reused.length < others.length);
  });

  test('T1 a form that is sent twice at once is one sign-in, and a reload goes on from it', async () => {
    const elsa = await newPerson(hemma, party, { email: 'elsa@example.com' });
    nextStep();
    const browser = newVisitor();
    await provePassword(browser, party, elsa.email);
    const { page, url } = browser.screen;
    const { action, body } = fillIn(page, url, { code: sixDigits(elsa.key) });
    const form = {
      method: 'POST',
      body: body.toString(),
      headers: { ...asForm, 'sec-fetch-site': 'same-origin' },
    };
    await Promise.all([browser.request(action, form), browser.request(action, form)]);
    await browser.visit(url);
    expect(gotIn(browser)).toBe(true);
    const rows = (await auditOf(hemma, elsa.email)).filter(({ event }) => event === 'totp.right');
    expect(rows).toHaveLength(1);
  });
});

describe("the server's clock alone", () => {
  test.each([
    [-2, 'clock-behind'],
    [-1, undefined],
    [0, undefined],
    [1, undefined],
    [2, 'wrong-code'],
  ])('T2 a code of step %i is judged by the window of one step', async (step, refusal) => {
    const email = `fia${step + 2}@example.com`;
    const fia = await newPerson(hemma, party, { email });
    travel(minutes(5));
    nextStep();
    const browser = newVisitor();
    await provePassword(browser, party, fia.email);
    await browser.submit({ code: sixDigits(fia.key, { step }) });
    expect(gotIn(browser)).toBe(refusal === undefined);
    expect(refusalOn(browser)).toBe(refusal);
  });

  test('T2 what the client says about the time changes nothing', async () => {
    const greta = await newPerson(hemma, party, { email: 'greta@example.com' });
    travel(minutes(60));
    nextStep();
    const old = Date.now() - minutes(50);
    const headers = { date: new Date(old).toUTCString(), 'x-timestamp': String(old) };
    const thief = newVisitor({ headers });
    await provePassword(thief, party, greta.email, { timestamp: String(old), t: String(old) });
    const { screen } = thief;
    const token = screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '';
    const more = { at: String(old), time: String(old), timestamp: String(old), epoch: String(old) };
    await thief.post(`${screen.url.href}?at=${old}&time=${old}`, {
      token,
      code: sixDigits(greta.key, { at: old }),
      ...more,
    });
    expect(gotIn(thief)).toBe(false);
    expect(refusalOn(thief)).toBe('wrong-code');
  });

  test('T2 a code of a future step that was sent too early looks merely wrong, and is refused later', async () => {
    const hilma = await newPerson(hemma, party, { email: 'hilma@example.com' });
    nextStep();
    const early = sixDigits(hilma.key, { step: 3 });
    const browser = newVisitor();
    await provePassword(browser, party, hilma.email);
    await browser.submit({ code: early });
    expect(refusalOn(browser)).toBe('wrong-code');
    nextStep(3);
    const thief = newVisitor();
    await provePassword(thief, party, hilma.email);
    await thief.submit({ code: early });
    expect(gotIn(thief)).toBe(false);
  });

  test('SECURITY 7, T2 anything but six digits is no code and costs the person nothing', async () => {
    const irma = await newPerson(hemma, party, { email: 'irma@example.com' });
    nextStep();
    const browser = newVisitor();
    await provePassword(browser, party, irma.email);
    for (const code of ['', '12345', '1234567', '-12345', '+12345', '1e5', '0x1234', 'null', '١٢٣٤٥']) {
      await browser.submit({ code });
      expect([code, refusalOn(browser)]).toEqual([code, 'malformed-code']);
    }
    await browser.submit({ code: sixDigits(irma.key) });
    expect(gotIn(browser)).toBe(true);
  });
});
