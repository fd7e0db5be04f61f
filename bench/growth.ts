/**
 * What an hour of sign-ins does to the tables, on a PostgreSQL on disk with fsync. Run by hand:
 * `node bench/growth.ts [--minutes 60] [--sign-ins 10] [--refreshes 10] [--set 1] [--before] [--real]`,
 * rates a second.
 *
 * How the hour is compressed: rows are written in sets (ten simulated seconds a transaction) and not one by one, with
 * the expiries that they would have; the clock of this process is moved, and PostgreSQL's is asked for nothing; the
 * product's own sweepers run after each simulated twenty seconds; autovacuum, which counts real minutes, is off, and each
 * simulated minute a table is vacuumed or analysed where its own thresholds (with the table's parameters) say so. Sets
 * leave out what each transaction writes of its own, and what they say of HOT is wrong: pages fill with rows of one kind.
 * `--set 1` writes one by one, for that.
 * `--real` moves no clock: an hour takes an hour, and autovacuum is PostgreSQL's. `--before` is the state before 0015.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../migrations/index.ts';
import { createPruneJob } from '../src/app/jobs.ts';
import { endExpiredSessions } from '../src/sessions/records.ts';
import type { Database, Db } from '../src/db/database.ts';
import { openDatabase, sql } from '../src/db/database.ts';
import { startPostgres } from '../test/rig/postgres.ts';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'sign-ins': { type: 'string', default: '10' },
    refreshes: { type: 'string', default: '10' },
    // Rows of so many in one statement; one by one (1) is slow, and is how pages fill in truth.
    set: { type: 'string', default: '1000' },
    before: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
  },
});
const minutes = Number(given.minutes);
const signIns = Number(given['sign-ins']) * 10;
const refreshes = Number(given.refreshes) * 10;
const rowsPerBatch = Number(given.set);
const userCount = 5000;
const batchRows = 10_000;

const log = (line: string) => process.stdout.write(`${line}\n`);

const RealDate = Date;
let clockOffsetMs = 0;
class ShiftedDate extends RealDate {
  constructor(time: number | string | Date = RealDate.now() + clockOffsetMs) {
    super(time);
  }
  static override now = () => RealDate.now() + clockOffsetMs;
}
if (!given.real) globalThis.Date = ShiftedDate as DateConstructor;

const runSql = (db: Db, text: string) => db.run(sql.raw(text.replaceAll('?', '\\?')));

/** A record of each of `ids`; `bytes` is about what its payload takes. */
const insertRecordSql = (
  model: string,
  bytes: number,
  seconds: number,
  more: { grant?: boolean; uid?: boolean } = {},
) =>
  `INSERT INTO oidc_records (model, key, payload, grant_id, uid, account_id, expires_at)
   SELECT '${model}', sha256(convert_to('${model}' || id, 'UTF8')), jsonb_build_object('kind', '${model}',
       'clientId', 'app', 'accountId', person, 'uid', id, 'authorizations', '{"app": {"sid": "s"}}'::jsonb,
       'more', (SELECT string_agg(md5(id || n), '') FROM generate_series(1, ${Math.ceil(bytes / 32)}) AS n)),
     ${more.grant ? 'id' : 'NULL'}, ${more.uid ? 'id' : 'NULL'}, person, $2::timestamptz + interval '${seconds} seconds'
   FROM ids`;
const recordKeysSql = (model: string) =>
  `model = '${model}' AND key IN (SELECT sha256(convert_to('${model}' || id, 'UTF8')) FROM ids)`;
const insertAuditEventSql = (event: string) =>
  `INSERT INTO audit (at, event, account_id, client_id, address, request, detail)
   SELECT $2::timestamptz, '${event}', person, 'app', '192.0.2.1', id, '{"acr": "two-step"}' FROM ids`;
