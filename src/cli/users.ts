import { z } from 'zod';
import type { Account } from '../users/users.ts';
import { accountByEmail, accountById, roles } from '../users/users.ts';
import { makeBootstrapToken } from '../users/bootstrap.ts';
import type { Group } from '../users/groups.ts';
import { createGroup, groupBy, listGroups, removeGroup, renameGroup } from '../users/groups.ts';
import { changeRole } from '../users/operators.ts';
import { changeGroup, disable, enable, invite } from '../users/search.ts';
import type { Call, Command } from './command.ts';
import { needed, Refused, Usage } from './command.ts';
import { voidHelpDeskCode } from '../mfa/recovery-code.ts';
import { namesGroup } from '../clients/clients.ts';
import { endings } from '../oidc/sessions.ts';
import type { Db } from '../db/database.ts';
import { hasherOf } from '../crypto/argon2.ts';
import { postFor } from '../mail/enqueue.ts';

/** What the console does to people, from a shell: the same functions, by the operator of the machine. */

const shown = ({ id, email, name, role, operatorGroup, disabledAt }: Account) => ({
  id,
  email,
  name,
  role,
  ...(operatorGroup ? { group: operatorGroup } : {}),
  disabled: disabledAt !== undefined,
});

const aftermath = { voidHelpDeskCode, ...endings };

async function accountOf(db: Db, email: string | undefined): Promise<Account> {
  const found = await accountByEmail(db, needed(email, 'the address'));
  if (!found) throw new Refused('there is no account with that address');
  return found;
}

async function groupOf(db: Db, name: string): Promise<Group> {
  const group = await groupBy(db, { name });
  if (!group) throw new Refused(`there is no group ${name}`);
  return group;
}

const refusals: Record<string, string> = {
  'last-administrator': 'the last administrator without limits stays',
  'not-there': 'there is no account with that address',
  'group-limits-operator': 'an operator is limited to that group: change the role first',
  'group-of-application': 'an application names that group: change it first',
  'group-taken': 'another group has that name',
};

function done(refused: { code: string } | undefined): void {
  if (refused) throw new Refused(refusals[refused.code] ?? refused.code);
}

async function setAccess({ db, settings, words }: Call, disabled: boolean) {
  const { id } = await accountOf(db, words[0]);
  const deed = { target: id, by: 'shell' } as const;
  done(
    disabled
      ? await disable(db, postFor(settings), aftermath, deed)
      : await enable(db, postFor(settings), deed),
  );
  const account = await accountById(db, id);
  return account && shown(account);
}

async function inviteFromShell({ db, settings, option }: Call) {
  const locale = z.enum(['sv', 'en']).optional().safeParse(option('locale'));
  if (!locale.success) throw new Usage('the locale is sv or en');
  const group = option('group');
  const result = await invite(db, await hasherOf(1), settings.HEMMA_BRAND_NAME, postFor(settings), {
    email: needed(option('email'), '--email'),
    name: needed(option('name'), '--name'),
    locale: locale.data,
    group: group ? (await groupOf(db, group)).id : undefined,
    by: 'shell',
  });
  if ('refusal' in result) throw new Refused(`nobody was invited: ${result.refusal}`);
  return shown(result.account);
}

async function roleFromShell({ db, settings, words, option }: Call) {
  const role = z.enum(roles).safeParse(needed(option('role'), '--role'));
  if (!role.success) throw new Usage('the role is person, help-desk or administrator');
  const { id } = await accountOf(db, words[0]);
  const name = option('group');
  const group = name ? (await groupOf(db, name)).id : undefined;
  const change = { target: id, by: 'shell', role: role.data, group } as const;
  done(await changeRole(db, postFor(settings), aftermath, change));
  const account = await accountById(db, id);
  return account && shown(account);
}

async function groupFromShell({ db, words }: Call) {
  const made = await createGroup(db, needed(words.join(' '), 'the name'), {});
  if ('refusal' in made) throw new Refused(`the group was not made: ${made.refusal}`);
  return made.group;
}

async function renameFromShell({ db, words, option }: Call) {
  const group = await groupOf(db, needed(words.join(' '), 'the name'));
  done(await renameGroup(db, group.id, needed(option('name'), '--name'), {}));
  return groupBy(db, { id: group.id });
}

async function removeFromShell({ db, words, option }: Call) {
  const group = await groupOf(db, needed(words.join(' '), 'the name'));
  if (option('confirm') !== group.name)
    throw new Refused(`nothing was removed: --confirm must be ${group.name}`);
  done(await removeGroup(db, group.id, namesGroup, {}));
  return { removed: group.name };
}

async function memberFromShell({ db, words, option }: Call, member: boolean) {
  const { id, email } = await accountOf(db, words[0]);
  const group = await groupOf(db, needed(option('group'), '--group'));
  done(await changeGroup(db, { target: id, by: 'shell', group, member }));
  return { email, group: group.name, member };
}

async function bootstrapFromShell({ db, settings }: Call) {
  const made = await makeBootstrapToken(db);
  if (!made) throw new Refused('there is an administrator already');
  return { page: `${settings.HEMMA_ISSUER}/admin/bootstrap`, ...made };
}

export const peopleHelp = `  accounts invite --email E --name N [--locale sv|en] [--group G]
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

export const peopleCommands: Record<string, Command> = {
  'accounts invite': { takes: ['email', 'name', 'locale', 'group'], run: inviteFromShell },
  'accounts role': { takes: ['role', 'group'], run: roleFromShell },
  'accounts disable': { takes: [], run: (call) => setAccess(call, true) },
  'accounts enable': { takes: [], run: (call) => setAccess(call, false) },
  'groups create': { takes: [], run: groupFromShell },
  'groups rename': { takes: ['name'], run: renameFromShell },
  'groups delete': { takes: ['confirm'], run: removeFromShell },
  'groups list': { takes: [], run: ({ db }) => listGroups(db) },
  'groups add': { takes: ['group'], run: (call) => memberFromShell(call, true) },
  'groups remove': { takes: ['group'], run: (call) => memberFromShell(call, false) },
  bootstrap: { takes: [], run: bootstrapFromShell },
};
