import { z } from 'zod';
import { changeAttributes } from '../users/attributes.ts';
import { findGroup } from '../users/groups.ts';
import type { Permission, UserActionRefusal, UserAction } from '../users/operators.ts';
import { findVisibleUser, changeRole } from '../users/operators.ts';
import {
  changeGroupMembership,
  disableUser,
  enableUser,
  requireMfa,
  resendInvitation,
  signOutEverywhere,
} from '../users/search.ts';
import type { AppContext } from '../context.ts';
import { inputError } from './body.ts';
import type { ApiRequest, Endpoint } from './endpoint.ts';
import { defineEndpoint } from './endpoint.ts';
import { exampleGroup, exampleUser } from './examples.ts';
import { userParams } from './users.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { toProblem } from './problem.ts';
import { groupId, roleSchema } from './shapes.ts';

type UserActionError =
  | { code: Exclude<UserActionRefusal['code'], 'not-there'> | 'no-such-group' | 'not-there' }
  | { code: 'throttled'; seconds: number }
  | undefined;

/** A refusal of the domain; an account that is not there and one that may not be touched are the same. */
export function userActionProblem(refusal: UserActionError): Problem | undefined {
  if (!refusal) return undefined;
  if (refusal.code === 'not-there') return { problem: 'not-found' };
  return toProblem('seconds' in refusal ? refusal : { code: refusal.code });
}

const userActionFor = (
  { ctx, caller }: Pick<ApiRequest<unknown, unknown, unknown>, 'ctx' | 'caller'>,
  target: string,
): UserAction => ({ target, by: caller.actor, origin: ctx.state.origin });

interface UserActionDefinition {
  name: string;
  operation: string;
  summary: string;
  action: Permission;
  refuses: readonly ProblemCode[];
  carryOut: (house: AppContext, deed: UserAction) => Promise<UserActionError>;
}

/** The deeds that ask nothing: the same as the console's forms. Done already, they change nothing. */
const userActions: readonly UserActionDefinition[] = [
  {
    name: 'disable',
    operation: 'disablePerson',
    summary: 'Disable an account: sessions, codes and tokens end at once.',
    action: 'people.disable',
    refuses: ['last-administrator'],
    carryOut: ({ db, post: enqueueMail, aftermath: userChangeHooks }, userAction) =>
      disableUser(db, enqueueMail, userChangeHooks, userAction),
  },
  {
    name: 'enable',
    operation: 'enablePerson',
    summary: 'Give a disabled account its access back.',
    action: 'people.disable',
    refuses: [],
    carryOut: ({ db, post: enqueueMail }, userAction) => enableUser(db, enqueueMail, userAction),
  },
  {
    name: 'end-sessions',
    operation: 'endSessionsOfPerson',
    summary: 'Sign a person out everywhere, and forget their remembered devices.',
    action: 'people.end-sessions',
    refuses: [],
    carryOut: ({ db, post: enqueueMail, aftermath: userChangeHooks }, userAction) =>
      signOutEverywhere(db, enqueueMail, userChangeHooks, userAction),
  },
  {
    name: 'require-two-step',
    operation: 'requireTwoStepOfPerson',
    summary: 'Ask for two steps from the next sign-in on.',
    action: 'people.require-two-step',
    refuses: [],
    carryOut: ({ db, post: enqueueMail }, userAction) => requireMfa(db, enqueueMail, userAction),
  },
  {
    name: 'resend-invitation',
    operation: 'resendInvitation',
    summary: 'Mail an invitation that waits once more.',
    action: 'people.invite',
    refuses: ['throttled'],
    carryOut: ({ db, post: enqueueMail }, userAction) => resendInvitation(db, enqueueMail, userAction),
  },
];

/** Who waits for an invitation, in the examples. */
const exampleInvitedUserId = '9b1d2f66-3c0a-4f57-8d77-0b8f5a0b6c33';

