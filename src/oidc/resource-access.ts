import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { getApiResource } from '../clients/resource-servers/api-scopes.ts';
import type { ClientCache } from '../clients/cache.ts';
import { getApiScopes, getIntrospectedResource, getAllowedResources } from '../clients/metadata.ts';
import { addSignInClaims } from './grants.ts';
import type { ResourceServer } from '../clients/resource-servers/schema.ts';

/** A resource that an application may ask for, and which scopes of it. */
interface GrantableResource {
  scopes: readonly string[];
  /** Undefined: the interface for programs, which looks its tokens up itself. */
  server: ResourceServer | undefined;
}

/** Each is looked up: more of them in one request than anybody needs is nobody's honest request. */
const maxResourcesPerRequest = 10;

/** Known everywhere, given nowhere: a program that asks for them out of habit is not refused for it (Core §5.4). */
const ignoredScopes = new Set(['address', 'phone']);

/** What of these resources is open to an application. */
async function findGrantableResources(
  clientCache: ClientCache,
  issuer: string,
  client: Client,
  asked: readonly string[],
) {
  const allowed = getAllowedResources(client).filter(({ resource }) => asked.includes(resource));
  const servers = await clientCache.resourceServers(allowed.map(({ resource }) => resource));
  const open = new Map<string, GrantableResource>();
  for (const { resource, scopes } of allowed) {
    const server = servers.get(resource);
    const there = new Set(server?.scopes.map(({ name }) => name));
    if (server) open.set(resource, { scopes: scopes.filter((scope) => there.has(scope)), server });
  }
  const own: readonly string[] = getApiScopes(client);
  if (own.length > 0) open.set(getApiResource(issuer), { scopes: own, server: undefined });
  return open;
}

/** The library's description of a resource server. Its lifetime is taken up by `ttl` in provider.ts. */
function toResourceServerInfo(resource: string, { scopes, server }: GrantableResource) {
  const common = { scope: scopes.join(' '), audience: resource };
  if (server?.tokenFormat !== 'jwt')
    return {
      ...common,
      accessTokenFormat: 'opaque' as const,
      ...(server ? { accessTokenTTL: server.lifetime } : {}),
    };
  return {
    ...common,
    accessTokenTTL: server.lifetime,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: server.signingAlg ?? 'ES256' } },
  };
}

/**
 * The resources that access tokens are made for besides userinfo (RFC 8707): the interface for programs, whose tokens are
 * looked up at every use, and the resource servers that administrators register. Whoever is not registered for one is told
 * that there is no such target, and asks for no scope that its description does not list. A person's request names a scope
 * of each, since scopes are what the person is asked about.
 */
export function createResourceResolver(clientCache: ClientCache, issuer: string) {
  return async (ctx: KoaContextWithOIDC, resource: string, client: Client) => {
    const { params = {}, requestParamScopes, requestParamOIDCScopes, route } = ctx.oidc;
    const given = params.resource === undefined ? [resource] : [params.resource].flat();
    if (given.length > maxResourcesPerRequest) throw new errors.InvalidTarget('too many resources');
    const open = await findGrantableResources(clientCache, issuer, client, given as string[]);
    const found = open.get(resource);
    if (!found) throw new errors.InvalidTarget();
    const asked = [...requestParamScopes].filter(
      (scope) => scope !== '' && !requestParamOIDCScopes.has(scope),
    );
    const all = new Set((given as string[]).flatMap((one) => open.get(one)?.scopes ?? []));
    const beyond = asked.find((scope) => !all.has(scope) && !ignoredScopes.has(scope));
    if (beyond !== undefined) throw new errors.InvalidScope('requested scope is not allowed', beyond);
    if (found.server && route !== 'token' && !asked.some((scope) => found.scopes.includes(scope)))
      throw new errors.InvalidScope('a scope of the resource must be requested', found.scopes.join(' '));
    return toResourceServerInfo(resource, found);
  };
}

/** What a token says besides; none is made for a resource server without a scope of it, whatever was taken away since. */
export const addTokenClaims: NonNullable<Configuration['extraTokenClaims']> = (ctx, token) => {
  const { aud, scope } = token;
  if (aud !== undefined && aud !== getApiResource(ctx.oidc.issuer) && !scope)
    throw new errors.InvalidScope('a scope of the resource must be requested', '');
  return addSignInClaims?.(ctx, token);
};

/** Seconds that the resource of a token gives it. */
export const getResourceLifetime = (token: unknown): number | undefined =>
  (token as { resourceServer?: { accessTokenTTL?: number } } | undefined)?.resourceServer?.accessTokenTTL;

interface IntrospectedToken {
  clientId?: string | undefined;
  aud?: string | string[] | undefined;
  scope?: string | undefined;
}

/**
 * Whose token it is that a client asks about, where it may ask at all: its own, or one that was made for the resource
 * server that it is the door of. A token for more than its client may still ask for is nobody's.
 */
export async function findTokenClient(
  { oidc }: KoaContextWithOIDC,
  client: Client,
  { clientId, aud, scope }: IntrospectedToken,
): Promise<Client | undefined> {
  const own = clientId === client.clientId;
  const guarded = typeof aud === 'string' && aud === getIntrospectedResource(client);
  if (clientId === undefined || !(own || guarded)) return undefined;
  const holder = own ? client : await oidc.provider.Client.find(clientId);
  if (!holder || aud === undefined || aud === getApiResource(oidc.issuer)) return holder;
  const allowed = getAllowedResources(holder).find(({ resource }) => resource === aud)?.scopes ?? [];
  return (scope ?? '').split(' ').every((one) => allowed.includes(one)) ? holder : undefined;
}
