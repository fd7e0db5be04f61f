/**
 * Which statements read a big table from end to end. Run by hand, in one of three ways:
 * - `node bench/plans.ts [--accounts 100000]` starts a PostgreSQL of its own, fills it (ten records for each account) and
 *   judges the statements that are listed here, also by a plan that was kept while the tables were empty;
 * - `DATABASE_URL=… node bench/plans.ts` judges every text that a running provider has sent to that database, out of
 *   `pg_stat_statements` (`shared_preload_libraries`, then `CREATE EXTENSION`);
 * - `DATABASE_URL=… node bench/plans.ts texts.json` those of an array in a file, such as the `json_agg(statement)` of
 *   `pg_prepared_statements`, which shows a session its own alone.
 * Each is prepared anew with unknown values and a generic plan, as PostgreSQL keeps after five executions at worst; it is
 * explained and never run. `--rows`: from how many rows on a table is big.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { readSettings } from '../config/settings.ts';
import { migrate } from '../migrations/index.ts';
import { openDatabase, plannerOptions } from '../src/db/database.ts';
import { startPostgres } from '../test/rig/postgres.ts';

const { values: optionValues, positionals } = parseArgs({
  allowPositionals: true,
  options: { accounts: { type: 'string', default: '100000' }, rows: { type: 'string', default: '1000' } },
});
/** A table is big from so many rows on. */
const bigTableRows = Number(optionValues.rows);
const accounts = Number(optionValues.accounts);
const log = (line: string) => process.stdout.write(`${line}\n`);

/** The hot path, as src/ writes it. */
const hotPathStatements = [
  'SELECT key, payload, consumed_at FROM oidc_records WHERE model = $1 AND key = $2',
  'SELECT key, payload, consumed_at FROM oidc_records WHERE uid = $2 AND model = $1',
  'UPDATE oidc_records SET consumed_at = $3 WHERE model = $1 AND key = $2 AND consumed_at IS NULL',
  'DELETE FROM oidc_records WHERE model = $1 AND key = $2 RETURNING payload',
  'DELETE FROM oidc_records WHERE grant_id = $1',
  'DELETE FROM oidc_records WHERE grant_id = ANY($1::text[])',
  "SELECT uid FROM oidc_records WHERE account_id = $1 AND model = 'Session' AND expires_at > $2",
  "SELECT payload FROM oidc_records WHERE account_id = $1 AND model = 'Grant' AND payload->>'clientId' = $2 AND expires_at > $3 ORDER BY expires_at DESC LIMIT 1",
  "DELETE FROM oidc_records WHERE model IN ('Grant', 'ClientCredentials') AND payload->>'clientId' = $1",
  "DELETE FROM oidc_records WHERE model = 'Interaction' AND payload->'result'->'login'->>'accountId' = $1",
  "DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(SELECT ctid FROM oidc_records WHERE expires_at < $1 AND (model <> 'DeviceCode' OR expires_at < $1::timestamptz - interval '1 hour') ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
  "DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(SELECT ctid FROM oidc_records WHERE model = 'Session' AND expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
  // As it was: without an order the plan was free to read the table.
  'DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(SELECT ctid FROM oidc_records WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))',
  'SELECT * FROM accounts WHERE email_key = $1',
  'SELECT * FROM accounts WHERE id = $1',
  'SELECT * FROM devices WHERE token_hash = $1 AND account_id = $2',
  'UPDATE devices SET last_seen_at = $2 WHERE id = $1',
  'SELECT * FROM authenticators WHERE account_id = $1',
  'SELECT * FROM recovery_codes WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL',
  'SELECT * FROM attempts WHERE subject = $1 AND factor = $2',
  'DELETE FROM attempts WHERE ctid = ANY(ARRAY(SELECT ctid FROM attempts WHERE updated_at < $1 AND (blocked_until IS NULL OR blocked_until < $1) LIMIT $2))',
  'SELECT factor, account_id FROM proofs WHERE interaction = $1',
  'DELETE FROM proofs WHERE account_id = $1 AND interaction IS DISTINCT FROM $2',
  'DELETE FROM proofs WHERE factor = $2 AND ref = $3 AND interaction <> $1',
  'DELETE FROM proofs WHERE ctid = ANY(ARRAY(SELECT ctid FROM proofs WHERE at < $1 LIMIT $2))',
  'DELETE FROM mails WHERE ctid = ANY(ARRAY(SELECT ctid FROM mails WHERE coalesce(delivered_at, created_at) < $1 ORDER BY coalesce(delivered_at, created_at) LIMIT $2))',
  'DELETE FROM logout_messages WHERE ctid = ANY(ARRAY(SELECT ctid FROM logout_messages WHERE settled_at < $1 ORDER BY settled_at LIMIT $2))',
  'DELETE FROM audit WHERE ctid = ANY(ARRAY(SELECT ctid FROM audit WHERE at < $1 ORDER BY at, id LIMIT $2))',
];

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}
const sequentialScans = (node: PlanNode): string[] => [
  ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : []),
  ...(node.Plans ?? []).flatMap(sequentialScans),
];

