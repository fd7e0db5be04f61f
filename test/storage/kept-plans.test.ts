/**
 * What is asked again and again has its plan kept by PostgreSQL, also one that was made on a new database. A table that is
 * read from end to end then is read so for as long as a minute, while it grows by thousands of rows.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { newPerson } from '../protocol/people.ts';
import { basicOf, get, post } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';

let database: DatabaseCopy;
let hemma: Hemma;

beforeAll(async () => {
  database = await newDatabase();
  // The servers of the tests count nothing by themselves.
  await asked(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET track_counts = on`);
  hemma = await startHemma({ beside: { DATABASE_URL: database.url }, env: { HEMMA_SMTP_URL: '' } });
});
afterAll(() => database.drop());

async function asked<Row extends object>(question: string): Promise<Row[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Row>(question)).rows;
  } finally {
    await client.end();
  }
}

/** Times that tables were read from end to end, and by an index, as the server's processes said when they ended. */
async function readings() {
  const rows = await asked<{ name: string; whole: string; byIndex: string }>(
    'SELECT relname AS name, seq_scan AS whole, coalesce(idx_scan, 0) AS "byIndex" FROM pg_stat_user_tables',
  );
  return rows.map(({ name, whole, byIndex }) => ({ name, whole: Number(whole), byIndex: Number(byIndex) }));
}

/** PostgreSQL keeps a plan from the sixth time on. */
const turns = 40;

test('no record is looked for from end to end by a plan that was kept while there were none', async () => {
  const web = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  const person = await newPerson(hemma, { twoStep: false });
  const wanted = { scope: 'openid profile offline_access', prompt: 'consent' };
  let { access_token: access, refresh_token: refresh } = (await person.signInTo(web, wanted)).tokens;
  for (let turn = 0; turn < turns; turn += 1) {
    const body = { grant_type: 'refresh_token', refresh_token: String(refresh) };
    const renewed = await post(hemma.url('/token'), body, basicOf(web));
    expect(renewed.status).toBe(200);
    access = String(renewed.json['access_token']);
    refresh = String(renewed.json['refresh_token']);
    expect((await get(hemma.url('/me'), { authorization: `Bearer ${access}` })).status).toBe(200);
    await person.elsewhere().signInTo(web);
  }
  await web.stop();
  await hemma.stop();
  const tables = await readings();
  expect(tables.find(({ name }) => name === 'oidc_records')?.byIndex).toBeGreaterThan(turns);
  // The chores may, now and then; what each turn asks may not.
  expect(tables.filter(({ whole }) => whole > turns / 2)).toEqual([]);
});
