import type { Knex } from 'knex';
import type { Db } from '../src/db/database.ts';
import { sql } from '../src/db/database.ts';
import { baseline } from './0001-first-light.ts';
import { recoveryCodeReservation } from './0002-new-phone.ts';
import { noticeEmail } from './0003-second-address.ts';
import { helpDesk } from './0004-help-desk.ts';
import { operators } from './0005-operators.ts';
import { clients } from './0006-clients.ts';
import { api } from './0007-api.ts';
import { logoutOutbox } from './0008-logout-outbox.ts';
import { keys } from './0009-keys.ts';
import { initialAccessTokens } from './0010-initial-access-tokens.ts';
import { signingSecrets } from './0011-signing-secrets.ts';
import { resourceServers } from './0012-resource-servers.ts';
import { claims } from './0013-claims.ts';
import { clientErrors } from './0014-refused-requests.ts';
import { tableStorage } from './0015-hot-tables.ts';
import { pendingMailIndex } from './0016-mails-waiting.ts';
import { verifiedFactorIndexes } from './0017-proofs-found.ts';
import { interactionBinding } from './0018-interaction-binding.ts';
import { refusedAttempts } from './0019-refused-attempts.ts';
import { throttling } from './0020-throttling.ts';
import { clientRevocation } from './0021-client-revocation.ts';
import type { Migration } from './migration.ts';

const migrations: readonly Migration[] = [
  baseline,
  recoveryCodeReservation,
  noticeEmail,
  helpDesk,
  operators,
  clients,
  api,
  logoutOutbox,
  keys,
  initialAccessTokens,
  signingSecrets,
  resourceServers,
  claims,
  clientErrors,
  tableStorage,
  pendingMailIndex,
  verifiedFactorIndexes,
  interactionBinding,
  refusedAttempts,
  throttling,
  clientRevocation,
];

// Any number that no other program on the same database uses for its own lock.
const migrationLockKey = 4_736_672;

/** A table that a migration changes is held by somebody else. Nothing was changed. */
export class TableLockedError extends Error {}

/** PostgreSQL's code for a lock that did not come in time. */
const lockNotAvailable = '55P03';

/**
 * Brings the database to the newest shape and answers with the names of the steps taken.
 * Everything happens in one transaction under an advisory lock: two processes that start together migrate
 * once, and one that is killed half-way leaves nothing behind. It has as long as it needs, and waits two seconds at most
 * for a table that somebody else holds, since whoever wants that table meanwhile waits behind it; then it throws
 * `TableLockedError`.
 */
export async function migrate(db: Db): Promise<string[]> {
  const applied = await migrateAll(db).catch((fault: Error & { code?: string }) => {
    if (fault.code !== lockNotAvailable) throw fault;
    throw new TableLockedError(
      'A migration waited for a table that something else holds; nothing was changed, try again.',
    );
  });
  if (applied.length > 0) await analyzeTables(db);
  return applied;
}

/**
 * Tells PostgreSQL what the tables hold, where they hold anything. One that is known to be empty would be read from end
 * to end by every plan that is kept; one of which nothing is known is taken for ten pages, and asked by its index.
 */
async function analyzeTables(db: Db): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT quote_ident(relname) AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 10 * 8192`,
  );
  for (const { name } of rows)
    await db.transaction((tx) => tx.run(sql.raw(`ANALYZE ${name}`)), { unhurried: true });
}

function migrateAll(db: Db): Promise<string[]> {
  const applyMissing = async (tx: Db) => {
    // Whoever waits for another process that migrates holds up nobody, and may wait for long.
    await tx.query('SELECT pg_advisory_xact_lock($1)', [migrationLockKey]);
    await tx.query("SET LOCAL lock_timeout = '2s'");
    await tx.query(
      'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL)',
    );
    const { rows } = await tx.query<{ name: string }>('SELECT name FROM migrations');
    const applied = new Set(rows.map((row) => row.name));
    const missing = migrations.filter(({ name }) => !applied.has(name));
    for (const { name, up } of missing) {
      for (const statement of up(sql.schema).toSQL()) {
        await tx.run(sql.raw(statement.sql, statement.bindings as Knex.RawBinding[]));
      }
      await tx.query('INSERT INTO migrations (name, applied_at) VALUES ($1, $2)', [name, new Date()]);
    }
    return missing.map(({ name }) => name);
  };
  return db.transaction(applyMissing, { unhurried: true });
}

/** Whether the database has every step that this program needs. */
export async function isMigrated(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>(
    "SELECT to_regclass('migrations') IS NOT NULL AS there",
  );
  if (!rows[0]?.there) return false;
  const { count } = await db.query('SELECT name FROM migrations WHERE name = ANY($1)', [
    migrations.map((m) => m.name),
  ]);
  return count === migrations.length;
}
