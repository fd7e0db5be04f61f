import { roleChangedMail } from '../mail/templates/operator.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { UserChangeHooks } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import { discardVerifiedFactors } from '../security/verified-factors.ts';
import type { User, Role } from './users.ts';
import { findUserById, lockAdministrators, canManageOperators, setRole } from './users.ts';
import type { Group } from './groups.ts';
import { listUserGroups, lockGroups } from './groups.ts';

/** Who looks after other people's accounts, and whose: see `hasPermission`. */
export interface Operator {
  id: string;
  role: 'help-desk' | 'administrator';
  /** A group's number: acts on its members only. Undefined: on everybody. */
  group: string | undefined;
}

/**
 * A program that acts by itself: nobody stands behind it, so it does what its token says and nothing that a person must
 * answer for (`personal`).
 */
export interface ServiceAccount {
  /** The application that it is. */
  program: string;
  actions: readonly Permission[];
  /** As for an operator; a limit makes it no more than a customer's own administrator. */
  group: string | undefined;
}

/** Whoever looks after accounts: a person with a role, or a program. */
export type Actor = Operator | ServiceAccount;

/** All that an operator can do, by name. What is not listed for a role below is not allowed. */
export const permissions = [
  'people.read',
  'people.invite',
  'people.disable',
  'people.end-sessions',
  'people.require-two-step',
  'people.groups',
  'people.attributes',
  'people.role',
  'groups.read',
  'groups.write',
  'cases.read',
  'cases.send-code',
  'cases.approve',
  'audit.read',
  'clients.read',
  'clients.write',
  'accounts.import',
  'accounts.export',
] as const;
export type Permission = (typeof permissions)[number];

/** Whom an action is about. */
export interface Target {
  id: string;
  role: Role;
  groups: readonly string[];
}

const helpDeskPermissions: readonly Permission[] = [
  'people.read',
  'people.end-sessions',
  'cases.read',
  'cases.send-code',
  'cases.approve',
];

/** A customer's own administrator: their people's accounts, never applications, roles or the groups themselves. */
const groupAdministratorPermissions: readonly Permission[] = [
  ...helpDeskPermissions,
  'people.invite',
  'people.disable',
  'people.require-two-step',
  'audit.read',
];

/** What somebody must answer for, and no machine can: how a person was made sure of, and what takes two people. */
export const humanOnlyPermissions: ReadonlySet<Permission> = new Set(['cases.send-code', 'cases.approve']);

/** What stays allowed where operator and target are one: looking. Own factors are changed in My details. */
const permissionsOnSelf: ReadonlySet<Permission> = new Set(['people.read']);

function listPermissions(actor: Actor): readonly Permission[] {
  if ('program' in actor) {
    const limit = actor.group === undefined ? permissions : groupAdministratorPermissions;
    return actor.actions.filter((action) => limit.includes(action) && !humanOnlyPermissions.has(action));
  }
  const { role, group } = actor;
  if (role === 'administrator') return group === undefined ? permissions : groupAdministratorPermissions;
  return role === 'help-desk' ? helpDeskPermissions : [];
}

/** Whether an operator's own account is the one that it is about. */
const isSelf = (actor: Actor, target: Pick<Target, 'id'>): boolean => 'id' in actor && actor.id === target.id;

/** Only an unlimited administrator reaches another operator: a lower role never touches a higher one's account. */
function canReach(actor: Actor, permission: Permission, target: Target): boolean {
  if (canManageOperators(actor)) return !isSelf(actor, target) || permissionsOnSelf.has(permission);
  if (isSelf(actor, target) || target.role !== 'person') return false;
  return actor.group === undefined || target.groups.includes(actor.group);
}

/**
 * Whether an operator may do this, to this account where it is about one. Pure, and no by default. Without a target it
 * answers whether the operator does such things at all: enough for a list that its SQL limits, never for a deed.
 */
export function hasPermission(actor: Actor, permission: Permission, target?: Target): boolean {
  if (!listPermissions(actor).includes(permission)) return false;
  return target === undefined || canReach(actor, permission, target);
}

/** The operator that an account is; undefined for a person, and for whoever is disabled. */
export function toOperator(account: User): Operator | undefined {
  const { id, role, operatorGroup, disabledAt } = account;
  if (disabledAt || (role !== 'help-desk' && role !== 'administrator')) return undefined;
  return { id, role, group: operatorGroup };
}

/** Who does something to whose account. A shell is the operator of the machine: nothing limits it. */
export interface UserAction {
  target: string;
  by: Actor | 'shell';
  origin?: Origin | undefined;
}

export type UserActionRefusal = { code: 'not-there' | 'last-administrator' };

/** What the audit says of who did it; a program stands in the origin. */
export const toAuditActor = ({ by, origin: requestInfo }: Pick<UserAction, 'by' | 'origin'>) => ({
  by: by === 'shell' || 'program' in by ? undefined : by.id,
  origin: requestInfo,
});

