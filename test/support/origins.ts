/**
 * Three origins over TLS for a real Chromium: the provider on https://login.hemma.test, a sibling host of an attacker on
 * the same registrable domain, and a foreign site of the attacker. A client has a fourth. All of them are on loopback.
 */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { type PersonOptions, startChromium } from '../rig/browser.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { type Certificate, newCertificate, startTls } from '../rig/tls.ts';
import { productionSettings } from './secure-provider.ts';

const hosts = ['login.hemma.test', 'evil.hemma.test', 'foreign.test', 'app.test'];

/** An authorization request that has begun. */
export interface Request {
  url: string;
  state: string;
  verifier: string;
}

export interface Origins {
  hemma: Hemma;
  client: RelyingParty;
  /** The attacker's host on the provider's registrable domain, for example https://evil.hemma.test:1234. */
  sibling: string;
  /** The attacker's site elsewhere. */
  foreign: string;
  /** An authorization request of the client, with PKCE. */
  begin(parameters?: Record<string, string>): Request;
  newBrowser(options?: PersonOptions): Promise<Page>;
  stop(): Promise<void>;
}

const escaped = (text: string) => text.replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

/** A form that posts itself as soon as it is there. */
function selfPosting(query: URLSearchParams): string {
  const fields = [...query].filter(([name]) => name !== 'to');
  const inputs = fields.map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<form method="post" action="${escaped(query.get('to') ?? '')}">${inputs.join('')}</form>
    <script>document.forms[0].submit()</script>`;
}

/**
 * What an attacker's host answers: `/set?line=…` sets cookies with exactly these Set-Cookie lines, `/post?to=…&name=value`
 * posts a form by itself.
 */
function attackerSite(certificate: Certificate): Server {
  return createServer(certificate, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://attacker.test');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const lines = url.searchParams.getAll('line');
    if (lines.length > 0) response.setHeader('set-cookie', lines);
    const body = url.pathname === '/post' ? selfPosting(url.searchParams) : 'done';
    response.end(`<!doctype html><title>Attacker</title><main data-step="attacker">${body}</main>`);
  });
}

/** The client's page that users come back to; it shows the parameters that a form brought. */
function clientSite(certificate: Certificate): Server {
  return createServer(certificate, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      const shown = `<main data-step="back" data-posted="${escaped(body)}"><h1>Back</h1></main>`;
      response.end(`<!doctype html><title>Client</title>${shown}`);
    });
  });
}

async function listen(server: Server, host: string) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { origin: `https://${host}:${(server.address() as AddressInfo).port}`, stop };
}

/** Chromium trusts the one key of this run (RFC 7469 §2.4), and finds every host of the tests on loopback. */
function chromiumArguments({ cert }: Certificate): string[] {
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(spki).digest('base64');
  return [
    `--ignore-certificate-errors-spki-list=${pin}`,
    `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(', ')}`,
  ];
}

function requestOf(issuer: string, { clientId, redirectUri }: RelyingParty, parameters = {}): Request {
  const [state, verifier] = [randomBytes(9).toString('base64url'), randomBytes(32).toString('base64url')];
  const url = new URL('/auth', issuer);
  url.search = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    ...parameters,
  }).toString();
  return { url: url.href, state, verifier };
}

/** Starts everything for one test file. Call `stop` in `afterAll`. */
export async function startOrigins(): Promise<Origins> {
  const certificate = newCertificate(hosts);
  const port = await freePort();
  const issuer = `https://login.hemma.test:${port}`;
  const env = { ...productionSettings(issuer), HEMMA_ALLOW_LOOPBACK_CLIENTS: '' };
  const hemma = await startHemma({ env });
  const tls = await startTls(port, hemma.port, certificate);
  const sibling = await listen(attackerSite(certificate), 'evil.hemma.test');
  const foreign = await listen(attackerSite(certificate), 'foreign.test');
  const app = await listen(clientSite(certificate), 'app.test');
  const client = await startRelyingParty({ hemma, description: { redirectUris: [`${app.origin}/back`] } });
  const chromium = await startChromium(chromiumArguments(certificate));
  return {
    hemma,
    client,
    sibling: sibling.origin,
    foreign: foreign.origin,
    begin: (parameters) => requestOf(issuer, client, parameters),
    newBrowser: (options) => chromium.newPerson(options),
    async stop() {
      await chromium.stop();
      await Promise.all([sibling, foreign, app, client].map((one) => one.stop()));
      await hemma.stop();
      await tls.stop();
    },
  };
}