const userActionEndpoint = ({
  name,
  operation,
  summary,
  action: permission,
  refuses,
  carryOut,
}: UserActionDefinition): Endpoint =>
  defineEndpoint({
    method: 'POST',
    path: `/people/{id}/${name}`,
    name: operation,
    summary,
    scope: 'people:write',
    action: permission,
    fresh: true,
    params: userParams,
    answers: { status: 204 },
    refuses,
    example: { params: { id: name === 'resend-invitation' ? exampleInvitedUserId : exampleUser.id } },
    async handle(request) {
      const { house: context, caller, params } = request;
      // Asked before the deed, and again in it: whoever may not uses up nobody's invitations.
      if (!(await findVisibleUser(context.db, caller.actor, permission, params.id)))
        return { problem: 'not-found' };
      return userActionProblem(await carryOut(context, userActionFor(request, params.id)));
    },
  });

const setUserRoleEndpoint = defineEndpoint({
  method: 'PUT',
  path: '/people/{id}/role',
  name: 'setRoleOfPerson',
  summary: 'Give a role, over everybody or over the people of one group.',
  description: 'All sessions of the account end. Nobody changes their own, and the last administrator stays.',
  scope: 'roles:write',
  action: 'people.role',
  fresh: true,
  params: userParams,
  body: z.strictObject({ role: roleSchema, group: groupId.nullable().default(null) }),
  answers: { status: 204 },
  refuses: ['last-administrator', 'no-such-group'],
  example: { params: { id: exampleUser.id }, body: { role: 'person', group: null } },
  async handle(request) {
    const { db, post: enqueueMail, aftermath: userChangeHooks } = request.house;
    const { role: newRole, group } = request.body;
    const change = { ...userActionFor(request, request.params.id), role: newRole, group: group ?? undefined };
    return userActionProblem(await changeRole(db, enqueueMail, userChangeHooks, change));
  },
});

const updateUserAttributesEndpoint = defineEndpoint({
  method: 'PATCH',
  path: '/people/{id}',
  name: 'changePerson',
  summary: "Give a person values for the house's own claims.",
  description: 'What is not named stays, and null takes the value away (RFC 7396).',
  scope: 'people:write',
  action: 'people.attributes',
  fresh: true,
  params: userParams,
  body: z.strictObject({
    attributes: z.record(z.string().max(200), z.union([z.string(), z.array(z.string()).max(100), z.null()])),
  }),
  answers: { status: 204 },
  refuses: [],
  example: { params: { id: exampleUser.id }, body: { attributes: { department: 'Lagret' } } },
  async handle(request) {
    const change = { ...userActionFor(request, request.params.id), given: request.body.attributes };
    const refusal = await changeAttributes(request.house.db, change);
    if (!refusal || 'code' in refusal) return userActionProblem(refusal);
    const errors = refusal.faults.map(({ path, code }) =>
      inputError(path ? `attributes.${path}` : 'attributes', code),
    );
    return { problem: 'invalid', errors };
  },
});

const setGroupMembership = (member: boolean): Endpoint =>
  defineEndpoint({
    method: member ? 'PUT' : 'DELETE',
    path: '/people/{id}/groups/{group}',
    name: member ? 'addPersonToGroup' : 'removePersonFromGroup',
    summary: member ? 'Put a person into a group.' : 'Take a person out of a group.',
    scope: 'people:write',
    action: 'people.groups',
    fresh: true,
    params: userParams.extend({ group: groupId }),
    answers: { status: 204 },
    refuses: [],
    example: { params: { id: exampleUser.id, group: exampleGroup.id } },
    async handle(request) {
      const { db } = request.house;
      const group = await findGroup(db, { id: request.params.group });
      if (!group) return { problem: 'not-found' };
      return userActionProblem(
        await changeGroupMembership(db, { ...userActionFor(request, request.params.id), group, member }),
      );
    },
  });

export const userActionEndpoints: readonly Endpoint[] = [
  ...userActions.map(userActionEndpoint),
  setUserRoleEndpoint,
  updateUserAttributesEndpoint,
  setGroupMembership(true),
  setGroupMembership(false),
];