/** Of the groups that an account is in, those that somebody hears of: whoever looks after one hears of no other. */
export const filterVisibleGroups = (actor: Actor, groups: readonly Group[]): Group[] =>
  groups.filter(({ id }) => actor.group === undefined || id === actor.group);

/** An account with the groups that it is in, as far as the one who asks hears of them, where they may do `action` to it. */
async function authorizeForUser(
  db: Db,
  actor: Actor,
  permission: Permission,
  account: User,
): Promise<{ account: User; groups: Group[] } | undefined> {
  const groups = await listUserGroups(db, account.id);
  const target = { id: account.id, role: account.role, groups: groups.map(({ id }) => id) };
  return hasPermission(actor, permission, target)
    ? { account, groups: filterVisibleGroups(actor, groups) }
    : undefined;
}

/** The same for the account with that number; whoever may not learns nothing of it. */
export async function findVisibleUserWithGroups(
  db: Db,
  actor: Actor,
  permission: Permission,
  id: string,
): Promise<{ account: User; groups: Group[] } | undefined> {
  const account = await findUserById(db, id);
  return account && authorizeForUser(db, actor, permission, account);
}

/** The account alone. */
export const findVisibleUser = async (
  ...which: Parameters<typeof findVisibleUserWithGroups>
): Promise<User | undefined> => (await findVisibleUserWithGroups(...which))?.account;

/** What is left of an operator's rights at this moment. */
async function reloadOperator(tx: Db, { id }: Pick<Operator, 'id'>): Promise<Operator | undefined> {
  const account = await findUserById(tx, id);
  return account && toOperator(account);
}

/**
 * The account, where this operator may do this to it now: asked in the transaction of the deed, with the roles and
 * groups of this moment, in the account's turn. Whoever lost the right since the page was shown does nothing more.
 */
export async function lockUserForAction(
  tx: Db,
  permission: Permission,
  { target, by }: { target: string; by: Pick<Operator, 'id'> | ServiceAccount | 'shell' },
): Promise<User | undefined> {
  await acquireAdvisoryLock(tx, `account:${target}`);
  const account = await findUserById(tx, target);
  if (!account || by === 'shell') return account;
  const actor = 'program' in by ? by : await reloadOperator(tx, by);
  return actor && (await authorizeForUser(tx, actor, permission, account))?.account;
}

/** Who this is at this moment, where they may do such things at all: for a deed about nobody who is there yet. */
export async function reloadPermittedActor(
  tx: Db,
  permission: Permission,
  by: Actor,
): Promise<Actor | undefined> {
  const actor = 'program' in by ? by : await reloadOperator(tx, by);
  return actor && hasPermission(actor, permission) ? actor : undefined;
}

/**
 * As `permitted`, for a deed that may take an operator away: of two who take each other's role at once the second one has
 * none by then. In the turn of the account, and then of all administrators, in which the right is asked.
 */
export async function lockOperatorForAction(
  tx: Db,
  permission: Permission,
  deed: Pick<UserAction, 'target' | 'by'>,
): Promise<User | undefined> {
  await acquireAdvisoryLock(tx, `account:${deed.target}`);
  await lockAdministrators(tx);
  return lockUserForAction(tx, permission, deed);
}

/**
 * Gives an account a role, over everybody or over one group. Nobody changes their own, and the last administrator
 * without limits stays. All sessions of the account end: what the old role opened is shut at once.
 */
export async function changeRole(
  db: Db,
  enqueueMail: EnqueueMail,
  aftermath: Pick<UserChangeHooks, 'endEverything' | 'voidHelpDeskCode'>,
  change: UserAction & { role: Role; group: string | undefined },
): Promise<UserActionRefusal | { code: 'no-such-group' } | undefined> {
  const { role } = change;
  const group = role === 'person' ? undefined : change.group;
  return transactionWithRetry(db, async (tx) => {
    const account = await lockOperatorForAction(tx, 'people.role', change);
    if (!account) return { code: 'not-there' };
    if (group !== undefined && !(await lockGroups(tx, [group]))) return { code: 'no-such-group' };
    if (account.role === role && account.operatorGroup === group) return undefined;
    if (!(await setRole(tx, account.id, role, group))) return { code: 'last-administrator' };
    await discardVerifiedFactors(tx, { accountId: account.id });
    // It was sent by the rules of the old role: to an operator takes two.
    await aftermath.voidHelpDeskCode(tx, account.id);
    await aftermath.endEverything(tx, { accountId: account.id });
    const detail = { from: account.role, to: role, group: group ?? null };
    await recordAuditEvent(tx, {
      event: 'account.role-changed',
      accountId: account.id,
      ...toAuditActor(change),
      detail,
    });
    await enqueueMail(tx, account, 'role-changed', (facts) => roleChangedMail(facts, role));
    return undefined;
  });
}
