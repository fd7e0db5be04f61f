/** An attacker with a sibling host of the provider: cookies that it sets in the browser of a victim, and forms that it posts. */
import type { Page } from 'playwright-core';
import { at } from '../rig/ceremony.ts';
import type { Cookie } from '../rig/cookies.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import type { Origins } from './origins.ts';
import { secondHolderGains } from './second-holder.ts';
import { interactionCookies, plantable, uidOf } from './sign-in-cookies.ts';

/** An interaction that the attacker began, at its password page in the attacker's own browser. */
export interface Begun {
  visitor: Visitor;
  uid: string;
  url: string;
  /** The cookies of the attacker's browser. */
  cookies: readonly Cookie[];
}

export async function beginAsAttacker({ begin }: Pick<Origins, 'begin'>): Promise<Begun> {
  const visitor = newVisitor();
  at('password', await visitor.visit(begin().url));
  const { href } = visitor.screen.url;
  return { visitor, uid: uidOf(visitor), url: href, cookies: interactionCookies(visitor) };
}

/** What the attacker gains by now from an interaction that it began. */
export const attackerGains = (
  { hemma }: Pick<Origins, 'hemma'>,
  { uid, cookies }: Begun,
  secrets: readonly string[],
  atPasswordPage: boolean,
): Promise<string[]> => secondHolderGains({ issuer: hemma.issuer, uid, cookies, secrets, atPasswordPage });

/** Each cookie in every spelling that might reach the provider's host. */
function linesFor({ name, value, path }: Cookie): string[] {
  const secure = `Path=${path}; Secure`;
  // Of two cookies with one name the longer path is sent first (RFC 6265 §5.4).
  const deeper = path.startsWith('/interaction/') ? ['password', 'totp', 'enrollment'] : [];
  return [
    ...deeper.map((page) => `${name}=${value}; Domain=hemma.test; Path=${path}/${page}; Secure`),
    `${name}=${value}; Domain=hemma.test; ${secure}`,
    `${name}=${value}; Domain=hemma.test; Path=/; Secure`,
    // A cookie without a name, whose value reads like a name and a value (RFC 6265bis §5.7).
    `=${name}=${value}; Domain=hemma.test; Path=/; Secure`,
    `\t${name}=${value}; Domain=hemma.test; ${secure}`,
    `${name.replace('__Host-', '__host-')}=${value}; Domain=hemma.test; Path=/; Secure`,
  ];
}

/** Where the victim's browser goes for a moment: to a page of the sibling host that sets these cookies. */
function plantingUrl({ sibling }: Pick<Origins, 'sibling'>, cookies: readonly Cookie[]): string {
  const url = new URL('/set', sibling);
  for (const cookie of cookies) for (const line of linesFor(cookie)) url.searchParams.append('line', line);
  return url.href;
}

/**
 * The sibling host sets, in a tab of its own, everything of an interaction that it can write.
 * @param as - the uid in whose paths the cookies are set; the interaction's own otherwise
 */
export async function plantFromSibling(
  page: Page,
  origins: Pick<Origins, 'sibling'>,
  { cookies, uid }: Pick<Begun, 'cookies' | 'uid'>,
  as = uid,
): Promise<void> {
  const tab = await page.context().newPage();
  const all = [...cookies, ...plantable(cookies, uid)];
  for (let from = 0; from < all.length; from += 4) {
    const some = all.slice(from, from + 4);
    await tab.goto(
      plantingUrl(
        origins,
        some.map((one) => ({ ...one, path: one.path.replace(uid, as) })),
      ),
    );
  }
  await tab.close();
}

/** A page of an attacker's host that posts a form to the provider by itself; resolves when the browser has gone on. */
export async function postFrom(
  page: Page,
  host: string,
  to: string,
  fields: Record<string, string>,
): Promise<void> {
  const url = new URL('/post', host);
  url.search = new URLSearchParams({ ...fields, to }).toString();
  await page.goto(url.href);
  await page.waitForURL((now) => now.origin !== url.origin);
}
