/** T35: every route of the console, every verb, every role. What has no row here is not mounted, or this file fails. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConsoleRouter } from '../../interactions/console/index.ts';
import type { AppContext } from '../../src/context.ts';
import type { User } from '../../src/users/users.ts';
import type { Group } from '../../src/users/groups.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { createClient } from '../../src/clients/clients.ts';
import { createInitialAccessToken } from '../../src/oidc/registration/initial-access-tokens.ts';
import { resourceServerSchema } from '../../src/clients/resource-servers/schema.ts';
import { createResourceServer } from '../../src/clients/resource-servers/resource-servers.ts';
import { defineCustomClaim } from '../../src/oidc/claims/custom-claims.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { enter, group, operator, putInto } from './town.ts';
import { actors, type Actor, mayReach, rows, targets, type Target } from './matrix.ts';

let hemma: Hemma;
let north: Group;
const visitors = {} as Record<Actor, Visitor>;
const people = {} as Record<Exclude<Target, 'itself'>, User>;
const selves = {} as Record<Actor, string>;
const shop = { id: 'shop', name: 'Shop', type: 'web', redirectUris: ['https://shop.example/back'] };
let secret: string;
let registration: string;
let server: string;
let claim: string;

beforeAll(async () => {
  hemma = await startHemma();
  north = await group(hemma, 'North');
  const seat = async (actor: Actor, role: 'help-desk' | 'administrator', over?: Group) => {
    const made = await operator(hemma, `${actor.replaceAll(' ', '-')}@example.com`, role, over);
    visitors[actor] = made.visitor;
    selves[actor] = made.id;
    return made;
  };
  visitors['nobody'] = newVisitor();
  const person = await hemma.account({ email: 'person@example.com' });
  selves['person'] = person.id;
  visitors['person'] = await enter(hemma, 'person@example.com');
  await seat('help desk', 'help-desk');
  await seat('help desk of North', 'help-desk', north);
  await seat('administrator of North', 'administrator', north);
  await seat('administrator', 'administrator');
  people['a person of North'] = await hemma.account({ email: 'nora@example.com', name: 'Nora Nord' });
  await putInto(hemma, people['a person of North'], north);
  people['a person elsewhere'] = await hemma.account({ email: 'signe@example.com', name: 'Signe Söder' });
  people['a help desk of North'] = await hemma.account({ email: 'h2@example.com', role: 'help-desk' });
  await putInto(hemma, people['a help desk of North'], north);
  people['an administrator'] = await hemma.account({ email: 'a2@example.com', role: 'administrator' });
  await putInto(hemma, people['an administrator'], north);
  await createClient(hemma.db, clientSchema.parse(shop), {});
  await addSecret(hemma.db, 'shop', 'first');
  const { rows: secrets } = await hemma.db.query<{ id: string }>('SELECT id FROM client_secrets');
  secret = secrets[0]?.id ?? '';
  const token = await createInitialAccessToken(hemma.db, { name: 'Supplier' }, {});
  registration = 'id' in token ? token.id : '';
  const orders = resourceServerSchema.parse({
    id: 'https://orders.example',
    name: 'Orders',
    scopes: [{ name: 'orders:read', description: 'read orders' }],
  });
  const made = await createResourceServer(hemma.db, orders, {});
  server = 'number' in made ? made.number : '';
  const described = { name: 'unit', scope: 'staff', label: { sv: 'Enhet', en: 'Unit' }, multi: false };
  const defined = await defineCustomClaim(hemma.db, described, {});
  claim = 'claim' in defined ? defined.claim.id : '';
});
afterAll(() => hemma.stop());

/** The case of an account, opened where there is none yet. */
const cases = new Map<string, string>();
async function caseOf(account: string): Promise<string> {
  const id = cases.get(account) ?? randomUUID();
  if (!cases.has(account)) {
    await hemma.db.query(
      `INSERT INTO help_desk_cases (id, number, account_id, opened_at, checks, notes)
       VALUES ($1, $2, $3, $4, '[]', '[]')`,
      [id, `000-${1000 + cases.size}`, account, new Date()],
    );
    cases.set(account, id);
  }
  return id;
}

