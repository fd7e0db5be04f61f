import { z } from 'zod';
import { signOutEveryone } from '../clients/access.ts';
import type { ListedSecret } from '../clients/secrets.ts';
import { newSecret, removeSecret, secretsOf } from '../clients/secrets.ts';
import { clientById, setEnabled } from '../clients/clients.ts';
import { applyFile, placeOf, readFile } from '../oidc/config-as-code/apply.ts';
import { inputFault } from './body.ts';
import { clientParams, exampleDescription } from './client-shapes.ts';
import { doer } from './clients.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleClient, exampleSecret } from './examples.ts';
import type { ProblemCode } from './problem.ts';
import { flag, iso, isoOrNull, moment, momentOrNull, saidMoment } from './shapes.ts';

const params = clientParams;
const exampleParams = { id: exampleClient };

const switching = (enabled: boolean): Endpoint =>
  endpoint({
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
    async handle(asked) {
      const known = await clientById(asked.house.db, asked.params.id);
      if (!known) return { problem: 'not-found' };
      const switched = await setEnabled(asked.house.db, known.client.id, enabled, doer(asked));
      return switched === 'beyond-reach' ? { problem: switched } : undefined;
    },
  });

const signingOut = endpoint({
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
  async handle(asked) {
    const { db } = asked.house;
    const known = await clientById(db, asked.params.id);
    if (!known) return { problem: 'not-found' };
    const ended = await signOutEveryone(db, known.client.id, doer(asked));
    return ended === 'beyond-reach' ? { problem: ended } : undefined;
  },
});

const listed = z.object({
  id: z.uuid(),
  name: z.string(),
  createdAt: moment,
  lastUsedAt: momentOrNull,
  expiresAt: momentOrNull,
  kept: z.enum(['hashed', 'encrypted']).meta({
    description: 'It opens only while the application proves itself in the way that it was made for.',
  }),
});

const shown = ({ id, name, createdAt, lastUsedAt, expiresAt, kept }: ListedSecret) => ({
  id,
  name,
  createdAt: iso(createdAt),
  lastUsedAt: isoOrNull(lastUsedAt),
  expiresAt: isoOrNull(expiresAt),
  kept,
});

const exampleListed = {
  id: exampleSecret,
  name: 'production',
  createdAt: '2026-03-01T08:00:00.000Z',
  lastUsedAt: null,
  expiresAt: null,
  kept: 'hashed',
};

const secrets = endpoint({
  method: 'GET',
  path: '/clients/{id}/secrets',
  name: 'listSecrets',
  summary: 'The secrets of an application: what each is for and how it is used, never itself.',
  scope: 'clients:read',
  action: 'clients.read',
  params,
  answers: { status: 200, schema: z.object({ items: z.array(listed) }) },
  refuses: [],
  example: { params: exampleParams, answer: { items: [exampleListed] } },
  async handle({ house, params: { id } }) {
    if (!(await clientById(house.db, id))) return { problem: 'not-found' };
    return { body: { items: (await secretsOf(house.db, id)).map(shown) } };
  },
});

const ofSecret = {
  'secret-name-missing': { path: 'name', code: 'missing' },
  'secret-expired-already': { path: 'expiresAt', code: 'malformed' },
} as const;

const create = endpoint({
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
    expiresAt: saidMoment.nullable().default(null),
  }),
  answers: { status: 201, schema: z.object({ id: z.uuid(), name: z.string(), secret: z.string() }) },
  refuses: ['client-keeps-no-secret', 'secret-name-taken', 'secrets-too-many', 'beyond-reach'],
  example: {
    params: exampleParams,
    body: { name: 'test', expiresAt: '2126-12-31T00:00:00Z' },
    answer: { id: exampleSecret, name: 'test', secret: 'shown-here-once' },
  },
  async handle(asked) {
    const { db, settings, vault } = asked.house;
    const { id: clientId } = asked.params;
    const { name, expiresAt } = asked.body;
    const until = expiresAt === null ? undefined : new Date(expiresAt);
    const wanted = { clientId, name, expiresAt: until, vault };
    const made = await newSecret(db, wanted, doer(asked));
    if (!('refusal' in made))
      return {
        location: `${settings.HEMMA_ISSUER}/api/clients/${clientId}/secrets`,
        body: { id: made.id, name: name.trim(), secret: made.secret },
      };
    const { refusal } = made;
    if (refusal === 'client-unknown') return { problem: 'not-found' };
    if (refusal !== 'secret-name-missing' && refusal !== 'secret-expired-already')
      return { problem: refusal };
    const { path, code } = ofSecret[refusal];
    return { problem: 'invalid', errors: [inputFault(path, code)] };
  },
});

const remove = endpoint({
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
  example: { params: { ...exampleParams, secret: exampleSecret } },
  async handle(asked) {
    const { id, secret } = asked.params;
    const gone = await removeSecret(asked.house.db, id, secret, doer(asked));
    if (gone === 'beyond-reach') return { problem: gone };
    return gone ? undefined : { problem: 'not-found' };
  },
});

const refusing = [
  'not-ours',
  'beyond-reach',
  'resource-in-use',
  'claim-refused',
] as const satisfies readonly ProblemCode[];
const results = ['created', 'changed', 'unchanged', 'removed', ...refusing] as const;

const entries = z.array(z.record(z.string(), z.unknown()).meta({ described: 'ClientEntry' })).max(1000);
const servers = z.array(z.record(z.string(), z.unknown()).meta({ described: 'ResourceServer' })).max(1000);

const claims = z.array(z.record(z.string(), z.unknown()).meta({ described: 'ClaimDefinition' })).max(1000);

const apply = endpoint({
  method: 'POST',
  path: '/clients/apply',
  name: 'applyClients',
  summary: 'Make applications as this list says, all of it or nothing. Once more changes nothing.',
  description:
    'The same as `hemma clients apply` takes and `hemma clients export` writes: a list of applications, or an object that lists claims and resource servers, too.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  query: z.strictObject({ dryRun: flag, prune: flag, adopt: flag }),
  body: z.union([
    entries,
    z.strictObject({
      claims: claims.optional(),
      resourceServers: servers.optional(),
      clients: entries.optional(),
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
  refuses: refusing,
  example: {
    query: { dryRun: 'true' },
    body: [{ id: 'invoices', ...exampleDescription, name: 'Invoices' }],
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
  async handle(asked) {
    const { db, settings } = asked.house;
    const read = await readFile(db, settings.HEMMA_ISSUER, asked.body);
    if ('faults' in read)
      return {
        problem: 'invalid',
        errors: read.faults.map((fault) => inputFault(placeOf(fault), fault.code)),
      };
    const done = await applyFile(db, read, { ...doer(asked), ...asked.query });
    const stopped = done.flatMap(({ result }) => refusing.find((code) => code === result) ?? [])[0];
    if (stopped) {
      const named = done.flatMap(({ id, result, why }) =>
        result === stopped ? [inputFault(id, why ?? stopped)] : [],
      );
      return { problem: stopped, errors: named };
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

export const clientDeeds: readonly Endpoint[] = [
  switching(true),
  switching(false),
  signingOut,
  secrets,
  create,
  remove,
  apply,
];
