import type { Middleware } from 'koa';
import type { House } from '../context.ts';
import { migrated } from '../../migrations/index.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { metricsReader } from '../http/request-info.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { within } from '../http/with-timeout.ts';

const second = 1000;
/** Questions to the database in a second; whoever asks beyond them is told the latest answer. */
const most = 10;
/** A database that says nothing for so long is not there for whoever signs in, either. */
const patience = 2 * second;

/**
 * Whether the database answers and has every step of its growth. However many ask: one question is under way at a time,
 * and ten in a second.
 */
function databaseProbe(house: House): () => Promise<boolean> {
  let began = Number.NEGATIVE_INFINITY;
  let asked = 0;
  let last: Promise<boolean> | undefined;
  let underWay = false;
  const ask = async () => {
    underWay = true;
    const well = await migrated(house.db).catch(() => false);
    underWay = false;
    return well;
  };
  return () => {
    const now = performance.now();
    if (now - began >= second) [began, asked] = [now, 0];
    if (last && (underWay || asked >= most)) return last;
    asked += 1;
    last = ask();
    return last;
  };
}

/**
 * Alive is not ready: ready means that the database answers, has every step of its growth, and keys that this process
 * can open; one that was given the wrong secret keys gets no more sign-ins to sign. One that is about to stop is not
 * ready from that moment on, while it still answers: so whatever shares the work out sends it nothing more.
 */
export function health(house: House, ring: Keyring, stopping: () => boolean): Middleware {
  const database = databaseProbe(house);
  const lack = async () => {
    if (stopping()) return 'stopping';
    if (!(await within(patience, database(), false))) return 'database';
    return ring.readable() ? undefined : 'keys';
  };
  return async (ctx, next) => {
    if (ctx.path === '/health/live') ctx.body = { status: 'live' };
    else if (ctx.path === '/health/ready') {
      const lacks = await lack();
      ctx.status = lacks ? 503 : 200;
      ctx.body = lacks ? { status: 'not ready', lacks } : { status: 'ready' };
    } else return next();
    ctx.set('Cache-Control', 'no-store');
    return undefined;
  };
}

/**
 * The numbers of this process, for those of HEMMA_METRICS_FROM and by any Host, as machines inside call it. To everybody
 * else there is nothing at this address (ASVS 13.4.5).
 */
export function metricsPage(house: House, metrics: Pick<Metrics, 'registry' | 'text'>): Middleware {
  const may = metricsReader(house.settings);
  return async (ctx, next) => {
    const mine = ctx.path === '/metrics' && ['GET', 'HEAD'].includes(ctx.method);
    if (!mine || !may({ socket: ctx.req.socket.remoteAddress ?? '', headers: ctx.req.headers }))
      return next();
    ctx.body = await metrics.text();
    ctx.set('Content-Type', metrics.registry.contentType);
    ctx.set('Cache-Control', 'no-store');
    return undefined;
  };
}
