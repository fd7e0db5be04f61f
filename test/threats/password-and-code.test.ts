/** A throttled password together with an emailed code: what it lets through, and what it does not tell. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, days, hours, minutes, seconds, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { gotIn, nextStep, provePassword, refusalOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

let networks = 0;
/** A new browser in a network of its own. */
function stranger(): Visitor {
  networks += 1;
  const address = `198.18.${Math.floor(networks / 250)}.${1 + (networks % 250)}`;
  return newVisitor({ headers: { 'x-forwarded-for': address } });
}

const codeTo = async (email: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
const wrong = (code: string) => (code.startsWith('1') ? '2222 2222' : '1111 1111');

/** Spends the password's budget, which then pauses for half a minute; answers a browser on the page that says so. */
async function throttled(email: string): Promise<Visitor> {
  const browser = stranger();
  await browser.visit((await party.begin()).url);
  for (let guess = 1; guess <= 11; guess++) await browser.submit({ email, password: `wrong ${guess}` });
  expect(browser.screen).toMatchObject({ status: 429, step: 'password', refusal: 'throttled' });
  return browser;
}

/** The page on which password and code are typed, with a code on its way. */
async function withCode(email: string): Promise<Visitor> {
  const browser = await throttled(email);
  await browser.submit({}, 'Mejla mig en kod');
  expect(browser.screen).toMatchObject({ status: 200, step: 'password-and-code' });
  return browser;
}

const account = (email: string) => hemma.account({ email, twoStepRequired: false });

test('lets the owner in with password and code, and with neither alone', async () => {
  const { email } = await account('astrid@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  const page = browser.screen;
  for (const fields of [
    { password: PASSWORD, code: wrong(code) },
    { password: 'not this', code },
    { password: '', code },
    { password: PASSWORD, code: '' },
  ]) {
    browser.backTo(page);
    await browser.submit(fields);
    expect(browser.screen).toMatchObject({ status: 422, step: 'password-and-code' });
  }
  await browser.submit({ password: PASSWORD, code });
  expect(gotIn(browser)).toBe(true);
});

test('never says which half was wrong: the same page, status and size', async () => {
  const { email } = await account('berit@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  const page = browser.screen;
  const seen: unknown[] = [];
  for (const [password, typed] of [
    [PASSWORD, wrong(code)],
    ['not this', code],
    ['not this', wrong(code)],
  ] as const) {
    browser.backTo(page);
    const { status, body } = await browser.submit({ password, code: typed });
    seen.push([status, body]);
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).toEqual(seen[0]);
  const rows = (await auditOf(hemma, email)).filter(({ event }) => event === 'password.wrong');
  expect(rows).toHaveLength(10 + 3);
  expect(new Set(rows.slice(-3).map(({ detail }) => JSON.stringify(detail))).size).toBe(1);
});

test('voids the code at the fifth wrong pair, and says so in no other way', async () => {
  const { email } = await account('cilla@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  const page = browser.screen;
  const type = async (password: string, typed: string) => {
    browser.backTo(page);
    const { status, body } = await browser.submit({ password, code: typed });
    return [status, body];
  };
  const first = await type('wrong', code);
  for (let pair = 2; pair <= 5; pair++) expect(await type(PASSWORD, wrong(code))).toEqual(first);
  expect(await type(PASSWORD, code)).toEqual(first);
  // A new code lets the owner in.
  travel(seconds(61));
  browser.backTo(page);
  await browser.submit({}, 'Skicka en ny kod');
  expect(browser.screen).toMatchObject({ status: 200, step: 'password-and-code' });
  await browser.submit({ password: PASSWORD, code: await codeTo(email) });
  expect(gotIn(browser)).toBe(true);
});

test('verifies five of two hundred pairs that are sent at once (T6)', async () => {
  const { email } = await account('dagny@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  const { action, body } = fillIn(browser.screen.page, browser.screen.url, {
    password: PASSWORD,
    code: wrong(code),
  });
  const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
  const send = () => browser.request(action, { method: 'POST', body: body.toString(), headers });
  const answers = await Promise.all(Array.from({ length: 200 }, send));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422]));
  const rows = await auditOf(hemma, email);
  const pairs = rows.filter(({ event, detail }) => event === 'password.wrong' && detail['emailedCode']);
  expect(pairs).toHaveLength(5);
}, 120_000);

