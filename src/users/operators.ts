import { roleChanged } from '../mail/templates/operator.ts';
import type { Post } from '../mail/outbox.ts';
import type { Aftermath } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import { takeTurn } from '../db/database.ts';
import { voidProofs } from '../security/verified-factors.ts';
import type { Account, Role } from './users.ts';
import { accountById, administratorsTurn, reachesOperators, setRole } from './users.ts';
import type { Group } from './groups.ts';
import { groupsOf, keepGroups } from './groups.ts';

/** Who looks after other people's accounts, and whose: see `mayAct`. */
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
export interface Machine {
  /** The application that it is. */
  program: string;
  actions: readonly Action[];
  /** As for an operator; a limit makes it no more than a customer's own administrator. */
  group: string | undefined;
}

/** Whoever looks after accounts: a person with a role, or a program. */
export type Actor = Operator | Machine;

/** All that an operator can do, by name. What is not listed for a role below is not allowed. */
export const actions = [
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
export type Action = (typeof actions)[number];

/** Whom an action is about. */
export interface Target {
  id: string;
  role: Role;
  groups: readonly string[];
}

const helpDesk: readonly Action[] = [
  'people.read',
  'people.end-sessions',
  'cases.read',
  'cases.send-code',
  'cases.approve',
];

/** A customer's own administrator: their people's accounts, never applications, roles or the groups themselves. */
const limitedAdministrator: readonly Action[] = [
  ...helpDesk,
  'people.invite',
  'people.disable',
  'people.require-two-step',
  'audit.read',
];

/** What somebody must answer for, and no machine can: how a person was made sure of, and what takes two people. */
export const personal: ReadonlySet<Action> = new Set(['cases.send-code', 'cases.approve']);

/** What stays allowed where operator and target are one: looking. Own factors are changed in My details. */
const onOneself: ReadonlySet<Action> = new Set(['people.read']);

function allowedTo(actor: Actor): readonly Action[] {
  if ('program' in actor) {
    const limit = actor.group === undefined ? actions : limitedAdministrator;
    return actor.actions.filter((action) => limit.includes(action) && !personal.has(action));
  }
  const { role, group } = actor;
  if (role === 'administrator') return group === undefined ? actions : limitedAdministrator;
  return role === 'help-desk' ? helpDesk : [];
}

/** Whether an operator's own account is the one that it is about. */
const isItself = (actor: Actor, target: Pick<Target, 'id'>): boolean =>
  'id' in actor && actor.id === target.id;

/** Only an unlimited administrator reaches another operator: a lower role never touches a higher one's account. */
function reaches(actor: Actor, action: Action, target: Target): boolean {
  if (reachesOperators(actor)) return !isItself(actor, target) || onOneself.has(action);
  if (isItself(actor, target) || target.role !== 'person') return false;
  return actor.group === undefined || target.groups.includes(actor.group);
}

/**
 * Whether an operator may do this, to this account where it is about one. Pure, and no by default. Without a target it
 * answers whether the operator does such things at all: enough for a list that its SQL limits, never for a deed.
 */
export function mayAct(actor: Actor, action: Action, target?: Target): boolean {
  if (!allowedTo(actor).includes(action)) return false;
  return target === undefined || reaches(actor, action, target);
}

/** The operator that an account is; undefined for a person, and for whoever is disabled. */
export function operatorOf(account: Account): Operator | undefined {
  const { id, role, operatorGroup, disabledAt } = account;
  if (disabledAt || (role !== 'help-desk' && role !== 'administrator')) return undefined;
  return { id, role, group: operatorGroup };
}

/** Who does something to whose account. A shell is the operator of the machine: nothing limits it. */
export interface ToAccount {
  target: string;
  by: Actor | 'shell';
  origin?: Origin | undefined;
}

export type DeedRefusal = { code: 'not-there' | 'last-administrator' };

/** What the audit says of who did it; a program stands in the origin. */
export const doerOf = ({ by, origin }: Pick<ToAccount, 'by' | 'origin'>) => ({
  by: by === 'shell' || 'program' in by ? undefined : by.id,
  origin,
});

/** Of the groups that an account is in, those that somebody hears of: whoever looks after one hears of no other. */
export const groupsHeardOf = (actor: Actor, groups: readonly Group[]): Group[] =>
  groups.filter(({ id }) => actor.group === undefined || id === actor.group);

/** An account with the groups that it is in, as far as the one who asks hears of them, where they may do `action` to it. */
async function reached(
  db: Db,
  actor: Actor,
  action: Action,
  account: Account,
): Promise<{ account: Account; groups: Group[] } | undefined> {
  const groups = await groupsOf(db, account.id);
  const target = { id: account.id, role: account.role, groups: groups.map(({ id }) => id) };
  return mayAct(actor, action, target) ? { account, groups: groupsHeardOf(actor, groups) } : undefined;
}

/** The same for the account with that number; whoever may not learns nothing of it. */
export async function personFor(
  db: Db,
  actor: Actor,
  action: Action,
  id: string,
): Promise<{ account: Account; groups: Group[] } | undefined> {
  const account = await accountById(db, id);
  return account && reached(db, actor, action, account);
}

/** The account alone. */
export const accountFor = async (...which: Parameters<typeof personFor>): Promise<Account | undefined> =>
  (await personFor(...which))?.account;

/** What is left of an operator's rights at this moment. */
async function operatorNow(open: Db, { id }: Pick<Operator, 'id'>): Promise<Operator | undefined> {
  const account = await accountById(open, id);
  return account && operatorOf(account);
}

/**
 * The account, where this operator may do this to it now: asked in the transaction of the deed, with the roles and
 * groups of this moment, in the account's turn. Whoever lost the right since the page was shown does nothing more.
 */
export async function permitted(
  open: Db,
  action: Action,
  { target, by }: { target: string; by: Pick<Operator, 'id'> | Machine | 'shell' },
): Promise<Account | undefined> {
  await takeTurn(open, `account:${target}`);
  const account = await accountById(open, target);
  if (!account || by === 'shell') return account;
  const actor = 'program' in by ? by : await operatorNow(open, by);
  return actor && (await reached(open, actor, action, account))?.account;
}

/** Who this is at this moment, where they may do such things at all: for a deed about nobody who is there yet. */
export async function mayNow(open: Db, action: Action, by: Actor): Promise<Actor | undefined> {
  const actor = 'program' in by ? by : await operatorNow(open, by);
  return actor && mayAct(actor, action) ? actor : undefined;
}

/**
 * As `permitted`, for a deed that may take an operator away: of two who take each other's role at once the second one has
 * none by then. In the turn of the account, and then of all administrators, in which the right is asked.
 */
export async function permittedInTurn(
  open: Db,
  action: Action,
  deed: Pick<ToAccount, 'target' | 'by'>,
): Promise<Account | undefined> {
  await takeTurn(open, `account:${deed.target}`);
  await administratorsTurn(open);
  return permitted(open, action, deed);
}

/**
 * Gives an account a role, over everybody or over one group. Nobody changes their own, and the last administrator
 * without limits stays. All sessions of the account end: what the old role opened is shut at once.
 */
export async function changeRole(
  db: Db,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything' | 'voidHelpDeskCode'>,
  change: ToAccount & { role: Role; group: string | undefined },
): Promise<DeedRefusal | { code: 'no-such-group' } | undefined> {
  const { role } = change;
  const group = role === 'person' ? undefined : change.group;
  return transactionWithRetry(db, async (open) => {
    const account = await permittedInTurn(open, 'people.role', change);
    if (!account) return { code: 'not-there' };
    if (group !== undefined && !(await keepGroups(open, [group]))) return { code: 'no-such-group' };
    if (account.role === role && account.operatorGroup === group) return undefined;
    if (!(await setRole(open, account.id, role, group))) return { code: 'last-administrator' };
    await voidProofs(open, { accountId: account.id });
    // It was sent by the rules of the old role: to an operator takes two.
    await aftermath.voidHelpDeskCode(open, account.id);
    await aftermath.endEverything(open, { accountId: account.id });
    const detail = { from: account.role, to: role, group: group ?? null };
    await audit(open, { event: 'account.role-changed', accountId: account.id, ...doerOf(change), detail });
    await post(open, account, 'role-changed', (facts) => roleChanged(facts, role));
    return undefined;
  });
}
