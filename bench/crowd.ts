/** Fills a database with a crowd, straight by SQL: millions of rows would take the product's own functions hours. */
import { Client } from 'pg';
import { fixtureEmail, freeHash, password } from './town.ts';

const insertUsersSql = `
  INSERT INTO accounts (id, email, email_key, name, role, password_hash, two_step_required, email_verified_at, created_at)
  SELECT gen_random_uuid(), email, email, 'Åsa Ek', 'person', $2, false, $3, $3
  FROM (SELECT replace($4, '#', number::text) AS email FROM generate_series(0, $1::int - 1) AS number) AS crowd`;

/** The browser that each of them has always had; see crowdDevice. */
const insertDevicesSql = `
  INSERT INTO devices (id, account_id, token_hash, label, first_seen_at, last_seen_at)
  SELECT gen_random_uuid(), id, sha256(convert_to('device-' || substring(email FROM '[0-9]+'), 'UTF8')),
    'Firefox, Linux', $1, $1
  FROM accounts WHERE email LIKE 'crowd-%'`;

/** Ten rows a person after one of each kind that was left by a real sign-in: a session, a grant, tokens and codes. */
const insertRecordsSql = `
  INSERT INTO oidc_records (model, key, payload, grant_id, uid, account_id, expires_at)
  SELECT sample.model, sha256(convert_to(crowd.id::text || turn, 'UTF8')), sample.payload,
    CASE WHEN sample.grant_id IS NOT NULL THEN 'grant of ' || crowd.id END,
    CASE WHEN sample.uid IS NOT NULL THEN 'uid of ' || crowd.id || turn END,
    CASE WHEN sample.account_id IS NOT NULL THEN crowd.id::text END,
    $1::timestamptz + interval '12 hours'
  FROM (SELECT id FROM accounts WHERE email LIKE 'crowd-%') AS crowd
  CROSS JOIN generate_series(0, 9) AS turn
  JOIN (
    SELECT DISTINCT ON (model) model, payload, grant_id, uid, account_id, place FROM oidc_records
    JOIN (VALUES ('Session', 0, 0), ('Grant', 1, 1), ('AuthorizationCode', 2, 2), ('AccessToken', 3, 6),
      ('RefreshToken', 7, 9)) AS kinds (kind, least, most) ON kind = model
    CROSS JOIN LATERAL (SELECT int4range(least, most, '[]') AS place) AS places
  ) AS sample ON sample.place @> turn`;

/** Takes the indexes off the large table, which filled with them takes ten times as long; answers how to make them again. */
async function dropIndexes(client: Client): Promise<string[]> {
  await client.query("SET maintenance_work_mem = '512MB'");
  await client.query('SET synchronous_commit = off');
  const constraints = await client.query<{ name: string; what: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS what FROM pg_constraint
     WHERE conrelid = 'oidc_records'::regclass AND contype = 'p'`,
  );
  const keys = constraints.rows.map(({ name, what: constraint }) => {
    const add = `ALTER TABLE oidc_records ADD CONSTRAINT ${name} ${constraint}`;
    return { drop: `ALTER TABLE oidc_records DROP CONSTRAINT ${name}`, add };
  });
  for (const { drop } of keys) await client.query(drop);
  const indexes = await client.query<{ name: string; add: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS add FROM pg_index
     WHERE indrelid = 'oidc_records'::regclass`,
  );
  for (const { name } of indexes.rows) await client.query(`DROP INDEX ${name}`);
  return [...keys, ...indexes.rows].map(({ add }) => add);
}

/** Fills and analyses; answers the seconds that it took. */
export async function insertPopulation(url: string, count: number): Promise<number> {
  const begun = performance.now();
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const now = new Date();
    await client.query(insertUsersSql, [
      count,
      freeHash(password),
      now,
      fixtureEmail('crowd', 0).replace('0', '#'),
    ]);
    await client.query(insertDevicesSql, [now]);
    const rebuildStatements = await dropIndexes(client);
    const { rowCount } = await client.query(insertRecordsSql, [now]);
    for (const statement of rebuildStatements) await client.query(statement);
    if (rowCount !== count * 10) throw new Error(`${rowCount} rows instead of ${count * 10}`);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
  return (performance.now() - begun) / 1000;
}
