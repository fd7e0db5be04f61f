/** The library alone over Hemma's storage, between the library over a Map and all of Hemma: what storing costs, and what the rest. */
import { performanceTargets } from './aims.ts';
import type { BenchEnvironment } from './ground.ts';
import type { Figures } from './rounds.ts';
import { runRounds, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { formatNumber, formatRatio, formatTable } from './tables.ts';
import type { BenchTarget } from './targets.ts';
import { startBaseline, startBenchHemma } from './targets.ts';

/** What asks for no page: a sign-in under way is no part of this storage (see baseline.ts). */
export const storageScenarios: readonly string[] = [
  'client-credentials',
  'client-credentials-jwt',
  'refresh',
  'introspection',
  'userinfo',
  'code-exchange',
  'silent-sso',
];

export interface StorageResult {
  scenario: string;
  map: Figures | undefined;
  storage: Figures | undefined;
  hemma: Figures | undefined;
}

/** All three in turns, each on a database of its own. */
export async function measureStorage(
  { options, postgres, say: log, keep }: BenchEnvironment,
  scenarios: readonly string[],
): Promise<StorageResult[]> {
  const driver = await keep(startDriver());
  await createDatabase(postgres.url('postgres'), 'storage');
  const targets: BenchTarget[] = [
    await keep(startBaseline()),
    await keep(startBaseline({ postgres, database: 'storage' })),
    await keep(startBenchHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const all: StorageResult[] = [];
  for (const scenario of scenarios) {
    const figures = await runRounds(driver, targets, scenario, options);
    const [map, storage, hemma] = targets.map(({ address }) => figures.get(address.name));
    all.push({ scenario, map, storage, hemma });
    log(`${scenario}: ${[map, storage, hemma].map((one) => formatNumber(one?.perSecond)).join(', ')}`);
  }
  return all;
}

const tableHead = [
  'a second; µs of CPU each',
  'map/s',
  'storage/s',
  'to map',
  'hemma/s',
  'to map',
  'map µs',
  'storage µs',
  'hemma µs',
  'storage pg µs',
  'hemma pg µs',
];

const ratioOf = (one: Figures | undefined, other: Figures | undefined) =>
  one && other && one.perSecond / other.perSecond;

const tableRow = ({ scenario, map, storage, hemma }: StorageResult): string[] => [
  performanceTargets[scenario]?.title ?? scenario,
  formatNumber(map?.perSecond),
  formatNumber(storage?.perSecond),
  formatRatio(ratioOf(storage, map)),
  formatNumber(hemma?.perSecond),
  formatRatio(ratioOf(hemma, map)),
  formatNumber(map?.provider),
  formatNumber(storage?.provider),
  formatNumber(hemma?.provider),
  formatNumber(storage?.postgres),
  formatNumber(hemma?.postgres),
];

export const formatStorage = (all: readonly StorageResult[]): string =>
  formatTable(tableHead, all.map(tableRow));
