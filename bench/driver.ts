/** Drives one target after the other, from a process of its own, with so many connections that each do one operation at a time. */
import type { ConnectionPool } from './browser.ts';
import { createBrowser, openConnectionPool } from './browser.ts';
import type { CredentialsByEmail } from './town.ts';
import { serveRequests } from './messages.ts';
import type { Scenario, VirtualUser } from './scenarios.ts';
import { scenarios } from './scenarios.ts';

/** A target as the driver knows it. */
export interface TargetAddress {
  name: string;
  ports: readonly number[];
  host: string;
  pockets?: CredentialsByEmail;
  /** There are so many people of the crowd; see sizes.ts. */
  crowd?: number;
}

export type DriverCommand =
  | { do: 'open'; target: TargetAddress; connections: number }
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
export interface RoundResult {
  ops: number;
  seconds: number;
  p50: number;
  p99: number;
  /** Of the operations those that were turned away because too much was going on; elsewhere that fails the benchmark. */
  refused: number;
}

interface OpenTarget {
  line: ConnectionPool;
  users: VirtualUser[];
  begun: Set<string>;
}

const targets = new Map<string, OpenTarget>();

function openTarget(
  { name, ports, host, pockets: credentials = {}, crowd }: TargetAddress,
  connections: number,
): void {
  const line = openConnectionPool(ports, host, connections);
  const devices = new Map<number, string>();
  const users = Array.from({ length: connections }, (_, number): VirtualUser => ({
    number,
    among: connections,
    line,
    browser: createBrowser(line, number),
    pockets: credentials,
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
async function countRefused(operation: Scenario['operation'], user: VirtualUser): Promise<number> {
  try {
    await operation(user);
    return 0;
  } catch (fault) {
    if (/\b(503|429)\b/.test((fault as Error).message)) return 1;
    throw fault;
  }
}

/** All users do operations for so many seconds; with `requestsPerSecond` at that pace together, whatever the answers take. */
async function runOperations(
  users: readonly VirtualUser[],
  operation: Scenario['operation'],
  { seconds, perSecond, mayRefuse = false }: { seconds: number; perSecond?: number; mayRefuse?: boolean },
): Promise<RoundResult> {
  const taken: number[] = [];
  let refused = 0;
  const begun = performance.now();
  const endAt = begun + seconds * 1000;
  const pause = perSecond === undefined ? 0 : (users.length * 1000) / perSecond;
  const one = async (user: VirtualUser) => {
    user.done = 0;
    for (let iteration = 0; ; iteration += 1) {
      const due = begun + iteration * pause;
      const early = pause > 0 ? due - performance.now() : 0;
      if (early > 0) await new Promise((later) => setTimeout(later, early));
      const startedAt = performance.now();
      if (startedAt >= endAt) return;
      if (mayRefuse) refused += await countRefused(operation, user);
      else if ((await operation(user)) === false) return;
      user.done += 1;
      taken.push(performance.now() - startedAt);
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

const emptyResult: RoundResult = { ops: 0, seconds: 0, p50: 0, p99: 0, refused: 0 };

async function executeCommand(command: DriverCommand): Promise<RoundResult> {
  if (command.do === 'open') {
    openTarget(command.target, command.connections);
    return emptyResult;
  }
  const target = targets.get(command.target);
  if (!target) throw new Error(`${command.target} was not opened`);
  if (command.do === 'close') {
    targets.delete(command.target);
    await Promise.all(target.line.pools.map((pool) => pool.destroy()));
    return emptyResult;
  }
  const scenario = scenarios.find(({ name }) => name === command.scenario);
  if (!scenario) throw new Error(`there is no scenario ${command.scenario}`);
  if (!target.begun.has(scenario.name)) {
    for (const user of target.users) await scenario.begin?.(user);
    target.begun.add(scenario.name);
  }
  const { stock } = scenario;
  const users = target.users.slice(0, command.users);
  if (command.do === 'run') return runOperations(users, scenario.operation, command);
  return stock ? runOperations(users, stock, command) : emptyResult;
}

serveRequests(executeCommand);
