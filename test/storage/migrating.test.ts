/** A migration has as long as it needs, waits for nobody's table for long, and its indexes are used. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { readSettings } from '../../config/settings.ts';
import { migrate, isMigrated } from '../../migrations/index.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { runToEnd } from '../rig/process.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';

let database: DatabaseCopy;
let db: Database;
/** Somebody else at the same database, who has no hurry. */
let other: Client;

beforeEach(async () => {
  database = await newDatabase({ migrated: false });
  // Both time-outs of a statement, the server's and our own, shorter than what each migration below takes.
  const read = readSettings({ DATABASE_URL: `${database.url}?statement_timeout=300&query_timeout=400` });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  db = await openDatabase(read.settings);
  other = new Client({ connectionString: database.url });
  await other.connect();
});
afterEach(async () => {
  await other.end();
  await db.close();
  await database.drop();
});

const slowly = 'SELECT pg_sleep(0.6)';

test('takes longer than any other statement may', async () => {
  await other.query(
    `CREATE FUNCTION slowly() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF current_setting('test.slept', true) IS NULL THEN
         PERFORM set_config('test.slept', 'yes', false); PERFORM pg_sleep(0.6);
       END IF;
     END $$`,
  );
  await other.query(
    "CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION slowly()",
  );
  const began = performance.now();
  expect(await migrate(db)).toContain('0017-proofs-found');
  expect(performance.now() - began).toBeGreaterThan(600);
  expect(await isMigrated(db)).toBe(true);
  // Everybody else's statements are cut, before it and after it, on the same connections.
  await expect(db.query(slowly)).rejects.toThrow('timeout');
  await expect(db.transaction((open) => open.query(slowly))).rejects.toThrow('timeout');
});

test('waits for another process that migrates, however long that takes', async () => {
  await other.query('BEGIN');
  await other.query('SELECT pg_advisory_xact_lock(4736672)');
  const applied = migrate(db);
  await wait(600);
  await other.query('COMMIT');
  expect(await applied).toContain('0017-proofs-found');
});

test('gives up on a table that somebody holds, changes nothing, and says so in a sentence', async () => {
  await migrate(db);
  await other.query("DELETE FROM migrations WHERE name = '0017-proofs-found'");
  await other.query('DROP INDEX proofs_by_account, proofs_by_ref');
  await other.query('BEGIN');
  await other.query('LOCK TABLE proofs IN ROW EXCLUSIVE MODE');
  const end = await runToEnd('src/main.js', await settingsOfOne(database.url, 'smtp://127.0.0.1:1'));
  expect([end.code, end.stderr]).toEqual([
    1,
    expect.stringMatching(/^A migration waited for a table that something else holds[^\n]*\n$/),
  ]);
  await other.query('COMMIT');
  expect(await migrate(db)).toEqual(['0017-proofs-found']);
});

test.each([
  [
    'an account',
    'DELETE FROM proofs WHERE account_id = $1 AND interaction IS DISTINCT FROM $2',
    'proofs_by_account',
  ],
  ['one thing', 'DELETE FROM proofs WHERE factor = $2 AND ref = $3 AND interaction <> $1', 'proofs_by_ref'],
])('finds the proofs of %s among many by an index', async (_what, statement, index) => {
  await migrate(db);
  await other.query(
    `WITH people AS (
       INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required, created_at)
       SELECT md5(n::text)::uuid, n || '@x.example', n || '@x.example', 'Åsa', 'person', 'x', true, now()
       FROM generate_series(1, 5000) AS n RETURNING id)
     INSERT INTO proofs (interaction, factor, account_id, ref, at)
     SELECT id::text, factor, id, CASE factor WHEN 'totp' THEN id::text END, now()
     FROM people, unnest(ARRAY['password', 'totp']) AS factor`,
  );
  await other.query('ANALYZE proofs');
  await other.query('SET plan_cache_mode = force_generic_plan');
  await other.query(`PREPARE voiding AS ${statement}`);
  const given =
    index === 'proofs_by_ref' ? "('a', 'totp', 'b')" : "('00000000-0000-0000-0000-000000000000', 'a')";
  const { rows } = await other.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE voiding ${given}`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain(index);
  expect(plan).not.toContain('Seq Scan');
});
