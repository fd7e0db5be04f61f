import type { ClaimFaultCode } from '../../users/claim-value.ts';
import { listGroups } from '../../users/groups.ts';
import type { Db } from '../../db/database.ts';
import { removeClient } from '../../clients/access.ts';
import type { ClientFault } from '../../clients/connectivity-check.ts';
import { parseClient } from '../../clients/connectivity-check.ts';
import type { ClientDescription } from '../../clients/schema.ts';
import type { FieldChange } from '../../clients/diff.ts';
import type { ApplyResult, ClientActor, RegistrationRules } from '../../clients/clients.ts';
import { applyClientFromFile, listClients, validateClient, setClientEnabled } from '../../clients/clients.ts';

/** A client as a file has it; `enabled` is undefined where the file does not say. */
export interface ClientEntry {
  client: ClientDescription;
  enabled: boolean | undefined;
}

/** What a file may list beside clients, and clients, where they stand beside others. */
export const configLists = ['claims', 'resourceServers', 'clients'] as const;
export type ConfigList = (typeof configLists)[number];

/** A fault and the place in its list, from 0, of what it is about; none where the file itself is wrong. */
export interface ConfigFault extends Omit<ClientFault, 'code'> {
  code: ClientFault['code'] | ClaimFaultCode;
  at?: number;
  /** Which list of the file it is about, where it is not that of the clients. */
  list?: Exclude<ConfigList, 'clients'>;
}

/** Takes `enabled` out of an entry: it is the one thing in a file that is no part of the description. */
function splitEntry(given: unknown): { rest: unknown; enabled: unknown } {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { rest: given, enabled: undefined };
  const { enabled, ...rest } = given as Record<string, unknown>;
  return { rest, enabled };
}

const createFault = (at: number, path: string, code: ClientFault['code']): ConfigFault => ({
  at,
  path,
  field: path,
  code,
});

async function validateClientEntry(
  db: Db,
  given: unknown,
  at: number,
  pending: RegistrationRules,
): Promise<ClientEntry | ConfigFault[]> {
  const { rest, enabled } = splitEntry(given);
  const read = await validateClient(db, rest, pending);
  const faults: ConfigFault[] = 'faults' in read ? read.faults.map((one) => ({ ...one, at })) : [];
  if (enabled !== undefined && typeof enabled !== 'boolean')
    faults.push(createFault(at, 'enabled', 'malformed'));
  if (faults.length > 0 || 'faults' in read) return faults;
  return { client: read.client, enabled: typeof enabled === 'boolean' ? enabled : undefined };
}

/**
 * Reads one client or a list of them, and finds everything that is wrong with any; `coming` is in the same file.
 */
export async function validateClientEntries(
  db: Db,
  given: unknown,
  pending: RegistrationRules = {},
): Promise<{ entries: ClientEntry[] } | { faults: ConfigFault[] }> {
  const list = Array.isArray(given) ? given : [given];
  const read: (ClientEntry | ConfigFault[])[] = [];
  for (const [at, one] of list.entries()) read.push(await validateClientEntry(db, one, at, pending));
  const faults = read.flatMap((one) => (Array.isArray(one) ? one : []));
  const entries = read.flatMap((one) => (Array.isArray(one) ? [] : one));
  const ids = entries.map(({ client }) => client.id);
  entries.forEach(({ client }, at) => {
    if (ids.indexOf(client.id) !== at) faults.push(createFault(at, 'id', 'id-taken'));
  });
  return faults.length > 0 ? { faults } : { entries };
}

/** What became of one part of a file; `changes` is empty where it is the same as before. */
export interface ConfigResult {
  id: string;
  result: ApplyResult['result'] | 'removed' | 'resource-in-use' | 'claim-refused';
  /** Why a claim was refused. */
  why?: ClaimFaultCode;
  changes: FieldChange[];
}

