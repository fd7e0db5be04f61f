/** Row 82: applications through the interface: their versions are kept, and their secrets stand in one answer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientSchema } from '../../src/clients/schema.ts';
import { exportClients } from '../../src/oidc/config-as-code/clients.ts';
import { createClient } from '../../src/clients/clients.ts';
import { group } from '../console/town.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { askToken, call, isProblem, machineScopes, machineToken, type Request, service } from './callers.ts';

let hemma: Hemma;
let machine: string;
beforeAll(async () => {
  hemma = await startHemma();
  machine = await machineToken(hemma, await service(hemma, 'machine', machineScopes), machineScopes);
  await hemma.account({ email: 'anna@example.com' });
});
afterAll(() => hemma.stop());

const byMachine = (path: string, request: Request = {}) => call(hemma, path, { token: machine, ...request });
const described = { name: 'X', type: 'service' };
let names = 0;
const fresh = () => `client-${(names += 1)}`;

/** An application that is there already, with these scopes. */
async function there(scopes: readonly string[], more: Record<string, unknown> = {}): Promise<string> {
  const id = fresh();
  await createClient(hemma.db, clientSchema.parse({ id, ...described, apiScopes: scopes, ...more }), {});
  return id;
}

describe('a version', () => {
  test('must be said, and of two who change at once the second is told', async () => {
    const id = await there([]);
    const read = await byMachine(`/clients/${id}`);
    const etag = read.headers.etag ?? '';
    const put = (name: string, match?: string) =>
      byMachine(`/clients/${id}`, {
        method: 'PUT',
        json: { ...described, name },
        headers: match === undefined ? {} : { 'if-match': match },
      });
    expect(isProblem(await put('A'), 'version-needed')).toBe(true);
    expect(isProblem(await put('A', '"1"'), 'changed-meanwhile')).toBe(true);
    const both = await Promise.all([put('A', etag), put('B', etag)]);
    expect(both.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([200, 412]);
    const won = both.find(({ status }) => status === 200);
    expect((await byMachine(`/clients/${id}`)).headers.etag).toBe(won?.headers.etag);
    const remove = (match: string) =>
      byMachine(`/clients/${id}`, { method: 'DELETE', headers: { 'if-match': match } });
    expect(isProblem(await remove(etag), 'changed-meanwhile')).toBe(true);
    expect((await remove(won?.headers.etag ?? '')).status).toBe(204);
    expect((await remove('*')).status).toBe(404);
  });

  test('changes when the application is switched off', async () => {
    const id = await there([]);
    const before = (await byMachine(`/clients/${id}`)).headers.etag;
    await byMachine(`/clients/${id}/disable`, { method: 'POST' });
    expect((await byMachine(`/clients/${id}`)).headers.etag).not.toBe(before);
  });

  test('that was read is sent back as it is, and what this cannot change is refused when it differs', async () => {
    const id = await there(['people:read']);
    const { json, headers } = await byMachine(`/clients/${id}`);
    const match = { 'if-match': headers.etag ?? '' };
    const same = await byMachine(`/clients/${id}`, { method: 'PUT', json, headers: match });
    expect([same.status, same.headers.etag]).toEqual([200, headers.etag]);
    const odd = { ...json, enabled: false, id: 'other' };
    const refused = await byMachine(`/clients/${id}`, { method: 'PUT', json: odd, headers: match });
    expect((refused.json['errors'] as { path: string }[]).map(({ path }) => path)).toEqual(['id', 'enabled']);
  });

  test('in a file names the group, and the file makes the same again', async () => {
    const west = await group(hemma, 'West');
    const id = await there(['people:read'], { apiGroup: west.id });
    const entry = (await exportClients(hemma.db)).find((one) => one['id'] === id);
    expect(entry).toMatchObject({ apiScopes: ['people:read'], apiGroup: 'West' });
    const again = await byMachine('/clients/apply?dryRun=true', { method: 'POST', json: [entry] });
    expect(again.json['items']).toEqual([{ id, result: 'unchanged', changes: [] }]);
  });

  test('of one that a file looks after is changed there', async () => {
    const id = fresh();
    await byMachine('/clients/apply', { method: 'POST', json: [{ id, ...described }] });
    const { etag = '' } = (await byMachine(`/clients/${id}`)).headers;
    const json = { ...described, name: 'Other' };
    const answer = await byMachine(`/clients/${id}`, { method: 'PUT', json, headers: { 'if-match': etag } });
    expect(isProblem(answer, 'managed-by-file')).toBe(true);
  });
});

describe('row 82: a secret', () => {
  test('stands in the answer that made it and works, and stands nowhere else', async () => {
    const id = await there(['people:read']);
    const made = await byMachine(`/clients/${id}/secrets`, { method: 'POST', json: { name: 'first' } });
    expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
    const secret = String(made.json['secret']);
    expect((await askToken(hemma, { id, secret }, {})).status).toBe(200);
    const dump = await hemma.db.query<{ all: string }>(
      `SELECT (SELECT json_agg(c)::text FROM clients c) || (SELECT json_agg(a)::text FROM audit a) ||
         (SELECT json_agg(s)::text FROM client_secrets s) AS all`,
    );
    const places = [
      ...['/clients', `/clients/${id}`, `/clients/${id}/secrets`, '/audit?limit=200'].map(
        async (path) => (await byMachine(path)).body,
      ),
      byMachine('/accounts/export').then(({ body }) => body),
    ];
    for (const place of [...(await Promise.all(places)), dump.rows[0]?.all ?? '', hemma.logs()]) {
      expect(place.length).toBeGreaterThan(0);
      expect(place).not.toContain(secret);
    }
    expect(
      isProblem(
        await byMachine(`/clients/${id}/secrets`, { method: 'POST', json: { name: 'first' } }),
        'secret-name-taken',
      ),
    ).toBe(true);
    const gone = `/clients/${id}/secrets/${String(made.json['id'])}`;
    expect((await byMachine(gone, { method: 'DELETE' })).status).toBe(204);
    expect((await askToken(hemma, { id, secret }, {})).status).toBe(401);
  });

  test('no password leaves, not even as a hash', async () => {
    const { body } = await byMachine('/accounts/export?format=csv');
    expect(body).toContain('"email","name",');
    expect(body).not.toMatch(/argon2|password_hash/);
  });
});

describe('a claim of the house’s own', () => {
  const put = (path: string, json: unknown) => byMachine(path, { method: 'PUT', json });
  const label = 'Kostnadsställe';
  const faults = ({ json }: { json: Record<string, unknown> }) =>
    (json['errors'] as { path: string; code: string }[]).map(({ path, code }) => `${path} ${code}`);

  test('is defined once, found by a name that is an address, described anew and removed', async () => {
    const name = 'https://hemma.example/cost?a=1&b=%2F';
    const made = await byMachine('/claims', { method: 'POST', json: { name, scope: 'money', label } });
    expect([made.status, made.json]).toEqual([
      201,
      { name, scope: 'money', label: { sv: label, en: label }, multi: false },
    ]);
    const twice = await byMachine('/claims', { method: 'POST', json: { name, scope: 'money', label } });
    expect(isProblem(twice, 'claim-taken')).toBe(true);
    const path = new URL(made.headers.location ?? '').pathname.slice('/api'.length);
    expect((await put(path, { scope: 'funds', label })).json).toMatchObject({ name, scope: 'funds' });
    expect(faults(await put(path, { scope: 'funds', label: '' }))).toEqual(['label missing']);
    expect(faults(await put(path, { scope: 'openid', label }))).toEqual(['scope scope-reserved']);
    expect(faults(await put(path, { scope: 'funds', label, multi: true }))).toEqual([
      'multi claim-kind-fixed',
    ]);
    expect(faults(await put(path, { name: 'other', scope: 'funds', label }))).toEqual(['name not-a-choice']);
    const id = fresh();
    const web = { id, name: 'W', type: 'web', redirectUris: ['https://w.example/back'], scopes: ['funds'] };
    expect((await byMachine('/clients', { method: 'POST', json: web })).status).toBe(201);
    expect(isProblem(await put(path, { scope: 'money', label }), 'scope-of-application')).toBe(true);
    expect(isProblem(await byMachine(path, { method: 'DELETE' }), 'scope-of-application')).toBe(true);
    await byMachine(`/clients/${id}`, { method: 'DELETE', headers: { 'if-match': '*' } });
    expect((await byMachine(path, { method: 'DELETE' })).status).toBe(204);
    expect((await put(path, { scope: 'money', label })).status).toBe(404);
  });

  test('has values that are patched name by name, and seen by those who may set them alone', async () => {
    for (const claim of [{ name: 'unit' }, { name: 'duties', multi: true }])
      await byMachine('/claims', { method: 'POST', json: { ...claim, scope: 'staff', label } });
    const { id } = await hemma.account({ email: 'beata@example.com' });
    const path = `/people/${id}`;
    const patch = (attributes: unknown) => byMachine(path, { method: 'PATCH', json: { attributes } });
    expect((await patch({ unit: 'Lagret', duties: ['a', 'b'] })).status).toBe(204);
    expect((await patch({ unit: null })).status).toBe(204);
    expect((await byMachine(path)).json['attributes']).toEqual({ duties: ['a', 'b'] });
    expect(faults(await patch({ unit: ['a', 'b'], nowhere: 'x' }))).toEqual([
      'attributes.unit attribute-single',
      'attributes.nowhere attribute-unknown',
    ]);
    expect((await patch({ unit: { deep: 'x' } })).status).toBe(422);
    const reader = await machineToken(hemma, await service(hemma, 'reader', ['people:read']), [
      'people:read',
    ]);
    const seen = await call(hemma, path, { token: reader });
    expect([seen.status, 'attributes' in seen.json]).toEqual([200, false]);
    const exported = JSON.parse((await byMachine('/accounts/export')).body) as Record<string, unknown>[];
    expect(exported.find(({ email }) => email === 'beata@example.com')?.['attributes']).toEqual({
      duties: ['a', 'b'],
    });
  });
});
