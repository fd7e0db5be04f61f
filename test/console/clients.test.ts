/**
 * Applications in the console: made, changed, refused in words, and left alone where a file looks after them. It is longer
 * than usual because every field of the form is filled in once and read back.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { applyClient, findClientById } from '../../src/clients/clients.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { Visitor } from '../rig/visitor.ts';
import { group, operator, type OperatorAtWork, tokenOf } from './town.ts';

let hemma: Hemma;
let alma: OperatorAtWork;
let visitor: Visitor;
beforeAll(async () => {
  hemma = await startHemma();
  alma = await operator(hemma, 'alma@hemma.example', 'administrator');
  visitor = alma.visitor;
  const filed = { id: 'filed', name: 'Filed', type: 'web', redirectUris: ['https://filed.example/back'] };
  await applyClient(hemma.db, clientSchema.parse(filed));
});
afterAll(() => hemma.stop());

const open = (path: string) => visitor.visit(hemma.url(`/admin/clients${path}`));
const refusals = () =>
  visitor.screen.page
    .querySelectorAll('[role=alert] [data-refusal]')
    .map((one) => one.getAttribute('data-refusal'));
const least = (id: string) => ({ id, name: `The ${id}`, redirectUris: `https://${id}.example/back` });

async function made(id: string, more: Record<string, string> = {}): Promise<void> {
  await open('/-/new/web');
  await visitor.submit({ ...least(id), ...more });
  if (visitor.screen.step !== 'client') throw new Error(visitor.screen.alert ?? visitor.screen.text);
}

describe('a new application', () => {
  test('begins with its type, needs a name, an identifier and an address, and gets safe defaults', async () => {
    await open('');
    await visitor.follow('Ny applikation');
    expect(visitor.screen.step).toBe('client-type');
    await visitor.follow('Webbapplikation');
    await visitor.submit(least('first'));
    expect(visitor.screen.url.href).toBe(hemma.url('/admin/clients/first?notice=created'));
    expect((await findClientById(hemma.db, 'first'))?.client).toMatchObject({
      authMethod: 'secret',
      consent: 'remembered',
      scopes: ['profile', 'email'],
      firstParty: false,
      lifetimes: {},
    });
    expect(visitor.screen.text).toContain('https://first.example/back');
    await open('');
    expect(visitor.screen.text).toContain('The first');
  });

  test('keeps everything that the form holds, and the form shows it again', async () => {
    const norr = await group(hemma, 'Norr');
    await open('/-/new/web');
    await visitor.submit({
      ...least('full'),
      description: 'All of it',
      contact: 'it@example.com',
      firstParty: 'yes',
      redirectUris: 'https://full.example/back\r\n\r\n  https://full.example/other  ',
      postLogoutRedirectUris: 'https://full.example/bye',
      backchannelLogoutUri: 'https://full.example/logout',
      frontchannelLogoutUri: 'https://full.example/signed-out',
      launchUrl: 'https://full.example/',
      initiateLoginUri: 'https://full.example/start',
      scopes: ['profile', 'offline_access'],
      consent: 'none',
      allowedGroups: norr.id,
      requiredAcr: 'urn:hemma:2',
      'lifetimes-accessToken': '300',
      'lifetimes-refreshToken': '86400',
      signingAlg: 'ES256',
      allowedIntents: 'step_up',
      parRequired: 'yes',
      pkceOptional: 'yes',
      subjectType: 'pairwise',
      sector: 'https://Full.example/all.json',
      apiScopes: ['people:read', 'cases:write'],
    });
    expect(visitor.screen.alert).toBeUndefined();
    expect((await findClientById(hemma.db, 'full'))?.client).toEqual({
      id: 'full',
      name: 'The full',
      type: 'web',
      description: 'All of it',
      contact: 'it@example.com',
      firstParty: true,
      authMethod: 'secret',
      redirectUris: ['https://full.example/back', 'https://full.example/other'],
      postLogoutRedirectUris: ['https://full.example/bye'],
      corsOrigins: [],
      backchannelLogoutUri: 'https://full.example/logout',
      frontchannelLogoutUri: 'https://full.example/signed-out',
      launchUrl: 'https://full.example/',
      initiateLoginUri: 'https://full.example/start',
      scopes: ['profile', 'offline_access'],
      consent: 'none',
      allowedGroups: [norr.id],
      requiredAcr: 'urn:hemma:2',
      lifetimes: { accessToken: 300, refreshToken: 86_400 },
      signingAlg: 'ES256',
      allowedIntents: ['step_up'],
      parRequired: true,
      pkceOptional: true,
      dpopRequired: false,
      deviceFlow: false,
      subjectType: 'pairwise',
      sector: 'full.example',
      apiScopes: ['people:read', 'cases:write'],
      resources: [],
    });
    await open('/full/edit');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=unchanged');
  });

  test('that is a service is limited to a group in the interface for programs, and answers for nobody', async () => {
    const syd = await group(hemma, 'Syd');
    await open('/-/new/service');
    expect(visitor.screen.page.querySelector('input[value="cases:write"]')).toBeNull();
    await visitor.submit({ id: 'robot', name: 'Robot', apiScopes: 'people:read', apiGroup: syd.id });
    const robot = { client: { apiScopes: ['people:read'], apiGroup: syd.id } };
    expect(await findClientById(hemma.db, 'robot')).toMatchObject(robot);
    expect(visitor.screen.text).toContain('Syd');
    await open('/robot/edit');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=unchanged');
  });

  test.each([
    ['single-page', 'none'],
    ['native', 'none'],
    ['service', 'secret'],
  ])('of the type %s proves itself by %s', async (type, authMethod) => {
    await open(`/-/new/${type}`);
    await visitor.submit(type === 'service' ? { id: type, name: type } : least(type));
    expect((await findClientById(hemma.db, type))?.client).toMatchObject({ type, authMethod });
  });

  test('is refused with every reason in words, and what was typed stands there again', async () => {
    await open('/-/new/web');
    await visitor.submit({
      ...least('filed'),
      name: '',
      redirectUris: 'https://a.example/*\nhttps://a.example/#x',
      'lifetimes-accessToken': 'soon',
      'lifetimes-idToken': '5',
    });
    expect(visitor.screen.status).toBe(422);
    expect(new Set(refusals())).toEqual(
      new Set([
        'missing',
        'address-wildcard',
        'address-fragment',
        'lifetime-not-a-number',
        'lifetime-out-of-range',
      ]),
    );
    expect(visitor.screen.alert).toContain('https://a.example/*: Stjärnor går inte');
    expect(visitor.screen.page.querySelector('#redirectUris')?.textContent).toContain('https://a.example/#x');
    await visitor.submit({
      ...least('filed'),
      consent: 'none',
      'lifetimes-accessToken': '',
      'lifetimes-idToken': '',
      'lifetimes-refreshToken': '7200',
    });
    expect(refusals()).toEqual(['consent-none-for-others', 'lifetime-without-refresh']);
    await visitor.submit({ consent: 'ask', 'lifetimes-refreshToken': '' });
    expect(refusals()).toEqual(['id-taken']);
  });

  test('says the same in English', async () => {
    await visitor.visit(hemma.url('/admin/clients/-/new/web?ui_locales=en'));
    await visitor.submit({ ...least('english'), redirectUris: 'http://a.example/' });
    expect(visitor.screen.alert).toContain('Use https. Only the own computer');
    expect(visitor.screen.heading).toBe('New: Web application');
    await visitor.visit(hemma.url('/admin/clients?ui_locales=sv'));
    expect(visitor.screen.heading).toBe('Applikationer');
  });

  test('takes public keys and never a private one', async () => {
    await open('/-/new/web');
    const key = { kty: 'EC', crv: 'P-256', x: 'a'.repeat(43), y: 'b'.repeat(43) };
    const keys = (one: object) => JSON.stringify({ keys: [one] });
    await visitor.submit({
      ...least('signer'),
      authMethod: 'private_key_jwt',
      jwks: keys({ ...key, d: 'c' }),
    });
    expect(refusals()).toEqual(['key-private']);
    await visitor.submit({ jwks: '{' });
    expect(refusals()).toEqual(['keys-malformed']);
    await visitor.submit({ jwks: '' });
    expect(refusals()).toEqual(['keys-missing']);
    const rsa = { kty: 'RSA', n: 'n'.repeat(342), e: 'AQAB' };
    await visitor.submit({ jwks: keys({ ...rsa, oth: [{ r: 'r', d: 'd', t: 't' }] }) });
    expect(refusals()).toEqual(['key-private']);
    // With any of them no key of the set would be read.
    for (const odd of [
      { ...rsa, kid: 5 },
      { ...rsa, n: '!'.repeat(342) },
      { ...key, crv: 'P-999' },
    ]) {
      await visitor.submit({ jwks: keys(odd) });
      expect(refusals()).toEqual(['keys-malformed']);
    }
    await visitor.submit({ jwks: keys(key) });
    expect((await findClientById(hemma.db, 'signer'))?.client.authMethod).toBe('private_key_jwt');
  });
});

describe('what the database keeps in no text', () => {
  test.each([
    [
      'in a key',
      {
        authMethod: 'private_key_jwt',
        jwks: '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b","kid":"\\u0000"}]}',
      },
      422,
    ],
    ['in a name, as what moves a line', { name: 'Auto\u001b[2J\u202eyap' }, 422],
    ['in one of several groups', { allowedGroups: ['a\0', 'b'] }, 400],
  ])('%s is refused and no fault', async (_where, fields, status) => {
    const token = tokenOf(await open('/-/new/web'));
    const whole = { ...least('unkept'), consent: 'remembered', authMethod: 'secret', token, ...fields };
    const answer = await visitor.post(hemma.url('/admin/clients/-/new/web'), whole);
    expect(answer.status).toBe(status);
  });
});

describe('a change', () => {
  test('of something else keeps the groups, also one that a list of very many leaves out', async () => {
    const { id } = await group(hemma, 'Östra');
    await hemma.db.query(
      "INSERT INTO groups (id, name, name_key, created_at) SELECT gen_random_uuid(), 'a' || n, 'a' || n, now() FROM generate_series(1, 1000) AS n",
    );
    await made('among-many');
    await hemma.db.query(
      "UPDATE clients SET metadata = jsonb_set(metadata, '{allowedGroups}', jsonb_build_array($1::text)) WHERE id = 'among-many'",
      [id],
    );
    await open('/among-many/edit');
    await visitor.submit({ name: 'Changed' });
    expect((await findClientById(hemma.db, 'among-many'))?.client).toMatchObject({
      name: 'Changed',
      allowedGroups: [id],
    });
  });

  test('holds at once, is written down with what was before, and by whom', async () => {
    await made('changing');
    await visitor.follow('Ändra');
    await visitor.submit({ name: 'Changed', 'lifetimes-idToken': '600' });
    expect(visitor.screen.text).toContain('Ändringarna är sparade');
    const { rows } = await hemma.db.query<{ actor: string; detail: { changes: string } }>(
      "SELECT actor, detail FROM audit WHERE client_id = 'changing' ORDER BY id DESC LIMIT 1",
    );
    expect(rows[0]).toMatchObject({
      actor: alma.id,
      detail: { changes: 'name: "The changing" → "Changed"; lifetimes.idToken: 600' },
    });
  });

  test('of two who change at once the second is told and overwrites nothing', async () => {
    await made('contested');
    const early = await open('/contested/edit');
    await visitor.submit({ name: 'First' });
    visitor.backTo(early);
    await visitor.submit({ name: 'Second' });
    expect(refusals()).toEqual(['changed-meanwhile']);
    expect((await findClientById(hemma.db, 'contested'))?.client.name).toBe('First');
  });

  test('is not possible for what a file looks after; the page says so', async () => {
    await open('/filed');
    expect(visitor.screen.page.querySelector('[data-managed=file]')).not.toBeNull();
    expect(visitor.screen.page.querySelector('a[href$="/edit"]')).toBeNull();
    expect((await open('/filed/edit')).status).toBe(403);
    const form = await open('/first/edit');
    const token = tokenOf(form);
    const fields = { ...least('filed'), token, seen: '0', name: 'Overwritten' };
    const answer = await visitor.post(hemma.url('/admin/clients/filed/edit'), fields);
    expect(answer.status).toBe(403);
    expect((await findClientById(hemma.db, 'filed'))?.client.name).toBe('Filed');
  });

  test('asks for a fresh sign-in before the form, and reading does not', async () => {
    try {
      travel(minutes(11));
      expect((await open('/filed')).step).toBe('client');
      const { step, chain } = await open('/-/new/web');
      expect(step).toBe('password');
      expect(chain[1]?.url).toContain('intent=step_up');
    } finally {
      back();
    }
  });
});
