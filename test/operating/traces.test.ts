/** Where the time of a request went, told to a collector of the operator's by OpenTelemetry's own variables. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTraced } from '../../src/telemetry/tracing.ts';
import { openWith } from '../races/two-processes.ts';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { exchange } from '../rig/exchange.ts';
import { createUser } from '../../src/users/users.ts';
import { createHasher } from '../../src/crypto/argon2.ts';
import { PASSWORD, settingsOfOne } from '../rig/hemma.ts';
import { startMailServer } from '../rig/mail.ts';
import { type End, type Running, startProcess } from '../rig/process.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { newDatabase } from '../rig/template.ts';
import { newVisitor } from '../rig/visitor.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import { type Collector, type Span, startCollector } from './collector.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const sender = '00f067aa0ba902b7';

let collector: Collector;
let told: Collector;
let end: End;
const secrets: string[] = [PASSWORD, 'astrid@example.com', 'not the password', 'login_hint'];

/** One person's day at a traced provider: in with a phone, out again; every secret of it is kept for later. */
async function day(process: Running, env: Record<string, string>): Promise<void> {
  const db = await openWith(env);
  const encryption = createEncryption([env['HEMMA_SECRET_KEYS'] ?? '']);
  const hemma = { issuer: process.issuer, db, vault: encryption };
  const autopay = await startRelyingParty({
    hemma,
    description: { backchannelLogoutUri: `${told.url}/told-of-sign-outs` },
  });
  try {
    const wanted = { email: 'astrid@example.com', name: 'Astrid Lind', password: PASSWORD };
    await createUser(db, await createHasher(1), 'Hemma', wanted);
    const visitor = newVisitor({
      headers: { traceparent: `00-${traceId}-${sender}-01`, tracestate: 'shop=1' },
    });
    const begun = await autopay.begin({ login_hint: 'astrid@example.com' });
    await visitor.visit(begun.url);
    secrets.push(visitor.screen.url.pathname.split('/')[2] ?? '');
    await typePassword(visitor, 'astrid@example.com', 'not the password');
    await typePassword(visitor, 'astrid@example.com');
    const { key, recoveryCode } = await connectPhone(visitor);
    const back = at('back', visitor.screen).url;
    const tokens = await autopay.redeem(begun, back);
    secrets.push(key, recoveryCode, back.searchParams.get('code') ?? '', begun.state, begun.verifier);
    secrets.push(tokens.access_token, tokens.id_token ?? '', autopay.clientSecret);
    secrets.push(...visitor.cookies.all().map(({ value }) => value));
    await visitor.visit(`${process.issuer}/session/end`);
    await visitor.submit({}, 'logout=yes');
    for (let turn = 0; turn < 200 && told.requests.length === 0; turn++)
      await new Promise((done) => setTimeout(done, 25));
  } finally {
    await autopay.stop();
    await db.close();
  }
}

beforeAll(async () => {
  [collector, told] = await Promise.all([startCollector(), startCollector()]);
  const mail = await startMailServer();
  const database = await newDatabase();
  const env = { ...(await settingsOfOne(database.url, mail.url)), HEMMA_LOG_LEVEL: 'info' };
  const process = await startProcess({
    ...env,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=hemma',
    OTEL_SERVICE_NAME: 'id-of-the-town',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  });
  try {
    await day(process, env);
    await exchange(new URL('/nothing', process.issuer), { headers: { traceparent: '00-nonsense-01' } });
    await mail.mailTo('astrid@example.com');
  } finally {
    end = await process.stop();
    await mail.stop();
    await database.drop();
  }
});
afterAll(async () => {
  await collector.stop();
  await told.stop();
});

const named = (name: string): Span[] => collector.spans().filter((span) => span.name === name);
const below = (span: Span | undefined): Span[] => {
  const children = collector.spans().filter(({ parentSpanId }) => parentSpanId === span?.spanId);
  return children.flatMap((child) => [child, ...below(child)]);
};

