import { randomUUID } from 'node:crypto';
import { listClaims } from '../../users/claim-definitions.ts';
import type { Doer } from '../../users/groups.ts';
import { audit } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { isRowNumber } from '../../db/database.ts';
import type { Topic } from '../../db/notifications.ts';
import type { ClientFault } from '../connectivity-check.ts';
import { judged } from '../connectivity-check.ts';
import type { Difference } from '../diff.ts';
import { inShort, memberDifferences } from '../diff.ts';
import type { AllowedResource } from '../resources.ts';
import type { ResourceServer } from './schema.ts';
import { resourceServerSchema } from './schema.ts';

/** What is announced when resource servers have changed. */
export const resourceServersTopic: Topic = { name: 'resource servers', everywhere: true };

/** A resource server with what is known of it besides its description. */
export interface RegisteredResource {
  server: ResourceServer;
  /** Stands for it in addresses of ours, which take no address inside them. */
  number: string;
  managed: 'file' | 'console';
  createdAt: Date;
  /** Changes with every edit: whoever edits says which state it was that they saw. */
  updatedAt: Date;
}

interface Row {
  number: string;
  metadata: ResourceServer;
  managed: 'file' | 'console';
  created_at: Date;
  updated_at: Date;
}

const columns = 'number, metadata, managed, created_at, updated_at';

const registered = (row: Row): RegisteredResource => ({
  server: row.metadata,
  number: row.number,
  managed: row.managed,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/**
 * A description as somebody gave it, judged: what is below the issuer's own address are resources of ours, and a scope
 * of the house's own claims (or of `claimed`, which come with the same file) says what a person is like, not what an API lets do.
 */
export async function readResourceServer(
  { db, issuer, claimed = [] }: { db: Db; issuer: string; claimed?: readonly string[] },
  given: unknown,
): Promise<{ server: ResourceServer } | { faults: ClientFault[] }> {
  const read = judged(resourceServerSchema, given);
  if ('faults' in read) return read;
  const { id, scopes } = read.value;
  const faults: ClientFault[] = [];
  // Whoever reads it takes an upper-case letter or a usual port for the same.
  if (new URL(id).origin === new URL(issuer).origin)
    faults.push({ path: 'id', field: 'id', code: 'resource-reserved' });
  const taken = new Set([...claimed, ...(await listClaims(db)).map(({ scope }) => scope)]);
  scopes.forEach(({ name }, at) => {
    if (taken.has(name)) faults.push({ path: `scopes.${at}.name`, field: 'scopes', code: 'scope-reserved' });
  });
  return faults.length > 0 ? { faults } : { server: read.value };
}

/** Whether a resource server has a scope of that name. */
export async function isResourceScope(db: Db, scope: string): Promise<boolean> {
  const { count } = await db.query(
    "SELECT 1 FROM resource_servers WHERE metadata->'scopes' @> jsonb_build_array(jsonb_build_object('name', $1::text)) LIMIT 1",
    [scope],
  );
  return count > 0;
}

/** All resource servers by identifier. */
export async function listResourceServers(db: Db): Promise<RegisteredResource[]> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM resource_servers ORDER BY id LIMIT 5000`);
  return rows.map(registered);
}

/** The one with that number. */
export async function resourceServerBy(db: Db, number: string): Promise<RegisteredResource | undefined> {
  if (!isRowNumber(number)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM resource_servers WHERE number = $1`, [number]);
  return rows[0] && registered(rows[0]);
}

