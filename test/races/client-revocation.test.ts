/** A disabled client is revoked in small transactions, with other changes of the client between two of them. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readSettings } from '../../config/settings.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { removeClient } from '../../src/clients/access.ts';
import { revokeDisabledClients } from '../../src/clients/revocation.ts';
import { createClient, setClientEnabled } from '../../src/clients/clients.ts';
import { type Database, type Db, openDatabase } from '../../src/db/database.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';

const deadline = 120_000;
const id = 'batch';
const log = pino({ level: 'silent' });

let database: DatabaseCopy;
/** No provider serves it, so that nothing but the test revokes. */
let db: Database;

beforeEach(async () => {
  database = await newDatabase();
  const read = readSettings({ DATABASE_URL: database.url });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  db = await openDatabase(read.settings);
  await createClient(db, clientSchema.parse({ id, name: id, type: 'service' }), {});
}, deadline);
afterEach(async () => {
  await db.close();
  await database.drop();
});

/** Records of the client, of which the payload is what SQL says of the number `n`. */
const put = (open: Db, model: string, payload: string, count = 1) =>
  open.query(
    `INSERT INTO oidc_records (model, key, payload, expires_at)
     SELECT $1, sha256((random()::text || n)::bytea), ${payload}, $2 FROM generate_series(1, $3::int) AS n`,
    [model, new Date(Date.now() + 3_600_000), count],
  );
const grant = `jsonb_build_object('jti', 'grant-' || n, 'clientId', '${id}')`;
const signIn = `jsonb_build_object('params', jsonb_build_object('client_id', '${id}'))`;

const countOf = async (model: string) =>
  (await db.query('SELECT 1 FROM oidc_records WHERE model = $1', [model])).count;
const isDone = async () =>
  (await db.query('SELECT 1 FROM clients WHERE revoking_since IS NOT NULL')).count === 0;

/** The database, which does something else after the transaction with that number. */
function interrupted(after: number, work: () => Promise<void>): Db {
  let transactions = 0;
  return {
    ...db,
    async transaction(inside, pace) {
      const result = await db.transaction(inside, pace);
      transactions += 1;
      if (transactions === after) await work();
      return result;
    },
  };
}

test.each([1, 2, 3])(
  'a client that is enabled and disabled again after transaction %s of its revocation is revoked from the beginning',
  async (after) => {
    await put(db, 'Grant', grant);
    await setClientEnabled(db, id, false, {});
    const between = interrupted(after, async () => {
      await setClientEnabled(db, id, true, {});
      await put(db, 'Grant', grant);
      await put(db, 'Interaction', signIn);
      await setClientEnabled(db, id, false, {});
    });
    await revokeDisabledClients(between, log);
    expect(await isDone()).toBe(false);
    await revokeDisabledClients(db, log);
    expect([await countOf('Grant'), await countOf('Interaction'), await isDone()]).toEqual([0, 0, true]);
  },
  deadline,
);

test.each(['disabled', 'removed'])(
  'no statement ends thousands of sign-ins under way of a client that is %s',
  async (how) => {
    await put(db, 'Interaction', signIn, 2600);
    await put(db, 'DeviceCode', grant, 400);
    await put(db, 'Interaction', `jsonb_build_object('params', jsonb_build_object('client_id', 'other'))`, 3);
    await db.query(
      `CREATE FUNCTION few() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF (SELECT count(*) FROM gone) > 1000 THEN RAISE 'too many at once'; END IF; RETURN NULL;
       END $$`,
    );
    await db.query(
      `CREATE TRIGGER few AFTER DELETE ON oidc_records REFERENCING OLD TABLE AS gone
       FOR EACH STATEMENT EXECUTE FUNCTION few()`,
    );
    if (how === 'removed') await removeClient(db, id, {});
    else {
      await setClientEnabled(db, id, false, {});
      await revokeDisabledClients(db, log);
    }
    expect([await countOf('Interaction'), await countOf('DeviceCode')]).toEqual([3, 0]);
  },
  deadline,
);

test('finds the sign-ins under way of one client by an index', async () => {
  await put(
    db,
    'Interaction',
    `jsonb_build_object('params', jsonb_build_object('client_id', n::text))`,
    5000,
  );
  await db.query('ANALYZE oidc_records');
  const { rows } = await db.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT ctid FROM oidc_records WHERE model IN ('Interaction', 'DeviceCode', 'PushedAuthorizationRequest')
       AND coalesce(payload->'params'->>'client_id', payload->>'clientId') = '7' LIMIT 500 FOR UPDATE`,
  );
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('oidc_records_pending_by_client');
});
