import { customScopePattern } from '../users/claim-value.ts';
import { lockClaims, findUnknownScopes } from '../users/claim-definitions.ts';
import type { Db } from '../db/database.ts';
import type { ClientFault } from './connectivity-check.ts';
import { clientScopes } from './schema.ts';

/** Those of some scopes that only claims of the house's own make. */
const filterCustomScopes = (scopes: readonly string[]): string[] =>
  scopes.filter((scope) => !clientScopes.some((one) => one === scope));

/**
 * Whether every scope that a description names is there; they stay until the caller's transaction ends. Whoever takes a
 * scope away asks in the same turn whether an application names it. The turn comes before any row.
 */
export async function lockScopes(tx: Db, scopes: readonly string[]): Promise<boolean> {
  const own = filterCustomScopes(scopes);
  if (own.length === 0) return true;
  await lockClaims(tx);
  return (await findUnknownScopes(tx, own)).length === 0;
}

/**
 * The scopes that a description names and nobody knows, judged before it is known whether the rest of it is right: all
 * that is wrong is told at once. `coming` are scopes that will be there by the time that it is stored.
 */
export async function findScopeFaults(
  db: Db,
  given: unknown,
  pending: readonly string[],
): Promise<ClientFault[]> {
  const { scopes } = (given ?? {}) as { scopes?: unknown };
  const list: unknown[] = Array.isArray(scopes) ? scopes : [];
  // What is spelt like no scope at all is refused with the rest.
  const spelt = list.filter((one): one is string => typeof one === 'string' && customScopePattern.test(one));
  const unknown = await findUnknownScopes(db, filterCustomScopes(spelt));
  return unknown
    .filter((scope) => !pending.includes(scope))
    .map((scope) => ({ path: `scopes.${list.indexOf(scope)}`, field: 'scopes', code: 'not-a-choice' }));
}
