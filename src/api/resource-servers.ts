import { z } from 'zod';
import { isResourceReferenced } from '../clients/clients.ts';
import { signingAlgs } from '../clients/schema.ts';
import { tokenFormats } from '../clients/resource-servers/schema.ts';
import type { RegisteredResourceServer } from '../clients/resource-servers/resource-servers.ts';
import {
  changeResourceServer,
  createResourceServer,
  listResourceServers,
  validateResourceServer,
  removeResourceServer,
  findResourceServer,
} from '../clients/resource-servers/resource-servers.ts';
import { inputError } from './body.ts';
import { matchesEtag } from './client-shapes.ts';
import { auditActorOf, clientFaultsProblem } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleResourceServer, exampleClientVersion } from './examples.ts';
import type { Problem } from './problem.ts';
import { isoString, instant } from './shapes.ts';

const resourceServerSchema = z.object({
  number: z.uuid().meta({ description: 'Stands for it in addresses of this interface.' }),
  id: z.string().meta({ description: 'Its identifier: `resource` in requests, `aud` in tokens (RFC 8707).' }),
  name: z.string(),
  scopes: z.array(z.object({ name: z.string(), description: z.string() })),
  tokenFormat: z.enum(tokenFormats),
  signingAlg: z.enum(signingAlgs).optional(),
  lifetime: z.int(),
  managed: z.enum(['file', 'console']),
  createdAt: instant,
  updatedAt: instant,
});

const resourceServerResponse = ({
  server,
  number,
  managed,
  createdAt,
  updatedAt,
}: RegisteredResourceServer) => ({
  ...server,
  number,
  managed,
  createdAt: isoString(createdAt),
  updatedAt: isoString(updatedAt),
});

const resourceServerEtag = ({ updatedAt }: RegisteredResourceServer): string => `"${updatedAt.getTime()}"`;

const resourceServerParams = z.object({ server: z.uuid() });

/** What is described is judged by `validateResourceServer`, whose schema stands in the document. */
const resourceServerInput = (name: 'ResourceServer' | 'ResourceServerReplacement') =>
  z.record(z.string(), z.unknown()).meta({ described: name });

const exampleInput = {
  name: 'Orders',
  scopes: [{ name: 'orders:read', description: 'read your orders' }],
};
const exampleResponse = {
  number: exampleResourceServer.number,
  id: exampleResourceServer.id,
  ...exampleInput,
  tokenFormat: 'jwt',
  signingAlg: 'ES256',
  lifetime: 600,
  managed: 'console',
  createdAt: '2026-03-01T08:00:00.000Z',
  updatedAt: exampleClientVersion.updatedAt,
} as const;
const exampleParams = { server: exampleResourceServer.number };

const staleEtagProblem: Problem = { problem: 'changed-meanwhile' };

const listResourceServersEndpoint = defineEndpoint({
  method: 'GET',
  path: '/resource-servers',
  name: 'listResourceServers',
  summary: 'All resource servers (APIs that take tokens of this provider) by identifier.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(resourceServerSchema) }) },
  refuses: [],
  example: { answer: { items: [exampleResponse] } },
  handle: async ({ house: context }) => ({
    body: { items: (await listResourceServers(context.db)).map(resourceServerResponse) },
  }),
});

const createResourceServerEndpoint = defineEndpoint({
  method: 'POST',
  path: '/resource-servers',
  name: 'createResourceServer',
  summary: 'Register a resource server.',
  description: 'Nobody gets tokens for it until an application names it in its `resources`.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: resourceServerInput('ResourceServer'),
  answers: { status: 201, schema: resourceServerSchema, etag: true },
  refuses: ['resource-taken'],
  example: {
    body: { id: 'https://stock.example/api', ...exampleInput },
    answer: { ...exampleResponse, id: 'https://stock.example/api' },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const read = await validateResourceServer({ db, issuer: settings.HEMMA_ISSUER }, request.body);
    if ('faults' in read) return clientFaultsProblem(read.faults);
    const made = await createResourceServer(db, read.server, auditActorOf(request));
    if ('fault' in made) return clientFaultsProblem([made.fault]);
    const found = await findResourceServer(db, made.number);
    if (!found) return { problem: 'not-found' };
    const location = `${settings.HEMMA_ISSUER}/api/resource-servers/${made.number}`;
    return { location, etag: resourceServerEtag(found), body: resourceServerResponse(found) };
  },
});

