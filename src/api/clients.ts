import { z } from 'zod';
import { isOnLocalhost } from '../../config/settings.ts';
import { toAuditActor } from '../users/operators.ts';
import type { ClientFault } from '../clients/connectivity-check.ts';
import { clientSchema } from '../clients/schema.ts';
import { removeClient } from '../clients/access.ts';
import type { RegisteredClient } from '../clients/clients.ts';
import {
  changeClient,
  findClientById,
  createClient,
  listClients,
  validateClient,
} from '../clients/clients.ts';
import { inputError } from './body.ts';
import {
  clientResponseSchema,
  clientParams,
  clientEtag,
  exampleClientResponse,
  exampleClientInput,
  matchesEtag,
  clientResponse,
} from './client-shapes.ts';
import type { ApiRequest, Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleClient, exampleClientVersion } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { problemTypes } from './problem.ts';

/** Who changes applications, and what they may hand on. */
export const auditActorOf = ({
  ctx,
  caller,
}: Pick<ApiRequest<unknown, unknown, unknown>, 'ctx' | 'caller'>) => ({
  ...toAuditActor({ by: caller.actor, origin: ctx.state.origin }),
  reach: caller.reach,
});

/** A fault of a description: a refusal of its own where it is about more than what was typed. */
export function clientFaultsProblem(faults: readonly ClientFault[]): Problem {
  const [first] = faults;
  const knownProblem =
    faults.length === 1 && first && Object.hasOwn(problemTypes, first.code) ? first.code : undefined;
  if (knownProblem) return { problem: knownProblem as ProblemCode };
  return { problem: 'invalid', errors: faults.map(({ path, code }) => inputError(path, code)) };
}

/** What is described is judged by `parseClient`, whose schema stands in the document. */
const clientInput = (name: 'ClientDescription' | 'ClientReplacement') =>
  z.record(z.string(), z.unknown()).meta({ described: name });

const listClientsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/clients',
  name: 'listClients',
  summary: 'All applications by identifier.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(clientResponseSchema) }) },
  refuses: [],
  example: { answer: { items: [exampleClientResponse] } },
  handle: async ({ house: context }) => ({
    body: { items: (await listClients(context.db)).map(clientResponse) },
  }),
});

const createClientEndpoint = defineEndpoint({
  method: 'POST',
  path: '/clients',
  name: 'createClient',
  summary: 'Register an application.',
  description: 'It gets no scope of this interface that the token that asks does not have.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: clientInput('ClientDescription'),
  answers: { status: 201, schema: clientResponseSchema, etag: true },
  refuses: ['id-taken', 'beyond-reach'],
  example: {
    body: { id: 'timesheet', ...exampleClientInput },
    answer: { ...exampleClientResponse, id: 'timesheet' },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const read = await validateClient(db, request.body, { loopback: isOnLocalhost(settings.HEMMA_ISSUER) });
    if ('faults' in read) return clientFaultsProblem(read.faults);
    const { client } = read;
    const fault = await createClient(db, client, auditActorOf(request));
    if (fault) return clientFaultsProblem([fault.fault]);
    const made = await findClientById(db, client.id);
    if (!made) return { problem: 'not-found' };
    const location = `${settings.HEMMA_ISSUER}/api/clients/${client.id}`;
    return { location, etag: clientEtag(made), body: clientResponse(made) };
  },
});

const getClientEndpoint = defineEndpoint({
  method: 'GET',
  path: '/clients/{id}',
  name: 'getClient',
  summary: 'An application, and in ETag its version.',
  scope: 'clients:read',
  action: 'clients.read',
  params: clientParams,
  answers: { status: 200, schema: clientResponseSchema, etag: true },
  refuses: [],
  example: { params: { id: exampleClient }, answer: exampleClientResponse },
  async handle({ house: context, params }) {
    const found = await findClientById(context.db, params.id);
    return found ? { etag: clientEtag(found), body: clientResponse(found) } : { problem: 'not-found' };
  },
});

