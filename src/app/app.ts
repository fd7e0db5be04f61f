import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import Koa from 'koa';
import compose from 'koa-compose';
import helmet from 'helmet';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { createAccountRoutes } from '../../interactions/account/my-details.tsx';
import { createAdminConsole } from '../../interactions/console/index.ts';
import { createDevMailPage } from '../../interactions/ui/dev-mail.tsx';
import type { AppContext } from '../context.ts';
import { parseFormBody } from '../../interactions/ui/parse-form.ts';
import { renderProblem } from '../../interactions/ui/problem.tsx';
import { guardDeviceCode } from '../../interactions/sign-in/device.tsx';
import { redirectToFirstPage, createSignInRoutes } from '../../interactions/sign-in/index.ts';
import { storeSignOutState } from '../../interactions/sign-in/signed-out.tsx';
import { createDisputeRoutes } from '../../interactions/account/dispute.tsx';
import { createAdminApi } from '../api/index.ts';
import { sendErrorProblem, isApiPath } from '../api/problem.ts';
import { createRegistrationMiddleware } from '../oidc/registration/registration.ts';
import { guardInteractions, restartAfterConflict } from '../oidc/interactions/binding.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { cacheWellKnown } from '../oidc/well-known.ts';
import type { UnitOfWork } from '../oidc/storage/unit-of-work.ts';
import { isDatabaseUnavailable } from '../db/unavailable.ts';
import { DatabaseUnavailableError } from '../db/circuit-breaker.ts';
import { withLoadShedding } from '../crypto/argon2.ts';
import type { Log } from '../telemetry/log.ts';
import { requireIssuerHost, setRequestInfo, isSameOriginRequest } from '../http/request-info.ts';
import type { RefusalCounter } from '../audit/refusal-counter.ts';
import { healthEndpoints, metricsEndpoint } from './health.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { countRefusals } from './refusals.ts';
import { requestLog } from './request-log.ts';

/** The one place where a fault becomes an answer: its code and a number go out, its stack goes to the log. */
function handleErrors(context: AppContext, log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) ctx.throw(404, 'not-found');
    } catch (caught) {
      const fault = caught as Error & { status?: number; expose?: boolean; code?: string; seconds?: number };
      const known = fault.expose === true && fault.status !== undefined;
      ctx.status = known ? (fault.status ?? 500) : isDatabaseUnavailable(fault) ? 503 : 500;
      if (ctx.status === 503) ctx.set('Retry-After', String(fault.seconds ?? 5));
      // A line for each of them would be a flood; whoever asked in vain has said it.
      if (!known && !(fault instanceof DatabaseUnavailableError))
        log.error(
          { request: ctx.state.origin.request, path: ctx.path, fault: fault.stack },
          'a request failed',
        );
      const code = known ? fault.message : ctx.status === 503 ? 'unavailable' : 'trouble';
      ctx.state.refusal ??= code;
      if (isApiPath(ctx.path)) sendErrorProblem(ctx, ctx.status, code);
      else renderProblem(context, ctx, code);
    }
  };
}

/**
 * Headers of every answer. `form-action` is left out: Chromium applies it to where a form's answer redirects, and a
 * sign-in's last form leads to the application; the provider's own pages add the hash of their script.
 */
function securityHeaders(context: AppContext): Middleware {
  const secure = !context.settings.development;
  const fixed = collectHelmetHeaders(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          fontSrc: ["'self'"],
          baseUri: ["'none'"],
          objectSrc: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      crossOriginOpenerPolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: secure ? { maxAge: 63_072_000, includeSubDomains: true } : false,
      xFrameOptions: { action: 'deny' },
      // For browsers and plug-ins that are gone, or what browsers do unasked: each answer would carry them for nothing.
      originAgentCluster: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      xXssProtection: false,
    }),
  );
  return (ctx, next) => {
    ctx.set(fixed);
    return next();
  };
}

/** What helmet says is the same of every answer: it is asked once. */
function collectHelmetHeaders(setHeaders: ReturnType<typeof helmet>): Record<string, string> {
  const collected: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void (collected[name] = value),
    removeHeader: () => undefined,
  };
  setHeaders({} as IncomingMessage, response as unknown as ServerResponse, (fault) => {
    if (fault) throw fault as Error;
  });
  return collected;
}

/** Whoever keeps a connection to a process that is stopping opens its next one elsewhere (RFC 9112 §9.6). */
const closeConnectionsOnStop =
  (stopping: () => boolean): Middleware =>
  async (ctx, next) => {
    try {
      await next();
    } finally {
      // Also where it was told while this was under way.
      if (stopping()) ctx.set('Connection', 'close');
    }
  };

/** The library answers a database that is away with 500 and server_error; it is told like any other: 503, come again. */
const rethrowUnavailable: Middleware = async (ctx, next) => {
  await next();
  const fault = ctx.state.fault as Error | undefined;
  if (fault && isDatabaseUnavailable(fault)) {
    for (const name of ['Location', 'Set-Cookie', 'Content-Type']) ctx.remove(name);
    throw fault;
  }
};