/** Those of these identifiers that there are, by identifier; `hold`: as they are until the caller's transaction ends. */
export async function resourceServersNamed(
  db: Db,
  ids: readonly string[],
  hold = false,
): Promise<Map<string, ResourceServer>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM resource_servers
     WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb)) ORDER BY id ${hold ? 'FOR SHARE' : ''}`,
    [JSON.stringify(ids)],
  );
  return new Map(rows.map(({ metadata }) => [metadata.id, metadata]));
}

interface Using {
  resources: readonly AllowedResource[];
  introspects?: string | undefined;
}

/** What an application names that is not there, of resource servers and their scopes. */
function missingFrom(known: ReadonlyMap<string, ResourceServer>, { resources, introspects }: Using) {
  const faults: ClientFault[] = [];
  const refuse = (path: string, code: ClientFault['code']) =>
    faults.push({ path, field: path.split('.')[0] ?? path, code });
  resources.forEach(({ resource, scopes }, at) => {
    const there = known.get(resource)?.scopes.map(({ name }) => name);
    if (!there) return refuse(`resources.${at}.resource`, 'resource-unknown');
    scopes.forEach((scope, place) => {
      if (!there.includes(scope)) refuse(`resources.${at}.scopes.${place}`, 'resource-scope-unknown');
    });
    return undefined;
  });
  if (introspects !== undefined && !known.has(introspects)) refuse('introspects', 'resource-unknown');
  return faults;
}

const namedBy = ({ resources, introspects }: Using): string[] => [
  ...resources.map(({ resource }) => resource),
  ...(introspects === undefined ? [] : [introspects]),
];

/** What is wrong with the resource servers that an application names; `more` come with the same file. */
export async function resourceFaultsOf(
  db: Db,
  client: Using,
  more: readonly ResourceServer[] = [],
): Promise<ClientFault[]> {
  const known = await resourceServersNamed(db, namedBy(client));
  for (const server of more) known.set(server.id, server);
  return missingFrom(known, client);
}

/** The same once more where it is written: what it names stays until the caller's transaction ends, and it with it. */
export const keepResources = async (open: Db, client: Using): Promise<ClientFault[]> =>
  missingFrom(await resourceServersNamed(open, namedBy(client), true), client);

/** Whether an application names a resource server, or a scope of it besides those of `but`. It is the clients' to say. */
export type IsNamed = (open: Db, id: string, but?: readonly string[]) => Promise<boolean>;

const refused = (code: ClientFault['code'], field = ''): { fault: ClientFault } => ({
  fault: { path: field, field, code },
});

const insert = (open: Db, server: ResourceServer, managed: 'file' | 'console') =>
  open.query(
    `INSERT INTO resource_servers (id, number, metadata, managed, created_at, updated_at)
     VALUES ($1, $2, $3::text::jsonb, $4, $5, $5) ON CONFLICT (id) DO NOTHING`,
    [server.id, randomUUID(), JSON.stringify(server), managed, new Date()],
  );

const update = (open: Db, server: ResourceServer, managed: 'file' | 'console') =>
  open.query(
    `UPDATE resource_servers SET metadata = $2::text::jsonb, managed = $3,
       updated_at = greatest($4, updated_at + interval '1 millisecond') WHERE id = $1`,
    [server.id, JSON.stringify(server), managed, new Date()],
  );

async function held(
  open: Db,
  which: 'id' | 'number',
  value: string,
): Promise<RegisteredResource | undefined> {
  const { rows } = await open.query<Row>(
    which === 'id'
      ? `SELECT ${columns} FROM resource_servers WHERE id = $1 FOR UPDATE`
      : `SELECT ${columns} FROM resource_servers WHERE number = $1 FOR UPDATE`,
    [value],
  );
  return rows[0] && registered(rows[0]);
}

const scopeNames = ({ scopes }: ResourceServer) => scopes.map(({ name }) => name);

const noted = async (
  open: Db,
  event: 'resource-server.created' | 'resource-server.changed' | 'resource-server.removed',
  { id, name }: ResourceServer,
  doer: Doer,
  more: Record<string, string>,
) => {
  await audit(open, { event, ...doer, detail: { resource: id, name, ...more } });
  await open.announce(resourceServersTopic);
};

/** Registers a resource server in the console. */
export function createResourceServer(
  db: Db,
  server: ResourceServer,
  doer: Doer,
): Promise<{ fault: ClientFault } | { number: string }> {
  return db.transaction(async (open) => {
    const { count } = await insert(open, server, 'console');
    const made = await held(open, 'id', server.id);
    if (count === 0 || !made) return refused('resource-taken', 'id');
    const changes = inShort(memberDifferences(undefined, server));
    await noted(open, 'resource-server.created', server, doer, { managed: 'console', changes });
    return { number: made.number };
  });
}

/**
 * Changes a resource server in the console, as long as it is still the one that was `seen`. Its identifier stays, and a
 * scope that an application may ask for is taken from that application first. Tokens that were given keep what they say.
 */
export function changeResourceServer(
  db: Db,
  { number, server, seen }: { number: string; server: ResourceServer; seen: Date },
  isNamed: IsNamed,
  doer: Doer,
): Promise<{ fault: ClientFault } | { changes: Difference[] }> {
  return db.transaction(async (open) => {
    const known = await held(open, 'number', number);
    if (!known || known.updatedAt.getTime() !== seen.getTime() || known.server.id !== server.id)
      return refused('resource-changed-meanwhile');
    if (known.managed === 'file') return refused('resource-managed-by-file');
    if (await isNamed(open, server.id, scopeNames(server))) return refused('resource-in-use', 'scopes');
    const changes = memberDifferences(known.server, server);
    if (changes.length === 0) return { changes };
    await update(open, server, 'console');
    const managed = 'console';
    await noted(open, 'resource-server.changed', server, doer, { managed, changes: inShort(changes) });
    return { changes };
  });
}

/** Removes a resource server that no application names, as long as it is the one that was `seen`, whoever looks after it. */
export function removeResourceServer(
  db: Db,
  which: { number: string; seen?: Date | undefined },
  isNamed: IsNamed,
  doer: Doer,
): Promise<{ fault: ClientFault } | undefined> {
  return db.transaction(async (open) => {
    const known = await held(open, 'number', which.number);
    if (!known || (which.seen && known.updatedAt.getTime() !== which.seen.getTime()))
      return refused('resource-changed-meanwhile');
    if (await isNamed(open, known.server.id)) return refused('resource-in-use');
    await open.query('DELETE FROM resource_servers WHERE number = $1', [which.number]);
    await noted(open, 'resource-server.removed', known.server, doer, { managed: known.managed });
    return undefined;
  });
}

/**
 * Makes or changes a resource server as its file says; once more changes nothing. Whether an application still names a
 * scope that goes is asked when the clients of the same file are in (`isNamed`, in resource-files.ts).
 */
export async function describeResourceFromFile(
  open: Db,
  server: ResourceServer,
  adopt: boolean,
  doer: Doer,
): Promise<{ result: 'created' | 'changed' | 'unchanged' | 'not-ours'; changes: Difference[] }> {
  const { count } = await insert(open, server, 'file');
  const known = await held(open, 'id', server.id);
  const changes = memberDifferences(count > 0 ? undefined : known?.server, server);
  const theirs = count === 0 && known?.managed === 'console';
  if (count === 0 && changes.length === 0 && !(adopt && theirs)) return { result: 'unchanged', changes };
  if (theirs && !adopt) return { result: 'not-ours', changes };
  if (count === 0) await update(open, server, 'file');
  const event = count > 0 ? 'resource-server.created' : 'resource-server.changed';
  await noted(open, event, server, doer, { managed: 'file', changes: inShort(changes) });
  return { result: count > 0 ? 'created' : 'changed', changes };
}
