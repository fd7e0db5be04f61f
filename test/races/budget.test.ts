/** The budget of wrong guesses holds over two processes, in a flood and through faults (T6). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, signInFirst } from '../rig/ceremony.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
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

async function enrolled(email: string): Promise<string> {
  await two.account({ email });
  return (await signInFirst(newVisitor(), (await autopay.begin()).url, email)).key;
}

describe('wrong six digits over two processes', () => {
  test('T6 two hundred at once are five verifications, and the owner waits with everybody', async () => {
    const key = await enrolled('astrid@example.com');
    const visitors = await atSixDigits(autopay, 'astrid@example.com', 8);
    const code = wrongDigits(key);
    const guesses = visitors.flatMap(({ screen, cookies }) =>
      Array.from({ length: 25 }, () => {
        const tab = newVisitor({ stolen: cookies.all() });
        tab.backTo(screen);
        return tab.submit({ code });
      }),
    );
    const screens = await Promise.all(guesses);
    expect(screens.filter(({ refusal }) => refusal === 'wrong-code')).toHaveLength(5);
    const paused = screens.filter(({ status, refusal }) => status === 429 && refusal === 'throttled');
    expect(paused).toHaveLength(195);
    expect(Number(paused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    const owner = await visitors[0]?.submit({ code: sixDigits(key, { step: 1 }) });
    expect([owner?.refusal, owner?.status]).toEqual(['throttled', 429]);
  });

  test('T6 a guess whose request fails afterwards is counted all the same', async () => {
    const key = await enrolled('bertil@example.com');
    const [visitor] = await atSixDigits(autopay, 'bertil@example.com', 1);
    if (!visitor) throw new Error('nobody is there');
    const page = visitor.screen;
    const code = wrongDigits(key);
    for (let guess = 1; guess <= 4; guess++) {
      // The guess has been counted and judged when it comes to the audit; there its connection is cut.
      const held = await hold(two.databaseUrl, 'LOCK TABLE audit IN ACCESS EXCLUSIVE MODE');
      visitor.backTo(page);
      const failing = visitor.submit({ code });
      await untilWaiting(two.databaseUrl, 1);
      await two.db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      const failed = await failing;
      await held.release();
      expect([failed.status, failed.step]).toEqual([503, 'problem']);
    }
    visitor.backTo(page);
    expect((await visitor.submit({ code })).refusal).toBe('wrong-code');
    visitor.backTo(page);
    expect((await visitor.submit({ code: sixDigits(key, { step: 1 }) })).refusal).toBe('throttled');
  });

  test('T6 an unknown address has a budget like any other, counted over both processes', async () => {
    const visitor = newVisitor();
    at('password', await visitor.visit((await autopay.begin()).url));
    const page = visitor.screen;
    const outcomes: (string | undefined)[] = [];
    for (let guess = 1; guess <= 11; guess++) {
      visitor.backTo(page);
      const email = guess % 2 ? 'nobody@example.com' : ' NoBody@Example.com ';
      outcomes.push((await visitor.submit({ email, password: 'ett fel lösenord' })).refusal);
    }
    expect(outcomes).toEqual([...Array.from({ length: 10 }, () => 'wrong-password'), 'throttled']);
  });
});
