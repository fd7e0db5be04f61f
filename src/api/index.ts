import type { Context, Middleware } from 'koa';
import type { AppContext } from '../context.ts';
import { userImportEndpoints } from './user-import.ts';
import { auditEndpoints } from './audit.ts';
import { caseActionEndpoints } from './case-actions.ts';
import { caseEndpoints } from './cases.ts';
import { claimEndpoints } from './claims.ts';
import { clientActionEndpoints } from './client-actions.ts';
import { clientDiagnosticsEndpoints } from './client-diagnostics.ts';
import { clientEndpoints } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { handleRequest } from './endpoint.ts';
import { groupEndpoints } from './groups.ts';
import { createOpenApiDocument } from './openapi.ts';
import { userActionEndpoints } from './user-actions.ts';
import { userEndpoints } from './users.ts';
import { initialAccessTokenEndpoints } from './initial-access-tokens.ts';
import { sendProblem } from './problem.ts';
import { resourceServerEndpoints } from './resource-servers.ts';

/** All that the interface serves. What has a name stands before what has a number (`/clients/apply`). */
export const endpoints: readonly Endpoint[] = [
  ...userEndpoints,
  ...userActionEndpoints,
  ...groupEndpoints,
  ...caseEndpoints,
  ...caseActionEndpoints,
  ...auditEndpoints,
  ...clientActionEndpoints,
  ...clientEndpoints,
  ...clientDiagnosticsEndpoints,
  ...initialAccessTokenEndpoints,
  ...resourceServerEndpoints,
  ...claimEndpoints,
  ...userImportEndpoints,
];

const openApiPath = '/api/openapi.json';

interface Route {
  definition: Endpoint;
  pattern: RegExp;
}

/** What is in braces takes whatever stands between two slashes; the endpoint's schema judges it. */
const pathPattern = (path: string): RegExp =>
  new RegExp(`^/api${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);

/** What stands in the address; undefined where it was not encoded as addresses are. */
function decodePathParameters(match: RegExpExecArray): Record<string, string> | undefined {
  try {
    const parts = Object.entries(match.groups ?? {});
    return Object.fromEntries(parts.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return undefined;
  }
}

async function dispatchRequest(context: AppContext, ctx: Context, routes: readonly Route[]): Promise<void> {
  const method = ctx.method === 'HEAD' ? 'GET' : ctx.method;
  const matching = routes.flatMap(({ definition, pattern }) => {
    const match = pattern.exec(ctx.path);
    return match ? [{ definition, match }] : [];
  });
  if (matching[0]) ctx.state.route = `/api${matching[0].definition.path}`;
  const found = matching.find(({ definition }) => definition.method === method);
  const params = found && decodePathParameters(found.match);
  if (found && params) return handleRequest(context, ctx, found.definition, params);
  if (matching.length === 0 || found) return sendProblem(ctx, { problem: 'not-found' });
  const methods = matching.map(({ definition }) => definition.method);
  ctx.set('Allow', [...new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods)].join(', '));
  return sendProblem(ctx, { problem: 'method-not-allowed' });
}

/** The interface for programs. It knows no cookie, neither reads nor sets one, and nothing of it is kept by a cache. */
export function createAdminApi(context: AppContext): Middleware {
  const routes = endpoints.map((definition) => ({ definition, pattern: pathPattern(definition.path) }));
  // Made when it is first asked for: most processes never are, and making it takes some megabytes.
  let openApiDocument: string | undefined;
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    if (ctx.path !== openApiPath) return dispatchRequest(context, ctx, routes);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.set('Allow', 'GET, HEAD');
      return sendProblem(ctx, { problem: 'method-not-allowed' });
    }
    ctx.set('Cache-Control', 'public, max-age=300');
    openApiDocument ??= JSON.stringify(createOpenApiDocument(context.settings.HEMMA_ISSUER, endpoints));
    ctx.body = openApiDocument;
    ctx.type = 'application/json';
    return undefined;
  };
}
