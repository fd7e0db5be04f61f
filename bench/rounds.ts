/** Round by round: each scenario at each target in turn, so that whatever disturbs the machine disturbs all of them. */
import { cpuOf } from './accounting.ts';
import type { Driven, Order } from './driver.ts';
import type { Child } from './messages.ts';
import { startChild } from './messages.ts';
import type { Spent, Target } from './targets.ts';

export type Driver = Child<Order, Driven>;

export const startDriver = (): Promise<Driver> => startChild('driver', {}, ['--enable-source-maps']);

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
export async function round(
  driver: Driver,
  target: Target,
  scenario: string,
  seconds: number,
  users?: number,
): Promise<Figures | undefined> {
  const order = { target: target.address.name, scenario, seconds, ...(users ? { users } : {}) };
  if (scenario === 'sign-in-totp') await target.refill();
  await driver.ask({ do: 'stock', ...order });
  const before = await target.spent();
  const driverBefore = cpuOf(driver.pid);
  const { ops, seconds: taken, p50, p99 } = await driver.ask({ do: 'run', ...order });
  const after = await target.spent();
  const driverAfter = cpuOf(driver.pid);
  if (ops === 0) return undefined;
  const each = (name: keyof Spent) => (after[name] - before[name]) / ops;
  return {
    ops,
    perSecond: ops / taken,
    p50,
    p99,
    driver: (driverAfter - driverBefore) / ops,
    provider: each('provider'),
    postgres: each('postgres'),
    statements: each('statements'),
    roundTrips: each('roundTrips'),
    wal: each('wal'),
  };
}

const middling = ['perSecond', 'p50', 'p99'] as const;
const additive = ['driver', 'provider', 'postgres', 'statements', 'roundTrips', 'wal'] as const;

/** Several rounds as one. The system counts processor time in hundredths of a second, so it is added up. */
export function together(rounds: readonly Figures[]): Figures | undefined {
  const ops = rounds.reduce((sum, one) => sum + one.ops, 0);
  if (ops === 0) return undefined;
  const entries: [string, number][] = [
    ['ops', ops],
    ...middling.map((name): [string, number] => [name, median(rounds.map((one) => one[name]))]),
    ...additive.map((name): [string, number] => [
      name,
      rounds.reduce((sum, one) => sum + one[name] * one.ops, 0) / ops,
    ]),
  ];
  return Object.fromEntries(entries) as unknown as Figures;
}

export interface Pace {
  rounds: number;
  seconds: number;
  /** Fewer than there are connections. */
  users?: number;
}

type Play = (seconds: number) => Promise<Figures | undefined>;

/** One scenario at all targets, in turns, and whatever else is to be measured in the same minutes; by name. */
export async function compare(
  driver: Driver,
  targets: readonly Target[],
  scenario: string,
  { rounds, seconds, users }: Pace,
  more: Readonly<Record<string, Play>> = {},
): Promise<Map<string, Figures>> {
  const plays: [string, Play][] = [
    ...targets.map((target): [string, Play] => [
      target.address.name,
      (long) => round(driver, target, scenario, long, users),
    ]),
    ...Object.entries(more),
  ];
  const all = new Map<string, Figures[]>(plays.map(([name]) => [name, []]));
  // The first turn of each is for warming up and counts for nothing.
  for (let turn = 0; turn <= rounds; turn += 1)
    for (const [name, play] of plays) {
      const figures = await play(turn === 0 ? Math.max(seconds, 0.3) : seconds);
      if (figures && turn > 0) all.get(name)?.push(figures);
    }
  return new Map(
    [...all].flatMap(([name, figures]): [string, Figures][] => {
      const one = together(figures);
      return one ? [[name, one]] : [];
    }),
  );
}
