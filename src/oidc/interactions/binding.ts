import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Settings } from '../../../config/settings.ts';
import { generateToken } from '../../crypto/encryption.ts';
import {
  hashBindingValue,
  dropRequestCookies,
  dropResponseCookies,
  readSignInCookie,
  setSignInCookie,
  clearSignInCookie,
  createBindingValue,
  presentInteractionCookie,
} from './cookies.ts';
import type { BindingMatch, StoredRecord } from '../../sessions/records.ts';
import { interactionSeconds } from '../../sessions/session-limits.ts';
import type { UnitOfWork } from '../storage/unit-of-work.ts';
import { parsePayload } from '../../sessions/writes.ts';

/**
 * A sign-in belongs to the browser that verifies it. Each interaction is held by the value of one cookie, of which the
 * hash is stored; the first verified factor replaces it (`rebindInteraction` in records.ts), so that a value which was copied or
 * planted before is worth nothing after. Everything that reads or resumes an interaction asks for its holder first.
 */
export interface BindingContext {
  settings: Settings;
  provider: Provider;
  work: Pick<UnitOfWork, 'interaction' | 'bindInteraction' | 'endsInteraction'>;
}

/** Binds an interaction that this request creates to the browser that asked. */
export function bindInteraction(
  { settings, work: unitOfWork }: Omit<BindingContext, 'provider'>,
  ctx: Context,
  uid: string,
): void {
  const value = createBindingValue();
  setSignInCookie(settings, ctx, uid, value);
  unitOfWork.bindInteraction(uid, hashBindingValue(value));
}

/** What is stored of an interaction, as far as a new one with the same request needs it. */
interface StoredRequest {
  returnTo: string;
  prompt: Record<string, unknown>;
  params: Record<string, unknown>;
  trusted?: string[];
  session?: { accountId?: string; uid?: string };
  deviceCode?: string;
  parJti?: string;
}

/**
 * Begins a new interaction with the request of another one, for the browser that held that: nothing verified or chosen
 * carries over. Of one that is over, its session, what it was for and its pushed request stay away, too.
 *
 * @returns the uid of the new interaction
 */
async function restartInteraction(
  { settings, provider, work: unitOfWork }: BindingContext,
  ctx: Context,
  from: StoredRecord,
  over: boolean,
): Promise<string> {
  const { returnTo, prompt, params, trusted, session, deviceCode, parJti } = parsePayload(
    from.text,
  ) as unknown as StoredRequest;
  const uid = generateToken();
  const { intent, ...others } = params;
  const payload = {
    returnTo: returnTo.replace(/[^/]+$/, uid),
    prompt,
    params: over || intent === undefined ? others : params,
    trusted,
    deviceCode,
    cid: generateToken(),
    ...(over ? {} : { parJti }),
    // Only where this browser has that session.
    ...(!over && session?.uid !== undefined && session.uid === (await findBrowserSession(provider, ctx))?.uid
      ? { session }
      : {}),
  };
  const Interaction = provider.Interaction as unknown as new (
    uid: string,
    payload: object,
  ) => { save(seconds: number): Promise<unknown> };
  await new Interaction(uid, payload).save(interactionSeconds);
  bindInteraction({ settings, work: unitOfWork }, ctx, uid);
  return uid;
}

/**
 * The path at which the request of an ended interaction is made again. A browser that has a session by now goes on to
 * the application from there. What an interaction was for (its intent) was carried out, and a device is signed in once.
 *
 * @returns undefined for a pushed or signed request, whose parameters belong in no URL
 */
function pathOfRepetition({ text }: StoredRecord): string | undefined {
  const { returnTo, params, trusted, parJti } = parsePayload(text) as unknown as StoredRequest;
  if (new URL(returnTo).pathname.startsWith('/device/')) return '/device';
  if (parJti !== undefined || (trusted?.length ?? 0) > 0) return undefined;
  const { intent: _done, ...others } = params;
  const pairs = Object.entries(others).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (typeof one === 'string' ? [[name, one]] : [])),
  );
  return `/auth?${new URLSearchParams(pairs).toString()}`;
}

/** How a value relates to an interaction. */
function findHolder({ binding, previousBinding }: StoredRecord, value: string): BindingMatch | undefined {
  const given = hashBindingValue(value);
  if (binding?.equals(given)) return 'current';
  return previousBinding?.equals(given) ? 'previous' : undefined;
}

const isExpired = ({ text }: StoredRecord) => Number(parsePayload(text).exp) * 1000 <= Date.now();

/**
 * Where a browser goes on that held an interaction and does not any more, because its first factor was verified in
 * another response, or because it has ended, or the session that it began in: to the same request from its beginning.
 *
 * @param known - how this browser's value relates to the interaction, where the caller has read that since and cannot
 *   go on with it
 * @returns the path, or undefined where this browser never held it or its time is over
 */
