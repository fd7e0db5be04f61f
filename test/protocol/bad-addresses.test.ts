/** Addresses that nobody has, methods that nobody asked for, and lines that are not HTTP at all. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { badRequests, faultIn, faultsOf, shorten, type Tried, withoutReference } from './bad-input.ts';

let hemma: Hemma;
beforeAll(async () => {
  hemma = await startHemma();
});
afterAll(() => hemma.stop());

/** A request as it is written, which no client library would send. */
function raw(line: string): Promise<Answer> {
  const { host, port } = new URL(hemma.issuer);
  return new Promise((done, failed) => {
    let received = '';
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(`${line}\r\nhost: ${host}\r\naccept: text/html\r\nconnection: close\r\n\r\n`),
    );
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${shorten(line)}`)));
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', failed);
    socket.on('end', () => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0);
      done({ status, headers: {}, body: received, took: 0 });
    });
  });
}

describe('an address', () => {
  test.each([
    '/',
    '/account',
    '/session/end',
    '/session/end/success',
    '/health/live',
    '/health/ready',
    '/interaction/x',
    '/interaction/x/password',
    '/auth/x',
    '/admin',
    '/api/x',
    '/metrics',
    '/help-desk/stop',
    '/device',
    '/device/x',
    '/device/auth',
  ])('%s bears headers, methods and bodies of every kind', async (path) => {
    expect(await faultsOf(badRequests(new URL(path, hemma.issuer)))).toEqual([]);
  });

  test('that nobody knows is not found, with a number', async () => {
    const unknown = [
      '/x',
      '/.env',
      '/auth/x/y',
      '/Token',
      '/token/x',
      '/public/x',
      '/interaction',
      '/interaction/a/b/c',
      '/account/x',
      '/wp-login.php',
      '/reg/some-client',
      '/interaction/x/abort',
      '/.well-known/x',
    ];
    const tried = unknown.flatMap((path) =>
      ['text/html', 'application/json'].map((accept): Tried => [
        `${path} as ${accept}`,
        exchange(new URL(path, hemma.issuer), { headers: { accept } }),
      ]),
    );
    const judge = (answer: Answer) =>
      answer.status === 404 ? withoutReference(answer) : `answered ${answer.status}`;
    expect(await faultsOf(tried, judge)).toEqual([]);
  });

  test('that is none is refused', async () => {
    const odd = [
      '/%',
      '/%00',
      '/%E0%A4%A',
      '/interaction/%',
      '/interaction/%00/password',
      '/interaction/%E0%A4%A/password',
      '/interaction/__proto__/constructor',
      '/interaction/x/__proto__',
      '//evil.example/x',
      '/\\evil',
      '/auth;x',
      '/account%2f..',
      `/${'x'.repeat(8000)}`,
      `/${'a/'.repeat(3000)}`,
      '/public/%2e%2e/%2e%2e/package.json',
      '/public/..%5c..%5cpackage.json',
    ];
    const judge = (answer: Answer) =>
      faultIn(answer) ?? (answer.status < 400 ? `answered ${answer.status}` : undefined);
    const tried = odd.map((path): Tried => [shorten(path), raw(`GET ${path} HTTP/1.1`)]);
    expect(await faultsOf(tried, judge)).toEqual([]);
  });
});

describe('what is not HTTP', () => {
  test.each([
    'GET',
    'GET / HTTP/9.9',
    'nonsense',
    'GET / HTTP/1.1\r\ncontent-length: -1',
    'POST /token HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2',
    'POST /token HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 4',
    'GET / HTTP/1.1\r\nhost: x',
    'GET / HTTP/1.1\r\nx y: z',
    `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}`,
  ])('%j ends there, and the provider goes on', async (line) => {
    expect([400, 421, 431, 505]).toContain((await raw(line)).status);
    expect((await exchange(new URL('/health/ready', hemma.issuer))).status).toBe(200);
  });
});
