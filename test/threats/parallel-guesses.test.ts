/** Guessing with force: hundreds of guesses before the first is answered, and guesses whose request fails. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clientsTopic } from '../../src/clients/clients.ts';
import { back } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { auditOf } from './audit.ts';
import { asForm } from './hostile.ts';
import { gotIn, newPerson, nextStep, provePassword, refusalOn } from './sign-in.ts';

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

/** Sends the form in front of a browser without waiting for anything, each time from another address. */
function fire(browser: Visitor, number: number, fields: Record<string, string>) {
  const { action, body } = fillIn(browser.screen.page, browser.screen.url, fields);
  const headers = {
    ...asForm,
    'sec-fetch-site': 'same-origin',
    'x-forwarded-for': `203.0.${113 + Math.floor(number / 250)}.${1 + (number % 250)}`,
  };
  return browser.request(action, { method: 'POST', body: body.toString(), headers });
}

const count = (rows: readonly { event: string }[], event: string) =>
  rows.filter((row) => row.event === event).length;

test('T6 of two hundred codes guessed at once, five at most are looked at', async () => {
  const astrid = await newPerson(hemma, party, { email: 'astrid@example.com' });
  nextStep();
  const first = newVisitor();
  const browsers = [first, newVisitor(), newVisitor(), newVisitor()];
  for (const browser of browsers) await provePassword(browser, party, astrid.email);
  const code = wrongDigits(astrid.key);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, round) =>
      browsers.map((browser, at) => fire(browser, round * 4 + at, { code })),
    ).flat(),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([422, 429]));
  const rows = await auditOf(hemma, astrid.email);
  expect(count(rows, 'totp.wrong')).toBe(5);
  // One of a minute is recorded, and two where the minute ended in between; all are counted as refused attempts.
  expect([1, 2]).toContain(count(rows, 'totp.throttled'));
  expect((await fire(first, 201, { code: sixDigits(astrid.key) })).status).toBe(429);
});

test('T6 of two hundred passwords guessed at once, ten at most are looked at', async () => {
  const { email } = await hemma.account({ email: 'bodil@example.com' });
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const guesses = Array.from({ length: 200 }, (_, number) =>
    fire(thief, number, { email, password: `guess ${number}` }),
  );
  const answers = await Promise.all(guesses);
  // Where the machine is slow some are turned away before anything is counted: they would have waited for too long.
  const statuses = answers.map(({ status }) => status);
  const turnedAway = statuses.filter((status) => status === 503).length;
  expect(statuses.filter((status) => ![422, 429, 503].includes(status))).toEqual([]);
  expect(statuses.filter((status) => status === 429)).toHaveLength(190 - turnedAway);
  const rows = await auditOf(hemma, email);
  expect(count(rows, 'password.wrong')).toBe(10);
  expect([1, 2]).toContain(count(rows, 'password.throttled'));
  expect((await fire(thief, 201, { email, password: PASSWORD })).status).toBe(429);
});

test('SECURITY 12, T6 a guess whose request then fails is still counted, and nothing fails open', async () => {
  const cecilia = await newPerson(hemma, party, { email: 'cecilia@example.com' });
  nextStep();
  const browser = newVisitor();
  await provePassword(browser, party, cecilia.email);
  const { page, url } = browser.screen;
  // A seed that was tampered with makes every verification fail half-way.
  const { rows } = await hemma.db.query<{ sealed_secret: Buffer }>(
    'SELECT sealed_secret FROM authenticators WHERE account_id = $1',
    [cecilia.id],
  );
  const put = (sealed: Buffer | undefined) =>
    hemma.db.query('UPDATE authenticators SET sealed_secret = $2 WHERE account_id = $1', [
      cecilia.id,
      sealed,
    ]);
  await put(Buffer.concat([rows[0]?.sealed_secret.subarray(0, 4) ?? Buffer.alloc(4), Buffer.alloc(76)]));
  const { action, body } = fillIn(page, url, { code: sixDigits(cecilia.key) });
  const headers = { ...asForm, 'sec-fetch-site': 'same-origin' };
  for (let guess = 1; guess <= 5; guess++) {
    const answer = await browser.request(action, { method: 'POST', body: body.toString(), headers });
    expect([guess, answer.status, answer.headers.location]).toEqual([guess, 500, undefined]);
    expect(answer.body).not.toMatch(/HEMMA_SECRET_KEYS|authenticator:|Error/);
  }
  await put(rows[0]?.sealed_secret);
  await browser.submit({ code: sixDigits(cecilia.key) });
  expect(gotIn(browser)).toBe(false);
  expect(browser.screen.status).toBe(429);
});

test('T6 a password guess whose request then fails is still counted', async () => {
  const { id, email } = await hemma.account({ email: 'doris@example.com' });
  const { rows } = await hemma.db.query<{ password_hash: string }>(
    'SELECT password_hash FROM accounts WHERE id = $1',
    [id],
  );
  const put = (hash: string | undefined) =>
    hemma.db.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [id, hash]);
  await put('not a hash');
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  for (let guess = 1; guess <= 10; guess++) {
    const answer = await fire(thief, 300 + guess, { email, password: PASSWORD });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  await put(rows[0]?.password_hash);
  await thief.submit({ email, password: PASSWORD });
  expect(refusalOn(thief)).toBe('throttled');
});

const tables =
  `accounts authenticators recovery_codes proofs deeds sign_in_choices mailed_codes attempts devices
  audit clients oidc_records`.split(/\s+/);

test('SECURITY 12 with any table out of reach even right secrets let nobody in', async () => {
  const elsa = await newPerson(hemma, party, { email: 'elsa@example.com' });
  for (const table of tables) {
    nextStep();
    const [atPassword, atDigits] = [newVisitor(), newVisitor()];
    await atPassword.visit((await party.begin()).url);
    await provePassword(atDigits, party, elsa.email);
    await hemma.db.query(`ALTER TABLE ${table} RENAME TO away`);
    // What is kept of applications for a while is forgotten: as in a process that has just begun.
    await hemma.db.announce(clientsTopic);
    const answers = [];
    try {
      const password = await fire(atPassword, 400, { email: elsa.email, password: PASSWORD });
      // A browser that was never here before has no row among the devices to be looked for.
      if (table !== 'devices') answers.push(password);
      // What cannot be counted is not looked at: a wrong guess is not even told that it is wrong.
      if (table === 'attempts') answers.push(await fire(atDigits, 402, { code: wrongDigits(elsa.key) }));
      answers.push(await fire(atDigits, 401, { code: sixDigits(elsa.key) }));
    } finally {
      await hemma.db.query(`ALTER TABLE away RENAME TO ${table}`);
    }
    for (const { status, headers, body } of answers) {
      const { location, 'set-cookie': cookies } = headers;
      expect([table, status, location, cookies]).toEqual([table, 500, undefined, undefined]);
      expect(body).not.toMatch(/relation|SELECT|Error/);
    }
  }
});
