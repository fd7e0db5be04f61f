/**
 * Resource servers: access tokens for one audience (RFC 8707), signed (RFC 9068) or asked about (RFC 7662). Longer than
 * usual: one provider serves all of it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { resourceServerSchema } from '../../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../../src/clients/resource-servers/resource-servers.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { basic, basicOf, broughtBack, get, post, type Told } from './requests.ts';

const ORDERS = 'https://orders.example/api';
const STOCK = 'urn:example:stock';
const scopesOf = (name: string) => [
  { name: `${name}:read`, description: `read your ${name}` },
  { name: `${name}:write`, description: `change your ${name}` },
];

let hemma: Hemma;
let house: RelyingParty;
let third: RelyingParty;
let person: Person;
const secrets: Record<string, string> = {};

async function service(id: string, more: object): Promise<void> {
  await applyClient(hemma.db, clientSchema.parse({ id, name: id, type: 'service', ...more }));
  secrets[id] ??= (await addSecret(hemma.db, id, 'test')) ?? '';
}

beforeAll(async () => {
  hemma = await startHemma();
  for (const server of [
    { id: ORDERS, name: 'Order desk', scopes: scopesOf('orders') },
    { id: STOCK, name: 'Stock room', scopes: scopesOf('stock'), tokenFormat: 'opaque', lifetime: 120 },
  ])
    await createResourceServer(hemma.db, resourceServerSchema.parse(server), {});
  const resources = [
    { resource: ORDERS, scopes: ['orders:read'] },
    { resource: STOCK, scopes: ['stock:read', 'stock:write'] },
  ];
  house = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'offline_access'], resources },
  });
  third = await startRelyingParty({
    hemma,
    description: { firstParty: false, consent: 'remembered', resources, apiScopes: ['people:read'] },
  });
  await service('robot', { resources });
  await service('door', { introspects: STOCK });
  await service('other-door', { introspects: ORDERS });
  person = await newPerson(hemma, { twoStep: false });
});
afterAll(async () => {
  await Promise.all([house, third].map((party) => party.stop()));
  await hemma.stop();
});

const token = (fields: Record<string, string>, headers: { authorization: string }): Promise<Told> =>
  post(hemma.url('/token'), fields, headers);
const asRobot = (fields: Record<string, string>) =>
  token({ grant_type: 'client_credentials', ...fields }, basic('robot', secrets['robot'] ?? ''));
const introspect = async (who: string, value: string) =>
  (await post(hemma.url('/token/introspection'), { token: value }, basic(who, secrets[who] ?? ''))).json;

/** As an API does it: by the published keys, its own name in `aud`, and the type of the token. */
async function read(value: string, audience = ORDERS) {
  const keys = (await get(hemma.url('/jwks'))).json as unknown as JSONWebKeySet;
  return jwtVerify(value, createLocalJWKSet(keys), { issuer: hemma.issuer, audience, typ: 'at+jwt' });
}

/** Signs somebody in and brings the code back, for several resources at once where there are several. */
async function signedIn(party: RelyingParty, who: Person, scope: string, ...resources: string[]) {
  const begun = await party.begin({ scope, prompt: 'consent' });
  const url = new URL(begun.url);
  for (const one of resources) url.searchParams.append('resource', one);
  const screen = await who.signIn(url.href);
  const { code = '', ...rest } = broughtBack(screen.url);
  const redeem = (more: Record<string, string> = {}) =>
    token(
      {
        grant_type: 'authorization_code',
        code,
        redirect_uri: party.redirectUri,
        code_verifier: begun.verifier,
        ...more,
      },
      basicOf(party),
    );
  return { screen, rest, redeem };
}

