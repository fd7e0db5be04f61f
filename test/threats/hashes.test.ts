/** Passwords: how they are hashed, how much of them counts, and which are taken. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { deedUrl } from '../new-phone-threats/people.ts';
import { newPerson, nextStep, provePassword, refusalOn } from './sign-in.ts';

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

/** `PASSWORD`, hashed by the npm package argon2 0.45.1; it writes the parameters in an order of its own. */
const vectors = {
  'our cost':
    '$argon2id$v=19$m=19456,p=1,t=2$FCINI2shjAkoDiCE2A7pnA$nCieMogcD+vqeoazfW/MI8RM10n/2PIVZKRptbvcUcY',
  'its own default cost':
    '$argon2id$v=19$m=65536,p=4,t=3$5J28Ht7AY75c/n8jHA+42g$9c3WCCMovnc1Ygsv5XlLF5srX2E450gH79C5O5bA6TY',
  argon2i: '$argon2i$v=19$m=16384,p=1,t=3$i5Bpd15JPjdKAlWPN4Rapg$4doUlzBrfpA2Hf0fOgMoXQPQ0bK/gSrhH1vBpfx403c',
};

async function hashOf(id: string): Promise<string> {
  const { rows } = await hemma.db.query<{ hash: string }>(
    'SELECT password_hash AS hash FROM accounts WHERE id = $1',
    [id],
  );
  return rows[0]?.hash ?? '';
}

test.each(Object.entries(vectors))(
  'R5 a hash of the package argon2 with %s verifies, and stands in our form after the next sign-in',
  async (name, vector) => {
    const email = `${name.replaceAll(' ', '-')}@example.com`;
    const { id } = await hemma.account({ email });
    await hemma.db.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [id, vector]);
    const thief = newVisitor();
    await thief.visit((await party.begin()).url);
    await thief.submit({ email, password: `${PASSWORD}.` });
    expect(refusalOn(thief)).toBe('wrong-password');
    expect(await hashOf(id)).toBe(vector);
    const owner = newVisitor();
    await provePassword(owner, party, email);
    expect(owner.screen.step).toBe('enrollment');
    const renewed = await hashOf(id);
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await provePassword(newVisitor(), party, email);
    expect(await hashOf(id)).toBe(renewed);
  },
);

test('SECURITY 13, R2 a long password counts to its last letter, and composed and decomposed letters are the same', async () => {
  const long = `${'å'.repeat(120)} slut`;
  const email = 'long@example.com';
  await hemma.account({ email, password: long });
  const tried = async (password: string) => {
    const browser = newVisitor();
    await browser.visit((await party.begin()).url);
    await browser.submit({ email, password });
    return browser.screen.step;
  };
  expect(await tried(`${long.slice(0, -1)}T`)).toBe('password');
  expect(await tried(long.slice(0, 100))).toBe('password');
  expect(await tried(`${long} `)).toBe('password');
  expect(await tried(long.normalize('NFD'))).toBe('enrollment');
  expect(await tried(long)).toBe('enrollment');
});

test('SECURITY 13 the longest address with a password of 128 characters: only all of both opens', async () => {
  const address = (end: string) =>
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}${end}.se`;
  // Both addresses have the longest length that mail knows and differ in a letter, as their passwords do.
  const [one, other] = [address('x'), address('y')];
  expect(one).toHaveLength(254);
  const begins = 'sjö och skog, '.repeat(10).slice(0, 127);
  await hemma.account({ email: one, password: `${begins}1` });
  await hemma.account({ email: other, password: `${begins}2` });
  const tried = async (email: string, password: string) => {
    const browser = newVisitor();
    await browser.visit((await party.begin()).url);
    const { status, step } = await browser.submit({ email, password });
    return [status, step];
  };
  const refused = [422, 'password'];
  expect(await tried(one, `${begins}2`)).toEqual(refused);
  expect(await tried(one, `${begins}3`)).toEqual(refused);
  expect(await tried(one, begins)).toEqual(refused);
  // 72 bytes is where bcrypt stops reading.
  expect(await tried(one, Buffer.from(begins).subarray(0, 72).toString())).toEqual(refused);
  expect(await tried(one, 'x')).toEqual(refused);
  for (const email of [`x${one}`, `${one}x`, `${'a'.repeat(245)}@example.se`])
    expect([email, ...(await tried(email, `${begins}1`))]).toEqual([email, ...refused]);
  expect(await tried(one, `${begins}1`)).toEqual([200, 'enrollment']);
  expect(await tried(other, `${begins}2`)).toEqual([200, 'enrollment']);
});

/** Whoever the page is left out by sends it like this. */
async function expectRefused(browser: Visitor, password: string, refusal: string): Promise<void> {
  await browser.submit({ password });
  expect([password, browser.screen.step, browser.screen.status, refusalOn(browser)]).toEqual([
    password,
    'new-password',
    422,
    refusal,
  ]);
}

test('SECURITY 6 the rules for a new password are the server’s, for accounts with a phone and without', async () => {
  const bodil = await newPerson(hemma, party, { email: 'bodil.berg@example.com' });
  nextStep();
  const two = newVisitor();
  await two.visit(deedUrl(hemma, 'change_password'));
  await two.submit({ email: bodil.email, password: PASSWORD });
  await two.submit({ code: sixDigits(bodil.key) });
  const { email } = await hemma.account({ email: 'cesar.berg@example.com', twoStepRequired: false });
  const one = newVisitor();
  await one.visit(deedUrl(hemma, 'change_password'));
  await one.submit({ email, password: PASSWORD });
  await expectRefused(two, 'sju-tkn', 'password-too-short');
  await expectRefused(one, 'fjorton tecken', 'password-too-short');
  for (const browser of [one, two]) {
    await expectRefused(browser, 'e'.repeat(257), 'password-too-long');
    await expectRefused(browser, browser === one ? email : 'password1', 'password-too-common');
  }
  await expectRefused(two, bodil.email.toUpperCase(), 'password-too-common');
  for (const account of [email, bodil.email]) {
    const still = newVisitor();
    await provePassword(still, party, account);
    expect(still.screen.step).not.toBe('password');
  }
  await two.submit({ password: 'åtta tkn' });
  expect(two.screen.url.pathname).toBe('/account');
});
