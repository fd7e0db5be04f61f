import type { Locale } from '../i18n/phrases.ts';
import {
  userDisabledMail,
  userEnabledMail,
  invitationMail,
  signedOutByOperatorMail,
  mfaRequiredMail,
} from '../mail/templates/operator.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { UserChangeHooks } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Hasher } from '../crypto/argon2.ts';
import { discardVerifiedFactors } from '../security/verified-factors.ts';
import { generateToken } from '../crypto/encryption.ts';
import { countAttempt } from '../security/throttle.ts';
import type { User, CreateUserRefusal } from './users.ts';
import { createUser, renewInvitation, setDisabled, setMfaRequired } from './users.ts';
import type { Group } from './groups.ts';
import { addMember, findGroup, lockGroups, removeMember } from './groups.ts';
import type { UserActionRefusal, UserAction } from './operators.ts';
import { toAuditActor, reloadPermittedActor, lockUserForAction, lockOperatorForAction } from './operators.ts';

export interface Invitation {
  email: string;
  name: string;
  locale?: Locale | undefined;
  /** The group that the person is put into. */
  group?: string | undefined;
  by: UserAction['by'];
  origin?: Origin | undefined;
}

/** Whoever invites is told that somebody has the address already, in other words than the person themself. */
export type InviteRefusal =
  Exclude<NonNullable<CreateUserRefusal>, 'email-taken'> | 'has-account' | 'no-such-group' | 'not-there';

/** The operator lost the right, or looks after another group, since the form was judged: everything is taken back. */
class InviteConflictError extends Error {}

async function assertCanStillInvite(tx: Db, by: UserAction['by']): Promise<void> {
  if (by === 'shell') return;
  const now = await reloadPermittedActor(tx, 'people.invite', by);
  if (!now || now.group !== by.group) throw new InviteConflictError();
}

/**
 * Makes an account whose password nobody knows (a hash of a random one) and mails the invitation. What a limited
 * operator invites belongs to that operator's group, whatever the form said.
 */
export async function inviteUser(
  db: Db,
  hasher: Hasher,
  brand: string,
  enqueueMail: EnqueueMail,
  { email, name, locale, group: requestedGroup, by, origin: requestInfo }: Invitation,
): Promise<{ account: User } | { refusal: InviteRefusal }> {
  const groupId = by === 'shell' ? requestedGroup : (by.group ?? requestedGroup);
  const group = groupId ? await findGroup(db, { id: groupId }) : undefined;
  if (groupId && !group) return { refusal: 'no-such-group' };
  const password = generateToken();
  const newUser = { email, name, password, ...(locale ? { locale } : {}) };
  const onCreated = async (tx: Db, account: User) => {
    await assertCanStillInvite(tx, by);
    const doer = toAuditActor({ by, origin: requestInfo });
    await renewInvitation(tx, account.id, { first: true });
    if (group) await addMember(tx, account.id, group, doer);
    await recordAuditEvent(tx, { event: 'account.invited', accountId: account.id, ...doer });
    await enqueueMail(tx, account, 'invitation', (facts) => invitationMail(facts, account.email));
  };
  try {
    const created = await createUser(db, hasher, brand, newUser, onCreated);
    if ('account' in created) return created;
    return { refusal: created.refusal === 'email-taken' ? 'has-account' : created.refusal };
  } catch (fault) {
    if (fault instanceof InviteConflictError) return { refusal: 'not-there' };
    throw fault;
  }
}

/** Mails an invitation that waits once more, and opens its window anew; not again and again. */
export async function resendInvitation(
  db: Db,
  enqueueMail: EnqueueMail,
  deed: UserAction,
): Promise<UserActionRefusal | { code: 'throttled'; seconds: number } | undefined> {
  const attempt = await countAttempt(db, `invitation:${deed.target}`, 'mail');
  if (!attempt.allowed) return { code: 'throttled', seconds: attempt.seconds };
  return db.transaction(async (tx) => {
    const account = await lockUserForAction(tx, 'people.invite', deed);
    if (!account || !(await renewInvitation(tx, account.id, { first: false }))) return { code: 'not-there' };
    await recordAuditEvent(tx, {
      event: 'account.invitation-sent',
      accountId: account.id,
      ...toAuditActor(deed),
    });
    await enqueueMail(tx, account, 'invitation', (facts) => invitationMail(facts, account.email));
    return undefined;
  });
}

