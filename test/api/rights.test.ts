/** T35, T36: rights never grow, no code stands in an answer, and the audit says who did it and through what. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { User } from '../../src/users/users.ts';
import { apiScopes } from '../../src/clients/resource-servers/api-scopes.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { parseClient } from '../../src/clients/connectivity-check.ts';
import { createClient, setClientEnabled } from '../../src/clients/clients.ts';
import { group, putInto } from '../console/town.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { call, isProblem, machineToken, type Request, service, somebodyWith, tokenOf } from './callers.ts';

let hemma: Hemma;
let tool: RelyingParty;
let alma: Person;
let hers: string;
let machine: string;
const machineHas = ['people:read', 'people:write', 'clients:read', 'clients:write', 'audit:read'] as const;
beforeAll(async () => {
  hemma = await startHemma();
  tool = await startRelyingParty({ hemma, description: { apiScopes: [...apiScopes] } });
  alma = await somebodyWith(hemma, 'administrator');
  hers = await tokenOf(hemma, tool, alma, apiScopes);
  machine = await machineToken(hemma, await service(hemma, 'machine', machineHas), machineHas);
});
afterAll(async () => {
  await tool.stop();
  await hemma.stop();
});

const byMachine = (path: string, request: Request = {}) => call(hemma, path, { token: machine, ...request });
const byAlma = (path: string, request: Request = {}) => call(hemma, path, { token: hers, ...request });
const described = { name: 'X', type: 'service' };
let names = 0;
const fresh = () => `client-${(names += 1)}`;

/** An application for the interface that is there already, with these scopes. */
async function there(scopes: readonly string[], more: Record<string, unknown> = {}): Promise<string> {
  const id = fresh();
  await createClient(hemma.db, clientSchema.parse({ id, ...described, apiScopes: scopes, ...more }), {});
  return id;
}

describe('T35 rights never grow: a program', () => {
  test('gives a new application what it holds itself, and nothing more', async () => {
    const make = (scopes: readonly string[]) =>
      byMachine('/clients', { method: 'POST', json: { id: fresh(), ...described, apiScopes: scopes } });
    expect((await make(['people:read'])).status).toBe(201);
    for (const scopes of [['roles:write'], ['people:read', 'accounts:export']])
      expect(isProblem(await make(scopes), 'beyond-reach')).toBe(true);
  });

  test('changes none into more, and takes over none that holds more', async () => {
    const [weak, strong] = [await there(['people:read']), await there(['roles:write'])];
    const put = async (id: string, apiScopes: readonly string[]) => {
      const { etag = '' } = (await byMachine(`/clients/${id}`)).headers;
      const json = { ...described, apiScopes };
      return byMachine(`/clients/${id}`, { method: 'PUT', json, headers: { 'if-match': etag } });
    };
    expect(isProblem(await put(weak, ['roles:write']), 'beyond-reach')).toBe(true);
    expect(isProblem(await put(strong, []), 'beyond-reach')).toBe(true);
    expect((await put(weak, ['people:read', 'audit:read'])).status).toBe(200);
  });

  test('makes no secret for one that holds more, and does not switch it on', async () => {
    const strong = await there(['roles:write']);
    const secret = { method: 'POST', json: { name: 'mine' } };
    expect(isProblem(await byMachine(`/clients/${strong}/secrets`, secret), 'beyond-reach')).toBe(true);
    await setClientEnabled(hemma.db, strong, false, {});
    const on = await byMachine(`/clients/${strong}/enable`, { method: 'POST' });
    expect(isProblem(on, 'beyond-reach')).toBe(true);
    const list = [{ id: strong, ...described, apiScopes: ['roles:write'], enabled: true }];
    const applied = await byMachine('/clients/apply?adopt=true', { method: 'POST', json: list });
    expect(isProblem(applied, 'beyond-reach')).toBe(true);
    // Disabling needs the rights of enabling.
    await setClientEnabled(hemma.db, strong, true, {});
    const off = await byMachine(`/clients/${strong}/disable`, { method: 'POST' });
    expect(isProblem(off, 'beyond-reach')).toBe(true);
  });

  test('makes or takes over none that people come through to the interface: it would act in their role', async () => {
    const web = { name: 'X', type: 'web', redirectUris: ['https://x.example/back'], firstParty: true };
    const id = await there(['people:read'], web);
    const lending = { ...web, apiScopes: ['people:read'] };
    const made = { method: 'POST', json: { id: fresh(), ...lending } };
    const changed = { method: 'PUT', json: lending, headers: { 'if-match': '*' } };
    expect(isProblem(await byMachine('/clients', made), 'beyond-reach')).toBe(true);
    expect(isProblem(await byMachine(`/clients/${id}`, changed), 'beyond-reach')).toBe(true);
    expect((await byAlma('/clients', made)).status).toBe(201);
  });

  test('applies no list with such an application in it: all or nothing', async () => {
    const [good, bad] = [fresh(), fresh()];
    const list = [
      { id: good, ...described },
      { id: bad, ...described, apiScopes: ['groups:write'] },
    ];
    const answer = await byMachine('/clients/apply', { method: 'POST', json: list });
    expect(isProblem(answer, 'beyond-reach')).toBe(true);
    expect((await byMachine(`/clients/${good}`)).status).toBe(404);
    const own = await byMachine('/clients/apply', { method: 'POST', json: [{ id: good, ...described }] });
    expect(own.json['items']).toEqual([expect.objectContaining({ id: good, result: 'created' })]);
  });

  test('nor does an operator whose token holds less than the role', async () => {
    const little = await tokenOf(hemma, tool, alma, ['clients:write', 'clients:read']);
    const json = { id: fresh(), ...described, apiScopes: ['people:read'] };
    const answer = await call(hemma, '/clients', { method: 'POST', json, token: little });
    expect(isProblem(answer, 'beyond-reach')).toBe(true);
    expect((await byAlma('/clients', { method: 'POST', json })).status).toBe(201);
  });

  test('nobody describes a service that answers for a person, or one whose scopes its group makes void', async () => {
    const north = await group(hemma, 'North');
    const codes = (scopes: readonly string[], more = {}) => {
      const read = parseClient({ id: 'svc', ...described, apiScopes: scopes, ...more });
      return 'faults' in read ? read.faults.map(({ path, code }) => `${path} ${code}`) : [];
    };
    expect(codes(['cases:read', 'cases:write'])).toEqual(['apiScopes.1 api-scope-for-people']);
    expect(codes(['people:read', 'roles:write'], { apiGroup: north.id })).toEqual([
      'apiScopes.1 api-scope-beyond-group',
    ]);
    expect(codes([], { apiGroup: north.id })).toEqual(['apiGroup api-group-not-used']);
  });
});

