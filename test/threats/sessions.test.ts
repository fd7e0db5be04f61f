/** Cookies that were planted, copied or kept: what they are worth before and after each authentication. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import type { Cookie } from '../rig/cookies.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { connectPhone, gotIn, newPerson, nextStep, provePassword, signIn } from './sign-in.ts';

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

const isSession = ({ name }: Cookie) => /hemma-session(\.sig)?$/.test(name);
const sessionOf = (browser: Visitor) => browser.cookies.all().filter(isSession);
const identifierOf = (browser: Visitor) =>
  sessionOf(browser).find(({ name }) => !name.endsWith('.sig'))?.value;
const deviceOf = (browser: Visitor) =>
  browser.cookies.all().find(({ name }) => name.endsWith('hemma-device'));

/** Whose My details the cookies open; undefined where they lead to the password. */
async function opens(stolen: readonly Cookie[]): Promise<string | undefined> {
  const thief = newVisitor({ stolen });
  const screen = await thief.visit(hemma.url('/account'));
  return screen.step === 'account' ? />([^<>\s]+@example\.com)</.exec(screen.body)?.[1] : undefined;
}

test('T14 the identifier is new at sign-in, at re-authentication and at step-up, and every older one is dead', async () => {
  const { email } = await hemma.account({ email: 'astrid@example.com', twoStepRequired: false });
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  const stages = [sessionOf(browser)];
  await browser.submit({ email, password: PASSWORD });
  expect(gotIn(browser)).toBe(true);
  stages.push(sessionOf(browser));
  await provePassword(browser, party, email, { prompt: 'login' });
  expect(gotIn(browser)).toBe(true);
  stages.push(sessionOf(browser));
  await provePassword(browser, party, email, { acr_values: 'urn:hemma:2' });
  await connectPhone(browser);
  expect(gotIn(browser)).toBe(true);
  const now = sessionOf(browser);
  const values = [...stages, now].map((stage) => stage.find(({ name }) => !name.endsWith('.sig'))?.value);
  const seen = values.filter((value) => value !== undefined);
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(new Set(seen).size).toBe(seen.length);
  for (const stage of stages) expect(await opens(stage)).toBeUndefined();
  expect(await opens(now)).toBe(email);
});

test('SECURITY 2, T14 the identifier of between the two factors is worth nothing, before and after the second', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil@example.com' });
  const browser = newVisitor();
  nextStep();
  await provePassword(browser, party, bodil.email);
  const half = sessionOf(browser);
  expect(await opens(half)).toBeUndefined();
  await browser.submit({ code: sixDigits(bodil.key) });
  expect(gotIn(browser)).toBe(true);
  expect(await opens(half)).toBeUndefined();
  expect(identifierOf(browser)).not.toBe(half.find(({ name }) => !name.endsWith('.sig'))?.value);
});

test('T14 a made-up session cookie is not taken over', async () => {
  const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
  const planted = 'planted-session-of-a-thief';
  const victim = newVisitor();
  victim.cookies.plant(new URL(hemma.issuer), 'hemma-session', planted);
  victim.cookies.plant(new URL(hemma.issuer), 'hemma-session.sig', 'A'.repeat(27));
  await signIn(victim, party, cecilia);
  expect(gotIn(victim)).toBe(true);
  expect(identifierOf(victim)).not.toBe(planted);
  const thief = newVisitor();
  thief.cookies.plant(new URL(hemma.issuer), 'hemma-session', planted);
  await thief.visit(hemma.url('/account'));
  expect(thief.screen.step).toBe('password');
});

test("T14 a thief's own session, planted before the victim signs in, is dead afterwards", async () => {
  const thief = await newPerson(hemma, party, { email: 'malin@example.com' });
  const victim = await newPerson(hemma, party, { email: 'doris@example.com' });
  const planted = sessionOf(thief.browser);
  const browser = newVisitor({ stolen: planted });
  await provePassword(browser, party, victim.email, { prompt: 'login' });
  // One page asks first: signing in as somebody else ends the session that is there.
  expect(browser.screen.step).toBe('other-account');
  expect(browser.screen.text).toContain(thief.email);
  nextStep();
  await browser.submit({}, 'choice=switch');
  await browser.submit({ code: sixDigits(victim.key) });
  expect(gotIn(browser)).toBe(true);
  expect(await opens(sessionOf(browser))).toBe(victim.email);
  expect(await opens(planted)).toBeUndefined();
});

