/** What browsers get besides pages: files that are small and stay, over connections that stay too, until the provider stops. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor } from '../rig/visitor.ts';

let hemma: Hemma;
let style: string;
beforeAll(async () => {
  hemma = await startHemma();
  const { page } = await newVisitor().visit(hemma.url('/nowhere'));
  style = hemma.url(page.querySelector('link[rel=stylesheet]')?.getAttribute('href') ?? '');
});
let stopped: Promise<void> | undefined;
afterAll(() => stopped ?? hemma.stop());

async function load(url: string, encoding: string, method = 'GET') {
  const asked = request(url, { method, headers: { 'accept-encoding': encoding } }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const bytes = Number(answer.headers['content-length']);
  answer.resume();
  return { headers: answer.headers, bytes };
}

test('a file comes as small as the browser can read it, and may be kept for ever', async () => {
  const plain = await load(style, 'identity');
  expect(plain.headers['content-encoding']).toBeUndefined();
  const said: [string, string | undefined][] = [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['deflate', undefined],
    ['', undefined],
  ];
  for (const [accepted, wanted] of said) {
    const { headers, bytes } = await load(style, accepted);
    expect([accepted, headers['content-encoding']]).toEqual([accepted, wanted]);
    expect(bytes < plain.bytes / 3).toBe(wanted !== undefined);
    expect(headers).toMatchObject({
      vary: 'Accept-Encoding',
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    // What fetch unpacks is the file itself.
    const unpacked = await fetch(style, { headers: { 'accept-encoding': accepted } });
    expect((await unpacked.text()).length).toBe(plain.bytes);
    expect((await load(style, accepted, 'HEAD')).bytes).toBe(bytes);
  }
});

test('a file that the page of another version asks for is kept by nobody', async () => {
  const { headers } = await load(style.replace(/v=.*/, 'v=ofAnotherOne'), 'identity');
  expect(headers['cache-control']).toBe('no-store');
  const bare = await load(style.replace(/\?.*/, ''), 'identity');
  expect(bare.headers['cache-control']).toBe('public, max-age=86400');
});

test('a typeface is compressed in itself, and a page with somebody’s words is not compressed', async () => {
  for (const path of ['/public/schibsted-grotesk.woff2', '/nowhere']) {
    const { headers } = await load(hemma.url(path), 'gzip, br');
    expect([path, headers['content-encoding']]).toEqual([path, undefined]);
  }
});

test('a connection rests for longer than proxies keep theirs, and none keeps the provider from stopping', async () => {
  const agent = new Agent({ keepAlive: true });
  const resting = request(hemma.url('/jwks'), { agent }).end();
  const [first] = (await once(resting, 'response')) as [IncomingMessage];
  expect(Number(/timeout=(\d+)/.exec(String(first.headers['keep-alive']))?.[1])).toBeGreaterThan(60);
  await text(first);
  // Another is half-way through its request when the provider is told to stop.
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': 29,
    expect: '100-continue',
  };
  const late = request(hemma.url('/token'), { agent, method: 'POST', headers });
  late.flushHeaders();
  await once(late, 'continue');
  const begun = performance.now();
  stopped = hemma.stop();
  late.end('grant_type=client_credentials');
  const [answer] = (await once(late, 'response')) as [IncomingMessage];
  expect([answer.statusCode, await text(answer)]).toEqual([400, expect.stringContaining('invalid_request')]);
  await stopped;
  expect(performance.now() - begun).toBeLessThan(5_000);
  agent.destroy();
});
