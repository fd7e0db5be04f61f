import type { Context } from 'koa';
import type { Settings } from '../../../config/settings.ts';
import { cookieName, cookieOptions } from '../../http/request-info.ts';
import { generateToken, sha256 } from '../../crypto/encryption.ts';
import { getCookieNames } from '../cookie-names.ts';

/**
 * The cookies by which a browser holds its interactions: one for each, `__Host-hemma-signin-<tag of the uid>`. A sibling
 * host can set no cookie with that prefix (RFC 6265bis §4.1.3.2), so none can be planted. On http://localhost there is no
 * prefix, and programs on other ports share the cookies.
 */

/** More are seldom open at once; the oldest makes room, so that the Cookie header stays small. */
const maxInteractionCookies = 10;

const cookiePrefix = 'signin-';
const getCookieName = (settings: Settings, uid: string): string =>
  cookieName(
    settings,
    `${cookiePrefix}${sha256(`sign-in cookie ${uid}`).toString('base64url').slice(0, 10)}`,
  );

/** The value by which this browser holds an interaction; undefined where it holds none. */
export function readSignInCookie(settings: Settings, ctx: Context, uid: string): string | undefined {
  const value = ctx.cookies.get(getCookieName(settings, uid), { signed: false });
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/** The hash of such a value, which is all that is stored of it. */
export const hashBindingValue = (value: string): Buffer => sha256(value);

const listCookieNames = (ctx: Context): string[] =>
  (ctx.headers.cookie ?? '').split(';').map((pair) => pair.slice(0, Math.max(0, pair.indexOf('='))).trim());

/**
 * Gives this browser the value, until it is closed: what was verified ends with the browser's session. Lax, since a strict
 * cookie would be missing after a client's redirect.
 */
export function setSignInCookie(settings: Settings, ctx: Context, uid: string, value: string): void {
  const name = getCookieName(settings, uid);
  ctx.cookies.set(name, value, cookieOptions(settings));
  // Browsers send the oldest first (RFC 6265 §5.4).
  const others = listCookieNames(ctx).filter(
    (one) => one.startsWith(cookieName(settings, cookiePrefix)) && one !== name,
  );
  for (const old of others.slice(0, Math.max(0, others.length - (maxInteractionCookies - 1))))
    clearCookie(settings, ctx, old);
}

function clearCookie(settings: Settings, ctx: Context, name: string): void {
  ctx.cookies.set(name, null, cookieOptions(settings));
}

/** Takes the cookie of an interaction away that has ended. */
export const clearSignInCookie = (settings: Settings, ctx: Context, uid: string): void =>
  clearCookie(settings, ctx, getCookieName(settings, uid));

/** A value for a new interaction, or for one whose first factor was verified: 256 random bits. */
export const createBindingValue = generateToken;

/**
 * oidc-provider knows the interaction of a request by cookies that carry the uid and could be planted. They reach no
 * browser, and none is accepted from one: a request presents the uid of its path here, once its holder was checked.
 */
export function presentInteractionCookie(
  settings: Settings,
  ctx: Context,
  kind: 'interaction' | 'resume',
  uid: string,
): void {
  const pair = `${getCookieNames(settings)[kind]}=${uid}`;
  const { cookie } = ctx.headers;
  ctx.req.headers.cookie = cookie ? `${cookie}; ${pair}` : pair;
}

const matchLibraryCookies = (settings: Settings) => {
  const { interaction, resume } = getCookieNames(settings);
  const names = new Set([interaction, resume].flatMap((name) => [name, `${name}.sig`]));
  return (pair: string) => names.has(pair.slice(0, Math.max(0, pair.indexOf('='))).trim());
};

/** Takes such cookies out of a request. */
export function dropRequestCookies(settings: Settings, ctx: Context): void {
  const { cookie } = ctx.headers;
  if (!cookie?.includes('hemma-')) return;
  const isPlanted = matchLibraryCookies(settings);
  const pairs = cookie.split(';');
  if (!pairs.some(isPlanted)) return;
  ctx.req.headers.cookie = pairs.filter((pair) => !isPlanted(pair)).join(';');
}

/** Takes them out of a response. */
export function dropResponseCookies(settings: Settings, ctx: Context): void {
  const lines = ctx.response.get('set-cookie') as string | string[];
  if (!Array.isArray(lines)) return;
  const isOwn = matchLibraryCookies(settings);
  const others = lines.filter((line) => !isOwn(line));
  if (others.length === lines.length) return;
  if (others.length === 0) ctx.remove('Set-Cookie');
  else ctx.set('Set-Cookie', others);
}
