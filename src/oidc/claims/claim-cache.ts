import type { AdapterPayload, Provider } from 'oidc-provider';
import instance from 'oidc-provider/lib/helpers/weak_cache.js';
import type { ClaimDefinition } from '../../users/claim-definitions.ts';
import { listClaims } from '../../users/claim-definitions.ts';
import type { Db } from '../../db/database.ts';
import { serializeCalls } from '../../db/in-turn.ts';
import type { Topic } from '../../db/notifications.ts';
import { claimsOfScopes } from '../../users/claim-scopes.ts';

/** What is announced when the definitions of claims have changed. */
export const claimsTopic: Topic = { name: 'claims', everywhere: true };

/** The claims of the house's own that this process knows and tells. */
export interface ClaimCache {
  known(): readonly ClaimDefinition[];
  /** Hands them to a provider, now and after each change. */
  bind(provider: Provider): void;
  /** Reads what was changed, here or by another process. */
  follow(): Promise<void>;
  /**
   * A client as the library may take it. It refuses one that names a scope which it does not know: a client that another
   * process has registered for a new scope is a reason to look first, and never one to turn it away.
   */
  understood(metadata: AdapterPayload | undefined): Promise<AdapterPayload | undefined>;
}

const standardScopes = new Set<string>(['offline_access', ...Object.keys(claimsOfScopes)]);

/**
 * Exchanges what the provider knows of scopes and claims. The library takes them at construction only, and keeps them in
 * the objects that are changed here: a second provider would be the way through the front door, but everybody who holds
 * the first one would go on with yesterday's (as for the keys, see keyring.ts). It happens between two requests' steps,
 * all at once.
 */
function replaceClaims(
  provider: Provider,
  before: readonly ClaimDefinition[],
  after: readonly ClaimDefinition[],
): void {
  const { claims, scopes, claimsSupported } = instance(provider).configuration;
  for (const { name, scope } of before) {
    delete claims[scope]?.[name];
    claimsSupported.delete(name);
    if (standardScopes.has(scope)) continue;
    delete claims[scope];
    scopes.delete(scope);
  }
  for (const { name, scope } of after) {
    claims[scope] = { ...claims[scope], [name]: null };
    claimsSupported.add(name);
    scopes.add(scope);
  }
}

/** Opens the book with what the database has. */
export async function createClaimCache(db: Db): Promise<ClaimCache> {
  let known = await listClaims(db);
  let bound: Provider | undefined;
  const refresh = serializeCalls(async () => {
    const found = await listClaims(db);
    if (JSON.stringify(found) === JSON.stringify(known)) return;
    if (bound) replaceClaims(bound, known, found);
    known = found;
  });
  const isKnown = (scope: string) =>
    standardScopes.has(scope) || known.some((claim) => claim.scope === scope);
  return {
    known: () => known,
    bind(provider) {
      bound = provider;
      replaceClaims(provider, [], known);
    },
    follow: refresh,
    async understood(metadata) {
      const scopes = metadata?.scope?.split(' ') ?? [];
      if (scopes.every(isKnown)) return metadata;
      await refresh();
      return { ...metadata, scope: scopes.filter(isKnown).join(' ') };
    },
  };
}