const getResourceServerEndpoint = defineEndpoint({
  method: 'GET',
  path: '/resource-servers/{server}',
  name: 'getResourceServer',
  summary: 'A resource server, and in ETag its version.',
  scope: 'clients:read',
  action: 'clients.read',
  params: resourceServerParams,
  answers: { status: 200, schema: resourceServerSchema, etag: true },
  refuses: [],
  example: { params: exampleParams, answer: exampleResponse },
  async handle({ house: context, params: { server } }) {
    const found = await findResourceServer(context.db, server);
    return found
      ? { etag: resourceServerEtag(found), body: resourceServerResponse(found) }
      : { problem: 'not-found' };
  },
});

/** What stays may stand in a description as it was read, so that what was read can be sent back. */
const readOnlyFields = ['id', 'number', 'managed', 'createdAt', 'updatedAt'] as const;

const replaceResourceServerEndpoint = defineEndpoint({
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
  params: resourceServerParams,
  body: resourceServerInput('ResourceServerReplacement'),
  answers: { status: 200, schema: resourceServerSchema, etag: true },
  refuses: ['changed-meanwhile', 'resource-managed-by-file', 'resource-in-use'],
  example: {
    params: exampleParams,
    headers: { 'If-Match': exampleClientVersion.etag },
    body: { ...exampleInput, lifetime: 300 },
    answer: { ...exampleResponse, lifetime: 300 },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const { server: number } = request.params;
    const known = await findResourceServer(db, number);
    if (!known) return { problem: 'not-found' };
    if (!matchesEtag(request.ctx.get('if-match'), resourceServerEtag(known))) return staleEtagProblem;
    const currentResponse = resourceServerResponse(known);
    const invalidFields = readOnlyFields.filter(
      (name) => request.body[name] !== undefined && request.body[name] !== currentResponse[name],
    );
    if (invalidFields.length > 0)
      return { problem: 'invalid', errors: invalidFields.map((name) => inputError(name, 'not-a-choice')) };
    const submitted = Object.entries(request.body).filter(
      ([name]) => !readOnlyFields.some((member) => member === name),
    );
    const read = await validateResourceServer(
      { db, issuer: settings.HEMMA_ISSUER },
      {
        ...Object.fromEntries(submitted),
        id: known.server.id,
      },
    );
    if ('faults' in read) return clientFaultsProblem(read.faults);
    const change = { number, server: read.server, seen: known.updatedAt };
    const done = await changeResourceServer(db, change, isResourceReferenced, auditActorOf(request));
    if ('fault' in done)
      return done.fault.code === 'resource-changed-meanwhile'
        ? staleEtagProblem
        : clientFaultsProblem([done.fault]);
    const current = (await findResourceServer(db, number)) ?? known;
    return { etag: resourceServerEtag(current), body: resourceServerResponse(current) };
  },
});

const deleteResourceServerEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/resource-servers/{server}',
  name: 'deleteResourceServer',
  summary: 'Remove a resource server that no application names. Signed tokens live on to their end.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  versioned: true,
  params: resourceServerParams,
  answers: { status: 204 },
  refuses: ['changed-meanwhile', 'resource-in-use'],
  example: { params: exampleParams, headers: { 'If-Match': exampleClientVersion.etag } },
  async handle(request) {
    const { db } = request.house;
    const { server: number } = request.params;
    const known = await findResourceServer(db, number);
    if (!known) return { problem: 'not-found' };
    if (!matchesEtag(request.ctx.get('if-match'), resourceServerEtag(known))) return staleEtagProblem;
    const target = { number, seen: known.updatedAt };
    const refused = await removeResourceServer(db, target, isResourceReferenced, auditActorOf(request));
    if (!refused) return undefined;
    return refused.fault.code === 'resource-in-use' ? clientFaultsProblem([refused.fault]) : staleEtagProblem;
  },
});

export const resourceServerEndpoints: readonly Endpoint[] = [
  listResourceServersEndpoint,
  createResourceServerEndpoint,
  getResourceServerEndpoint,
  replaceResourceServerEndpoint,
  deleteResourceServerEndpoint,
];