describe('a service', () => {
  test('gets a signed token for one audience, that lasts ten minutes at most and says what RFC 9068 wants', async () => {
    const { status, json } = await asRobot({ resource: ORDERS, scope: 'orders:read' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'orders:read' });
    const { payload, protectedHeader } = await read(String(json['access_token']));
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: hemma.issuer,
      sub: 'robot',
      client_id: 'robot',
      aud: ORDERS,
      scope: 'orders:read',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(payload.iat) + 600,
    });
  });

  test('gets one that only the API of its audience may ask about, where the API wants it so', async () => {
    const { json } = await asRobot({ resource: STOCK, scope: 'stock:read' });
    expect(json).toMatchObject({ expires_in: 120, scope: 'stock:read' });
    const value = String(json['access_token']);
    expect(value).not.toContain('.');
    expect(await introspect('door', value)).toMatchObject({
      active: true,
      aud: STOCK,
      client_id: 'robot',
      scope: 'stock:read',
      iss: hemma.issuer,
    });
    expect(await introspect('other-door', value)).toEqual({ active: false });
    expect(await introspect('robot', value)).toMatchObject({ active: true });
    // Neither token opens what is ours.
    for (const path of ['/api/people', '/me'])
      expect((await get(hemma.url(path), { authorization: `Bearer ${value}` })).status).toBe(401);
  });

  test.each([
    [
      'a resource that nobody registered',
      { resource: 'https://else.example', scope: 'orders:read' },
      'invalid_target',
    ],
    ['one that is spelt otherwise', { resource: `${ORDERS}/`, scope: 'orders:read' }, 'invalid_target'],
    ['the interface for programs', { resource: 'api', scope: 'people:read' }, 'invalid_target'],
    ['a scope beyond its own', { resource: ORDERS, scope: 'orders:write' }, 'invalid_scope'],
    ['a scope of another resource', { resource: ORDERS, scope: 'orders:read stock:read' }, 'invalid_scope'],
    ['a scope that is none', { resource: ORDERS, scope: 'orders:read orders:burn' }, 'invalid_scope'],
    ['no scope at all', { resource: ORDERS }, 'invalid_scope'],
    ['only a scope about people', { resource: ORDERS, scope: 'openid' }, 'invalid_scope'],
  ])('is refused %s', async (_what, { resource, ...rest }, error) => {
    const answer = await asRobot({ resource: resource === 'api' ? hemma.url('/api') : resource, ...rest });
    expect([answer.status, answer.json['error'], answer.json['access_token']]).toEqual([
      400,
      error,
      undefined,
    ]);
  });

  test('loses an opaque token with what it was allowed, at once, and a signed one when its time is over', async () => {
    await service('leaving', { resources: [{ resource: STOCK, scopes: ['stock:read'] }] });
    const asked = { grant_type: 'client_credentials', resource: STOCK, scope: 'stock:read' };
    const own = basic('leaving', secrets['leaving'] ?? '');
    const value = String((await token(asked, own)).json['access_token']);
    expect(await introspect('door', value)).toMatchObject({ active: true });
    await service('leaving', { resources: [{ resource: STOCK, scopes: ['stock:write'] }] });
    expect(await introspect('door', value)).toEqual({ active: false });
    expect((await token(asked, own)).json['error']).toBe('invalid_scope');
  });
});

