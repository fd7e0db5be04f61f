import { z } from 'zod';
import { signOutAllUsers } from '../clients/access.ts';
import type { ListedSecret } from '../clients/secrets.ts';
import { createSecret, removeSecret, listClientSecrets } from '../clients/secrets.ts';
import { findClientById, setClientEnabled } from '../clients/clients.ts';
import { applyConfig, formatFaultPath, validateConfig } from '../oidc/config-as-code/apply.ts';
import { inputError } from './body.ts';
import { clientParams, exampleClientInput } from './client-shapes.ts';
import { auditActorOf } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleClient, exampleSecretId } from './examples.ts';
import type { ProblemCode } from './problem.ts';
import { booleanFlag, isoString, isoStringOrNull, instant, instantOrNull, instantInput } from './shapes.ts';

const params = clientParams;
const exampleParams = { id: exampleClient };

const toggleClient = (enabled: boolean): Endpoint =>
  defineEndpoint({
    method: 'POST',
    path: `/clients/{id}/${enabled ? 'enable' : 'disable'}`,
    name: enabled ? 'enableClient' : 'disableClient',
    summary: enabled
      ? 'Enable a client. What it held before it was disabled does not come back.'
      : 'Disable a client: it is refused from the next request on, and its grants, tokens and sessions end.',
    scope: 'clients:write',
    action: 'clients.write',
    fresh: true,
    params,
    answers: { status: 204 },
    refuses: ['beyond-reach'],
    example: { params: exampleParams },
    async handle(request) {
      const known = await findClientById(request.house.db, request.params.id);
      if (!known) return { problem: 'not-found' };
      const changed = await setClientEnabled(
        request.house.db,
        known.client.id,
        enabled,
        auditActorOf(request),
      );
      return changed === 'beyond-reach' ? { problem: changed } : undefined;
    },
  });

const signOutEveryoneEndpoint = defineEndpoint({
  method: 'POST',
  path: '/clients/{id}/sign-out-everyone',
  name: 'signEveryoneOutOfClient',
  summary: "End everybody's tokens for an application, and tell it so.",
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params,
  answers: { status: 204 },
  refuses: ['beyond-reach'],
  example: { params: exampleParams },
  async handle(request) {
    const { db } = request.house;
    const known = await findClientById(db, request.params.id);
    if (!known) return { problem: 'not-found' };
    const ended = await signOutAllUsers(db, known.client.id, auditActorOf(request));
    return ended === 'beyond-reach' ? { problem: ended } : undefined;
  },
});

const secretSummary = z.object({
  id: z.uuid(),
  name: z.string(),
  createdAt: instant,
  lastUsedAt: instantOrNull,
  expiresAt: instantOrNull,
  kept: z.enum(['hashed', 'encrypted']).meta({
    description: 'It opens only while the application proves itself in the way that it was made for.',
  }),
});

const secretResponse = ({ id, name, createdAt, lastUsedAt, expiresAt, kept: storage }: ListedSecret) => ({
  id,
  name,
  createdAt: isoString(createdAt),
  lastUsedAt: isoStringOrNull(lastUsedAt),
  expiresAt: isoStringOrNull(expiresAt),
  kept: storage,
});

const exampleSecretSummary = {
  id: exampleSecretId,
  name: 'production',
  createdAt: '2026-03-01T08:00:00.000Z',
  lastUsedAt: null,
  expiresAt: null,
  kept: 'hashed',
};

const listSecretsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/clients/{id}/secrets',
  name: 'listSecrets',
  summary: 'The secrets of an application: what each is for and how it is used, never itself.',
  scope: 'clients:read',
  action: 'clients.read',
  params,
  answers: { status: 200, schema: z.object({ items: z.array(secretSummary) }) },
  refuses: [],
  example: { params: exampleParams, answer: { items: [exampleSecretSummary] } },
  async handle({ house: context, params: { id } }) {
    if (!(await findClientById(context.db, id))) return { problem: 'not-found' };
    return { body: { items: (await listClientSecrets(context.db, id)).map(secretResponse) } };
  },
});

const secretRefusalErrors = {
  'secret-name-missing': { path: 'name', code: 'missing' },
  'secret-expired-already': { path: 'expiresAt', code: 'malformed' },
} as const;