describe('a traced provider', () => {
  test('sends a span for each request, under the one of whoever asked, with what it did below', () => {
    const [wrong, right] = named('POST /interaction/:uid/password');
    for (const span of [wrong, right]) {
      expect(span).toMatchObject({ traceId, parentSpanId: sender, kind: 2 });
      expect(span?.attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': '/interaction/:uid/password',
        'hemma.request': expect.stringMatching(/^[0-9a-f]{12}$/),
      });
      const work = below(span);
      expect(work.every((one) => one.traceId === traceId)).toBe(true);
      const names = work.map(({ name }) => name);
      expect(names).toContain('hash verify');
      // A wrong password is recorded alone; a right one in the statement that hands the interaction to this browser.
      expect(names).toContain(span === wrong ? 'INSERT audit' : 'WITH oidc_records');
      expect(work.find(({ name }) => name === 'hash verify')?.attributes).toEqual({
        'hemma.hash.wait_seconds': expect.any(Number),
      });
    }
    expect(wrong?.attributes['http.response.status_code']).toBe(422);
    expect(right?.attributes['http.response.status_code']).toBe(303);
    const [transaction] = named('transaction');
    expect(below(transaction).length).toBeGreaterThan(1);
    const [token] = named('POST /token');
    expect(token?.parentSpanId ?? '').toBe('');
    expect(token?.traceId).not.toBe(traceId);
    expect(token?.attributes).toHaveProperty(['hemma.client_id'], expect.stringMatching(/^app-/));
  });

  test('says who it is and sends what the operator wants sent with it', () => {
    expect(collector.resource()).toMatchObject({ 'service.name': 'id-of-the-town' });
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'hemma' } });
  });

  test('hands the trace on to the application that is told of a sign-out', () => {
    const [call] = told.requests;
    expect(call?.path).toBe('/told-of-sign-outs');
    const [, trace, parent] = String(call?.headers['traceparent']).split('-');
    expect(trace).toBe(traceId);
    expect(call?.headers['tracestate']).toBe('shop=1');
    const span = collector.spans().find(({ spanId }) => spanId === parent);
    expect(span).toMatchObject({ name: 'POST', kind: 3, traceId });
    expect(span?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': new URL(told.url).host,
    });
  });

  test('names mails by their kind', () => {
    const kinds = named('send mail').map(({ attributes }) => attributes['hemma.mail.kind']);
    expect(kinds.length).toBeGreaterThan(0);
    for (const kind of kinds) expect(kind).toMatch(/^[a-z-]+$/);
  });

  test('begins a trace of its own where the header is nonsense', () => {
    const [span] = named('GET other');
    expect(span?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span?.parentSpanId ?? '').toBe('');
  });

  test('traces nothing that nobody asked for', () => {
    const roots = collector.spans().filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.filter(({ kind, name }) => kind !== 2 && name !== 'send mail')).toEqual([]);
  });

  test('R88 tells no secret, person, query or parameter in any span', () => {
    const sent = collector.bodies.join('\n');
    expect(secrets.length).toBeGreaterThan(14);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(6);
      expect(sent).not.toContain(secret);
      expect(sent).not.toContain(encodeURIComponent(secret));
    }
    expect(sent).not.toMatch(/127\.0\.0\.1(?!:\d)|\$1|VALUES|WHERE/);
  });

  test('writes the trace into the lines of its log, and ends well', () => {
    expect(end.code).toBe(0);
    const lines = end.stdout.split('\n').filter((line) => line.startsWith('{'));
    const requests = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg, route }) => msg === 'request' && route === '/interaction/:uid/password');
    expect(requests.length).toBeGreaterThan(2);
    const known = new Map(collector.spans().map((span) => [span.spanId, span]));
    for (const { trace_id: trace, span_id: span, request } of requests) {
      expect(trace).toBe(traceId);
      expect(known.get(String(span))?.attributes['hemma.request']).toBe(request);
    }
  });
});

describe('traces', () => {
  test.each([
    ['off where nothing is said', {}, false],
    ['on by an address for everything', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://here:4318' }, true],
    [
      'on by an address for traces',
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://here:4318/v1/traces' },
      true,
    ],
    [
      'off where the SDK is',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://here:4318', OTEL_SDK_DISABLED: 'true' },
      false,
    ],
    [
      'off where only numbers are wanted',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://here:4318', OTEL_TRACES_EXPORTER: 'none' },
      false,
    ],
    ['off by a name alone', { OTEL_SERVICE_NAME: 'hemma', OTEL_TRACES_SAMPLER: 'always_on' }, false],
  ])('are %s', (_how, env, on) => expect(isTraced(env)).toBe(on));
});