export async function findRestartPath(
  context: BindingContext,
  ctx: Context,
  uid: string,
  known?: BindingMatch,
): Promise<string | undefined> {
  const value = readSignInCookie(context.settings, ctx, uid);
  const found = value === undefined ? undefined : await context.work.interaction(uid);
  if (!value || !found || isExpired(found)) return undefined;
  const holder = known ?? findHolder(found, value);
  const ended = found.consumed !== undefined;
  if (!holder || (holder === 'current' && !ended && known === undefined)) return undefined;
  if (holder === 'previous' && !ended)
    return `/interaction/${await restartInteraction(context, ctx, found, false)}/password`;
  if (ended) clearSignInCookie(context.settings, ctx, uid);
  return pathOfRepetition(found) ?? `/auth/${await restartInteraction(context, ctx, found, true)}`;
}

/** The session of a browser in which a user is signed in. */
export interface BrowserSession {
  accountId: string;
  uid: string;
}

/** The session that this browser has at this moment, which may not be the one that its interaction began in. */
export async function findBrowserSession(
  provider: Provider,
  ctx: Context,
): Promise<BrowserSession | undefined> {
  const { accountId, uid } = await provider.Session.get(ctx);
  return accountId ? { accountId, uid } : undefined;
}

/**
 * Whether an interaction began in a session that is not this browser's any more: another user has signed in, or no user is
 * signed in. Its questions are that session's, and so is what may be enrolled in it.
 */
export const beganElsewhere = (
  began: { uid?: string } | undefined,
  session: BrowserSession | undefined,
): boolean => began?.uid !== undefined && began.uid !== session?.uid;

/** What decides where an interaction is resumed. */
interface Resumable {
  result?: { login?: { accountId?: string } };
  returnTo: string;
  session?: { uid?: string };
}

function redirect(ctx: Context, to: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.status = 303;
  ctx.redirect(to);
}

/** Resumes an interaction for the browser that holds it; oidc-provider tells any other browser that there is none. */
async function resumeInteraction(
  context: BindingContext,
  ctx: Context,
  uid: string,
  next: () => Promise<unknown>,
): Promise<unknown> {
  const { settings, provider, work: unitOfWork } = context;
  const elsewhere = await findRestartPath(context, ctx, uid);
  if (elsewhere) return redirect(ctx, elsewhere);
  const value = readSignInCookie(settings, ctx, uid);
  const found = value === undefined ? undefined : await unitOfWork.interaction(uid);
  if (!value || !found || findHolder(found, value) !== 'current') return next();
  const { result, returnTo, session: began } = parsePayload(found.text) as unknown as Resumable;
  // A device's sign-in is resumed at its own path, and a client's at the other.
  if (new URL(returnTo).pathname !== ctx.path) return next();
  const session = await findBrowserSession(provider, ctx);
  if (beganElsewhere(began, session)) {
    const path = await findRestartPath(context, ctx, uid, 'current');
    return path === undefined ? next() : redirect(ctx, path);
  }
  // Another user's session would be replaced: the user is asked first, on a page that names it.
  if (result?.login && session && session.accountId !== result.login.accountId)
    return redirect(ctx, `/interaction/${uid}`);
  presentInteractionCookie(settings, ctx, 'resume', uid);
  await next();
  if (unitOfWork.endsInteraction(uid)) clearSignInCookie(settings, ctx, uid);
  return undefined;
}

const resumed = /^\/(?:auth|device)\/([\w-]{20,60})$/;

/**
 * Of several requests that resume an interaction one ends it. The others go on to the application or to a fresh start
 * without that interaction's cookie, which the first response has cleared. The middleware is mounted outside the unit of
 * work, since the conflict is known only when that has failed.
 */
export function restartAfterConflict(
  parts: BindingContext & { work: Pick<UnitOfWork, 'middleware'> },
): Middleware {
  return async (ctx, next) => {
    await next();
    const uid = resumed.exec(ctx.path)?.[1];
    if (!ctx.state.interactionConflict || uid === undefined) return;
    await parts.work.middleware(ctx, async () => {
      const path = await findRestartPath(parts, ctx, uid);
      if (path !== undefined) redirect(ctx, path);
    });
  };
}

/** Checks the holder of an interaction before any handler reads or resumes it. */
export function guardInteractions(context: BindingContext): Middleware {
  return async (ctx, next) => {
    dropRequestCookies(context.settings, ctx);
    const uid = resumed.exec(ctx.path)?.[1];
    try {
      await (uid === undefined ? next() : resumeInteraction(context, ctx, uid, next));
    } finally {
      dropResponseCookies(context.settings, ctx);
    }
  };
}
