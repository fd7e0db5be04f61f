/** The library alone over Hemma's storage, between the library over a Map and all of Hemma: what storing costs, and what the rest. */
import { aims } from './aims.ts';
import type { Ground } from './ground.ts';
import type { Figures } from './rounds.ts';
import { compare, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { number, ratio, table } from './tables.ts';
import type { Target } from './targets.ts';
import { startBaseline, startHemma } from './targets.ts';

/** What asks for no page: a sign-in under way is no part of this storage (see baseline.ts). */
export const stored: readonly string[] = [
  'client-credentials',
  'client-credentials-jwt',
  'refresh',
  'introspection',
  'userinfo',
  'code-exchange',
  'silent-sso',
];

export interface Stored {
  scenario: string;
  map: Figures | undefined;
  storage: Figures | undefined;
  hemma: Figures | undefined;
}

/** All three in turns, each on a database of its own. */
export async function storing(
  { options, postgres, say, keep }: Ground,
  scenarios: readonly string[],
): Promise<Stored[]> {
  const driver = await keep(startDriver());
  await createDatabase(postgres.url('postgres'), 'storage');
  const targets: Target[] = [
    await keep(startBaseline()),
    await keep(startBaseline({ postgres, database: 'storage' })),
    await keep(startHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const all: Stored[] = [];
  for (const scenario of scenarios) {
    const figures = await compare(driver, targets, scenario, options);
    const [map, storage, hemma] = targets.map(({ address }) => figures.get(address.name));
    all.push({ scenario, map, storage, hemma });
    say(`${scenario}: ${[map, storage, hemma].map((one) => number(one?.perSecond)).join(', ')}`);
  }
  return all;
}

const head = [
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

const share = (one: Figures | undefined, other: Figures | undefined) =>
  one && other && one.perSecond / other.perSecond;

const row = ({ scenario, map, storage, hemma }: Stored): string[] => [
  aims[scenario]?.title ?? scenario,
  number(map?.perSecond),
  number(storage?.perSecond),
  ratio(share(storage, map)),
  number(hemma?.perSecond),
  ratio(share(hemma, map)),
  number(map?.provider),
  number(storage?.provider),
  number(hemma?.provider),
  number(storage?.postgres),
  number(hemma?.postgres),
];

export const storingText = (all: readonly Stored[]): string => table(head, all.map(row));
