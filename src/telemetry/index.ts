import { AsyncLocalStorage } from 'node:async_hooks';
import cluster from 'node:cluster';
import type { DestinationStream } from 'pino';
import type { Settings } from '../../config/settings.ts';
import type { Log } from './log.ts';
import { createLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createMetrics } from './metrics.ts';
import { createClusterMetrics } from './shared-metrics.ts';
import { readPackageVersion, collectProcessMetrics } from './process-metrics.ts';
import type { Environment, Tracing } from './tracing.ts';
import { isTraced, loadTracing, noopTracing } from './tracing.ts';
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
export async function createTelemetry(
  settings: Settings,
  env: Environment,
  destination?: DestinationStream,
): Promise<Telemetry> {
  let tracing = noopTracing;
  const log = createLog(
    settings.HEMMA_LOG_LEVEL,
    destination,
    isTraced(env) ? () => tracing.ids() ?? {} : undefined,
  );
  tracing = await loadTracing(env, readPackageVersion(), (text) => log.warn({ tracing: text }, 'traces'));
  const processOnly = createMetrics();
  // Whichever worker is asked tells of all.
  const metrics = cluster.isWorker
    ? { ...processOnly, text: createClusterMetrics(() => processOnly.values()) }
    : processOnly;
  const processMetrics = collectProcessMetrics(metrics);
  return {
    log,
    metrics,
    tracing,
    requests: new AsyncLocalStorage(),
    async stop() {
      processMetrics.stop();
      await tracing.stop();
    },
  };
}
