/**
 * The same form sent twice: by a double click, from two tabs, over two processes. The first did it all, and the
 * second is answered the same; whatever a page shows once is the same however often it is asked for.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, keyOnPage, recoveryCodeOnPage, signInFirst, typePassword } from '../rig/ceremony.ts';
import type { Answer } from '../rig/exchange.ts';
import { fillIn } from '../rig/forms.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';
import { atSixDigits } from './six-digits.ts';
import { startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
let autopay: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  autopay = await startRelyingParty({ hemma: two });
});
afterEach(releaseAll);
afterAll(async () => {
  await autopay.stop();
  await two.stop();
});

/** Sends the form in front of the person and follows nothing: what a second click does before the page goes away. */
function click(visitor: Visitor, fields: Record<string, string>): Promise<Answer> {
  const { page, url } = visitor.screen;
  const { action, body } = fillIn(page, url, fields);
  return visitor.request(action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: body.toString(),
  });
}

/**
 * Two clicks in the worst order: the first has verified and waits with its write, the second has found the page
 * open; then the first is done before the second goes on.
 */
async function doubleClick(visitor: Visitor, fields: Record<string, string>, needed: string) {
  const write = await hold(two.databaseUrl, needed);
  const first = click(visitor, fields);
  await untilWaiting(two.databaseUrl, 1);
  const read = await hold(two.databaseUrl, 'LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
  const second = click(visitor, fields);
  await untilWaiting(two.databaseUrl, 2);
  await write.release();
  const done = await first;
  await read.release();
  return [done, await second] as const;
}

const whereTo = ({ status, headers, body }: Answer) =>
  `${status} ${headers.location ?? body.match(/data-refusal="[^"]*"/)?.[0] ?? 'a page'}`;

async function atEnrollment(email: string): Promise<Visitor> {
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  at('enrollment', await typePassword(visitor, email));
  return visitor;
}

async function atNewRecoveryCode(
  email: string,
): Promise<{ visitor: Visitor; key: string; recoveryCode: string }> {
  await two.account({ email });
  const visitor = await atEnrollment(email);
  const key = keyOnPage(visitor.screen);
  const screen = await visitor.submit({ code: sixDigits(key) });
  return { visitor, key, recoveryCode: recoveryCodeOnPage(screen) };
}

describe('a double click', () => {
  test('on the six digits signs in once and leads to the same place twice', async () => {
    await two.account({ email: 'astrid@example.com' });
    const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, 'astrid@example.com');
    const [visitor] = await atSixDigits(autopay, 'astrid@example.com', 1);
    if (!visitor) throw new Error('nobody is there');
    const code = sixDigits(key, { step: 1 });
    const [first, second] = await doubleClick(visitor, { code }, 'SELECT 1 FROM authenticators FOR UPDATE');
    expect(first.status).toBe(303);
    expect(whereTo(second)).toBe(whereTo(first));
    at('back', await visitor.visit(new URL(second.headers.location ?? '', two.issuer)));
  });

  test('on the six digits of a new phone connects it once and goes on to the recovery code', async () => {
    await two.account({ email: 'bertil@example.com' });
    const visitor = await atEnrollment('bertil@example.com');
    const code = sixDigits(keyOnPage(visitor.screen));
    const needed = 'SELECT 1 FROM pending_authenticators FOR UPDATE';
    const [first, second] = await doubleClick(visitor, { code }, needed);
    expect(first.headers.location).toMatch(/\/new-recovery-code$/);
    expect(whereTo(second)).toBe(whereTo(first));
  });

  test('on the last group keeps the code that was shown and leads to the same place twice', async () => {
    const { visitor, recoveryCode } = await atNewRecoveryCode('cecilia@example.com');
    const needed = 'SELECT 1 FROM recovery_codes FOR UPDATE';
    const [first, second] = await doubleClick(visitor, { lastGroup: recoveryCode.slice(-4) }, needed);
    expect(first.status).toBe(303);
    expect(second.body).not.toContain('data-recovery-code');
    expect(whereTo(second)).toBe(whereTo(first));
    at('back', await visitor.visit(new URL(second.headers.location ?? '', two.issuer)));
  });

  test('on the last group, without anybody forcing the order, never shows another code', async () => {
    const { visitor, recoveryCode } = await atNewRecoveryCode('david@example.com');
    const clicks = Array.from({ length: 10 }, () => click(visitor, { lastGroup: recoveryCode.slice(-4) }));
    const answers = await Promise.all(clicks);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 303));
  });
});

