/** The first table: every scenario at the library over a Map and at Hemma, in turns, and what the hash alone allows. */
import { availableParallelism } from 'node:os';
import { processCpuTime } from './accounting.ts';
import { performanceTargets, keycloakReference } from './aims.ts';
import type { BenchProcess } from './messages.ts';
import type { Driver, Figures, RoundOptions } from './rounds.ts';
import { runRounds } from './rounds.ts';
import { formatNumber, formatRatio, formatTable, formatTarget } from './tables.ts';
import type { BenchTarget } from './targets.ts';
import { hashThreads } from './targets.ts';

export interface ComparisonRow {
  scenario: string;
  title: string;
  map: Figures | undefined;
  hemma: Figures | undefined;
  pglite: Figures | undefined;
  /** What the hash alone allows, where the operation is about one. */
  hash: Figures | undefined;
  /** Hemma's rate as a share of the Map's, and of what the hash alone allows. */
  rateToMap: number | undefined;
  rateToHash: number | undefined;
  /** The same share of the Map's by all processor time, the driver's too: what the rates would be if nobody disturbed them. */
  byCpu: number | undefined;
  /** The Map's processor time as a share of Hemma's: with PostgreSQL's, and without. */
  cpuToMap: number | undefined;
  providerToMap: number | undefined;
  aim: string;
}

export type HashLimitProcess = BenchProcess<
  { seconds: number; threads: number },
  { ops: number; seconds: number }
>;

/** The hash alone as one more target, which is driven by nobody. */
export const measureHashRound =
  (limit: HashLimitProcess) =>
  async (seconds: number): Promise<Figures> => {
    const before = processCpuTime(limit.pid);
    const { ops, seconds: elapsed } = await limit.ask({ seconds, threads: hashThreads });
    const provider = (processCpuTime(limit.pid) - before) / ops;
    const perOperation = (1000 * elapsed * hashThreads) / ops;
    return {
      ops,
      perSecond: ops / elapsed,
      p50: perOperation,
      p99: perOperation,
      driver: 0,
      provider,
      postgres: 0,
      statements: 0,
      roundTrips: 0,
      wal: 0,
    };
  };

const ratioOf = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined || other === 0 ? undefined : one / other;

const serverCpu = (figures: Figures | undefined): number | undefined =>
  figures && figures.provider + figures.postgres;

/** With the driver's share: on a machine whose cores are all busy the rates follow this, and nothing that goes on beside. */
const totalCpu = (figures: Figures | undefined): number | undefined =>
  figures && figures.driver + figures.provider + figures.postgres;

function compareFigures(scenario: string, figures: ReadonlyMap<string, Figures>): ComparisonRow {
  const { title, toMap, toHash, hashes = 1 } = performanceTargets[scenario] ?? { title: scenario };
  const [map, hemma, hash] = ['map', 'hemma', 'hash'].map((name) => figures.get(name));
  const rateToMap = ratioOf(hemma?.perSecond, map?.perSecond);
  const rateToHash = hash && ratioOf(hemma?.perSecond, hash.perSecond / hashes);
  return {
    scenario,
    title,
    map,
    hemma,
    pglite: figures.get('pglite'),
    hash,
    rateToMap,
    rateToHash,
    byCpu: ratioOf(totalCpu(map), totalCpu(hemma)),
    cpuToMap: ratioOf(serverCpu(map), serverCpu(hemma)),
    providerToMap: ratioOf(map?.provider, hemma?.provider),
    aim:
      toHash === undefined
        ? formatTarget(rateToMap, toMap)
        : `${formatTarget(rateToHash, toHash)} of the hash`,
  };
}

interface ComparisonSetup {
  driver: Driver;
  limit: HashLimitProcess;
  targets: readonly BenchTarget[];
  /** Says how far it is. */
  say: (line: string) => void;
}

