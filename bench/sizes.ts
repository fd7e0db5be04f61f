/** The same among few people and among many, with ten times as many rows of the library's. */
import { aims, sizeAim } from './aims.ts';
import { crowdRows } from './crowd.ts';
import type { Ground } from './ground.ts';
import type { Figures } from './rounds.ts';
import { compare, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { number, ratio, table, verdict } from './tables.ts';
import type { Target } from './targets.ts';
import { startHemma } from './targets.ts';

export interface Sized {
  scenario: string;
  bySize: [number, Figures | undefined][];
}

/** A database of its own for each size, all filled before anything is measured; then in turns. */
export async function sizes(
  { options, postgres, say, keep }: Ground,
  scenarios: readonly string[],
): Promise<Sized[]> {
  const driver = await keep(startDriver());
  const targets: Target[] = [];
  for (const people of options.sizes) {
    const name = `people_${people}`;
    await createDatabase(postgres.url('postgres'), name);
    const hemma = await keep(startHemma({ name, on: { postgres, database: name } }));
    // Somebody of the town has signed in, so that there are rows to take after.
    await driver.ask({ do: 'open', target: hemma.address, connections: 1 });
    await driver.ask({ do: 'run', target: name, scenario: 'refresh', seconds: 0.01 });
    await driver.ask({ do: 'close', target: name });
    say(`${people} people: ${number(await crowdRows(postgres.url(name), people))} s to fill`);
    const target = { ...hemma.address, crowd: people };
    await driver.ask({ do: 'open', target, connections: options.connections });
    targets.push(hemma);
  }
  const all: Sized[] = [];
  for (const scenario of scenarios) {
    const figures = await compare(driver, targets, scenario, options);
    all.push({ scenario, bySize: options.sizes.map((size) => [size, figures.get(`people_${size}`)]) });
    say(`${scenario}: ${[...figures.values()].map((one) => number(one.perSecond)).join(', ')}`);
  }
  return all;
}

export function sizesText(all: readonly Sized[]): string {
  const people = all[0]?.bySize.map(([size]) => size) ?? [];
  const head = [
    'accounts',
    ...people.map((size) => `${size}/s`),
    'most/fewest',
    'aim',
    ...people.map((size) => `${size} µs`),
    ...people.map((size) => `${size} pg µs`),
    'CPU fewest/most',
  ];
  const cost = (figures: Figures | undefined) => (figures ? figures.provider + figures.postgres : Number.NaN);
  return table(
    head,
    all.map(({ scenario, bySize }) => {
      const figures = bySize.map(([, one]) => one);
      const [fewest, most] = [figures[0], figures.at(-1)];
      const rate = fewest && most && most.perSecond / fewest.perSecond;
      return [
        aims[scenario]?.title ?? scenario,
        ...figures.map((one) => number(one?.perSecond)),
        ratio(rate),
        verdict(rate, sizeAim),
        ...figures.map((one) => number(one?.provider)),
        ...figures.map((one) => number(one?.postgres)),
        ratio(cost(fewest) / cost(most)),
      ];
    }),
  );
}
