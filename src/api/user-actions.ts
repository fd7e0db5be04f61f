import { z } from 'zod';
import { changeAttributes } from '../users/attributes.ts';
import { groupBy } from '../users/groups.ts';
import type { Action, DeedRefusal, ToAccount } from '../users/operators.ts';
import { accountFor, changeRole } from '../users/operators.ts';
import {
  changeGroup,
  disable,
  enable,
  requireTwoStep,
  resendInvitation,
  signOutEverywhere,
} from '../users/search.ts';
import type { House } from '../context.ts';
import { inputFault } from './body.ts';
import type { Asked, Endpoint } from './endpoint.ts';
import { endpoint } from './endpoint.ts';
import { exampleGroup, examplePerson } from './examples.ts';
import { personParams } from './users.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { refused } from './problem.ts';
import { groupId, role } from './shapes.ts';

type Refused =
  | { code: Exclude<DeedRefusal['code'], 'not-there'> | 'no-such-group' | 'not-there' }
  | { code: 'throttled'; seconds: number }
  | undefined;

/** A refusal of the domain; an account that is not there and one that may not be touched are the same. */
export function afterDeed(refusal: Refused): Problem | undefined {
  if (!refusal) return undefined;
  if (refusal.code === 'not-there') return { problem: 'not-found' };
  return refused('seconds' in refusal ? refusal : { code: refusal.code });
}

const toPerson = (
  { ctx, caller }: Pick<Asked<unknown, unknown, unknown>, 'ctx' | 'caller'>,
  target: string,
): ToAccount => ({ target, by: caller.actor, origin: ctx.state.origin });

interface Deed {
  name: string;
  operation: string;
  summary: string;
  action: Action;
  refuses: readonly ProblemCode[];
  carryOut: (house: House, deed: ToAccount) => Promise<Refused>;
}

/** The deeds that ask nothing: the same as the console's forms. Done already, they change nothing. */
const deeds: readonly Deed[] = [
  {
    name: 'disable',
    operation: 'disablePerson',
    summary: 'Disable an account: sessions, codes and tokens end at once.',
    action: 'people.disable',
    refuses: ['last-administrator'],
    carryOut: ({ db, post, aftermath }, deed) => disable(db, post, aftermath, deed),
  },
  {
    name: 'enable',
    operation: 'enablePerson',
    summary: 'Give a disabled account its access back.',
    action: 'people.disable',
    refuses: [],
    carryOut: ({ db, post }, deed) => enable(db, post, deed),
  },
  {
    name: 'end-sessions',
    operation: 'endSessionsOfPerson',
    summary: 'Sign a person out everywhere, and forget their remembered devices.',
    action: 'people.end-sessions',
    refuses: [],
    carryOut: ({ db, post, aftermath }, deed) => signOutEverywhere(db, post, aftermath, deed),
  },
  {
    name: 'require-two-step',
    operation: 'requireTwoStepOfPerson',
    summary: 'Ask for two steps from the next sign-in on.',
    action: 'people.require-two-step',
    refuses: [],
    carryOut: ({ db, post }, deed) => requireTwoStep(db, post, deed),
  },
  {
    name: 'resend-invitation',
    operation: 'resendInvitation',
    summary: 'Mail an invitation that waits once more.',
    action: 'people.invite',
    refuses: ['throttled'],
    carryOut: ({ db, post }, deed) => resendInvitation(db, post, deed),
  },
];

/** Who waits for an invitation, in the examples. */
const invited = '9b1d2f66-3c0a-4f57-8d77-0b8f5a0b6c33';

const deedEndpoint = ({ name, operation, summary, action, refuses, carryOut }: Deed): Endpoint =>
  endpoint({
    method: 'POST',
    path: `/people/{id}/${name}`,
    name: operation,
    summary,
    scope: 'people:write',
    action,
    fresh: true,
    params: personParams,
    answers: { status: 204 },
    refuses,
    example: { params: { id: name === 'resend-invitation' ? invited : examplePerson.id } },
    async handle(asked) {
      const { house, caller, params } = asked;
      // Asked before the deed, and again in it: whoever may not uses up nobody's invitations.
      if (!(await accountFor(house.db, caller.actor, action, params.id))) return { problem: 'not-found' };
      return afterDeed(await carryOut(house, toPerson(asked, params.id)));
    },
  });

const roleOf = endpoint({
  method: 'PUT',
  path: '/people/{id}/role',
  name: 'setRoleOfPerson',
  summary: 'Give a role, over everybody or over the people of one group.',
  description: 'All sessions of the account end. Nobody changes their own, and the last administrator stays.',
  scope: 'roles:write',
  action: 'people.role',
  fresh: true,
  params: personParams,
  body: z.strictObject({ role, group: groupId.nullable().default(null) }),
  answers: { status: 204 },
  refuses: ['last-administrator', 'no-such-group'],
  example: { params: { id: examplePerson.id }, body: { role: 'person', group: null } },
  async handle(asked) {
    const { db, post, aftermath } = asked.house;
    const { role: wanted, group } = asked.body;
    const change = { ...toPerson(asked, asked.params.id), role: wanted, group: group ?? undefined };
    return afterDeed(await changeRole(db, post, aftermath, change));
  },
});

const attributes = endpoint({
  method: 'PATCH',
  path: '/people/{id}',
  name: 'changePerson',
  summary: "Give a person values for the house's own claims.",
  description: 'What is not named stays, and null takes the value away (RFC 7396).',
  scope: 'people:write',
  action: 'people.attributes',
  fresh: true,
  params: personParams,
  body: z.strictObject({
    attributes: z.record(z.string().max(200), z.union([z.string(), z.array(z.string()).max(100), z.null()])),
  }),
  answers: { status: 204 },
  refuses: [],
  example: { params: { id: examplePerson.id }, body: { attributes: { department: 'Lagret' } } },
  async handle(asked) {
    const change = { ...toPerson(asked, asked.params.id), given: asked.body.attributes };
    const refused = await changeAttributes(asked.house.db, change);
    if (!refused || 'code' in refused) return afterDeed(refused);
    const errors = refused.faults.map(({ path, code }) =>
      inputFault(path ? `attributes.${path}` : 'attributes', code),
    );
    return { problem: 'invalid', errors };
  },
});

const membership = (member: boolean): Endpoint =>
  endpoint({
    method: member ? 'PUT' : 'DELETE',
    path: '/people/{id}/groups/{group}',
    name: member ? 'addPersonToGroup' : 'removePersonFromGroup',
    summary: member ? 'Put a person into a group.' : 'Take a person out of a group.',
    scope: 'people:write',
    action: 'people.groups',
    fresh: true,
    params: personParams.extend({ group: groupId }),
    answers: { status: 204 },
    refuses: [],
    example: { params: { id: examplePerson.id, group: exampleGroup.id } },
    async handle(asked) {
      const { db } = asked.house;
      const group = await groupBy(db, { id: asked.params.group });
      if (!group) return { problem: 'not-found' };
      return afterDeed(await changeGroup(db, { ...toPerson(asked, asked.params.id), group, member }));
    },
  });

export const peopleDeeds: readonly Endpoint[] = [
  ...deeds.map(deedEndpoint),
  roleOf,
  attributes,
  membership(true),
  membership(false),
];