test('takes a code once, in the sign-in that asked for it, and for ten minutes', async () => {
  const { email } = await account('elin@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  const { action, body } = fillIn(browser.screen.page, browser.screen.url, { password: PASSWORD, code });
  // Another sign-in, of the same browser or of another.
  const thief = stranger();
  await thief.visit((await party.begin()).url);
  await thief.visit(new URL('password-and-code', thief.screen.url));
  await thief.submit({ email, password: PASSWORD, code });
  expect(refusalOn(thief)).toBe('wrong-password-or-code');
  const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
  const send = () => browser.request(action, { method: 'POST', body: body.toString(), headers });
  await Promise.all(Array.from({ length: 5 }, send));
  const right = (await auditOf(hemma, email)).filter(({ event }) => event === 'password.right');
  expect(right).toHaveLength(1);

  const { email: other } = await account('elsa@example.com');
  const late = await withCode(other);
  const old = await codeTo(other);
  travel(minutes(10) + seconds(1));
  await throttled(other);
  await late.submit({ password: PASSWORD, code: old });
  expect(refusalOn(late)).toBe('wrong-password-or-code');
});

test('proves the password alone: no second factor, no mailbox, no higher acr', async () => {
  const { email } = await account('fia@example.com');
  const browser = await throttled(email);
  const begun = await party.begin({ acr_values: 'urn:hemma:1' });
  await browser.visit(begun.url);
  await browser.submit({ email, password: PASSWORD });
  await browser.submit({}, 'Mejla mig en kod');
  await browser.submit({ password: PASSWORD, code: await codeTo(email) });
  const { id_token: token = '' } = await party.redeem(begun, browser.screen.url);
  expect(decodeJwt(token)).toMatchObject({ acr: 'urn:hemma:1', amr: ['pwd'] });
  // Outside the enrollment window the mailbox is asked again before a first phone: this code did not prove it.
  const { email: late } = await hemma.account({ email: 'frida@example.com' });
  travel(days(8));
  const other = await withCode(late);
  await other.submit({ password: PASSWORD, code: await codeTo(late) });
  expect(other.screen.step).toBe('mailed-code');
});

test('keeps its codes apart from those of a forgotten password', async () => {
  const { email } = await account('gerda@example.com');
  const browser = await withCode(email);
  const code = await codeTo(email);
  await browser.visit(new URL('forgotten-password', browser.screen.url));
  await browser.submit({ email });
  const forgotten = await codeTo(email);
  await browser.submit({ code });
  expect(browser.screen).toMatchObject({ step: 'mailed-code', refusal: 'wrong-mailed-code' });
  await browser.visit(new URL('password-and-code', browser.screen.url));
  await browser.submit({ password: PASSWORD, code: forgotten });
  expect(refusalOn(browser)).toBe('wrong-password-or-code');
  await browser.submit({ password: PASSWORD, code });
  expect(gotIn(browser)).toBe(true);
});

test("rejects another user's password with it", async () => {
  const [owner, thief] = [await account('hilda@example.com'), await account('hugo@example.com')];
  const browser = await withCode(thief.email);
  const code = await codeTo(thief.email);
  await browser.submit({ email: owner.email, password: PASSWORD, code });
  expect(refusalOn(browser)).toBe('wrong-password-or-code');
  await browser.submit({ email: thief.email, password: PASSWORD, code });
  expect(gotIn(browser)).toBe(true);
});

test('does not make guessing faster: 30 pairs a network in an hour', async () => {
  const { email } = await account('irma@example.com');
  const browser = await throttled(email);
  const end = Date.now() + hours(1);
  let pairs = 0;
  while (Date.now() < end) {
    await browser.visit((await party.begin()).url);
    await browser.visit(new URL('password-and-code', browser.screen.url));
    await browser.post(browser.screen.url, { ...tokenOf(browser), email, send: 'yes' });
    if (refusalOn(browser) === 'throttled') {
      travel(seconds(Number(browser.screen.headers['retry-after'])));
      continue;
    }
    for (let pair = 0; pair < 6; pair++) {
      await browser.submit({ email, password: `guess ${pairs}`, code: '1111 1111' });
      pairs += 1;
    }
  }
  const rows = await auditOf(hemma, email);
  const verified = rows.filter(({ event, detail }) => event === 'password.wrong' && detail['emailedCode']);
  expect(verified.length).toBeLessThanOrEqual(30);
  expect(pairs).toBeGreaterThan(verified.length);
}, 120_000);

const tokenOf = ({ screen }: Visitor) => ({
  token: screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '',
});

test('stays closed where a password was proved, and to other sites', async () => {
  const { email } = await hemma.account({ email: 'klara@example.com' });
  const browser = stranger();
  await provePassword(browser, party, email);
  await browser.visit(new URL('password-and-code', browser.screen.url));
  expect(browser.screen.step).toBe('enrollment');
  const other = stranger();
  await other.visit((await party.begin()).url);
  const target = new URL('password-and-code', other.screen.url);
  await other.post(target, { ...tokenOf(other), email, send: 'yes' }, { 'sec-fetch-site': 'cross-site' });
  expect(other.screen.status).toBe(403);
  await other.visit((await party.begin()).url);
  await other.post(new URL('password-and-code', other.screen.url), { email, send: 'yes' });
  expect(other.screen).toMatchObject({ status: 403, refusal: 'form-expired' });
  const { count } = await hemma.db.query("SELECT 1 FROM mails WHERE recipient = $1 AND kind LIKE '%-code'", [
    email,
  ]);
  expect(count).toBe(0);
});
