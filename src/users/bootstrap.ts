import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { randomToken, sha256 } from '../crypto/encryption.ts';
import { countForNetwork } from '../security/sliding-budget.ts';
import type { Account, AccountRefusal } from './users.ts';
import { administratorsTurn, createAccount, hasAccounts, hasAdministrator } from './users.ts';

/** How the first administrator comes in: a token that is printed once, and no password that stands in a book. */

const hours = 24;

export interface BootstrapToken {
  token: string;
  expires: Date;
}

/**
 * Makes the one-time token, which voids an older one; undefined for ever once there is an administrator without
 * limits. It is kept as a hash: whoever did not see it printed makes a new one.
 */
export function makeBootstrapToken(db: Db): Promise<BootstrapToken | undefined> {
  const token = randomToken();
  const now = new Date();
  const expires = new Date(now.getTime() + hours * 3_600_000);
  return db.transaction(async (open) => {
    await administratorsTurn(open);
    if (await hasAdministrator(open)) return undefined;
    await open.query('DELETE FROM bootstrap_tokens WHERE used_at IS NULL');
    await open.query('INSERT INTO bootstrap_tokens (hash, created_at, expires_at) VALUES ($1, $2, $3)', [
      sha256(token),
      now,
      expires,
    ]);
    await audit(open, { event: 'bootstrap.token-made' });
    return { token, expires };
  });
}

/** The token of a database that is empty and was never given one: what a first start prints. Of two starts one prints. */
export function firstBootstrapToken(db: Db): Promise<BootstrapToken | undefined> {
  return db.transaction(async (open) => {
    await administratorsTurn(open);
    const { count } = await open.query('SELECT 1 FROM bootstrap_tokens LIMIT 1');
    if (count > 0 || (await hasAccounts(open))) return undefined;
    return makeBootstrapToken(open);
  });
}

/** Whether the page for the first administrator is there at all. */
export const bootstrapIsOpen = async (db: Db): Promise<boolean> => !(await hasAdministrator(db));

/** The token was spent, or an administrator made, between the look and the deed: everything is taken back. */
class Overtaken extends Error {}

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
  | { code: Exclude<NonNullable<AccountRefusal>, 'email-taken'> | 'has-account' };

async function tokenLives(db: Db, hash: Buffer): Promise<boolean> {
  const { count } = await db.query(
    'SELECT 1 FROM bootstrap_tokens WHERE hash = $1 AND used_at IS NULL AND expires_at > $2',
    [hash, new Date()],
  );
  return count > 0;
}

async function spend(open: Db, hash: Buffer, { id }: Account): Promise<void> {
  await administratorsTurn(open);
  const { count } = await open.query(
    'UPDATE bootstrap_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2',
    [hash, new Date()],
  );
  if (count === 0 || (await hasAdministrator(open, id))) throw new Overtaken();
}

/** Makes the first administrator: token, account and its role in one transaction, once. */
export async function makeFirstAdministrator(
  db: Db,
  hasher: Hasher,
  brand: string,
  { token, email, name, password, origin }: FirstAdministrator,
): Promise<BootstrapRefusal | undefined> {
  const attempt = await countForNetwork(db, origin, 'first-administrator');
  if (!attempt.allowed) return { code: 'throttled', seconds: attempt.seconds };
  const hash = sha256(token.trim());
  if (!(await tokenLives(db, hash))) {
    await audit(db, { event: 'bootstrap.refused', origin });
    return { code: 'wrong-bootstrap-token' };
  }
  const wanted = { email, name, password, role: 'administrator' } as const;
  try {
    const made = await createAccount(db, hasher, brand, wanted, (open, account) =>
      spend(open, hash, account),
    );
    if ('account' in made) return undefined;
    return { code: made.refusal === 'email-taken' ? 'has-account' : made.refusal };
  } catch (fault) {
    if (fault instanceof Overtaken) return { code: 'wrong-bootstrap-token' };
    throw fault;
  }
}
