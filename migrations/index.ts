import type { Knex } from 'knex';
import type { Db } from '../src/db/database.ts';
import { sql } from '../src/db/database.ts';
import { firstLight } from './0001-first-light.ts';
import { newPhone } from './0002-new-phone.ts';
import { secondAddress } from './0003-second-address.ts';
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
import { refusedRequests } from './0014-refused-requests.ts';
import { hotTables } from './0015-hot-tables.ts';
import { mailsWaiting } from './0016-mails-waiting.ts';
import { proofsFound } from './0017-proofs-found.ts';
import { interactionBinding } from './0018-interaction-binding.ts';
import { refusedAttempts } from './0019-refused-attempts.ts';
import { throttling } from './0020-throttling.ts';
import { clientRevocation } from './0021-client-revocation.ts';
import type { Migration } from './migration.ts';

const migrations: readonly Migration[] = [
  firstLight,
  newPhone,
  secondAddress,
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
  refusedRequests,
  hotTables,
  mailsWaiting,
  proofsFound,
  interactionBinding,
  refusedAttempts,
  throttling,
  clientRevocation,
];

// Any number that no other program on the same database uses for its own lock.
const lock = 4_736_672;

/** A table that a migration changes is held by somebody else. Nothing was changed. */
export class TableHeld extends Error {}

/** PostgreSQL's code for a lock that did not come in time. */
const lockTimedOut = '55P03';

/**
 * Brings the database to the newest shape and answers with the names of the steps taken.
 * Everything happens in one transaction under an advisory lock: two processes that start together migrate
 * once, and one that is killed half-way leaves nothing behind. It has as long as it needs, and waits two seconds at most
 * for a table that somebody else holds, since whoever wants that table meanwhile waits behind it; then it throws
 * `TableHeld`.
 */
export async function migrate(db: Db): Promise<string[]> {
  const applied = await migrateAll(db).catch((fault: Error & { code?: string }) => {
    if (fault.code !== lockTimedOut) throw fault;
    throw new TableHeld(
      'A migration waited for a table that something else holds; nothing was changed, try again.',
    );
  });
  if (applied.length > 0) await analyse(db);
  return applied;
}

/**
 * Tells PostgreSQL what the tables hold, where they hold anything. One that is known to be empty would be read from end
 * to end by every plan that is kept; one of which nothing is known is taken for ten pages, and asked by its index.
 */
async function analyse(db: Db): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT quote_ident(relname) AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND pg_relation_size(oid) > 10 * 8192`,
  );
  for (const { name } of rows)
    await db.transaction((open) => open.run(sql.raw(`ANALYZE ${name}`)), { unhurried: true });
}

function migrateAll(db: Db): Promise<string[]> {
  const inOne = async (open: Db) => {
    // Whoever waits for another process that migrates holds up nobody, and may wait for long.
    await open.query('SELECT pg_advisory_xact_lock($1)', [lock]);
    await open.query("SET LOCAL lock_timeout = '2s'");
    await open.query(
      'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL)',
    );
    const { rows } = await open.query<{ name: string }>('SELECT name FROM migrations');
    const applied = new Set(rows.map((row) => row.name));
    const missing = migrations.filter(({ name }) => !applied.has(name));
    for (const { name, up } of missing) {
      for (const statement of up(sql.schema).toSQL()) {
        await open.run(sql.raw(statement.sql, statement.bindings as Knex.RawBinding[]));
      }
      await open.query('INSERT INTO migrations (name, applied_at) VALUES ($1, $2)', [name, new Date()]);
    }
    return missing.map(({ name }) => name);
  };
  return db.transaction(inOne, { unhurried: true });
}

/** Whether the database has every step that this program needs. */
export async function migrated(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>(
    "SELECT to_regclass('migrations') IS NOT NULL AS there",
  );
  if (!rows[0]?.there) return false;
  const { count } = await db.query('SELECT name FROM migrations WHERE name = ANY($1)', [
    migrations.map((m) => m.name),
  ]);
  return count === migrations.length;
}
