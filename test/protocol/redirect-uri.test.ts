/** T25: an address is the registered one, letter for letter, or the person sees an error page and stays here. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'node-html-parser';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { basic, post } from './requests.ts';

const registered = 'https://app.example.com/callback';
const withQuery = 'https://app.example.com/with?tenant=1';
const loopback = 'http://localhost:4321/cb';

let hemma: Hemma;
let secret = '';
beforeAll(async () => {
  hemma = await startHemma();
  const uris = { redirectUris: [registered, withQuery, loopback] };
  await applyClient(hemma.db, clientSchema.parse({ id: 'app', name: 'App', type: 'web', ...uris }));
  const native = { id: 'native', name: 'Native', type: 'native', redirectUris: ['http://127.0.0.1/cb'] };
  await applyClient(hemma.db, clientSchema.parse(native));
  secret = (await addSecret(hemma.db, 'app', 'first')) ?? '';
});
afterAll(() => hemma.stop());

const request = (more: Record<string, string>) => ({
  client_id: 'app',
  response_type: 'code',
  scope: 'openid',
  state: 's',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
  ...more,
});

const ask = (query: string, method = 'GET') =>
  exchange(new URL(method === 'GET' ? `/auth?${query}` : '/auth', hemma.issuer), {
    method,
    headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
    body: method === 'GET' ? '' : query,
  });

const mutations: [string, string][] = [
  ['a slash at the end', `${registered}/`],
  ['a longer path', `${registered}/more`],
  ['a longer last part', `${registered}s`],
  ['a shorter path', 'https://app.example.com/callbac'],
  ['no path', 'https://app.example.com'],
  ['the root', 'https://app.example.com/'],
  ['a path in capitals', 'https://app.example.com/CALLBACK'],
  ['a host in capitals', 'https://APP.example.com/callback'],
  ['a scheme in capitals', 'HTTPS://app.example.com/callback'],
  ['http', 'http://app.example.com/callback'],
  ['no scheme', '//app.example.com/callback'],
  ['a path alone', '/callback'],
  ['the default port', 'https://app.example.com:443/callback'],
  ['another port', 'https://app.example.com:8443/callback'],
  ['a query', `${registered}?x=1`],
  ['an empty query', `${registered}?`],
  ['a fragment', `${registered}#x`],
  ['an empty fragment', `${registered}#`],
  ['a sub-domain', 'https://evil.app.example.com/callback'],
  ['a parent domain', 'https://example.com/callback'],
  ['a domain that ends alike', 'https://evilapp.example.com/callback'],
  ['a domain that begins alike', 'https://app.example.com.evil.example/callback'],
  ['a dot after the host', 'https://app.example.com./callback'],
  ['the host as user', 'https://app.example.com@evil.example/callback'],
  ['the host as user and password', 'https://app.example.com:443@evil.example/callback'],
  ['a user before the host', 'https://user@app.example.com/callback'],
  ['a backslash before the at sign', 'https://evil.example\\@app.example.com/callback'],
  ['a hash before the at sign', 'https://evil.example#@app.example.com/callback'],
  ['the host in the query', 'https://evil.example/?https://app.example.com/callback'],
  ['the host in the path', 'https://evil.example/app.example.com/callback'],
  ['dots in the path', 'https://app.example.com/x/../callback'],
  ['a dot in the path', 'https://app.example.com/./callback'],
  ['encoded dots', 'https://app.example.com/x/%2e%2e/callback'],
  ['an encoded letter', 'https://app.example.com/c%61llback'],
  ['two slashes', 'https://app.example.com//callback'],
  ['a backslash', 'https://app.example.com\\callback'],
  ['a path parameter', `${registered};x=1`],
  ['a blank behind', `${registered} `],
  ['a blank before', ` ${registered}`],
  ['a tab inside', 'https://app.exam\tple.com/callback'],
  ['a line feed behind', `${registered}\n`],
  ['a header line behind', `${registered}\r\nSet-Cookie: a=b`],
  ['a NUL behind', `${registered}\0`],
  ['a letter that looks alike', 'https://аpp.example.com/callback'],
  ['full-width letters', 'https://ａpp.example.com/callback'],
  ['a star', 'https://*.example.com/callback'],
  ['javascript:', 'javascript:alert(1)//app.example.com/callback'],
  ['data:', 'data:text/html,<script>alert(1)</script>'],
  ['a custom scheme', 'app.example:/callback'],
  ['two addresses', `${registered} ${loopback}`],
  ['two addresses with a comma', `${registered},https://evil.example/`],
  ['another value in a registered query', 'https://app.example.com/with?tenant=2'],
  ['a registered query left out', 'https://app.example.com/with'],
  ['a registered query and more', `${withQuery}&x=1`],
  ['another port on localhost', 'http://localhost:4322/cb'],
  ['the address of localhost', 'http://127.0.0.1:4321/cb'],
  ['empty', ''],
  ['the provider itself', 'http://localhost/account'],
];

function staysHere(answer: Awaited<ReturnType<typeof ask>>, wanted: string) {
  expect(answer.status).toBe(400);
  expect(answer.headers.location).toBeUndefined();
  expect(answer.headers['set-cookie']?.join() ?? '').not.toContain('hemma-signin');
  const page = parse(answer.body);
  expect(page.querySelector('main')?.getAttribute('data-step')).toBe('problem');
  expect(page.querySelector('[data-reference]')).not.toBeNull();
  expect(page.querySelectorAll('meta[http-equiv=refresh], form, iframe, script:not([src])')).toEqual([]);
  const links = page.querySelectorAll('[href], [action], [src]');
  const targets = links.map((one) => one.getAttribute('href') ?? one.getAttribute('src') ?? '');
  const away = targets.filter(
    (target) => new URL(target, hemma.issuer).origin !== new URL(hemma.issuer).origin,
  );
  expect(away).toEqual([]);
  // The foot's links to the same page in another language repeat the request, as text of a query and nothing else.
  expect(targets.filter((target) => wanted !== '' && target.startsWith(wanted))).toEqual([]);
}

describe('the address that a person is sent back to', () => {
  test.each([registered, withQuery, loopback])('%s is registered and begins a sign-in', async (uri) => {
    const { status, headers } = await ask(new URLSearchParams(request({ redirect_uri: uri })).toString());
    expect(status).toBe(303);
    expect(headers.location).toMatch(/\/interaction\/[\w-]+\/password$/);
  });

  test.each(mutations)(
    'SECURITY 66, T25 %s is refused on a page and never redirected to',
    async (_name, uri) => {
      const query = new URLSearchParams(request({ redirect_uri: uri })).toString();
      staysHere(await ask(query), uri);
    },
  );

  test('T25 a request that was posted (OpenID Connect Core §3.1.2.1) begins a sign-in or is refused alike', async () => {
    // A form is repeated as the GET that it stands for, on our own side.
    const posted = async (uri: string) => {
      const first = await ask(new URLSearchParams(request({ redirect_uri: uri })).toString(), 'POST');
      expect([first.status, first.headers.location?.startsWith('/auth?')]).toEqual([303, true]);
      return ask(first.headers.location?.slice('/auth?'.length) ?? '');
    };
    const { status, headers } = await posted(registered);
    expect([status, headers.location]).toEqual([
      303,
      expect.stringMatching(/\/interaction\/[\w-]+\/password$/),
    ]);
    for (const [, uri] of mutations) staysHere(await posted(uri), uri);
  });

  test('T25 no other fault of the request opens the way to a strange address', async () => {
    const faults: Record<string, string>[] = [
      { prompt: 'none' },
      { prompt: 'nonsense' },
      { scope: 'nonsense' },
      { response_type: 'token' },
      { response_mode: 'nonsense' },
      { response_mode: 'form_post' },
      { response_mode: 'fragment' },
      { code_challenge_method: 'plain' },
      { claims: '{' },
      { max_age: '-1' },
      { request: 'e30.e30.' },
      { request_uri: 'https://evil.example/request' },
      { id_token_hint: 'nonsense' },
    ];
    for (const fault of faults) {
      const uri = 'https://evil.example/callback';
      staysHere(await ask(new URLSearchParams(request({ ...fault, redirect_uri: uri })).toString()), uri);
    }
  });

  test('T25 missing, repeated, in brackets, or of an unknown application: refused on a page', async () => {
    const plain = new URLSearchParams(request({})).toString();
    const good = `redirect_uri=${encodeURIComponent(registered)}`;
    const evil = `redirect_uri=${encodeURIComponent('https://evil.example/')}`;
    const unknown = new URLSearchParams(
      request({ client_id: 'nobody', redirect_uri: registered }),
    ).toString();
    for (const query of [plain, `${plain}&${good}&${evil}`, `${plain}&${good}&${good}`, unknown])
      staysHere(await ask(query), '');
    staysHere(await ask(`${plain}&${evil.replace('redirect_uri', 'redirect_uri[]')}`), '');
  });

  test('T25 a pushed request is held to the same list', async () => {
    for (const [, uri] of mutations.slice(0, 30)) {
      const answer = await post(hemma.url('/request'), request({ redirect_uri: uri }), basic('app', secret));
      expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    }
  });

  test('T25 a native application may choose its port on loopback and nothing else (RFC 8252 §7.3)', async () => {
    const native = (redirect_uri: string) =>
      ask(new URLSearchParams(request({ client_id: 'native', redirect_uri })).toString());
    expect((await native('http://127.0.0.1:51234/cb')).status).toBe(303);
    for (const uri of [
      'http://127.0.0.1:51234/other',
      'http://localhost:51234/cb',
      'https://127.0.0.1:51234/cb',
      'http://127.0.0.2:51234/cb',
      'http://127.0.0.1.evil.example:51234/cb',
      'http://127.0.0.1:51234@evil.example/cb',
    ])
      staysHere(await native(uri), uri);
  });
});

describe('registration', () => {
  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://app.example.com/callback',
    'http://localhost.evil.example/cb',
    'http://localhost@evil.example/cb',
    'https://app.example.com/callback#fragment',
    'not an address',
    '',
  ])('refuses %p as an address', (uri) => {
    for (const field of ['redirectUris', 'postLogoutRedirectUris']) {
      const described = { id: 'other', name: 'Other', type: 'web', [field]: [uri] };
      expect(clientSchema.safeParse(described).success).toBe(false);
    }
    for (const field of ['backchannelLogoutUri', 'launchUrl'])
      expect(clientSchema.safeParse({ id: 'other', name: 'Other', type: 'web', [field]: uri }).success).toBe(
        false,
      );
  });
});
