/** The same among few people and among many, with ten times as many rows of the library's. */
import { performanceTargets, sizeTarget } from './aims.ts';
import { insertPopulation } from './crowd.ts';
import type { BenchEnvironment } from './ground.ts';
import type { Figures } from './rounds.ts';
import { runRounds, startDriver } from './rounds.ts';
import { createDatabase } from './server.ts';
import { formatNumber, formatRatio, formatTable, formatTarget } from './tables.ts';
import type { BenchTarget } from './targets.ts';
import { startBenchHemma } from './targets.ts';

export interface SizeResult {
  scenario: string;
  bySize: [number, Figures | undefined][];
}

/** A database of its own for each size, all filled before anything is measured; then in turns. */
export async function measureSizes(
  { options, postgres, say: log, keep }: BenchEnvironment,
  scenarios: readonly string[],
): Promise<SizeResult[]> {
  const driver = await keep(startDriver());
  const targets: BenchTarget[] = [];
  for (const people of options.sizes) {
    const name = `people_${people}`;
    await createDatabase(postgres.url('postgres'), name);
    const hemma = await keep(startBenchHemma({ name, on: { postgres, database: name } }));
    // Somebody of the town has signed in, so that there are rows to take after.
    await driver.ask({ do: 'open', target: hemma.address, connections: 1 });
    await driver.ask({ do: 'run', target: name, scenario: 'refresh', seconds: 0.01 });
    await driver.ask({ do: 'close', target: name });
    log(`${people} people: ${formatNumber(await insertPopulation(postgres.url(name), people))} s to fill`);
    const target = { ...hemma.address, crowd: people };
    await driver.ask({ do: 'open', target, connections: options.connections });
    targets.push(hemma);
  }
  const all: SizeResult[] = [];
  for (const scenario of scenarios) {
    const figures = await runRounds(driver, targets, scenario, options);
    all.push({ scenario, bySize: options.sizes.map((size) => [size, figures.get(`people_${size}`)]) });
    log(`${scenario}: ${[...figures.values()].map((one) => formatNumber(one.perSecond)).join(', ')}`);
  }
  return all;
}

export function formatSizes(all: readonly SizeResult[]): string {
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
  return formatTable(
    head,
    all.map(({ scenario, bySize }) => {
      const figures = bySize.map(([, one]) => one);
      const [minUsers, maxUsers] = [figures[0], figures.at(-1)];
      const rate = minUsers && maxUsers && maxUsers.perSecond / minUsers.perSecond;
      return [
        performanceTargets[scenario]?.title ?? scenario,
        ...figures.map((one) => formatNumber(one?.perSecond)),
        formatRatio(rate),
        formatTarget(rate, sizeTarget),
        ...figures.map((one) => formatNumber(one?.provider)),
        ...figures.map((one) => formatNumber(one?.postgres)),
        formatRatio(cost(minUsers) / cost(maxUsers)),
      ];
    }),
  );
}
