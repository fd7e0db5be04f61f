/** Links that begin with our name and end elsewhere. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import type { Answer } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { parse } from 'node-html-parser';
import { gotIn, newPerson, nextStep, signIn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

const elsewhere = [
  'https://evil.example/',
  '//evil.example/',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/%5Cevil.example',
  '/%2F/evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  ' //evil.example',
  '/	/evil.example',
  '/%09/evil.example',
  'https://localhost@evil.example/',
  'https://evil.example#localhost',
  '.evil.example',
  '@evil.example',
];
const names = [
  'returnTo',
  'return_to',
  'next',
  'redirect',
  'redirect_to',
  'url',
  'continue',
  'target',
  'goto',
  'saved',
  'uid',
];

/** Where an answer sends or invites a browser: the redirect, and every address of the page. */
function leadsTo({ headers, body }: Answer, at: string): URL[] {
  const page = parse(body);
  const addresses = ['href', 'src', 'action', 'formaction'].flatMap((attribute) =>
    page.querySelectorAll(`[${attribute}]`).map((one) => one.getAttribute(attribute) ?? ''),
  );
  const refresh = page.querySelectorAll('meta[http-equiv]').map((one) => one.getAttribute('content') ?? '');
  return [...addresses, ...refresh, ...(headers.location ? [headers.location] : [])].map((one) =>
    URL.canParse(one, at) ? new URL(one, at) : new URL(`nowhere:${one}`),
  );
}

function expectAtHome(what: string, answer: Answer, at: string): void {
  for (const { origin, href } of leadsTo(answer, at)) {
    expect([what, href, [hemma.issuer, new URL(party.redirectUri).origin].includes(origin)]).toEqual([
      what,
      href,
      true,
    ]);
  }
  expect([what, answer.status < 500]).toEqual([what, true]);
}

test('SECURITY 78, T24 no parameter of any page sends a browser elsewhere', async () => {
  const browser = newVisitor();
  const { url } = await party.begin();
  for (const target of elsewhere) {
    const query = new URLSearchParams(names.map((name) => [name, target])).toString();
    for (const path of ['/', '/account', '/session/end', '/session/end/success', '/nowhere']) {
      const at = hemma.url(`${path}?${query}`);
      expectAtHome(at, await browser.request(at, { headers: { accept: 'text/html' } }), at);
    }
    const at = `${url}&${query}`;
    expectAtHome(at, await browser.request(at), at);
  }
});

test.each([
  '//evil.example/',
  '//evil.example/%2e%2e',
  '/\\evil.example',
  '//evil.example//account',
  '/%5C%5Cevil.example',
  '///evil.example',
  '//evil.example@localhost/',
  '/;//evil.example',
])('T24 no link of the page at %s leads elsewhere', async (path) => {
  const browser = newVisitor();
  const at = `${hemma.issuer}${path}`;
  const { pathname } = new URL(at);
  const answer = await browser.request(at, { headers: { accept: 'text/html' } });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expectAtHome(pathname, answer, at);
});

test('T24 an application that asks to send people to an address it did not register sends them nowhere', async () => {
  const browser = newVisitor();
  const registered = party.redirectUri;
  const wrong = [
    ...elsewhere,
    ...['/', '/extra', '?x=1', '#x', '/..', '%00', '.', ' '].map((more) => registered + more),
    registered.toUpperCase(),
    registered.replace('localhost', '127.0.0.1'),
    registered.replace('http:', 'https:'),
    registered.replace('localhost', 'localhost.evil.example'),
    registered.replace('//', '//evil.example@'),
    '',
  ];
  for (const redirect_uri of wrong) {
    const { url } = await party.begin({ redirect_uri, prompt: 'none' });
    const answer = await browser.request(url, { headers: { accept: 'text/html' } });
    expect([redirect_uri, answer.status, answer.headers.location]).toEqual([redirect_uri, 400, undefined]);
    expectAtHome(redirect_uri, answer, hemma.issuer);
  }
  const missing = await browser.request((await party.begin({ redirect_uri: null })).url);
  expect([missing.status, missing.headers.location]).toEqual([400, undefined]);
});

test('T24 after signing out the person goes to no address that the application did not register', async () => {
  const astrid = await newPerson(hemma, party, { email: 'astrid@example.com' });
  const { id_token: hint = '' } = await party.redeem(astrid.begun, astrid.browser.screen.url);
  const registered = `${new URL(party.redirectUri).origin}/signed-out`;
  for (const address of [
    ...elsewhere,
    `${registered}/`,
    `${registered}?x=1`,
    `${registered}#x`,
    party.redirectUri,
  ]) {
    for (const known of [{ id_token_hint: hint }, { client_id: party.clientId }, {}]) {
      const query = new URLSearchParams({ ...known, post_logout_redirect_uri: address, state: 'x' });
      const at = hemma.url(`/session/end?${query.toString()}`);
      const answer = await astrid.browser.request(at, { headers: { accept: 'text/html' } });
      expectAtHome(at, answer, at);
      expect([at, answer.headers.location]).toEqual([at, undefined]);
      if (answer.status !== 200) continue;
      // Without a known application the address is left out: the person stays here.
      await astrid.browser.visit(at);
      await astrid.browser.submit({}, 'logout=yes');
      expect(astrid.browser.screen.url.origin).toBe(hemma.issuer);
      await signIn(astrid.browser, party, astrid);
      expect(gotIn(astrid.browser)).toBe(true);
    }
  }
});

test('T24 no header of a request changes where the provider sends people', async () => {
  const browser = newVisitor();
  const lies = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '//evil.example',
    forwarded: 'host=evil.example;proto=https',
    'x-original-url': '//evil.example/',
    'x-rewrite-url': '//evil.example/',
    referer: 'https://evil.example/',
    origin: 'https://evil.example',
  };
  for (const at of [
    (await party.begin()).url,
    hemma.url('/account'),
    hemma.url('/'),
    hemma.url('/session/end'),
  ]) {
    const answer = await browser.request(at, { headers: lies });
    expectAtHome(at, answer, at);
    expect([at, JSON.stringify(answer.headers).includes('evil.example')]).toEqual([at, false]);
  }
  const discovery = await browser.request(hemma.url('/.well-known/openid-configuration'), { headers: lies });
  expect(discovery.body).not.toContain('evil.example');
  expect(discovery.body).toContain(`"issuer":"${hemma.issuer}"`);
});
