/** The database is away (T39): everybody is told to come back, nothing fails open, and it heals alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { isDatabaseUnavailable } from '../../src/db/unavailable.ts';
import { at, signInFirst, typePassword } from '../rig/ceremony.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { openWith } from '../races/two-processes.ts';
import { type Door, startDoor } from './door.ts';
import { until } from './until.ts';

let database: Awaited<ReturnType<typeof newDatabase>>;
let door: Door;
let behindTheDoor: string;
let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  database = await newDatabase();
  const there = new URL(database.url);
  door = await startDoor({ host: there.hostname, port: Number(there.port) });
  there.port = String(door.port);
  behindTheDoor = there.href;
  hemma = await startHemma({ env: { DATABASE_URL: behindTheDoor } });
  autopay = await startRelyingParty({ hemma });
});
afterEach(() => door.open());
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
  await door.stop();
  await database.drop();
});

async function signedIn(email: string): Promise<{ visitor: Visitor; key: string }> {
  await hemma.account({ email });
  const visitor = newVisitor();
  const { key } = await signInFirst(visitor, (await autopay.begin()).url, email);
  return { visitor, key };
}

const health = async (which: 'live' | 'ready') =>
  (await exchange(new URL(`/health/${which}`, hemma.issuer))).status;

describe('a database that is away', () => {
  test('SECURITY 12, T39 is a 503 with Retry-After on every page and endpoint, and heals without a restart', async () => {
    const { visitor } = await signedIn('astrid@example.com');
    const { url } = await autopay.begin();
    door.shut();
    const token = { method: 'POST', headers: { accept: 'application/json' } };
    const basic = Buffer.from(`${autopay.clientId}:${autopay.clientSecret}`).toString('base64');
    const answers = [
      await visitor.request(url),
      await visitor.request(hemma.url('/account')),
      await exchange(new URL('/token', hemma.issuer), {
        ...token,
        headers: {
          ...token.headers,
          authorization: `Basic ${basic}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=refresh_token&refresh_token=abc',
      }),
      await exchange(new URL('/me', hemma.issuer), { headers: { authorization: 'Bearer abc' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    for (const { headers } of answers) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(headers.location).toBeUndefined();
      expect(headers['set-cookie'] ?? []).toEqual([]);
    }
    expect([await health('live'), await health('ready')]).toEqual([200, 503]);
    door.open();
    expect(await health('ready')).toBe(200);
    at('back', await visitor.visit(url));
  });

  test('SECURITY 12, T39 in the middle of a sign-in: the page says to try again, and the same form goes on afterwards', async () => {
    const { key } = await signedIn('bertil@example.com');
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    const page = at('totp', await typePassword(visitor, 'bertil@example.com'));
    door.shut();
    const code = sixDigits(key, { step: 1 });
    const failed = await visitor.submit({ code });
    expect([failed.status, failed.step]).toEqual([503, 'problem']);
    expect(failed.text).not.toMatch(/ECONN|postgres|Error/);
    door.open();
    visitor.backTo(page);
    at('back', await visitor.submit({ code }));
  });

  test('T39 whose connections are all ended at once is back at the next request but one', async () => {
    const { visitor } = await signedIn('cecilia@example.com');
    const other = await openWith({ DATABASE_URL: database.url });
    const ended = await other.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await other.close();
    expect(ended.count).toBeGreaterThan(0);
    const { url } = await autopay.begin();
    await visitor.request(url);
    await until('it answers again', async () => (await visitor.request(url)).status === 303, 5_000);
  });
});

test('T39 a connection that breaks between two statements is the database being away, whatever is asked of it then', async () => {
  const db = await openWith({ DATABASE_URL: behindTheDoor });
  const faults: { message?: string }[] = [];
  await db
    .transaction(async (open) => {
      await open.query('SELECT 1');
      door.shut();
      for (let time = 0; time < 3; time += 1)
        await open.query('SELECT 1').catch((fault: Error) => faults.push(fault));
      throw new Error('nothing of it stays');
    })
    .catch(() => undefined);
  await db.close();
  expect(faults.map((fault) => [fault.message, isDatabaseUnavailable(fault)])).toEqual(
    faults.map(({ message }) => [message, true]),
  );
  expect(faults).toHaveLength(3);
});

describe('a database that takes the call and says nothing', () => {
  test('T39 is a 503 within fifteen seconds, and heals', async () => {
    const { visitor } = await signedIn('david@example.com');
    const { url } = await autopay.begin();
    door.silence();
    const answers = await Promise.all([1, 2, 3].map(() => visitor.request(url)));
    for (const { status, took, headers } of answers) {
      expect([status, headers['retry-after'] === undefined]).toEqual([503, false]);
      expect(took).toBeLessThan(15_000);
    }
    door.open();
    await until('it answers again', async () => (await visitor.request(url)).status === 303, 10_000);
  });
});
