import type { Worker } from 'node:cluster';
import cluster from 'node:cluster';
import { relayMetrics } from '../telemetry/shared-metrics.ts';

/** The processes that serve one port together. */
export interface WorkerPool {
  /** Asks all of them to stop, and resolves when they have. */
  stop(): Promise<void>;
  /** Ends them at once. */
  end(): void;
  /** Resolves with 1 when the first of them does not come up: it has said why. */
  failed: Promise<number>;
}

/** Milliseconds before a worker that died is replaced: longer each time that it dies young. */
const initialRestartDelayMs = 500;
const maxRestartDelayMs = 30_000;
const earlyExitMs = 60_000;

/**
 * Starts `count` processes that share a port. The first one comes up alone: it migrates, greets, and says in its own
 * words what keeps it from starting; the others follow. One that dies is replaced.
 */
export function startWorkerPool(count: number, writeLine: (text: string) => void): WorkerPool {
  const running = new Set<Worker>();
  const timers = new Set<NodeJS.Timeout>();
  let stopping = false;
  let fail: (code: number) => void = () => undefined;
  const failed = new Promise<number>((done) => (fail = done));

  const replace = (startedAt: number, exits: number) => {
    const earlyExits = performance.now() - startedAt < earlyExitMs ? exits + 1 : 0;
    const pause = Math.min(maxRestartDelayMs, initialRestartDelayMs * 2 ** earlyExits);
    const timer = setTimeout(() => {
      timers.delete(timer);
      begin(earlyExits);
    }, pause);
    timers.add(timer);
    writeLine(`A worker ended; another takes its place in ${Math.round(pause / 100) / 10} s.`);
  };
  const begin = (exits: number): Worker => {
    const worker = cluster.fork();
    const startedAt = performance.now();
    let readyCount = false;
    running.add(worker);
    worker.once('listening', () => (readyCount = true));
    worker.once('exit', () => {
      running.delete(worker);
      if (stopping) return;
      if (worker.id === 1 && !readyCount) fail(1);
      else replace(startedAt, exits);
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
      const exited = [...running].map(
        (worker) => new Promise<void>((done) => worker.once('exit', () => done())),
      );
      for (const worker of running) worker.process.kill('SIGTERM');
      await Promise.all(exited);
    },
    end() {
      stopping = true;
      for (const worker of running) worker.process.kill('SIGKILL');
    },
  };
}
