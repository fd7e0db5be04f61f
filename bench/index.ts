/**
 * `npm run bench`: what Hemma costs beside the library alone over a Map and beside the hash alone, in one run and in
 * turns. Everything runs on this machine; `--help` says what can be asked for.
 */
import { measureOutage, formatOutage } from './away.ts';
import type { ComparisonRow, HashLimitProcess } from './comparison.ts';
import { runComparison, formatComparison } from './comparison.ts';
import { measureFlood, formatFlood } from './flood.ts';
import type { BenchEnvironment } from './ground.ts';
import { withBenchEnvironment } from './ground.ts';
import { measureMemory, formatMemory } from './memory.ts';
import { startChildProcess } from './messages.ts';
import type { BenchOptions } from './options.ts';
import { parseOptions, usage } from './options.ts';
import { measureProcesses, formatProcesses } from './processes.ts';
import { startDriver } from './rounds.ts';
import { scenarios } from './scenarios.ts';
import { serverVersion } from './server.ts';
import { measureSizes, formatSizes } from './sizes.ts';
import { storageScenarios, measureStorage, formatStorage } from './storing.ts';
import { describeEnvironment } from './tables.ts';
import type { BenchTarget } from './targets.ts';
import { startBaseline, startBenchHemma } from './targets.ts';

/** What the tables besides the first are about, where nobody chooses otherwise. */
const coreScenarios = [
  'client-credentials',
  'client-credentials-jwt',
  'refresh',
  'introspection',
  'userinfo',
  'silent-sso',
  'code-journey',
];

async function runCoreComparison({
  options,
  postgres,
  say: log,
  keep,
}: BenchEnvironment): Promise<ComparisonRow[]> {
  const driver = await keep(startDriver());
  const limit: HashLimitProcess = await keep(startChildProcess('limit-process'));
  const targets: BenchTarget[] = [
    await keep(startBaseline()),
    await keep(startBenchHemma({ name: 'hemma', on: { postgres, database: 'postgres' } })),
    ...(options.pglite ? [await keep(startBenchHemma({ name: 'pglite' }))] : []),
  ];
  for (const { address: target } of targets)
    await driver.ask({ do: 'open', target, connections: options.connections });
  const chosen = options.only.length > 0 ? options.only : scenarios.map(({ name }) => name);
  return runComparison({ driver, limit, targets, say: log }, chosen, options);
}

/** A table as figures, and as text. */
interface ReportSection {
  name: string;
  figures: unknown;
  text: string;
}

async function runSections(ground: BenchEnvironment): Promise<ReportSection[]> {
  const {
    only,
    sizes: people,
    processes: several,
    storage,
    flood: floodResults,
    memory: signIns,
    away: outage,
  } = ground.options;
  const chosen = only.length > 0 ? only : coreScenarios;
  const printed: ReportSection[] = [];
  const add = <T>(name: string, figures: T, text: (figures: T) => string) =>
    void printed.push({ name, figures, text: text(figures) });
  if (people.length > 0) add('sizes', await measureSizes(ground, chosen), formatSizes);
  if (several) add('processes', await measureProcesses(ground, chosen), formatProcesses);
  if (storage)
    add('storage', await measureStorage(ground, only.length > 0 ? only : storageScenarios), formatStorage);
  if (floodResults) add('flood', await measureFlood(ground), formatFlood);
  if (signIns !== undefined) add('memory', await measureMemory(ground, signIns), formatMemory);
  if (outage !== undefined) add('away', await measureOutage(ground, outage), formatOutage);
  if (printed.length === 0) add('comparison', await runCoreComparison(ground), formatComparison);
  return printed;
}

const durabilityNote = 'on disk, fsync on, synchronous_commit on, reached by TCP';

async function runBenchmark(options: BenchOptions): Promise<void> {
  const { head, printed } = await withBenchEnvironment(options, async (ground) => ({
    head: describeEnvironment(`${await serverVersion(ground.postgres.url('postgres'))}, ${durabilityNote}`),
    printed: await runSections(ground),
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
function parseArguments(args: readonly string[]): BenchOptions | undefined {
  try {
    const options = parseOptions(args);
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

const options = parseArguments(process.argv.slice(2));
if (options)
  await runBenchmark(options).catch((fault: unknown) => {
    process.stderr.write(`The benchmark failed: ${(fault as Error).stack ?? String(fault)}\n`);
    process.exitCode = 1;
  });
// Whatever was in the middle of something when it failed is not waited for.
process.exit();
