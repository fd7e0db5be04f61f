// Longer than other files: all of it is asked of one provider, whose numbers one file reads.
/** What a machine of the operator's reads at /metrics, who else reads it, and what one line of the log says of a request. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSettings } from '../../config/settings.ts';
import { recordAuditEvent } from '../../src/audit/audit-log.ts';
import { createMetricsAccessCheck, createProxyRequestIdReader } from '../../src/http/request-info.ts';
import { countPassword } from '../../src/security/sign-in-budget.ts';
import { countAttempt } from '../../src/security/throttle.ts';
import { healthEndpoints } from '../../src/app/health.ts';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { type Answer, exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  exchange(new URL(path, hemma.issuer), { method, headers });

type Numbers = Map<string, number>;

/** Every sample by its name and labels, as the text has them. */
const samples = (text: string): Numbers =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

const read = async (): Promise<Numbers> => samples((await ask('/metrics')).body);
const value = (numbers: Numbers, name: string) => numbers.get(name) ?? 0;

const token = (fields: Record<string, string>) => {
  const basic = Buffer.from(`${autopay.clientId}:${encodeURIComponent(autopay.clientSecret)}`);
  return exchange(new URL('/token', hemma.issuer), {
    method: 'POST',
    headers: {
      authorization: `Basic ${basic.toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(fields).toString(),
  });
};

/** The first sign-in, and the person allows what the application asks for; answers where it came back to. */
async function signInAndAllow(visitor: Visitor, url: string, email: string): Promise<URL> {
  await visitor.visit(url);
  await typePassword(visitor, email);
  await connectPhone(visitor);
  at('consent', visitor.screen);
  return at('back', await visitor.submit({}, 'choice=allow')).url;
}

/** Lines are written once an answer has left, which whoever got it may see a moment earlier. */
async function lineOf({ headers }: Answer): Promise<Record<string, unknown> | undefined> {
  for (let turn = 0; turn < 100; turn++) {
    const lines = hemma.logs().split('\n').filter(Boolean);
    const found = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find(({ msg, request }) => msg === 'request' && request === headers['x-request-id']);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 10));
  }
  return undefined;
}

describe('what is counted', () => {
  test('sign-ins by factor and outcome, tokens, refusals, hashes and statements; nobody by name or number', async () => {
    const { id } = await hemma.account({ email: 'astrid@example.com' });
    const visitor = newVisitor();
    await visitor.visit((await autopay.begin()).url);
    const interaction = visitor.screen.url.pathname.split('/')[2] ?? '';
    await typePassword(visitor, 'astrid@example.com', 'ett fel lösenord');
    const begun = await autopay.begin({ scope: 'openid offline_access', prompt: 'consent' });
    const back = await signInAndAllow(newVisitor(), begun.url, 'astrid@example.com');
    const tokens = await autopay.redeem(begun, back);
    await autopay.refresh(tokens.refresh_token ?? '');
    await token({ grant_type: 'refresh_token', refresh_token: 'nobody-has-it' });
    // Many names fail from one network, one of them until it is throttled.
    for (let name = 0; name < 101; name += 1)
      await countPassword(hemma.db, {
        subject: `email:${name}`,
        network: 'network:192.0.2.1',
        name: Buffer.from(`name ${name}`),
      });
    for (let guess = 0; guess < 10; guess += 1) await countAttempt(hemma.db, 'email:0', 'password');
    // The code that was saved is spent: whoever loses the phone now is locked out.
    await hemma.db.query('UPDATE recovery_codes SET used_at = $1 WHERE account_id = $2', [new Date(), id]);
    const { body } = await ask('/metrics');
    const seen = samples(body);
    expect(Object.fromEntries(seen)).toMatchObject({
      'hemma_sign_in_attempts_total{factor="password",outcome="wrong"}': 1,
      'hemma_sign_in_attempts_total{factor="password",outcome="right"}': 1,
      'hemma_sign_in_attempts_total{factor="totp",outcome="throttled"}': 0,
      'hemma_sign_ins_total{acr="2"}': 1,
      'hemma_events_total{event="authenticator.connected"}': 1,
      'hemma_events_total{event="token.issued"}': 2,
      'hemma_tokens_issued_total{grant="authorization_code",kind="access"}': 1,
      'hemma_tokens_issued_total{grant="authorization_code",kind="refresh"}': 1,
      'hemma_tokens_issued_total{grant="refresh_token",kind="id"}': 1,
      'hemma_refusals_total{endpoint="token",error="invalid_grant"}': 1,
      'hemma_http_request_duration_seconds_count{method="POST",route="/interaction/:uid/password",status="4xx"}': 1,
      'hemma_http_request_duration_seconds_count{method="POST",route="/token",status="4xx"}': 1,
      'hemma_http_request_duration_seconds_count{method="POST",route="/token",status="2xx"}': 2,
      hemma_accounts_one_phone_from_lock_out: 1,
      hemma_failed_names: 101,
      hemma_throttled_names: 1,
      hemma_slowed_networks: 1,
      hemma_hash_waiting: 0,
      hemma_hash_running: 0,
      hemma_hash_turned_away_total: 0,
      'hemma_outbox_due{outbox="sign-out"}': 0,
      'hemma_database_connections{state="waiting"}': 0,
    });
    for (const name of [
      'hemma_hash_wait_seconds_count',
      'hemma_sql_statements_total',
      'hemma_sql_round_trips_total',
      'hemma_signing_key_left_seconds{type="RSA"}',
      'hemma_database_connections{state="idle"}',
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect([name, value(seen, name)]).not.toEqual([name, 0]);
    for (const secret of [
      id,
      interaction,
      'astrid',
      autopay.clientId,
      new URL(back).searchParams.get('code') ?? 'no code',
      tokens.access_token,
      '127.0.0.1',
      'nobody-has-it',
    ])
      expect(body).not.toContain(secret);
  });

  test('a deed that was rolled back is none', async () => {
    const name = 'hemma_events_total{event="bootstrap.refused"}';
    const before = value(await read(), name);
    const undone = hemma.db.transaction(async (open) => {
      await recordAuditEvent(open, { event: 'bootstrap.refused' });
      throw new Error('thought better of');
    });
    await expect(undone).rejects.toThrow('thought better of');
    expect(value(await read(), name)).toBe(before);
    await hemma.db.transaction((open) => recordAuditEvent(open, { event: 'bootstrap.refused' }));
    expect(value(await read(), name)).toBe(before + 1);
  });

  test('whatever a stranger asks for makes no new series', async () => {
    await ask('/');
    const routes = async () =>
      [...(await read()).keys()].filter((name) =>
        name.startsWith('hemma_http_request_duration_seconds_count'),
      );
    await ask('/nothing/of/this/name');
    await exchange(new URL('/nothing', hemma.issuer), { method: 'PROPFIND' });
    await ask('/interaction/abc/invented');
    await ask('/api/invented');
    const before = await routes();
    for (let turn = 0; turn < 20; turn++) {
      await ask(`/nothing/${turn}`);
      await ask(`/interaction/number-${turn}/step-${turn}`);
      await ask(`/auth/number-${turn}`);
      await ask(`/api/invented-${turn}`);
      await ask(`/auth?client_id=nobody-${turn}&response_type=invented-${turn}`);
    }
    const after = await routes();
    const fresh = after.filter((name) => !before.includes(name));
    expect(fresh.every((name) => /route="\/auth(\/:uid)?"/.test(name))).toBe(true);
    expect((await ask('/metrics')).body).not.toMatch(/invented|number-\d|nobody-\d/);
  });
});

describe('R85 the metrics are there for the operator alone', () => {
  const settings = (env: Record<string, string>) => {
    const done = readSettings(env);
    if ('faults' in done) throw new Error(done.faults.join());
    return done.settings;
  };
  const production = {
    HEMMA_ISSUER: 'https://id.example.com',
    HEMMA_SECRET_KEYS: 'A'.repeat(43),
    DATABASE_URL: 'postgres://hemma@db/hemma',
    HEMMA_SMTP_URL: 'smtps://mail.example.com',
    HEMMA_MAIL_FROM: 'no-reply@example.com',
    HEMMA_HELP_DESK_CONTACT: '08-123 45 67',
  };
  const inside = { host: '10.0.0.7:3000' };
  const proxied = { HEMMA_TRUSTED_PROXIES: '10.0.0.0/24', HEMMA_METRICS_FROM: '10.9.0.0/16' };

  test.each([
    ['this machine', {}, '127.0.0.1', inside, true],
    ['this machine by IPv6', {}, '::1', inside, true],
    ['this machine, as a socket of both families tells it', {}, '::ffff:127.0.0.1', inside, true],
    ['another machine', {}, '10.9.0.5', inside, false],
    ['a machine that is named', { HEMMA_METRICS_FROM: '10.9.0.0/16' }, '10.9.0.5', inside, true],
    ['nobody, where nobody is named', { HEMMA_METRICS_FROM: ' , ' }, '127.0.0.1', inside, false],
    [
      'a stranger who writes that they are this machine',
      {},
      '203.0.113.9',
      { ...inside, 'x-forwarded-for': '127.0.0.1' },
      false,
    ],
    [
      'a stranger through a proxy on this machine that nobody trusts',
      {},
      '127.0.0.1',
      { ...inside, 'x-forwarded-for': '203.0.113.9' },
      false,
    ],
    [
      'the same, who says to be this machine',
      {},
      '127.0.0.1',
      { ...inside, 'x-forwarded-for': '127.0.0.1' },
      false,
    ],
    [
      'a stranger through one that tells by Forwarded',
      {},
      '127.0.0.1',
      { ...inside, forwarded: 'for=203.0.113.9' },
      false,
    ],
    [
      'a stranger through one that tells by Via alone',
      {},
      '127.0.0.1',
      { ...inside, via: '1.1 proxy' },
      false,
    ],
    [
      'a stranger through one that tells nothing but the public name',
      {},
      '127.0.0.1',
      { host: 'id.example.com' },
      false,
    ],
    [
      'a machine that is named, through a trusted proxy',
      proxied,
      '10.0.0.2',
      { host: 'id.example.com', 'x-forwarded-for': '10.9.0.5' },
      true,
    ],
    [
      'a stranger through a trusted proxy',
      proxied,
      '10.0.0.2',
      { host: 'id.example.com', 'x-forwarded-for': '203.0.113.9' },
      false,
    ],
    [
      'a stranger who puts a named machine before',
      proxied,
      '10.0.0.2',
      { ...inside, 'x-forwarded-for': '10.9.0.5, 203.0.113.9' },
      false,
    ],
    [
      'a trusted proxy that is named itself, for a stranger it says nothing of',
      { ...proxied, HEMMA_METRICS_FROM: '10.0.0.0/24' },
      '10.0.0.2',
      { ...inside, via: '1.1 proxy' },
      false,
    ],
  ])('%s', (_who, env, socket, headers, may) => {
    expect(createMetricsAccessCheck(settings({ ...production, ...env }))({ socket, headers })).toBe(may);
  });

  test('to everybody else they are an address where nothing is', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    const nothing = await ask('/nothing', forwarded);
    const hidden = await ask('/metrics', forwarded);
    const plain = ({ status, body }: Answer) => ({
      status,
      body: body.replaceAll(/[0-9a-f]{12}/g, 'number').replaceAll('/metrics', '/nothing'),
    });
    expect(plain(hidden)).toEqual(plain(nothing));
    expect(hidden.status).toBe(404);
    expect((await ask('/metrics', {}, 'POST')).status).toBe(404);
    expect((await ask('/metrics/')).status).toBe(404);
  });

  test('any Host will do, and no cache keeps them', async () => {
    const { status, headers } = await ask('/metrics', { host: 'pod-17:3000' });
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(headers['cache-control']).toBe('no-store');
    expect((await ask('/metrics', { host: 'pod-17:3000', via: '1.1 proxy' })).status).toBe(421);
  });

  test('the number of a request is ours; what a trusted proxy calls it stands beside', () => {
    const numberOf = createProxyRequestIdReader(settings({ ...production, ...proxied }));
    const from = (socket: string, given: string) => numberOf({ socket, headers: { 'x-request-id': given } });
    expect(from('10.0.0.2', 'c0ffee00-1234')).toBe('c0ffee00-1234');
    expect(from('203.0.113.9', 'c0ffee00-1234')).toBeUndefined();
    expect(from('10.0.0.2', 'a b')).toBeUndefined();
    expect(from('10.0.0.2', 'x'.repeat(65))).toBeUndefined();
  });
});

describe('one line for each request', () => {
  test('R88 says what it was and how it went, with the number of the answer, and nothing of who asked', async () => {
    const answer = await ask('/auth?client_id=nobody&login_hint=astrid@example.com', {
      'x-request-id': 'forged-number',
    });
    const line = await lineOf(answer);
    expect(line).toMatchObject({ level: 'info', method: 'GET', route: '/auth', status: 400 });
    expect(Object.keys(line ?? {}).toSorted()).toEqual(
      [
        'bytes',
        'level',
        'method',
        'ms',
        'msg',
        'request',
        'route',
        'statements',
        'status',
        'time',
      ].toSorted(),
    );
    expect(line?.['bytes']).toBeGreaterThan(100);
    const told = await lineOf(await token({ grant_type: 'refresh_token', refresh_token: 'nobody-has-it' }));
    expect(told).toMatchObject({ method: 'POST', route: '/token', status: 400, client: autopay.clientId });
    expect(told?.['statements']).toBeGreaterThan(0);
    expect(hemma.logs()).not.toMatch(/astrid|forged-number|nobody-has-it|127\.0\.0\.1|login_hint/);
  });

  test('none for probes and static answers, nor where the operator wants none', async () => {
    const quiet = await Promise.all(
      ['/health/live', '/health/ready', '/metrics', '/jwks'].map((path) => ask(path)),
    );
    await lineOf(await ask('/nothing'));
    const lines = hemma.logs();
    for (const { headers } of quiet) expect(lines).not.toContain(String(headers['x-request-id']));
    const silent = await startHemma({ beside: hemma.env, env: { HEMMA_LOG_REQUESTS: 'no' } });
    const { status } = await exchange(new URL('/nothing', `http://localhost:${silent.port}`));
    await silent.stop();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(silent.logs()).not.toContain('"msg":"request"');
  });
});

