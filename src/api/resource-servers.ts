import { z } from 'zod';
import { namesResource } from '../clients/clients.ts';
import { signingAlgs } from '../clients/schema.ts';
import { tokenFormats } from '../clients/resource-servers/schema.ts';
import type { RegisteredResource } from '../clients/resource-servers/resource-servers.ts';
import {
  changeResourceServer,
  createResourceServer,
  listResourceServers,
  readResourceServer,
  removeResourceServer,
  resourceServerBy,
} from '../clients/resource-servers/resource-servers.ts';
import { inputFault } from './body.ts';
import { matches } from './client-shapes.ts';
import { doer, ofFaults } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleResource, exampleVersion } from './examples.ts';
import type { Problem } from './problem.ts';
import { iso, moment } from './shapes.ts';

const answer = z.object({
  number: z.uuid().meta({ description: 'Stands for it in addresses of this interface.' }),
  id: z.string().meta({ description: 'Its identifier: `resource` in requests, `aud` in tokens (RFC 8707).' }),
  name: z.string(),
  scopes: z.array(z.object({ name: z.string(), description: z.string() })),
  tokenFormat: z.enum(tokenFormats),
  signingAlg: z.enum(signingAlgs).optional(),
  lifetime: z.int(),
  managed: z.enum(['file', 'console']),
  createdAt: moment,
  updatedAt: moment,
});

const shown = ({ server, number, managed, createdAt, updatedAt }: RegisteredResource) => ({
  ...server,
  number,
  managed,
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
});

const etagOf = ({ updatedAt }: RegisteredResource): string => `"${updatedAt.getTime()}"`;

const params = z.object({ server: z.uuid() });

/** What is described is judged by `readResourceServer`, whose schema stands in the document. */
const described = (name: 'ResourceServer' | 'ResourceServerReplacement') =>
  z.record(z.string(), z.unknown()).meta({ described: name });

const exampleDescription = {
  name: 'Orders',
  scopes: [{ name: 'orders:read', description: 'read your orders' }],
};
const exampleAnswer = {
  number: exampleResource.number,
  id: exampleResource.id,
  ...exampleDescription,
  tokenFormat: 'jwt',
  signingAlg: 'ES256',
  lifetime: 600,
  managed: 'console',
  createdAt: '2026-03-01T08:00:00.000Z',
  updatedAt: exampleVersion.updatedAt,
} as const;
const exampleParams = { server: exampleResource.number };

const changedMeanwhile: Problem = { problem: 'changed-meanwhile' };

const list = endpoint({
  method: 'GET',
  path: '/resource-servers',
  name: 'listResourceServers',
  summary: 'All resource servers (APIs that take tokens of this provider) by identifier.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(answer) }) },
  refuses: [],
  example: { answer: { items: [exampleAnswer] } },
  handle: async ({ house }) => ({ body: { items: (await listResourceServers(house.db)).map(shown) } }),
});

const create = endpoint({
  method: 'POST',
  path: '/resource-servers',
  name: 'createResourceServer',
  summary: 'Register a resource server.',
  description: 'Nobody gets tokens for it until an application names it in its `resources`.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: described('ResourceServer'),
  answers: { status: 201, schema: answer, etag: true },
  refuses: ['resource-taken'],
  example: {
    body: { id: 'https://stock.example/api', ...exampleDescription },
    answer: { ...exampleAnswer, id: 'https://stock.example/api' },
  },
  async handle(asked) {
    const { db, settings } = asked.house;
    const read = await readResourceServer({ db, issuer: settings.HEMMA_ISSUER }, asked.body);
    if ('faults' in read) return ofFaults(read.faults);
    const made = await createResourceServer(db, read.server, doer(asked));
    if ('fault' in made) return ofFaults([made.fault]);
    const found = await resourceServerBy(db, made.number);
    if (!found) return { problem: 'not-found' };
    const location = `${settings.HEMMA_ISSUER}/api/resource-servers/${made.number}`;
    return { location, etag: etagOf(found), body: shown(found) };
  },
});

