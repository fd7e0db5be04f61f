import { z } from 'zod';
import { isOnLocalhost } from '../../config/settings.ts';
import { doerOf } from '../users/operators.ts';
import type { ClientFault } from '../clients/connectivity-check.ts';
import { clientSchema } from '../clients/schema.ts';
import { removeClient } from '../clients/access.ts';
import type { RegisteredClient } from '../clients/clients.ts';
import { changeClient, clientById, createClient, listClients, readClient } from '../clients/clients.ts';
import { inputFault } from './body.ts';
import {
  clientAnswer,
  clientParams,
  etagOf,
  exampleAnswer,
  exampleDescription,
  matches,
  shownClient,
} from './client-shapes.ts';
import type { Asked, Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleClient, exampleVersion } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { problems } from './problem.ts';

/** Who changes applications, and what they may hand on. */
export const doer = ({ ctx, caller }: Pick<Asked<unknown, unknown, unknown>, 'ctx' | 'caller'>) => ({
  ...doerOf({ by: caller.actor, origin: ctx.state.origin }),
  reach: caller.reach,
});

/** A fault of a description: a refusal of its own where it is about more than what was typed. */
export function ofFaults(faults: readonly ClientFault[]): Problem {
  const [first] = faults;
  const own = faults.length === 1 && first && Object.hasOwn(problems, first.code) ? first.code : undefined;
  if (own) return { problem: own as ProblemCode };
  return { problem: 'invalid', errors: faults.map(({ path, code }) => inputFault(path, code)) };
}

/** What is described is judged by `checkClient`, whose schema stands in the document. */
const described = (name: 'ClientDescription' | 'ClientReplacement') =>
  z.record(z.string(), z.unknown()).meta({ described: name });

const list = endpoint({
  method: 'GET',
  path: '/clients',
  name: 'listClients',
  summary: 'All applications by identifier.',
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(clientAnswer) }) },
  refuses: [],
  example: { answer: { items: [exampleAnswer] } },
  handle: async ({ house }) => ({ body: { items: (await listClients(house.db)).map(shownClient) } }),
});

const create = endpoint({
  method: 'POST',
  path: '/clients',
  name: 'createClient',
  summary: 'Register an application.',
  description: 'It gets no scope of this interface that the token that asks does not have.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: described('ClientDescription'),
  answers: { status: 201, schema: clientAnswer, etag: true },
  refuses: ['id-taken', 'beyond-reach'],
  example: {
    body: { id: 'timesheet', ...exampleDescription },
    answer: { ...exampleAnswer, id: 'timesheet' },
  },
  async handle(asked) {
    const { db, settings } = asked.house;
    const read = await readClient(db, asked.body, { loopback: isOnLocalhost(settings.HEMMA_ISSUER) });
    if ('faults' in read) return ofFaults(read.faults);
    const { client } = read;
    const fault = await createClient(db, client, doer(asked));
    if (fault) return ofFaults([fault.fault]);
    const made = await clientById(db, client.id);
    if (!made) return { problem: 'not-found' };
    const location = `${settings.HEMMA_ISSUER}/api/clients/${client.id}`;
    return { location, etag: etagOf(made), body: shownClient(made) };
  },
});

const one = endpoint({
  method: 'GET',
  path: '/clients/{id}',
  name: 'getClient',
  summary: 'An application, and in ETag its version.',
  scope: 'clients:read',
  action: 'clients.read',
  params: clientParams,
  answers: { status: 200, schema: clientAnswer, etag: true },
  refuses: [],
  example: { params: { id: exampleClient }, answer: exampleAnswer },
  async handle({ house, params }) {
    const found = await clientById(house.db, params.id);
    return found ? { etag: etagOf(found), body: shownClient(found) } : { problem: 'not-found' };
  },
});

/**
 * What is described, without what this request cannot change: that may stand in it as it was read, so that what was read
 * can be sent back, and anything else there is refused rather than passed over.
 */
function changeable(body: Record<string, unknown>, known: RegisteredClient) {
  const shown = shownClient(known);
  const fixed = ['id', 'type', 'enabled', 'managed', 'registeredWith', 'createdAt', 'updatedAt'] as const;
  const odd = fixed.filter((name) => body[name] !== undefined && body[name] !== shown[name]);
  const errors = odd.map((name) => inputFault(name, 'not-a-choice'));
  const problem: Problem | undefined = odd.length > 0 ? { problem: 'invalid', errors } : undefined;
  const said = Object.fromEntries(
    Object.entries(body).filter(([name]) => !fixed.some((one) => one === name)),
  );
  return { problem, said };
}

const change = endpoint({
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
  body: described('ClientReplacement'),
  answers: { status: 200, schema: clientAnswer, etag: true },
  refuses: ['changed-meanwhile', 'managed-by-file', 'beyond-reach'],
  example: {
    params: { id: exampleClient },
    headers: { 'If-Match': exampleVersion.etag },
    body: { ...exampleDescription, description: 'Pays wages.' },
    answer: { ...exampleAnswer, description: 'Pays wages.' },
  },
  async handle(asked) {
    const { db, settings } = asked.house;
    const { id } = asked.params;
    const known = await clientById(db, id);
    if (!known) return { problem: 'not-found' };
    if (!matches(asked.ctx.get('if-match'), etagOf(known))) return { problem: 'changed-meanwhile' };
    const { problem, said } = changeable(asked.body, known);
    if (problem) return problem;
    const described = { ...said, id, type: known.client.type };
    const read = await readClient(db, described, { loopback: isOnLocalhost(settings.HEMMA_ISSUER) });
    if ('faults' in read) return ofFaults(read.faults);
    const done = await changeClient(db, read.client, known.updatedAt, doer(asked));
    if ('fault' in done) return ofFaults([done.fault]);
    const now = (await clientById(db, id)) ?? known;
    return { etag: etagOf(now), body: shownClient(now) };
  },
});

const remove = endpoint({
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
  example: { params: { id: exampleClient }, headers: { 'If-Match': exampleVersion.etag } },
  async handle(asked) {
    const { db } = asked.house;
    const { id } = asked.params;
    const known = await clientById(db, id);
    if (!known) return { problem: 'not-found' };
    if (!matches(asked.ctx.get('if-match'), etagOf(known))) return { problem: 'changed-meanwhile' };
    const ended = await removeClient(db, id, { ...doer(asked), seen: known.updatedAt });
    if (ended === 'beyond-reach') return { problem: ended };
    return ended === undefined ? { problem: 'changed-meanwhile' } : undefined;
  },
});

/** The schema of a description, as a program may send it. */
export const descriptionSchema = clientSchema;

export const clients: readonly Endpoint[] = [list, create, one, change, remove];
