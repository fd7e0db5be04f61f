import type { Context } from 'koa';
import { stepNames } from '../../interactions/sign-in/index.ts';

/** The addresses that have no part that varies. */
const fixedPaths = new Set([
  '/',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/api/openapi.json',
  '/auth',
  '/dev/mail',
  '/device',
  '/device/auth',
  '/health/live',
  '/health/ready',
  '/jwks',
  '/me',
  '/metrics',
  '/reg',
  '/request',
  '/session/end',
  '/session/end/confirm',
  '/session/end/success',
  '/token',
  '/token/introspection',
  '/token/revocation',
]);

const pathPatterns: readonly [RegExp, string][] = [
  [/^\/public\//, '/public/:file'],
  [/^\/auth\/[^/]+$/, '/auth/:uid'],
  [/^\/device\/[^/]+$/, '/device/:uid'],
  [/^\/api(\/|$)/, '/api/other'],
];

/**
 * The template of a request's address, for counting and for telling: one of a list that no stranger can make longer, and
 * never the address, which may hold the number of a sign-in, a person or an application.
 */
export function routeTemplate(ctx: Context): string {
  if (ctx.state.route) return ctx.state.route;
  const { _matchedRoute: matched, params } = ctx as { _matchedRoute?: unknown; params?: { step?: string } };
  if (typeof matched === 'string') {
    if (!matched.endsWith('/:step')) return matched;
    const { step = '' } = params ?? {};
    return stepNames.has(step) ? `${matched.slice(0, -':step'.length)}${step}` : matched;
  }
  if (fixedPaths.has(ctx.path)) return ctx.path;
  return pathPatterns.find(([shape]) => shape.test(ctx.path))?.[1] ?? 'other';
}

/** Which door refused: the endpoint of the standards, the interface for programs, or a page. */
export function endpointGroup(route: string): string {
  if (route.startsWith('/api')) return 'api';
  const [, ...parts] = route.split('/');
  if (fixedPaths.has(route) && route !== '/') return parts.join('-').replaceAll('.', '');
  return 'page';
}
