/** T35: every endpoint of the interface, every verb, every role and every kind of token. What has no row fails. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { User } from '../../src/users/users.ts';
import type { Group } from '../../src/users/groups.ts';
import { endpoints } from '../../src/api/index.ts';
import { actionsByScope, apiScopes } from '../../src/clients/resource-servers/api-scopes.ts';
import { group, putInto } from '../console/town.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { call, isProblem, machineScopes, machineToken, service, somebodyWith, tokenOf } from './callers.ts';
import { type Actor, actors, mayReach, type Row, rows, targets, type Target } from './matrix.ts';

let hemma: Hemma;
let tool: RelyingParty;
let north: Group;
const tokens = {} as Record<Actor, string | undefined>;
const selves: Partial<Record<Actor, string>> = {};
const people = {} as Record<Exclude<Target, 'itself'>, User>;
const without: Record<string, string> = {};
let narrow: (scope: string) => Promise<string>;

beforeAll(async () => {
  // Each request comes from a network of its own: those without a token would soon have to wait.
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  tool = await startRelyingParty({ hemma, description: { apiScopes: [...apiScopes] } });
  north = await group(hemma, 'North');
  const enter = async (actor: Actor, person: Person) => {
    selves[actor] = person.account.id;
    tokens[actor] = await tokenOf(hemma, tool, person, apiScopes);
  };
  await enter('a person', await newPerson(hemma));
  await enter('help desk', await somebodyWith(hemma, 'help-desk'));
  await enter('administrator of North', await somebodyWith(hemma, 'administrator', north));
  await enter('administrator', await somebodyWith(hemma, 'administrator'));
  const visitor = await newPerson(hemma);
  tokens['an ordinary token'] = (await visitor.signInTo(tool)).tokens.access_token;
  tokens['machine'] = await machineToken(
    hemma,
    await service(hemma, 'machine', machineScopes),
    machineScopes,
  );
  const limited = machineScopes.filter((scope) => /^people|^cases|^audit/.test(scope));
  tokens['machine of North'] = await machineToken(
    hemma,
    await service(hemma, 'machine-of-north', limited, north.id),
    limited,
  );
  const all = await service(hemma, 'narrow', machineScopes);
  narrow = (scope) =>
    machineToken(
      hemma,
      all,
      machineScopes.filter((one) => one !== scope),
    );
  people['a person of North'] = await hemma.account({ email: 'nora@example.com', name: 'Nora Nord' });
  people['a person elsewhere'] = await hemma.account({ email: 'signe@example.com', name: 'Signe Söder' });
  people['a help desk of North'] = await hemma.account({ email: 'h2@example.com', role: 'help-desk' });
  people['an administrator'] = await hemma.account({ email: 'a2@example.com', role: 'administrator' });
  await putInto(hemma, people['a person of North'], north);
  await putInto(hemma, people['a help desk of North'], north);
  await putInto(hemma, people['an administrator'], north);
});
afterAll(async () => {
  back();
  await tool.stop();
  await hemma.stop();
});

/** The case of an account, opened where there is none yet, by its number. */
const cases = new Map<string, string>();
async function caseOf(account: string): Promise<string> {
  const known = account === nowhere ? '999-9999' : cases.get(account);
  if (known) return known;
  const number = `000-${1000 + cases.size}`;
  await hemma.db.query(
    `INSERT INTO help_desk_cases (id, number, account_id, opened_at, checks, notes)
     VALUES ($1, $2, $3, $4, '[]', '[]')`,
    [randomUUID(), number, account, new Date()],
  );
  cases.set(account, number);
  return number;
}

let requests = 0;
const routes = endpoints.map(({ method, path }) => `${method} ${path}`);
const nowhere = '00000000-0000-4000-8000-000000000000';

/**
 * One request that changes nothing even where it is let in: what it names besides is not there, or it sends what is
 * refused once it is known that the caller may (415, 422, 428).
 */
