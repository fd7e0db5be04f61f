import { AsyncLocalStorage } from 'node:async_hooks';
import cluster from 'node:cluster';
import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import type { Log } from './log.ts';
import { logOf } from './log.ts';
import type { Metrics } from './metrics.ts';
import { metricsOf } from './metrics.ts';
import { metricsOfAll } from './shared-metrics.ts';
import { versionOfProgram, watchProcess } from './process-metrics.ts';
import type { Environment, Tracing } from './tracing.ts';
import { isTraced, tracingOf, untraced } from './tracing.ts';
import type { Asked } from './tracing.ts';

/** How this process tells of itself: lines, numbers, and where the time went. */
export interface Telemetry {
  log: Log;
  metrics: Metrics;
  tracing: Tracing;
  /** The request that is being answered here. */
  requests: AsyncLocalStorage<Asked>;
  /** Ends the observation and sends what waits to be sent. */
  stop(): Promise<void>;
}

/** @param env Where the variables of OpenTelemetry stand; none of them switches anything on by itself but an endpoint. */
export async function telemetryOf(
  settings: Settings,
  env: Environment,
  logTo?: DestinationStream,
): Promise<Telemetry> {
  let tracing = untraced;
  const log = logOf(settings.HEMMA_LOG_LEVEL, logTo, isTraced(env) ? () => tracing.ids() ?? {} : undefined);
  tracing = await tracingOf(env, versionOfProgram(), (text) => log.warn({ tracing: text }, 'traces'));
  const own = metricsOf();
  // Whichever worker is asked tells of all.
  const metrics = cluster.isWorker ? { ...own, text: metricsOfAll(() => own.values()) } : own;
  const watching = watchProcess(metrics);
  return {
    log,
    metrics,
    tracing,
    requests: new AsyncLocalStorage(),
    async stop() {
      watching.stop();
      await tracing.stop();
    },
  };
}
