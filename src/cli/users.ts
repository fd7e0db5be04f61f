import { z } from 'zod';
import type { User } from '../users/users.ts';
import { findUserByEmail, findUserById, roles } from '../users/users.ts';
import { createBootstrapToken } from '../users/bootstrap.ts';
import type { Group } from '../users/groups.ts';
import { createGroup, findGroup, listGroups, removeGroup, renameGroup } from '../users/groups.ts';
import { changeRole } from '../users/operators.ts';
import { changeGroupMembership, disableUser, enableUser, inviteUser } from '../users/search.ts';
import type { CommandCall, Command } from './command.ts';
import { requireValue, CommandRefusedError, UsageError } from './command.ts';
import { revokeHelpDeskCode } from '../mfa/recovery-code.ts';
import { isGroupReferenced } from '../clients/clients.ts';
import { sessionHooks } from '../oidc/sessions.ts';
import type { Db } from '../db/database.ts';
import { createHasher } from '../crypto/argon2.ts';
import { createEnqueueMail } from '../mail/enqueue.ts';

/** What the console does to people, from a shell: the same functions, by the operator of the machine. */

const userOutput = ({ id, email, name, role, operatorGroup, disabledAt }: User) => ({
  id,
  email,
  name,
  role,
  ...(operatorGroup ? { group: operatorGroup } : {}),
  disabled: disabledAt !== undefined,
});

const aftermath = { voidHelpDeskCode: revokeHelpDeskCode, ...sessionHooks };

async function findUserOrRefuse(db: Db, email: string | undefined): Promise<User> {
  const found = await findUserByEmail(db, requireValue(email, 'the address'));
  if (!found) throw new CommandRefusedError('there is no account with that address');
  return found;
}

async function findGroupOrRefuse(db: Db, name: string): Promise<Group> {
  const group = await findGroup(db, { name });
  if (!group) throw new CommandRefusedError(`there is no group ${name}`);
  return group;
}

const refusalMessages: Record<string, string> = {
  'last-administrator': 'the last administrator without limits stays',
  'not-there': 'there is no account with that address',
  'group-limits-operator': 'an operator is limited to that group: change the role first',
  'group-of-application': 'an application names that group: change it first',
  'group-taken': 'another group has that name',
};

function assertAccepted(refused: { code: string } | undefined): void {
  if (refused) throw new CommandRefusedError(refusalMessages[refused.code] ?? refused.code);
}

async function setUserDisabled({ db, settings, words }: CommandCall, disabled: boolean) {
  const { id } = await findUserOrRefuse(db, words[0]);
  const userAction = { target: id, by: 'shell' } as const;
  assertAccepted(
    disabled
      ? await disableUser(db, createEnqueueMail(settings), aftermath, userAction)
      : await enableUser(db, createEnqueueMail(settings), userAction),
  );
  const user = await findUserById(db, id);
  return user && userOutput(user);
}

async function runUsersInvite({ db, settings, option }: CommandCall) {
  const locale = z.enum(['sv', 'en']).optional().safeParse(option('locale'));
  if (!locale.success) throw new UsageError('the locale is sv or en');
  const group = option('group');
  const result = await inviteUser(
    db,
    await createHasher(1),
    settings.HEMMA_BRAND_NAME,
    createEnqueueMail(settings),
    {
      email: requireValue(option('email'), '--email'),
      name: requireValue(option('name'), '--name'),
      locale: locale.data,
      group: group ? (await findGroupOrRefuse(db, group)).id : undefined,
      by: 'shell',
    },
  );
  if ('refusal' in result) throw new CommandRefusedError(`nobody was invited: ${result.refusal}`);
  return userOutput(result.account);
}

async function runUsersRole({ db, settings, words, option }: CommandCall) {
  const role = z.enum(roles).safeParse(requireValue(option('role'), '--role'));
  if (!role.success) throw new UsageError('the role is person, help-desk or administrator');
  const { id } = await findUserOrRefuse(db, words[0]);
  const name = option('group');
  const group = name ? (await findGroupOrRefuse(db, name)).id : undefined;
  const change = { target: id, by: 'shell', role: role.data, group } as const;
  assertAccepted(await changeRole(db, createEnqueueMail(settings), aftermath, change));
  const user = await findUserById(db, id);
  return user && userOutput(user);
}

async function runGroupsCreate({ db, words }: CommandCall) {
  const made = await createGroup(db, requireValue(words.join(' '), 'the name'), {});
  if ('refusal' in made) throw new CommandRefusedError(`the group was not made: ${made.refusal}`);
  return made.group;
}

async function runGroupsRename({ db, words, option }: CommandCall) {
  const group = await findGroupOrRefuse(db, requireValue(words.join(' '), 'the name'));
  assertAccepted(await renameGroup(db, group.id, requireValue(option('name'), '--name'), {}));
  return findGroup(db, { id: group.id });
}

async function runGroupsDelete({ db, words, option }: CommandCall) {
  const group = await findGroupOrRefuse(db, requireValue(words.join(' '), 'the name'));
  if (option('confirm') !== group.name)
    throw new CommandRefusedError(`nothing was removed: --confirm must be ${group.name}`);
  assertAccepted(await removeGroup(db, group.id, isGroupReferenced, {}));
  return { removed: group.name };
}

async function setGroupMembership({ db, words, option }: CommandCall, member: boolean) {
  const { id, email } = await findUserOrRefuse(db, words[0]);
  const group = await findGroupOrRefuse(db, requireValue(option('group'), '--group'));
  assertAccepted(await changeGroupMembership(db, { target: id, by: 'shell', group, member }));
  return { email, group: group.name, member };
}

async function runBootstrap({ db, settings }: CommandCall) {
  const made = await createBootstrapToken(db);
  if (!made) throw new CommandRefusedError('there is an administrator already');
  return { page: `${settings.HEMMA_ISSUER}/admin/bootstrap`, ...made };
}

export const usersHelp = `  accounts invite --email E --name N [--locale sv|en] [--group G]
                                     mails an invitation; the person chooses the password
  accounts role E --role R [--group G]
                                     gives a role, over everybody or over one group
  accounts disable|enable E          ends or restores an account's access, at once
  groups create NAME                 makes a group: a customer's people
  groups rename NAME --name N        gives a group another name
  groups delete NAME --confirm NAME  removes a group; its people stay
  groups list                        every group, with how many are in it
  groups add|remove E --group G      puts an account into a group, or takes it out
  bootstrap                          prints a one-time token for the first administrator`;

export const usersCommands: Record<string, Command> = {
  'accounts invite': { takes: ['email', 'name', 'locale', 'group'], run: runUsersInvite },
  'accounts role': { takes: ['role', 'group'], run: runUsersRole },
  'accounts disable': { takes: [], run: (call) => setUserDisabled(call, true) },
  'accounts enable': { takes: [], run: (call) => setUserDisabled(call, false) },
  'groups create': { takes: [], run: runGroupsCreate },
  'groups rename': { takes: ['name'], run: runGroupsRename },
  'groups delete': { takes: ['confirm'], run: runGroupsDelete },
  'groups list': { takes: [], run: ({ db }) => listGroups(db) },
  'groups add': { takes: ['group'], run: (call) => setGroupMembership(call, true) },
  'groups remove': { takes: ['group'], run: (call) => setGroupMembership(call, false) },
  bootstrap: { takes: [], run: runBootstrap },
};
