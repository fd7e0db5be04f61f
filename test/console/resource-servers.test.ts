/**
 * Resource servers as administrators look after them: in the console, by the interface, and in a file with the clients. Longer than usual:
 * one provider and one administrator serve all three ways.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { call, isProblem, machineToken, service } from '../api/callers.ts';
import { answered, type Shell, shellWith } from '../command-line/shell.ts';
import { createClient, findClientById } from '../../src/clients/clients.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { listResourceServers } from '../../src/clients/resource-servers/resource-servers.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { Visitor } from '../rig/visitor.ts';
import { operator, tokenOf } from './town.ts';

let hemma: Hemma;
let visitor: Visitor;
let machine: string;
let shell: Shell;
let folder: string;
beforeAll(async () => {
  hemma = await startHemma();
  ({ visitor } = await operator(hemma, 'alma@hemma.example', 'administrator'));
  const scopes = ['clients:read', 'clients:write'] as const;
  machine = await machineToken(hemma, await service(hemma, 'pipeline', scopes), scopes);
  shell = shellWith(hemma.env);
  folder = await mkdtemp(join(tmpdir(), 'hemma-resource-servers-'));
});
afterAll(async () => {
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

const open = (path: string) => visitor.visit(hemma.url(`/admin${path}`));
const refusals = () =>
  visitor.screen.page
    .querySelectorAll('[role=alert] [data-refusal]')
    .map((one) => one.getAttribute('data-refusal'));
const known = async (id: string) =>
  (await listResourceServers(hemma.db)).find(({ server }) => server.id === id);
const numberOf = async (id: string) => (await known(id))?.number ?? '';

/** By the interface; what is told besides the status. */
const api = (method: string, path: string, json?: unknown, etag?: string) =>
  call(hemma, path, { method, token: machine, json, headers: etag ? { 'if-match': etag } : {} });

const orders = {
  id: 'https://orders.example/api',
  name: 'The orders',
  scopes: 'orders:read   read your orders\r\n\r\norders:write change your orders',
};

