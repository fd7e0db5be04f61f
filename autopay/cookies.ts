import type Koa from 'koa';

import type { Settings } from './settings.ts';

/** The part of a request and its answer that cookies and languages concern. */
export type Exchange = Pick<Koa.Context, 'cookies' | 'query' | 'get'>;

/**
 * A cookie's name. It begins with the application, because localhost shares its cookies between ports, and
 * with `__Host-` on https, so that no neighbouring host can plant one (RFC 6265bis §4.1.3.2).
 */
export function cookieName(settings: Settings, purpose: string): string {
  return `${isSecure(settings) ? '__Host-' : ''}${settings.app}-${purpose}`;
}

/** Lax, not Strict: the way back from the provider is a navigation that began on another site. */
export function cookieOptions(settings: Settings, maxAge?: number) {
  const options = {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    secure: isSecure(settings),
    overwrite: true,
  } as const;
  return maxAge === undefined ? options : { ...options, maxAge };
}

export function isSecure(settings: Settings): boolean {
  return settings.origin.startsWith('https:');
}
