import type { Locale } from '../i18n/phrases.ts';
import {
  accountDisabled,
  accountEnabled,
  invitation,
  signedOutByOperator,
  twoStepRequired,
} from '../mail/templates/operator.ts';
import type { Post } from '../mail/outbox.ts';
import type { Aftermath } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { voidProofs } from '../security/verified-factors.ts';
import { randomToken } from '../crypto/encryption.ts';
import { countAttempt } from '../security/throttle.ts';
import type { Account, AccountRefusal } from './users.ts';
import { createAccount, renewInvitation, setDisabled, setTwoStepRequired } from './users.ts';
import type { Group } from './groups.ts';
import { addMember, groupBy, keepGroups, removeMember } from './groups.ts';
import type { DeedRefusal, ToAccount } from './operators.ts';
import { doerOf, mayNow, permitted, permittedInTurn } from './operators.ts';

export interface Invitation {
  email: string;
  name: string;
  locale?: Locale | undefined;
  /** The group that the person is put into. */
  group?: string | undefined;
  by: ToAccount['by'];
  origin?: Origin | undefined;
}

/** Whoever invites is told that somebody has the address already, in other words than the person themself. */
export type InviteRefusal =
  Exclude<NonNullable<AccountRefusal>, 'email-taken'> | 'has-account' | 'no-such-group' | 'not-there';

/** The operator lost the right, or looks after another group, since the form was judged: everything is taken back. */
class Overtaken extends Error {}

async function stillInvites(open: Db, by: ToAccount['by']): Promise<void> {
  if (by === 'shell') return;
  const now = await mayNow(open, 'people.invite', by);
  if (!now || now.group !== by.group) throw new Overtaken();
}

/**
 * Makes an account whose password nobody knows (a hash of a random one) and mails the invitation. What a limited
 * operator invites belongs to that operator's group, whatever the form said.
 */
export async function invite(
  db: Db,
  hasher: Hasher,
  brand: string,
  post: Post,
  { email, name, locale, group: wanted, by, origin }: Invitation,
): Promise<{ account: Account } | { refusal: InviteRefusal }> {
  const groupId = by === 'shell' ? wanted : (by.group ?? wanted);
  const group = groupId ? await groupBy(db, { id: groupId }) : undefined;
  if (groupId && !group) return { refusal: 'no-such-group' };
  const password = randomToken();
  const person = { email, name, password, ...(locale ? { locale } : {}) };
  const invited = async (open: Db, account: Account) => {
    await stillInvites(open, by);
    const doer = doerOf({ by, origin });
    await renewInvitation(open, account.id, { first: true });
    if (group) await addMember(open, account.id, group, doer);
    await audit(open, { event: 'account.invited', accountId: account.id, ...doer });
    await post(open, account, 'invitation', (facts) => invitation(facts, account.email));
  };
  try {
    const made = await createAccount(db, hasher, brand, person, invited);
    if ('account' in made) return made;
    return { refusal: made.refusal === 'email-taken' ? 'has-account' : made.refusal };
  } catch (fault) {
    if (fault instanceof Overtaken) return { refusal: 'not-there' };
    throw fault;
  }
}

/** Mails an invitation that waits once more, and opens its window anew; not again and again. */
export async function resendInvitation(
  db: Db,
  post: Post,
  deed: ToAccount,
): Promise<DeedRefusal | { code: 'throttled'; seconds: number } | undefined> {
  const attempt = await countAttempt(db, `invitation:${deed.target}`, 'mail');
  if (!attempt.allowed) return { code: 'throttled', seconds: attempt.seconds };
  return db.transaction(async (open) => {
    const account = await permitted(open, 'people.invite', deed);
    if (!account || !(await renewInvitation(open, account.id, { first: false })))
      return { code: 'not-there' };
    await audit(open, { event: 'account.invitation-sent', accountId: account.id, ...doerOf(deed) });
    await post(open, account, 'invitation', (facts) => invitation(facts, account.email));
    return undefined;
  });
}

/** Disables an account: its sessions, codes and tokens end, and whoever waits half-way in a sign-in begins anew. */
export function disable(
  db: Db,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything' | 'voidHelpDeskCode'>,
  deed: ToAccount,
): Promise<DeedRefusal | undefined> {
  return transactionWithRetry(db, async (open) => {
    const account = await permittedInTurn(open, 'people.disable', deed);
    if (!account) return { code: 'not-there' };
    if (account.disabledAt) return undefined;
    if (!(await setDisabled(open, account.id, true))) return { code: 'last-administrator' };
    await voidProofs(open, { accountId: account.id });
    await aftermath.voidHelpDeskCode(open, account.id);
    await aftermath.endEverything(open, { accountId: account.id });
    await audit(open, { event: 'account.disabled', accountId: account.id, ...doerOf(deed) });
    await post(open, account, 'account-disabled', accountDisabled);
    return undefined;
  });
}

/** Gives a disabled account its access back. */
export function enable(db: Db, post: Post, deed: ToAccount): Promise<DeedRefusal | undefined> {
  return db.transaction(async (open) => {
    const account = await permitted(open, 'people.disable', deed);
    if (!account) return { code: 'not-there' };
    if (!account.disabledAt) return undefined;
    await setDisabled(open, account.id, false);
    await audit(open, { event: 'account.enabled', accountId: account.id, ...doerOf(deed) });
    await post(open, account, 'account-enabled', accountEnabled);
    return undefined;
  });
}

/** Signs a person out everywhere; remembered devices ask for the six digits again. */
export function signOutEverywhere(
  db: Db,
  post: Post,
  aftermath: Pick<Aftermath, 'endEverything' | 'forgetDevices'>,
  deed: ToAccount,
): Promise<DeedRefusal | undefined> {
  return transactionWithRetry(db, async (open) => {
    const account = await permitted(open, 'people.end-sessions', deed);
    if (!account) return { code: 'not-there' };
    await voidProofs(open, { accountId: account.id });
    await aftermath.forgetDevices(open, account.id);
    await aftermath.endEverything(open, { accountId: account.id });
    await audit(open, { event: 'session.ended', accountId: account.id, ...doerOf(deed) });
    await post(open, account, 'signed-out-by-operator', signedOutByOperator);
    return undefined;
  });
}

/** From the next sign-in on two steps are asked for, also where they were left to the person. */
export function requireTwoStep(db: Db, post: Post, deed: ToAccount): Promise<DeedRefusal | undefined> {
  return db.transaction(async (open) => {
    const account = await permitted(open, 'people.require-two-step', deed);
    if (!account) return { code: 'not-there' };
    if (!(await setTwoStepRequired(open, account.id))) return undefined;
    await audit(open, { event: 'account.two-step-required', accountId: account.id, ...doerOf(deed) });
    await post(open, account, 'two-step-required', twoStepRequired);
    return undefined;
  });
}

/** Puts an account into a group, or takes it out. */
export function changeGroup(
  db: Db,
  change: ToAccount & { group: Group; member: boolean },
): Promise<DeedRefusal | { code: 'no-such-group' } | undefined> {
  return db.transaction(async (open) => {
    const account = await permitted(open, 'people.groups', change);
    if (!account) return { code: 'not-there' };
    if (!(await keepGroups(open, [change.group.id]))) return { code: 'no-such-group' };
    await (change.member ? addMember : removeMember)(open, account.id, change.group, doerOf(change));
    return undefined;
  });
}
