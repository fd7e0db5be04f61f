/**
 * RFC 7591: programs register themselves with a token from an administrator, and get no more by it than that.
 * Longer than usual: one provider serves all of it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { applyClient, findClientById, listClients } from '../../src/clients/clients.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import {
  createInitialAccessToken,
  listInitialAccessTokens,
  revokeInitialAccessToken,
  type InitialAccessTokenInput,
} from '../../src/oidc/registration/initial-access-tokens.ts';
import { answered, shellWith } from '../command-line/shell.ts';
import { operator } from '../console/town.ts';
import { back, hours, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';
import { attacks, smuggled, web } from './registration-attacks.ts';
import { basic, post, type Told } from './requests.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  // Requests come from networks of their own: those that come to nothing would soon have to wait.
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

let tokens = 0;
async function newToken(
  wanted: Partial<InitialAccessTokenInput> = {},
): Promise<{ token: string; name: string }> {
  const made = await createInitialAccessToken(hemma.db, { name: `Supplier ${(tokens += 1)}`, ...wanted }, {});
  if ('refusal' in made) throw new Error(made.refusal);
  return made;
}
const usesOf = async (name: string) =>
  (await listInitialAccessTokens(hemma.db)).find((one) => one.name === name)?.uses;

let requests = 0;
async function register(
  token: string | undefined,
  metadata: unknown,
  more: { method?: string; headers?: Record<string, string>; from?: string; body?: string } = {},
): Promise<Told> {
  requests += 1;
  const answer = await exchange(new URL(hemma.url('/reg')), {
    method: more.method ?? 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': more.from ?? `198.51.100.${requests}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...more.headers,
    },
    body: more.body ?? JSON.stringify(metadata),
  });
  return { ...answer, json: answer.body ? (JSON.parse(answer.body) as Record<string, unknown>) : {} };
}

const registered = async (json: Record<string, unknown>) =>
  findClientById(hemma.db, String(json['client_id']));

describe('a program that nobody here wrote', () => {
  test('finds the endpoint, registers itself, and signs people in who are asked for their consent', async () => {
    const { token, name } = await newToken();
    const application = await client.dynamicClientRegistration(
      new URL(hemma.issuer),
      { client_name: 'Foreign app', redirect_uris: [party.redirectUri] },
      undefined,
      { initialAccessToken: token, execute: [client.allowInsecureRequests] },
    );
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(application, {
      redirect_uri: party.redirectUri,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const person = await newPerson(hemma, { twoStep: false });
    await person.visitor.visit(url.href);
    await person.visitor.submit({ email: person.account.email, password: PASSWORD });
    const { host } = new URL(party.redirectUri);
    expect(person.visitor.screen).toMatchObject({ step: 'consent' });
    expect(person.visitor.screen.page.querySelector('[data-registered-itself]')?.textContent).toContain(host);
    const screen = await person.answer(person.visitor.screen);
    const redeemed = await client.authorizationCodeGrant(application, screen.url, {
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    expect(redeemed.claims()?.sub).toBe(person.account.id);
    expect(await usesOf(name)).toBe(1);
    const { client_id: id, id_token_signed_response_alg: alg } = application.clientMetadata();
    // The standard's default, which other programs rely on; ours is for what administrators describe.
    expect(alg).toBe('RS256');
    expect(await registered({ client_id: id })).toMatchObject({ registeredWith: name, managed: 'console' });
  });

  test('is answered with all that was registered, a secret once, and nothing of ours', async () => {
    const { token } = await newToken();
    const answer = await register(token, {
      ...web,
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      contacts: ['https://app.example/help', 'it@app.example'],
      client_uri: 'https://app.example/',
      post_logout_redirect_uris: ['https://app.example/bye'],
      backchannel_logout_uri: 'https://app.example/logout',
      default_max_age: 3600,
      default_acr_values: ['urn:hemma:2'],
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      subject_type: 'public',
      id_token_signed_response_alg: 'ES256',
      jwks: null,
      software_id: 'unknown here',
      logo_uri: 'http://127.0.0.1:1/never-fetched.png',
    });
    expect([answer.status, answer.headers['cache-control']]).toEqual([201, 'no-store']);
    expect(answer.json).toEqual({
      client_id: expect.stringMatching(/^reg-[0-9a-f]{24}$/),
      client_id_issued_at: expect.any(Number),
      client_secret: expect.stringMatching(/^.{43}$/),
      client_secret_expires_at: 0,
      client_name: 'Supplier app',
      application_type: 'web',
      redirect_uris: ['https://app.example/back'],
      post_logout_redirect_uris: ['https://app.example/bye'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'ES256',
      scope: 'openid profile email offline_access',
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      client_uri: 'https://app.example/',
      default_acr_values: ['urn:hemma:2'],
      default_max_age: 3600,
      backchannel_logout_uri: 'https://app.example/logout',
      backchannel_logout_session_required: true,
      subject_type: 'public',
      contacts: ['it@app.example'],
    });
    const made = await registered(answer.json);
    expect(made?.client).toMatchObject({
      firstParty: false,
      consent: 'remembered',
      lifetimes: { session: 3600 },
    });
    const secret = String(answer.json['client_secret']);
    const { rows } = await hemma.db.query(
      'SELECT array(SELECT a::text FROM audit a), array(SELECT c::text FROM clients c), array(SELECT s::text FROM client_secrets s), array(SELECT t::text FROM initial_access_tokens t)',
    );
    for (const hidden of [secret, token])
      expect(`${JSON.stringify(rows)}${hemma.logs()}`).not.toContain(hidden);
    const dead = await post(hemma.url('/token'), { grant_type: 'client_credentials' }, basic('x', secret));
    expect(dead.status).toBe(401);
  });

  const uris = (...redirect_uris: string[]) => ({ redirect_uris });
  test.each([
    ['a page in the browser', { ...web, token_endpoint_auth_method: 'none' }, 'single-page', 'none'],
    [
      'a program, told so',
      { ...uris('com.example.app:/back'), application_type: 'native' },
      'native',
      'none',
    ],
    [
      'a program of plain OAuth, known by its addresses',
      { ...uris('http://127.0.0.1/back', 'com.example.app:/back'), token_endpoint_auth_method: 'none' },
      'native',
      'none',
    ],
    ['a service', { client_name: 'Robot', grant_types: ['client_credentials'] }, 'service', 'secret'],
  ])('may be %s', async (_what, metadata, type, authMethod) => {
    const { json } = await register((await newToken()).token, metadata);
    expect((await registered(json))?.client).toMatchObject({ type, authMethod, apiScopes: [] });
    expect('client_secret' in json).toBe(authMethod === 'secret');
  });

  test('shows by what name it goes where it gives itself none', async () => {
    const { json } = await register((await newToken()).token, uris('https://app.example/back'));
    expect(json['client_name']).toBe('app.example');
  });
});

describe('what is refused changes nothing and uses nothing up', () => {
  test('whatever it is, in words by the names of the standard', async () => {
    const { token, name } = await newToken();
    const before = (await listClients(hemma.db)).length;
    const odd: unknown[] = [];
    for (const [what, metadata, says, error] of attacks) {
      const { status, json, headers } = await register(token, metadata);
      const told = String(json['error_description']);
      const good =
        status === 400 && json['error'] === error && says.test(told) && /^[\x20-\x7e]+$/.test(told);
      if (!good || headers['cache-control'] !== 'no-store') odd.push([what, status, json]);
    }
    expect(odd).toEqual([]);
    expect([(await listClients(hemma.db)).length, await usesOf(name)]).toEqual([before, 0]);
  });

  test.each([
    ['another type', { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 400],
    ['no JSON', { body: '{"redirect_uris":' }, 400],
    ['lists without a bottom', { body: `${'['.repeat(50_000)}${']'.repeat(50_000)}` }, 413],
    ['lists deeper than anybody needs', { body: `${'['.repeat(5000)}${']'.repeat(5000)}` }, 400],
    ['a packed body', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 400],
    ['another verb', { method: 'GET', body: '' }, 405],
    [
      'a preflight of a browser',
      { method: 'OPTIONS', body: '', headers: { origin: 'https://app.example' } },
      405,
    ],
  ])('%s', async (_what, request, status) => {
    const answer = await register((await newToken()).token, {}, request);
    expect([answer.status, typeof answer.json['error']]).toEqual([status, 'string']);
    expect(Object.keys(answer.headers).filter((one) => one.startsWith('access-control'))).toEqual([]);
  });

  test('also where the house itself fails half-way', async () => {
    const { token, name } = await newToken();
    const before = (await listClients(hemma.db)).length;
    await hemma.db.query('ALTER TABLE client_secrets RENAME TO elsewhere');
    try {
      const answer = await register(token, web, { headers: { accept: 'application/json' } });
      expect([answer.status, answer.json['error']]).toEqual([500, 'trouble']);
      expect(answer.body).not.toMatch(/client_secrets|relation/);
    } finally {
      await hemma.db.query('ALTER TABLE elsewhere RENAME TO client_secrets');
    }
    expect([(await listClients(hemma.db)).length, await usesOf(name)]).toEqual([before, 0]);
  });
});

test('what is smuggled in means nothing: not the identifier of another, no part of the house, no field of ours', async () => {
  const victim = { id: 'victim', name: 'Victim', type: 'web', redirectUris: ['https://victim.example/back'] };
  await applyClient(hemma.db, clientSchema.parse(victim));
  const { token } = await newToken({ uses: 2 });
  for (const client_id of ['victim', 'hemma-admin']) {
    const { status, json } = await register(token, { ...smuggled, client_id });
    expect([status, String(json['client_secret']).length]).toEqual([201, 43]);
    expect(Object.keys(json).filter((name) => name.startsWith('urn:') || name in victim)).toEqual([]);
    expect(await registered(json)).toMatchObject({
      managed: 'console',
      client: {
        id: expect.stringMatching(/^reg-/),
        firstParty: false,
        consent: 'remembered',
        apiScopes: [],
        allowedIntents: [],
        allowedGroups: [],
        pkceOptional: false,
      },
    });
  }
  expect((await findClientById(hemma.db, 'victim'))?.client.redirectUris).toEqual([
    'https://victim.example/back',
  ]);
});

describe('an initial access token', () => {
  const refused = { status: 401, json: { error: 'invalid_token' } };

  test('is needed: none, a wrong, a spent, an old and a revoked one are answered alike', async () => {
    expect(await register(undefined, web)).toMatchObject(refused);
    const [spent, old, gone] = [await newToken(), await newToken({ hours: 1 }), await newToken()];
    expect((await register(spent.token, web)).status).toBe(201);
    await revokeInitialAccessToken(hemma.db, gone.name, {});
    const wrong = await register('x'.repeat(43), web);
    const answers = [await register(spent.token, web), await register(gone.token, web)];
    travel(hours(1));
    answers.push(await register(old.token, web), await register(old.token, 'not even read'));
    for (const one of [wrong, ...answers]) {
      expect(one).toMatchObject(refused);
      expect(one.json['error_description']).toBe(wrong.json['error_description']);
      expect(one.headers['www-authenticate']).toBe('Bearer realm="Hemma", error="invalid_token"');
    }
  });

  test('of one last use registers one application, however many come at once', async () => {
    const { token, name } = await newToken({ uses: 2 });
    await register(token, web);
    const answers = await Promise.all(Array.from({ length: 10 }, () => register(token, web)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', ...Array(9).fill('401')]);
    const made = (await listClients(hemma.db)).filter(({ registeredWith }) => registeredWith === name);
    expect([made.length, await usesOf(name)]).toEqual([2, 2]);
  });

  test('holds what is registered to its types and its hosts, all addresses of it', async () => {
    const { token } = await newToken({
      uses: 9,
      types: ['web', 'native'],
      hosts: ['App.Example', 'localhost'],
    });
    const at = (metadata: object) => register(token, metadata);
    const native = { application_type: 'native' };
    const taken = [
      await at(web),
      await at({ ...native, redirect_uris: ['example.app:/back', 'http://localhost/back'] }),
    ];
    expect(taken.map(({ status, body }) => [status, status === 201 || body])).toEqual([
      [201, true],
      [201, true],
    ]);
    const told = async (metadata: object) => (await at(metadata)).json;
    expect(await told({ redirect_uris: ['https://app.example.evil.example/'] })).toMatchObject({
      error: 'invalid_redirect_uri',
      error_description: 'redirect_uris[0]: this token is not for addresses there',
    });
    for (const uri of ['https://sub.app.example/', 'https://evil.example/?app.example', 'http://127.0.0.1/'])
      expect(await told({ redirect_uris: [uri] })).toMatchObject({ error: 'invalid_redirect_uri' });
    expect(await told({ ...native, redirect_uris: ['example.app.evil:/back'] })).toMatchObject({
      error: 'invalid_redirect_uri',
    });
    for (const name of ['client_uri', 'initiate_login_uri', 'backchannel_logout_uri'])
      expect(await told({ ...web, [name]: 'https://evil.example/' })).toMatchObject({
        error: 'invalid_client_metadata',
        error_description: `${name}: this token is not for addresses there`,
      });
    expect(await told({ ...web, token_endpoint_auth_method: 'none' })).toMatchObject({
      error: 'invalid_client_metadata',
      error_description: 'application_type: this token is for web, native, and this would be single-page',
    });
  });

  test('throttles a network after thirty requests without a valid token, and never a valid token', async () => {
    const from = '203.0.113.9';
    const { token } = await newToken({ uses: 2 });
    expect((await register(token, web, { from })).status).toBe(201);
    for (let guess = 0; guess < 30; guess += 1) await register(`guess-${guess}`, web, { from });
    const waits = await register('guess', web, { from });
    expect([waits.status, Number(waits.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await register('guess', web)).status).toBe(401);
    expect((await register(token, web, { from })).status).toBe(201);
  });

  test.each([
    ['no name', { name: ' ' }, 'name-missing'],
    ['a name that is taken', { name: 'Taken' }, 'name-taken'],
    ['more than a month', { hours: 721 }, 'lifetime-out-of-range'],
    ['no time', { hours: 0 }, 'lifetime-out-of-range'],
    ['too many uses', { uses: 101 }, 'uses-out-of-range'],
    ['half a use', { uses: 0.5 }, 'uses-out-of-range'],
    ['a type of nobody', { types: ['spa'] }, 'type-unknown'],
    ['a host with a path', { hosts: ['app.example/x'] }, 'host-malformed'],
    ['all hosts', { hosts: ['*.example'] }, 'host-malformed'],
    ['no host', { hosts: [''] }, 'host-malformed'],
  ])('is not made with %s', async (_what, wanted, refusal) => {
    await createInitialAccessToken(hemma.db, { name: 'Taken' }, {});
    const made = await createInitialAccessToken(hemma.db, { name: 'New', ...wanted }, {});
    expect(made).toEqual({ refusal });
  });

  test('is made, listed and revoked from a shell, and the audit names it', async () => {
    const shell = shellWith(hemma.env);
    const command = (...words: string[]) => shell(['clients', 'initial-access-token', ...words, '--json']);
    const wanted = [
      '--name',
      'By shell',
      '--uses',
      '2',
      '--type',
      'web',
      '--type',
      'native',
      '--host',
      'app.example',
    ];
    const made = answered(await command('create', ...wanted)) as Record<string, string>;
    expect(made).toMatchObject({ name: 'By shell', endpoint: hemma.url('/reg') });
    const { json } = await register(made['token'], web);
    const listed = answered(await command('list')) as { name: string }[];
    expect(listed.find(({ name }) => name === 'By shell')).toMatchObject({
      state: 'live',
      uses: 1,
      mostUses: 2,
      types: ['web', 'native'],
      hosts: ['app.example'],
    });
    expect(JSON.stringify(listed)).not.toContain(made['token']);
    const all = answered(await shell(['clients', 'list', '--json'])) as { id: string }[];
    expect(all.find(({ id }) => id === json['client_id'])).toMatchObject({ registeredWith: 'By shell' });
    expect((await command('revoke', 'By shell')).code).toBe(0);
    expect((await command('revoke', 'By shell')).code).toBe(1);
    expect((await command('create', '--name', 'x', '--days', '31')).code).toBe(1);
    expect((await command('list', '--name', 'x')).code).toBe(2);
    const { rows } = await hemma.db.query<{ event: string }>(
      `SELECT event FROM audit WHERE detail->>'token' IN ('By shell', $1) ORDER BY id`,
      [made['id']],
    );
    expect(rows.map(({ event }) => event)).toEqual([
      'initial-access-token.created',
      'client.registered',
      'initial-access-token.revoked',
    ]);
    expect(await register(made['token'], web)).toMatchObject(refused);
  });

  test('is made in the console, shown once there, and marks what was registered with it', async () => {
    const { visitor } = await operator(hemma, 'alma@hemma.example', 'administrator');
    const open = (path: string) => visitor.visit(hemma.url(`/admin/clients${path}`));
    await open('');
    await visitor.follow('Token för registrering');
    await visitor.follow('Ny token');
    const odd = await visitor.submit({ name: 'Konsolen', uses: '1', hosts: 'https://app.example' });
    expect([odd.status, odd.refusal]).toEqual([422, 'host-malformed']);
    await visitor.submit({ hosts: 'app.example\r\n' });
    const token =
      visitor.screen.page.querySelector('[data-initial-access-token] .copyable')?.textContent ?? '';
    expect([visitor.screen.status, visitor.screen.headers['cache-control']]).toEqual([200, 'no-store']);
    const { json } = await register(token, { ...web, client_name: '<b>Bageri</b> & Åkeri' });
    const page = await open(`/${String(json['client_id'])}`);
    expect(page.text).toContain('Registrerade sig själv med Konsolen');
    expect(page.heading).toBe('<b>Bageri</b> & Åkeri');
    await visitor.follow('Ändra');
    await visitor.submit({ name: 'Bageriet' });
    expect(visitor.screen.text).toContain('Registrerade sig själv med Konsolen');
    expect((await open('')).text).toContain('Registrerade sig själv med Konsolen');
    await open('/-/initial-access-tokens');
    expect(visitor.screen.body).not.toContain(token);
    const row = visitor.screen.page
      .querySelectorAll('tbody tr')
      .find((one) => one.textContent.includes('Konsolen'));
    await visitor.visit(hemma.url(row?.querySelector('a')?.getAttribute('href') ?? '/'));
    await visitor.submit();
    expect(visitor.screen.text).toContain('Token är indragen.');
    expect(await usesOf('Konsolen')).toBeUndefined();
  });
});