test('SECURITY 83 whoever looks after one group hears of no other that a person is in', async () => {
  const [ours, theirs] = [await group(hemma, 'Ours'), await group(hemma, 'Theirs')];
  const shared = await hemma.account({ email: 'shared@example.com' });
  await putInto(hemma, shared, ours, theirs);
  const scopes = ['people:read', 'audit:read'] as const;
  const limited = await machineToken(hemma, await service(hemma, 'ours', scopes, ours.id), scopes);
  const boss = await tokenOf(hemma, tool, await somebodyWith(hemma, 'administrator', ours), scopes);
  for (const token of [limited, boss]) {
    const paths = [`/people/${shared.id}`, `/people/${shared.id}/events`, `/audit?account=${shared.email}`];
    for (const path of paths) {
      const { status, body } = await call(hemma, path, { token });
      expect([path, status]).toEqual([path, 200]);
      expect(body).toContain(ours.id);
      expect(body).not.toMatch(new RegExp(`${theirs.id}|Theirs`));
    }
  }
  const all = await byAlma(`/people/${shared.id}`);
  expect(all.json['groups']).toEqual([ours, theirs]);
});

describe('T36 an operator', () => {
  test('starts a new phone and never sees the code: in no answer of the interface, whoever asks', async () => {
    const nils = await newPerson(hemma);
    await nils.signInTo(tool);
    const { id, email } = nils.account;
    const opened = await byAlma('/cases', { method: 'POST', json: { person: id } });
    const path = `/cases/${String(opened.json['number'])}`;
    const early = await byAlma(`${path}/send-code`, { method: 'POST' });
    expect(isProblem(early, 'no-checks')).toBe(true);
    await byAlma(`${path}/checks`, { method: 'POST', json: { checks: ['call-back'] } });
    const sent = await byAlma(`${path}/send-code`, { method: 'POST' });
    expect([sent.status, sent.body]).toEqual([204, '']);
    const mail = await hemma.mail.mailTo(email, /[0-9A-Z]{4}(-[0-9A-Z]{4}){4}/);
    const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}/.exec(mail.text)?.[0] ?? 'none';
    const again = await byAlma(`${path}/send-code`, { method: 'POST' });
    expect([
      again.status,
      isProblem(again, 'code-just-sent'),
      Number(again.headers['retry-after']) > 0,
    ]).toEqual([429, true, true]);
    const answers = [
      opened,
      sent,
      again,
      await byAlma(path),
      await byAlma('/cases'),
      await byAlma('/audit?limit=200'),
      await byAlma(`/people/${id}`),
      await byAlma(`/people/${id}/events`),
    ];
    for (const { body } of answers) expect(body.replaceAll('-', '')).not.toContain(code.replaceAll('-', ''));
    expect((await byAlma(path)).json).toMatchObject({
      state: 'sent',
      sends: [{ by: { id: alma.account.id } }],
    });
  });

  test('nobody changes the own role, and the last administrator stays', async () => {
    const json = { role: 'person' };
    const own = await byAlma(`/people/${alma.account.id}/role`, { method: 'PUT', json });
    expect(isProblem(own, 'not-found')).toBe(true);
    const all = await machineToken(hemma, await service(hemma, 'roles', ['roles:write', 'people:write']), [
      'roles:write',
      'people:write',
    ]);
    const role = await call(hemma, `/people/${alma.account.id}/role`, { method: 'PUT', json, token: all });
    expect(isProblem(role, 'last-administrator')).toBe(true);
    const off = await call(hemma, `/people/${alma.account.id}/disable`, { method: 'POST', token: all });
    expect(isProblem(off, 'last-administrator')).toBe(true);
  });

  test('whoever loses the role between two requests does nothing more', async () => {
    const bo = await somebodyWith(hemma, 'administrator');
    const his = await tokenOf(hemma, tool, bo, ['people:write']);
    const target = await hemma.account({ email: 'target@example.com' });
    await byAlma(`/people/${bo.account.id}/role`, { method: 'PUT', json: { role: 'person' } });
    const deed = await call(hemma, `/people/${target.id}/disable`, { method: 'POST', token: his });
    expect(deed.status).toBe(401);
  });
});

