import type { Context, Middleware } from 'koa';
import type { House } from '../context.ts';
import { accounts } from './user-import.ts';
import { audit } from './audit.ts';
import { caseDeeds } from './case-actions.ts';
import { cases } from './cases.ts';
import { claims } from './claims.ts';
import { clientDeeds } from './client-actions.ts';
import { clientInsight } from './client-diagnostics.ts';
import { clients } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { run } from './endpoint.ts';
import { groups } from './groups.ts';
import { documentOf } from './openapi.ts';
import { peopleDeeds } from './user-actions.ts';
import { people } from './users.ts';
import { initialAccessTokens } from './initial-access-tokens.ts';
import { answerProblem } from './problem.ts';
import { resourceServers } from './resource-servers.ts';

/** All that the interface serves. What has a name stands before what has a number (`/clients/apply`). */
export const endpoints: readonly Endpoint[] = [
  ...people,
  ...peopleDeeds,
  ...groups,
  ...cases,
  ...caseDeeds,
  ...audit,
  ...clientDeeds,
  ...clients,
  ...clientInsight,
  ...initialAccessTokens,
  ...resourceServers,
  ...claims,
  ...accounts,
];

const documentPath = '/api/openapi.json';

interface Route {
  definition: Endpoint;
  pattern: RegExp;
}

/** What is in braces takes whatever stands between two slashes; the endpoint's schema judges it. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^/api${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);

/** What stands in the address; undefined where it was not encoded as addresses are. */
function named(match: RegExpExecArray): Record<string, string> | undefined {
  try {
    const parts = Object.entries(match.groups ?? {});
    return Object.fromEntries(parts.map(([name, part]) => [name, decodeURIComponent(part)]));
  } catch {
    return undefined;
  }
}

async function dispatch(house: House, ctx: Context, routes: readonly Route[]): Promise<void> {
  const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
  const here = routes.flatMap(({ definition, pattern }) => {
    const match = pattern.exec(ctx.path);
    return match ? [{ definition, match }] : [];
  });
  if (here[0]) ctx.state.route = `/api${here[0].definition.path}`;
  const found = here.find(({ definition }) => definition.method === method);
  const params = found && named(found.match);
  if (found && params) return run(house, ctx, found.definition, params);
  if (here.length === 0 || found) return answerProblem(ctx, { problem: 'not-found' });
  const methods = here.map(({ definition }) => definition.method);
  ctx.set('Allow', [...new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)].join(', '));
  return answerProblem(ctx, { problem: 'method-not-allowed' });
}

/** The interface for programs. It knows no cookie, neither reads nor sets one, and nothing of it is kept by a cache. */
export function adminApi(house: House): Middleware {
  const routes = endpoints.map((definition) => ({ definition, pattern: patternOf(definition.path) }));
  // Made when it is first asked for: most processes never are, and making it takes some megabytes.
  let document: string | undefined;
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    if (ctx.path !== documentPath) return dispatch(house, ctx, routes);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD');
      return answerProblem(ctx, { problem: 'method-not-allowed' });
    }
    ctx.set('Cache-Control', 'public, max-age=300');
    document ??= JSON.stringify(documentOf(house.settings.HEMMA_ISSUER, endpoints));
    ctx.body = document;
    ctx.type = 'application/json';
    return undefined;
  };
}