/** What an address about an account names. */
const named = (route: string, account: string): Promise<string> =>
  rows[route]?.about === 'a case' ? caseOf(account) : Promise.resolve(account);

/** What the console has mounted: no house is needed to ask a router for its routes. */
const mounted = createConsoleRouter({} as AppContext).stack.flatMap(({ methods, path }) =>
  methods
    .filter((method) => method === 'GET' || method === 'POST')
    .map((method) => `${method} ${String(path)}`),
);

/** One request: a form comes without its token, so whoever is let in is refused for that alone (403). */
async function ask(actor: Actor, route: string, id = '00000000-0000-4000-8000-000000000000') {
  const [method = '', path = ''] = route.split(' ');
  const parts: Record<string, string> = {
    ':client': 'shop',
    ':secret': secret,
    ':token': registration,
    ':server': server,
    ':claim': claim,
    ':type': 'web',
    ':group': north.id,
  };
  const url = hemma.url(path.replaceAll(/:\w+/g, (part) => parts[part] ?? id));
  const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await visitors[actor].request(url, {
    method,
    headers,
    body: method === 'POST' ? 'a=b' : '',
  });
  return { status: answer.status, location: answer.headers.location ?? '', body: answer.body };
}

function letIn(route: string): number[] {
  if (route === 'GET /admin') return [303];
  return route.startsWith('GET') ? [200] : [403];
}

describe('SECURITY 81, T35 the console', () => {
  test('has no route without a row, and no row without a route', () => {
    expect(mounted.length).toBeGreaterThan(20);
    expect(new Set(mounted)).toEqual(new Set(Object.keys(rows)));
  });

  test.each(mounted)('%s is there for those whom its row names, and for nobody else', async (route) => {
    const row = rows[route];
    if (!row) throw new Error('a route without a row');
    const found: string[] = [];
    for (const actor of actors) {
      const target = row.about ? await named(route, people['a person of North'].id) : undefined;
      const { status, location, body } = await ask(actor, route, target);
      const wanted = row.open
        ? row.open
        : actor === 'nobody'
          ? [303]
          : row.to.includes(actor)
            ? letIn(route)
            : [404];
      if (!wanted.includes(status)) found.push(`${actor}: ${status} instead of ${wanted.join(' or ')}`);
      if (actor === 'nobody' && !row.open && !location.startsWith(`${hemma.issuer}/auth?`))
        found.push(`nobody is sent to ${location}`);
      if (status === 404 && body.includes('Nora'))
        found.push(`${actor}: a page that is not there names somebody`);
    }
    expect(found).toEqual([]);
  });

  test.each(mounted.filter((route) => rows[route]?.about))(
    '%s reaches nobody beyond the limit of a role: not its own account, no operator, no other group',
    async (route) => {
      const found: string[] = [];
      for (const actor of actors.filter((one) => rows[route]?.to.includes(one))) {
        for (const target of targets) {
          const id = target === 'itself' ? selves[actor] : people[target].id;
          const { status } = await ask(actor, route, await named(route, id));
          const wanted = mayReach(route, actor, target) ? letIn(route) : [404];
          if (!wanted.includes(status))
            found.push(`${actor}, ${target}: ${status} instead of ${wanted.join(' or ')}`);
        }
      }
      expect(found).toEqual([]);
    },
  );

  test('answers with 404 to what is no route, whoever asks and however', async () => {
    const odd = ['GET /admin/nowhere', 'POST /admin/people', 'PUT /admin/people', 'DELETE /admin/groups'];
    for (const route of [...odd, 'GET /admin/people/1/role', "GET /admin/people/' OR 1=1 --/disable"])
      expect([route, (await ask('administrator', encodeURI(route).replace('%20', ' '))).status]).toEqual([
        route,
        404,
      ]);
  });
});
