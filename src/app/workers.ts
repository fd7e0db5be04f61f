import type { Worker } from 'node:cluster';
import cluster from 'node:cluster';
import { relayMetrics } from '../telemetry/shared-metrics.ts';

/** The processes that serve one port together. */
export interface Workers {
  /** Asks all of them to stop, and resolves when they have. */
  stop(): Promise<void>;
  /** Ends them at once. */
  end(): void;
  /** Resolves with 1 when the first of them does not come up: it has said why. */
  failed: Promise<number>;
}

/** Milliseconds before a worker that died is replaced: longer each time that it dies young. */
const firstPause = 500;
const longestPause = 30_000;
const youth = 60_000;

/**
 * Starts `count` processes that share a port. The first one comes up alone: it migrates, greets, and says in its own
 * words what keeps it from starting; the others follow. One that dies is replaced.
 */
export function startWorkers(count: number, say: (text: string) => void): Workers {
  const running = new Set<Worker>();
  const timers = new Set<NodeJS.Timeout>();
  let stopping = false;
  let fail: (code: number) => void = () => undefined;
  const failed = new Promise<number>((done) => (fail = done));

  const replace = (born: number, deaths: number) => {
    const early = performance.now() - born < youth ? deaths + 1 : 0;
    const pause = Math.min(longestPause, firstPause * 2 ** early);
    const timer = setTimeout(() => {
      timers.delete(timer);
      begin(early);
    }, pause);
    timers.add(timer);
    say(`A worker ended; another takes its place in ${Math.round(pause / 100) / 10} s.`);
  };
  const begin = (deaths: number): Worker => {
    const worker = cluster.fork();
    const born = performance.now();
    let up = false;
    running.add(worker);
    worker.once('listening', () => (up = true));
    worker.once('exit', () => {
      running.delete(worker);
      if (stopping) return;
      if (worker.id === 1 && !up) fail(1);
      else replace(born, deaths);
    });
    return worker;
  };

  relayMetrics();
  begin(0).once('listening', () => {
    if (!stopping) for (let number = 1; number < count; number += 1) begin(0);
  });
  return {
    failed,
    async stop() {
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      const gone = [...running].map(
        (worker) => new Promise<void>((done) => worker.once('exit', () => done())),
      );
      for (const worker of running) worker.process.kill('SIGTERM');
      await Promise.all(gone);
    },
    end() {
      stopping = true;
      for (const worker of running) worker.process.kill('SIGKILL');
    },
  };
}
