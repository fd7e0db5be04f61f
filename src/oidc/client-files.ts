import type { OwnClaim } from '../accounts/claim-check.ts';
import { listGroups } from '../accounts/groups.ts';
import type { Db } from '../platform/database.ts';
import { takeTurn } from '../platform/database.ts';
import { applyClaims } from './claim-files.ts';
import { removeClient } from './client-access.ts';
import type { ClientFault } from './client-check.ts';
import { checkClient } from './client-check.ts';
import type { ClientDescription } from './client-description.ts';
import type { Difference } from './client-differences.ts';
import type { Applied, ClientDoer } from './clients.ts';
import { describeFromFile, listClients, readClient, setEnabled } from './clients.ts';

/** A client as a file has it; `enabled` is undefined where the file does not say. */
interface Entry {
  client: ClientDescription;
  enabled: boolean | undefined;
}

/** A fault and the place of its client in the file, from 0. */
export interface FileFault extends ClientFault {
  at: number;
}

/** Takes `enabled` out of an entry: it is the one thing in a file that is no part of the description. */
function entryOf(given: unknown): { rest: unknown; enabled: unknown } {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { rest: given, enabled: undefined };
  const { enabled, ...rest } = given as Record<string, unknown>;
  return { rest, enabled };
}

const fault = (at: number, path: string, code: ClientFault['code']): FileFault => ({
  at,
  path,
  field: path,
  code,
});

async function readEntry(
  db: Db,
  given: unknown,
  at: number,
  coming: readonly string[],
): Promise<Entry | FileFault[]> {
  const { rest, enabled } = entryOf(given);
  const read = await readClient(db, rest, coming);
  const faults = 'faults' in read ? read.faults.map((one) => ({ ...one, at })) : [];
  if (enabled !== undefined && typeof enabled !== 'boolean') faults.push(fault(at, 'enabled', 'malformed'));
  if (faults.length > 0 || 'faults' in read) return faults;
  return { client: read.client, enabled: typeof enabled === 'boolean' ? enabled : undefined };
}

/**
 * Reads what a file holds, one client or a list, and finds everything that is wrong with any of them. `coming` are scopes
 * that the file's own claims bring.
 */
export async function readEntries(
  db: Db,
  given: unknown,
  coming: readonly string[] = [],
): Promise<{ entries: Entry[] } | { faults: FileFault[] }> {
  const list = Array.isArray(given) ? given : [given];
  const read: (Entry | FileFault[])[] = [];
  for (const [at, one] of list.entries()) read.push(await readEntry(db, one, at, coming));
  const faults = read.flatMap((one) => (Array.isArray(one) ? one : []));
  const entries = read.flatMap((one) => (Array.isArray(one) ? [] : one));
  const ids = entries.map(({ client }) => client.id);
  entries.forEach(({ client }, at) => {
    if (ids.indexOf(client.id) !== at) faults.push(fault(at, 'id', 'id-taken'));
  });
  return faults.length > 0 ? { faults } : { entries };
}

/** What became of one client; `changes` is empty where it is the same as before. */
export interface FileResult {
  id: string;
  result: Applied['result'] | 'removed';
  changes: Difference[];
}

export interface FileOptions extends ClientDoer {
  /** Shows what would happen and leaves everything as it is. */
  dryRun?: boolean | undefined;
  /** Removes clients that an earlier file made and this one does not name; never those of the console. */
  prune?: boolean | undefined;
  /** Claims of the house's own that the file describes. */
  claims?: readonly OwnClaim[] | undefined;
  /** Takes over clients that the console has looked after. */
  adopt?: boolean | undefined;
}

/** Thrown to leave no trace of a trial: what was done in the transaction is what would have been done. */
class OnlyTried extends Error {}

async function applyEntry(open: Db, { client, enabled }: Entry, options: FileOptions): Promise<FileResult> {
  const { adopt, by, origin, reach } = options;
  const how = { by, origin, reach, adopt: adopt === true };
  const { result, changes } = await describeFromFile(open, client, how);
  if (result === 'not-ours' || result === 'beyond-reach' || enabled === undefined)
    return { id: client.id, result, changes };
  const switched = await setEnabled(open, client.id, enabled, { by, origin, reach });
  if (switched === 'beyond-reach') return { id: client.id, result: switched, changes };
  if (!switched) return { id: client.id, result, changes };
  const state: Difference = { field: 'enabled', before: String(!enabled), after: String(enabled) };
  return {
    id: client.id,
    result: result === 'created' ? 'created' : 'changed',
    changes: [...changes, state],
  };
}

/**
 * Applies a file, all of it or nothing. Doing it again changes nothing. A dry run carries everything out and takes it
 * back, so that it cannot say anything else than the run that follows.
 */
export async function applyEntries(
  db: Db,
  entries: readonly Entry[],
  options: FileOptions,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const { by, origin } = options;
  try {
    await db.transaction(async (open) => {
      // Two files at once, each in an order of its own, would lock each other out.
      await takeTurn(open, 'clients');
      results.push(...(await applyClaims(open, options.claims ?? [], { by, origin })));
      for (const entry of entries) results.push(await applyEntry(open, entry, options));
      const named = new Set(entries.map(({ client }) => client.id));
      const orphans = (await listClients(open)).filter(
        ({ client, managed }) => managed === 'file' && !named.has(client.id),
      );
      for (const { client } of options.prune ? orphans : []) {
        await removeClient(open, client.id, { by, origin });
        results.push({ id: client.id, result: 'removed', changes: [] });
      }
      const refused = results.some(({ result }) => result === 'not-ours' || result === 'beyond-reach');
      if (options.dryRun || refused) throw new OnlyTried();
    });
  } catch (thrown) {
    if (!(thrown instanceof OnlyTried)) throw thrown;
  }
  return results;
}

/** Whether two values say the same, whatever the order of their members. */
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What a description says beyond its type's defaults: so that a file is as short as somebody would have written it. */
function brief(client: ClientDescription): Record<string, unknown> {
  const { id, name, type, firstParty, jwks, redirectUris } = client;
  const least = checkClient({ id, name, type, firstParty, redirectUris, ...(jwks ? { jwks } : {}) });
  const defaults = ('client' in least ? least.client : {}) as Record<string, unknown>;
  const always = new Set(['id', 'name', 'type', 'redirectUris', 'jwks']);
  const told = Object.entries(client).filter(
    ([field, value]) =>
      value !== undefined &&
      (always.has(field) || (field === 'firstParty' ? value : !same(value, defaults[field]))),
  );
  return Object.fromEntries(
    told.filter(([, value]) => !(Array.isArray(value) && value.length === 0 && type === 'service')),
  );
}

/** All clients as a file that makes them again: groups by name, no secret, nothing that only this database knows. */
export async function exportEntries(db: Db): Promise<Record<string, unknown>[]> {
  const names = new Map((await listGroups(db)).map(({ id, name }) => [id, name]));
  return (await listClients(db)).map(({ client, enabled }) => {
    const { allowedGroups, apiGroup, ...rest } = brief(client);
    const groups = Array.isArray(allowedGroups) ? (allowedGroups as string[]) : [];
    return {
      ...rest,
      ...(groups.length > 0 ? { allowedGroups: groups.map((id) => names.get(id) ?? id) } : {}),
      ...(typeof apiGroup === 'string' ? { apiGroup: names.get(apiGroup) ?? apiGroup } : {}),
      ...(enabled ? {} : { enabled: false }),
    };
  });
}
