/** Processes start together, stop in the middle and die in the middle; people notice nothing of it (T40). */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, connectPhone, signInFirst, typePassword } from '../rig/ceremony.ts';
import { type Answer, exchange } from '../rig/exchange.ts';
import { runToEnd, startProcess } from '../rig/process.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilNoneWaits, untilWaiting } from './interleave.ts';
import { openWith, startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
let autopay: RelyingParty;

beforeAll(async () => {
  two = await startTwo({ migrated: false });
  autopay = await startRelyingParty({ hemma: two });
});
afterEach(releaseAll);
afterAll(async () => {
  await autopay.stop();
  await two.stop();
});

/** A process ended on purpose is started again, on its old port, for the tests that follow. */
async function replace(place: 0 | 1): Promise<void> {
  await two.processes[place].ended;
  two.processes[place] = await startProcess(two.settings[place]);
}

describe('two processes that start on an empty database', () => {
  test('T40 migrate it once, make the keys once, and publish the same', async () => {
    const { rows } = await two.db.query<{ times: number }>(
      'SELECT count(*) AS times FROM migrations GROUP BY name',
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { times } of rows) expect(times).toBe(1);
    const keys = await two.db.query('SELECT kind, count(*) AS number FROM keys GROUP BY kind ORDER BY kind');
    expect(keys.rows).toEqual([
      { kind: 'cookie', number: 1 },
      { kind: 'pairwise', number: 1 },
      { kind: 'signing', number: 3 },
    ]);
    const published: string[] = [];
    for (const place of [0, 1]) {
      two.balancer.only(place);
      published.push((await exchange(new URL('/jwks', two.issuer))).body);
    }
    two.balancer.only(undefined);
    expect(published[0]).toBe(published[1]);
  });

  test('T40 four commands that migrate at once take every step once between them', async () => {
    const empty = await newDatabase({ migrated: false });
    const env = { DATABASE_URL: empty.url };
    const ends = await Promise.all(
      [1, 2, 3, 4].map(() => runToEnd('src/cli/main.js', env, ['migrate', '--json'])),
    );
    expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual([1, 2, 3, 4].map(() => [0, '']));
    const applied = ends.map(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied);
    const db = await openWith(env);
    const { rows } = await db.query<{ name: string }>('SELECT name FROM migrations ORDER BY name');
    await db.close();
    await empty.drop();
    expect(applied.flat().toSorted()).toEqual(rows.map(({ name }) => name));
    expect(applied.filter((steps) => steps.length > 0)).toHaveLength(1);
  });
});

describe('without sticky sessions', () => {
  test('T40 every request of a sign-in may meet another process', async () => {
    await two.account({ email: 'astrid@example.com' });
    const before = [...two.balancer.taken];
    const visitor = newVisitor();
    const { key } = await signInFirst(visitor, (await autopay.begin()).url, 'astrid@example.com');
    const begun = await autopay.begin({ prompt: 'login' });
    await visitor.visit(begun.url);
    at('totp', await typePassword(visitor, 'astrid@example.com'));
    const screen = at('back', await visitor.submit({ code: sixDigits(key, { step: 1 }) }));
    const tokens = await autopay.redeem(begun, screen.url);
    expect((await autopay.verify(tokens.id_token ?? '')).payload).toMatchObject({ acr: 'urn:hemma:2' });
    for (const [place, count] of two.balancer.taken.entries())
      expect(count - (before[place] ?? 0)).toBeGreaterThan(3);
  });

  test('T40 a page of one process is answered by the other, with its cookies and its form', async () => {
    await two.account({ email: 'bertil@example.com' });
    const visitor = newVisitor();
    two.balancer.only(0);
    at('password', await visitor.visit((await autopay.begin()).url));
    two.balancer.only(1);
    at('enrollment', await typePassword(visitor, 'bertil@example.com'));
    two.balancer.only(0);
    await connectPhone(visitor);
    at('back', visitor.screen);
    two.balancer.only(1);
    expect((await visitor.visit(two.url('/account'))).text).toContain('bertil@example.com');
    two.balancer.only(undefined);
  });
});

describe('a process that is told to stop', () => {
  test('T40 answers what is under way, takes nothing new, and the person goes on with the other', async () => {
    await two.account({ email: 'cecilia@example.com' });
    const visitor = newVisitor();
    const { key } = await signInFirst(visitor, (await autopay.begin()).url, 'cecilia@example.com');
    two.balancer.only(0);
    await visitor.visit((await autopay.begin({ prompt: 'login' })).url);
    at('totp', await typePassword(visitor, 'cecilia@example.com'));
    const held = await hold(two.databaseUrl, 'LOCK TABLE devices IN ACCESS EXCLUSIVE MODE');
    const underWay = visitor.request(two.url('/account'));
    await untilWaiting(two.databaseUrl, 1);
    const told = performance.now();
    two.processes[0].kill('SIGTERM');
    two.balancer.only(undefined);
    // Its door is closed while the answer is still being made.
    const door = new URL(`http://127.0.0.1:${two.settings[0]['HEMMA_PORT'] ?? ''}/health/live`);
    await untilRefused(door);
    await held.release();
    expect((await underWay).status).toBe(200);
    at('back', await visitor.submit({ code: sixDigits(key, { step: 1 }) }));
    const end = await two.processes[0].ended;
    expect([end.code, end.signal]).toEqual([0, null]);
    expect(performance.now() - told).toBeLessThan(11_000);
    await replace(0);
  });

  test('T40 waits ten seconds for whoever never ends asking, and no longer', async () => {
    const slow = connect({ port: Number(two.settings[0]['HEMMA_PORT']), host: '127.0.0.1' });
    slow.on('error', () => undefined);
    const head = [
      'POST /token HTTP/1.1',
      `Host: ${new URL(two.issuer).host}`,
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 100',
    ];
    slow.write(`${head.join('\r\n')}\r\n\r\ngrant_type=`);
    await wait(500);
    const told = performance.now();
    const { code, signal } = await two.processes[0].stop();
    const took = performance.now() - told;
    slow.destroy();
    expect([code, signal]).toEqual([0, null]);
    // It was under way indeed, or it would have been let go at once.
    expect(took).toBeGreaterThan(9_000);
    expect(took).toBeLessThan(13_000);
    await replace(0);
  });
});

async function untilRefused(door: URL): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const open = await exchange(door).then(
      () => true,
      () => false,
    );
    if (!open) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`${door.href} still answers`);
}