describe('two tabs of one person', () => {
  test('connect one phone: the other tab is at the password page, then at the digits of the one that won', async () => {
    await two.account({ email: 'eva@example.com' });
    const tabs = [await atEnrollment('eva@example.com'), await atEnrollment('eva@example.com')] as const;
    const keys = tabs.map((tab) => keyOnPage(tab.screen));
    expect(new Set(keys).size).toBe(2);
    const screens = await Promise.all(
      tabs.map((tab, place) => tab.submit({ code: sixDigits(keys[place] ?? '') })),
    );
    const steps = screens.map(({ step }) => String(step));
    expect(steps.toSorted()).toEqual(['new-recovery-code', 'password']);
    const winner = steps.indexOf('new-recovery-code');
    const later = tabs[1 - winner] ?? tabs[0];
    at('totp', await typePassword(later, 'eva@example.com'));
    const refused = await later.submit({ code: sixDigits(keys[1 - winner] ?? '', { step: 1 }) });
    expect([refused.step, refused.refusal]).toEqual(['totp', 'wrong-code']);
    at('new-recovery-code', await later.submit({ code: sixDigits(keys[winner] ?? '', { step: 1 }) }));
  });

  test('that were shown a recovery code each: one gets to the application, and one code is active', async () => {
    const first = await atNewRecoveryCode('frida@example.com');
    const second = newVisitor();
    await second.visit((await autopay.begin()).url);
    at('totp', await typePassword(second, 'frida@example.com'));
    const shown = recoveryCodeOnPage(await second.submit({ code: sixDigits(first.key, { step: 1 }) }));
    expect(shown).not.toBe(first.recoveryCode);
    // Both begin to write before either has ended.
    const held = await hold(two.databaseUrl, 'SELECT 1 FROM recovery_codes FOR UPDATE');
    const sent = [
      first.visitor.submit({ lastGroup: first.recoveryCode.slice(-4) }),
      second.submit({ lastGroup: shown.slice(-4) }),
    ];
    await untilWaiting(two.databaseUrl, 2);
    await held.release();
    const screens = await Promise.all(sent);
    expect(screens.map(({ step }) => step)).toEqual(expect.arrayContaining(['back', 'password']));
    const { rows } = await two.db.query<{ alive: number }>(
      `SELECT count(*) AS alive FROM recovery_codes JOIN accounts ON accounts.id = account_id
       WHERE email = 'frida@example.com' AND live_at IS NOT NULL AND used_at IS NULL`,
    );
    expect(rows).toEqual([{ alive: 1 }]);
  });
});

describe('twenty reloads at once', () => {
  test('show one and the same new recovery code, whose last group works', async () => {
    await two.account({ email: 'gustav@example.com' });
    const visitor = await atEnrollment('gustav@example.com');
    const code = sixDigits(keyOnPage(visitor.screen));
    // Nobody has seen the page before: the first of the twenty makes the code.
    const { headers } = await click(visitor, { code });
    const page = new URL(headers.location ?? '', two.issuer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.request(page)));
    const codes = answers.map(({ body }) => body.match(/data-recovery-code="([^"]+)"/)?.[1]);
    expect(new Set(codes).size).toBe(1);
    const shown = recoveryCodeOnPage(await visitor.visit(page));
    expect(codes[0]).toBe(shown);
    at('back', await visitor.submit({ lastGroup: shown.slice(-4) }));
  });

  test('of the enrolment page show one and the same key', async () => {
    await two.account({ email: 'hanna@example.com' });
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    const { headers } = await click(visitor, { email: 'hanna@example.com', password: PASSWORD });
    const page = new URL(headers.location ?? '', two.issuer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.request(page)));
    const keys = answers.map(({ body }) => body.match(/data-key="([^"]+)"/)?.[1]);
    expect([...new Set(keys)]).toEqual([keyOnPage(await visitor.visit(page))]);
  });
});