async function ask(actor: Actor, route: string, account = nowhere) {
  const [method = '', path = ''] = route.split(' ');
  const named = path.includes('{number}') ? await caseOf(account) : account;
  const parts: Record<string, string> = {
    '{id}': path.startsWith('/clients') ? 'no-such-client' : named,
    '{number}': named,
    '{group}': nowhere,
    '{secret}': nowhere,
    '{server}': nowhere,
    '{name}': 'no-such-claim',
  };
  const query = path.endsWith('/claims') ? '?person=nobody@example.com' : '';
  const token =
    actor === 'machine without the scope'
      ? (without[rows[route]?.scope ?? ''] ??= await narrow(rows[route]?.scope ?? ''))
      : tokens[actor];
  requests += 1;
  const from = `198.51.${Math.floor(requests / 250)}.${requests % 250}`;
  return call(hemma, path.replaceAll(/\{\w+\}/g, (part) => parts[part] ?? '') + query, {
    method,
    token,
    headers: { 'x-forwarded-for': from, 'content-type': 'text/plain' },
    body: method === 'GET' ? '' : 'x',
  });
}

/** The same with a body that would be taken, where the endpoint takes one: for whom it must not reach. */
async function attempt(actor: Actor, route: string, account: string) {
  const found = endpoints.find(({ method, path }) => `${method} ${path}` === route);
  const [method = '', path = ''] = route.split(' ');
  const named = path.includes('{number}') ? await caseOf(account) : account;
  const parts: Record<string, string> = { '{id}': named, '{number}': named, '{group}': north.id };
  return call(
    hemma,
    path.replaceAll(/\{\w+\}/g, (part) => parts[part] ?? ''),
    { method, token: tokens[actor], ...(found?.body ? { json: found.example.body } : {}) },
  );
}

function wanted(row: Row, actor: Actor): readonly [number, string?][] {
  if (actor === 'nobody') return [[401, 'no-token']];
  if (actor === 'an ordinary token') return [[401, 'invalid-token']];
  if (actor === 'machine without the scope') return [[403, 'insufficient-scope']];
  if (row.to.includes(actor)) return [];
  // What no service can ask for, and what a limited one cannot.
  return actor.startsWith('machine')
    ? [
        [403, 'insufficient-scope'],
        [403, 'not-allowed'],
      ]
    : [[403, 'not-allowed']];
}

const letIn = new Set([200, 201, 204, 404, 415, 422, 428]);

