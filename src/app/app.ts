import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import Koa from 'koa';
import compose from 'koa-compose';
import helmet from 'helmet';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { myDetails } from '../../interactions/account/my-details.tsx';
import { adminConsole } from '../../interactions/console/index.ts';
import { devMail } from '../../interactions/ui/dev-mail.tsx';
import type { House } from '../context.ts';
import { readForm } from '../../interactions/ui/parse-form.ts';
import { showProblem } from '../../interactions/ui/problem.tsx';
import { deviceDoor } from '../../interactions/sign-in/device.tsx';
import { firstPage, signIn } from '../../interactions/sign-in/index.ts';
import { noteLeaving } from '../../interactions/sign-in/signed-out.tsx';
import { stop } from '../../interactions/account/dispute.tsx';
import { adminApi } from '../api/index.ts';
import { answerFault, isApi } from '../api/problem.ts';
import { registration } from '../oidc/registration/registration.ts';
import { guardInteractions, restartAfterConflict } from '../oidc/interactions/binding.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { published } from '../oidc/well-known.ts';
import type { UnitOfWork } from '../oidc/storage/unit-of-work.ts';
import { isAway } from '../db/unavailable.ts';
import { NotAsked } from '../db/circuit-breaker.ts';
import { turningAway } from '../crypto/argon2.ts';
import type { Log } from '../telemetry/log.ts';
import { ownHostOnly, requestOrigin, sentByOurPage } from '../http/request-info.ts';
import type { RefusalCounter } from '../audit/refusal-counter.ts';
import { health, metricsPage } from './health.ts';
import type { Telemetry } from '../telemetry/index.ts';
import { countRefusals } from './refusals.ts';
import { watched } from './request-log.ts';

/** The one place where a fault becomes an answer: its code and a number go out, its stack goes to the log. */
function faults(house: House, log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) ctx.throw(404, 'not-found');
    } catch (caught) {
      const fault = caught as Error & { status?: number; expose?: boolean; code?: string; seconds?: number };
      const known = fault.expose === true && fault.status !== undefined;
      ctx.status = known ? (fault.status ?? 500) : isAway(fault) ? 503 : 500;
      if (ctx.status === 503) ctx.set('Retry-After', String(fault.seconds ?? 5));
      // A line for each of them would be a flood; whoever asked in vain has said it.
      if (!known && !(fault instanceof NotAsked))
        log.error(
          { request: ctx.state.origin.request, path: ctx.path, fault: fault.stack },
          'a request failed',
        );
      const code = known ? fault.message : ctx.status === 503 ? 'unavailable' : 'trouble';
      ctx.state.refusal ??= code;
      if (isApi(ctx.path)) answerFault(ctx, ctx.status, code);
      else showProblem(house, ctx, code);
    }
  };
}

/**
 * Headers of every answer. `form-action` is left out: Chromium applies it to where a form's answer redirects, and a
 * sign-in's last form leads to the application; the provider's own pages add the hash of their script.
 */
function headers(house: House): Middleware {
  const secure = !house.settings.development;
  const always = fixedHeaders(
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
    ctx.set(always);
    return next();
  };
}

/** What helmet says is the same of every answer: it is asked once. */
function fixedHeaders(say: ReturnType<typeof helmet>): Record<string, string> {
  const said: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void (said[name] = value),
    removeHeader: () => undefined,
  };
  say({} as IncomingMessage, response as unknown as ServerResponse, (fault) => {
    if (fault) throw fault as Error;
  });
  return said;
}

/** Whoever keeps a connection to a process that is stopping opens its next one elsewhere (RFC 9112 §9.6). */
const partings =
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
const libraryFaults: Middleware = async (ctx, next) => {
  await next();
  const fault = ctx.state.fault as Error | undefined;
  if (fault && isAway(fault)) {
    for (const name of ['Location', 'Set-Cookie', 'Content-Type']) ctx.remove(name);
    throw fault;
  }
};

const front: Middleware = (ctx, next) => {
  if (ctx.path !== '/') return next();
  ctx.status = 303;
  ctx.redirect('/account');
  return undefined;
};