describe('the audit says', () => {
  let nora: User;
  beforeAll(async () => {
    nora = await hemma.account({ email: 'nora@example.com' });
    await putInto(hemma, nora, await group(hemma, 'South'));
  });
  const lastOf = async (event: string) => {
    const { json } = await byAlma(`/audit?event=${event}&account=${nora.id}&limit=1`);
    return (json['items'] as Record<string, unknown>[])[0];
  };

  test('who did it, and through which application: a person, and a machine', async () => {
    await byAlma(`/people/${nora.id}/disable`, { method: 'POST' });
    expect(await lastOf('account.disabled')).toMatchObject({
      operator: alma.account.id,
      operatorEmail: alma.account.email,
      program: tool.clientId,
      email: 'nora@example.com',
    });
    await byMachine(`/people/${nora.id}/enable`, { method: 'POST' });
    expect(await lastOf('account.enabled')).toMatchObject({ operator: null, program: 'machine' });
  });

  test('the same in the console, in its files and in the table', async () => {
    const page = await alma.visitor.visit(hemma.url(`/admin/audit?event=account.enabled`));
    expect(page.text).toMatch(/(genom|through) machine/);
    const file = await alma.visitor.submit({}, 'format=csv');
    expect(file.body).toContain('"operatorEmail","program","client"');
    expect(file.body).toContain(',"machine",');
  });
});

test('a file of people is taken in through the interface, row by row, and groups only with their own scope', async () => {
  const taker = await service(hemma, 'taker', ['accounts:import']);
  const token = await machineToken(hemma, taker, ['accounts:import']);
  const body = 'email,name,groups\nivar@example.com,Ivar,\nbad,Bad,\nsiv@example.com,Siv,East\n';
  const headers = { 'content-type': 'text/csv' };
  const request = { method: 'POST', token, body, headers };
  const tried = await call(hemma, '/accounts/import?dryRun=true', request);
  expect(tried.json).toMatchObject({ rows: 3, created: 1, refused: 2, dryRun: true });
  const more = await call(hemma, '/accounts/import?createGroups=true', request);
  expect(isProblem(more, 'insufficient-scope')).toBe(true);
  const done = await call(hemma, '/accounts/import', request);
  expect(done.json['refusals']).toEqual([
    { row: 3, code: 'malformed-email', field: 'email', detail: expect.any(String) },
    { row: 4, code: 'no-such-group', field: 'groups', detail: expect.any(String) },
  ]);
  expect((await byAlma('/people?q=ivar')).json['items']).toHaveLength(1);
  const odd = await call(hemma, '/accounts/import', { ...request, body: 'email,shoe\na@b.se,42\n' });
  expect(isProblem(odd, 'unreadable-file')).toBe(true);
});
