import type Koa from 'koa';

import { usesSecureCookies } from './cookies.ts';
import type { AutopaySettings } from './settings.ts';

/**
 * The headers of every answer. Nothing inline and no script at all. `form-action` names the provider as
 * well, because browsers follow it through the redirect that signing out ends in.
 */
export function securityHeaders(settings: AutopaySettings): Koa.Middleware {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self' ${new URL(settings.issuer).origin}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
  return (ctx, next) => {
    ctx.set('Content-Security-Policy', policy);
    ctx.set('X-Content-Type-Options', 'nosniff');
    // Not `no-referrer`: it would blank the Origin of our own forms.
    ctx.set('Referrer-Policy', 'same-origin');
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
    ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=()');
    if (usesSecureCookies(settings)) ctx.set('Strict-Transport-Security', 'max-age=31536000');
    // Files that may be kept say so themselves.
    ctx.set('Cache-Control', 'no-store');
    return next();
  };
}