/**
 * What is described, without what this request cannot change: that may stand in it as it was read, so that what was read
 * can be sent back, and anything else there is refused rather than passed over.
 */
function mergeReplacement(body: Record<string, unknown>, known: RegisteredClient) {
  const currentResponse = clientResponse(known);
  const readOnlyFields = [
    'id',
    'type',
    'enabled',
    'managed',
    'registeredWith',
    'createdAt',
    'updatedAt',
  ] as const;
  const invalidFields = readOnlyFields.filter(
    (name) => body[name] !== undefined && body[name] !== currentResponse[name],
  );
  const errors = invalidFields.map((name) => inputError(name, 'not-a-choice'));
  const problem: Problem | undefined = invalidFields.length > 0 ? { problem: 'invalid', errors } : undefined;
  const submitted = Object.fromEntries(
    Object.entries(body).filter(([name]) => !readOnlyFields.some((one) => one === name)),
  );
  return { problem, said: submitted };
}

const replaceClientEndpoint = defineEndpoint({
  method: 'PUT',
  path: '/clients/{id}',
  name: 'replaceClient',
  summary: 'Describe an application anew, all of it.',
  description:
    'What is left out has its default; signingAlg, assertionSigningAlg (as long as a key fits it) and the type stay. An application that holds scopes of this interface which the token that asks lacks is out of its reach.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  versioned: true,
  params: clientParams,
  body: clientInput('ClientReplacement'),
  answers: { status: 200, schema: clientResponseSchema, etag: true },
  refuses: ['changed-meanwhile', 'managed-by-file', 'beyond-reach'],
  example: {
    params: { id: exampleClient },
    headers: { 'If-Match': exampleClientVersion.etag },
    body: { ...exampleClientInput, description: 'Pays wages.' },
    answer: { ...exampleClientResponse, description: 'Pays wages.' },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const { id } = request.params;
    const known = await findClientById(db, id);
    if (!known) return { problem: 'not-found' };
    if (!matchesEtag(request.ctx.get('if-match'), clientEtag(known))) return { problem: 'changed-meanwhile' };
    const { problem, said: submitted } = mergeReplacement(request.body, known);
    if (problem) return problem;
    const described = { ...submitted, id, type: known.client.type };
    const read = await validateClient(db, described, { loopback: isOnLocalhost(settings.HEMMA_ISSUER) });
    if ('faults' in read) return clientFaultsProblem(read.faults);
    const done = await changeClient(db, read.client, known.updatedAt, auditActorOf(request));
    if ('fault' in done) return clientFaultsProblem([done.fault]);
    const current = (await findClientById(db, id)) ?? known;
    return { etag: clientEtag(current), body: clientResponse(current) };
  },
});

const deleteClientEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/clients/{id}',
  name: 'deleteClient',
  summary: "Delete an application, its secrets and everybody's tokens for it. It is told of the sign-outs.",
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  versioned: true,
  params: clientParams,
  answers: { status: 204 },
  refuses: ['changed-meanwhile', 'beyond-reach'],
  example: { params: { id: exampleClient }, headers: { 'If-Match': exampleClientVersion.etag } },
  async handle(request) {
    const { db } = request.house;
    const { id } = request.params;
    const known = await findClientById(db, id);
    if (!known) return { problem: 'not-found' };
    if (!matchesEtag(request.ctx.get('if-match'), clientEtag(known))) return { problem: 'changed-meanwhile' };
    const ended = await removeClient(db, id, { ...auditActorOf(request), seen: known.updatedAt });
    if (ended === 'beyond-reach') return { problem: ended };
    return ended === undefined ? { problem: 'changed-meanwhile' } : undefined;
  },
});

/** The schema of a description, as a program may send it. */
export const clientDescriptionSchema = clientSchema;

export const clientEndpoints: readonly Endpoint[] = [
  listClientsEndpoint,
  createClientEndpoint,
  getClientEndpoint,
  replaceClientEndpoint,
  deleteClientEndpoint,
];
