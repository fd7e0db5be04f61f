import type { Context, Middleware } from 'koa';
import { isApiPath } from '../api/problem.ts';
import { toIpNetwork } from '../http/request-info.ts';
import type { RefusalCounter } from '../audit/refusal-counter.ts';
import type { Actor } from '../audit/refused-attempts.ts';
import { routeTemplate } from './routes.ts';

/** What pages refuse of a form: another site sent it, or its token is not this session's or sign-in's. */
const formRefusals = new Set(['foreign-form', 'form-expired']);

const hasBearer = (ctx: Context): boolean => /^Bearer\s/i.test(ctx.get('authorization'));

/** What the admin API refuses to a token, the throttle of forged ones included. A request without one attempts nothing. */
function refusedByApi(ctx: Context): string | undefined {
  const { refusal } = ctx.state;
  const refused = [401, 403, 404].includes(ctx.status) || refusal === 'too-many-requests';
  return refused && hasBearer(ctx) ? refusal : undefined;
}

const isConsole = (path: string) => path === '/admin' || path.startsWith('/admin/');

/**
 * The code of the refusal, where the response refuses something for want of a right: the console to a user, the admin API
 * and the registration endpoint to a token, a page to a form; or where a refusal cost the client nothing, such as a throttled
 * password or a client that does not exist. Undefined for everything else, such as a wrong password or a path that does
 * not exist.
 */
function reasonOf(ctx: Context): string | undefined {
  const { path, status, method } = ctx;
  const { refusal, actor, refusedAttempt } = ctx.state;
  if (refusedAttempt !== undefined) return refusedAttempt;
  if (isApiPath(path)) return refusedByApi(ctx);
  if (status === 403 && refusal !== undefined && formRefusals.has(refusal)) return refusal;
  if (isConsole(path) && (status === 403 || status === 404) && actor) return refusal;
  if (path === '/reg' && status === 401 && hasBearer(ctx)) return 'invalid-token';
  // oidc-provider judges these two tokens, and its refusals have other codes.
  const itsForms = path === '/session/end/confirm' ? 400 : path === '/device' ? 403 : undefined;
  return method === 'POST' && status === itsForms ? 'form-expired' : undefined;
}

/** Counts refused attempts once they are answered; see `refused-attempts.ts` for what becomes of them. */
export function countRefusals(counter: Pick<RefusalCounter, 'count'>): Middleware {
  return async (ctx, next) => {
    await next();
    const reason = reasonOf(ctx);
    if (reason === undefined) return;
    const { address, request, program } = ctx.state.origin;
    const actor: Actor = ctx.state.actor ?? { network: toIpNetwork(address, 3) };
    counter.count({ actor, route: routeTemplate(ctx), reason, address, request, program });
  };
}
