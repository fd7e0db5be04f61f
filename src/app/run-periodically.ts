import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { noopTracing } from '../telemetry/tracing.ts';

/**
 * What goes on behind the pages, in every process: mails and sign-out messages leave, sessions run out, and what has
 * expired is removed in small batches.
 */
export interface BackgroundJobs {
  stop(): Promise<void>;
}

export interface RecurringJob extends BackgroundJobs {
  /** The next turn comes in a moment instead. */
  soon(): void;
}

/** Long enough for the answer that began something to be away: how long it took never tells what went on behind it. */
export const soonDelayMs = 50;

/** Where the outcome of each run is counted, and the tracing of what it sends. */
export interface JobTelemetry {
  metrics: Pick<Metrics, 'choreEnded'>;
  tracing: Tracing;
}

export const noJobTelemetry: JobTelemetry = {
  metrics: { choreEnded: () => undefined },
  tracing: noopTracing,
};

/**
 * Runs a job repeatedly with a pause between the runs, never twice at once; a fault is logged and the next run follows. A
 * job that returns a number sets the pause (milliseconds) itself.
 */
export function runPeriodically(
  intervalMs: number,
  log: Log,
  { metrics }: JobTelemetry,
  name: string,
  job: () => Promise<number | void>,
): RecurringJob {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running = false;
  let soonRequested = false;
  let currentRun = Promise.resolve();
  const wait = (time: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, time).unref();
  };
  const runOnce = async () => {
    let nextDelayMs: number | void = undefined;
    try {
      nextDelayMs = await job();
      metrics.choreEnded(name, true);
    } catch (fault) {
      metrics.choreEnded(name, false);
      log.warn({ chore: name, fault: String(fault) }, 'a chore failed');
    }
    running = false;
    wait(soonRequested ? soonDelayMs : (nextDelayMs ?? intervalMs));
  };
  const run = () => {
    running = true;
    soonRequested = false;
    currentRun = runOnce();
  };
  wait(intervalMs);
  return {
    soon() {
      // Further requests do not postpone it.
      if (!soonRequested && !running) wait(soonDelayMs);
      soonRequested = true;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await currentRun;
    },
  };
}
