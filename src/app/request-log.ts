import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { createProxyRequestIdReader } from '../http/request-info.ts';
import type { RequestSpan } from '../telemetry/tracing.ts';
import { endpointGroup, routeTemplate } from './routes.ts';
import type { Telemetry } from '../telemetry/index.ts';

/** What a request was, once it is answered. */
interface CompletedRequest {
  route: string;
  /** 0: whoever asked went away before the answer. */
  status: number;
  seconds: number;
  statements: number;
  bytes: number;
  /** The application, where the library found it registered. */
  client: string | undefined;
}

/** Probes and answers that are the same for all come by the thousand and tell nothing of what people do. */
const isExcludedFromLog = (route: string) =>
  /^\/(health|public|\.well-known)\/|^\/(metrics|jwks)$/.test(route);

const oidcContext = (ctx: Context) => (ctx as unknown as Partial<KoaContextWithOIDC>).oidc;

/** The kinds of tokens in an answer of the token endpoint. A JWT has dots, which the library's opaque ones never have. */
function issuedTokenTypes(body: object): string[] {
  const { access_token: access, refresh_token: refresh, id_token: id } = body as Record<string, unknown>;
  return [
    ...(typeof access === 'string' ? [access.includes('.') ? 'access-jwt' : 'access'] : []),
    ...(refresh === undefined ? [] : ['refresh']),
    ...(id === undefined ? [] : ['id']),
  ];
}

/** What the standards' endpoints call an error where no listener heard of it: a race that was lost at the commit. */
const errorCodeInBody = (body: unknown): string | undefined => {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as { error?: unknown };
  return typeof error === 'string' ? error : undefined;
};

function recordMetrics(
  { metrics }: Telemetry,
  ctx: Context,
  { route, status, seconds }: CompletedRequest,
): void {
  metrics.answered({ method: ctx.method, route, status, seconds });
  const refusal = ctx.state.refusal ?? (status >= 400 ? errorCodeInBody(ctx.body) : undefined);
  if (refusal !== undefined) metrics.refused(endpointGroup(route), refusal);
  if (route !== '/token' || status !== 200 || typeof ctx.body !== 'object' || !ctx.body) return;
  const grant = String(oidcContext(ctx)?.params?.['grant_type']);
  for (const kind of issuedTokenTypes(ctx.body)) metrics.issued(grant, kind);
}

function logRequest(
  { log }: Telemetry,
  ctx: Context,
  { route, status, seconds, statements, bytes, client }: CompletedRequest,
  { proxied: proxyRequestId, span }: { proxied: string | undefined; span: RequestSpan | undefined },
): void {
  const entry = {
    request: ctx.state.origin.request,
    ...(proxyRequestId === undefined ? {} : { proxy_request: proxyRequestId }),
    method: ctx.method,
    route,
    ...(status === 0 ? { aborted: true } : { status }),
    ms: Math.round(seconds * 10_000) / 10,
    statements,
    bytes,
    ...(client === undefined ? {} : { client }),
    ...span?.ids,
  };
  log.info(entry, 'request');
}

function endSpan(
  span: RequestSpan,
  ctx: Context,
  completed: CompletedRequest,
  proxyRequestId: string | undefined,
): void {
  const { route, status, statements, client } = completed;
  span.end({
    name: `${ctx.method} ${route}`,
    failed: status >= 500,
    attributes: {
      'http.request.method': ctx.method,
      'http.route': route,
      'http.response.status_code': status,
      'hemma.request': ctx.state.origin.request,
      'hemma.statements': statements,
      ...(client === undefined ? {} : { 'hemma.client_id': client }),
      ...(proxyRequestId === undefined ? {} : { 'hemma.proxy_request': proxyRequestId }),
      ...(status >= 500 ? { 'error.type': String(status) } : {}),
    },
  });
}

/**
 * Watches every request: it is counted, logged and traced once its answer has left, by the template of its address. The
 * number that is answered in X-Request-Id is ours and never taken over from outside: it stands in the audit and on pages,
 * is said over the telephone, and nobody shall choose it. What a trusted proxy calls the request stands beside it.
 */
export function requestLog(settings: Settings, telemetry: Telemetry): Middleware {
  const proxyRequestIdOf = createProxyRequestIdReader(settings);
  const { tracing, requests } = telemetry;
  return (ctx, next) => {
    const startedAt = performance.now();
    const databaseUsage = { statements: 0 };
    const span = tracing.request(ctx.method, ctx.headers);
    ctx.set('X-Request-Id', ctx.state.origin.request);
    ctx.res.once('close', () => {
      const completed: CompletedRequest = {
        route: routeTemplate(ctx),
        status: ctx.res.writableFinished ? ctx.res.statusCode : 0,
        seconds: (performance.now() - startedAt) / 1000,
        statements: databaseUsage.statements,
        bytes: Number(ctx.res.getHeader('content-length') ?? 0),
        client: oidcContext(ctx)?.client?.clientId,
      };
      const proxyRequestId = proxyRequestIdOf({
        socket: ctx.req.socket.remoteAddress ?? '',
        headers: ctx.req.headers,
      });
      recordMetrics(telemetry, ctx, completed);
      if (settings.HEMMA_LOG_REQUESTS && !isExcludedFromLog(completed.route))
        logRequest(telemetry, ctx, completed, { proxied: proxyRequestId, span });
      if (span) endSpan(span, ctx, completed, proxyRequestId);
    });
    return requests.run(databaseUsage, () => (span ? span.run(next) : next()));
  };
}
