import type { JWK } from 'jose';
import type { AuditEventType } from '../../audit/audit-log.ts';
import { recordAuditEvent } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { acquireAdvisoryLock } from '../../db/database.ts';
import type { Topic } from '../../db/notifications.ts';
import type { Encryption } from '../../crypto/encryption.ts';
import { generateToken } from '../../crypto/encryption.ts';
import type { SigningKey } from './rotation.ts';
import {
  propagationMs,
  keyTypes,
  generateSigningKey,
  publishAheadMs,
  getKeyState,
  getKeyType,
  toLibraryJwk,
  retiredKeyMs,
} from './rotation.ts';

/** What the provider signs with: tokens and cookies (the first of these is the one in use). */
export interface ProviderKeys {
  signing: SigningKey[];
  cookies: string[];
  /** What pairwise numbers are made with (see subjects.ts): drawn once, and never another. */
  pairwise: Buffer;
}

/** What is announced when keys have changed: every process must publish them before any signs with them. */
export const keysTopic: Topic = { name: 'keys', everywhere: true };

const getAssociatedData = (id: string) => `key:${id}`;
const lockName = 'keys';

interface Row {
  id: string;
  sealed: Buffer | null;
  created_at: Date;
  signs_at: Date | null;
  retires_at: Date | null;
  gone_at: Date | null;
}

/**
 * Every signing key with its private half, the newest first. Those that are `known` need no opening: only their moments
 * may have changed.
 */
export async function listSigningKeys(
  db: Db,
  encryption: Encryption,
  known: readonly SigningKey[] = [],
): Promise<SigningKey[]> {
  const opened = new Map(known.map(({ id, jwk }) => [id, jwk]));
  const { rows } = await db.query<Row>(
    `SELECT id, created_at, signs_at, retires_at, gone_at, CASE WHEN id = ANY($1) THEN NULL ELSE sealed END AS sealed
     FROM keys WHERE kind = 'signing' ORDER BY created_at DESC, id`,
    [[...opened.keys()]],
  );
  return rows.map(({ id, sealed, created_at, signs_at, retires_at, gone_at }) => ({
    id,
    createdAt: created_at,
    signsAt: signs_at ?? created_at,
    retiresAt: retires_at ?? undefined,
    goneAt: gone_at ?? undefined,
    jwk:
      opened.get(id) ??
      toLibraryJwk(
        JSON.parse(encryption.open(sealed ?? Buffer.alloc(0), getAssociatedData(id)).plain.toString()) as JWK,
      ),
  }));
}

async function insertSigningKey(
  tx: Db,
  encryption: Encryption,
  key: JWK & { kid: string },
  signsAt: Date,
): Promise<void> {
  await tx.query(
    "INSERT INTO keys (id, kind, sealed, created_at, signs_at) VALUES ($1, 'signing', $2, $3, $4)",
    [key.kid, encryption.seal(JSON.stringify(key), getAssociatedData(key.kid)), new Date(), signsAt],
  );
}

const listMissingKeyTypes = async (db: Db, encryption: Encryption) => {
  const there = new Set((await listSigningKeys(db, encryption)).map(getKeyType));
  return keyTypes.filter((type) => !there.has(type));
};

/**
 * Makes the first key of each type, once: of two processes that start together one makes them and the other finds them.
 * The first of its type signs at once: nobody has asked for its signature before.
 */
async function createMissingKeys(db: Db, encryption: Encryption): Promise<void> {
  const fresh = await Promise.all((await listMissingKeyTypes(db, encryption)).map(generateSigningKey));
  if (fresh.length === 0) return;
  await db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, lockName);
    const missing = new Set<string | undefined>(await listMissingKeyTypes(tx, encryption));
    const wanted = fresh.filter(({ kty }) => missing.has(kty));
    if (wanted.length === 0) return;
    for (const key of wanted) await insertSigningKey(tx, encryption, key, new Date());
    if ((await tx.query("SELECT 1 FROM keys WHERE kind = 'cookie'")).count === 0) {
      const id = `cookie-${generateToken().slice(0, 16)}`;
      const sealed = encryption.seal(generateToken(), getAssociatedData(id));
      await tx.query("INSERT INTO keys (id, kind, sealed, created_at) VALUES ($1, 'cookie', $2, $3)", [
        id,
        sealed,
        new Date(),
      ]);
    }
    await recordAuditEvent(tx, {
      event: 'keys.made',
      detail: { signing: wanted.map(({ kid }) => kid).join(' ') },
    });
  });
}

/** Draws the key of pairwise numbers where there is none yet: of two processes one draws it and both read that one. */
async function createPairwiseKey(db: Db, encryption: Encryption): Promise<void> {
  const { count } = await db.query("SELECT 1 FROM keys WHERE kind = 'pairwise'");
  if (count > 0) return;
  const id = 'pairwise';
  await db.query(
    "INSERT INTO keys (id, kind, sealed, created_at) VALUES ($1, 'pairwise', $2, $3) ON CONFLICT (id) DO NOTHING",
    [id, encryption.seal(generateToken(), getAssociatedData(id)), new Date()],
  );
}

