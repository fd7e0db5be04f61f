import type { Context } from 'koa';
import type { Settings } from '../../../config/settings.ts';
import { cookieName, cookieOptions } from '../../http/request-info.ts';
import { randomToken, sha256 } from '../../crypto/encryption.ts';
import { cookieNames } from '../cookie-names.ts';

/**
 * The cookies by which a browser holds its interactions: one for each, `__Host-hemma-signin-<tag of the uid>`. A sibling
 * host can set no cookie with that prefix (RFC 6265bis §4.1.3.2), so none can be planted. On http://localhost there is no
 * prefix, and programs on other ports share the cookies.
 */

/** More are seldom open at once; the oldest makes room, so that the Cookie header stays small. */
const maxKept = 10;

const prefix = 'signin-';
const nameFor = (settings: Settings, uid: string): string =>
  cookieName(settings, `${prefix}${sha256(`sign-in cookie ${uid}`).toString('base64url').slice(0, 10)}`);

/** The value by which this browser holds an interaction; undefined where it holds none. */
export function signInCookie(settings: Settings, ctx: Context, uid: string): string | undefined {
  const value = ctx.cookies.get(nameFor(settings, uid), { signed: false });
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/** The hash of such a value, which is all that is stored of it. */
export const bindingHash = (value: string): Buffer => sha256(value);

const namesIn = (ctx: Context): string[] =>
  (ctx.headers.cookie ?? '').split(';').map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))).trim());

/**
 * Gives this browser the value, until it is closed: what was verified ends with the browser's session. Lax, since a strict
 * cookie would be missing after a client's redirect.
 */
export function setSignInCookie(settings: Settings, ctx: Context, uid: string, value: string): void {
  const name = nameFor(settings, uid);
  ctx.cookies.set(name, value, cookieOptions(settings));
  // Browsers send the oldest first (RFC 6265 §5.4).
  const others = namesIn(ctx).filter((one) => one.startsWith(cookieName(settings, prefix)) && one !== name);
  for (const old of others.slice(0, Math.max(0, others.length - (maxKept - 1)))) release(settings, ctx, old);
}

function release(settings: Settings, ctx: Context, name: string): void {
  ctx.cookies.set(name, null, cookieOptions(settings));
}

/** Takes the cookie of an interaction away that has ended. */
export const clearSignInCookie = (settings: Settings, ctx: Context, uid: string): void =>
  release(settings, ctx, nameFor(settings, uid));

/** A value for a new interaction, or for one whose first factor was verified: 256 random bits. */
export const newBindingValue = randomToken;

/**
 * oidc-provider knows the interaction of a request by cookies that carry the uid and could be planted. They reach no
 * browser, and none is accepted from one: a request presents the uid of its path here, once its holder was checked.
 */
export function presentToLibrary(
  settings: Settings,
  ctx: Context,
  kind: 'interaction' | 'resume',
  uid: string,
): void {
  const pair = `${cookieNames(settings)[kind]}=${uid}`;
  const { cookie } = ctx.headers;
  ctx.req.headers.cookie = cookie ? `${cookie}; ${pair}` : pair;
}

const isOfLibrary = (settings: Settings) => {
  const { interaction, resume } = cookieNames(settings);
  const names = new Set([interaction, resume].flatMap((name) => [name, `${name}.sig`]));
  return (pair: string) => names.has(pair.slice(0, Math.max(0, pair.indexOf('='))).trim());
};

/** Takes such cookies out of a request. */
export function dropFromRequest(settings: Settings, ctx: Context): void {
  const { cookie } = ctx.headers;
  if (!cookie?.includes('hemma-')) return;
  const isPlanted = isOfLibrary(settings);
  const pairs = cookie.split(';');
  if (!pairs.some(isPlanted)) return;
  ctx.req.headers.cookie = pairs.filter((pair) => !isPlanted(pair)).join(';');
}

/** Takes them out of a response. */
export function dropFromResponse(settings: Settings, ctx: Context): void {
  const lines = ctx.response.get('set-cookie') as string | string[];
  if (!Array.isArray(lines)) return;
  const isOwn = isOfLibrary(settings);
  const others = lines.filter((line) => !isOwn(line));
  if (others.length === lines.length) return;
  if (others.length === 0) ctx.remove('Set-Cookie');
  else ctx.set('Set-Cookie', others);
}
