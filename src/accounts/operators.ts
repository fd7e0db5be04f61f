import { roleChanged } from '../mail/operator-messages.ts';
import type { Post } from '../mail/outbox.ts';
import type { Aftermath } from '../platform/aftermath.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { takeTurn } from '../platform/database.ts';
import { voidProofs } from '../platform/proofs.ts';
import type { Account, Role } from './accounts.ts';
import { accountById, setRole } from './accounts.ts';
import { groupBy, groupsOf } from './groups.ts';

/** Who looks after other people's accounts, and whose: see `mayAct`. */
export interface Operator {
  id: string;
  role: 'help-desk' | 'administrator';
  /** A group's number: acts on its members only. Undefined: on everybody. */
  group: string | undefined;
}

/** All that an operator can do, by name. What is not listed for a role below is not allowed. */
export const actions = [
  'people.read',
  'people.invite',
  'people.disable',
  'people.end-sessions',
  'people.require-two-step',
  'people.groups',
  'people.role',
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

/** What stays allowed where operator and target are one: looking. Own factors are changed in My details. */
const onOneself: ReadonlySet<Action> = new Set(['people.read']);

function allowedTo({ role, group }: Operator): readonly Action[] {
  if (role === 'administrator') return group === undefined ? actions : limitedAdministrator;
  return role === 'help-desk' ? helpDesk : [];
}

/** Only an unlimited administrator reaches another operator: a lower role never touches a higher one's account. */
function reaches({ id, role, group }: Operator, action: Action, target: Target): boolean {
  if (role === 'administrator' && group === undefined) return target.id !== id || onOneself.has(action);
  if (target.id === id || target.role !== 'person') return false;
  return group === undefined || target.groups.includes(group);
}

/**
 * Whether an operator may do this, to this account where it is about one. Pure, and no by default. Without a target it
 * answers whether the operator does such things at all: enough for a list that its SQL limits, never for a deed.
 */
export function mayAct(operator: Operator, action: Action, target?: Target): boolean {
  if (!allowedTo(operator).includes(action)) return false;
  return target === undefined || reaches(operator, action, target);
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
  by: Operator | 'shell';
  origin?: Origin | undefined;
}

export type DeedRefusal = { code: 'not-there' | 'last-administrator' };

/** What the audit says of who did it. */
export const doerOf = ({ by, origin }: Pick<ToAccount, 'by' | 'origin'>) => ({
  by: by === 'shell' ? undefined : by.id,
  origin,
});

/**
 * The account, where this operator may do this to it now: asked in the transaction of the deed, with the roles and
 * groups of this moment, in the account's turn. Whoever lost the right since the page was shown does nothing more.
 */
export async function permitted(
  open: Db,
  action: Action,
  { target, by }: Pick<ToAccount, 'target' | 'by'>,
): Promise<Account | undefined> {
  await takeTurn(open, `account:${target}`);
  const account = await accountById(open, target);
  if (!account || by === 'shell') return account;
  const self = await accountById(open, by.id);
  const operator = self && operatorOf(self);
  const groups = (await groupsOf(open, target)).map(({ id }) => id);
  const allowed = operator && mayAct(operator, action, { id: target, role: account.role, groups });
  return allowed ? account : undefined;
}

/**
 * Gives an account a role, over everybody or over one group. Nobody changes their own, and the last administrator
 * without limits stays. All sessions of the account end: what the old role opened is shut at once.
 */
export async function changeRole(
  db: Db,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything'>,
  change: ToAccount & { role: Role; group: string | undefined },
): Promise<DeedRefusal | { code: 'no-such-group' } | undefined> {
  const { role } = change;
  const group = role === 'person' ? undefined : change.group;
  return db.transaction(async (open) => {
    const account = await permitted(open, 'people.role', change);
    if (!account) return { code: 'not-there' };
    if (group !== undefined && !(await groupBy(open, { id: group }))) return { code: 'no-such-group' };
    if (account.role === role && account.operatorGroup === group) return undefined;
    if (!(await setRole(open, account.id, role, group))) return { code: 'last-administrator' };
    await voidProofs(open, { accountId: account.id });
    await aftermath.endEverything(open, { accountId: account.id });
    const detail = { from: account.role, to: role, group: group ?? null };
    await audit(open, { event: 'account.role-changed', accountId: account.id, ...doerOf(change), detail });
    await post(open, account, 'role-changed', (facts) => roleChanged(facts, role));
    return undefined;
  });
}
