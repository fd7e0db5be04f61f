/** Round by round: each scenario at each target in turn, so that whatever disturbs the machine disturbs all of them. */
import { processCpuTime } from './accounting.ts';
import type { RoundResult, DriverCommand } from './driver.ts';
import type { BenchProcess } from './messages.ts';
import { startChildProcess } from './messages.ts';
import type { ResourceUsage, BenchTarget } from './targets.ts';

export type Driver = BenchProcess<DriverCommand, RoundResult>;

export const startDriver = (): Promise<Driver> => startChildProcess('driver', {}, ['--enable-source-maps']);

/** One operation at one target: rates and latencies in the median of all rounds, the rest of all of them together. */
export interface Figures {
  ops: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Microseconds of processor time; the driver's where it was driven. */
  driver: number;
  provider: number;
  postgres: number;
  statements: number;
  roundTrips: number;
  /** Bytes of PostgreSQL's log. */
  wal: number;
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0];
  return (low + high) / 2;
};

/** What one round was and cost. */
export async function runRound(
  driver: Driver,
  target: BenchTarget,
  scenario: string,
  seconds: number,
  users?: number,
): Promise<Figures | undefined> {
  const order = { target: target.address.name, scenario, seconds, ...(users ? { users } : {}) };
  if (scenario === 'sign-in-totp') await target.refill();
  await driver.ask({ do: 'stock', ...order });
  const before = await target.spent();
  const driverBefore = processCpuTime(driver.pid);
  const { ops, seconds: elapsed, p50, p99 } = await driver.ask({ do: 'run', ...order });
  const after = await target.spent();
  const driverAfter = processCpuTime(driver.pid);
  if (ops === 0) return undefined;
  const perOperation = (name: keyof ResourceUsage) => (after[name] - before[name]) / ops;
  return {
    ops,
    perSecond: ops / elapsed,
    p50,
    p99,
    driver: (driverAfter - driverBefore) / ops,
    provider: perOperation('provider'),
    postgres: perOperation('postgres'),
    statements: perOperation('statements'),
    roundTrips: perOperation('roundTrips'),
    wal: perOperation('wal'),
  };
}

const medianFields = ['perSecond', 'p50', 'p99'] as const;
const summedFields = ['driver', 'provider', 'postgres', 'statements', 'roundTrips', 'wal'] as const;

/** Several rounds as one. The system counts processor time in hundredths of a second, so it is added up. */
export function combineRounds(rounds: readonly Figures[]): Figures | undefined {
  const ops = rounds.reduce((sum, one) => sum + one.ops, 0);
  if (ops === 0) return undefined;
  const entries: [string, number][] = [
    ['ops', ops],
    ...medianFields.map((name): [string, number] => [name, median(rounds.map((one) => one[name]))]),
    ...summedFields.map((name): [string, number] => [
      name,
      rounds.reduce((sum, one) => sum + one[name] * one.ops, 0) / ops,
    ]),
  ];
  return Object.fromEntries(entries) as unknown as Figures;
}

export interface RoundOptions {
  rounds: number;
  seconds: number;
  /** Fewer than there are connections. */
  users?: number;
}

type RoundFunction = (seconds: number) => Promise<Figures | undefined>;

/** One scenario at all targets, in turns, and whatever else is to be measured in the same minutes; by name. */
export async function runRounds(
  driver: Driver,
  targets: readonly BenchTarget[],
  scenario: string,
  { rounds, seconds, users }: RoundOptions,
  more: Readonly<Record<string, RoundFunction>> = {},
): Promise<Map<string, Figures>> {
  const roundFunctions: [string, RoundFunction][] = [
    ...targets.map((target): [string, RoundFunction] => [
      target.address.name,
      (long) => runRound(driver, target, scenario, long, users),
    ]),
    ...Object.entries(more),
  ];
  const all = new Map<string, Figures[]>(roundFunctions.map(([name]) => [name, []]));
  // The first turn of each is for warming up and counts for nothing.
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, play] of roundFunctions) {
      const figures = await play(round === 0 ? Math.max(seconds, 0.3) : seconds);
      if (figures && round > 0) all.get(name)?.push(figures);
    }
  return new Map(
    [...all].flatMap(([name, figures]): [string, Figures][] => {
      const one = combineRounds(figures);
      return one ? [[name, one]] : [];
    }),
  );
}
