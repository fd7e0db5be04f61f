// Longer than usual: a table has one owner.
import type { AdapterPayload } from 'oidc-provider';
import type { AuditActor, Group } from '../users/groups.ts';
import { findGroup, lockGroups } from '../users/groups.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Topic } from '../db/notifications.ts';
import type { DelegationLimit } from './resource-servers/api-scopes.ts';
import { exceedsDelegationLimit } from './resource-servers/api-scopes.ts';
import { assertionDefaults, keptAlg } from './assertion-rules.ts';
import type { ClientFault } from './connectivity-check.ts';
import { parseClient, loopbackFaults } from './connectivity-check.ts';
import type { ClientDescription, ClientFieldName } from './schema.ts';
import { clientIdPattern } from './schema.ts';
import type { FieldChange } from './diff.ts';
import { diffClients, summarizeChanges } from './diff.ts';
import { toClientMetadata } from './metadata.ts';
import { lockScopes, findScopeFaults } from './scopes.ts';
import { revokeClientAccess, revokeAllGrantsOfClient, endPendingAndGrants } from '../sessions/records.ts';
import type { ResourceServer } from './resource-servers/schema.ts';
import { lockReferencedResources, findResourceFaults } from './resource-servers/resource-servers.ts';

/** What is announced when clients have changed. */
export const clientsTopic: Topic = { name: 'clients', everywhere: true };

/** What is announced when a client was disabled whose grants and sessions are to be ended (revocation.ts). */
export const revocationTopic: Topic = { name: 'client revocation', everywhere: false };

/** Who looks after a client's description: a file that is applied, or the console. */
export type ManagedBy = 'file' | 'console';

interface Row {
  id: string;
  metadata: ClientDescription;
  managed: ManagedBy;
  created_at: Date;
  updated_at: Date;
  disabled_at: Date | null;
  registered_with: string | null;
}

/** An application with what is known of it besides its description; never a secret. */
export interface RegisteredClient {
  client: ClientDescription;
  managed: ManagedBy;
  /** The name of the initial access token with which it registered itself (see registration.ts). */
  registeredWith: string | undefined;
  enabled: boolean;
  createdAt: Date;
  /** Changes with every edit: whoever edits says which state it was that they saw. */
  updatedAt: Date;
}

const columns = 'id, metadata, managed, created_at, updated_at, disabled_at, registered_with';

/** Rows of an older version lack the newer fields, which then say what they said before. */
function fillMissingFields(stored: ClientDescription): ClientDescription {
  const authMethod =
    stored.authMethod ??
    (stored.jwks ? 'private_key_jwt' : ['web', 'service'].includes(stored.type) ? 'secret' : 'none');
  return { ...withDefaults(stored), authMethod, ...assertionDefaults({ ...stored, authMethod }) };
}

const withDefaults = (stored: ClientDescription): ClientDescription => ({
  ...stored,
  corsOrigins: stored.corsOrigins ?? [],
  allowedIntents: stored.allowedIntents ?? [],
  lifetimes: stored.lifetimes ?? {},
  signingAlg: stored.signingAlg ?? 'RS256',
  allowedGroups: stored.allowedGroups ?? [],
  parRequired: stored.parRequired ?? false,
  pkceOptional: stored.pkceOptional ?? false,
  dpopRequired: stored.dpopRequired ?? false,
  deviceFlow: stored.deviceFlow ?? false,
  subjectType: stored.subjectType ?? 'public',
  apiScopes: stored.apiScopes ?? [],
  resources: stored.resources ?? [],
  consent: stored.consent ?? (stored.firstParty ? 'none' : 'remembered'),
});