const redirectHome: Middleware = (ctx, next) => {
  if (ctx.path !== '/') return next();
  ctx.status = 303;
  ctx.redirect('/account');
  return undefined;
};

/** A program's refusal carries the request's number, like a person's page. */
const addErrorReference: Middleware = async (ctx, next) => {
  await next();
  const body = ctx.body as { error?: unknown } | null | undefined;
  if (ctx.status < 400 || typeof body !== 'object' || body === null || !('error' in body)) return;
  if (!('reference' in body)) ctx.body = { ...body, reference: ctx.state.origin.request };
};

/**
 * A request to sign in or out may be a form (OpenID Connect Core §3.1.2.1, RP-Initiated Logout 1.0 §2). Cookies that
 * other sites' forms do not carry would hide the session from it, so it is repeated as the GET that it stands for.
 */
function redirectFormPosts(): Middleware {
  const redirectAsGet: Middleware = (ctx) => {
    ctx.status = 303;
    ctx.redirect(`${ctx.path}?${ctx.request.rawBody ?? ''}`);
  };
  const read = compose([parseFormBody, redirectAsGet]);
  const paths = new Set(['/auth', '/session/end']);
  return (ctx, next) => (paths.has(ctx.path) && ctx.method === 'POST' ? read(ctx, next) : next());
}

/**
 * The library's router takes any case, and a slash at the end; the guards before it know an address by one spelling, which
 * is therefore the only one. Numbers of sign-ins and devices have capitals in them.
 */
const requireCanonicalPath: Middleware = (ctx, next) => {
  const normalized = ctx.path.replace(/^\/(auth|device)\/[\w-]+$/, '/$1');
  if (normalized !== normalized.toLowerCase() || (normalized.endsWith('/') && normalized !== '/'))
    ctx.throw(404, 'not-found');
  return next();
};

/**
 * The rule for forms of our own holds for the library's sign-out, too: only a page of ours sends it. What it ended is
 * noted in the browser that sent it.
 */
function guardSignOut(context: AppContext): Middleware {
  return async (ctx, next) => {
    const isConfirmation = ctx.path === '/session/end/confirm' && ctx.method === 'POST';
    if (isConfirmation && !isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER))
      ctx.throw(403, 'foreign-form');
    await next();
    if (isConfirmation && ctx.status === 303)
      await storeSignOutState(context, ctx as unknown as KoaContextWithOIDC);
  };
}

/**
 * The faces of the house, by the first part of the addresses that each answers. Whoever asks for something else passes by
 * all of them at once.
 */
function mountByFirstSegment(mounts: Readonly<Record<string, Middleware>>): Middleware {
  const mountMap = new Map(Object.entries(mounts));
  return (ctx, next) => {
    const end = ctx.path.indexOf('/', 1);
    const middleware = mountMap.get(end < 0 ? ctx.path.slice(1) : ctx.path.slice(1, end));
    return middleware ? middleware(ctx, next) : next();
  };
}

/** What the app needs besides the house. `stopping`: whether the process was told to stop. */
interface AppDependencies {
  ring: Keyring;
  work: UnitOfWork;
  telemetry: Telemetry;
  refusals: RefusalCounter;
  stopping: () => boolean;
}

/** What is mounted where, in the order that a request meets it. */
export function createApp(
  context: AppContext,
  { ring: keyring, work, telemetry, refusals, stopping }: AppDependencies,
): Koa {
  const app = new Koa({ proxy: true });
  app.keys = context.provider.keys;
  app.silent = true;
  app.use(setRequestInfo(context.settings));
  app.use(requestLog(context.settings, telemetry));
  app.use(securityHeaders(context));
  app.use(countRefusals(refusals));
  app.use(closeConnectionsOnStop(stopping));
  app.use(context.assets.serve);
  app.use(handleErrors(context, telemetry.log));
  app.use(metricsEndpoint(context, telemetry.metrics));
  app.use(requireIssuerHost(context.settings));
  app.use(healthEndpoints(context, keyring, stopping));
  app.use(cacheWellKnown(context.provider));
  app.use(restartAfterConflict({ ...context, work }));
  app.use(work.middleware);
  app.use(guardInteractions(context));
  const operatorContext = { ...context, hasher: withLoadShedding(context.hasher) };
  app.use(
    mountByFirstSegment({
      '': redirectHome,
      account: createAccountRoutes(context),
      admin: createAdminConsole(operatorContext),
      api: createAdminApi(operatorContext),
      'help-desk': createDisputeRoutes(context),
      interaction: createSignInRoutes(context),
      ...(context.settings.development && !context.settings.HEMMA_SMTP_URL
        ? { dev: createDevMailPage(context) }
        : {}),
    }),
  );
  app.use(requireCanonicalPath);
  app.use(guardSignOut(context));
  app.use(guardDeviceCode(context));
  app.use(redirectFormPosts());
  app.use(redirectToFirstPage);
  app.use(addErrorReference);
  app.use(createRegistrationMiddleware(context.db, context.settings.HEMMA_ISSUER));
  app.use(rethrowUnavailable);
  app.use(compose(context.provider.middleware as unknown as Middleware[]));
  return app;
}
