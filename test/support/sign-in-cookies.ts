/** The cookies of an interaction, as a test finds them: by prefix, never by how their names are derived. */
import { type Cookie, newCookieJar } from '../rig/cookies.ts';
import type { Answer } from '../rig/exchange.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

const signInName = /^(__Host-)?hemma-signin-/;

export const isSignInCookie = ({ name }: Pick<Cookie, 'name'>): boolean => signInName.test(name);
export const isSessionCookie = ({ name }: Pick<Cookie, 'name'>): boolean =>
  /hemma-session(\.sig)?$/.test(name);
const isDeviceCookie = ({ name }: Pick<Cookie, 'name'>) => name.endsWith('hemma-device');

/** The sign-in cookies of a browser, without signatures that the library might add. */
export const signInCookies = ({ cookies }: Visitor): Cookie[] =>
  cookies.all().filter((cookie) => isSignInCookie(cookie) && !cookie.name.endsWith('.sig'));

/** Copies of every cookie that belongs to interactions: the library's own two and ours, not session or device. */
export const interactionCookies = ({ cookies }: Visitor): Cookie[] =>
  cookies.all().filter((cookie) => !isSessionCookie(cookie) && !isDeviceCookie(cookie));

/** The library's own cookies and look-alikes of the sign-in cookie, which only take the uid to write. */
function forged(cookies: readonly Cookie[], uid: string): Cookie[] {
  const { host } = cookies[0] ?? { host: 'localhost' };
  const cookie = (name: string, value: string, path: string) =>
    ({ name, value, host, path, expires: undefined, attributes: {} }) satisfies Cookie;
  const library = ['__Secure-', ''].flatMap((prefix) => [
    cookie(`${prefix}hemma-interaction`, uid, `/interaction/${uid}`),
    cookie(`${prefix}hemma-resume`, uid, `/auth/${uid}`),
    cookie(`${prefix}hemma-resume`, uid, `/device/${uid}`),
  ]);
  const lookAlikes = cookies.filter(isSignInCookie).flatMap(({ name, value }) => {
    const bare = name.replace('__Host-', '');
    return [cookie(bare, value, '/'), cookie(`__Secure-${bare}`, value, '/')];
  });
  const genuine = (one: Cookie) => cookies.some(({ name, path }) => name === one.name && path === one.path);
  return [...library, ...lookAlikes].filter((one) => !genuine(one));
}

/**
 * What a sibling host can set for the provider's host, from the cookies of an interaction: everything but `__Host-`, which
 * browsers refuse with a Domain (RFC 6265bis §4.1.3.2), and what it can forge.
 */
export const plantable = (cookies: readonly Cookie[], uid: string): Cookie[] => [
  ...cookies.filter(({ name }) => !name.startsWith('__Host-')),
  ...forged(cookies, uid),
];

/** The interaction of the page in front of the user. */
export function uidOf({ screen }: Visitor): string {
  const [, folder, uid = ''] = screen.url.pathname.split('/');
  if (folder !== 'interaction') throw new Error(`no page of an interaction: ${screen.url.href}`);
  return uid;
}

/** The address of another page of this interaction. */
export const pageUrl = (visitor: Visitor, page: string): string =>
  `${visitor.screen.url.origin}/interaction/${uidOf(visitor)}/${page}`;

/** Whose account area these cookies open; undefined where they open none. */
export async function accountOpenedBy(
  { issuer }: { issuer: string },
  cookies: readonly Cookie[],
): Promise<string | undefined> {
  const screen = await newVisitor({ stolen: cookies }).visit(`${issuer}/account`);
  return screen.step === 'account' ? />([^<>\s]+@[^<>\s]*example\.com)</.exec(screen.body)?.[1] : undefined;
}

/** The cookies that a browser has after this answer, if it had `before`. */
export function cookiesAfter(url: URL, before: readonly Cookie[], answer: Answer): Cookie[] {
  const jar = newCookieJar(before);
  jar.take(url, answer.headers['set-cookie'] ?? []);
  return jar.all();
}

/** The value of the session cookie that an answer sets. */
export const sessionSetBy = (url: URL, answer: Answer): string | undefined =>
  cookiesAfter(url, [], answer).find(({ name }) => name.endsWith('hemma-session'))?.value;
