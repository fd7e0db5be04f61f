/** T35, row 82: a secret is shown in the answer that made it, and is nowhere else: no page, list, export, log, audit. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { clientSchema } from '../../src/clients/schema.ts';
import { createClient } from '../../src/clients/clients.ts';
import { basic, post } from '../protocol/requests.ts';
import { shellWith } from '../command-line/shell.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { Visitor } from '../rig/visitor.ts';
import { operator } from './town.ts';

let hemma: Hemma;
let visitor: Visitor;
let folder: string;
beforeAll(async () => {
  hemma = await startHemma();
  folder = await mkdtemp(join(tmpdir(), 'hemma-secrets-'));
  visitor = (await operator(hemma, 'alma@hemma.example', 'administrator')).visitor;
});
afterAll(async () => {
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

const open = (path: string) => visitor.visit(hemma.url(`/admin/clients${path}`));

async function service(id: string): Promise<void> {
  await createClient(hemma.db, clientSchema.parse({ id, name: id, type: 'service' }), {});
}
const present = async (id: string, secret: string) =>
  (await post(hemma.url('/token'), { grant_type: 'client_credentials' }, basic(id, secret))).status;

/** Makes a secret on the page and reads it there, as a person does, once. */
async function newSecret(id: string, name: string, lifetime = '365'): Promise<string> {
  await open(`/${id}/secrets/new`);
  const screen = await visitor.submit({ name, lifetime });
  const shown = screen.page.querySelector('[data-client-secret] .copyable')?.textContent ?? '';
  if (!shown) throw new Error(screen.alert ?? screen.text);
  return shown;
}

describe('a new secret', () => {
  test('works at once and is in the answer that made it, which nothing keeps', async () => {
    await service('one');
    const secret = await newSecret('one', 'drift');
    expect(secret.length).toBeGreaterThanOrEqual(43);
    expect(visitor.screen).toMatchObject({ status: 200, step: 'client-secret-shown' });
    expect(visitor.screen.headers['cache-control']).toBe('no-store');
    expect(await present('one', secret)).toBe(200);
  });

  test('stands nowhere else afterwards', async () => {
    await service('hidden');
    const secret = await newSecret('hidden', 'drift');
    await present('hidden', secret);
    const pages = ['', '/hidden', '/hidden/secrets', '/hidden/secrets/new', '/hidden/connect', '/hidden/try'];
    for (const path of [...pages, '/hidden/edit', '/hidden/delete']) {
      const screen = await open(path);
      expect([path, screen.status, screen.body.includes(secret)]).toEqual([path, 200, false]);
    }
    expect((await visitor.visit(hemma.url('/admin/audit'))).body).not.toContain(secret);
    const shell = shellWith(hemma.env);
    for (const words of [
      ['clients', 'list', '--json'],
      ['clients', 'export'],
      ['clients', 'secrets', 'hidden', '--json'],
      ['audit', '--json'],
    ])
      expect((await shell(words)).stdout).not.toContain(secret);
    expect(hemma.logs()).not.toContain(secret);
    for (const table of ['audit', 'clients', 'client_secrets', 'mails', 'oidc_records']) {
      const { rows } = await hemma.db.query(`SELECT t::text FROM ${table} t`);
      expect([table, JSON.stringify(rows).includes(secret)]).toEqual([table, false]);
    }
  });

  test('needs a name of its own, so that a form sent twice makes one', async () => {
    await service('twice');
    await newSecret('twice', 'drift');
    await open('/twice/secrets/new');
    const again = await visitor.submit({ name: ' drift ' });
    expect([again.status, again.refusal]).toEqual([422, 'secret-name-taken']);
    const nameless = await visitor.submit({ name: ' ' });
    expect([nameless.status, nameless.refusal]).toEqual([422, 'secret-name-missing']);
    await open('/twice/secrets');
    expect(visitor.screen.page.querySelectorAll('tbody tr').length).toBe(1);
  });

  test('is not for applications that keep none', async () => {
    const page = { id: 'page', name: 'Page', type: 'single-page', redirectUris: ['https://page.example/x'] };
    await createClient(hemma.db, clientSchema.parse(page), {});
    await open('/page/secrets');
    expect(visitor.screen.page.querySelector('a[href$="/secrets/new"]')).toBeNull();
    await open('/page/secrets/new');
    expect((await visitor.submit({ name: 'x' })).refusal).toBe('client-keeps-no-secret');
  });
});

