/** What all tables stand on: the options, one PostgreSQL, and that everything that was started is stopped. */
import type { Postgres } from '../test/rig/postgres.ts';
import { startPostgres } from '../test/rig/postgres.ts';
import type { BenchOptions } from './options.ts';

interface Stoppable {
  stop(): Promise<void>;
}

export interface BenchEnvironment {
  options: BenchOptions;
  postgres: Postgres;
  /** Says where it is, to whoever waits. */
  say: (line: string) => void;
  /** Hands on what was started, and stops it at the end of the benchmark at the latest. */
  keep: <T extends Stoppable>(started: Promise<T>) => Promise<T>;
}

/**
 * Runs `work` and stops whatever it kept, the latest first: at its end, after a fault, and where somebody ends the
 * benchmark. Processes end with this one however it ends, and PostgreSQL has a guard of its own.
 */
export async function withBenchEnvironment<T>(
  options: BenchOptions,
  work: (ground: BenchEnvironment) => Promise<T>,
): Promise<T> {
  const startedItems: Promise<Stoppable>[] = [];
  const stopAtEnd = <Kept extends Stoppable>(started: Promise<Kept>): Promise<Kept> => {
    startedItems.push(started);
    return started;
  };
  const stopAll = async () => {
    for (let last = startedItems.pop(); last; last = startedItems.pop())
      await last.then(
        (one) => one.stop(),
        () => undefined,
      );
  };
  const stopped = new Promise<never>((_, fail) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => fail(new Error(`ended by ${signal}`)));
  });
  try {
    const postgres = await stopAtEnd(startPostgres({ durable: true }));
    const log = (line: string) => void process.stderr.write(`  ${line}\n`);
    return await Promise.race([work({ options, postgres, say: log, keep: stopAtEnd }), stopped]);
  } finally {
    await stopAll();
  }
}
