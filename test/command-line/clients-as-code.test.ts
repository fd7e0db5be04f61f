/**
 * Applications as a file: what would change, what is changed, what is left alone, and the way back into a file. It is longer than usual because
 * one file may hold all three lists, and each is applied, refused, pruned and exported here.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createGroup } from '../../src/users/groups.ts';
import { removeClient } from '../../src/clients/access.ts';
import type { ClientEntry } from '../../src/oidc/config-as-code/clients.ts';
import { applyConfig } from '../../src/oidc/config-as-code/apply.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { createClient } from '../../src/clients/clients.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { End } from '../rig/process.ts';
import { answered, type Shell, shellWith } from './shell.ts';

let hemma: Hemma;
let shell: Shell;
let folder: string;
beforeAll(async () => {
  hemma = await startHemma();
  shell = shellWith(hemma.env);
  folder = await mkdtemp(join(tmpdir(), 'hemma-as-code-'));
  await createGroup(hemma.db, 'Löneavdelningen', {});
  const byHand = { id: 'by-hand', name: 'By hand', type: 'web', redirectUris: ['https://hand.example/back'] };
  await createClient(hemma.db, clientSchema.parse(byHand), {});
  await addSecret(hemma.db, 'by-hand', 'drift', 'a-secret-that-no-file-may-ever-show-0000000');
});
afterAll(async () => {
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

let files = 0;
async function apply(text: string, ...more: string[]): Promise<End> {
  const file = join(folder, `${(files += 1)}.yaml`);
  await writeFile(file, text);
  return shell(['clients', 'apply', '-f', file, ...more]);
}
const list = async () => answered(await shell(['clients', 'list', '--json'])) as Record<string, unknown>[];
const byId = async (id: string) => (await list()).find((one) => one['id'] === id);

const wages = `
- id: wages
  name: Löner
  type: web
  description: The wages
  contact: it@example.com
  redirectUris: [https://wages.example/back, "http://localhost:8080/back"]
  scopes: [profile, offline_access]
  lifetimes: { accessToken: 300, refreshToken: 86400 }
  requiredAcr: urn:hemma:2
  allowedGroups: [löneavdelningen]
  backchannelLogoutUri: https://wages.example/signed-out
- id: nightly
  name: Nightly
  type: service
- id: phone
  name: Phone
  type: native
  enabled: false
  redirectUris: ["com.example.phone:/back", "http://127.0.0.1/back"]
`;

describe('claims in the file', () => {
  const staff = `
claims:
  - { name: department, scope: staff, label: Avdelning }
  - { name: roles, scope: staff, label: { sv: Roller, en: Roles }, multi: true }
clients:
  - id: intranet
    name: Intranet
    type: web
    redirectUris: [https://intranet.example/back]
    scopes: [profile, staff]
`;
  const claims = async () => answered(await shell(['claims', 'list', '--json'])) as { name: string }[];

  test('come before the clients that need them, all or none; a second time nothing, and the way back', async () => {
    const dry = await apply(staff, '--dry-run');
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('claim department: would create')]);
    expect(dry.stdout).toContain('  + scope: "staff"');
    expect(await claims()).toEqual([]);
    const bad = await apply(staff.replace('https://intranet', 'http://intranet'));
    expect([bad.code, await claims()]).toEqual([1, []]);
    const done = answered(await apply(staff, '--json')) as { result: string }[];
    expect(done.map(({ result }) => result)).toEqual(['created', 'created', 'created']);
    expect((await apply(staff)).stdout.match(/: unchanged/g)).toHaveLength(3);
    const file = (await shell(['clients', 'export'])).stdout;
    const again = await apply(file.replace(/ {2}- id: by-hand[^]*?(?=\n {2}- id|$)/, ''));
    expect(again.stdout.match(/: unchanged/g)).toHaveLength(3);
    const renamed = await apply(staff.replace('label: Avdelning', 'label: Enhet'), '--dry-run');
    expect(renamed.stdout).toContain('  ~ label: ["Avdelning","Avdelning"] → ["Enhet","Enhet"]');
  });

  test.each([
    ['claims: [{ name: sub, scope: staff, label: x }]', 'claims[0].name: That name means something'],
    [
      'claims: [{ name: department, scope: staff, label: x, multi: true }]',
      'claim department: Whether it is',
    ],
    [
      'claims: [{ name: department, scope: other, label: x }, { name: roles, scope: other, label: x, multi: true }]',
      'claim roles: An application has the scope',
    ],
    ['claims: []\nwhat: []', 'what: There is no field of that name.'],
    [
      'clients: [{ id: lost, name: L, type: web, redirectUris: [https://l.example/], scopes: [nowhere] }]',
      '[0].scopes[0]: That is none of the choices',
    ],
  ])('%s is refused in words, and nothing is changed', async (text, words) => {
    const before = await claims();
    const end = await apply(text);
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining(words)]);
    expect(await claims()).toEqual(before);
  });

  test('a file of claims alone prunes no client, and a person is given values from a shell', async () => {
    const before = await list();
    expect(await apply('claims: []', '--prune')).toMatchObject({ code: 0, stdout: '' });
    expect(await list()).toEqual(before);
    await hemma.account({ email: 'stina@example.com' });
    const give = (...said: string[]) =>
      shell(['accounts', 'attributes', 'stina@example.com', ...said, '--json']);
    expect(answered(await give('department=a=b', 'roles=x', 'roles=y'))).toEqual({
      department: 'a=b',
      roles: ['x', 'y'],
    });
    expect(answered(await give('department=', 'roles=z'))).toEqual({ roles: ['z'] });
    const wrong = await give('nowhere=1');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('nowhere: There is no such claim.'),
    ]);
    expect((await give('nothing')).code).toBe(2);
    expect((await shell(['claims', 'delete', 'roles', '--confirm', 'role'])).code).toBe(1);
    expect((await shell(['claims', 'delete', 'roles', '--confirm', 'roles'])).code).toBe(0);
    const needed = await shell(['claims', 'delete', 'department', '--confirm', 'department']);
    expect([needed.code, needed.stderr]).toEqual([
      1,
      expect.stringContaining('An application has the scope'),
    ]);
    expect(answered(await give())).toEqual({});
    await shell(['clients', 'delete', 'intranet', '--confirm', 'intranet']);
    expect((await shell(['claims', 'delete', 'department', '--confirm', 'department'])).code).toBe(0);
  });
});

describe('hemma clients apply', () => {
  test('--dry-run says field by field what would happen, and nothing happens', async () => {
    const end = await apply(wages, '--dry-run');
    expect([end.code, end.stderr]).toEqual([0, '']);
    expect(end.stdout).toContain('wages: would create');
    expect(end.stdout).toContain('  + lifetimes.accessToken: 300');
    expect(end.stdout).toContain('  ~ enabled: true → false');
    expect((await list()).map(({ id }) => id)).toEqual(['by-hand']);
    const { count } = await hemma.db.query("SELECT 1 FROM audit WHERE client_id = 'wages'");
    expect(count).toBe(0);
  });

  test('does just that, and a second time nothing', async () => {
    const results = (answered(await apply(wages, '--json')) as { result: string }[]).map((one) => one.result);
    expect(results).toEqual(['created', 'created', 'created']);
    expect(await byId('phone')).toMatchObject({ enabled: false, managed: 'file', authMethod: 'none' });
    const again = await apply(wages);
    expect(again.stdout.trim().split('\n')).toEqual([
      'wages: unchanged',
      'nightly: unchanged',
      'phone: unchanged',
    ]);
    const dry = answered(await apply(wages.replace('300', '600'), '--dry-run', '--json'));
    expect(dry).toMatchObject([
      {
        id: 'wages',
        result: 'changed',
        changes: [{ field: 'lifetimes.accessToken', before: '300', after: '600' }],
      },
      { result: 'unchanged' },
      { result: 'unchanged' },
    ]);
  });

  test('leaves a client that was switched off as it is, unless the file says otherwise', async () => {
    await shell(['clients', 'disable', 'nightly']);
    expect((await apply(wages)).stdout).toContain('nightly: unchanged');
    expect(await byId('nightly')).toMatchObject({ enabled: false });
    const on = wages.replace('type: service', 'type: service\n  enabled: true');
    expect((await apply(on)).stdout).toContain('nightly: changed');
    expect(await byId('nightly')).toMatchObject({ enabled: true });
  });

  test('does not touch what the console looks after, and then changes nothing at all', async () => {
    const theirs =
      '- { id: by-hand, name: Taken, type: web, redirectUris: ["https://taken.example/back"] }\n';
    const end = await apply(`- { id: brand-new, name: New, type: service }\n${theirs}`);
    expect([end.code, end.stdout]).toEqual([1, '']);
    expect(end.stderr).toMatch(/by-hand; --adopt/);
    expect(await byId('brand-new')).toBeUndefined();
    expect(await byId('by-hand')).toMatchObject({ name: 'By hand', managed: 'console' });
  });

  test('two files at once, each in an order of its own, are both applied', async () => {
    const clients = Array.from({ length: 40 }, (_, place) => {
      const given = { id: `many-${place}`, name: 'Many', type: 'service' };
      return { client: clientSchema.parse(given), enabled: undefined };
    });
    const applied = (entries: ClientEntry[]) =>
      applyConfig(hemma.db, { claims: undefined, servers: undefined, entries }, {});
    await applied(clients);
    const named = (name: string) =>
      clients.map(({ client, enabled }) => ({ client: { ...client, name }, enabled }));
    const both = await Promise.all([applied(named('Forwards')), applied(named('Backwards').toReversed())]);
    expect(both.flat().every(({ result }) => result === 'changed')).toBe(true);
    for (const { client } of clients) await removeClient(hemma.db, client.id, {});
  });

  test('--prune removes what an earlier file made and this one leaves out, never the console’s', async () => {
    const fewer = wages.replace(/- id: nightly\n.*\n.*\n/, '');
    const dry = await apply(fewer, '--prune', '--dry-run');
    expect(dry.stdout).toContain('nightly: would remove');
    expect(await byId('nightly')).toBeDefined();
    expect((await apply(fewer)).stdout).not.toContain('nightly');
    expect((await apply(fewer, '--prune')).stdout).toContain('nightly: removed');
    expect((await list()).map(({ id }) => id)).toEqual(['by-hand', 'phone', 'wages']);
    const { rows } = await hemma.db.query("SELECT event FROM audit WHERE client_id = 'nightly' ORDER BY id");
    expect(rows.at(-1)).toEqual({ event: 'client.removed' });
  });

  test('names a group that there is none of, and every other fault, in words', async () => {
    const end = await apply(`
- { id: one, name: One, type: service, redirectUris: ["https://one.example/back"] }
- { id: two, name: Two, type: web, redirectUris: ["https://two.example/*"], enabled: maybe }
- { id: three, name: Three, type: web, redirectUris: ["https://three.example/"], allowedGroups: [Nobody] }
`);
    expect([end.code, end.stdout]).toEqual([1, '']);
    expect(end.stderr.trim().split('\n')).toEqual([
      '[0].redirectUris: Nobody signs in to a service, so this means nothing for it.',
      '[1].redirectUris[0]: No asterisks: every address is written out by itself.',
      '[1].enabled: This cannot be read as what it should be.',
      '[2].allowedGroups[0]: There is no group of that name.',
    ]);
  });
});

describe('the signature of the ID token that nothing is said of', () => {
  const old = (name: string) => `
- id: from-before
  name: ${name}
  type: web
  redirectUris: [https://before.example/back]
`;
  const signs = async () => (await byId('from-before'))?.['signingAlg'];

  test('stays what it was for an application of an older version, whatever is new for new ones', async () => {
    expect((await apply(old('New'))).code).toBe(0);
    expect(await signs()).toBe('ES256');
    for (const before of ['metadata || \'{"signingAlg":"RS256"}\'', "metadata - 'signingAlg'"]) {
      await hemma.db.query(`UPDATE clients SET metadata = ${before} WHERE id = 'from-before'`);
      expect(await signs()).toBe('RS256');
      const same = answered(await apply(old('New'), '--json')) as { result: string }[];
      expect(same.map(({ result }) => result)).toEqual(['unchanged']);
      expect((await apply(old('Renamed'))).code).toBe(0);
      expect(await signs()).toBe('RS256');
      expect((await shell(['clients', 'export'])).stdout).toContain('signingAlg: RS256');
      expect((await apply(old('New'))).code).toBe(0);
    }
    expect((await apply(`${old('New')}  signingAlg: ES256\n`)).code).toBe(0);
    expect(await signs()).toBe('ES256');
  });
});

describe('hemma clients export', () => {
  test('applied again it changes nothing, whoever looks after the client, and holds no secret', async () => {
    const before = await list();
    const exported = await shell(['clients', 'export']);
    expect(exported.stdout).toContain('Löneavdelningen');
    expect(exported.stdout).not.toMatch(/secret|hash|managed/i);
    const end = await apply(exported.stdout, '--prune');
    expect([end.code, end.stderr]).toEqual([0, '']);
    expect(end.stdout.trim().split('\n')).toEqual(before.map(({ id }) => `${String(id)}: unchanged`));
    expect(await list()).toEqual(before);
    const json = (await shell(['clients', 'export', '--json'])).stdout;
    expect(answered(await apply(json, '--json'))).toEqual(
      before.map(({ id }) => ({ id, result: 'unchanged' })),
    );
  });

  test('--adopt makes the file look after what the console made', async () => {
    const { stdout } = await shell(['clients', 'export']);
    await apply(stdout, '--adopt');
    expect(await byId('by-hand')).toMatchObject({ managed: 'file', name: 'By hand', secrets: 1 });
  });
});

describe('hemma clients secrets, remove-secret and delete', () => {
  test('list what each secret is for and never itself; removing one is by its name', async () => {
    const made = await shell(['clients', 'secret', 'wages', '--name', 'drift', '--days', '90', '--json']);
    const { secret } = answered(made) as { secret: string };
    const again = await shell(['clients', 'secret', 'wages', '--name', 'drift']);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('Choose another')]);
    const listed = await shell(['clients', 'secrets', 'wages', '--json']);
    expect(answered(listed)).toEqual([
      {
        name: 'drift',
        kept: 'hashed',
        created: expect.any(String),
        lastUsed: null,
        expires: expect.any(String),
      },
    ]);
    expect(listed.stdout).not.toContain(secret);
    const removed = await shell(['clients', 'remove-secret', 'wages', '--name', 'drift', '--json']);
    expect(answered(removed)).toEqual({ id: 'wages', name: 'drift', result: 'removed' });
    expect((await shell(['clients', 'remove-secret', 'wages', '--name', 'drift'])).code).toBe(1);
    expect((await shell(['clients', 'secret', 'wages', '--name', 'x', '--days', 'soon'])).code).toBe(2);
  });

  test('delete wants the identifier twice', async () => {
    const [bare, wrong] = await Promise.all([
      shell(['clients', 'delete', 'phone']),
      shell(['clients', 'delete', 'phone', '--confirm', 'fone']),
    ]);
    expect([bare.code, wrong.code]).toEqual([2, 1]);
    expect(await byId('phone')).toBeDefined();
    expect((await shell(['clients', 'delete', 'phone', '--confirm', 'phone'])).code).toBe(0);
    expect(await byId('phone')).toBeUndefined();
    expect((await shell(['clients', 'delete', 'phone', '--confirm', 'phone'])).code).toBe(1);
  });
});
