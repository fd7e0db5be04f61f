/** The guard of outgoing calls: where no connection may be opened, none is, and what is opened is bounded. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTls } from 'node:https';
import { type AddressInfo, connect, createServer as createTcp, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EgressRefused, type Egress, egressOf, type Resolve } from '../../src/http/egress.ts';
import { isSpecialUse } from '../../src/http/special-use-addresses.ts';
import { type Listener, startListener } from '../support/listeners.ts';
import { newCertificate } from '../rig/tls.ts';

let listener: Listener;
const servers: Server[] = [];
beforeAll(async () => {
  listener = await startListener();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
  }
});
afterAll(() => listener.stop());

const family = (address: string) => (address.includes(':') ? 6 : 4);
const resolvesTo =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: family(address) }));
const body = new URLSearchParams({ logout_token: 'a secret' });

async function refused(call: Egress, url: string): Promise<void> {
  await expect(call(url, { method: 'POST', body })).rejects.toThrow(EgressRefused);
}

/** Whether nothing at all arrived: a connection of our own, made afterwards, is the first. */
async function nothingArrived(): Promise<void> {
  const before = { accepted: listener.accepted(), received: listener.received() };
  const own = connect(listener.port, '127.0.0.1');
  await once(own, 'connect');
  for (let wait = 0; wait < 2000 && listener.accepted() === before.accepted; wait++)
    await new Promise((done) => setTimeout(done, 5));
  own.destroy();
  expect(before).toEqual({ accepted: probes++, received: 0 });
}
let probes = 0;

describe('an address that stands in the URL', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７.0.0.1',
    '0.0.0.0',
    '0',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
  ])('%s is refused before a connection is opened', async (host) => {
    const call = egressOf({ allowPrivate: false });
    await refused(call, `https://${host}:${listener.port}/back-channel`);
    await refused(call, `http://${host}:${listener.port}/back-channel`);
    await nothingArrived();
  });
});

describe('a name', () => {
  test.each(['localhost', 'LOCALHOST', 'localhost.', 'app.localhost'])(
    '%s is refused before a connection is opened',
    async (name) => {
      await refused(egressOf({ allowPrivate: false }), `https://${name}:${listener.port}/`);
      await nothingArrived();
    },
  );

  test.each([
    ['loopback', ['127.0.0.1']],
    ['loopback of IPv6', ['::1']],
    ['loopback behind a public address', ['8.8.8.8', '127.0.0.1']],
    ['loopback before a public address', ['::1', '2a00:1450:4001::1']],
    ['IPv4 mapped into IPv6', ['::ffff:127.0.0.1']],
    ['a link-local address with a zone', ['fe80::1%lo']],
    ['nothing', []],
  ])('that resolves to %s is refused, and resolved once', async (_what, addresses) => {
    let asked = 0;
    const resolve: Resolve = (name) => ((asked += 1), resolvesTo(...addresses)(name));
    await refused(egressOf({ allowPrivate: false, resolve }), `https://app.example:${listener.port}/`);
    expect(asked).toBe(1);
    await nothingArrived();
  });

  test('is resolved once, and the connection goes to the address that was judged', async () => {
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
    const asked: string[] = [];
    const resolve: Resolve = (name) => {
      asked.push(name);
      return resolvesTo(answers[asked.length - 1] ?? '127.0.0.9')(name);
    };
    const { url, seen } = await serve((request, response) => {
      seen.push(`${request.socket.localAddress} ${request.headers.host}`);
      response.end();
    });
    const { port } = url;
    const { status } = await egressOf({ allowPrivate: true, resolve })(`http://app.example:${port}/`);
    expect([status, asked, seen]).toEqual([200, ['app.example'], [`127.0.0.1 app.example:${port}`]]);
  });

  test('stays the name that TLS is asked for and verified by', async () => {
    const certificate = newCertificate();
    const trusted = getCACertificates('default');
    const names: string[] = [];
    const server = createTls(certificate, (_request, response) => void response.end());
    server.on('secureConnection', (socket: TLSSocket) => names.push(String(socket.servername)));
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const call = egressOf({ allowPrivate: true, resolve: resolvesTo('127.0.0.1') });
    await expect(call(`https://localhost:${port}/`)).rejects.toThrow('self-signed certificate');
    setDefaultCACertificates([...trusted, certificate.cert]);
    try {
      expect((await call(`https://localhost:${port}/`)).status).toBe(200);
      expect(names.at(-1)).toBe('localhost');
      await expect(call(`https://app.example:${port}/`)).rejects.toThrow('app.example');
    } finally {
      setDefaultCACertificates(trusted);
    }
  });
});

