import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Doer } from '../accounts/groups.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { randomToken, sha256 } from '../platform/secrets.ts';
import { beyondReach } from './api-scopes.ts';
import type { ClientDoer } from './clients.ts';
import { heldClient } from './clients.ts';

/** A secret as it is listed: what it is and how it is used, never itself. */
export interface ListedSecret {
  id: string;
  name: string;
  createdAt: Date;
  /** To the minute; undefined while nobody has used it. */
  lastUsedAt: Date | undefined;
  expiresAt: Date | undefined;
}

interface Row {
  id: string;
  name: string;
  hash: Buffer;
  created_at: Date;
  last_used_at: Date | null;
  expires_at: Date | null;
}

/** How many secrets a client may have at once: some for its places, and one more of each while it is replaced. */
export const mostSecrets = 20;

const minute = 60_000;

/**
 * The live secret of a client that `given` is, found in constant time; expiry is judged here, at its use. `stale` says
 * that its last use was noted more than a minute ago.
 */
export async function matchingSecret(
  db: Db,
  clientId: string,
  given: string,
): Promise<{ id: string; stale: boolean } | undefined> {
  const now = new Date();
  const { rows } = await db.query<Row>(
    `SELECT id, hash, last_used_at FROM client_secrets
     WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2)`,
    [clientId, now],
  );
  const presented = sha256(given);
  // All of them are compared: the time says nothing of which one it was.
  const found = rows[rows.map(({ hash }) => timingSafeEqual(hash, presented)).indexOf(true)];
  if (!found) return undefined;
  const last = found.last_used_at?.getTime() ?? 0;
  return { id: found.id, stale: now.getTime() - last >= minute };
}

/** Notes that a secret was used; of many processes that come at once one writes. */
export async function noteUse(db: Db, id: string): Promise<void> {
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
}

/**
 * Adds a named secret to a client that keeps secrets and answers it, once: it is kept as a hash (256 bits need no slow
 * one). Names differ, so that a form sent twice makes one secret.
 */
export async function newSecret(
  db: Db,
  { clientId, name: given, expiresAt, given: chosen }: NewSecret,
  { reach, ...doer }: ClientDoer,
): Promise<{ id: string; secret: string } | { refusal: SecretRefusal }> {
  const name = given.normalize('NFC').trim().slice(0, 80);
  if (name === '') return { refusal: 'secret-name-missing' };
  if (expiresAt && expiresAt <= new Date()) return { refusal: 'secret-expired-already' };
  const [id, secret] = [randomUUID(), chosen ?? randomToken()];
  return db.transaction(async (open) => {
    const held = await heldClient(open, clientId);
    if (!held) return { refusal: 'client-unknown' };
    if (held.client.authMethod !== 'secret') return { refusal: 'client-keeps-no-secret' };
    if (beyondReach(reach, held.client)) return { refusal: 'beyond-reach' };
    const others = await secretsOf(open, clientId);
    if (others.some((other) => other.name === name)) return { refusal: 'secret-name-taken' };
    if (others.length >= mostSecrets) return { refusal: 'secrets-too-many' };
    await open.query(
      `INSERT INTO client_secrets (id, client_id, name, hash, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, clientId, name, sha256(secret), new Date(), expiresAt ?? null],
    );
    const detail = { name, expires: expiresAt?.toISOString() ?? null };
    await audit(open, { event: 'client.secret-added', clientId, ...doer, detail });
    return { id, secret };
  });
}

/** The same for a program that knows its client: the secret, or undefined where it was refused. */
export async function addSecret(
  db: Db,
  clientId: string,
  name: string,
  given?: string,
): Promise<string | undefined> {
  const made = await newSecret(db, { clientId, name, given }, {});
  return 'secret' in made ? made.secret : undefined;
}

/** The secrets of a client, the newest first, those that have expired too. */
export async function secretsOf(db: Db, clientId: string): Promise<ListedSecret[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, name, created_at, last_used_at, expires_at FROM client_secrets
     WHERE client_id = $1 ORDER BY created_at DESC, id`,
    [clientId],
  );
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
  }));
}

/** How many secrets of each client live; clients without one are not in it. */
export async function liveSecrets(db: Db): Promise<Map<string, number>> {
  const { rows } = await db.query<{ client_id: string; live: number }>(
    `SELECT client_id, count(*)::int AS live FROM client_secrets
     WHERE expires_at IS NULL OR expires_at > $1 GROUP BY 1`,
    [new Date()],
  );
  return new Map(rows.map(({ client_id: id, live }) => [id, live]));
}

/** Removes a client's secret by its number or its name; it is refused from the next request on. */
export function removeSecret(db: Db, clientId: string, which: string, doer: Doer): Promise<boolean> {
  return db.transaction(async (open) => {
    const { rows } = await open.query<{ name: string }>(
      'DELETE FROM client_secrets WHERE client_id = $1 AND (id::text = $2 OR name = $2) RETURNING name',
      [clientId, which],
    );
    for (const { name } of rows)
      await audit(open, { event: 'client.secret-removed', clientId, ...doer, detail: { name } });
    return rows.length > 0;
  });
}
