import { z } from 'zod';
import type { ClaimFault } from '../users/claim-value.ts';
import { checkClaim, claimSchema } from '../users/claim-value.ts';
import type { ClaimDefinition } from '../users/claim-definitions.ts';
import { claimBy, listClaims } from '../users/claim-definitions.ts';
import { doerOf } from '../users/operators.ts';
import { changeClaim, defineClaim, removeClaim } from '../oidc/claims/custom-claims.ts';
import { inputFault } from './body.ts';
import type { Asked, Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleClaim } from './examples.ts';
import type { Problem } from './problem.ts';

const claim = z.object({
  name: z.string(),
  scope: z.string(),
  label: z.object({ sv: z.string(), en: z.string() }),
  multi: z.boolean().meta({ description: 'A list of texts; otherwise one text.' }),
});

const shown = ({ name, scope, label, multi }: ClaimDefinition) => ({ name, scope, label, multi });

const params = z.object({ name: z.string().max(200) });
const exampleParams = { name: exampleClaim.name };

const doer = ({ ctx, caller }: Pick<Asked<unknown, unknown, unknown>, 'ctx' | 'caller'>) =>
  doerOf({ by: caller.actor, origin: ctx.state.origin });

function ofFaults(faults: readonly ClaimFault[]): Problem {
  const [first] = faults;
  if (first?.code === 'claim-taken' || first?.code === 'scope-of-application') return { problem: first.code };
  return { problem: 'invalid', errors: faults.map(({ path, code }) => inputFault(path, code)) };
}

/** Judged by `checkClaim`, which is the same for the console and for files; here it says what may be sent. */
const described = z.record(z.string(), z.unknown()).meta({ described: 'ClaimDefinition' });
const replaced = z.record(z.string(), z.unknown()).meta({ described: 'ClaimReplacement' });

const list = endpoint({
  method: 'GET',
  path: '/claims',
  name: 'listClaims',
  summary: "All claims of the house's own, by scope and name.",
  scope: 'clients:read',
  action: 'clients.read',
  answers: { status: 200, schema: z.object({ items: z.array(claim) }) },
  refuses: [],
  example: { answer: { items: [exampleClaim] } },
  handle: async ({ house }) => ({ body: { items: (await listClaims(house.db)).map(shown) } }),
});

const create = endpoint({
  method: 'POST',
  path: '/claims',
  name: 'createClaim',
  summary: "Define a claim of the house's own.",
  description: 'Applications that have its scope and ask for consent ask again.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  body: described,
  answers: { status: 201, schema: claim },
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
  async handle(asked) {
    const { db, settings } = asked.house;
    const read = checkClaim(asked.body);
    const made = 'claim' in read ? await defineClaim(db, read.claim, doer(asked)) : read;
    if ('faults' in made) return ofFaults(made.faults);
    if ('fault' in made) return ofFaults([made.fault]);
    const location = `${settings.HEMMA_ISSUER}/api/claims/${encodeURIComponent(made.claim.name)}`;
    return { location, body: shown(made.claim) };
  },
});

const change = endpoint({
  method: 'PUT',
  path: '/claims/{name}',
  name: 'replaceClaim',
  summary: 'Give a claim another scope or label. Its name and kind stay.',
  description: 'Where the scope is another one, applications that have it and ask for consent ask again.',
  scope: 'clients:write',
  action: 'clients.write',
  fresh: true,
  params,
  body: replaced,
  answers: { status: 200, schema: claim },
  refuses: ['scope-of-application'],
  example: {
    params: exampleParams,
    body: { scope: 'staff', label: { sv: 'Enhet', en: 'Unit' } },
    answer: { ...exampleClaim, label: { sv: 'Enhet', en: 'Unit' } },
  },
  async handle(asked) {
    const { db } = asked.house;
    const known = await claimBy(db, { name: asked.params.name });
    if (!known) return { problem: 'not-found' };
    const read = checkClaim({ multi: known.multi, ...asked.body, name: known.name });
    if ('faults' in read) return ofFaults(read.faults);
    if (asked.body.name !== undefined && asked.body.name !== known.name)
      return { problem: 'invalid', errors: [inputFault('name', 'not-a-choice')] };
    const done = await changeClaim(db, read.claim, doer(asked));
    if (!done) return { problem: 'not-found' };
    return 'fault' in done ? ofFaults([done.fault]) : { body: read.claim };
  },
});

const remove = endpoint({
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
  async handle(asked) {
    const refused = await removeClaim(asked.house.db, asked.params.name, doer(asked));
    if (refused === 'no-such-claim') return { problem: 'not-found' };
    return refused && { problem: refused };
  },
});

/** The schema of a definition, as a program may send it. */
export const definitionSchema = claimSchema;

export const claims: readonly Endpoint[] = [list, create, change, remove];
