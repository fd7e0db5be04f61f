/** One process and two on the same machine. */
import { availableParallelism } from 'node:os';
import { processAim } from './aims.ts';
import { aims } from './aims.ts';
import type { Ground } from './ground.ts';
import type { Figures } from './rounds.ts';
import { compare, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { number, ratio, table, verdict } from './tables.ts';
import { startHemma } from './targets.ts';

export interface Grown {
  scenario: string;
  one: Figures | undefined;
  two: Figures | undefined;
}

/** Each on a database of its own, in turns; the driver shares its connections among the two. */
export async function processes(
  { options, postgres, say, keep }: Ground,
  scenarios: readonly string[],
): Promise<Grown[]> {
  const driver = await keep(startDriver());
  await createDatabase(postgres.url('postgres'), 'two');
  const targets = [
    await keep(startHemma({ name: 'one', on: { postgres, database: 'postgres' } })),
    await keep(startHemma({ name: 'two', on: { postgres, database: 'two' }, processes: 2 })),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const all: Grown[] = [];
  for (const scenario of scenarios) {
    const figures = await compare(driver, targets, scenario, options);
    all.push({ scenario, one: figures.get('one'), two: figures.get('two') });
    say(`${scenario}: ${number(figures.get('one')?.perSecond)}, ${number(figures.get('two')?.perSecond)}`);
  }
  return all;
}

const head = [
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
const busy = (figures: Figures | undefined) => figures && (figures.provider * figures.perSecond) / 1_000_000;

export const processesText = (all: readonly Grown[]): string =>
  [
    table(
      head,
      all.map(({ scenario, one, two }) => {
        const grown = one && two && two.perSecond / one.perSecond;
        return [
          aims[scenario]?.title ?? scenario,
          number(one?.perSecond),
          number(two?.perSecond),
          ratio(grown),
          verdict(grown, processAim),
          ratio(busy(one)),
          ratio(busy(two)),
          number(one?.provider),
          number(two?.provider),
          number(one?.postgres),
          number(two?.postgres),
        ];
      }),
    ),
    `Driver, PostgreSQL and providers share ${availableParallelism()} cores: where they are all busy, a second process has none to go to.`,
  ].join('\n');