describe('the console', () => {
  test('registers an API, beside the applications, with safe defaults', async () => {
    await open('/clients');
    await visitor.follow('API som applikationerna anropar');
    expect(visitor.screen.page.querySelector('[data-empty]')).not.toBeNull();
    await visitor.follow('Registrera ett API');
    await visitor.submit({ ...orders, lifetime: '' });
    expect(visitor.screen.step).toBe('resource-server');
    expect((await known(orders.id))?.server).toEqual({
      id: orders.id,
      name: 'The orders',
      scopes: [
        { name: 'orders:read', description: 'read your orders' },
        { name: 'orders:write', description: 'change your orders' },
      ],
      tokenFormat: 'jwt',
      signingAlg: 'ES256',
      lifetime: 600,
    });
    await visitor.follow('Ändra API:et');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=unchanged');
  });

  test('refuses in words what no API can be, and what was typed stands there again', async () => {
    await open('/resource-servers/-/new');
    const id = 'https://orders.example/#x';
    await visitor.submit({ id, name: '', scopes: 'openid know you\nå bc\nlonely', lifetime: 'long' });
    expect(visitor.screen.status).toBe(422);
    expect(new Set(refusals())).toEqual(
      new Set(['address-fragment', 'missing', 'scope-reserved', 'scope-malformed', 'lifetime-not-a-number']),
    );
    expect(visitor.screen.alert).toContain('openid know you: Det namnet betyder något annat hos oss');
    expect(visitor.screen.page.querySelector('#scopes')?.textContent).toContain('lonely');
    const whole = { ...orders, lifetime: '600' };
    for (const [field, value, code] of [
      ['id', `${hemma.issuer}/api`, 'resource-reserved'],
      ['id', hemma.issuer, 'resource-reserved'],
      ['id', `${hemma.issuer.replace('localhost', 'LOCALHOST')}/api`, 'resource-reserved'],
      ['id', 'orders', 'address-malformed'],
      ['id', 'javascript:alert(1)', 'address-dangerous-scheme'],
      ['id', orders.id, 'resource-taken'],
      ['scopes', '', 'scopes-missing'],
      ['scopes', 'a one\na two', 'scope-twice'],
      ['scopes', 'people:read see people', 'scope-reserved'],
      ['lifetime', '3601', 'lifetime-out-of-range'],
    ] as const) {
      await visitor.submit({ ...whole, [field]: value });
      expect([value, refusals()]).toEqual([value, [code]]);
    }
  });

  test('lets an application ask for some scopes, and shows who asks', async () => {
    await open('/clients/-/new/web');
    await visitor.submit({
      id: 'shop',
      name: 'The shop',
      redirectUris: 'https://shop.example/back',
      resources: `${orders.id} orders:read`,
    });
    expect(visitor.screen.step).toBe('client');
    expect(visitor.screen.text).toContain(orders.id);
    expect((await findClientById(hemma.db, 'shop'))?.client.resources).toEqual([
      { resource: orders.id, scopes: ['orders:read'] },
    ]);
    await open('/clients/shop/edit');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=unchanged');
    await open('/clients/-/new/service');
    await visitor.submit({ id: 'door', name: 'The door', introspects: orders.id });
    expect((await findClientById(hemma.db, 'door'))?.client).toMatchObject({ introspects: orders.id });
    await open(`/resource-servers/${await numberOf(orders.id)}`);
    expect(visitor.screen.page.querySelector('[data-section=users]')?.text).toBe(
      'Får be om tokenThe doorThe shop',
    );
  });

  test('keeps what an application uses, and the scope that it names; the rest goes, once', async () => {
    const number = await numberOf(orders.id);
    await open(`/resource-servers/${number}/edit`);
    await visitor.submit({ scopes: 'orders:write change your orders' });
    expect(refusals()).toEqual(['resource-in-use']);
    await open(`/resource-servers/${number}/delete`);
    expect(visitor.screen.page.querySelector('main form')).toBeNull();
    expect(visitor.screen.text).toContain('The shop');
    // Sent all the same, with a token from elsewhere in the console.
    const { status } = await visitor.post(hemma.url(`/admin/resource-servers/${number}/delete`), {
      token: tokenOf(await open('/resource-servers/-/new')),
    });
    expect([status, (await known(orders.id))?.number]).toEqual([422, number]);
    for (const id of ['shop', 'door']) {
      await open(`/clients/${id}/delete`);
      await visitor.submit({ confirm: id });
    }
    const early = await open(`/resource-servers/${number}/edit`);
    await visitor.submit({ scopes: 'orders:write change your orders', tokenFormat: 'opaque' });
    expect((await known(orders.id))?.server).toMatchObject({ tokenFormat: 'opaque', lifetime: 600 });
    expect((await known(orders.id))?.server.signingAlg).toBeUndefined();
    visitor.backTo(early);
    await visitor.submit({ name: 'Second' });
    expect(refusals()).toEqual(['resource-changed-meanwhile']);
    await open(`/resource-servers/${number}/delete`);
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=removed');
    expect((await open(`/resource-servers/${number}`)).status).toBe(404);
    const { rows } = await hemma.db.query<{ event: string; detail: Record<string, string> }>(
      "SELECT event, detail FROM audit WHERE event LIKE 'resource-server.%' ORDER BY id",
    );
    expect(rows.map(({ event, detail }) => [event, detail['resource']])).toEqual([
      ['resource-server.created', orders.id],
      ['resource-server.changed', orders.id],
      ['resource-server.removed', orders.id],
    ]);
    expect(rows[1]?.detail['changes']).toContain('tokenFormat: "jwt" → "opaque"');
  });
});

