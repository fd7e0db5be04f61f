// Longer than usual: a table has one owner.
import type { AdapterPayload } from 'oidc-provider';
import type { Doer, Group } from '../users/groups.ts';
import { groupBy, keepGroups } from '../users/groups.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Topic } from '../db/notifications.ts';
import type { Reach } from './resource-servers/api-scopes.ts';
import { beyondReach } from './resource-servers/api-scopes.ts';
import { assertionDefaults, keptAlg } from './assertion-rules.ts';
import type { ClientFault } from './connectivity-check.ts';
import { checkClient, loopbackFaults } from './connectivity-check.ts';
import type { ClientDescription, FieldName } from './schema.ts';
import { identifier } from './schema.ts';
import type { Difference } from './diff.ts';
import { differences, inShort } from './diff.ts';
import { protocolMetadata } from './metadata.ts';
import { keepScopes, scopeFaults } from './scopes.ts';
import { endClient, endGrantsOf, endPendingAndGrants } from '../sessions/records.ts';
import type { ResourceServer } from './resource-servers/schema.ts';
import { keepResources, resourceFaultsOf } from './resource-servers/resource-servers.ts';

/** What is announced when clients have changed. */
export const clientsTopic: Topic = { name: 'clients', everywhere: true };

/** What is announced when a client was disabled whose grants and sessions are to be ended (client-revocation.ts). */
export const revocationTopic: Topic = { name: 'client revocation', everywhere: false };

/** Who looks after a client's description: a file that is applied, or the console. */
export type Managed = 'file' | 'console';

interface Row {
  id: string;
  metadata: ClientDescription;
  managed: Managed;
  created_at: Date;
  updated_at: Date;
  disabled_at: Date | null;
  registered_with: string | null;
}

/** An application with what is known of it besides its description; never a secret. */
export interface RegisteredClient {
  client: ClientDescription;
  managed: Managed;
  /** The name of the initial access token with which it registered itself (see registration.ts). */
  registeredWith: string | undefined;
  enabled: boolean;
  createdAt: Date;
  /** Changes with every edit: whoever edits says which state it was that they saw. */
  updatedAt: Date;
}

const columns = 'id, metadata, managed, created_at, updated_at, disabled_at, registered_with';

