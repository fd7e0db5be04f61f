import type Koa from 'koa';

import type { AutopaySettings } from './settings.ts';

/** The part of a request and its answer that cookies and languages concern. */
export type CookieContext = Pick<Koa.Context, 'cookies' | 'query' | 'get'>;

/**
 * A cookie's name. It begins with the application, because localhost shares its cookies between ports, and
 * with `__Host-` on https, so that no neighbouring host can plant one (RFC 6265bis §4.1.3.2).
 */
export function autopayCookieName(settings: AutopaySettings, purpose: string): string {
  return `${usesSecureCookies(settings) ? '__Host-' : ''}${settings.app}-${purpose}`;
}

/** Lax, not Strict: the way back from the provider is a navigation that began on another site. */
export function autopayCookieOptions(settings: AutopaySettings, maxAge?: number) {
  const options = {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    secure: usesSecureCookies(settings),
    overwrite: true,
  } as const;
  return maxAge === undefined ? options : { ...options, maxAge };
}

export function usesSecureCookies(settings: AutopaySettings): boolean {
  return settings.origin.startsWith('https:');
}