/** One scenario after the other. */
export async function runComparison(
  { driver, limit, targets, say: log }: ComparisonSetup,
  scenarios: readonly string[],
  { quick, ...pace }: RoundOptions & { quick: boolean },
): Promise<ComparisonRow[]> {
  const all: ComparisonRow[] = [];
  for (const scenario of scenarios) {
    const { hashes: hashRounds } = performanceTargets[scenario] ?? {};
    const more = hashRounds ? { hash: measureHashRound(limit) } : {};
    // Each round lasts until everybody is done, which is long with hashes in it.
    const few = quick && hashRounds ? { users: 2 } : {};
    const compared = compareFigures(
      scenario,
      await runRounds(driver, targets, scenario, { ...pace, ...few }, more),
    );
    all.push(compared);
    log(`${compared.title}: ${formatNumber(compared.hemma?.perSecond)} a second`);
  }
  return all;
}

const tableHead = [
  'a second; µs of CPU each',
  'map/s',
  'hemma/s',
  'ratio',
  'by CPU',
  'aim',
  'map µs',
  'hemma µs',
  'pg µs',
  'map/all',
  'map/prov',
  'p50 ms',
  'p99 ms',
  'SQL',
  'trips',
  'WAL',
];

const tableRow = ({ title, map, hemma, ...rest }: ComparisonRow): string[] => [
  title,
  formatNumber(map?.perSecond),
  formatNumber(hemma?.perSecond),
  formatRatio(rest.rateToMap),
  formatRatio(rest.byCpu),
  rest.aim,
  formatNumber(map?.provider),
  formatNumber(hemma?.provider),
  formatNumber(hemma?.postgres),
  formatRatio(rest.cpuToMap),
  formatRatio(rest.providerToMap),
  formatNumber(hemma?.p50),
  formatNumber(hemma?.p99),
  formatNumber(hemma?.statements),
  formatNumber(hemma?.roundTrips),
  formatNumber(hemma?.wal),
];

const pgliteHead = ['PGlite', 'hemma/s', 'to map', 'hemma µs', 'p50 ms', 'p99 ms'];

const pgliteRow = ({ title, map, pglite }: ComparisonRow): string[] => [
  title,
  formatNumber(pglite?.perSecond),
  formatRatio(ratioOf(pglite?.perSecond, map?.perSecond)),
  formatNumber(pglite?.provider),
  formatNumber(pglite?.p50),
  formatNumber(pglite?.p99),
];

const hashHead = ['with the hash', 'hash/s', 'hashes each', 'hemma/s', 'share of the limit', 'hash µs'];

const hashRow = ({ scenario, title, hash, hemma, rateToHash }: ComparisonRow): string[] => [
  title,
  formatNumber(hash?.perSecond),
  String(performanceTargets[scenario]?.hashes ?? 1),
  formatNumber(hemma?.perSecond),
  formatRatio(rateToHash),
  formatNumber(hash?.provider),
];

/**
 * What one core does in a second by its processor time alone: provider and PostgreSQL together, without the driver, which
 * takes its share of the same cores here.
 */
const operationsPerCore = (figures: Figures | undefined): number | undefined =>
  ratioOf(1_000_000, serverCpu(figures));

const coreHead = ['for each core and second', 'measured here', 'by CPU alone', 'Keycloak’s guide'];

const coreRow = ({ scenario, title, hemma }: ComparisonRow): string[] => [
  title,
  formatNumber(ratioOf(hemma?.perSecond, availableParallelism())),
  formatNumber(operationsPerCore(hemma)),
  keycloakReference[scenario] === undefined ? '' : String(keycloakReference[scenario]),
];

const legend = [
  'ratio: Hemma’s rate as a share of the Map’s, which the aim is about. by CPU: the same share by all processor time,',
  'driver’s too: the rates on a machine where nothing else goes on. map/all, map/prov: the Map’s processor time as a',
  'share of Hemma’s with PostgreSQL’s and without. Rates and latencies are medians of the rounds, the rest is of all.',
].join('\n');

/** Everything of the first table as text. */
export function formatComparison(all: readonly ComparisonRow[]): string {
  const hashed = all.filter(({ hash }) => hash);
  const onPglite = all.filter(({ pglite }) => pglite);
  return [
    formatTable(tableHead, all.map(tableRow)),
    legend,
    ...(hashed.length > 0 ? [formatTable(hashHead, hashed.map(hashRow))] : []),
    ...(onPglite.length > 0 ? [formatTable(pgliteHead, onPglite.map(pgliteRow))] : []),
    formatTable(coreHead, all.map(coreRow)),
  ].join('\n\n');
}
