/**
 * What happens to sign-ins, refreshes and programs' tokens while PostgreSQL hangs (SIGSTOP) and while it is gone (SIGKILL),
 * with requests that keep coming however many wait.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createUser } from '../src/users/users.ts';
import { createHasher } from '../src/crypto/argon2.ts';
import { PASSWORD } from '../test/rig/password.ts';
import {
  ask,
  busyDay,
  healed,
  spentTwice,
  type Town,
  townOf,
  unknown,
  wrongAnswers,
} from '../test/storage/busy-day.ts';
import { residentMemory } from './accounting.ts';
import { withDatabase } from './fixtures.ts';
import type { BenchEnvironment } from './ground.ts';
import { formatNumber, formatTable } from './tables.ts';
import type { HemmaTarget } from './targets.ts';
import { startBenchHemma } from './targets.ts';

/** One second of it. `other`: neither what was asked for nor a 503, or no answer at all. */
interface SecondSample {
  phase: string;
  done: number;
  unavailable: number;
  other: number;
  /** Milliseconds; the longest of those that were answered in it. */
  longest: number;
  /** Requests that waited for an answer at its end. */
  waiting: number;
  /** MiB. */
  resident: number;
}

export interface OutageResult {
  seconds: SecondSample[];
  /** Milliseconds from its return until each kind of deed was done again, by what it had been. */
  healed: Record<string, number | undefined>;
  wrong: number;
  tokens: number;
  lost: number;
  spent: number;
  twice: number;
}

/** Tokens that are asked for in a second, whether those before were answered or not. */
const requestsPerSecond = 100;
const recoverySeconds = 10;

/** Asks at its own pace, and writes down what came in each second. */
function sampleRequests({ issuer, program }: Town, pid: number) {
  const seconds: SecondSample[] = [];
  const fresh = () => ({ done: 0, unavailable: 0, other: 0, longest: 0 });
  let now = fresh();
  let waiting = 0;
  let phase = 'here';
  const note = (status: number, recordResult: number) => {
    if (status === 200) now.done += 1;
    else if (status === 503) now.unavailable += 1;
    else now.other += 1;
    now.longest = Math.max(now.longest, recordResult);
  };
  const pendingRequests = setInterval(() => {
    waiting += 1;
    void ask(issuer, '/token', { grant_type: 'client_credentials' }, program)
      .then(
        ({ status, took: recordResult }) => note(status, recordResult),
        () => note(0, 0),
      )
      .finally(() => (waiting -= 1));
  }, 1000 / requestsPerSecond);
  const sampleTimer = setInterval(() => {
    seconds.push({ phase, ...now, waiting, resident: residentMemory(pid) });
    now = fresh();
  }, 1000);
  return {
    seconds,
    turn: (next: string) => void (phase = next),
    end() {
      clearInterval(pendingRequests);
      clearInterval(sampleTimer);
    },
  };
}

const createPopulation = ({ settings }: HemmaTarget): Promise<Town> =>
  withDatabase(settings, async (db, encryption) => {
    const hasher = await createHasher(1);
    return townOf({ issuer: settings.HEMMA_ISSUER, db, vault: encryption }, (wanted) =>
      createUser(db, hasher, 'Hemma', { name: 'Astrid Lind', password: PASSWORD, ...wanted }),
    );
  });

/** Takes PostgreSQL away for so many seconds, once so that it hangs and once so that it is gone. */
export async function measureOutage(
  { postgres, say: log, keep }: BenchEnvironment,
  seconds: number,
): Promise<OutageResult> {
  const hemma = await keep(startBenchHemma({ name: 'hemma', on: { postgres, database: 'postgres' } }));
  const town = await createPopulation(hemma);
  await keep(Promise.resolve(town.party));
  const day = busyDay(town);
  const tokens = sampleRequests(town, hemma.pids[0] ?? 0);
  const recoveryTimes: OutageResult['healed'] = {};
  await wait(3_000);
  for (const [what, stopPostgres, restartPostgres] of [
    ['hung', () => postgres.freeze(), () => postgres.thaw()],
    ['was gone', () => postgres.crash(), () => postgres.revive()],
  ] as const) {
    log(`PostgreSQL: as if it ${what}, for ${seconds} s`);
    tokens.turn(what);
    await stopPostgres();
    await wait(seconds * 1000);
    tokens.turn('starts');
    await restartPostgres();
    tokens.turn('back');
    const since = performance.now();
    await wait(recoverySeconds * 1000);
    recoveryTimes[what] = healed(day.seen, since);
  }
  tokens.end();
  await day.end();
  const lost = await unknown(town.issuer, day.tokens);
  return {
    seconds: tokens.seconds,
    healed: recoveryTimes,
    wrong: wrongAnswers(day.seen).length,
    tokens: day.tokens.size,
    lost: lost.length,
    spent: day.spent.length,
    twice: await spentTwice(town, day),
  };
}

const tableHead = ['second', 'PostgreSQL', 'done', '503', 'other', 'longest ms', 'waiting', 'resident MiB'];

export function formatOutage({
  seconds,
  healed: recoveryTimes,
  wrong,
  tokens,
  lost,
  spent: consumedOnce,
  twice: consumedTwice,
}: OutageResult): string {
  const rows = seconds.map(({ phase, done, unavailable, other, longest, waiting, resident }, second) =>
    [second + 1, phase, done, unavailable, other, formatNumber(longest), waiting, formatNumber(resident)].map(
      String,
    ),
  );
  const again = Object.entries(recoveryTimes).map(([what, after]) =>
    after === undefined
      ? `after it ${what} not every kind of deed was done again`
      : `after it ${what} every kind of deed was done again within ${Math.round(after)} ms of its return`,
  );
  return [
    `${requestsPerSecond} tokens a second asked for by a program, beside two lines of sign-ins and two of refreshes`,
    formatTable(tableHead, rows),
    ...again,
    `answers that were neither right nor a 503 that says when to come again: ${wrong}`,
    `tokens handed out: ${tokens}, not known afterwards: ${lost}; codes and refresh tokens spent: ${consumedOnce}, taken twice: ${consumedTwice}`,
  ].join('\n');
}
