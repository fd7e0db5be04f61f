/** Drives one target after the other, from a process of its own, with so many connections that each do one operation at a time. */
import type { Line } from './browser.ts';
import { openBrowser, openLine } from './browser.ts';
import type { Pockets } from './town.ts';
import { serve } from './messages.ts';
import type { Scenario, User } from './scenarios.ts';
import { scenarios } from './scenarios.ts';

/** A target as the driver knows it. */
export interface Address {
  name: string;
  ports: readonly number[];
  host: string;
  pockets?: Pockets;
  /** There are so many people of the crowd; see sizes.ts. */
  crowd?: number;
}

export type Order =
  | { do: 'open'; target: Address; connections: number }
  | {
      do: 'stock' | 'run';
      target: string;
      scenario: string;
      seconds: number;
      users?: number;
      perSecond?: number;
      mayRefuse?: boolean;
    }
  | { do: 'close'; target: string };

/** What a round was. Latencies in milliseconds. */
export interface Driven {
  ops: number;
  seconds: number;
  p50: number;
  p99: number;
  /** Of the operations those that were turned away because too much was going on; elsewhere that fails the benchmark. */
  refused: number;
}

interface Open {
  line: Line;
  users: User[];
  begun: Set<string>;
}

const targets = new Map<string, Open>();

function open({ name, ports, host, pockets = {}, crowd }: Address, connections: number): void {
  const line = openLine(ports, host, connections);
  const devices = new Map<number, string>();
  const users = Array.from({ length: connections }, (_, number): User => ({
    number,
    among: connections,
    line,
    browser: openBrowser(line, number),
    pockets,
    crowd,
    devices,
    turn: 0,
    done: 0,
    tokens: {},
    codes: [],
  }));
  targets.set(name, { line, users, begun: new Set() });
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Does one operation; answers 1 where it was turned away because too much is going on (RFC 9110 §15.6.4, RFC 6585 §4). */
async function refusedBy(operation: Scenario['operation'], user: User): Promise<number> {
  try {
    await operation(user);
    return 0;
  } catch (fault) {
    if (/\b(503|429)\b/.test((fault as Error).message)) return 1;
    throw fault;
  }
}

/** All users do operations for so many seconds; with `perSecond` at that pace together, whatever the answers take. */
async function drive(
  users: readonly User[],
  operation: Scenario['operation'],
  { seconds, perSecond, mayRefuse = false }: { seconds: number; perSecond?: number; mayRefuse?: boolean },
): Promise<Driven> {
  const taken: number[] = [];
  let refused = 0;
  const begun = performance.now();
  const until = begun + seconds * 1000;
  const pause = perSecond === undefined ? 0 : (users.length * 1000) / perSecond;
  const one = async (user: User) => {
    user.done = 0;
    for (let turn = 0; ; turn += 1) {
      const due = begun + turn * pause;
      const early = pause > 0 ? due - performance.now() : 0;
      if (early > 0) await new Promise((later) => setTimeout(later, early));
      const from = performance.now();
      if (from >= until) return;
      if (mayRefuse) refused += await refusedBy(operation, user);
      else if ((await operation(user)) === false) return;
      user.done += 1;
      taken.push(performance.now() - from);
    }
  };
  await Promise.all(users.map(one));
  const sorted = taken.toSorted((a, b) => a - b);
  return {
    ops: taken.length,
    seconds: (performance.now() - begun) / 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    refused,
  };
}

const nothing: Driven = { ops: 0, seconds: 0, p50: 0, p99: 0, refused: 0 };

async function obey(order: Order): Promise<Driven> {
  if (order.do === 'open') {
    open(order.target, order.connections);
    return nothing;
  }
  const target = targets.get(order.target);
  if (!target) throw new Error(`${order.target} was not opened`);
  if (order.do === 'close') {
    targets.delete(order.target);
    await Promise.all(target.line.pools.map((pool) => pool.destroy()));
    return nothing;
  }
  const scenario = scenarios.find(({ name }) => name === order.scenario);
  if (!scenario) throw new Error(`there is no scenario ${order.scenario}`);
  if (!target.begun.has(scenario.name)) {
    for (const user of target.users) await scenario.begin?.(user);
    target.begun.add(scenario.name);
  }
  const { stock } = scenario;
  const users = target.users.slice(0, order.users);
  if (order.do === 'run') return drive(users, scenario.operation, order);
  return stock ? drive(users, stock, order) : nothing;
}

serve(obey);