const toRegisteredClient = (row: Row): RegisteredClient => ({
  client: fillMissingFields(row.metadata),
  managed: row.managed,
  registeredWith: row.registered_with ?? undefined,
  enabled: row.disabled_at === null,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** The client as the protocol sees it; undefined where there is none or it is switched off. */
export async function findClientMetadata(db: Db, id: string): Promise<AdapterPayload | undefined> {
  if (!clientIdPattern.test(id)) return undefined;
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM clients WHERE id = $1 AND disabled_at IS NULL`,
    [id],
  );
  const [row] = rows;
  return (
    row && {
      ...toClientMetadata(fillMissingFields(row.metadata), row.updated_at),
      'urn:hemma:registered-itself': row.registered_with !== null,
    }
  );
}

/** The client with that identifier, also one that is switched off. */
export async function findClientById(db: Db, id: string): Promise<RegisteredClient | undefined> {
  if (!clientIdPattern.test(id)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM clients WHERE id = $1`, [id]);
  return rows[0] && toRegisteredClient(rows[0]);
}

/** The same, held until the caller's transaction ends: what is decided about it stays true that long. */
export async function lockClient(tx: Db, id: string): Promise<RegisteredClient | undefined> {
  if (!clientIdPattern.test(id)) return undefined;
  const { rows } = await tx.query<Row>(`SELECT ${columns} FROM clients WHERE id = $1 FOR UPDATE`, [id]);
  return rows[0] && toRegisteredClient(rows[0]);
}

/** All clients by identifier. */
export async function listClients(db: Db): Promise<RegisteredClient[]> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM clients ORDER BY id LIMIT 5000`);
  return rows.map(toRegisteredClient);
}

/** The group with that number or name. */
const findGroupByIdOrName = async (db: Db, idOrName: string): Promise<Group | undefined> =>
  (await findGroup(db, { id: idOrName })) ?? (await findGroup(db, { name: idOrName }));

/** Groups may be named by their name or their number; what is stored is the number. */
async function resolveGroupIds(
  db: Db,
  client: ClientDescription,
): Promise<{ client: ClientDescription } | { faults: ClientFault[] }> {
  const faults: ClientFault[] = [];
  const ids = new Set<string>();
  for (const [at, group] of client.allowedGroups.entries()) {
    const found = await findGroupByIdOrName(db, group);
    if (found) ids.add(found.id);
    else faults.push({ path: `allowedGroups.${at}`, field: 'allowedGroups', code: 'group-unknown' });
  }
  const { apiGroup } = client;
  const limit = apiGroup === undefined ? undefined : await findGroupByIdOrName(db, apiGroup);
  if (apiGroup !== undefined && !limit)
    faults.push({ path: 'apiGroup', field: 'apiGroup', code: 'group-unknown' });
  if (faults.length > 0) return { faults };
  return {
    client: { ...client, allowedGroups: [...ids].toSorted(), ...(limit ? { apiGroup: limit.id } : {}) },
  };
}

/** What will be there by the time that a client is: scopes of the house's own claims, and resource servers. */
export interface PendingDefinitions {
  scopes?: readonly string[];
  servers?: readonly ResourceServer[];
}

/** Where clients are registered. Addresses of this machine are refused unless `loopback` allows them. */
export interface RegistrationRules extends PendingDefinitions {
  loopback?: boolean;
}

/**
 * What was given, with the signatures that the client has already where nothing is said of them: they are built into the
 * client, so neither a default that changed with our version nor a file that is applied at every delivery changes them.
 */
async function keepSigningAlg(db: Db, given: unknown): Promise<unknown> {
  if (typeof given !== 'object' || given === null || !('id' in given) || typeof given.id !== 'string')
    return given;
  const said: Partial<Record<ClientFieldName, unknown>> = given;
  if (said.signingAlg !== undefined && said.assertionSigningAlg !== undefined) return given;
  const known = (await findClientById(db, given.id))?.client;
  if (!known) return given;
  const alg = said.assertionSigningAlg ?? keptAlg(known, said);
  return {
    ...given,
    signingAlg: said.signingAlg ?? known.signingAlg,
    ...(alg === undefined ? {} : { assertionSigningAlg: alg }),
  };
}

/**
 * A description as somebody gave it, judged with its scopes, groups and resource servers: what console, command line and
 * programs may register.
 */
export async function validateClient(
  db: Db,
  given: unknown,
  { loopback = false, ...pending }: RegistrationRules = {},
): Promise<{ client: ClientDescription } | { faults: ClientFault[] }> {
  const checked = parseClient(await keepSigningAlg(db, given));
  const read = 'client' in checked ? await resolveGroupIds(db, checked.client) : checked;
  const faults = [
    ...('faults' in read ? read.faults : []),
    ...(await findScopeFaults(db, given, pending.scopes ?? [])),
    ...('client' in checked && !loopback ? loopbackFaults(checked.client) : []),
    ...('client' in checked ? await findResourceFaults(db, checked.client, pending.servers ?? []) : []),
  ];
  return faults.length > 0 || 'faults' in read ? { faults } : read;
}

/** Who changes applications: a program gives none of them more than it has itself. */
export interface ClientActor extends AuditActor {
  reach?: DelegationLimit | undefined;
}

/** The groups that an application names, by their numbers. */
const collectGroupIds = ({ allowedGroups, apiGroup }: ClientDescription): string[] =>
  apiGroup === undefined ? allowedGroups : [...allowedGroups, apiGroup];

/** Whether an application names a group: as one whose people may use it, or as the limit of what it may do itself. */
export async function isGroupReferenced(tx: Db, group: string): Promise<boolean> {
  const { count } = await tx.query(
    `SELECT 1 FROM clients WHERE metadata->'allowedGroups' ? $1 OR metadata->>'apiGroup' = $1 LIMIT 1`,
    [group],
  );
  return count > 0;
}

/** Whether an application names a resource server, or a scope of it besides those of `but`. */
export async function isResourceReferenced(
  tx: Db,
  id: string,
  exceptScopes?: readonly string[],
): Promise<boolean> {
  const { count } = await tx.query(
    `SELECT 1 FROM clients WHERE ($2::text IS NULL AND metadata->>'introspects' = $1)
       OR EXISTS (SELECT 1 FROM jsonb_array_elements(coalesce(metadata->'resources', '[]')) AS used
         WHERE used->>'resource' = $1 AND ($2::text IS NULL OR EXISTS (
           SELECT 1 FROM jsonb_array_elements_text(used->'scopes') AS scope WHERE NOT $2::text::jsonb ? scope))) LIMIT 1`,
    [id, exceptScopes ? JSON.stringify(exceptScopes) : null],
  );
  return count > 0;
}

/** Whether an application is registered for a scope. */
export async function isScopeReferenced(tx: Db, scope: string): Promise<boolean> {
  const { count } = await tx.query("SELECT 1 FROM clients WHERE metadata->'scopes' ? $1 LIMIT 1", [scope]);
  return count > 0;
}

/** The applications that ask nobody. */
export async function listClientsWithoutConsent(tx: Db): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    "SELECT id FROM clients WHERE coalesce(metadata->>'consent' = 'none', first_party)",
  );
  return rows.map(({ id }) => id);
}

export interface ApplyResult {
  result: 'created' | 'changed' | 'unchanged' | 'not-ours' | 'beyond-reach';
  changes: FieldChange[];
}

const insertClient = (tx: Db, client: ClientDescription, managed: ManagedBy, registeredWith?: string) =>
  tx.query(
    `INSERT INTO clients (id, metadata, first_party, managed, created_at, updated_at, registered_with)
     VALUES ($1, $2::text::jsonb, $3, $4, $5, $5, $6) ON CONFLICT (id) DO NOTHING`,
    [client.id, JSON.stringify(client), client.firstParty, managed, new Date(), registeredWith ?? null],
  );

async function updateClient(
  tx: Db,
  known: RegisteredClient | undefined,
  client: ClientDescription,
  managed: ManagedBy,
): Promise<void> {
  await tx.query(
    `UPDATE clients SET metadata = $2::text::jsonb, first_party = $3, managed = $4,
       updated_at = greatest($5, updated_at + interval '1 millisecond') WHERE id = $1`,
    [client.id, JSON.stringify(client), client.firstParty, managed, new Date()],
  );
  // What was given while nobody was asked is nobody's yes: now everybody is.
  if (known?.client.consent === 'none' && client.consent !== 'none')
    await revokeAllGrantsOfClient(tx, client.id);
  await tx.announce(clientsTopic);
}

const auditClientChange = (
  tx: Db,
  client: ClientDescription,
  result: string,
  managed: ManagedBy,
  changes: FieldChange[],
  doer: AuditActor,
) =>
  recordAuditEvent(tx, {
    event: 'client.applied',
    clientId: client.id,
    ...doer,
    detail: { result, managed, changes: summarizeChanges(changes) },
  });

/**
 * Makes or changes a client as its file says; once more changes nothing. One that the console looks after is `not-ours`
 * unless it is the same already or the file is told to `adopt` it. Its groups must be numbers by now (`validateClient`).
 */
export function applyClientFromFile(
  db: Db,
  client: ClientDescription,
  { adopt = false, reach, ...doer }: ClientActor & { adopt?: boolean } = {},
): Promise<ApplyResult> {
  return transactionWithRetry(db, async (tx) => {
    if (!(await lockScopes(tx, client.scopes)))
      throw new Error('a scope was removed meanwhile: apply the file once more');
    if (!(await lockGroups(tx, collectGroupIds(client))))
      throw new Error('a group was removed meanwhile: apply the file once more');
    if ((await lockReferencedResources(tx, client)).length > 0)
      throw new Error('a resource server was changed meanwhile: apply the file once more');
    const { count } = await insertClient(tx, client, 'file');
    const known = await lockClient(tx, client.id);
    const changes = diffClients(count > 0 ? undefined : known?.client, client);
    if (count === 0 && changes.length === 0 && !(adopt && known?.managed === 'console'))
      return { result: 'unchanged', changes };
    if (count === 0 && known?.managed === 'console' && !adopt) return { result: 'not-ours', changes };
    if (exceedsDelegationLimit(reach, client, known?.client)) return { result: 'beyond-reach', changes };
    const result = count > 0 ? 'created' : 'changed';
    if (count === 0) await updateClient(tx, known, client, 'file');
    await auditClientChange(tx, client, result, 'file', changes, doer);
    return { result, changes };
  });
}

/** Makes or changes a client as described, whoever looks after it. Answers what happened. */
export const applyClient = async (db: Db, client: ClientDescription): Promise<ApplyResult['result']> =>
  (await applyClientFromFile(db, client, { adopt: true })).result;

const createFault = (code: ClientFault['code'], field = ''): { fault: ClientFault } => ({
  fault: { path: field, field, code },
});

/** Makes a client in the console, or as it described itself: `registeredWith` names the token that let it. */
export function createClient(
  db: Db,
  client: ClientDescription,
  { reach, registeredWith, ...doer }: ClientActor & { registeredWith?: string },
): Promise<{ fault: ClientFault } | undefined> {
  if (exceedsDelegationLimit(reach, client)) return Promise.resolve(createFault('beyond-reach', 'apiScopes'));
  return db.transaction(async (tx) => {
    if (!(await lockScopes(tx, client.scopes))) return createFault('not-a-choice', 'scopes');
    if (!(await lockGroups(tx, collectGroupIds(client))))
      return createFault('group-unknown', 'allowedGroups');
    const [gone] = await lockReferencedResources(tx, client);
    if (gone) return { fault: gone };
    const { count } = await insertClient(tx, client, 'console', registeredWith);
    if (count === 0) return createFault('id-taken', 'id');
    const changes = diffClients(undefined, client);
    if (registeredWith === undefined)
      await auditClientChange(tx, client, 'created', 'console', changes, doer);
    else {
      const detail = { token: registeredWith, changes: summarizeChanges(changes) };
      await recordAuditEvent(tx, { event: 'client.registered', clientId: client.id, ...doer, detail });
    }
    return undefined;
  });
}

/**
 * Changes a client in the console, as long as it is still the one that was `seen` (its `updatedAt`): of two who edit at
 * once the second one is told. What a file looks after is changed there.
 */
export function changeClient(
  db: Db,
  client: ClientDescription,
  expectedUpdatedAt: Date,
  { reach, ...doer }: ClientActor,
): Promise<{ fault: ClientFault } | { changes: FieldChange[] }> {
  return transactionWithRetry(db, async (tx) => {
    if (!(await lockScopes(tx, client.scopes))) return createFault('not-a-choice', 'scopes');
    if (!(await lockGroups(tx, collectGroupIds(client))))
      return createFault('group-unknown', 'allowedGroups');
    const [gone] = await lockReferencedResources(tx, client);
    if (gone) return { fault: gone };
    const known = await lockClient(tx, client.id);
    if (!known || known.updatedAt.getTime() !== expectedUpdatedAt.getTime())
      return createFault('changed-meanwhile');
    if (known.managed === 'file') return createFault('managed-by-file');
    if (exceedsDelegationLimit(reach, known.client, client)) return createFault('beyond-reach', 'apiScopes');
    const changes = diffClients(known.client, client);
    if (changes.length === 0) return { changes };
    await updateClient(tx, known, client, 'console');
    await auditClientChange(tx, client, 'changed', 'console', changes, doer);
    return { changes };
  });
}

/**
 * Disables or enables a client, also one that is managed from a file. A disabled client's tokens and secrets are refused
 * from the next request on, however many there are; a background job ends them. Enabling ends what is left, and what
 * requests under way may have written since, so nothing from before comes back. Answers whether that was a change. Both
 * need the same rights: a program changes no client that may do more than it may itself.
 */
export function setClientEnabled(
  db: Db,
  id: string,
  enabled: boolean,
  { reach, ...doer }: ClientActor,
): Promise<boolean | 'beyond-reach'> {
  const change = async (tx: Db) => {
    const held = await lockClient(tx, id);
    if (!held || held.enabled === enabled) return false;
    if (exceedsDelegationLimit(reach, held.client)) return 'beyond-reach';
    if (enabled) {
      await endPendingAndGrants(tx, id);
      // What requests wrote into sessions after the job had ended is worth nothing without its grant.
      if (await isBeingRevoked(tx, id)) await revokeClientAccess(tx, id);
    }
    await tx.query('UPDATE clients SET disabled_at = $2, revoking_since = $2 WHERE id = $1', [
      id,
      enabled ? null : new Date(),
    ]);
    if (!enabled) await tx.announce(revocationTopic);
    await recordAuditEvent(tx, {
      event: enabled ? 'client.enabled' : 'client.disabled',
      clientId: id,
      ...doer,
    });
    await tx.announce(clientsTopic);
    return true;
  };
  // Enabling right after disabling ends all of it here.
  return transactionWithRetry(db, change, { unhurried: enabled });
}

async function isBeingRevoked(open: Db, id: string): Promise<boolean> {
  const { count } = await open.query('SELECT 1 FROM clients WHERE id = $1 AND revoking_since IS NOT NULL', [
    id,
  ]);
  return count > 0;
}

/** A disabled client whose grants and sessions are still to be ended, and which time of disabling that is for. */
export interface Revocation {
  id: string;
  since: Date;
}

/** The disabled clients whose grants and sessions are still to be ended, the one that waits longest first. */
export async function clientsToRevoke(db: Db): Promise<Revocation[]> {
  const { rows } = await db.query<{ id: string; revoking_since: Date }>(
    'SELECT id, revoking_since FROM clients WHERE revoking_since IS NOT NULL ORDER BY revoking_since, id',
  );
  return rows.map(({ id, revoking_since: since }) => ({ id, since }));
}

/**
 * Whether a client is still to be ended and no other process is at it, until the caller's transaction ends. A client that
 * was enabled and disabled again is to be ended from the beginning: what it got in between may be where this one has been.
 */
export async function holdForRevocation(open: Db, { id, since }: Revocation): Promise<boolean> {
  const { count } = await open.query(
    'SELECT 1 FROM clients WHERE id = $1 AND revoking_since = $2 FOR UPDATE SKIP LOCKED',
    [id, since],
  );
  return count > 0;
}

/** Notes that everything of a client has ended, unless it was enabled and disabled again since. */
export async function noteRevoked(open: Db, { id, since }: Revocation): Promise<void> {
  await open.query('UPDATE clients SET revoking_since = NULL WHERE id = $1 AND revoking_since = $2', [
    id,
    since,
  ]);
}

/** Removes a client's row, in the transaction that ends everything of it (see access.ts). */
export async function deleteClientRow(tx: Db, id: string): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM clients WHERE id = $1', [id]);
  await tx.announce(clientsTopic);
  return count > 0;
}
