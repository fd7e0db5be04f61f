/**
 * What happens to sign-ins, refreshes and programs' tokens while PostgreSQL hangs (SIGSTOP) and while it is gone (SIGKILL),
 * with requests that keep coming however many wait.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createAccount } from '../src/users/users.ts';
import { hasherOf } from '../src/crypto/argon2.ts';
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
import { residentOf } from './accounting.ts';
import { beside } from './fixtures.ts';
import type { Ground } from './ground.ts';
import { number, table } from './tables.ts';
import type { HemmaTarget } from './targets.ts';
import { startHemma } from './targets.ts';

/** One second of it. `other`: neither what was asked for nor a 503, or no answer at all. */
interface Second {
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

export interface Away {
  seconds: Second[];
  /** Milliseconds from its return until each kind of deed was done again, by what it had been. */
  healed: Record<string, number | undefined>;
  wrong: number;
  tokens: number;
  lost: number;
  spent: number;
  twice: number;
}

/** Tokens that are asked for in a second, whether those before were answered or not. */
const perSecond = 100;
const recovery = 10;

/** Asks at its own pace, and writes down what came in each second. */
function flow({ issuer, program }: Town, pid: number) {
  const seconds: Second[] = [];
  const fresh = () => ({ done: 0, unavailable: 0, other: 0, longest: 0 });
  let now = fresh();
  let waiting = 0;
  let phase = 'here';
  const note = (status: number, took: number) => {
    if (status === 200) now.done += 1;
    else if (status === 503) now.unavailable += 1;
    else now.other += 1;
    now.longest = Math.max(now.longest, took);
  };
  const asking = setInterval(() => {
    waiting += 1;
    void ask(issuer, '/token', { grant_type: 'client_credentials' }, program)
      .then(
        ({ status, took }) => note(status, took),
        () => note(0, 0),
      )
      .finally(() => (waiting -= 1));
  }, 1000 / perSecond);
  const looking = setInterval(() => {
    seconds.push({ phase, ...now, waiting, resident: residentOf(pid) });
    now = fresh();
  }, 1000);
  return {
    seconds,
    turn: (next: string) => void (phase = next),
    end() {
      clearInterval(asking);
      clearInterval(looking);
    },
  };
}

const people = ({ settings }: HemmaTarget): Promise<Town> =>
  beside(settings, async (db, vault) => {
    const hasher = await hasherOf(1);
    return townOf({ issuer: settings.HEMMA_ISSUER, db, vault }, (wanted) =>
      createAccount(db, hasher, 'Hemma', { name: 'Astrid Lind', password: PASSWORD, ...wanted }),
    );
  });

/** Takes PostgreSQL away for so many seconds, once so that it hangs and once so that it is gone. */
export async function away({ postgres, say, keep }: Ground, seconds: number): Promise<Away> {
  const hemma = await keep(startHemma({ name: 'hemma', on: { postgres, database: 'postgres' } }));
  const town = await people(hemma);
  await keep(Promise.resolve(town.party));
  const day = busyDay(town);
  const tokens = flow(town, hemma.pids[0] ?? 0);
  const healing: Away['healed'] = {};
  await wait(3_000);
  for (const [what, leave, come] of [
    ['hung', () => postgres.freeze(), () => postgres.thaw()],
    ['was gone', () => postgres.crash(), () => postgres.revive()],
  ] as const) {
    say(`PostgreSQL: as if it ${what}, for ${seconds} s`);
    tokens.turn(what);
    await leave();
    await wait(seconds * 1000);
    tokens.turn('starts');
    await come();
    tokens.turn('back');
    const since = performance.now();
    await wait(recovery * 1000);
    healing[what] = healed(day.seen, since);
  }
  tokens.end();
  await day.end();
  const lost = await unknown(town.issuer, day.tokens);
  return {
    seconds: tokens.seconds,
    healed: healing,
    wrong: wrongAnswers(day.seen).length,
    tokens: day.tokens.size,
    lost: lost.length,
    spent: day.spent.length,
    twice: await spentTwice(town, day),
  };
}

const head = ['second', 'PostgreSQL', 'done', '503', 'other', 'longest ms', 'waiting', 'resident MiB'];

export function awayText({ seconds, healed: healing, wrong, tokens, lost, spent, twice }: Away): string {
  const rows = seconds.map(({ phase, done, unavailable, other, longest, waiting, resident }, second) =>
    [second + 1, phase, done, unavailable, other, number(longest), waiting, number(resident)].map(String),
  );
  const again = Object.entries(healing).map(([what, after]) =>
    after === undefined
      ? `after it ${what} not every kind of deed was done again`
      : `after it ${what} every kind of deed was done again within ${Math.round(after)} ms of its return`,
  );
  return [
    `${perSecond} tokens a second asked for by a program, beside two lines of sign-ins and two of refreshes`,
    table(head, rows),
    ...again,
    `answers that were neither right nor a 503 that says when to come again: ${wrong}`,
    `tokens handed out: ${tokens}, not known afterwards: ${lost}; codes and refresh tokens spent: ${spent}, taken twice: ${twice}`,
  ].join('\n');
}