/** What an older secret key closed is closed anew with the newest; answers the keys that do not sign, the newest first. */
async function reencryptKeys(db: Db, encryption: Encryption): Promise<Omit<ProviderKeys, 'signing'>> {
  const { rows } = await db.query<{ id: string; kind: string; sealed: Buffer }>(
    'SELECT id, kind, sealed FROM keys ORDER BY created_at DESC, id',
  );
  const cookies: string[] = [];
  let pairwise: Buffer | undefined;
  for (const { id, kind, sealed } of rows) {
    const { plain, stale } = encryption.open(sealed, getAssociatedData(id));
    if (stale) {
      const anew = encryption.seal(plain, getAssociatedData(id));
      await db.query('UPDATE keys SET sealed = $2 WHERE id = $1 AND sealed = $3', [id, anew, sealed]);
    }
    if (kind === 'cookie') cookies.push(plain.toString());
    if (kind === 'pairwise') pairwise = Buffer.from(plain.toString(), 'base64url');
  }
  if (!pairwise) throw new Error('the key of pairwise numbers is gone: it must come back from a copy');
  return { cookies, pairwise };
}

/** The provider's keys, made on first start and kept encrypted (HEMMA_SECRET_KEYS). */
export async function loadKeys(db: Db, encryption: Encryption): Promise<ProviderKeys> {
  await createMissingKeys(db, encryption);
  await createPairwiseKey(db, encryption);
  const others = await reencryptKeys(db, encryption);
  return { signing: await listSigningKeys(db, encryption), ...others };
}

/** Gives a key its successor, unless it has one: the write is the check. */
async function addSuccessor(
  tx: Db,
  encryption: Encryption,
  { id }: SigningKey,
  next: JWK & { kid: string },
  { signsAt, goneAt }: { signsAt: Date; goneAt: Date },
): Promise<boolean> {
  const { count } = await tx.query(
    'UPDATE keys SET retires_at = $2, gone_at = $3 WHERE id = $1 AND retires_at IS NULL',
    [id, signsAt, goneAt],
  );
  if (count === 1) await insertSigningKey(tx, encryption, next, signsAt);
  return count === 1;
}

/** Every other key stops signing and is withdrawn no later than this. */
const withdrawOtherKeys = (tx: Db, { signsAt, goneAt }: { signsAt: Date; goneAt: Date }) =>
  tx.query(
    `UPDATE keys SET retires_at = LEAST(retires_at, $1), gone_at = $2
     WHERE kind = 'signing' AND retires_at IS NOT NULL AND gone_at > $2`,
    [signsAt, goneAt],
  );

/**
 * Publishes a successor of each key that signs; a day later it signs, and the old one stays published for as long as
 * somebody may show what it signed. Where a successor is published already, none is made. `batchSize` is for keys that
 * were stolen: the new ones sign as soon as every process publishes them, and whatever there was before is withdrawn.
 * Answers the new keys: none where another process was faster.
 */
export async function rotateKeys(
  db: Db,
  encryption: Encryption,
  { atOnce = false, days }: { atOnce?: boolean; days?: number } = {},
): Promise<SigningKey[]> {
  const heads = (await listSigningKeys(db, encryption)).filter(
    (key) => !key.retiresAt && (atOnce || getKeyState(key, new Date()) === 'signing'),
  );
  const pairs = await Promise.all(
    heads.map(async (head) => ({ head, next: await generateSigningKey(getKeyType(head)) })),
  );
  const fresh = await db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, lockName);
    const signsAt = new Date(Date.now() + (atOnce ? propagationMs : publishAheadMs));
    const goneAt = new Date(signsAt.getTime() + (atOnce ? propagationMs : retiredKeyMs));
    const added: string[] = [];
    for (const { head, next } of pairs)
      if (await addSuccessor(tx, encryption, head, next, { signsAt, goneAt })) added.push(next.kid);
    if (added.length === 0) return added;
    if (atOnce) await withdrawOtherKeys(tx, { signsAt, goneAt });
    const event: AuditEventType = atOnce ? 'keys.withdrawn' : 'keys.rotated';
    const detail = { signing: added.join(' '), signsAt: signsAt.toISOString(), ...(days ? { days } : {}) };
    await recordAuditEvent(tx, { event, detail });
    await tx.announce(keysTopic);
    return added;
  });
  return (await listSigningKeys(db, encryption)).filter(({ id }) => fresh.includes(id));
}

/** Removes the keys that are gone, with their private halves; processes together do it once. */
export function pruneKeys(db: Db, now: Date): Promise<void> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      "DELETE FROM keys WHERE kind = 'signing' AND gone_at <= $1 RETURNING id",
      [now],
    );
    if (rows.length === 0) return;
    await recordAuditEvent(tx, {
      event: 'keys.removed',
      detail: { signing: rows.map(({ id }) => id).join(' ') },
    });
  });
}
