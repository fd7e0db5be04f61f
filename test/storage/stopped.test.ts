/** PostgreSQL is stopped under load (T39), once so that it hangs and once so that it is gone: nothing fails open or is lost. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type Postgres, startPostgres } from '../rig/postgres.ts';
import { busyDay, healed, spentTwice, type Town, townOf, unknown, wrongAnswers } from './busy-day.ts';
import { until } from './until.ts';

let server: Postgres;
let hemma: Hemma;
let town: Town;

beforeAll(async () => {
  server = await startPostgres({ durable: true });
  hemma = await startHemma({ beside: { DATABASE_URL: server.url('postgres') } });
  town = await townOf(hemma, (wanted) => hemma.account(wanted));
});
afterAll(async () => {
  await town.party.stop();
  await hemma.stop();
  await server.stop();
});

test('T39 stopped under load, hanging and gone: no answer but right ones and 503, no token that is not kept, and it heals', async () => {
  const day = busyDay(town);
  const works = (since: number, within = 10_000) =>
    until('every kind of deed is done', () => healed(day.seen, since) !== undefined, within);
  await works(performance.now(), 30_000);
  // On a machine that others keep busy, too, there is enough that could be lost or taken twice.
  await until('enough was given and used up', () => day.spent.length > 10 && day.tokens.size > 20, 30_000);
  await server.freeze();
  const frozen = performance.now();
  await wait(4_000);
  const hung = day.seen.filter(({ at }) => at > frozen + 3_000);
  await server.thaw();
  await works(performance.now());
  await server.crash();
  const gone = performance.now();
  await wait(2_000);
  const refused = day.seen.filter(({ at }) => at > gone + 500);
  await server.revive();
  await works(performance.now());
  await day.end();

  // Its silence is noticed after two seconds; from then on nobody waits.
  expect(hung.length).toBeGreaterThan(20);
  expect(hung.filter(({ status }) => status !== 503)).toEqual([]);
  expect(refused.length).toBeGreaterThan(20);
  expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
  // Nobody waits for what is known to be away, which takes the two seconds of a silence at least.
  expect(Math.max(...refused.map(({ took }) => took))).toBeLessThan(1_500);
  expect(wrongAnswers(day.seen)).toEqual([]);
  expect(await unknown(town.issuer, day.tokens)).toEqual([]);
  expect(await spentTwice(town, day)).toBe(0);
});
