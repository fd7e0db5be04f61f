import { randomUUID } from 'node:crypto';
import { listClaims } from '../../users/claim-definitions.ts';
import type { AuditActor } from '../../users/groups.ts';
import { recordAuditEvent } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { isUuid } from '../../db/database.ts';
import type { Topic } from '../../db/notifications.ts';
import type { ClientFault } from '../connectivity-check.ts';
import { parseWithFaults } from '../connectivity-check.ts';
import type { FieldChange } from '../diff.ts';
import { summarizeChanges, diffFields } from '../diff.ts';
import type { AllowedResource } from '../resources.ts';
import type { ResourceServer } from './schema.ts';
import { resourceServerSchema } from './schema.ts';

/** What is announced when resource servers have changed. */
export const resourceServersTopic: Topic = { name: 'resource servers', everywhere: true };

/** A resource server with what is known of it besides its description. */
export interface RegisteredResourceServer {
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

const toRegisteredServer = (row: Row): RegisteredResourceServer => ({
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
export async function validateResourceServer(
  { db, issuer, claimed = [] }: { db: Db; issuer: string; claimed?: readonly string[] },
  given: unknown,
): Promise<{ server: ResourceServer } | { faults: ClientFault[] }> {
  const read = parseWithFaults(resourceServerSchema, given);
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
export async function listResourceServers(db: Db): Promise<RegisteredResourceServer[]> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM resource_servers ORDER BY id LIMIT 5000`);
  return rows.map(toRegisteredServer);
}

/** The one with that number. */
export async function findResourceServer(
  db: Db,
  number: string,
): Promise<RegisteredResourceServer | undefined> {
  if (!isUuid(number)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM resource_servers WHERE number = $1`, [number]);
  return rows[0] && toRegisteredServer(rows[0]);
}

/** Those of these identifiers that there are, by identifier; `hold`: as they are until the caller's transaction ends. */
export async function findResourceServersById(
  db: Db,
  ids: readonly string[],
  lock = false,
): Promise<Map<string, ResourceServer>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM resource_servers
     WHERE id IN (SELECT jsonb_array_elements_text($1::text::jsonb)) ORDER BY id ${lock ? 'FOR SHARE' : ''}`,
    [JSON.stringify(ids)],
  );
  return new Map(rows.map(({ metadata }) => [metadata.id, metadata]));
}

interface ResourceReferences {
  resources: readonly AllowedResource[];
  introspects?: string | undefined;
}

/** What an application names that is not there, of resource servers and their scopes. */
function findMissingResources(
  known: ReadonlyMap<string, ResourceServer>,
  { resources, introspects }: ResourceReferences,
) {
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

const getReferencedResources = ({ resources, introspects }: ResourceReferences): string[] => [
  ...resources.map(({ resource }) => resource),
  ...(introspects === undefined ? [] : [introspects]),
];

/** What is wrong with the resource servers that an application names; `more` come with the same file. */
export async function findResourceFaults(
  db: Db,
  client: ResourceReferences,
  pendingServers: readonly ResourceServer[] = [],
): Promise<ClientFault[]> {
  const known = await findResourceServersById(db, getReferencedResources(client));
  for (const server of pendingServers) known.set(server.id, server);
  return findMissingResources(known, client);
}

/** The same once more where it is written: what it names stays until the caller's transaction ends, and it with it. */
export const lockReferencedResources = async (tx: Db, client: ResourceReferences): Promise<ClientFault[]> =>
  findMissingResources(await findResourceServersById(tx, getReferencedResources(client), true), client);

/** Whether an application names a resource server, or a scope of it besides those of `but`. It is the clients' to say. */
export type ResourceReferenceCheck = (tx: Db, id: string, but?: readonly string[]) => Promise<boolean>;

const createFault = (code: ClientFault['code'], field = ''): { fault: ClientFault } => ({
  fault: { path: field, field, code },
});

const insertResourceServer = (tx: Db, server: ResourceServer, managed: 'file' | 'console') =>
  tx.query(
    `INSERT INTO resource_servers (id, number, metadata, managed, created_at, updated_at)
     VALUES ($1, $2, $3::text::jsonb, $4, $5, $5) ON CONFLICT (id) DO NOTHING`,
    [server.id, randomUUID(), JSON.stringify(server), managed, new Date()],
  );

const updateResourceServer = (tx: Db, server: ResourceServer, managed: 'file' | 'console') =>
  tx.query(
    `UPDATE resource_servers SET metadata = $2::text::jsonb, managed = $3,
       updated_at = greatest($4, updated_at + interval '1 millisecond') WHERE id = $1`,
    [server.id, JSON.stringify(server), managed, new Date()],
  );

async function lockResourceServer(
  tx: Db,
  which: 'id' | 'number',
  value: string,
): Promise<RegisteredResourceServer | undefined> {
  const { rows } = await tx.query<Row>(
    which === 'id'
      ? `SELECT ${columns} FROM resource_servers WHERE id = $1 FOR UPDATE`
      : `SELECT ${columns} FROM resource_servers WHERE number = $1 FOR UPDATE`,
    [value],
  );
  return rows[0] && toRegisteredServer(rows[0]);
}

const getScopeNames = ({ scopes }: ResourceServer) => scopes.map(({ name }) => name);

const auditResourceServerChange = async (
  tx: Db,
  event: 'resource-server.created' | 'resource-server.changed' | 'resource-server.removed',
  { id, name }: ResourceServer,
  doer: AuditActor,
  more: Record<string, string>,
) => {
  await recordAuditEvent(tx, { event, ...doer, detail: { resource: id, name, ...more } });
  await tx.announce(resourceServersTopic);
};

/** Registers a resource server in the console. */
export function createResourceServer(
  db: Db,
  server: ResourceServer,
  doer: AuditActor,
): Promise<{ fault: ClientFault } | { number: string }> {
  return db.transaction(async (tx) => {
    const { count } = await insertResourceServer(tx, server, 'console');
    const made = await lockResourceServer(tx, 'id', server.id);
    if (count === 0 || !made) return createFault('resource-taken', 'id');
    const changes = summarizeChanges(diffFields(undefined, server));
    await auditResourceServerChange(tx, 'resource-server.created', server, doer, {
      managed: 'console',
      changes,
    });
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
  isReferenced: ResourceReferenceCheck,
  doer: AuditActor,
): Promise<{ fault: ClientFault } | { changes: FieldChange[] }> {
  return db.transaction(async (tx) => {
    const known = await lockResourceServer(tx, 'number', number);
    if (!known || known.updatedAt.getTime() !== seen.getTime() || known.server.id !== server.id)
      return createFault('resource-changed-meanwhile');
    if (known.managed === 'file') return createFault('resource-managed-by-file');
    if (await isReferenced(tx, server.id, getScopeNames(server)))
      return createFault('resource-in-use', 'scopes');
    const changes = diffFields(known.server, server);
    if (changes.length === 0) return { changes };
    await updateResourceServer(tx, server, 'console');
    const managed = 'console';
    await auditResourceServerChange(tx, 'resource-server.changed', server, doer, {
      managed,
      changes: summarizeChanges(changes),
    });
    return { changes };
  });
}

/** Removes a resource server that no application names, as long as it is the one that was `seen`, whoever looks after it. */
export function removeResourceServer(
  db: Db,
  which: { number: string; seen?: Date | undefined },
  isReferenced: ResourceReferenceCheck,
  doer: AuditActor,
): Promise<{ fault: ClientFault } | undefined> {
  return db.transaction(async (tx) => {
    const known = await lockResourceServer(tx, 'number', which.number);
    if (!known || (which.seen && known.updatedAt.getTime() !== which.seen.getTime()))
      return createFault('resource-changed-meanwhile');
    if (await isReferenced(tx, known.server.id)) return createFault('resource-in-use');
    await tx.query('DELETE FROM resource_servers WHERE number = $1', [which.number]);
    await auditResourceServerChange(tx, 'resource-server.removed', known.server, doer, {
      managed: known.managed,
    });
    return undefined;
  });
}

/**
 * Makes or changes a resource server as its file says; once more changes nothing. Whether an application still names a
 * scope that goes is asked when the clients of the same file are in (`isNamed`, in config-as-code/resource-servers.ts).
 */
export async function applyResourceServerFromFile(
  tx: Db,
  server: ResourceServer,
  adopt: boolean,
  doer: AuditActor,
): Promise<{ result: 'created' | 'changed' | 'unchanged' | 'not-ours'; changes: FieldChange[] }> {
  const { count } = await insertResourceServer(tx, server, 'file');
  const known = await lockResourceServer(tx, 'id', server.id);
  const changes = diffFields(count > 0 ? undefined : known?.server, server);
  const theirs = count === 0 && known?.managed === 'console';
  if (count === 0 && changes.length === 0 && !(adopt && theirs)) return { result: 'unchanged', changes };
  if (theirs && !adopt) return { result: 'not-ours', changes };
  if (count === 0) await updateResourceServer(tx, server, 'file');
  const event = count > 0 ? 'resource-server.created' : 'resource-server.changed';
  await auditResourceServerChange(tx, event, server, doer, {
    managed: 'file',
    changes: summarizeChanges(changes),
  });
  return { result: count > 0 ? 'created' : 'changed', changes };
}