/** Rows of an older version lack the newer fields, which then say what they said before. */
function complete(stored: ClientDescription): ClientDescription {
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

const registered = (row: Row): RegisteredClient => ({
  client: complete(row.metadata),
  managed: row.managed,
  registeredWith: row.registered_with ?? undefined,
  enabled: row.disabled_at === null,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** The client as the protocol sees it; undefined where there is none or it is switched off. */
export async function clientMetadata(db: Db, id: string): Promise<AdapterPayload | undefined> {
  if (!identifier.test(id)) return undefined;
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM clients WHERE id = $1 AND disabled_at IS NULL`,
    [id],
  );
  const [row] = rows;
  return (
    row && {
      ...protocolMetadata(complete(row.metadata), row.updated_at),
      'urn:hemma:registered-itself': row.registered_with !== null,
    }
  );
}

/** The client with that identifier, also one that is switched off. */
export async function clientById(db: Db, id: string): Promise<RegisteredClient | undefined> {
  if (!identifier.test(id)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM clients WHERE id = $1`, [id]);
  return rows[0] && registered(rows[0]);
}

/** The same, held until the caller's transaction ends: what is decided about it stays true that long. */
export async function heldClient(open: Db, id: string): Promise<RegisteredClient | undefined> {
  if (!identifier.test(id)) return undefined;
  const { rows } = await open.query<Row>(`SELECT ${columns} FROM clients WHERE id = $1 FOR UPDATE`, [id]);
  return rows[0] && registered(rows[0]);
}

/** All clients by identifier. */
export async function listClients(db: Db): Promise<RegisteredClient[]> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM clients ORDER BY id LIMIT 5000`);
  return rows.map(registered);
}

/** The group with that number or name. */
const groupSaid = async (db: Db, said: string): Promise<Group | undefined> =>
  (await groupBy(db, { id: said })) ?? (await groupBy(db, { name: said }));

/** Groups may be named by their name or their number; what is stored is the number. */
async function withGroups(
  db: Db,
  client: ClientDescription,
): Promise<{ client: ClientDescription } | { faults: ClientFault[] }> {
  const faults: ClientFault[] = [];
  const ids = new Set<string>();
  for (const [at, group] of client.allowedGroups.entries()) {
    const found = await groupSaid(db, group);
    if (found) ids.add(found.id);
    else faults.push({ path: `allowedGroups.${at}`, field: 'allowedGroups', code: 'group-unknown' });
  }
  const { apiGroup } = client;
  const limit = apiGroup === undefined ? undefined : await groupSaid(db, apiGroup);
  if (apiGroup !== undefined && !limit)
    faults.push({ path: 'apiGroup', field: 'apiGroup', code: 'group-unknown' });
  if (faults.length > 0) return { faults };
  return {
    client: { ...client, allowedGroups: [...ids].toSorted(), ...(limit ? { apiGroup: limit.id } : {}) },
  };
}

/** What will be there by the time that a client is: scopes of the house's own claims, and resource servers. */
export interface Coming {
  scopes?: readonly string[];
  servers?: readonly ResourceServer[];
}

/** Where clients are registered. Addresses of this machine are refused unless `loopback` allows them. */
export interface RegistrationRules extends Coming {
  loopback?: boolean;
}

/**
 * What was given, with the signatures that the client has already where nothing is said of them: they are built into the
 * client, so neither a default that changed with our version nor a file that is applied at every delivery changes them.
 */
async function asItSigns(db: Db, given: unknown): Promise<unknown> {
  if (typeof given !== 'object' || given === null || !('id' in given) || typeof given.id !== 'string')
    return given;
  const said: Partial<Record<FieldName, unknown>> = given;
  if (said.signingAlg !== undefined && said.assertionSigningAlg !== undefined) return given;
  const known = (await clientById(db, given.id))?.client;
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
export async function readClient(
  db: Db,
  given: unknown,
  { loopback = false, ...coming }: RegistrationRules = {},
): Promise<{ client: ClientDescription } | { faults: ClientFault[] }> {
  const checked = checkClient(await asItSigns(db, given));
  const read = 'client' in checked ? await withGroups(db, checked.client) : checked;
  const faults = [
    ...('faults' in read ? read.faults : []),
    ...(await scopeFaults(db, given, coming.scopes ?? [])),
    ...('client' in checked && !loopback ? loopbackFaults(checked.client) : []),
    ...('client' in checked ? await resourceFaultsOf(db, checked.client, coming.servers ?? []) : []),
  ];
  return faults.length > 0 || 'faults' in read ? { faults } : read;
}

/** Who changes applications: a program gives none of them more than it has itself. */
export interface ClientDoer extends Doer {
  reach?: Reach | undefined;
}

/** The groups that an application names, by their numbers. */
const groupsNamed = ({ allowedGroups, apiGroup }: ClientDescription): string[] =>
  apiGroup === undefined ? allowedGroups : [...allowedGroups, apiGroup];

/** Whether an application names a group: as one whose people may use it, or as the limit of what it may do itself. */
export async function namesGroup(open: Db, group: string): Promise<boolean> {
  const { count } = await open.query(
    `SELECT 1 FROM clients WHERE metadata->'allowedGroups' ? $1 OR metadata->>'apiGroup' = $1 LIMIT 1`,
    [group],
  );
  return count > 0;
}

/** Whether an application names a resource server, or a scope of it besides those of `but`. */
export async function namesResource(open: Db, id: string, but?: readonly string[]): Promise<boolean> {
  const { count } = await open.query(
    `SELECT 1 FROM clients WHERE ($2::text IS NULL AND metadata->>'introspects' = $1)
       OR EXISTS (SELECT 1 FROM jsonb_array_elements(coalesce(metadata->'resources', '[]')) AS used
         WHERE used->>'resource' = $1 AND ($2::text IS NULL OR EXISTS (
           SELECT 1 FROM jsonb_array_elements_text(used->'scopes') AS scope WHERE NOT $2::text::jsonb ? scope))) LIMIT 1`,
    [id, but ? JSON.stringify(but) : null],
  );
  return count > 0;
}

/** Whether an application is registered for a scope. */
export async function namesScope(open: Db, scope: string): Promise<boolean> {
  const { count } = await open.query("SELECT 1 FROM clients WHERE metadata->'scopes' ? $1 LIMIT 1", [scope]);
  return count > 0;
}

/** The applications that ask nobody. */
export async function silentClients(open: Db): Promise<string[]> {
  const { rows } = await open.query<{ id: string }>(
    "SELECT id FROM clients WHERE coalesce(metadata->>'consent' = 'none', first_party)",
  );
  return rows.map(({ id }) => id);
}

export interface Applied {
  result: 'created' | 'changed' | 'unchanged' | 'not-ours' | 'beyond-reach';
  changes: Difference[];
}

const insert = (open: Db, client: ClientDescription, managed: Managed, registeredWith?: string) =>
  open.query(
    `INSERT INTO clients (id, metadata, first_party, managed, created_at, updated_at, registered_with)
     VALUES ($1, $2::text::jsonb, $3, $4, $5, $5, $6) ON CONFLICT (id) DO NOTHING`,
    [client.id, JSON.stringify(client), client.firstParty, managed, new Date(), registeredWith ?? null],
  );

async function update(
  open: Db,
  known: RegisteredClient | undefined,
  client: ClientDescription,
  managed: Managed,
): Promise<void> {
  await open.query(
    `UPDATE clients SET metadata = $2::text::jsonb, first_party = $3, managed = $4,
       updated_at = greatest($5, updated_at + interval '1 millisecond') WHERE id = $1`,
    [client.id, JSON.stringify(client), client.firstParty, managed, new Date()],
  );
  // What was given while nobody was asked is nobody's yes: now everybody is.
  if (known?.client.consent === 'none' && client.consent !== 'none') await endGrantsOf(open, client.id);
  await open.announce(clientsTopic);
}

const noted = (
  open: Db,
  client: ClientDescription,
  result: string,
  managed: Managed,
  changes: Difference[],
  doer: Doer,
) =>
  audit(open, {
    event: 'client.applied',
    clientId: client.id,
    ...doer,
    detail: { result, managed, changes: inShort(changes) },
  });

/**
 * Makes or changes a client as its file says; once more changes nothing. One that the console looks after is `not-ours`
 * unless it is the same already or the file is told to `adopt` it. Its groups must be numbers by now (`readClient`).
 */
export function describeFromFile(
  db: Db,
  client: ClientDescription,
  { adopt = false, reach, ...doer }: ClientDoer & { adopt?: boolean } = {},
): Promise<Applied> {
  return transactionWithRetry(db, async (open) => {
    if (!(await keepScopes(open, client.scopes)))
      throw new Error('a scope was removed meanwhile: apply the file once more');
    if (!(await keepGroups(open, groupsNamed(client))))
      throw new Error('a group was removed meanwhile: apply the file once more');
    if ((await keepResources(open, client)).length > 0)
      throw new Error('a resource server was changed meanwhile: apply the file once more');
    const { count } = await insert(open, client, 'file');
    const known = await heldClient(open, client.id);
    const changes = differences(count > 0 ? undefined : known?.client, client);
    if (count === 0 && changes.length === 0 && !(adopt && known?.managed === 'console'))
      return { result: 'unchanged', changes };
    if (count === 0 && known?.managed === 'console' && !adopt) return { result: 'not-ours', changes };
    if (beyondReach(reach, client, known?.client)) return { result: 'beyond-reach', changes };
    const result = count > 0 ? 'created' : 'changed';
    if (count === 0) await update(open, known, client, 'file');
    await noted(open, client, result, 'file', changes, doer);
    return { result, changes };
  });
}

/** Makes or changes a client as described, whoever looks after it. Answers what happened. */
export const applyClient = async (db: Db, client: ClientDescription): Promise<Applied['result']> =>
  (await describeFromFile(db, client, { adopt: true })).result;

const refused = (code: ClientFault['code'], field = ''): { fault: ClientFault } => ({
  fault: { path: field, field, code },
});

/** Makes a client in the console, or as it described itself: `registeredWith` names the token that let it. */
export function createClient(
  db: Db,
  client: ClientDescription,
  { reach, registeredWith, ...doer }: ClientDoer & { registeredWith?: string },
): Promise<{ fault: ClientFault } | undefined> {
  if (beyondReach(reach, client)) return Promise.resolve(refused('beyond-reach', 'apiScopes'));
  return db.transaction(async (open) => {
    if (!(await keepScopes(open, client.scopes))) return refused('not-a-choice', 'scopes');
    if (!(await keepGroups(open, groupsNamed(client)))) return refused('group-unknown', 'allowedGroups');
    const [gone] = await keepResources(open, client);
    if (gone) return { fault: gone };
    const { count } = await insert(open, client, 'console', registeredWith);
    if (count === 0) return refused('id-taken', 'id');
    const changes = differences(undefined, client);
    if (registeredWith === undefined) await noted(open, client, 'created', 'console', changes, doer);
    else {
      const detail = { token: registeredWith, changes: inShort(changes) };
      await audit(open, { event: 'client.registered', clientId: client.id, ...doer, detail });
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
  seen: Date,
  { reach, ...doer }: ClientDoer,
): Promise<{ fault: ClientFault } | { changes: Difference[] }> {
  return transactionWithRetry(db, async (open) => {
    if (!(await keepScopes(open, client.scopes))) return refused('not-a-choice', 'scopes');
    if (!(await keepGroups(open, groupsNamed(client)))) return refused('group-unknown', 'allowedGroups');
    const [gone] = await keepResources(open, client);
    if (gone) return { fault: gone };
    const known = await heldClient(open, client.id);
    if (!known || known.updatedAt.getTime() !== seen.getTime()) return refused('changed-meanwhile');
    if (known.managed === 'file') return refused('managed-by-file');
    if (beyondReach(reach, known.client, client)) return refused('beyond-reach', 'apiScopes');
    const changes = differences(known.client, client);
    if (changes.length === 0) return { changes };
    await update(open, known, client, 'console');
    await noted(open, client, 'changed', 'console', changes, doer);
    return { changes };
  });
}

/**
 * Disables or enables a client, also one that is managed from a file. A disabled client's tokens and secrets are refused
 * from the next request on, however many there are; a background job ends them. Enabling ends what is left, and what
 * requests under way may have written since, so nothing from before comes back. Answers whether that was a change. Both
 * need the same rights: a program changes no client that may do more than it may itself.
 */
export function setEnabled(
  db: Db,
  id: string,
  enabled: boolean,
  { reach, ...doer }: ClientDoer,
): Promise<boolean | 'beyond-reach'> {
  const change = async (open: Db) => {
    const held = await heldClient(open, id);
    if (!held || held.enabled === enabled) return false;
    if (beyondReach(reach, held.client)) return 'beyond-reach';
    if (enabled) {
      await endPendingAndGrants(open, id);
      // What requests wrote into sessions after the job had ended is worth nothing without its grant.
      if (await isBeingRevoked(open, id)) await endClient(open, id);
    }
    await open.query('UPDATE clients SET disabled_at = $2, revoking_since = $2 WHERE id = $1', [
      id,
      enabled ? null : new Date(),
    ]);
    if (!enabled) await open.announce(revocationTopic);
    await audit(open, { event: enabled ? 'client.enabled' : 'client.disabled', clientId: id, ...doer });
    await open.announce(clientsTopic);
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

/** Removes a client's row, in the transaction that ends everything of it (see client-access.ts). */
export async function forgetClient(open: Db, id: string): Promise<boolean> {
  const { count } = await open.query('DELETE FROM clients WHERE id = $1', [id]);
  await open.announce(clientsTopic);
  return count > 0;
}
