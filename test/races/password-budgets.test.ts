/** A password has two budgets, the network's and the account's: whoever writes both never waits for another who does. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { at, typePassword } from '../rig/ceremony.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let databaseUrl: string;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  databaseUrl = hemma.env['DATABASE_URL'] ?? '';
});
afterEach(releaseAll);
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

const wrong = 'this is not the password';

async function atPassword(): Promise<Visitor> {
  const visitor = newVisitor();
  at('password', await visitor.visit((await autopay.begin()).url));
  return visitor;
}

const failures = async () => {
  const { rows } = await hemma.db.query<{ failures: number }>(
    "SELECT failures FROM attempts WHERE factor = 'password'",
  );
  return rows.map((row) => row.failures);
};

async function untilNobodyWaitsForATurn(): Promise<void> {
  for (let time = 0; time < 400; time += 1) {
    const { count } = await hemma.db.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`,
    );
    if (count === 0) return;
    await wait(25);
  }
  throw new Error('somebody waits for a turn');
}

test('a right password and a wrong one for the same account, from one network, both come through', async () => {
  const email = 'astrid@example.com';
  const account = await hemma.account({ email, twoStepRequired: false });
  const [owner, other] = [await atPassword(), await atPassword()];
  await typePassword(other, email, wrong);
  // The right one was counted and verified, and stands before what it writes.
  const turn = await hold(
    databaseUrl,
    `SELECT pg_advisory_xact_lock(hashtextextended('account:${account.id}', 0))`,
  );
  const right = typePassword(owner, email);
  await untilWaiting(databaseUrl, 1);
  // The other comes to the network's count first, and then to the account's.
  const network = await hold(databaseUrl, 'SELECT 1 FROM sliding_budgets FOR UPDATE');
  const refused = typePassword(other, email, wrong);
  await untilWaiting(databaseUrl, 2);
  await turn.release();
  await untilNobodyWaitsForATurn();
  await untilWaiting(databaseUrl, 2);
  await network.release();
  expect((await refused).refusal).toBe('wrong-password');
  expect((await right).step).toBe('back');
});

test('whoever is held back by the network spends nothing of the account', async () => {
  const email = 'bertil@example.com';
  await hemma.account({ email, twoStepRequired: false });
  const visitor = await atPassword();
  await hemma.db.query("UPDATE sliding_budgets SET level = 1000 WHERE budget = 'sign-in'");
  const before = await failures();
  const screen = await typePassword(visitor, email, wrong);
  expect([screen.status, screen.refusal]).toEqual([429, 'throttled']);
  expect(await failures()).toEqual(before);
});
