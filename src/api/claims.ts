import { z } from 'zod';
import type { ClaimFault } from '../users/claim-value.ts';
import { validateClaim, claimSchema } from '../users/claim-value.ts';
import type { ClaimDefinition } from '../users/claim-definitions.ts';
import { findClaim, listClaims } from '../users/claim-definitions.ts';
import { toAuditActor } from '../users/operators.ts';
import { changeCustomClaim, defineCustomClaim, removeCustomClaim } from '../oidc/claims/custom-claims.ts';
import { inputError } from './body.ts';
import type { ApiRequest, Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleClaim } from './examples.ts';
import type { Problem } from './problem.ts';

const claimResponseSchema = z.object({
  name: z.string(),
  scope: z.string(),
  label: z.object({ sv: z.string(), en: z.string() }),
  multi: z.boolean().meta({ description: 'A list of texts; otherwise one text.' }),
});

const claimResponse = ({ name, scope, label, multi }: ClaimDefinition) => ({ name, scope, label, multi });

const params = z.object({ name: z.string().max(200) });
const exampleParams = { name: exampleClaim.name };

const auditActorOf = ({ ctx, caller }: Pick<ApiRequest<unknown, unknown, unknown>, 'ctx' | 'caller'>) =>
  toAuditActor({ by: caller.actor, origin: ctx.state.origin });

function claimFaultsProblem(faults: readonly ClaimFault[]): Problem {
  const [first] = faults;
  if (first?.code === 'claim-taken' || first?.code === 'scope-of-application') return { problem: first.code };
  return { problem: 'invalid', errors: faults.map(({ path, code }) => inputError(path, code)) };
}

/** Judged by `validateClaim`, which is the same for the console and for files; here it says what may be sent. */
const claimInput = z.record(z.string(), z.unknown()).meta({ described: 'ClaimDefinition' });
const claimReplacementInput = z.record(z.string(), z.unknown()).meta({ described: 'ClaimReplacement' });

const listClaimsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/claims',
  name: 'listClaims',
  summary: "All claims of the house's own, by scope and name.",
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(claimResponseSchema) }) },
  refuses: [],
  example: { answer: { items: [exampleClaim] } },
  handle: async ({ house: context }) => ({
    body: { items: (await listClaims(context.db)).map(claimResponse) },
  }),
});

const createClaimEndpoint = defineEndpoint({
  method: 'POST',
  path: '/claims',
  name: 'createClaim',
  summary: "Define a claim of the house's own.",
  description: 'Applications that have its scope and ask for consent ask again.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: claimInput,
  answers: { status: 201, schema: claimResponseSchema },
  refuses: ['claim-taken'],
  example: {
    body: { name: 'cost_centre', scope: 'staff', label: 'Kostnadsställe' },
    answer: {
      name: 'cost_centre',
      scope: 'staff',
      label: { sv: 'Kostnadsställe', en: 'Kostnadsställe' },
      multi: false,
    },
  },
  async handle(request) {
    const { db, settings } = request.house;
    const read = validateClaim(request.body);
    const made = 'claim' in read ? await defineCustomClaim(db, read.claim, auditActorOf(request)) : read;
    if ('faults' in made) return claimFaultsProblem(made.faults);
    if ('fault' in made) return claimFaultsProblem([made.fault]);
    const location = `${settings.HEMMA_ISSUER}/api/claims/${encodeURIComponent(made.claim.name)}`;
    return { location, body: claimResponse(made.claim) };
  },
});

const replaceClaimEndpoint = defineEndpoint({
  method: 'PUT',
  path: '/claims/{name}',
  name: 'replaceClaim',
  summary: 'Give a claim another scope or label. Its name and kind stay.',
  description: 'Where the scope is another one, applications that have it and ask for consent ask again.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params,
  body: claimReplacementInput,
  answers: { status: 200, schema: claimResponseSchema },
  refuses: ['scope-of-application'],
  example: {
    params: exampleParams,
    body: { scope: 'staff', label: { sv: 'Enhet', en: 'Unit' } },
    answer: { ...exampleClaim, label: { sv: 'Enhet', en: 'Unit' } },
  },
  async handle(request) {
    const { db } = request.house;
    const known = await findClaim(db, { name: request.params.name });
    if (!known) return { problem: 'not-found' };
    const read = validateClaim({ multi: known.multi, ...request.body, name: known.name });
    if ('faults' in read) return claimFaultsProblem(read.faults);
    if (request.body.name !== undefined && request.body.name !== known.name)
      return { problem: 'invalid', errors: [inputError('name', 'not-a-choice')] };
    const done = await changeCustomClaim(db, read.claim, auditActorOf(request));
    if (!done) return { problem: 'not-found' };
    return 'fault' in done ? claimFaultsProblem([done.fault]) : { body: read.claim };
  },
});

const deleteClaimEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/claims/{name}',
  name: 'deleteClaim',
  summary: "Remove a claim and everybody's values for it.",
  scope: 'clients:write',
  // What is said of people goes with it.
  alsoScope: 'people:write',
  action: 'clients.write',
  fresh: true,
  params,
  answers: { status: 204 },
  refuses: ['scope-of-application'],
  example: { params: exampleParams },
  async handle(request) {
    const refused = await removeCustomClaim(request.house.db, request.params.name, auditActorOf(request));
    if (refused === 'no-such-claim') return { problem: 'not-found' };
    return refused && { problem: refused };
  },
});

/** The schema of a definition, as a program may send it. */
export const claimDefinitionSchema = claimSchema;

export const claimEndpoints: readonly Endpoint[] = [
  listClaimsEndpoint,
  createClaimEndpoint,
  replaceClaimEndpoint,
  deleteClaimEndpoint,
];
