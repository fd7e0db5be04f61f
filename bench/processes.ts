/** One process and two on the same machine. */
import { availableParallelism } from 'node:os';
import { processTarget } from './aims.ts';
import { performanceTargets } from './aims.ts';
import type { BenchEnvironment } from './ground.ts';
import type { Figures } from './rounds.ts';
import { runRounds, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { formatNumber, formatRatio, formatTable, formatTarget } from './tables.ts';
import { startBenchHemma } from './targets.ts';

export interface ProcessScaling {
  scenario: string;
  one: Figures | undefined;
  two: Figures | undefined;
}

/** Each on a database of its own, in turns; the driver shares its connections among the two. */
export async function measureProcesses(
  { options, postgres, say: log, keep }: BenchEnvironment,
  scenarios: readonly string[],
): Promise<ProcessScaling[]> {
  const driver = await keep(startDriver());
  await createDatabase(postgres.url('postgres'), 'two');
  const targets = [
    await keep(startBenchHemma({ name: 'one', on: { postgres, database: 'postgres' } })),
    await keep(startBenchHemma({ name: 'two', on: { postgres, database: 'two' }, processes: 2 })),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const all: ProcessScaling[] = [];
  for (const scenario of scenarios) {
    const figures = await runRounds(driver, targets, scenario, options);
    all.push({ scenario, one: figures.get('one'), two: figures.get('two') });
    log(
      `${scenario}: ${formatNumber(figures.get('one')?.perSecond)}, ${formatNumber(figures.get('two')?.perSecond)}`,
    );
  }
  return all;
}

const tableHead = [
  'processes',
  'one/s',
  'two/s',
  'two/one',
  'aim',
  'one: cores used',
  'two: cores used',
  'one µs',
  'two µs',
  'one pg µs',
  'two pg µs',
];

/** How many cores the provider itself kept busy. */
const coresUsed = (figures: Figures | undefined) =>
  figures && (figures.provider * figures.perSecond) / 1_000_000;

export const formatProcesses = (all: readonly ProcessScaling[]): string =>
  [
    formatTable(
      tableHead,
      all.map(({ scenario, one, two }) => {
        const grown = one && two && two.perSecond / one.perSecond;
        return [
          performanceTargets[scenario]?.title ?? scenario,
          formatNumber(one?.perSecond),
          formatNumber(two?.perSecond),
          formatRatio(grown),
          formatTarget(grown, processTarget),
          formatRatio(coresUsed(one)),
          formatRatio(coresUsed(two)),
          formatNumber(one?.provider),
          formatNumber(two?.provider),
          formatNumber(one?.postgres),
          formatNumber(two?.postgres),
        ];
      }),
    ),
    `Driver, PostgreSQL and providers share ${availableParallelism()} cores: where they are all busy, a second process has none to go to.`,
  ].join('\n');