export interface ConfigOptions extends ClientActor {
  /** Shows what would happen and leaves everything as it is. */
  dryRun?: boolean | undefined;
  /** Removes what an earlier file made and the same list of this one does not name; never what the console made. */
  prune?: boolean | undefined;
  /** Takes over clients that the console has looked after. */
  adopt?: boolean | undefined;
}

async function applyClientEntry(
  tx: Db,
  { client, enabled }: ClientEntry,
  options: ConfigOptions,
): Promise<ConfigResult> {
  const { adopt, by, origin: requestInfo, reach } = options;
  const how = { by, origin: requestInfo, reach, adopt: adopt === true };
  const { result, changes } = await applyClientFromFile(tx, client, how);
  if (result === 'not-ours' || result === 'beyond-reach' || enabled === undefined)
    return { id: client.id, result, changes };
  const switched = await setClientEnabled(tx, client.id, enabled, { by, origin: requestInfo, reach });
  if (switched === 'beyond-reach') return { id: client.id, result: switched, changes };
  if (!switched) return { id: client.id, result, changes };
  const state: FieldChange = { field: 'enabled', before: String(!enabled), after: String(enabled) };
  return {
    id: client.id,
    result: result === 'created' ? 'created' : 'changed',
    changes: [...changes, state],
  };
}

/** Makes and changes the clients as a file says, in the transaction of the whole file (see files.ts). */
export async function applyClientEntries(
  tx: Db,
  entries: readonly ClientEntry[],
  options: ConfigOptions,
): Promise<ConfigResult[]> {
  const { prune, by, origin: requestInfo, reach } = options;
  const results: ConfigResult[] = [];
  for (const entry of entries) results.push(await applyClientEntry(tx, entry, options));
  const named = new Set(entries.map(({ client }) => client.id));
  const orphans = (await listClients(tx)).filter(
    ({ client, managed }) => managed === 'file' && !named.has(client.id),
  );
  for (const { client } of prune ? orphans : []) {
    const removed = await removeClient(tx, client.id, { by, origin: requestInfo, reach });
    const result = removed === 'beyond-reach' ? removed : 'removed';
    results.push({ id: client.id, result, changes: [] });
  }
  return results;
}

/** Whether two values say the same, whatever the order of their members. */
const isEqualJson = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What a description says beyond its type's defaults: so that a file is as short as somebody would have written it. */
function omitDefaults(client: ClientDescription): Record<string, unknown> {
  const { id, name, type, firstParty, jwks, redirectUris, deviceFlow } = client;
  const minimal = parseClient({
    id,
    name,
    type,
    firstParty,
    deviceFlow,
    redirectUris,
    ...(jwks ? { jwks } : {}),
  });
  const defaults = ('client' in minimal ? minimal.client : {}) as Record<string, unknown>;
  const always = new Set(['id', 'name', 'type', 'redirectUris', 'jwks']);
  const switches = new Set(['firstParty', 'deviceFlow']);
  const nonDefault = Object.entries(client).filter(
    ([field, value]) =>
      value !== undefined &&
      (always.has(field) || (switches.has(field) ? value : !isEqualJson(value, defaults[field]))),
  );
  return Object.fromEntries(
    nonDefault.filter(([, value]) => !(Array.isArray(value) && value.length === 0 && type === 'service')),
  );
}

/** All clients as a file that makes them again: groups by name, no secret, nothing that only this database knows. */
export async function exportClients(db: Db): Promise<Record<string, unknown>[]> {
  const names = new Map((await listGroups(db)).map(({ id, name }) => [id, name]));
  return (await listClients(db)).map(({ client, enabled }) => {
    const { allowedGroups, apiGroup, ...rest } = omitDefaults(client);
    const groups = Array.isArray(allowedGroups) ? (allowedGroups as string[]) : [];
    return {
      ...rest,
      ...(groups.length > 0 ? { allowedGroups: groups.map((id) => names.get(id) ?? id) } : {}),
      ...(typeof apiGroup === 'string' ? { apiGroup: names.get(apiGroup) ?? apiGroup } : {}),
      ...(enabled ? {} : { enabled: false }),
    };
  });
}