/** Statements under names of their own, prepared in one session, whose plans it keeps. */
async function prepareStatements(client: Client, texts: readonly string[]): Promise<void> {
  await client.query('SET plan_cache_mode = force_generic_plan');
  for (const [place, text] of texts.entries()) await client.query(`PREPARE kept_${place} AS ${text}`);
}

/** Which tables each of them reads from end to end; undefined where PostgreSQL explains no such statement. */
async function findSequentialScans(client: Client, place: number): Promise<string[] | undefined> {
  const { rows } = await client.query<{ parameters: number }>(
    'SELECT cardinality(parameter_types)::int AS parameters FROM pg_prepared_statements WHERE name = $1',
    [`kept_${place}`],
  );
  const nulls = Array.from({ length: rows[0]?.parameters ?? 0 }, () => 'NULL').join(', ');
  const { rows: plans } = await client
    .query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (FORMAT JSON) EXECUTE kept_${place}${nulls === '' ? '' : ` (${nulls})`}`,
    )
    .catch(() => ({ rows: [] }));
  return plans[0] && sequentialScans(plans[0]['QUERY PLAN'][0].Plan);
}

/** Says of each statement what it scans; answers how many read a big table. */
async function checkPlans(client: Client, texts: readonly string[], what: string): Promise<number> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND (reltuples > $1 OR reltuples < 0 AND pg_relation_size(oid) > $1 * 64)",
    [bigTableRows],
  );
  const bigOnes = new Set(rows.map(({ name }) => name));
  let bad = 0;
  for (const [place, text] of texts.entries()) {
    const read = (await findSequentialScans(client, place))?.filter((table) => bigOnes.has(table));
    if (!read?.length) continue;
    bad += 1;
    log(`  reads all of ${read.join(', ')}: ${text.replaceAll(/\s+/g, ' ').slice(0, 150)}`);
  }
  log(`${what}: ${texts.length} statements, ${bad} read a big table from end to end`);
  return bad;
}

async function fillDatabase(client: Client): Promise<void> {
  await client.query(
    `INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required, created_at)
     SELECT md5(n::text)::uuid, n || '@x.example', n || '@x.example', 'Åsa ' || n, 'person', 'x', true, now()
     FROM generate_series(1, $1::int) AS n`,
    [accounts],
  );
  for (const [table, columns, rest] of [
    [
      'authenticators',
      'id, account_id, sealed_secret, last_step, created_at, last_used_at',
      "'x', 0, now(), now()",
    ],
    [
      'devices',
      'id, account_id, token_hash, label, first_seen_at, last_seen_at',
      "sha256(id::text::bytea), 'x', now(), now()",
    ],
    ['recovery_codes', 'id, account_id, hash, created_at, live_at', "'x', now(), now()"],
    ['attempts', 'subject, factor, failures, updated_at', ''],
    ['proofs', 'interaction, factor, account_id, at', ''],
    ['audit', 'event, account_id, at, detail', ''],
    [
      'mails',
      'id, kind, recipient, tries, created_at, next_try_at, delivered_at',
      "'x', 'x', 1, now(), now(), now()",
    ],
    [
      'logout_messages',
      'id, client_id, account_id, session, tries, created_at, settled_at',
      "'app', id, id::text, 1, now(), now()",
    ],
  ] as const) {
    const first = columns.split(', ')[1] === 'account_id' ? 'id, id' : 'id';
    const own = { attempts: "id::text, 'totp', 1, now()", proofs: "id::text, 'totp', id, now()" } as Record<
      string,
      string
    >;
    const values =
      table === 'audit' ? "'token.issued', id, now(), '{}'" : (own[table] ?? `${first}, ${rest}`);
    await client.query(`INSERT INTO ${table} (${columns}) SELECT ${values} FROM accounts`);
  }
  await client.query(
    `INSERT INTO oidc_records (model, key, payload, grant_id, uid, account_id, expires_at)
     SELECT (ARRAY['AccessToken', 'RefreshToken', 'Grant', 'Session', 'Interaction'])[1 + n % 5],
       sha256(n::text::bytea), jsonb_build_object('clientId', 'app-' || n % 50), CASE WHEN n % 5 < 2 THEN n::text END,
       CASE WHEN n % 5 = 3 THEN n::text END, CASE WHEN n % 5 < 4 THEN md5((n / 10)::text) END, now() + n * interval '1 second'
     FROM generate_series(1, $1::int) AS n`,
    [accounts * 10],
  );
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, options: plannerOptions });
  await client.connect();
  return client;
}

async function checkRunningProvider(address: string, name: string | undefined): Promise<void> {
  const client = await connect(address);
  const sent = `SELECT DISTINCT query AS text FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE '%$1%'`;
  const texts =
    name === undefined
      ? (await client.query<{ text: string }>(sent)).rows.map(({ text }) => text)
      : (JSON.parse(await readFile(name, 'utf8')) as string[]);
  const statements = texts.filter((text) => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text));
  await prepareStatements(client, statements);
  await checkPlans(client, statements, 'with generic plans');
  await client.end();
}

async function checkOwnDatabase(): Promise<void> {
  const postgres = await startPostgres({ durable: true });
  const url = postgres.url('postgres');
  const read = readSettings({ DATABASE_URL: url });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    const [earlyClient, worst] = [await connect(url), await connect(url)];
    await prepareStatements(earlyClient, hotPathStatements);
    for (const place of hotPathStatements.keys()) await findSequentialScans(earlyClient, place);
    await fillDatabase(worst);
    const { rows } = await worst.query<{ names: string[] }>(
      'SELECT array_agg(relname::text) AS names FROM pg_stat_user_tables WHERE analyze_count + autoanalyze_count > 0',
    );
    log(
      `${accounts} accounts, ${accounts * 10} records; analysed meanwhile: ${rows[0]?.names?.join(', ') ?? 'none'}`,
    );
    await checkPlans(
      earlyClient,
      hotPathStatements,
      'a plan kept while all was empty, nothing analysed since',
    );
    await worst.query('ANALYZE');
    await checkPlans(
      earlyClient,
      hotPathStatements,
      'a plan kept while all was empty, after ANALYZE as autovacuum does it',
    );
    const freshClient = await connect(url);
    await prepareStatements(freshClient, hotPathStatements);
    await checkPlans(freshClient, hotPathStatements, 'with generic plans made now');
    await Promise.all([earlyClient, worst, freshClient].map((client) => client.end()));
  } finally {
    await db.close();
    await postgres.stop();
  }
}

const [file] = positionals;
const url = process.env['DATABASE_URL'];
if (url) await checkRunningProvider(url, file);
else await checkOwnDatabase();