const codesOf = (visitor: Visitor, count: number) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const begun = await autopay.begin();
      const { headers } = await visitor.request(begun.url);
      const code = new URL(headers.location ?? '').searchParams.get('code') ?? '';
      return { code, verifier: begun.verifier };
    }),
  );

function redeem({ code, verifier }: { code: string; verifier: string }): Promise<Answer> {
  const basic = Buffer.from(`${autopay.clientId}:${encodeURIComponent(autopay.clientSecret)}`);
  return exchange(new URL('/token', two.issuer), {
    method: 'POST',
    headers: {
      authorization: `Basic ${basic.toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: autopay.redirectUri,
      code_verifier: verifier,
    }).toString(),
  });
}

const keyOf = ({ code }: { code: string }) => createHash('sha256').update(code).digest();

/** How many of these codes were consumed. */
async function consumed(codes: readonly { code: string }[]): Promise<number> {
  const { rows } = await two.db.query<{ number: number }>(
    "SELECT count(consumed_at) AS number FROM oidc_records WHERE model = 'AuthorizationCode' AND key = ANY($1)",
    [codes.map(keyOf)],
  );
  return rows[0]?.number ?? 0;
}

describe('a process that is killed in the middle of requests', () => {
  test('leaves no consumed code without its tokens, and what it had not finished the other one finishes', async () => {
    await two.account({ email: 'david@example.com' });
    const visitor = newVisitor();
    await signInFirst(visitor, (await autopay.begin()).url, 'david@example.com');
    const codes = await codesOf(visitor, 20);
    const stuck = codes.slice(0, 4);
    // Four codes are held, so that their requests stand in the middle of the transaction when the process dies.
    const keys = stuck.map((one) => `'\\x${keyOf(one).toString('hex')}'`);
    const held = await hold(
      two.databaseUrl,
      `SELECT 1 FROM oidc_records WHERE model = 'AuthorizationCode' AND key IN (${keys.join(', ')}) FOR UPDATE`,
    );
    two.balancer.only(1);
    const waiting = stuck.map((one) => redeem(one).catch(() => undefined));
    // They may stand in one statement.
    await untilWaiting(two.databaseUrl, 1);
    const others = codes.slice(4).map((one) => redeem(one).catch(() => undefined));
    await Promise.race(others);
    two.processes[1].kill('SIGKILL');
    two.balancer.only(0);
    const answered = (await Promise.all(others)).filter((answer) => answer?.status === 200);
    expect(await Promise.all(waiting)).toEqual(stuck.map(() => undefined));
    await held.release();
    await untilNoneWaits(two.databaseUrl);
    // What the database had heard of already is carried out whole, its answer lost; the rest is as if never asked.
    for (const one of stuck) if ((await consumed([one])) === 0) expect((await redeem(one)).status).toBe(200);
    // No page can tell of a code that was consumed for nothing.
    const { rows } = await two.db.query<{ tokens: number }>(
      `SELECT count(*) AS tokens FROM oidc_records
       WHERE model = 'AccessToken' AND grant_id IN (SELECT grant_id FROM oidc_records WHERE key = $1)`,
      [keyOf(stuck[0] ?? { code: '' })],
    );
    expect(await consumed(stuck)).toBe(stuck.length);
    expect(rows[0]?.tokens).toBe(await consumed(codes));
    expect(rows[0]?.tokens).toBeGreaterThanOrEqual(answered.length + stuck.length);
    await replace(1);
  });
});
