/** What one process needs at rest, and what it has grown by after many sign-ins. */
import { setTimeout as wait } from 'node:timers/promises';
import { residentOf } from './accounting.ts';
import { memoryAims } from './aims.ts';
import type { Ground } from './ground.ts';
import { startDriver } from './rounds.ts';
import { below, number, table } from './tables.ts';
import { startHemma } from './targets.ts';

interface Look {
  signIns: number;
  /** MiB. */
  resident: number;
}

export interface Remembered {
  looks: Look[];
  atRest: number;
  /** Since the first tenth: what is compiled and kept once is there by then. */
  growth: number;
}

/** So long nothing is asked before the memory is looked at. */
const rest = 4_000;

/** Sign-ins without the hash, which costs memory of its own and leaves none; looks ten times on the way. */
export async function memory({ options, postgres, say, keep }: Ground, signIns: number): Promise<Remembered> {
  const driver = await keep(startDriver());
  const hemma = await keep(startHemma({ name: 'hemma', on: { postgres, database: 'postgres' } }));
  const pid = hemma.pids[0] ?? 0;
  const looks: Look[] = [];
  const look = async (done: number) => {
    await wait(rest);
    looks.push({ signIns: done, resident: residentOf(pid) });
    say(`after ${done} sign-ins ${number(residentOf(pid))} MiB`);
  };
  await look(0);
  await driver.ask({ do: 'open', target: hemma.address, connections: options.connections });
  let done = 0;
  for (let part = 1; part <= 10; part += 1) {
    while (done < (signIns * part) / 10)
      done += (await driver.ask({ do: 'run', target: 'hemma', scenario: 'code-journey', seconds: 2 })).ops;
    if (done > (looks.at(-1)?.signIns ?? 0)) await look(done);
  }
  const [first, second] = looks;
  const growth = (looks.at(-1)?.resident ?? 0) - (second?.resident ?? 0);
  return { looks, atRest: first?.resident ?? 0, growth };
}

export const memoryText = ({ looks, atRest, growth }: Remembered): string =>
  [
    table(
      ['sign-ins', 'resident MiB'],
      looks.map(({ signIns, resident }) => [String(signIns), number(resident)]),
    ),
    `at rest ${number(atRest)} MiB: ${below(atRest, memoryAims.atRest, 'MiB')}`,
    `growth since the first tenth ${number(growth)} MiB in ${looks.at(-1)?.signIns} sign-ins; the aim is for 100000: ${below(growth, memoryAims.growth, 'MiB')}`,
  ].join('\n');