const createSecretEndpoint = defineEndpoint({
  method: 'POST',
  path: '/clients/{id}/secrets',
  name: 'createSecret',
  summary: 'Make a secret. It stands in this answer, once, and nowhere else.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params,
  body: z.strictObject({
    name: z.string().min(1).max(80),
    expiresAt: instantInput.nullable().default(null),
  }),
  answers: { status: 201, schema: z.object({ id: z.uuid(), name: z.string(), secret: z.string() }) },
  refuses: ['client-keeps-no-secret', 'secret-name-taken', 'secrets-too-many', 'beyond-reach'],
  example: {
    params: exampleParams,
    body: { name: 'test', expiresAt: '2126-12-31T00:00:00Z' },
    answer: { id: exampleSecretId, name: 'test', secret: 'shown-here-once' },
  },
  async handle(request) {
    const { db, settings, vault: encryption } = request.house;
    const { id: clientId } = request.params;
    const { name, expiresAt } = request.body;
    const expiry = expiresAt === null ? undefined : new Date(expiresAt);
    const wanted = { clientId, name, expiresAt: expiry, vault: encryption };
    const made = await createSecret(db, wanted, auditActorOf(request));
    if (!('refusal' in made))
      return {
        location: `${settings.HEMMA_ISSUER}/api/clients/${clientId}/secrets`,
        body: { id: made.id, name: name.trim(), secret: made.secret },
      };
    const { refusal } = made;
    if (refusal === 'client-unknown') return { problem: 'not-found' };
    if (refusal !== 'secret-name-missing' && refusal !== 'secret-expired-already')
      return { problem: refusal };
    const { path, code } = secretRefusalErrors[refusal];
    return { problem: 'invalid', errors: [inputError(path, code)] };
  },
});

const deleteSecretEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/clients/{id}/secrets/{secret}',
  name: 'deleteSecret',
  summary: 'Remove a secret: it is refused from the next request on.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params: params.extend({ secret: z.uuid() }),
  answers: { status: 204 },
  refuses: ['beyond-reach'],
  example: { params: { ...exampleParams, secret: exampleSecretId } },
  async handle(request) {
    const { id, secret } = request.params;
    const gone = await removeSecret(request.house.db, id, secret, auditActorOf(request));
    if (gone === 'beyond-reach') return { problem: gone };
    return gone ? undefined : { problem: 'not-found' };
  },
});

const refusalResults = [
  'not-ours',
  'beyond-reach',
  'resource-in-use',
  'claim-refused',
] as const satisfies readonly ProblemCode[];
const results = ['created', 'changed', 'unchanged', 'removed', ...refusalResults] as const;

const clientEntries = z.array(z.record(z.string(), z.unknown()).meta({ described: 'ClientEntry' })).max(1000);
const resourceServerEntries = z
  .array(z.record(z.string(), z.unknown()).meta({ described: 'ResourceServer' }))
  .max(1000);

const claimEntries = z
  .array(z.record(z.string(), z.unknown()).meta({ described: 'ClaimDefinition' }))
  .max(1000);

const applyClientsEndpoint = defineEndpoint({
  method: 'POST',
  path: '/clients/apply',
  name: 'applyClients',
  summary: 'Make applications as this list says, all of it or nothing. Once more changes nothing.',
  description:
    'The same as `hemma clients apply` takes and `hemma clients export` writes: a list of applications, or an object that lists claims and resource servers, too.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  query: z.strictObject({ dryRun: booleanFlag, prune: booleanFlag, adopt: booleanFlag }),
  body: z.union([
    clientEntries,
    z.strictObject({
      claims: claimEntries.optional(),
      resourceServers: resourceServerEntries.optional(),
      clients: clientEntries.optional(),
    }),
  ]),
  answers: {
    status: 200,
    schema: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          result: z.enum(results),
          changes: z.array(
            z.object({ field: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
          ),
        }),
      ),
    }),
  },
  refuses: refusalResults,
  example: {
    query: { dryRun: 'true' },
    body: [{ id: 'invoices', ...exampleClientInput, name: 'Invoices' }],
    answer: {
      items: [
        {
          id: 'invoices',
          result: 'created',
          changes: [{ field: 'id', before: null, after: '"invoices"' }],
        },
      ],
    },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const read = await validateConfig(db, settings.HEMMA_ISSUER, request.body);
    if ('faults' in read)
      return {
        problem: 'invalid',
        errors: read.faults.map((fault) => inputError(formatFaultPath(fault), fault.code)),
      };
    const done = await applyConfig(db, read, { ...auditActorOf(request), ...request.query });
    const refusal = done.flatMap(({ result }) => refusalResults.find((code) => code === result) ?? [])[0];
    if (refusal) {
      const named = done.flatMap(({ id, result, why }) =>
        result === refusal ? [inputError(id, why ?? refusal)] : [],
      );
      return { problem: refusal, errors: named };
    }
    const items = done.map(({ id, result, changes }) => ({
      id,
      result,
      changes: changes.map(({ field, before, after }) => ({
        field,
        before: before ?? null,
        after: after ?? null,
      })),
    }));
    return { body: { items } };
  },
});

export const clientActionEndpoints: readonly Endpoint[] = [
  toggleClient(true),
  toggleClient(false),
  signOutEveryoneEndpoint,
  listSecretsEndpoint,
  createSecretEndpoint,
  deleteSecretEndpoint,
  applyClientsEndpoint,
];
