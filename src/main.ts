import cluster from 'node:cluster';
import { readSettings } from '../config/settings.ts';
import { boot } from './app/boot.ts';
import { installCrashHandler } from './app/crash-handler.ts';
import { startWorkerPool } from './app/workers.ts';

/** What is running here, and how it stops. */
interface StoppableServer {
  /** `drains`: as long as a balancer needs to notice, it takes what still comes; so it does where nothing is said. */
  stop(how?: { drains: boolean }): Promise<void>;
  /** Ends at once, whatever is under way. */
  end?(): void;
}

async function startAsWorker(): Promise<StoppableServer | undefined> {
  const hemma = await boot(process, { greets: cluster.worker?.id === 1 });
  // What ties it to the primary would keep it alive.
  if (!hemma) process.exit();
  return hemma;
}

/**
 * Workers, where several are asked for; otherwise, and in each of them, the provider itself. Settings with a fault are told
 * of by the provider, once.
 */
function startFromSettings(): Promise<StoppableServer | undefined> {
  const parsed = readSettings(process.env);
  const count = 'settings' in parsed ? parsed.settings.HEMMA_WORKERS : 1;
  if (cluster.isWorker) return startAsWorker();
  if (count === 1) return boot(process);
  const workers = startWorkerPool(count, (text) => void process.stderr.write(`${text}\n`));
  void workers.failed.then((code) => process.exit(code));
  return Promise.resolve(workers);
}

/** The provider as a process: starts, and stops when it is asked to, also where that comes while it is starting. */
const startup = startFromSettings();
let stopping = false;
installCrashHandler(async () => {
  // One that stops already goes on with that.
  if (stopping) return new Promise<void>(() => undefined);
  stopping = true;
  const running = await startup;
  await running?.stop({ drains: false });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait. A terminal's Ctrl-C reaches the workers, and them twice.
    if (stopping && !cluster.isWorker) {
      void startup.then((running) => running?.end?.()).finally(() => process.exit(1));
      return;
    }
    if (stopping) return;
    stopping = true;
    startup
      .then((running) => running?.stop())
      .then(
        () => process.exit(),
        (fault: unknown) => {
          process.stderr.write(`${String(fault)}\n`);
          process.exit(1);
        },
      );
  });
}