const upsertAttemptSql = (factor: string, subject: string) => [
  `INSERT INTO attempts (subject, factor, failures, updated_at) SELECT DISTINCT ${subject}, '${factor}', 1, $2::timestamptz FROM ids
   ON CONFLICT (subject, factor) DO UPDATE SET failures = attempts.failures + 1, updated_at = excluded.updated_at`,
  `DELETE FROM attempts WHERE factor = '${factor}' AND subject IN (SELECT ${subject} FROM ids)`,
];
const network = "'network:192.0.2.' || abs(hashtext(id)) % 200";
/** The network's budget and the name, counted and taken back. */
const counted: readonly string[] = [
  `INSERT INTO sliding_budgets (subject, budget, level, users, updated_at) SELECT DISTINCT ${network}, 'sign-in', 1, 0, $2::timestamptz FROM ids
   ON CONFLICT (subject, budget) DO UPDATE SET level = sliding_budgets.level + 1, updated_at = excluded.updated_at`,
  `INSERT INTO network_names (network, name, failed_at, touched_at)
   SELECT DISTINCT ${network}, sha256(convert_to(person::text, 'UTF8')), $2::timestamptz, $2::timestamptz FROM ids
   ON CONFLICT (network, name) DO UPDATE SET failed_at = excluded.failed_at, touched_at = excluded.touched_at`,
  `UPDATE sliding_budgets SET level = greatest(0, level - 1), users = users + 1 WHERE subject IN (SELECT ${network} FROM ids)`,
  `UPDATE network_names SET failed_at = NULL, succeeded_at = $2::timestamptz
   WHERE (network, name) IN (SELECT ${network}, sha256(convert_to(person::text, 'UTF8')) FROM ids)`,
];
const insertVerifiedFactorSql = (factor: string) =>
  `INSERT INTO proofs (interaction, factor, account_id, at) SELECT id, '${factor}', person, $2::timestamptz FROM ids`;

/** What a sign-in with password and six digits writes, in its order, and what its application then redeems. */
const signInStatements: readonly string[] = [
  insertRecordSql('Interaction', 900, 1800),
  insertRecordSql('Session', 200, 3600, { uid: true }),
  ...counted,
  ...upsertAttemptSql('password', 'person::text'),
  insertVerifiedFactorSql('password'),
  ...upsertAttemptSql('totp', 'person::text'),
  'UPDATE authenticators SET last_step = last_step + 1, last_used_at = $2::timestamptz WHERE account_id IN (SELECT person FROM ids)',
  insertVerifiedFactorSql('totp'),
  `UPDATE oidc_records SET payload = payload || '{"result": {"login": {}}}' WHERE ${recordKeysSql('Interaction')}`,
  'UPDATE devices SET last_seen_at = $2::timestamptz WHERE account_id IN (SELECT person FROM ids)',
  insertAuditEventSql('password.right'),
  insertAuditEventSql('totp.right'),
  insertAuditEventSql('sign-in.finished'),
  // The interaction ends, and the session goes on under another identifier.
  `DELETE FROM oidc_records WHERE ${recordKeysSql('Interaction')}`,
  `DELETE FROM oidc_records WHERE ${recordKeysSql('Session')}`,
  insertRecordSql('Session', 500, 3600, { uid: true }),
  insertRecordSql('Grant', 200, 30 * 86_400),
  insertRecordSql('AuthorizationCode', 600, 60, { grant: true }),
  `UPDATE oidc_records SET consumed_at = $2::timestamptz WHERE ${recordKeysSql('AuthorizationCode')}`,
  insertRecordSql('AccessToken', 400, 600, { grant: true }),
  insertAuditEventSql('token.issued'),
];
const refreshStatements: readonly string[] = [
  insertRecordSql('RefreshToken', 600, 30 * 86_400, { grant: true }),
  `UPDATE oidc_records SET consumed_at = $2::timestamptz WHERE ${recordKeysSql('RefreshToken')}`,
  insertRecordSql('AccessToken', 400, 600, { grant: true }),
  insertAuditEventSql('token.issued'),
];

