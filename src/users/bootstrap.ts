import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { generateToken, sha256 } from '../crypto/encryption.ts';
import { countForNetwork } from '../security/sliding-budget.ts';
import type { User, CreateUserRefusal } from './users.ts';
import { lockAdministrators, createUser, hasUsers, hasAdministrator } from './users.ts';

/** How the first administrator comes in: a token that is printed once, and no password that stands in a book. */

const tokenHours = 24;

export interface BootstrapToken {
  token: string;
  expires: Date;
}

/**
 * Makes the one-time token, which voids an older one; undefined for ever once there is an administrator without
 * limits. It is kept as a hash: whoever did not see it printed makes a new one.
 */
export function createBootstrapToken(db: Db): Promise<BootstrapToken | undefined> {
  const token = generateToken();
  const now = new Date();
  const expires = new Date(now.getTime() + tokenHours * 3_600_000);
  return db.transaction(async (tx) => {
    await lockAdministrators(tx);
    if (await hasAdministrator(tx)) return undefined;
    await tx.query('DELETE FROM bootstrap_tokens WHERE used_at IS NULL');
    await tx.query('INSERT INTO bootstrap_tokens (hash, created_at, expires_at) VALUES ($1, $2, $3)', [
      sha256(token),
      now,
      expires,
    ]);
    await recordAuditEvent(tx, { event: 'bootstrap.token-made' });
    return { token, expires };
  });
}

/** The token of a database that is empty and was never given one: what a first start prints. Of two starts one prints. */
export function createInitialBootstrapToken(db: Db): Promise<BootstrapToken | undefined> {
  return db.transaction(async (tx) => {
    await lockAdministrators(tx);
    const { count } = await tx.query('SELECT 1 FROM bootstrap_tokens LIMIT 1');
    if (count > 0 || (await hasUsers(tx))) return undefined;
    return createBootstrapToken(tx);
  });
}

/** Whether the page for the first administrator is there at all. */
export const isBootstrapOpen = async (db: Db): Promise<boolean> => !(await hasAdministrator(db));

/** The token was spent, or an administrator made, between the look and the deed: everything is taken back. */
class BootstrapConflictError extends Error {}

export interface FirstAdministrator {
  token: string;
  email: string;
  name: string;
  password: string;
  origin: Origin;
}

type BootstrapRefusal =
  | { code: 'wrong-bootstrap-token' }
  | { code: 'throttled'; seconds: number }
  | { code: Exclude<NonNullable<CreateUserRefusal>, 'email-taken'> | 'has-account' };

async function isTokenValid(db: Db, hash: Buffer): Promise<boolean> {
  const { count } = await db.query(
    'SELECT 1 FROM bootstrap_tokens WHERE hash = $1 AND used_at IS NULL AND expires_at > $2',
    [hash, new Date()],
  );
  return count > 0;
}

async function consumeToken(tx: Db, hash: Buffer, { id }: User): Promise<void> {
  await lockAdministrators(tx);
  const { count } = await tx.query(
    'UPDATE bootstrap_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2',
    [hash, new Date()],
  );
  if (count === 0 || (await hasAdministrator(tx, id))) throw new BootstrapConflictError();
}

/** Makes the first administrator: token, account and its role in one transaction, once. */
export async function createFirstAdministrator(
  db: Db,
  hasher: Hasher,
  brand: string,
  { token, email, name, password, origin: requestInfo }: FirstAdministrator,
): Promise<BootstrapRefusal | undefined> {
  const attempt = await countForNetwork(db, requestInfo, 'first-administrator');
  if (!attempt.allowed) return { code: 'throttled', seconds: attempt.seconds };
  const hash = sha256(token.trim());
  if (!(await isTokenValid(db, hash))) {
    await recordAuditEvent(db, { event: 'bootstrap.refused', origin: requestInfo });
    return { code: 'wrong-bootstrap-token' };
  }
  const newUser = { email, name, password, role: 'administrator' } as const;
  try {
    const created = await createUser(db, hasher, brand, newUser, (tx, account) =>
      consumeToken(tx, hash, account),
    );
    if ('account' in created) return undefined;
    return { code: created.refusal === 'email-taken' ? 'has-account' : created.refusal };
  } catch (fault) {
    if (fault instanceof BootstrapConflictError) return { code: 'wrong-bootstrap-token' };
    throw fault;
  }
}