describe('a secret that the application signs with', () => {
  const signed = async (id: string, secret: string) => {
    const claims = { iss: id, sub: id, aud: hemma.issuer, jti: randomUUID(), exp: Date.now() / 1000 + 60 };
    const by = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' });
    const { status } = await post(hemma.url('/token'), {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await by.sign(Buffer.from(secret)),
    });
    return status;
  };
  const columns = () =>
    visitor.screen.page
      .querySelectorAll('tbody tr')
      .map((row) => row.querySelectorAll('td').map((cell) => cell.textContent));

  test('is chosen in words, made here and in a shell, and works no more when the choice changes', async () => {
    await open('/-/new/service');
    await visitor.submit({ id: 'signs', name: 'Signs', authMethod: 'client_secret_jwt' });
    expect(visitor.screen.text).toContain('Applikationen har ingen hemlighet än');
    const secret = await newSecret('signs', 'drift', 'never');
    const { stdout } = await shellWith(hemma.env)(['clients', 'secret', 'signs', '--name', 'cli', '--json']);
    const { secret: other } = JSON.parse(stdout) as { secret: string };
    expect([await signed('signs', secret), await signed('signs', other)]).toEqual([200, 200]);
    await open('/signs/secrets');
    expect(visitor.screen.text).toContain('Därför sparar vi den krypterad');
    expect(visitor.screen.body).not.toContain(secret);
    await open('/signs/edit');
    await visitor.submit({ authMethod: 'secret', dpopRequired: 'yes' });
    expect(visitor.screen.text).toContain('Kräv token som är bundna till en nyckel (DPoP)');
    expect(visitor.screen.text).toContain('Applikationen har ingen hemlighet än');
    await open('/signs/edit');
    await visitor.submit();
    expect(visitor.screen.url.search).toBe('?notice=unchanged');
    await open('/signs/secrets');
    expect(columns().map((row) => row[3])).toEqual(Array(2).fill('Gäller inte: gjord för ett annat bevis'));
    expect([await signed('signs', secret), await present('signs', secret)]).toEqual([401, 401]);
  });
});

describe('the list of secrets', () => {
  test('says what each is for, when it was last used and until when it works', async () => {
    await service('listed');
    const [used] = [await newSecret('listed', 'drift', '90'), await newSecret('listed', 'test', 'never')];
    await present('listed', used);
    await open('/listed/secrets');
    const rows = visitor.screen.page
      .querySelectorAll('tbody tr')
      .map((row) => row.querySelectorAll('td').map((cell) => cell.textContent));
    expect(rows).toEqual([
      ['test', expect.any(String), 'Aldrig', 'Tills vidare', 'Ta bort'],
      [
        'drift',
        expect.any(String),
        expect.stringMatching(/\d\d:\d\d/),
        expect.stringMatching(/20\d\d/),
        'Ta bort',
      ],
    ]);
  });

  test('one that is removed is refused at once, after a page that names it; the other still works', async () => {
    await service('rotated');
    const [old, young] = [await newSecret('rotated', 'old'), await newSecret('rotated', 'young')];
    await open('/rotated/secrets');
    const row = visitor.screen.page
      .querySelectorAll('tbody tr')
      .find((one) => one.textContent.includes('old'));
    await visitor.visit(hemma.url(row?.querySelector('a')?.getAttribute('href') ?? '/'));
    expect(visitor.screen.heading).toBe('Ta bort hemligheten old');
    expect(await present('rotated', old)).toBe(200);
    await visitor.submit();
    expect(visitor.screen.text).toContain('Hemligheten är borttagen');
    expect([await present('rotated', old), await present('rotated', young)]).toEqual([401, 200]);
    expect((await visitor.visit(hemma.url('/admin/clients/one/remove-secret/nothing'))).status).toBe(404);
  });
});