describe('the interface', () => {
  const id = 'urn:example:stock';
  const scopes = [{ name: 'stock:read', description: 'read the stock' }];

  test('says what is wrong by its place, and keeps versions apart', async () => {
    const wrong = await api('POST', '/resource-servers', { id, scopes: [{ name: 'a b' }], lifetime: 1 });
    expect(isProblem(wrong, 'invalid')).toBe(true);
    const errors = wrong.json['errors'] as { path: string; code: string }[];
    expect(errors.map(({ path, code }) => [path, code])).toEqual([
      ['name', 'missing'],
      ['scopes.0.name', 'scope-malformed'],
      ['scopes.0.description', 'missing'],
      ['lifetime', 'lifetime-out-of-range'],
    ]);
    const alg = await api('POST', '/resource-servers', {
      id,
      name: 'The stock',
      scopes,
      tokenFormat: 'opaque',
      signingAlg: 'RS256',
    });
    expect(alg.json['errors']).toMatchObject([{ path: 'signingAlg', code: 'alg-not-used' }]);
    const made = await api('POST', '/resource-servers', { id, name: 'The stock', scopes });
    expect(made.status).toBe(201);
    expect(
      isProblem(await api('POST', '/resource-servers', { id, name: 'x', scopes }), 'resource-taken'),
    ).toBe(true);
    const path = `/resource-servers/${String(made.json['number'])}`;
    const etag = String(made.headers['etag']);
    const read = await api('GET', path);
    expect(read.headers['etag']).toBe(etag);
    const other = await api('PUT', path, { ...read.json, id: 'urn:example:other' }, etag);
    expect(other.json['errors']).toMatchObject([{ path: 'id', code: 'not-a-choice' }]);
    expect((await api('PUT', path, { ...read.json, lifetime: 300 }, etag)).json).toMatchObject({
      lifetime: 300,
    });
    expect(isProblem(await api('PUT', path, read.json, etag), 'changed-meanwhile')).toBe(true);
  });

  test('lets no application name what is not there, and nothing go that one names', async () => {
    const named = (resources: object[]) =>
      api('POST', '/clients', { id: 'robot', name: 'Robot', type: 'service', resources });
    for (const [resources, path, code] of [
      [[{ resource: 'urn:none', scopes: ['x'] }], 'resources.0.resource', 'resource-unknown'],
      [[{ resource: id, scopes: ['x'] }], 'resources.0.scopes.0', 'resource-scope-unknown'],
      [[{ resource: id, scopes: [] }], 'resources.0.scopes', 'scopes-missing'],
    ] as const)
      expect((await named([...resources])).json['errors']).toMatchObject([{ path, code }]);
    const page = { id: 'page', name: 'Page', type: 'web', redirectUris: ['https://page.example/'] };
    const door = await api('POST', '/clients', { ...page, introspects: id });
    expect(door.json['errors']).toMatchObject([{ path: 'introspects', code: 'only-for-a-service' }]);
    expect((await named([{ resource: id, scopes: ['stock:read'] }])).status).toBe(201);
    const gone = await api('DELETE', `/resource-servers/${await numberOf(id)}`, undefined, '*');
    expect([gone.status, isProblem(gone, 'resource-in-use')]).toEqual([409, true]);
    const { headers } = await api('GET', '/clients/robot');
    await api('DELETE', '/clients/robot', undefined, String(headers['etag']));
    expect((await api('DELETE', `/resource-servers/${await numberOf(id)}`, undefined, '*')).status).toBe(204);
  });

  test('of two at once, one that names a resource server and one that removes it, not both are done', async () => {
    for (let turn = 0; turn < 3; turn++) {
      const made = await api('POST', '/resource-servers', { id, name: 'The stock', scopes });
      const robot = clientSchema.parse({
        id: `race-${turn}`,
        name: 'Robot',
        type: 'service',
        resources: [{ resource: id, scopes: ['stock:read'] }],
      });
      const [client, removed] = await Promise.all([
        createClient(hemma.db, robot, {}),
        api('DELETE', `/resource-servers/${String(made.json['number'])}`, undefined, '*'),
      ]);
      expect([client === undefined, removed.status]).toEqual(
        removed.status === 204 ? [false, 204] : [true, 409],
      );
      const etag = String((await api('GET', `/clients/race-${turn}`)).headers['etag']);
      await api('DELETE', `/clients/race-${turn}`, undefined, etag);
      await api('DELETE', `/resource-servers/${await numberOf(id)}`, undefined, '*');
    }
  });
});