let nextId = 0;
async function writeRows(db: Db, statements: readonly string[], count: number): Promise<void> {
  for (let left = count; left > 0; left -= rowsPerBatch)
    await writeBatch(db, statements, Math.min(left, rowsPerBatch));
}

async function writeBatch(db: Db, statements: readonly string[], count: number): Promise<void> {
  const first = nextId;
  nextId += count;
  const ids = `WITH ids AS MATERIALIZED (SELECT 'id-' || n AS id, md5('person' || n % ${userCount})::uuid AS person, $2::timestamptz AS at
    FROM generate_series($1::bigint, $3::bigint) AS n) `;
  await db.transaction(async (tx) => {
    for (const statement of statements) await tx.query(ids + statement, [first, new Date(), nextId - 1]);
  });
}

async function fillDatabase(db: Db): Promise<void> {
  const now = [new Date()];
  await db.query(
    `INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required, created_at)
     SELECT md5('person' || n)::uuid, n || '@x.example', n || '@x.example', 'Åsa', 'person', 'x', true, $1
     FROM generate_series(0, ${userCount - 1}) AS n`,
    now,
  );
  await db.query(
    `INSERT INTO authenticators (id, account_id, sealed_secret, last_step, created_at, last_used_at)
     SELECT id, id, sha256(id::text::bytea), 0, $1, $1 FROM accounts`,
    now,
  );
  await db.query(
    `INSERT INTO devices (id, account_id, token_hash, label, first_seen_at, last_seen_at)
     SELECT id, id, sha256(id::text::bytea), 'Firefox on Linux', $1, $1 FROM accounts`,
    now,
  );
}

/** What each table says its autovacuum thresholds are, against what its counters say. */
const vacuumDueSql = `WITH t AS (SELECT c.oid, c.relname, greatest(c.reltuples, 0) AS n,
    coalesce((SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(c.reloptions)), '{}') AS o
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace)
SELECT quote_ident(t.relname) AS name,
  s.n_dead_tup > coalesce((o->>'autovacuum_vacuum_threshold')::float, 50) + n * coalesce((o->>'autovacuum_vacuum_scale_factor')::float, 0.2)
  OR s.n_ins_since_vacuum > 1000 + n * coalesce((o->>'autovacuum_vacuum_insert_scale_factor')::float, 0.2) AS vacuum,
  s.n_mod_since_analyze > 50 + n * coalesce((o->>'autovacuum_analyze_scale_factor')::float, 0.1) AS analyze
FROM t JOIN pg_stat_user_tables s ON s.relid = t.oid`;

async function runDueVacuums(db: Db): Promise<number> {
  const { rows } = await db.query<{ name: string; vacuum: boolean; analyze: boolean }>(vacuumDueSql);
  for (const { name, vacuum: dead, analyze } of rows)
    if (dead) await runSql(db, `VACUUM (ANALYZE ${analyze}, TRUNCATE true) ${name}`);
    else if (analyze) await runSql(db, `ANALYZE ${name}`);
  return rows.filter((row) => row.vacuum).length;
}

async function runPruneJob(db: Database, all: () => Promise<number | undefined>): Promise<void> {
  // Before, records stayed for a day: in this hour only sessions left.
  if (given.before) while ((await endExpiredSessions(db, 500)) === 500);
  else while ((await all()) !== undefined);
  await db.query(
    "UPDATE logout_messages SET outcome = 'told', settled_at = $1, next_try_at = NULL WHERE next_try_at IS NOT NULL",
    [new Date()],
  );
}

