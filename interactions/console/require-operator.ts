import type { Context, Middleware } from 'koa';
import type { VNode } from 'preact';
import { findUserById } from '../../src/users/users.ts';
import type { User } from '../../src/users/users.ts';
import type { Permission, Operator } from '../../src/users/operators.ts';
import { findVisibleUser, hasPermission, toOperator } from '../../src/users/operators.ts';
import { toAcr, parseAcr } from '../../src/sessions/assurance.ts';
import { adminClientId } from '../../config/built-in-clients.ts';
import { operatorLimits, remainingSessionSeconds } from '../../src/sessions/session-limits.ts';
import { isSameOriginRequest } from '../../src/http/request-info.ts';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { renderPage } from '../ui/layout.tsx';
import { parseForm } from '../ui/parse-form.ts';
import { z } from 'zod';

/** One request of an operator to one page of the console. */
export interface ConsoleContext {
  house: AppContext;
  ctx: Context;
  operator: Operator;
  account: User;
  /** The public number of the session. */
  session: string;
  /** When two factors were proved for it. */
  signedInAt: Date;
  /** Binds the forms of the console to this session. */
  token: string;
  frame: Frame;
}

const { longest: maxSessionSeconds, fresh: maxSignInAgeSeconds } = operatorLimits;

const consolePathPattern = /^\/admin(\/[a-z0-9-]{1,64}){0,4}(\?[A-Za-z0-9%&=._~+-]{0,400})?$/;

/** Where a sign-in comes back to: a path of the console and nothing else, whatever the link said. */
export const pathAfterSignIn = (state: unknown): string =>
  typeof state === 'string' && consolePathPattern.test(state) ? state : '/admin/people';

function consoleSignInUrl(context: AppContext, path: string, more: Record<string, string>): string {
  const issuer = context.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: adminClientId,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/admin`,
    acr_values: toAcr(2),
    state: pathAfterSignIn(path),
    ...more,
  });
  return `${issuer}/auth?${query.toString()}`;
}

function redirectTo(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

/** A form was sent to this very address, or its page asked for: the page is where one comes back to. */
const currentPage = (ctx: Context): string => (ctx.method === 'GET' ? ctx.url : ctx.path);

/**
 * Sends through a new sign-in with all factors, and back to `path` (this page, where none is given). It stands before a
 * form that changes somebody's access, never after it: what was typed is not lost.
 */
export function redirectToStepUp(context: AppContext, ctx: Context, path = currentPage(ctx)): void {
  redirectTo(ctx, consoleSignInUrl(context, path, { intent: 'step_up' }));
}

/** Whether two factors were proved at most ten minutes ago. */
export const isRecentSignIn = ({ signedInAt }: ConsoleContext): boolean =>
  Date.now() - signedInAt.getTime() <= maxSignInAgeSeconds * 1000;

/**
 * Who stands before the console. Nobody yet, or too long ago, or with one factor: through a sign-in and back. A person
 * who is no operator finds no such page (404), whatever the page. Undefined: it has been answered.
 */
export async function openConsoleContext(
  context: AppContext,
  ctx: Context,
): Promise<ConsoleContext | undefined> {
  ctx.set('Cache-Control', 'no-store');
  const session = await context.provider.Session.get(ctx);
  const user = session.accountId ? await findUserById(context.db, session.accountId) : undefined;
  if (!user || user.disabledAt || !session.uid) {
    redirectTo(ctx, consoleSignInUrl(context, currentPage(ctx), {}));
    return undefined;
  }
  ctx.state.actor = { accountId: user.id };
  const operator = toOperator(user);
  if (!operator) return ctx.throw(404, 'not-found');
  if (parseAcr(session.acr) < 2 || session.past(maxSessionSeconds)) {
    redirectTo(ctx, consoleSignInUrl(context, currentPage(ctx), { prompt: 'login' }));
    return undefined;
  }
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(remainingSessionSeconds(session.loginTs));
  const frame = createFrame(context, ctx, { account: user.locale });
  return {
    house: context,
    ctx,
    operator,
    account: user,
    session: session.uid,
    signedInAt: new Date((session.loginTs ?? 0) * 1000),
    token: context.vault.mac('admin form', session.uid),
    frame: { ...frame, user: { name: user.name, signOutUrl: '/session/end', consoleUrl: '/admin' } },
  };
}

/** A page's handler: it answers the request of an operator who may do `action` at all. */
export type ConsoleHandler = (visit: ConsoleContext) => Promise<void> | void;

/**
 * A route of the console: open to operators who may do `action`, not there (404) for anybody else. What the action may
 * be done to is judged beside it, by `personOf` or in SQL.
 */
export function requireOperator(
  context: AppContext,
  permission: Permission,
  handler: ConsoleHandler,
): Middleware {
  return async (ctx) => {
    const consoleContext = await openConsoleContext(context, ctx);
    if (!consoleContext) return;
    if (!hasPermission(consoleContext.operator, permission)) ctx.throw(404, 'not-found');
    await handler(consoleContext);
  };
}

/** As `guarded`, for a page and a form that change somebody's access: both only just after all factors were proved. */
export const requireRecentOperator = (
  context: AppContext,
  permission: Permission,
  handle: ConsoleHandler,
): Middleware =>
  requireOperator(context, permission, (consoleContext) =>
    isRecentSignIn(consoleContext) ? handle(consoleContext) : redirectToStepUp(context, consoleContext.ctx),
  );

/** The account of this address, where the operator may do `action` to it; whoever may not learns nothing of it (404). */
export async function findUserOr404(
  { house: context, ctx, operator }: ConsoleContext,
  permission: Permission,
): Promise<User> {
  const { id } = ctx.params as { id?: string };
  const user = id ? await findVisibleUser(context.db, operator, permission, id) : undefined;
  return user ?? ctx.throw(404, 'not-found');
}

const tokenField = z.object({ token: z.string().max(200).default('') });

/** What a form of the console sent: from a page of ours, with this very session's token (403 otherwise). */
export function parseConsoleForm<Form>(
  { house: context, ctx, session }: ConsoleContext,
  form: z.ZodType<Form>,
): Form {
  if (!isSameOriginRequest(ctx, context.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
  const { token } = parseForm(ctx, tokenField);
  if (!context.vault.macMatches('admin form', session, token)) ctx.throw(403, 'form-expired');
  return parseForm(ctx, form);
}

/** Answers with a page; a refused form is shown again with 422. */
export function sendConsolePage({ ctx, frame }: ConsoleContext, element: VNode, refused = false): void {
  ctx.status = refused ? 422 : 200;
  ctx.type = 'html';
  ctx.body = renderPage(frame, element);
}

/** After a deed: on to a page that says so. 303: what was posted is not posted again. */
export function redirectAfterPost({ ctx }: ConsoleContext, path: string): void {
  redirectTo(ctx, path);
}
