import { randomUUID } from 'node:crypto';
import type { AuditActor } from '../../users/groups.ts';
import { recordAuditEvent } from '../../audit/audit-log.ts';
import type { Db } from '../../db/database.ts';
import { acquireAdvisoryLock } from '../../db/database.ts';
import { generateToken, sha256 } from '../../crypto/encryption.ts';
import type { ClientType } from '../../clients/schema.ts';
import { clientTypes } from '../../clients/schema.ts';

/** A token that lets programs register themselves (the initial access token of RFC 7591 §3), as it is listed. */
export interface InitialAccessToken {
  id: string;
  name: string;
  /** What may be registered with it; everything, where there is none. */
  types: ClientType[];
  /** Where all addresses of it must be; anywhere, where there is none. */
  hosts: string[];
  uses: number;
  mostUses: number;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | undefined;
}

interface Row {
  id: string;
  name: string;
  types: ClientType[];
  hosts: string[];
  uses: number;
  most_uses: number;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
}

/** Hours that a token lives, uses that it has, hosts that it names, and tokens that there may be. */
export const registrationLimits = {
  hours: { usual: 24, most: 30 * 24 },
  uses: { usual: 1, most: 100 },
  hosts: 50,
  tokens: 100,
} as const;

const columns = 'id, name, types, hosts, uses, most_uses, created_at, expires_at, last_used_at';
const hour = 3_600_000;

const toInitialAccessToken = (row: Row): InitialAccessToken => ({
  id: row.id,
  name: row.name,
  types: row.types,
  hosts: row.hosts,
  uses: row.uses,
  mostUses: row.most_uses,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at ?? undefined,
});

/** Whether it still lets anything be registered. */
export function getTokenState({
  uses,
  mostUses,
  expiresAt,
}: InitialAccessToken): 'live' | 'used-up' | 'expired' {
  if (uses >= mostUses) return 'used-up';
  return expiresAt <= new Date() ? 'expired' : 'live';
}

const initialTokenRefusals = [
  'name-missing',
  'name-taken',
  'lifetime-out-of-range',
  'uses-out-of-range',
  'type-unknown',
  'host-malformed',
  'too-many-tokens',
] as const;
export type InitialTokenRefusal = (typeof initialTokenRefusals)[number];

export interface InitialAccessTokenInput {
  name: string;
  hours?: number | undefined;
  uses?: number | undefined;
  types?: readonly string[] | undefined;
  hosts?: readonly string[] | undefined;
}

/** A name of the net, an address of it, or this very computer; nothing that stands for many. */
const hostnamePattern =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:.]+\])$/;

const isInRange = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most;

interface ValidTokenInput {
  name: string;
  hours: number;
  uses: number;
  types: ClientType[];
  hosts: string[];
}

function validateTokenInput(wanted: InitialAccessTokenInput): ValidTokenInput | InitialTokenRefusal {
  const { hours: longest, uses: most, hosts: mostHosts } = registrationLimits;
  const { hours = longest.usual, uses = most.usual } = wanted;
  const name = wanted.name.normalize('NFC').trim().slice(0, 80);
  const hosts = [...new Set((wanted.hosts ?? []).map((host) => host.trim().toLowerCase()))];
  const types = clientTypes.filter((type) => wanted.types?.includes(type));
  if (name === '') return 'name-missing';
  if (!isInRange(hours, longest.most)) return 'lifetime-out-of-range';
  if (!isInRange(uses, most.most)) return 'uses-out-of-range';
  if (wanted.types?.some((type) => !clientTypes.some((one) => one === type))) return 'type-unknown';
  if (hosts.length > mostHosts || hosts.some((host) => host.length > 253 || !hostnamePattern.test(host)))
    return 'host-malformed';
  return { name, hours, uses, types, hosts };
}

export interface CreatedInitialToken {
  id: string;
  name: string;
  token: string;
  expiresAt: Date;
}

/**
 * Makes a token and answers it, once: it is kept as a hash (256 bits need no slow one). Names differ, so that a form sent
 * twice makes one. What ran out a month ago leaves when the next is made.
 */
export async function createInitialAccessToken(
  db: Db,
  wanted: InitialAccessTokenInput,
  doer: AuditActor,
): Promise<CreatedInitialToken | { refusal: InitialTokenRefusal }> {
  const good = validateTokenInput(wanted);
  if (typeof good === 'string') return { refusal: good };
  const { name, hours, uses, types, hosts } = good;
  const now = new Date();
  const [id, token, expiresAt] = [randomUUID(), generateToken(), new Date(now.getTime() + hours * hour)];
  return db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, 'initial access tokens');
    await tx.query('DELETE FROM initial_access_tokens WHERE expires_at < $1', [
      new Date(now.getTime() - registrationLimits.hours.most * hour),
    ]);
    const others = await listInitialAccessTokens(tx);
    if (others.some((other) => other.name === name)) return { refusal: 'name-taken' };
    if (others.length >= registrationLimits.tokens) return { refusal: 'too-many-tokens' };
    await tx.query(
      `INSERT INTO initial_access_tokens (id, name, hash, types, hosts, uses, most_uses, created_at, expires_at)
       VALUES ($1, $2, $3, $4::text::jsonb, $5::text::jsonb, 0, $6, $7, $8)`,
      [id, name, sha256(token), JSON.stringify(types), JSON.stringify(hosts), uses, now, expiresAt],
    );
    const detail = {
      token: id,
      name,
      uses,
      expires: expiresAt.toISOString(),
      types: types.join(' '),
      hosts: hosts.join(' '),
    };
    await recordAuditEvent(tx, { event: 'initial-access-token.created', ...doer, detail });
    return { id, name, token, expiresAt };
  });
}

/** All of them, the newest first, also those that let nothing be registered any more. */
export async function listInitialAccessTokens(db: Db): Promise<InitialAccessToken[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM initial_access_tokens ORDER BY created_at DESC, id LIMIT 1000`,
  );
  return rows.map(toInitialAccessToken);
}

/** Ends a token, by its number or its name, at once. What was registered with it stays. */
export function revokeInitialAccessToken(db: Db, which: string, doer: AuditActor): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<Row>(
      `DELETE FROM initial_access_tokens WHERE id::text = $1 OR name = $1 RETURNING ${columns}`,
      [which],
    );
    for (const { id, name, uses } of rows)
      await recordAuditEvent(tx, {
        event: 'initial-access-token.revoked',
        ...doer,
        detail: { token: id, name, uses },
      });
    return rows.length > 0;
  });
}

/** The token that is presented, where it lets something be registered now. Nothing is used up by asking. */
export async function findActiveToken(db: Db, given: string): Promise<InitialAccessToken | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM initial_access_tokens WHERE hash = $1 AND uses < most_uses AND expires_at > $2`,
    [sha256(given), new Date()],
  );
  return rows[0] && toInitialAccessToken(rows[0]);
}

/**
 * Uses a token once, in the transaction of the registration that it is for: of two that want its last use one gets it,
 * and one that is taken back gives it back.
 */
export async function consumeTokenUse(tx: Db, id: string): Promise<boolean> {
  const { count } = await tx.query(
    `UPDATE initial_access_tokens SET uses = uses + 1, last_used_at = $2
     WHERE id = $1 AND uses < most_uses AND expires_at > $2`,
    [id, new Date()],
  );
  return count > 0;
}
