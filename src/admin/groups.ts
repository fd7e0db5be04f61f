import { z } from 'zod';
import { createGroup, listGroups } from '../accounts/groups.ts';
import { doerOf } from '../accounts/operators.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleGroup } from './examples.ts';
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

export const groups: readonly Endpoint[] = [list, create];
