import { isOnLocalhost } from '../../../config/settings.ts';
import type { OwnClaim } from '../../users/claim-value.ts';
import { claimsTurn } from '../../users/claim-definitions.ts';
import type { Db } from '../../db/database.ts';
import { takeTurn } from '../../db/database.ts';
import { transactionWithRetry } from '../../db/deadlocks.ts';
import { applyClaims, exportClaims, readClaims } from './claims.ts';
import type { Entry, FileFault, FileList, FileOptions, FileResult } from './clients.ts';
import { applyEntries, exportEntries, fileLists, readEntries } from './clients.ts';
import type { ResourceServer } from '../../clients/resource-servers/schema.ts';
import { applyServers, exportServers, readServers, settleServers } from './resource-servers.ts';

/** What a file describes; a list is undefined where the file does not speak of it, and then nothing of it is removed. */
export interface Described {
  claims: readonly OwnClaim[] | undefined;
  servers: readonly ResourceServer[] | undefined;
  entries: readonly Entry[] | undefined;
}

/** Where in a file something stands: `2.name` in a list of clients, `resourceServers.0.id` beside it. */
export const placeOf = ({ list, at, path }: FileFault): string =>
  [list, at, path].filter((part) => part !== undefined && part !== '').join('.');

/** A file's lists by their names; one that is a client or a list of them, as a short file is, is `clients` alone. */
function listsOf(given: unknown): Partial<Record<FileList, unknown>> & Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { clients: given };
  return fileLists.some((name) => name in given) ? (given as Record<string, unknown>) : { clients: given };
}

/** Faults that say no more than that something of the same file is described wrongly. */
const lostWith = {
  claims: ['not-a-choice'],
  resourceServers: ['resource-unknown', 'resource-scope-unknown'],
} as const;

/**
 * Reads what a file holds: one client, a list of them, or `claims`, `resourceServers` and `clients`. Finds everything
 * that is wrong with any of it; a client may name what the same file describes.
 */
export async function readFile(
  db: Db,
  issuer: string,
  given: unknown,
): Promise<Described | { faults: FileFault[] }> {
  const { claims: givenClaims, resourceServers, clients, ...others } = listsOf(given);
  const unknown = Object.keys(others).map((path): FileFault => ({
    at: 0,
    path,
    field: path,
    code: 'unknown-field',
  }));
  const { claims, faults: ofClaims } = readClaims(givenClaims ?? []);
  const scopes = claims.map(({ scope }) => scope);
  const about = { db, issuer, claimed: scopes };
  const { servers, faults: ofServers } = await readServers(about, resourceServers ?? []);
  const coming = { servers, scopes, loopback: isOnLocalhost(issuer) };
  const read = await readEntries(db, clients === undefined ? [] : clients, coming);
  const lost = new Set<string>([
    ...(ofClaims.length > 0 ? lostWith.claims : []),
    ...(ofServers.length > 0 ? lostWith.resourceServers : []),
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
const refusing = new Set<FileResult['result']>([
  'not-ours',
  'beyond-reach',
  'resource-in-use',
  'claim-refused',
]);

/** Thrown to leave no trace of a trial: what was done in the transaction is what would have been done. */
class OnlyTried extends Error {}

/**
 * Applies a file, all of it or nothing: claims and resource servers before the clients that name them, and what is to
 * be removed after them. Doing it again changes nothing. A dry run carries everything out and takes it back, so that it
 * cannot say anything else than the run that follows.
 */
export async function applyFile(
  db: Db,
  { claims, servers, entries }: Described,
  options: FileOptions,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  try {
    await transactionWithRetry(db, async (open) => {
      results.length = 0;
      // Two files at once, each in an order of its own, would lock each other out.
      await takeTurn(open, 'clients');
      await claimsTurn(open);
      results.push(...(await applyClaims(open, claims ?? [], options)));
      results.push(...(await applyServers(open, servers ?? [], options)));
      if (entries) results.push(...(await applyEntries(open, entries, options)));
      if (servers) results.push(...(await settleServers(open, servers, options)));
      if (options.dryRun || results.some(({ result }) => refusing.has(result))) throw new OnlyTried();
    });
  } catch (thrown) {
    if (!(thrown instanceof OnlyTried)) throw thrown;
  }
  return results;
}

/** Everything as a file that makes it again, never a secret: a list of clients where there is nothing else. */
export async function exportFile(db: Db): Promise<unknown> {
  const [claims, resourceServers] = [await exportClaims(db), await exportServers(db)];
  const clients = await exportEntries(db);
  if (claims.length + resourceServers.length === 0) return clients;
  return {
    ...(claims.length > 0 ? { claims } : {}),
    ...(resourceServers.length > 0 ? { resourceServers } : {}),
    clients,
  };
}