describe('SECURITY 81, T35 the interface', () => {
  test('has no endpoint without a row, and no row without an endpoint', () => {
    expect(routes.length).toBeGreaterThan(35);
    expect(new Set(routes)).toEqual(new Set(Object.keys(rows)));
    expect(new Set(endpoints.map(({ name }) => name)).size).toBe(endpoints.length);
  });

  test('every endpoint asks for an action that its own scope opens, and as freshly as its row says', () => {
    for (const { method, path, scope, action, fresh = false } of endpoints) {
      const row = rows[`${method} ${path}`];
      expect([path, row?.scope, row?.fresh === true]).toEqual([path, scope, fresh]);
      expect([path, actionsByScope[scope]]).toEqual([path, expect.arrayContaining([action])]);
    }
  });

  test.each(routes)('%s lets in those whom its row names, and nobody else', async (route) => {
    const row = rows[route];
    if (!row) throw new Error('an endpoint without a row');
    const found: string[] = [];
    for (const actor of actors) {
      const answer = await ask(actor, route);
      const refusals = wanted(row, actor);
      const right =
        refusals.length === 0
          ? letIn.has(answer.status)
          : refusals.some(([status, code]) => answer.status === status && isProblem(answer, code));
      if (!right) found.push(`${actor}: ${answer.status} ${answer.body}`);
    }
    expect(found).toEqual([]);
  });

  test.each(routes.filter((route) => rows[route]?.about))(
    'row 83: %s reaches nobody beyond the limit: what is not theirs is like what is not there',
    async (route) => {
      const found: string[] = [];
      const bare = (body: string) => body.replace(/"reference":"\w+"/, '');
      for (const actor of actors.filter((one) => rows[route]?.to.includes(one))) {
        const none = await attempt(actor, route, nowhere);
        if (!isProblem(none, 'not-found')) found.push(`${actor}, nowhere: ${none.status}`);
        for (const target of targets) {
          const id = target === 'itself' ? selves[actor] : people[target].id;
          const reached = mayReach(route, actor, target);
          // A program has no account of its own. What is within reach would be done: it is only looked at.
          if (!id || (reached && !route.startsWith('GET'))) continue;
          const answer = await attempt(actor, route, id);
          if (answer.status !== (reached ? 200 : 404)) found.push(`${actor}, ${target}: ${answer.status}`);
          if (!reached && bare(answer.body) !== bare(none.body)) found.push(`${actor}, ${target} is told`);
        }
      }
      expect(found).toEqual([]);
      const { count } = await hemma.db.query('SELECT 1 FROM accounts WHERE disabled_at IS NOT NULL');
      expect(count).toBe(0);
    },
  );

  test('a machine without roles:write sees no operator and touches none', async () => {
    const scopes = ['people:read', 'people:write'] as const;
    const token = await machineToken(hemma, await service(hemma, 'plain', scopes), scopes);
    const listed = (await call(hemma, '/people?limit=200', { token })).json['items'] as { role: string }[];
    expect(new Set(listed.map(({ role }) => role))).toEqual(new Set(['person']));
    for (const id of [people['an administrator'].id, people['a help desk of North'].id]) {
      expect((await call(hemma, `/people/${id}`, { token })).status).toBe(404);
      const deed = { method: 'POST', token };
      expect((await call(hemma, `/people/${id}/disable`, deed)).status).toBe(404);
    }
  });

  test('a list shows whoever is limited to a group its people alone', async () => {
    for (const actor of ['administrator of North', 'machine of North'] as const) {
      const { json } = await call(hemma, '/people', { token: tokens[actor] });
      expect((json['items'] as { email: string }[]).map(({ email }) => email)).toEqual(['nora@example.com']);
    }
    const { json } = await call(hemma, '/audit', { token: tokens['machine of North'] });
    const accounts = new Set((json['items'] as { account: string }[]).map(({ account }) => account));
    expect([...accounts]).toEqual([people['a person of North'].id]);
  });

  test('and of no other group: not on a person, not in what happened to them, not by searching it', async () => {
    const south = await group(hemma, 'South');
    const { id } = people['a person of North'];
    await putInto(hemma, people['a person of North'], south);
    for (const actor of ['administrator of North', 'machine of North'] as const) {
      const get = async (path: string) => (await call(hemma, path, { token: tokens[actor] })).body;
      const told = [
        await get(`/people/${id}`),
        await get(`/people/${id}/events`),
        await get(`/audit?account=${id}`),
      ];
      for (const body of told)
        expect([body.includes(north.id), body.includes(south.id)]).toEqual([true, false]);
      expect(await get(`/people?group=${south.id}`)).toBe('{"items":[],"next":null}');
      expect(await get(`/people?group=${north.id}`)).toContain(id);
    }
  });

  test('every endpoint that changes access asks an operator for a fresh sign-in, and a machine for none', async () => {
    travel(minutes(11));
    const found: string[] = [];
    for (const route of routes.filter((one) => rows[one]?.to.includes('administrator'))) {
      const { status, headers } = await ask('administrator', route);
      const asked = (headers['www-authenticate'] ?? '').includes('max_age="600"');
      const said = rows[route]?.fresh === true;
      if (asked !== said || (status === 401) !== said) found.push(`${route}: ${status}`);
    }
    expect(found).toEqual([]);
  });
});
