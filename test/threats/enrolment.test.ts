/** A thief with the password and no phone, and secrets that are not yet, or no longer, an authenticator. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, days, minutes, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { scan, sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';
import { connectPhone, gotIn, keyOn, nextStep, provePassword, recoveryCodeOn, refusalOn } from './sign-in.ts';

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

const codeMailedTo = async (email: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';

/** Nobody has connected a phone: another browser with the password stands before the enrolment again. */
async function expectNoAuthenticator(email: string): Promise<void> {
  const other = newVisitor();
  await provePassword(other, party, email);
  expect(other.screen.step).toBe('enrollment');
}

test('SECURITY 50, T17 a session is not enough to connect a first phone: the password is asked anew', async () => {
  const { email } = await hemma.account({ email: 'astrid@example.com', twoStepRequired: false });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  expect(gotIn(browser)).toBe(true);
  await browser.visit((await party.begin({ acr_values: 'urn:hemma:2' })).url);
  expect(browser.screen.step).toBe('password');
  await browser.visit(new URL('enrollment', browser.screen.url));
  expect(browser.screen.step).toBe('password');
});

test('SECURITY 50, T17 connecting a phone tells the mailbox at once, with a way to say that it was somebody else', async () => {
  const { email } = await hemma.account({ email: 'bodil@example.com', locale: 'en' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  await connectPhone(browser);
  const mail = await hemma.mail.mailTo(email, /phone was connected/);
  expect(mail.text).toMatch(/Was it not you\? Contact 08-123 45 67/);
});

test('SECURITY 50, T17 after the days of the invitation the password alone shows no QR code and connects nothing', async () => {
  const { email } = await hemma.account({ email: 'cecilia@example.com' });
  travel(days(7) + minutes(1));
  const thief = newVisitor();
  await provePassword(thief, party, email);
  expect(thief.screen.step).toBe('mailed-code');
  expect(thief.screen.body).not.toContain(email);
  const page = new URL('enrollment', thief.screen.url);
  const token = thief.screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '';
  await thief.visit(page);
  expect(thief.screen.step).toBe('mailed-code');
  await thief.post(page, { token, code: '123456' });
  expect(thief.screen.step).toBe('mailed-code');
  expect(keyOn(thief)).toBe('');
});

test('T17 the mailed code is good in the sign-in that asked, for ten minutes, once, and not without the password', async () => {
  const { email } = await hemma.account({ email: 'doris@example.com' });
  travel(days(8));
  const [owner, thief] = [newVisitor(), newVisitor()];
  await provePassword(owner, party, email);
  const code = await codeMailedTo(email);
  await provePassword(thief, party, email);
  // Each sign-in has a code of its own mailed, to the owner.
  expect(await codeMailedTo(email)).not.toBe(code);
  await thief.submit({ code });
  expect(refusalOn(thief)).toBe('wrong-mailed-code');
  travel(minutes(10) + 1_000);
  await owner.submit({ code });
  expect(refusalOn(owner)).toBe('expired-mailed-code');
  await owner.submit({}, 'again=yes');
  const fresh = await codeMailedTo(email);
  await owner.submit({ code });
  expect(owner.screen.step).toBe('mailed-code');
  await owner.submit({ code: fresh });
  expect(owner.screen.step).toBe('enrollment');
  // It opened the enrolment of this sign-in, and no other.
  const next = newVisitor();
  await provePassword(next, party, email);
  expect(next.screen.step).toBe('mailed-code');
  await next.submit({ code: fresh });
  expect(next.screen.step).toBe('mailed-code');
});

test('SECURITY 51, T18 without a right code of the new secret, nothing is connected', async () => {
  const { email } = await hemma.account({ email: 'elsa@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  const key = keyOn(browser);
  for (const [code, refusal] of [
    ['', 'malformed-code'],
    [wrongDigits(key), 'wrong-code'],
    [sixDigits(key, { step: -2 }), 'clock-behind'],
    [sixDigits(key, { step: 3 }), 'clock-ahead'],
    [key, 'malformed-code'],
  ] as const) {
    await browser.submit({ code });
    expect(refusalOn(browser)).toBe(refusal);
    expect(browser.screen.step).toBe('enrollment');
    expect(keyOn(browser)).toBe(key);
  }
  await expectNoAuthenticator(email);
});

test('SECURITY 51, T18 a pending secret signs nobody in, and is good in its own sign-in alone', async () => {
  const { email } = await hemma.account({ email: 'fia@example.com' });
  const [one, other] = [newVisitor(), newVisitor()];
  await provePassword(one, party, email);
  await provePassword(other, party, email);
  expect(keyOn(other)).not.toBe(keyOn(one));
  await other.submit({ code: sixDigits(keyOn(one)) });
  expect(refusalOn(other)).toBe('wrong-code');
  // Once the one is connected, the other's pending secret is worth nothing.
  const late = sixDigits(keyOn(other));
  await one.submit({ code: sixDigits(keyOn(one)) });
  expect(one.screen.step).toBe('new-recovery-code');
  await other.submit({ code: late });
  expect(other.screen.step).toBe('password');
  await provePassword(other, party, email);
  expect(other.screen.step).toBe('totp');
  await other.submit({ code: late });
  expect(other.screen).toMatchObject({ step: 'totp', status: 422 });
});

test('T18 two sign-ins that connect a phone at once: one phone is connected, the others are at the password page', async () => {
  const { email } = await hemma.account({ email: 'greta@example.com' });
  const browsers = [newVisitor(), newVisitor(), newVisitor()];
  for (const browser of browsers) await provePassword(browser, party, email);
  await Promise.all(browsers.map((browser) => browser.submit({ code: sixDigits(keyOn(browser)) })));
  const open = browsers
    .map(({ screen }) => screen.step ?? '')
    .toSorted((one, other) => one.localeCompare(other));
  expect(open).toEqual(['new-recovery-code', 'password', 'password']);
  await hemma.mail.mailTo(email, /kopplad/);
  expect(hemma.mails().filter((mail) => mail.to === email && /kopplad/.test(mail.subject))).toHaveLength(1);
});

test('T18 after ten minutes the secret is gone, and the page shows another', async () => {
  const { email } = await hemma.account({ email: 'hilma@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  const key = keyOn(browser);
  travel(minutes(9));
  await browser.visit(browser.screen.url);
  expect(keyOn(browser)).toBe(key);
  travel(minutes(1) + 1_000);
  await browser.submit({ code: sixDigits(key) });
  expect(refusalOn(browser)).toBe('enrollment-expired');
  expect(keyOn(browser)).not.toBe(key);
  await browser.submit({ code: sixDigits(key) });
  expect(refusalOn(browser)).toBe('wrong-code');
  await expectNoAuthenticator(email);
});

test('T18 once connected, key and QR code are shown nowhere', async () => {
  const { email } = await hemma.account({ email: 'irma@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  const enrolment = browser.screen;
  expect(enrolment.headers['cache-control']).toBe('no-store');
  const key = keyOn(browser);
  const link = enrolment.page.querySelectorAll('a').map((one) => one.getAttribute('href') ?? '');
  expect(scan(link.find((href) => href.startsWith('otpauth:')) ?? '').key).toBe(key);
  const bodies: string[] = [];
  const see = async (address: URL | string) => bodies.push((await browser.visit(address)).body);
  await browser.submit({ code: sixDigits(key) });
  bodies.push(browser.screen.body);
  await see(enrolment.url);
  const recoveryCode = recoveryCodeOn(browser);
  await browser.submit({ lastGroup: recoveryCode.slice(-4) });
  for (const address of [enrolment.url, hemma.url('/account')]) await see(address);
  await provePassword(browser, party, email, { prompt: 'login' });
  const signingIn = browser.screen.url;
  for (const step of ['totp', 'enrollment', 're-enrollment']) await see(new URL(step, signingIn));
  for (const body of bodies) {
    expect(body).not.toContain(key);
    expect(body).not.toMatch(/otpauth:|data-key|class="qr"/);
  }
  for (const body of bodies.slice(2)) expect(body).not.toContain(recoveryCode);
});

test('T18 a new recovery code is good for nothing until its last group was typed back', async () => {
  const { email } = await hemma.account({ email: 'jenny@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  await browser.submit({ code: sixDigits(keyOn(browser)) });
  const code = recoveryCodeOn(browser);
  for (const lastGroup of ['', 'AAAA', code.slice(0, 4), code.slice(-3), `${code.slice(-4)}0`, '%%%%']) {
    await browser.submit({ lastGroup });
    expect([lastGroup, browser.screen.step, gotIn(browser)]).toEqual([lastGroup, 'new-recovery-code', false]);
    expect(recoveryCodeOn(browser)).toBe(code);
  }
  const { action, body } = fillIn(browser.screen.page, browser.screen.url, {
    lastGroup: code.slice(-4).toLowerCase(),
  });
  expect(action.href + browser.screen.url.href).not.toContain(code.slice(-4));
  const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
  const answer = await browser.request(action, { method: 'POST', body: body.toString(), headers });
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toContain('/auth/');
});
