import { z } from 'zod';
import { createGroup, listGroups, removeGroup, renameGroup } from '../users/groups.ts';
import { toAuditActor } from '../users/operators.ts';
import { isGroupReferenced } from '../clients/clients.ts';
import type { Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleGroup } from './examples.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { toProblem } from './problem.ts';
import { groupId } from './shapes.ts';

const groupSchema = z.object({ id: groupId, name: z.string() });

const listGroupsEndpoint = defineEndpoint({
  method: 'GET',
  path: '/groups',
  name: 'listGroups',
  summary: 'All groups by name, with how many people are in each.',
  scope: 'people:read',
  action: 'groups.read',
  answers: { status: 200, schema: z.object({ items: z.array(groupSchema.extend({ members: z.int() })) }) },
  refuses: [],
  example: { answer: { items: [{ ...exampleGroup, members: 1 }] } },
  handle: async ({ house: context }) => ({ body: { items: await listGroups(context.db) } }),
});

const createGroupEndpoint = defineEndpoint({
  method: 'POST',
  path: '/groups',
  name: 'createGroup',
  summary: 'Make a group.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  body: z.strictObject({ name: z.string().max(80) }),
  answers: { status: 201, schema: groupSchema },
  refuses: ['missing-name', 'group-taken'],
  example: { body: { name: 'South' }, answer: { ...exampleGroup, name: 'South' } },
  async handle({ house: context, ctx, caller, body }) {
    const auditActor = toAuditActor({ by: caller.actor, origin: ctx.state.origin });
    const made = await createGroup(context.db, body.name, auditActor);
    if ('refusal' in made) return { problem: made.refusal };
    return { location: `${context.settings.HEMMA_ISSUER}/api/groups`, body: made.group };
  },
});

const groupParams = z.object({ group: groupId });
const exampleGroupParams = { group: exampleGroup.id };

/** A refusal of the domain; a group that is not there is what the address names. */
const groupProblem = (refusal: { code: ProblemCode } | undefined): Problem | undefined =>
  refusal && (refusal.code === 'no-such-group' ? { problem: 'not-found' } : toProblem(refusal));

const renameGroupEndpoint = defineEndpoint({
  method: 'PUT',
  path: '/groups/{group}',
  name: 'renameGroup',
  summary: 'Give a group another name.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  params: groupParams,
  body: z.strictObject({ name: z.string().max(80) }),
  answers: { status: 204 },
  refuses: ['missing-name', 'group-taken'],
  example: { params: exampleGroupParams, body: { name: 'Far North' } },
  async handle({ house: context, ctx, caller, params: { group: id }, body }) {
    const auditActor = toAuditActor({ by: caller.actor, origin: ctx.state.origin });
    return groupProblem(await renameGroup(context.db, id, body.name, auditActor));
  },
});

const deleteGroupEndpoint = defineEndpoint({
  method: 'DELETE',
  path: '/groups/{group}',
  name: 'removeGroup',
  summary: 'Remove a group. Its people stay, in one group less.',
  scope: 'groups:write',
  action: 'groups.write',
  fresh: true,
  params: groupParams,
  answers: { status: 204 },
  refuses: ['group-limits-operator', 'group-of-application'],
  example: { params: exampleGroupParams },
  async handle({ house: context, ctx, caller, params: { group: id } }) {
    const auditActor = toAuditActor({ by: caller.actor, origin: ctx.state.origin });
    return groupProblem(await removeGroup(context.db, id, isGroupReferenced, auditActor));
  },
});

export const groupEndpoints: readonly Endpoint[] = [
  listGroupsEndpoint,
  createGroupEndpoint,
  renameGroupEndpoint,
  deleteGroupEndpoint,
];
