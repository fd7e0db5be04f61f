/** What one process needs at rest, and what it has grown by after many sign-ins. */
import { setTimeout as wait } from 'node:timers/promises';
import { residentMemory } from './accounting.ts';
import { memoryTargets } from './aims.ts';
import type { BenchEnvironment } from './ground.ts';
import { startDriver } from './rounds.ts';
import { formatMaxTarget, formatNumber, formatTable } from './tables.ts';
import { startBenchHemma } from './targets.ts';

interface MemorySample {
  signIns: number;
  /** MiB. */
  resident: number;
}

export interface MemoryResult {
  looks: MemorySample[];
  atRest: number;
  /** Since the first tenth: what is compiled and kept once is there by then. */
  growth: number;
}

/** So long nothing is asked before the memory is looked at. */
const settleMs = 4_000;

/** Sign-ins without the hash, which costs memory of its own and leaves none; looks ten times on the way. */
export async function measureMemory(
  { options, postgres, say: log, keep }: BenchEnvironment,
  signIns: number,
): Promise<MemoryResult> {
  const driver = await keep(startDriver());
  const hemma = await keep(startBenchHemma({ name: 'hemma', on: { postgres, database: 'postgres' } }));
  const pid = hemma.pids[0] ?? 0;
  const looks: MemorySample[] = [];
  const takeSample = async (done: number) => {
    await wait(settleMs);
    looks.push({ signIns: done, resident: residentMemory(pid) });
    log(`after ${done} sign-ins ${formatNumber(residentMemory(pid))} MiB`);
  };
  await takeSample(0);
  await driver.ask({ do: 'open', target: hemma.address, connections: options.connections });
  let done = 0;
  for (let part = 1; part <= 10; part += 1) {
    while (done < (signIns * part) / 10)
      done += (await driver.ask({ do: 'run', target: 'hemma', scenario: 'code-journey', seconds: 2 })).ops;
    if (done > (looks.at(-1)?.signIns ?? 0)) await takeSample(done);
  }
  const [first, second] = looks;
  const growth = (looks.at(-1)?.resident ?? 0) - (second?.resident ?? 0);
  return { looks, atRest: first?.resident ?? 0, growth };
}

export const formatMemory = ({ looks, atRest, growth }: MemoryResult): string =>
  [
    formatTable(
      ['sign-ins', 'resident MiB'],
      looks.map(({ signIns, resident }) => [String(signIns), formatNumber(resident)]),
    ),
    `at rest ${formatNumber(atRest)} MiB: ${formatMaxTarget(atRest, memoryTargets.atRest, 'MiB')}`,
    `growth since the first tenth ${formatNumber(growth)} MiB in ${looks.at(-1)?.signIns} sign-ins; the aim is for 100000: ${formatMaxTarget(growth, memoryTargets.growth, 'MiB')}`,
  ].join('\n');