const one = endpoint({
  method: 'GET',
  path: '/resource-servers/{server}',
  name: 'getResourceServer',
  summary: 'A resource server, and in ETag its version.',
  scope: 'clients:read',
  action: 'clients.read',
  params,
  answers: { status: 200, schema: answer, etag: true },
  refuses: [],
  example: { params: exampleParams, answer: exampleAnswer },
  async handle({ house, params: { server } }) {
    const found = await resourceServerBy(house.db, server);
    return found ? { etag: etagOf(found), body: shown(found) } : { problem: 'not-found' };
  },
});

/** What stays may stand in a description as it was read, so that what was read can be sent back. */
const fixed = ['id', 'number', 'managed', 'createdAt', 'updatedAt'] as const;

const replace = endpoint({
  method: 'PUT',
  path: '/resource-servers/{server}',
  name: 'replaceResourceServer',
  summary: 'Describe a resource server anew, all of it.',
  description:
    'The identifier stays. A scope that an application names is taken out there first. Tokens that were given keep what they say until they end.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  versioned: true,
  params,
  body: described('ResourceServerReplacement'),
  answers: { status: 200, schema: answer, etag: true },
  refuses: ['changed-meanwhile', 'resource-managed-by-file', 'resource-in-use'],
  example: {
    params: exampleParams,
    headers: { 'If-Match': exampleVersion.etag },
    body: { ...exampleDescription, lifetime: 300 },
    answer: { ...exampleAnswer, lifetime: 300 },
  },
  async handle(asked) {
    const { db, settings } = asked.house;
    const { server: number } = asked.params;
    const known = await resourceServerBy(db, number);
    if (!known) return { problem: 'not-found' };
    if (!matches(asked.ctx.get('if-match'), etagOf(known))) return changedMeanwhile;
    const is = shown(known);
    const odd = fixed.filter((name) => asked.body[name] !== undefined && asked.body[name] !== is[name]);
    if (odd.length > 0)
      return { problem: 'invalid', errors: odd.map((name) => inputFault(name, 'not-a-choice')) };
    const said = Object.entries(asked.body).filter(([name]) => !fixed.some((member) => member === name));
    const read = await readResourceServer(
      { db, issuer: settings.HEMMA_ISSUER },
      {
        ...Object.fromEntries(said),
        id: known.server.id,
      },
    );
    if ('faults' in read) return ofFaults(read.faults);
    const change = { number, server: read.server, seen: known.updatedAt };
    const done = await changeResourceServer(db, change, namesResource, doer(asked));
    if ('fault' in done)
      return done.fault.code === 'resource-changed-meanwhile' ? changedMeanwhile : ofFaults([done.fault]);
    const now = (await resourceServerBy(db, number)) ?? known;
    return { etag: etagOf(now), body: shown(now) };
  },
});

const remove = endpoint({
  method: 'DELETE',
  path: '/resource-servers/{server}',
  name: 'deleteResourceServer',
  summary: 'Remove a resource server that no application names. Signed tokens live on to their end.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  versioned: true,
  params,
  answers: { status: 204 },
  refuses: ['changed-meanwhile', 'resource-in-use'],
  example: { params: exampleParams, headers: { 'If-Match': exampleVersion.etag } },
  async handle(asked) {
    const { db } = asked.house;
    const { server: number } = asked.params;
    const known = await resourceServerBy(db, number);
    if (!known) return { problem: 'not-found' };
    if (!matches(asked.ctx.get('if-match'), etagOf(known))) return changedMeanwhile;
    const which = { number, seen: known.updatedAt };
    const refused = await removeResourceServer(db, which, namesResource, doer(asked));
    if (!refused) return undefined;
    return refused.fault.code === 'resource-in-use' ? ofFaults([refused.fault]) : changedMeanwhile;
  },
});

export const resourceServers: readonly Endpoint[] = [list, create, one, replace, remove];