/** Disables an account: its sessions, codes and tokens end, and whoever waits half-way in a sign-in begins anew. */
export function disableUser(
  db: Db,
  enqueueMail: EnqueueMail,
  aftermath: Pick<UserChangeHooks, 'endEverything' | 'voidHelpDeskCode'>,
  deed: UserAction,
): Promise<UserActionRefusal | undefined> {
  return transactionWithRetry(db, async (tx) => {
    const account = await lockOperatorForAction(tx, 'people.disable', deed);
    if (!account) return { code: 'not-there' };
    if (account.disabledAt) return undefined;
    if (!(await setDisabled(tx, account.id, true))) return { code: 'last-administrator' };
    await discardVerifiedFactors(tx, { accountId: account.id });
    await aftermath.voidHelpDeskCode(tx, account.id);
    await aftermath.endEverything(tx, { accountId: account.id });
    await recordAuditEvent(tx, { event: 'account.disabled', accountId: account.id, ...toAuditActor(deed) });
    await enqueueMail(tx, account, 'account-disabled', userDisabledMail);
    return undefined;
  });
}

/** Gives a disabled account its access back. */
export function enableUser(
  db: Db,
  enqueueMail: EnqueueMail,
  deed: UserAction,
): Promise<UserActionRefusal | undefined> {
  return db.transaction(async (tx) => {
    const account = await lockUserForAction(tx, 'people.disable', deed);
    if (!account) return { code: 'not-there' };
    if (!account.disabledAt) return undefined;
    await setDisabled(tx, account.id, false);
    await recordAuditEvent(tx, { event: 'account.enabled', accountId: account.id, ...toAuditActor(deed) });
    await enqueueMail(tx, account, 'account-enabled', userEnabledMail);
    return undefined;
  });
}

/** Signs a person out everywhere; remembered devices ask for the six digits again. */
export function signOutEverywhere(
  db: Db,
  enqueueMail: EnqueueMail,
  aftermath: Pick<UserChangeHooks, 'endEverything' | 'forgetDevices'>,
  deed: UserAction,
): Promise<UserActionRefusal | undefined> {
  return transactionWithRetry(db, async (tx) => {
    const account = await lockUserForAction(tx, 'people.end-sessions', deed);
    if (!account) return { code: 'not-there' };
    await discardVerifiedFactors(tx, { accountId: account.id });
    await aftermath.forgetDevices(tx, account.id);
    await aftermath.endEverything(tx, { accountId: account.id });
    await recordAuditEvent(tx, { event: 'session.ended', accountId: account.id, ...toAuditActor(deed) });
    await enqueueMail(tx, account, 'signed-out-by-operator', signedOutByOperatorMail);
    return undefined;
  });
}

/** From the next sign-in on two steps are asked for, also where they were left to the person. */
export function requireMfa(
  db: Db,
  enqueueMail: EnqueueMail,
  deed: UserAction,
): Promise<UserActionRefusal | undefined> {
  return db.transaction(async (tx) => {
    const account = await lockUserForAction(tx, 'people.require-two-step', deed);
    if (!account) return { code: 'not-there' };
    if (!(await setMfaRequired(tx, account.id))) return undefined;
    await recordAuditEvent(tx, {
      event: 'account.two-step-required',
      accountId: account.id,
      ...toAuditActor(deed),
    });
    await enqueueMail(tx, account, 'two-step-required', mfaRequiredMail);
    return undefined;
  });
}

/** Puts an account into a group, or takes it out. */
export function changeGroupMembership(
  db: Db,
  change: UserAction & { group: Group; member: boolean },
): Promise<UserActionRefusal | { code: 'no-such-group' } | undefined> {
  return db.transaction(async (tx) => {
    const account = await lockUserForAction(tx, 'people.groups', change);
    if (!account) return { code: 'not-there' };
    if (!(await lockGroups(tx, [change.group.id]))) return { code: 'no-such-group' };
    await (change.member ? addMember : removeMember)(tx, account.id, change.group, toAuditActor(change));
    return undefined;
  });
}