describe('readiness', () => {
  test('a flood of probes is one question to the database', async () => {
    const asked = async () => value(await read(), 'hemma_sql_statements_total');
    const before = await asked();
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/health/ready')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // Background work asks some of its own meanwhile.
    expect((await asked()) - before).toBeLessThan(100);
  });

  test('ends the moment it begins to stop', async () => {
    const ctx = { path: '/health/ready', status: 404, body: undefined as unknown, set: () => undefined };
    const probe = healthEndpoints({ db: hemma.db } as never, { readable: () => true } as never, () => true);
    await probe(ctx as never, () => Promise.resolve());
    expect(ctx).toMatchObject({ status: 503, body: { status: 'not ready', lacks: 'stopping' } });
  });
});

describe('the Grafana dashboard', () => {
  const file = resolve(import.meta.dirname, '../../docs/operating/grafana.json');
  interface Panel {
    title: string;
    type: string;
    targets?: { expr: string }[];
  }
  const { panels } = JSON.parse(readFileSync(join(file), 'utf8')) as { panels: Panel[] };
  const drawn = panels.filter(({ type }) => type !== 'row');

  test('shows what is there: every number that it names is told, with a word on what it is', async () => {
    const { body } = await ask('/metrics');
    const families = new Map(
      [...body.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name = '', help = '']) => [name, help]),
    );
    const named = drawn.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => expr.match(/\b(?:hemma|process|nodejs)_[a-z0-9_]+/g) ?? []),
    );
    expect(named.length).toBeGreaterThan(drawn.length - 1);
    const unknown = named.filter(
      (name) => !families.has(name) && !families.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(unknown).toEqual([]);
    for (const [name, help] of families)
      expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z].{10,}\.$|; always 1\.$/)]);
    const told = [...samples(body).keys()].map((name) => name.split('{')[0] ?? '');
    const family = (name: string) => (families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''));
    for (const name of told) expect(families.has(family(name))).toBe(true);
    // And nothing that is counted goes unseen: what has no panel is there for a reason.
    const seen = new Set(named.map(family));
    expect([...families.keys()].filter((name) => name.startsWith('hemma_') && !seen.has(name))).toEqual([]);
  });

  test('has a title and a question in every panel', () => {
    for (const { title, targets = [] } of drawn) {
      expect(title).not.toBe('');
      expect(targets.length).toBeGreaterThan(0);
    }
  });
});