test("T14 an anonymous sign-in that a thief began and planted ends in the victim's browser alone", async () => {
  const elsa = await newPerson(hemma, party, { email: 'elsa@example.com' });
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const { url } = thief.screen;
  const victim = newVisitor({ stolen: thief.cookies.all() });
  await victim.visit(url);
  nextStep();
  await victim.submit({ email: elsa.email, password: PASSWORD });
  await victim.submit({ code: sixDigits(elsa.key) });
  expect(gotIn(victim)).toBe(true);
  // The value that the thief kept leads to the beginning of a sign-in in which nothing is verified.
  await thief.visit(url);
  expect(thief.screen.step).toBe('password');
  expect(thief.screen.url.pathname).not.toBe(url.pathname);
  expect(thief.screen.body).not.toContain(elsa.email);
  await thief.visit(hemma.url('/account'));
  expect(thief.screen.step).toBe('password');
});

test('T14 a sign-out ends the identifier for whoever copied it', async () => {
  const fia = await newPerson(hemma, party, { email: 'fia@example.com' });
  const copy = sessionOf(fia.browser);
  expect(await opens(copy)).toBe(fia.email);
  await fia.browser.visit(hemma.url('/session/end'));
  await fia.browser.submit({}, 'logout=yes');
  expect(await opens(copy)).toBeUndefined();
});

test('T14 a copied session dies with its hour and its day, however often it is used', async () => {
  const greta = await newPerson(hemma, party, { email: 'greta@example.com' });
  const copy = sessionOf(greta.browser);
  for (let hour = 0; hour < 13; hour++) {
    travel(46 * 60_000);
    expect(await opens(copy)).toBe(greta.email);
  }
  travel(5 * 60_000);
  expect(await opens(copy)).toBeUndefined();
});

test.each([
  ['made up', 'thiefs-own-device-token-0123456789'],
  ['taken from a browser of the thief', undefined],
])(
  'T14 a device cookie that a thief planted (%s) does not remember the victim for the thief',
  async (how, value) => {
    const thief = await newPerson(hemma, party, { email: `thief-${how.length}@example.com` });
    const victim = await newPerson(hemma, party, { email: `victim-${how.length}@example.com` });
    const planted = { ...deviceOf(thief.browser), ...(value ? { value } : {}) } as Cookie;
    const browser = newVisitor({ stolen: [planted] });
    nextStep();
    await provePassword(browser, party, victim.email);
    await browser.submit({ code: sixDigits(victim.key), rememberDevice: 'yes' });
    expect(gotIn(browser)).toBe(true);
    const attacker = newVisitor({ stolen: [planted] });
    await provePassword(attacker, party, victim.email);
    expect(attacker.screen.step).toBe('totp');
  },
);

test('SECURITY 11, 54, T14 a remembered device stands in for thirty days, never for a step-up or a fresh sign-in', async () => {
  const hilma = await newPerson(hemma, party, { email: 'hilma@example.com' });
  nextStep();
  const browser = newVisitor();
  await provePassword(browser, party, hilma.email);
  await browser.submit({ code: sixDigits(hilma.key), rememberDevice: 'yes' });
  const remembered = deviceOf(browser);
  const asked = async (parameters: Record<string, string>, withSession: boolean) => {
    const again = withSession ? browser : newVisitor({ stolen: remembered ? [remembered] : [] });
    await provePassword(again, party, hilma.email, parameters);
    return again.screen.step;
  };
  expect(await asked({}, false)).toBe('back');
  expect(await asked({ acr_values: 'urn:hemma:2' }, false)).toBe('totp');
  expect(await asked({ prompt: 'login' }, true)).toBe('totp');
  travel(days(31));
  expect(await asked({}, false)).toBe('totp');
});

test('T14 a device is remembered only where the form that was right asked for it', async () => {
  const irma = await newPerson(hemma, party, { email: 'irma@example.com' });
  nextStep();
  const browser = newVisitor();
  await provePassword(browser, party, irma.email);
  await browser.submit({ code: wrongDigits(irma.key), rememberDevice: 'yes' });
  await browser.submit({ code: sixDigits(irma.key), rememberDevice: null });
  expect(gotIn(browser)).toBe(true);
  await browser.visit(hemma.url('/account'));
  expect(browser.screen.page.querySelectorAll('[data-device]')).toHaveLength(0);
});
