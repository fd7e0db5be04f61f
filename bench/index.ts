/**
 * `npm run bench`: what Hemma costs beside the library alone over a Map and beside the hash alone, in one run and in
 * turns. Everything runs on this machine; `--help` says what can be asked for.
 */
import { away, awayText } from './away.ts';
import type { Compared, Limit } from './comparison.ts';
import { compareAll, comparisonText } from './comparison.ts';
import { flood, floodText } from './flood.ts';
import type { Ground } from './ground.ts';
import { onGround } from './ground.ts';
import { memory, memoryText } from './memory.ts';
import { startChild } from './messages.ts';
import type { Options } from './options.ts';
import { readOptions, usage } from './options.ts';
import { processes, processesText } from './processes.ts';
import { startDriver } from './rounds.ts';
import { scenarios } from './scenarios.ts';
import { versionOfServer } from './server.ts';
import { sizes, sizesText } from './sizes.ts';
import { stored, storing, storingText } from './storing.ts';
import { about } from './tables.ts';
import type { Target } from './targets.ts';
import { startBaseline, startHemma } from './targets.ts';

/** What the tables besides the first are about, where nobody chooses otherwise. */
const core = [
  'client-credentials',
  'client-credentials-jwt',
  'refresh',
  'introspection',
  'userinfo',
  'silent-sso',
  'code-journey',
];

async function comparison({ options, postgres, say, keep }: Ground): Promise<Compared[]> {
  const driver = await keep(startDriver());
  const limit: Limit = await keep(startChild('limit-process'));
  const targets: Target[] = [
    await keep(startBaseline()),
    await keep(startHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
    ...(options.pglite ? [await keep(startHemma({ name: 'pglite' }))] : []),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const chosen = options.only.length > 0 ? options.only : scenarios.map(({ name }) => name);
  return compareAll({ driver, limit, targets, say }, chosen, options);
}

/** A table as figures, and as text. */
interface Printed {
  name: string;
  figures: unknown;
  text: string;
}

async function tables(ground: Ground): Promise<Printed[]> {
  const {
    only,
    sizes: people,
    processes: several,
    storage,
    flood: rush,
    memory: signIns,
    away: gone,
  } = ground.options;
  const chosen = only.length > 0 ? only : core;
  const printed: Printed[] = [];
  const add = <T>(name: string, figures: T, text: (figures: T) => string) =>
    void printed.push({ name, figures, text: text(figures) });
  if (people.length > 0) add('sizes', await sizes(ground, chosen), sizesText);
  if (several) add('processes', await processes(ground, chosen), processesText);
  if (storage) add('storage', await storing(ground, only.length > 0 ? only : stored), storingText);
  if (rush) add('flood', await flood(ground), floodText);
  if (signIns !== undefined) add('memory', await memory(ground, signIns), memoryText);
  if (gone !== undefined) add('away', await away(ground, gone), awayText);
  if (printed.length === 0) add('comparison', await comparison(ground), comparisonText);
  return printed;
}

const durable = 'on disk, fsync on, synchronous_commit on, reached by TCP';

async function main(options: Options): Promise<void> {
  const { head, printed } = await onGround(options, async (ground) => ({
    head: about(`${await versionOfServer(ground.postgres.url('postgres'))}, ${durable}`),
    printed: await tables(ground),
  }));
  const { rounds, seconds, connections } = options;
  const pace = `${rounds} rounds of ${seconds} s in turns, ${connections} operations under way`;
  const all = { ...head, pace };
  if (options.json) {
    const figures = Object.fromEntries(printed.map(({ name, figures }) => [name, figures]));
    process.stdout.write(`${JSON.stringify({ about: all, ...figures }, null, 2)}\n`);
    return;
  }
  const lines = Object.entries(all).map(([name, value]) => `${name.padEnd(14)} ${value}`);
  process.stdout.write(`${[lines.join('\n'), ...printed.map(({ text }) => text)].join('\n\n')}\n`);
}

/** What was asked for; undefined where that is answered already. */
function asked(args: readonly string[]): Options | undefined {
  try {
    const options = readOptions(args);
    const names = scenarios.map(({ name }) => name);
    const unknown = options?.only.filter((name) => !names.includes(name)) ?? [];
    if (unknown.length > 0) throw new Error(`there is no scenario ${unknown.join(', ')}`);
    if (!options) process.stdout.write(`${usage}\n\nscenarios: ${names.join(', ')}\n`);
    return options;
  } catch (fault) {
    process.stderr.write(`${(fault as Error).message}\n\n${usage}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

const options = asked(process.argv.slice(2));
if (options)
  await main(options).catch((fault: unknown) => {
    process.stderr.write(`The benchmark failed: ${(fault as Error).stack ?? String(fault)}\n`);
    process.exitCode = 1;
  });
// Whatever was in the middle of something when it failed is not waited for.
process.exit();
