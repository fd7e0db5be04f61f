import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Topic } from '../db/notifications.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { generateToken, sha256 } from '../crypto/encryption.ts';
import { exceedsDelegationLimit } from './resource-servers/api-scopes.ts';
import type { ClientDescription, SecretStorage } from './schema.ts';
import { secretStorageByMethod } from './schema.ts';
import type { ClientActor } from './clients.ts';
import { lockClient } from './clients.ts';

/** A secret as it is listed: what it is and how it is used, never itself. */
export interface ListedSecret {
  id: string;
  name: string;
  createdAt: Date;
  /** To the minute; undefined while nobody has used it. */
  lastUsedAt: Date | undefined;
  expiresAt: Date | undefined;
  /** It opens only while its client proves itself in the way that it was made for. */
  kept: SecretStorage;
}

interface Row {
  id: string;
  name: string;
  hash: Buffer;
  sealed: Buffer;
  kept: SecretStorage;
  created_at: Date;
  last_used_at: Date | null;
  expires_at: Date | null;
}

/** What is announced when the secrets of a client have changed. */
export const secretsTopic: Topic = { name: 'client secrets', everywhere: true };

/** How many secrets a client may have at once: some for its places, and one more of each while it is replaced. */
export const maxSecretsPerClient = 20;

const minute = 60_000;
const storageSql = "CASE WHEN sealed IS NULL THEN 'hashed' ELSE 'encrypted' END";

/** Each client's encrypted secrets are its own: exchanged between rows they do not open. */
const getAssociatedData = (clientId: string, id: string) => `client-secret:${clientId}:${id}`;

/** A secret as it is stored: what is compared, never what was handed out. */
export type StoredSecret = Pick<Row, 'id' | 'hash' | 'sealed' | 'kept' | 'last_used_at' | 'expires_at'>;

/** Reads the stored secrets of a client; who reads them often keeps them for a while. */
export type SecretReader = (clientId: string) => Promise<readonly StoredSecret[]>;

/** Reads them from the database each time. */
export const createSecretReader =
  (db: Db): SecretReader =>
  async (clientId) => {
    const { rows } = await db.query<StoredSecret>(
      `SELECT id, hash, sealed, ${storageSql} AS kept, last_used_at, expires_at FROM client_secrets WHERE client_id = $1`,
      [clientId],
    );
    return rows;
  };

/** Those that live, of those that are kept in one way; expiry is judged here, at their use. */
async function listActiveSecrets(
  read: SecretReader,
  clientId: string,
  which: SecretStorage,
): Promise<StoredSecret[]> {
  const now = new Date();
  return (await read(clientId)).filter(
    (one) => one.kept === which && (one.expires_at === null || one.expires_at > now),
  );
}

/** `stale` says that its last use was noted more than a minute ago; whoever is told so notes it. */
function markUsed(secret: StoredSecret): { id: string; stale: boolean } {
  const now = new Date();
  const stale = now.getTime() - (secret.last_used_at?.getTime() ?? 0) >= minute;
  if (stale) secret.last_used_at = now;
  return { id: secret.id, stale };
}

/** The live secret of a client that `given` is, found in constant time. */
export async function findMatchingSecret(
  read: SecretReader,
  clientId: string,
  given: string,
): Promise<{ id: string; stale: boolean } | undefined> {
  const rows = await listActiveSecrets(read, clientId, 'hashed');
  const presented = sha256(given);
  // All of them are compared: the time says nothing of which one it was.
  const found = rows[rows.map(({ hash }) => timingSafeEqual(hash, presented)).indexOf(true)];
  return found && markUsed(found);
}

/**
 * The live secret of a client by which `text` was signed (HMAC-SHA-256, RFC 7518 §3.2), found in constant time. One that
 * no secret key opens any more signs nothing; what an older key closed is closed anew.
 */
export async function findSigningSecret(
  { db, vault: encryption, read }: { db: Db; vault: Encryption; read: SecretReader },
  clientId: string,
  { text, signature }: { text: string; signature: Buffer },
): Promise<{ id: string; stale: boolean; secret: string } | undefined> {
  const rows = (await listActiveSecrets(read, clientId, 'encrypted')).filter(({ sealed }) =>
    encryption.opens(sealed),
  );
  const opened = rows.map((row) => ({
    row,
    ...encryption.open(row.sealed, getAssociatedData(clientId, row.id)),
  }));
  const signs = (secret: Buffer) => {
    const right = createHmac('sha256', secret).update(text).digest();
    return right.length === signature.length && timingSafeEqual(right, signature);
  };
  const found = opened[opened.map(({ plain }) => signs(plain)).indexOf(true)];
  if (!found) return undefined;
  const { row, plain, stale } = found;
  if (stale)
    await db.query('UPDATE client_secrets SET sealed = $2 WHERE id = $1 AND sealed = $3', [
      row.id,
      encryption.seal(plain, getAssociatedData(clientId, row.id)),
      row.sealed,
    ]);
  return { ...markUsed(row), secret: plain.toString() };
}