describe('a file', () => {
  const text = `
resourceServers:
  - id: https://wages.example/api
    name: The wages
    scopes:
      - { name: "wages:read", description: read your wages }
      - { name: "wages:write", description: change your wages }
clients:
  - id: wages
    name: Wages
    type: service
    resources:
      - { resource: "https://wages.example/api", scopes: ["wages:read"] }
`;
  let files = 0;
  async function apply(what: string, ...more: string[]) {
    const file = join(folder, `${(files += 1)}.yaml`);
    await writeFile(file, what);
    return shell(['clients', 'apply', '-f', file, ...more]);
  }
  const without = (what: string) =>
    text
      .split('\n')
      .filter((line) => !line.includes(what))
      .join('\n');

  test('describes resource servers and the clients that name them, all of it or nothing', async () => {
    const lonely = await apply(text.slice(text.indexOf('clients:')));
    expect([lonely.code, lonely.stderr.trim()]).toEqual([
      1,
      '[0].resources[0].resource: There is no API with that identifier.',
    ]);
    const wrong = await apply(text.replace('name: The wages', 'name: ""'));
    expect(wrong.stderr.trim()).toBe('resourceServers[0].name: This is needed.');
    const dry = await apply(text, '--dry-run');
    expect(dry.stdout).toContain('https://wages.example/api: would create');
    expect(await known('https://wages.example/api')).toBeUndefined();
    const end = await apply(text);
    expect(end.stdout.trim().split('\n')).toEqual(['https://wages.example/api: created', 'wages: created']);
    expect((await apply(text)).stdout).toContain('https://wages.example/api: unchanged');
    // The scope that a client names stays, unless the same file takes it out there.
    const less = without('- { name: "wages:read"');
    expect((await apply(less)).stderr).toContain('[0].resources[0].scopes[0]: The API has no such scope.');
    const used = await apply(less.slice(0, less.indexOf('clients:')));
    expect([used.code, used.stderr]).toEqual([1, expect.stringContaining('https://wages.example/api')]);
    expect((await known('https://wages.example/api'))?.server.scopes).toHaveLength(2);
    const both = less.replace('["wages:read"]', '["wages:write"]');
    expect((await apply(both)).code).toBe(0);
    expect((await known('https://wages.example/api'))?.server.scopes).toHaveLength(1);
  });

  test('is what export writes, and the console only reads what it made', async () => {
    const exported = (await shell(['clients', 'export'])).stdout;
    expect(parseYaml(exported)).toMatchObject({
      resourceServers: [
        {
          id: 'https://wages.example/api',
          name: 'The wages',
          scopes: [{ name: 'wages:write', description: 'change your wages' }],
        },
      ],
      clients: [
        { id: 'pipeline' },
        { id: 'wages', resources: [{ resource: 'https://wages.example/api', scopes: ['wages:write'] }] },
      ],
    });
    const again = answered(await apply(exported, '--json')) as { result: string }[];
    expect(again.every(({ result }) => result === 'unchanged')).toBe(true);
    expect((await open(`/resource-servers/${await numberOf('https://wages.example/api')}/edit`)).status).toBe(
      403,
    );
  });

  test('that leaves it out prunes it when no client is left that names it', async () => {
    const used = await apply('resourceServers: []\nclients: [{ id: other, name: Other, type: service }]');
    expect(used.code).toBe(0);
    expect(await known('https://wages.example/api')).toBeDefined();
    const pruned = await apply('{ resourceServers: [], clients: [] }', '--prune');
    expect(pruned.stdout).toContain('https://wages.example/api: removed');
    expect(await known('https://wages.example/api')).toBeUndefined();
    const [first] = (await api('POST', '/clients/apply?dryRun=true', parseYaml(text))).json[
      'items'
    ] as object[];
    expect(first).toMatchObject({ id: 'https://wages.example/api', result: 'created' });
  });
});
