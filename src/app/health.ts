import type { Middleware } from 'koa';
import type { AppContext } from '../context.ts';
import { isMigrated } from '../../migrations/index.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { createMetricsAccessCheck } from '../http/request-info.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { withTimeout } from '../http/with-timeout.ts';

const secondMs = 1000;
/** Questions to the database in a second; whoever asks beyond them is told the latest answer. */
const maxChecksPerSecond = 10;
/** A database that says nothing for so long is not there for whoever signs in, either. */
const databaseTimeoutMs = 2 * secondMs;

/**
 * Whether the database answers and has every step of its growth. However many ask: one question is under way at a time,
 * and ten in a second.
 */
function createDatabaseCheck(context: AppContext): () => Promise<boolean> {
  let windowStart = Number.NEGATIVE_INFINITY;
  let checksInWindow = 0;
  let latestResult: Promise<boolean> | undefined;
  let isRunning = false;
  const checkDatabase = async () => {
    isRunning = true;
    const isHealthy = await isMigrated(context.db).catch(() => false);
    isRunning = false;
    return isHealthy;
  };
  return () => {
    const now = performance.now();
    if (now - windowStart >= secondMs) [windowStart, checksInWindow] = [now, 0];
    if (latestResult && (isRunning || checksInWindow >= maxChecksPerSecond)) return latestResult;
    checksInWindow += 1;
    latestResult = checkDatabase();
    return latestResult;
  };
}

/**
 * Alive is not ready: ready means that the database answers, has every step of its growth, and keys that this process
 * can open; one that was given the wrong secret keys gets no more sign-ins to sign. One that is about to stop is not
 * ready from that moment on, while it still answers: so whatever shares the work out sends it nothing more.
 */
export function healthEndpoints(context: AppContext, ring: Keyring, stopping: () => boolean): Middleware {
  const database = createDatabaseCheck(context);
  const unreadyReason = async () => {
    if (stopping()) return 'stopping';
    if (!(await withTimeout(databaseTimeoutMs, database(), false))) return 'database';
    return ring.readable() ? undefined : 'keys';
  };
  return async (ctx, next) => {
    if (ctx.path === '/health/live') ctx.body = { status: 'live' };
    else if (ctx.path === '/health/ready') {
      const reason = await unreadyReason();
      ctx.status = reason ? 503 : 200;
      ctx.body = reason ? { status: 'not ready', lacks: reason } : { status: 'ready' };
    } else return next();
    ctx.set('Cache-Control', 'no-store');
    return undefined;
  };
}

/**
 * The numbers of this process, for those of HEMMA_METRICS_FROM and by any Host, as machines inside call it. To everybody
 * else there is nothing at this address (ASVS 13.4.5).
 */
export function metricsEndpoint(
  context: AppContext,
  metrics: Pick<Metrics, 'registry' | 'text'>,
): Middleware {
  const mayReadMetrics = createMetricsAccessCheck(context.settings);
  return async (ctx, next) => {
    const isMetricsRequest = ctx.path === '/metrics' && ['GET', 'HEAD'].includes(ctx.method);
    if (
      !isMetricsRequest ||
      !mayReadMetrics({ socket: ctx.req.socket.remoteAddress ?? '', headers: ctx.req.headers })
    )
      return next();
    ctx.body = await metrics.text();
    ctx.set('Content-Type', metrics.registry.contentType);
    ctx.set('Cache-Control', 'no-store');
    return undefined;
  };
}