describe('somebody who signs in', () => {
  test('to an application of the house brings it a token that says how they signed in', async () => {
    const { redeem } = await signedIn(house, person, 'openid orders:read', ORDERS);
    const { json } = await redeem({ resource: ORDERS });
    const { payload } = await read(String(json['access_token']));
    const claims = decodeJwt(String(json['id_token']));
    expect(payload).toMatchObject({
      sub: person.account.id,
      client_id: house.clientId,
      aud: ORDERS,
      scope: 'orders:read',
      acr: 'urn:hemma:1',
      amr: ['pwd'],
      auth_time: claims['auth_time'],
    });
    // Nothing about the person that nobody asked for.
    expect(Object.keys(payload).toSorted()).toEqual([
      'acr',
      'amr',
      'aud',
      'auth_time',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'scope',
      'sub',
    ]);
    // No other resource server takes it, nor do we.
    await expect(read(String(json['access_token']), STOCK)).rejects.toThrow();
    const bearer = { authorization: `Bearer ${String(json['access_token'])}` };
    expect((await get(hemma.url('/me'), bearer)).status).toBe(401);
  });

  test('may allow two: each token is for one of them, and a refresh asks for the other', async () => {
    const scope = 'openid offline_access orders:read stock:read';
    const { redeem } = await signedIn(house, person, scope, ORDERS, STOCK);
    const first = (await redeem({ resource: ORDERS })).json;
    expect((await read(String(first['access_token']))).payload).toMatchObject({
      aud: ORDERS,
      scope: 'orders:read',
    });
    const refresh = (from: Record<string, unknown>, more: Record<string, string>) =>
      token(
        { grant_type: 'refresh_token', refresh_token: String(from['refresh_token']), ...more },
        basicOf(house),
      );
    const second = (await refresh(first, { resource: STOCK })).json;
    expect(second).toMatchObject({ scope: 'stock:read', expires_in: 120 });
    expect(await introspect('door', String(second['access_token']))).toMatchObject({
      active: true,
      aud: STOCK,
      sub: person.account.id,
      acr: 'urn:hemma:1',
    });
    const beyond = await refresh(second, { resource: STOCK, scope: 'stock:write' });
    expect(beyond.json['error']).toBe('invalid_scope');
    const renewed = (await refresh(second, { resource: ORDERS })).json;
    expect((await read(String(renewed['access_token']))).payload).toMatchObject({ acr: 'urn:hemma:1' });
    const elsewhere = await refresh(renewed, { resource: hemma.url('/api') });
    expect(elsewhere.json['error']).toBe('invalid_target');
  });

  test('and is disabled: what is looked up is dead, and no new token is signed', async () => {
    const leaving = await newPerson(hemma, { twoStep: false });
    const scope = 'openid offline_access stock:read';
    const { redeem } = await signedIn(house, leaving, scope, STOCK);
    const { json } = await redeem({ resource: STOCK });
    expect(await introspect('door', String(json['access_token']))).toMatchObject({ active: true });
    // Nothing else is done to it here: the look-up alone must tell.
    await hemma.db.query('UPDATE accounts SET disabled_at = $2 WHERE id = $1', [
      leaving.account.id,
      new Date(),
    ]);
    expect(await introspect('door', String(json['access_token']))).toEqual({ active: false });
    const refreshed = await token(
      { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']), resource: STOCK },
      basicOf(house),
    );
    expect(refreshed.json['error']).toBe('invalid_grant');
  });

  test('is asked by name and in words by an application of others, and only then; My details say the same', async () => {
    const asked = await newPerson(hemma, { twoStep: false });
    const begun = await third.begin({ scope: 'openid orders:read stock:read', prompt: 'consent' });
    const url = new URL(begun.url);
    for (const one of [ORDERS, STOCK]) url.searchParams.append('resource', one);
    const screen = await asked.signIn(url.href, { consent: 'deny' });
    expect(broughtBack(screen.url)['error']).toBe('access_denied');
    await asked.visitor.visit(url.href);
    const { page, step } = asked.visitor.screen;
    expect(step).toBe('consent');
    const shown = page
      .querySelectorAll('[data-resource]')
      .map((one) => one.text.replaceAll(/\s+/g, ' ').trim());
    expect(shown).toEqual(['I Order desk:read your orders', 'I Stock room:read your stock']);
    expect(page.querySelector('main')?.text).not.toContain('orders:read');
    await asked.visitor.submit({}, 'choice=allow');
    const { text } = await asked.visitor.visit(hemma.url('/account'));
    expect(text).toMatch(/I Order desk: read your orders/);
    expect(text).not.toContain('orders:read');
    // It is remembered, and what was not asked about is asked.
    const again = await third.begin({ scope: 'openid orders:read' });
    expect((await asked.visitor.visit(`${again.url}&resource=${encodeURIComponent(ORDERS)}`)).step).toBe(
      'back',
    );
    const more = await third.begin({ scope: 'openid stock:write' });
    await asked.visitor.visit(`${more.url}&resource=${encodeURIComponent(STOCK)}`);
    expect(asked.visitor.screen.step).toBe('consent');
    expect(asked.visitor.screen.text).toContain('change your stock');
    expect(asked.visitor.screen.text).not.toContain('read your stock');
  });

  test.each([
    [
      'for a target that the application may not have',
      'openid orders:read',
      ['https://else.example'],
      'invalid_target',
    ],
    ['for a scope beyond', 'openid orders:read orders:write', [ORDERS], 'invalid_scope'],
    ['for a resource and none of its scopes', 'openid', [ORDERS], 'invalid_scope'],
    ['for two and the scopes of one', 'openid orders:read', [ORDERS, STOCK], 'invalid_scope'],
    ['for what is no absolute address', 'openid orders:read', ['orders'], 'invalid_target'],
    ['for an address with a fragment', 'openid orders:read', [`${ORDERS}#x`], 'invalid_target'],
    ['for the same eleven times', 'openid orders:read', Array<string>(11).fill(ORDERS), 'invalid_target'],
  ])('is sent back at once from a request %s', async (_what, scope, resources, error) => {
    const { screen, rest } = await signedIn(house, person, scope, ...resources);
    expect([screen.step, rest['error']]).toEqual(['back', error]);
  });

  test('never lends a token to a code that was given without the resource', async () => {
    const { redeem } = await signedIn(house, person, 'openid profile');
    expect((await redeem({ resource: ORDERS })).json['error']).toBe('invalid_target');
  });

  test('keeps two factors for our own interface and not for others', async () => {
    await signedIn(third, person, 'openid people:read', hemma.url('/api'));
    expect(person.steps).toContain('enrollment');
  });
});
