import { z } from 'zod';
import { createGroup, listGroups, removeGroup, renameGroup } from '../users/groups.ts';
import { doerOf } from '../users/operators.ts';
import { namesGroup } from '../clients/clients.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleGroup } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { refused } from './problem.ts';
import { groupId } from './shapes.ts';

const group = z.object({ id: groupId, name: z.string() });

const list = endpoint({
  method: 'GET',
  path: '/groups',
  name: 'listGroups',
  summary: 'All groups by name, with how many people are in each.',
  scope: 'people:read',
  action: 'groups.read',
  answers: { status: 200, schema: z.object({ items: z.array(group.extend({ members: z.int() })) }) },
  refuses: [],
  example: { answer: { items: [{ ...exampleGroup, members: 1 }] } },
  handle: async ({ house }) => ({ body: { items: await listGroups(house.db) } }),
});

const create = endpoint({
  method: 'POST',
  path: '/groups',
  name: 'createGroup',
  summary: 'Make a group.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  body: z.strictObject({ name: z.string().max(80) }),
  answers: { status: 201, schema: group },
  refuses: ['missing-name', 'group-taken'],
  example: { body: { name: 'South' }, answer: { ...exampleGroup, name: 'South' } },
  async handle({ house, ctx, caller, body }) {
    const doer = doerOf({ by: caller.actor, origin: ctx.state.origin });
    const made = await createGroup(house.db, body.name, doer);
    if ('refusal' in made) return { problem: made.refusal };
    return { location: `${house.settings.HEMMA_ISSUER}/api/groups`, body: made.group };
  },
});

const params = z.object({ group: groupId });
const exampleParams = { group: exampleGroup.id };

/** A refusal of the domain; a group that is not there is what the address names. */
const afterDeed = (refusal: { code: ProblemCode } | undefined): Problem | undefined =>
  refusal && (refusal.code === 'no-such-group' ? { problem: 'not-found' } : refused(refusal));

const rename = endpoint({
  method: 'PUT',
  path: '/groups/{group}',
  name: 'renameGroup',
  summary: 'Give a group another name.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  params,
  body: z.strictObject({ name: z.string().max(80) }),
  answers: { status: 204 },
  refuses: ['missing-name', 'group-taken'],
  example: { params: exampleParams, body: { name: 'Far North' } },
  async handle({ house, ctx, caller, params: { group: id }, body }) {
    const doer = doerOf({ by: caller.actor, origin: ctx.state.origin });
    return afterDeed(await renameGroup(house.db, id, body.name, doer));
  },
});

const remove = endpoint({
  method: 'DELETE',
  path: '/groups/{group}',
  name: 'removeGroup',
  summary: 'Remove a group. Its people stay, in one group less.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  params,
  answers: { status: 204 },
  refuses: ['group-limits-operator', 'group-of-application'],
  example: { params: exampleParams },
  async handle({ house, ctx, caller, params: { group: id } }) {
    const doer = doerOf({ by: caller.actor, origin: ctx.state.origin });
    return afterDeed(await removeGroup(house.db, id, namesGroup, doer));
  },
});

export const groups: readonly Endpoint[] = [list, create, rename, remove];
