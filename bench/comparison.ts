/** The first table: every scenario at the library over a Map and at Hemma, in turns, and what the hash alone allows. */
import { availableParallelism } from 'node:os';
import { cpuOf } from './accounting.ts';
import { aims, keycloak } from './aims.ts';
import type { Child } from './messages.ts';
import type { Driver, Figures, Pace } from './rounds.ts';
import { compare } from './rounds.ts';
import { number, ratio, table, verdict } from './tables.ts';
import type { Target } from './targets.ts';
import { hashThreads } from './targets.ts';

export interface Compared {
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

export type Limit = Child<{ seconds: number; threads: number }, { ops: number; seconds: number }>;

/** The hash alone as one more target, which is driven by nobody. */
export const hashRound =
  (limit: Limit) =>
  async (seconds: number): Promise<Figures> => {
    const before = cpuOf(limit.pid);
    const { ops, seconds: taken } = await limit.ask({ seconds, threads: hashThreads });
    const provider = (cpuOf(limit.pid) - before) / ops;
    const each = (1000 * taken * hashThreads) / ops;
    return {
      ops,
      perSecond: ops / taken,
      p50: each,
      p99: each,
      driver: 0,
      provider,
      postgres: 0,
      statements: 0,
      roundTrips: 0,
      wal: 0,
    };
  };

const share = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined || other === 0 ? undefined : one / other;

const cpu = (figures: Figures | undefined): number | undefined =>
  figures && figures.provider + figures.postgres;

/** With the driver's share: on a machine whose cores are all busy the rates follow this, and nothing that goes on beside. */
const whole = (figures: Figures | undefined): number | undefined =>
  figures && figures.driver + figures.provider + figures.postgres;

function judged(scenario: string, figures: ReadonlyMap<string, Figures>): Compared {
  const { title, toMap, toHash, hashes = 1 } = aims[scenario] ?? { title: scenario };
  const [map, hemma, hash] = ['map', 'hemma', 'hash'].map((name) => figures.get(name));
  const rateToMap = share(hemma?.perSecond, map?.perSecond);
  const rateToHash = hash && share(hemma?.perSecond, hash.perSecond / hashes);
  return {
    scenario,
    title,
    map,
    hemma,
    pglite: figures.get('pglite'),
    hash,
    rateToMap,
    rateToHash,
    byCpu: share(whole(map), whole(hemma)),
    cpuToMap: share(cpu(map), cpu(hemma)),
    providerToMap: share(map?.provider, hemma?.provider),
    aim: toHash === undefined ? verdict(rateToMap, toMap) : `${verdict(rateToHash, toHash)} of the hash`,
  };
}

interface Places {
  driver: Driver;
  limit: Limit;
  targets: readonly Target[];
  /** Says how far it is. */
  say: (line: string) => void;
}

/** One scenario after the other. */
export async function compareAll(
  { driver, limit, targets, say }: Places,
  scenarios: readonly string[],
  { quick, ...pace }: Pace & { quick: boolean },
): Promise<Compared[]> {
  const all: Compared[] = [];
  for (const scenario of scenarios) {
    const { hashes } = aims[scenario] ?? {};
    const more = hashes ? { hash: hashRound(limit) } : {};
    // Each round lasts until everybody is done, which is long with hashes in it.
    const few = quick && hashes ? { users: 2 } : {};
    const compared = judged(scenario, await compare(driver, targets, scenario, { ...pace, ...few }, more));
    all.push(compared);
    say(`${compared.title}: ${number(compared.hemma?.perSecond)} a second`);
  }
  return all;
}

const head = [
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

const row = ({ title, map, hemma, ...rest }: Compared): string[] => [
  title,
  number(map?.perSecond),
  number(hemma?.perSecond),
  ratio(rest.rateToMap),
  ratio(rest.byCpu),
  rest.aim,
  number(map?.provider),
  number(hemma?.provider),
  number(hemma?.postgres),
  ratio(rest.cpuToMap),
  ratio(rest.providerToMap),
  number(hemma?.p50),
  number(hemma?.p99),
  number(hemma?.statements),
  number(hemma?.roundTrips),
  number(hemma?.wal),
];

const pgliteHead = ['PGlite', 'hemma/s', 'to map', 'hemma µs', 'p50 ms', 'p99 ms'];

const pgliteRow = ({ title, map, pglite }: Compared): string[] => [
  title,
  number(pglite?.perSecond),
  ratio(share(pglite?.perSecond, map?.perSecond)),
  number(pglite?.provider),
  number(pglite?.p50),
  number(pglite?.p99),
];

const hashHead = ['with the hash', 'hash/s', 'hashes each', 'hemma/s', 'share of the limit', 'hash µs'];

const hashRow = ({ scenario, title, hash, hemma, rateToHash }: Compared): string[] => [
  title,
  number(hash?.perSecond),
  String(aims[scenario]?.hashes ?? 1),
  number(hemma?.perSecond),
  ratio(rateToHash),
  number(hash?.provider),
];

/**
 * What one core does in a second by its processor time alone: provider and PostgreSQL together, without the driver, which
 * takes its share of the same cores here.
 */
const perCore = (figures: Figures | undefined): number | undefined => share(1_000_000, cpu(figures));

const coreHead = ['for each core and second', 'measured here', 'by CPU alone', 'Keycloak’s guide'];

const coreRow = ({ scenario, title, hemma }: Compared): string[] => [
  title,
  number(share(hemma?.perSecond, availableParallelism())),
  number(perCore(hemma)),
  keycloak[scenario] === undefined ? '' : String(keycloak[scenario]),
];

const legend = [
  'ratio: Hemma’s rate as a share of the Map’s, which the aim is about. by CPU: the same share by all processor time,',
  'driver’s too: the rates on a machine where nothing else goes on. map/all, map/prov: the Map’s processor time as a',
  'share of Hemma’s with PostgreSQL’s and without. Rates and latencies are medians of the rounds, the rest is of all.',
].join('\n');

/** Everything of the first table as text. */
export function comparisonText(all: readonly Compared[]): string {
  const hashed = all.filter(({ hash }) => hash);
  const onPglite = all.filter(({ pglite }) => pglite);
  return [
    table(head, all.map(row)),
    legend,
    ...(hashed.length > 0 ? [table(hashHead, hashed.map(hashRow))] : []),
    ...(onPglite.length > 0 ? [table(pgliteHead, onPglite.map(pgliteRow))] : []),
    table(coreHead, all.map(coreRow)),
  ].join('\n\n');
}