/** Notes that a secret was used; of many processes that come at once one writes. */
export async function recordSecretUse(db: Db, id: string): Promise<void> {
  const now = new Date();
  await db.query(
    'UPDATE client_secrets SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)',
    [id, now, new Date(now.getTime() - minute)],
  );
}

export type SecretRefusal =
  | 'secret-name-missing'
  | 'secret-name-taken'
  | 'secret-expired-already'
  | 'secrets-too-many'
  | 'client-unknown'
  | 'client-keeps-no-secret'
  | 'beyond-reach';

export interface NewSecret {
  clientId: string;
  name: string;
  expiresAt?: Date | undefined;
  /** For trying out, where two programs must agree on it beforehand. */
  given?: string | undefined;
  /** What closes a secret that is kept encrypted: whoever makes secrets for clients of every kind hands it in. */
  vault?: Encryption | undefined;
}

/**
 * Adds a named secret to a client that keeps secrets and answers it, once: it is kept as a hash (256 bits need no slow
 * one), or encrypted where signatures are checked by it. Names differ, so that a form sent twice makes one secret.
 */
export async function createSecret(
  db: Db,
  { clientId, name: given, expiresAt, given: chosen, vault: encryption }: NewSecret,
  { reach, ...doer }: ClientActor,
): Promise<{ id: string; secret: string } | { refusal: SecretRefusal }> {
  const name = given.normalize('NFC').trim().slice(0, 80);
  if (name === '') return { refusal: 'secret-name-missing' };
  if (expiresAt && expiresAt <= new Date()) return { refusal: 'secret-expired-already' };
  const [id, secret] = [randomUUID(), chosen ?? generateToken()];
  return db.transaction(async (tx) => {
    const held = await lockClient(tx, clientId);
    if (!held) return { refusal: 'client-unknown' };
    const way = secretStorageByMethod[held.client.authMethod];
    if (!way) return { refusal: 'client-keeps-no-secret' };
    if (exceedsDelegationLimit(reach, held.client)) return { refusal: 'beyond-reach' };
    const others = await listClientSecrets(tx, clientId);
    if (others.some((other) => other.name === name)) return { refusal: 'secret-name-taken' };
    if (others.length >= maxSecretsPerClient) return { refusal: 'secrets-too-many' };
    if (way === 'encrypted' && !encryption)
      throw new Error('a secret that is kept encrypted needs the vault');
    const sealed =
      way === 'encrypted' ? encryption?.seal(secret, getAssociatedData(clientId, id)) : undefined;
    await tx.query(
      `INSERT INTO client_secrets (id, client_id, name, hash, sealed, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, clientId, name, sealed ? null : sha256(secret), sealed ?? null, new Date(), expiresAt ?? null],
    );
    const detail = { name, expires: expiresAt?.toISOString() ?? null, kept: way };
    await recordAuditEvent(tx, { event: 'client.secret-added', clientId, ...doer, detail });
    await tx.announce(secretsTopic);
    return { id, secret };
  });
}

/** The same for a program that knows its client: the secret, or undefined where it was refused. */
export async function addSecret(
  db: Db,
  clientId: string,
  name: string,
  given?: string,
  encryption?: Encryption,
): Promise<string | undefined> {
  const made = await createSecret(db, { clientId, name, given, vault: encryption }, {});
  return 'secret' in made ? made.secret : undefined;
}

/** The secrets of a client, the newest first, those that have expired too. */
export async function listClientSecrets(db: Db, clientId: string): Promise<ListedSecret[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, name, created_at, last_used_at, expires_at, ${storageSql} AS kept FROM client_secrets
     WHERE client_id = $1 ORDER BY created_at DESC, id`,
    [clientId],
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    kept: row.kept,
  }));
}

/** Answers how many secrets of a client open it: those that live and were made for its way of proving itself. */
export async function countActiveSecrets(
  db: Db,
): Promise<(client: Pick<ClientDescription, 'id' | 'authMethod'>) => number> {
  const { rows } = await db.query<{ of: string; live: number }>(
    `SELECT client_id || ' ' || ${storageSql} AS of, count(*)::int AS live FROM client_secrets
     WHERE expires_at IS NULL OR expires_at > $1 GROUP BY 1`,
    [new Date()],
  );
  const counted = new Map(rows.map(({ of, live: count }) => [of, count]));
  return ({ id, authMethod }) => counted.get(`${id} ${secretStorageByMethod[authMethod]}`) ?? 0;
}

/** Removes a client's secret by its number or its name; it is refused from the next request on. */
export function removeSecret(
  db: Db,
  clientId: string,
  which: string,
  { reach, ...doer }: ClientActor,
): Promise<boolean | 'beyond-reach'> {
  return db.transaction(async (tx) => {
    const held = await lockClient(tx, clientId);
    if (held && exceedsDelegationLimit(reach, held.client)) return 'beyond-reach';
    const { rows } = await tx.query<{ name: string }>(
      'DELETE FROM client_secrets WHERE client_id = $1 AND (id::text = $2 OR name = $2) RETURNING name',
      [clientId, which],
    );
    for (const { name } of rows)
      await recordAuditEvent(tx, { event: 'client.secret-removed', clientId, ...doer, detail: { name } });
    await tx.announce(secretsTopic);
    return rows.length > 0;
  });
}
