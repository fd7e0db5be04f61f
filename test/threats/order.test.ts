/** Steps out of order, steps of somebody else, and sign-ins opened where they did not begin. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';
import { gotIn, keyOn, newPerson, nextStep, type Person, provePassword, recoveryCodeOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
let victim: Person;
let thief: Person;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  nextStep();
  victim = await newPerson(hemma, party, { email: 'astrid@example.com' });
  thief = await newPerson(hemma, party, { email: 'malin@example.com' });
});
afterAll(async () => {
  back();
  await party.stop();
  await hemma.stop();
});
// The two people are the file's: time only goes forward, so that no test meets digits that another has used.
beforeEach(() => nextStep(3));

const tokenOn = ({ screen }: Visitor) =>
  screen.page.querySelector('main [name=token]')?.getAttribute('value') ?? '';

const everyField = (token: string) => ({
  token,
  email: thief.email,
  password: PASSWORD,
  choice: 'allow',
  lastGroup: '',
  phoneGone: 'yes',
  code: sixDigits(thief.key),
  again: 'yes',
  rememberDevice: 'yes',
  login: '{}',
  result: '{}',
});

const steps = `password totp another-way recovery-code new-recovery-code enrollment re-enrollment
  mailed-code help-desk password-and-code forgotten-password new-password new-email other-account consent
  confirm finish abort login .. constructor __proto__ toString`.split(/\s+/);

test('T12 before the password, no other step takes anything or shows anything', async () => {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  const { url } = browser.screen;
  const token = tokenOn(browser);
  // The page of a forgotten password stands open beside: it takes an address, mails a code there, and proves nothing.
  const open = new Set(['password', 'problem', 'forgotten-password', 'password-and-code', 'mailed-code']);
  const others = steps.filter((one) => !['password', 'forgotten-password'].includes(one));
  for (const step of [...others, 'forgotten-password']) {
    const target = `${url.origin}${url.pathname.replace(/password$/, encodeURIComponent(step))}`;
    browser.backTo(browser.screen);
    await browser.visit(target);
    expect([step, open.has(browser.screen.step ?? '')]).toEqual([step, true]);
    await browser.post(target, everyField(token));
    expect([step, open.has(browser.screen.step ?? '')]).toEqual([step, true]);
    expect(keyOn(browser) + recoveryCodeOn(browser)).toBe('');
  }
});

test('SECURITY 2, 8, T12 after the password alone, no other step leads past the six digits', async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  const { url } = browser.screen;
  const token = tokenOn(browser);
  // The other ways to prove what is asked for stand open beside the six digits, and take nothing but their own proof.
  const open = new Set(['totp', 'problem', 'another-way', 'recovery-code', 'help-desk']);
  for (const step of steps.filter((one) => one !== 'totp')) {
    const target = `${url.origin}${url.pathname.replace(/totp$/, encodeURIComponent(step))}`;
    await browser.visit(target);
    expect([step, open.has(browser.screen.step ?? '')]).toEqual([step, true]);
    await browser.post(target, everyField(token));
    expect([step, open.has(browser.screen.step ?? '')]).toEqual([step, true]);
    await browser.post(target, { ...everyField(token), choice: 'switch', lastGroup: victim.recoveryCode });
    expect([step, open.has(browser.screen.step ?? '')]).toEqual([step, true]);
  }
  await browser.visit(hemma.url('/account'));
  expect(browser.screen.step).toBe('password');
});

test('SECURITY 2, T12 the way back to the application leads nowhere before the last proof', async () => {
  const browser = newVisitor();
  const { url } = await provePassword(browser, party, victim.email);
  const uid = browser.screen.url.pathname.split('/')[2] ?? '';
  for (const address of [`/auth/${uid}`, `/interaction/${uid}`, `/interaction/${uid}/`]) {
    await browser.visit(hemma.url(address));
    expect(gotIn(browser)).toBe(false);
  }
  await browser.visit(`${url}&prompt=none`);
  expect(browser.screen.url.searchParams.get('error')).toBe('login_required');
});

test("T12 a thief's own proofs do not finish the victim's sign-in, in whatever order", async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  const passwordPage = browser.screen.url.href.replace(/totp$/, 'password');
  const token = tokenOn(browser);
  // The digits are the thief's, the password was the victim's.
  await browser.submit({ code: sixDigits(thief.key) });
  expect(browser.screen).toMatchObject({ step: 'totp', status: 422 });
  // And a second password page in the same sign-in changes nobody.
  await browser.post(passwordPage, { token, email: thief.email, password: PASSWORD });
  expect(browser.screen.step).toBe('totp');
  expect(browser.screen.text).toContain(victim.email);
  await browser.submit({ code: sixDigits(thief.key) });
  expect(gotIn(browser)).toBe(false);
});

test('T12 a step that is done is not done again', async () => {
  const { email } = await hemma.account({ email: 'bodil@example.com' });
  const browser = newVisitor();
  await provePassword(browser, party, email);
  const enrolment = browser.screen;
  const key = keyOn(browser);
  await browser.submit({ code: sixDigits(key) });
  expect(browser.screen.step).toBe('new-recovery-code');
  const code = recoveryCodeOn(browser);
  browser.backTo(enrolment);
  await browser.submit({ code: sixDigits(key, { step: 1 }) });
  expect(browser.screen.step).toBe('new-recovery-code');
  expect(recoveryCodeOn(browser)).toBe(code);
});

test('T13 a sign-in opened in another browser shows nothing and takes nothing', async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  const { url, page } = browser.screen;
  const { body } = fillIn(page, url, { code: sixDigits(victim.key) });
  const elsewhere = newVisitor();
  await elsewhere.visit(url);
  expect(elsewhere.screen).toMatchObject({ status: 404, step: 'problem' });
  expect(elsewhere.screen.body).not.toContain(victim.email);
  const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
  const sent = await elsewhere.request(url, { method: 'POST', body: body.toString(), headers });
  expect(sent.status).toBe(404);
  await browser.submit({ code: sixDigits(victim.key) });
  expect(gotIn(browser)).toBe(true);
});

test("T13 a sign-in's address with the cookie of another sign-in is an error, both ways", async () => {
  const [one, other] = [newVisitor(), newVisitor()];
  await provePassword(one, party, victim.email);
  await provePassword(other, party, thief.email);
  const cookiesAt = (browser: Visitor) =>
    browser.cookies.all().filter(({ name }) => name.startsWith('hemma-signin-'));
  for (const [whose, where] of [
    [one, other],
    [other, one],
  ] as const) {
    const mixed = newVisitor();
    const { url } = where.screen;
    for (const { name, value } of cookiesAt(whose)) mixed.cookies.plant(url, name, value, '/');
    await mixed.visit(url);
    expect(mixed.screen).toMatchObject({ status: 404, step: 'problem' });
    await mixed.post(url, { token: tokenOn(where), code: sixDigits(victim.key) });
    expect(mixed.screen.status).toBeGreaterThanOrEqual(400);
  }
  expect(cookiesAt(one)).toHaveLength(1);
});

test('T13 a sign-in opens only for the value of its cookie, not for its uid or another value', async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  const { url } = browser.screen;
  const uid = url.pathname.split('/')[2] ?? '';
  const cookieOf = (one: Visitor) => one.cookies.all().find(({ name }) => name.startsWith('hemma-signin-'));
  const mine = cookieOf(browser);
  const foreign = newVisitor();
  await provePassword(foreign, party, thief.email);
  const values = [uid, '', cookieOf(foreign)?.value, mine?.value.slice(1), `${mine?.value}A`, 'A'.repeat(43)];
  for (const value of values) {
    const forger = newVisitor();
    forger.cookies.plant(url, mine?.name ?? '', value ?? '');
    // Cookies by which the library knows an interaction, which a sibling host could set.
    forger.cookies.plant(url, 'hemma-interaction', uid);
    forger.cookies.plant(url, 'hemma-resume', uid);
    await forger.visit(url);
    expect([value, forger.screen.status]).toEqual([value, 404]);
    const resumed = await forger.visit(hemma.url(`/auth/${uid}`));
    expect([value, resumed.step]).toEqual([value, 'problem']);
  }
});

test('T13 a finished sign-in is over: its pages, its way back and its form lead nowhere', async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  const { screen } = browser;
  nextStep(2);
  await browser.submit({ code: sixDigits(victim.key) });
  expect(gotIn(browser)).toBe(true);
  const uid = screen.url.pathname.split('/')[2] ?? '';
  for (const address of [screen.url.href, hemma.url(`/interaction/${uid}`), hemma.url(`/auth/${uid}`)]) {
    await browser.visit(address);
    expect([address, browser.screen.step]).toEqual([address, 'problem']);
    expect(browser.screen.status).toBeGreaterThanOrEqual(400);
    expect(browser.screen.status).toBeLessThan(500);
  }
  browser.backTo(screen);
  await browser.submit({ code: sixDigits(victim.key, { step: 1 }) });
  expect(browser.screen).toMatchObject({ status: 404, step: 'problem' });
});

test('T13 a sign-in is over after thirty minutes, whatever was proved in it', async () => {
  const browser = newVisitor();
  await provePassword(browser, party, victim.email);
  travel(minutes(31));
  nextStep();
  await browser.submit({ code: sixDigits(victim.key) });
  expect(browser.screen).toMatchObject({ status: 404, step: 'problem' });
});

test('T13 the cookies of a sign-in cannot be used once the person has signed in as somebody else', async () => {
  const shared = newVisitor();
  await provePassword(shared, party, thief.email);
  const waiting = shared.screen;
  const second = await party.begin();
  nextStep(2);
  await shared.visit(second.url);
  await shared.submit({ email: victim.email, password: PASSWORD });
  await shared.submit({ code: sixDigits(victim.key) });
  expect(gotIn(shared)).toBe(true);
  shared.backTo(waiting);
  await shared.submit({ code: sixDigits(thief.key) });
  expect(gotIn(shared)).toBe(false);
});
