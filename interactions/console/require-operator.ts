import type { Context, Middleware } from 'koa';
import type { VNode } from 'preact';
import { accountById } from '../../src/users/users.ts';
import type { Account } from '../../src/users/users.ts';
import type { Action, Operator } from '../../src/users/operators.ts';
import { accountFor, mayAct, operatorOf } from '../../src/users/operators.ts';
import { acrOf, levelOf } from '../../src/sessions/assurance.ts';
import { adminClientId } from '../../config/built-in-clients.ts';
import { operatorLimits, sessionSeconds } from '../../src/sessions/session-limits.ts';
import { sentByOurPage } from '../../src/http/request-info.ts';
import { frameOf } from '../ui/frame.ts';
import type { House } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { renderPage } from '../ui/layout.tsx';
import { posted } from '../ui/parse-form.ts';
import { z } from 'zod';

/** One request of an operator to one page of the console. */
export interface AdminVisit {
  house: House;
  ctx: Context;
  operator: Operator;
  account: Account;
  /** The public number of the session. */
  session: string;
  /** When two factors were proved for it. */
  signedInAt: Date;
  /** Binds the forms of the console to this session. */
  token: string;
  frame: Frame;
}

const { longest, fresh } = operatorLimits;

const consolePath = /^\/admin(\/[a-z0-9-]{1,64}){0,4}(\?[A-Za-z0-9%&=._~+-]{0,400})?$/;

/** Where a sign-in comes back to: a path of the console and nothing else, whatever the link said. */
export const pathAfterSignIn = (state: unknown): string =>
  typeof state === 'string' && consolePath.test(state) ? state : '/admin/people';

function signInUrl(house: House, path: string, more: Record<string, string>): string {
  const issuer = house.settings.HEMMA_ISSUER;
  const query = new URLSearchParams({
    client_id: adminClientId,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${issuer}/admin`,
    acr_values: acrOf(2),
    state: pathAfterSignIn(path),
    ...more,
  });
  return `${issuer}/auth?${query.toString()}`;
}

function goTo(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}

/** A form was sent to this very address, or its page asked for: the page is where one comes back to. */
const pageOf = (ctx: Context): string => (ctx.method === 'GET' ? ctx.url : ctx.path);

/**
 * Sends through a new sign-in with all factors, and back to `path` (this page, where none is given). It stands before a
 * form that changes somebody's access, never after it: what was typed is not lost.
 */
export function toStepUp(house: House, ctx: Context, path = pageOf(ctx)): void {
  goTo(ctx, signInUrl(house, path, { intent: 'step_up' }));
}

/** Whether two factors were proved at most ten minutes ago. */
export const freshly = ({ signedInAt }: AdminVisit): boolean =>
  Date.now() - signedInAt.getTime() <= fresh * 1000;

/**
 * Who stands before the console. Nobody yet, or too long ago, or with one factor: through a sign-in and back. A person
 * who is no operator finds no such page (404), whatever the page. Undefined: it has been answered.
 */
export async function operatorVisit(house: House, ctx: Context): Promise<AdminVisit | undefined> {
  ctx.set('Cache-Control', 'no-store');
  const session = await house.provider.Session.get(ctx);
  const account = session.accountId ? await accountById(house.db, session.accountId) : undefined;
  if (!account || account.disabledAt || !session.uid) {
    goTo(ctx, signInUrl(house, pageOf(ctx), {}));
    return undefined;
  }
  ctx.state.actor = { accountId: account.id };
  const operator = operatorOf(account);
  if (!operator) return ctx.throw(404, 'not-found');
  if (levelOf(session.acr) < 2 || session.past(longest)) {
    goTo(ctx, signInUrl(house, pageOf(ctx), { prompt: 'login' }));
    return undefined;
  }
  // Being used keeps a session from running idle, here as on the provider's own pages.
  await session.save(sessionSeconds(session.loginTs));
  const frame = frameOf(house, ctx, { account: account.locale });
  return {
    house,
    ctx,
    operator,
    account,
    session: session.uid,
    signedInAt: new Date((session.loginTs ?? 0) * 1000),
    token: house.vault.mac('admin form', session.uid),
    frame: { ...frame, user: { name: account.name, signOutUrl: '/session/end', consoleUrl: '/admin' } },
  };
}

/** A page's handler: it answers the request of an operator who may do `action` at all. */
export type Handler = (visit: AdminVisit) => Promise<void> | void;

/**
 * A route of the console: open to operators who may do `action`, not there (404) for anybody else. What the action may
 * be done to is judged beside it, by `personOf` or in SQL.
 */
export function guarded(house: House, action: Action, handle: Handler): Middleware {
  return async (ctx) => {
    const visit = await operatorVisit(house, ctx);
    if (!visit) return;
    if (!mayAct(visit.operator, action)) ctx.throw(404, 'not-found');
    await handle(visit);
  };
}

/** As `guarded`, for a page and a form that change somebody's access: both only just after all factors were proved. */
export const guardedFreshly = (house: House, action: Action, handle: Handler): Middleware =>
  guarded(house, action, (visit) => (freshly(visit) ? handle(visit) : toStepUp(house, visit.ctx)));

/** The account of this address, where the operator may do `action` to it; whoever may not learns nothing of it (404). */
export async function personOf({ house, ctx, operator }: AdminVisit, action: Action): Promise<Account> {
  const { id } = ctx.params as { id?: string };
  const account = id ? await accountFor(house.db, operator, action, id) : undefined;
  return account ?? ctx.throw(404, 'not-found');
}

const tokenField = z.object({ token: z.string().max(200).default('') });

/** What a form of the console sent: from a page of ours, with this very session's token (403 otherwise). */
export function sentForm<Form>({ house, ctx, session }: AdminVisit, form: z.ZodType<Form>): Form {
  if (!sentByOurPage(ctx, house.settings.HEMMA_ISSUER)) ctx.throw(403, 'foreign-form');
  const { token } = posted(ctx, tokenField);
  if (!house.vault.macMatches('admin form', session, token)) ctx.throw(403, 'form-expired');
  return posted(ctx, form);
}

/** Answers with a page; a refused form is shown again with 422. */
export function showPage({ ctx, frame }: AdminVisit, element: VNode, refused = false): void {
  ctx.status = refused ? 422 : 200;
  ctx.type = 'html';
  ctx.body = renderPage(frame, element);
}

/** After a deed: on to a page that says so. 303: what was posted is not posted again. */
export function onTo({ ctx }: AdminVisit, path: string): void {
  goTo(ctx, path);
}