/** A server of this test, and what it was asked. */
async function serve(answer: RequestListener) {
  const seen: string[] = [];
  const server = createServer(answer);
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), seen };
}

describe('an answer', () => {
  const call = egressOf({ allowPrivate: true, timeoutMs: 1000, maxResponseBytes: 1000 });
  const json = { accept: 'application/json' };

  test.each([301, 302, 303, 307, 308])('that redirects (%d) is not followed', async (status) => {
    const { url } = await serve((_request, response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${listener.port}/` }).end();
    });
    expect((await call(url, { method: 'POST', body })).status).toBe(status);
    expect((await call(url)).status).toBe(status);
    await nothingArrived();
  });

  test('that is not asked for is not waited for and not kept, however long it is', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const answer = await call(url, { method: 'POST', body });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  test('in JSON is read up to its bound, and no other kind of answer is', async () => {
    const { url } = await serve((request, response) => {
      const [type, length] = (request.url ?? '').slice(1).split('_');
      const text = JSON.stringify('x'.repeat(Number(length) - 2));
      response.writeHead(200, { 'content-type': decodeURIComponent(type ?? '') }).end(text);
    });
    const ask = (type: string, length: number) =>
      call(new URL(`${encodeURIComponent(type)}_${length}`, url), { headers: json });
    expect(await (await ask('application/json; charset=utf-8', 1000)).json()).toHaveLength(998);
    expect(await (await ask('application/jwk-set+json', 100)).json()).toHaveLength(98);
    await expect(ask('application/json', 1001)).rejects.toThrow('longer than 1000 bytes');
    for (const type of ['text/html', 'text/json-not', 'application/jsonp', ''])
      await expect(ask(type, 100)).rejects.toThrow('not application/json');
  });

  test('that never comes, comes in part or is no HTTP answer is given up in time', async () => {
    const silent = await serve(() => undefined);
    await expect(call(silent.url)).rejects.toThrow('aborted');
    const partial = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('"');
    });
    await expect(call(partial.url, { headers: json })).rejects.toThrow('aborted');
    const other = createTcp((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n');
    });
    servers.push(other.listen(0, '127.0.0.1'));
    await once(other, 'listening');
    await expect(call(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)).rejects.toThrow();
  });

  test('is not waited for longer than allowed where the name is not resolved', async () => {
    const resolve: Resolve = () => new Promise(() => undefined);
    const slow = egressOf({ allowPrivate: false, timeoutMs: 200, resolve });
    await expect(slow('https://app.example/')).rejects.toThrow('aborted');
  });
});

describe('special-use addresses', () => {
  test.each([
    '0.1.2.3',
    '10.255.255.255',
    '100.64.0.1',
    '100.100.100.200',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:0:5ef5:79fb::1',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '2002:808:808::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'ff0e::1',
    'not an address',
    '',
  ])('include %p', (address) => expect(isSpecialUse(address)).toBe(true));

  test.each([
    '8.8.8.8',
    '100.63.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '198.20.0.1',
    '223.255.255.255',
    '2a00:1450:4001::1',
    '2606:4700::1111',
    '2001:4860:4860::8888',
  ])('do not include %s', (address) => expect(isSpecialUse(address)).toBe(false));
});