/** A program's refusal carries the request's number, like a person's page. */
const numbered: Middleware = async (ctx, next) => {
  await next();
  const body = ctx.body as { error?: unknown } | null | undefined;
  if (ctx.status < 400 || typeof body !== 'object' || body === null || !('error' in body)) return;
  if (!('reference' in body)) ctx.body = { ...body, reference: ctx.state.origin.request };
};

/**
 * A request to sign in or out may be a form (OpenID Connect Core §3.1.2.1, RP-Initiated Logout 1.0 §2). Cookies that
 * other sites' forms do not carry would hide the session from it, so it is repeated as the GET that it stands for.
 */
function foreignForms(): Middleware {
  const post: Middleware = (ctx) => {
    ctx.status = 303;
    ctx.redirect(`${ctx.path}?${ctx.request.rawBody ?? ''}`);
  };
  const read = compose([readForm, post]);
  const taken = new Set(['/auth', '/session/end']);
  return (ctx, next) => (taken.has(ctx.path) && ctx.method === 'POST' ? read(ctx, next) : next());
}

/**
 * The library's router takes any case, and a slash at the end; the guards before it know an address by one spelling, which
 * is therefore the only one. Numbers of sign-ins and devices have capitals in them.
 */
const oneSpelling: Middleware = (ctx, next) => {
  const known = ctx.path.replace(/^\/(auth|device)\/[\w-]+$/, '/$1');
  if (known !== known.toLowerCase() || (known.endsWith('/') && known !== '/')) ctx.throw(404, 'not-found');
  return next();
};

/**
 * The rule for forms of our own holds for the library's sign-out, too: only a page of ours sends it. What it ended is
 * noted in the browser that sent it.
 */
function ownSignOut(house: House): Middleware {
  return async (ctx, next) => {
    const mine = ctx.path === '/session/end/confirm' && ctx.method === 'POST';
    if (mine && !sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
    await next();
    if (mine && ctx.status === 303) await noteLeaving(house, ctx as unknown as KoaContextWithOIDC);
  };
}

/**
 * The faces of the house, by the first part of the addresses that each answers. Whoever asks for something else passes by
 * all of them at once.
 */
function oneOf(faces: Readonly<Record<string, Middleware>>): Middleware {
  const known = new Map(Object.entries(faces));
  return (ctx, next) => {
    const end = ctx.path.indexOf('/', 1);
    const face = known.get(end < 0 ? ctx.path.slice(1) : ctx.path.slice(1, end));
    return face ? face(ctx, next) : next();
  };
}

/** What the app needs besides the house. `stopping`: whether the process was told to stop. */
interface Fittings {
  ring: Keyring;
  work: UnitOfWork;
  telemetry: Telemetry;
  refusals: RefusalCounter;
  stopping: () => boolean;
}

/** What is mounted where, in the order that a request meets it. */
export function appOf(house: House, { ring, work, telemetry, refusals, stopping }: Fittings): Koa {
  const app = new Koa({ proxy: true });
  app.keys = house.provider.keys;
  app.silent = true;
  app.use(requestOrigin(house.settings));
  app.use(watched(house.settings, telemetry));
  app.use(headers(house));
  app.use(countRefusals(refusals));
  app.use(partings(stopping));
  app.use(house.assets.serve);
  app.use(faults(house, telemetry.log));
  app.use(metricsPage(house, telemetry.metrics));
  app.use(ownHostOnly(house.settings));
  app.use(health(house, ring, stopping));
  app.use(published(house.provider));
  app.use(restartAfterConflict({ ...house, work }));
  app.use(work.middleware);
  app.use(guardInteractions(house));
  const desk = { ...house, hasher: turningAway(house.hasher) };
  app.use(
    oneOf({
      '': front,
      account: myDetails(house),
      admin: adminConsole(desk),
      api: adminApi(desk),
      'help-desk': stop(house),
      interaction: signIn(house),
      ...(house.settings.development && !house.settings.HEMMA_SMTP_URL ? { dev: devMail(house) } : {}),
    }),
  );
  app.use(oneSpelling);
  app.use(ownSignOut(house));
  app.use(deviceDoor(house));
  app.use(foreignForms());
  app.use(firstPage);
  app.use(numbered);
  app.use(registration(house.db, house.settings.HEMMA_ISSUER));
  app.use(libraryFaults);
  app.use(compose(house.provider.middleware as unknown as Middleware[]));
  return app;
}
