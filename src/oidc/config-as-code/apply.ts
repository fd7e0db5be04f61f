import { isOnLocalhost } from '../../../config/settings.ts';
import type { CustomClaim } from '../../users/claim-value.ts';
import { lockClaims } from '../../users/claim-definitions.ts';
import type { Db } from '../../db/database.ts';
import { acquireAdvisoryLock } from '../../db/database.ts';
import { transactionWithRetry } from '../../db/deadlocks.ts';
import { applyClaims, exportClaims, parseClaims } from './claims.ts';
import type { ClientEntry, ConfigFault, ConfigList, ConfigOptions, ConfigResult } from './clients.ts';
import { applyClientEntries, exportClients, configLists, validateClientEntries } from './clients.ts';
import type { ResourceServer } from '../../clients/resource-servers/schema.ts';
import {
  applyResourceServers,
  exportResourceServers,
  validateResourceServers,
  finalizeResourceServers,
} from './resource-servers.ts';

/** What a file describes; a list is undefined where the file does not speak of it, and then nothing of it is removed. */
export interface ConfigFile {
  claims: readonly CustomClaim[] | undefined;
  servers: readonly ResourceServer[] | undefined;
  entries: readonly ClientEntry[] | undefined;
}

/** Where in a file something stands: `2.name` in a list of clients, `resourceServers.0.id` beside it. */
export const formatFaultPath = ({ list, at, path }: ConfigFault): string =>
  [list, at, path].filter((part) => part !== undefined && part !== '').join('.');

/** A file's lists by their names; one that is a client or a list of them, as a short file is, is `clients` alone. */
function splitConfigLists(given: unknown): Partial<Record<ConfigList, unknown>> & Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { clients: given };
  return configLists.some((name) => name in given) ? (given as Record<string, unknown>) : { clients: given };
}

/** Faults that say no more than that something of the same file is described wrongly. */
const dependentFaultCodes = {
  claims: ['not-a-choice'],
  resourceServers: ['resource-unknown', 'resource-scope-unknown'],
} as const;

/**
 * Reads what a file holds: one client, a list of them, or `claims`, `resourceServerEndpoints` and `clients`. Finds everything
 * that is wrong with any of it; a client may name what the same file describes.
 */
export async function validateConfig(
  db: Db,
  issuer: string,
  given: unknown,
): Promise<ConfigFile | { faults: ConfigFault[] }> {
  const { claims: givenClaims, resourceServers, clients, ...others } = splitConfigLists(given);
  const unknown = Object.keys(others).map((path): ConfigFault => ({
    at: 0,
    path,
    field: path,
    code: 'unknown-field',
  }));
  const { claims, faults: ofClaims } = parseClaims(givenClaims ?? []);
  const scopes = claims.map(({ scope }) => scope);
  const about = { db, issuer, claimed: scopes };
  const { servers, faults: ofServers } = await validateResourceServers(about, resourceServers ?? []);
  const coming = { servers, scopes, loopback: isOnLocalhost(issuer) };
  const read = await validateClientEntries(db, clients === undefined ? [] : clients, coming);
  const lost = new Set<string>([
    ...(ofClaims.length > 0 ? dependentFaultCodes.claims : []),
    ...(ofServers.length > 0 ? dependentFaultCodes.resourceServers : []),
  ]);
  const ofClients = 'faults' in read ? read.faults.filter(({ code }) => !lost.has(code)) : [];
  const faults = [...unknown, ...ofClaims, ...ofServers, ...ofClients];
  if (faults.length > 0 || 'faults' in read) return { faults };
  return {
    claims: givenClaims === undefined ? undefined : claims,
    servers: resourceServers === undefined ? undefined : servers,
    entries: clients === undefined ? undefined : read.entries,
  };
}

/** What takes the whole file back. */
const rollbackResults = new Set<ConfigResult['result']>([
  'not-ours',
  'beyond-reach',
  'resource-in-use',
  'claim-refused',
]);

/** Thrown to leave no trace of a trial: what was done in the transaction is what would have been done. */
class ConfigRollback extends Error {}

/**
 * Applies a file, all of it or nothing: claims and resource servers before the clients that name them, and what is to
 * be removed after them. Doing it again changes nothing. A dry run carries everything out and takes it back, so that it
 * cannot say anything else than the run that follows.
 */
export async function applyConfig(
  db: Db,
  { claims, servers, entries }: ConfigFile,
  options: ConfigOptions,
): Promise<ConfigResult[]> {
  const results: ConfigResult[] = [];
  try {
    await transactionWithRetry(db, async (tx) => {
      results.length = 0;
      // Two files at once, each in an order of its own, would lock each other out.
      await acquireAdvisoryLock(tx, 'clients');
      await lockClaims(tx);
      results.push(...(await applyClaims(tx, claims ?? [], options)));
      results.push(...(await applyResourceServers(tx, servers ?? [], options)));
      if (entries) results.push(...(await applyClientEntries(tx, entries, options)));
      if (servers) results.push(...(await finalizeResourceServers(tx, servers, options)));
      if (options.dryRun || results.some(({ result }) => rollbackResults.has(result)))
        throw new ConfigRollback();
    });
  } catch (thrown) {
    if (!(thrown instanceof ConfigRollback)) throw thrown;
  }
  return results;
}

/** Everything as a file that makes it again, never a secret: a list of clients where there is nothing else. */
export async function exportConfig(db: Db): Promise<unknown> {
  const [claims, resourceServers] = [await exportClaims(db), await exportResourceServers(db)];
  const clients = await exportClients(db);
  if (claims.length + resourceServers.length === 0) return clients;
  return {
    ...(claims.length > 0 ? { claims } : {}),
    ...(resourceServers.length > 0 ? { resourceServers } : {}),
    clients,
  };
}