const formatKib = (bytes: number) => String(Math.round(bytes / 1024)).padStart(9);
async function reportSizes(db: Db, at: number, all: boolean): Promise<void> {
  const { rows } = await db.query<Record<string, number> & { name: string }>(
    `SELECT relname AS name, pg_relation_size(relid) AS heap, pg_indexes_size(relid) AS indexes,
       n_live_tup AS live, n_dead_tup AS dead, n_tup_upd AS upd, n_tup_hot_upd AS hot FROM pg_stat_user_tables
     WHERE (n_tup_ins + n_tup_upd > 0) AND ($1 OR relname = 'oidc_records') ORDER BY pg_total_relation_size(relid) DESC`,
    [all],
  );
  for (const { name, heap = 0, indexes = 0, live, dead, upd = 0, hot = 0 } of rows)
    log(
      `${String(at).padStart(4)} min ${name.padEnd(16)} heap ${formatKib(heap)} KiB indexes ${formatKib(indexes)} KiB live ${live} dead ${dead}` +
        ` updates ${upd}${upd > 0 ? ` (${Math.round((100 * hot) / upd)} % HOT)` : ''}`,
    );
}

async function simulateHour(db: Database): Promise<void> {
  const all = createPruneJob({
    db,
    settings: { HEMMA_OUTBOX_DAYS: 7, HEMMA_ATTEMPT_DAYS: 90, HEMMA_AUDIT_DAYS: 396 },
  } as never);
  let vacuums = 0;
  for (let iteration = 1; iteration <= minutes * 6; iteration += 1) {
    const began = performance.now();
    await writeRows(db, signInStatements, signIns);
    await writeRows(db, refreshStatements, refreshes);
    if (iteration % 2 === 0) await runPruneJob(db, all);
    if (given.real) await wait(Math.max(0, batchRows - (performance.now() - began)));
    else {
      clockOffsetMs += batchRows;
      if (iteration % 6 === 0) {
        await db.query('SELECT pg_stat_force_next_flush()');
        vacuums += await runDueVacuums(db);
      }
    }
    if (iteration % 60 === 0 || iteration === minutes * 6)
      await reportSizes(db, iteration / 6, iteration === minutes * 6);
  }
  log(given.real ? 'in real time' : `the hour was compressed as this file's head says; ${vacuums} vacuums`);
}

async function measureGrowth(): Promise<void> {
  const postgres = await startPostgres({ durable: true });
  const read = readSettings({ DATABASE_URL: postgres.url('postgres'), HEMMA_DATABASE_POOL: '2' });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    if (!given.real) await runSql(db, 'ALTER SYSTEM SET autovacuum = off');
    await db.query('SELECT pg_reload_conf()');
    if (given.before) {
      for (const name of [
        'oidc_records',
        'proofs',
        'deeds',
        'sign_in_choices',
        'attempts',
        'devices',
        'authenticators',
        'audit',
      ])
        await runSql(
          db,
          `ALTER TABLE ${name} RESET (fillfactor, autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
             autovacuum_analyze_scale_factor, autovacuum_vacuum_insert_scale_factor)`,
        );
      await runSql(db, 'DROP INDEX attempts_updated_at_index');
      await runSql(db, 'CREATE INDEX attempts_updated_at_index ON attempts (updated_at)');
    }
    await fillDatabase(db);
    const wal = async () =>
      (await db.query<{ bytes: number }>("SELECT (pg_current_wal_lsn() - '0/0')::float8 AS bytes")).rows[0]
        ?.bytes ?? 0;
    const before = await wal();
    const began = performance.now();
    await simulateHour(db);
    log(
      `${signIns * minutes * 6} sign-ins and ${refreshes * minutes * 6} refreshes in ${Math.round((performance.now() - began) / 1000)} s;` +
        ` ${Math.round(((await wal()) - before) / ((signIns + refreshes) * minutes * 6))} bytes of WAL each`,
    );
    const { rows } = await db.query<{ name: string; scans: number; bytes: number }>(
      `SELECT indexrelname AS name, idx_scan AS scans, pg_relation_size(indexrelid) AS bytes FROM pg_stat_user_indexes
       WHERE relname IN ('oidc_records', 'attempts') ORDER BY 3 DESC`,
    );
    for (const { name, scans, bytes } of rows)
      log(`  ${name}: ${formatKib(bytes)} KiB, asked ${scans} times`);
  } finally {
    await db.close();
    await postgres.stop();
  }
}

await measureGrowth();
