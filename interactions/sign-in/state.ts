import type { User } from '../../src/users/users.ts';
import { userSubquery, isEnrollmentOpen } from '../../src/users/users.ts';
import type { BrowserTokens } from '../../src/users/devices.ts';
import { deviceIdSubquery, trustedDevicesPart } from '../../src/users/devices.ts';
import type { PendingMailedCode } from '../../src/mfa/mailed-code.ts';
import { pendingMailedCodeSubquery } from '../../src/mfa/mailed-code.ts';
import type { CodeReservation } from '../../src/mfa/recovery-code.ts';
import { reservationSubquery, activeCodeSubquery, pendingCodeSubquery } from '../../src/mfa/recovery-code.ts';
import { authenticatorSubquery } from '../../src/mfa/totp.ts';
import type { Authenticator } from '../../src/mfa/totp.ts';
import { parseRequiredLevel } from '../../src/sessions/assurance.ts';
import type { BrowserSession } from '../../src/oidc/interactions/binding.ts';
import { bindingMatchSubquery } from '../../src/sessions/records.ts';
import type { Intent } from '../../src/oidc/intents.ts';
import { isIntent } from '../../src/oidc/intents.ts';
import type { Db } from '../../src/db/database.ts';
import type { JsonSubquery } from '../../src/db/parts.ts';
import { selectRowsAsJson, buildCombinedQuery } from '../../src/db/parts.ts';
import type { VerifiedFactor } from '../../src/security/verified-factors.ts';
import {
  completedActionsSubquery,
  signInUserIdSql,
  verifiedFactorsSubquery,
} from '../../src/security/verified-factors.ts';
import { sha256 } from '../../src/crypto/encryption.ts';
import type { Situation } from './steps.ts';

/** What a person decided in a sign-in besides proving things. Kept by interaction, like the proofs. */
export type SignInChoice =
  | 'remember-device'
  | 'new-phone'
  | 'declined'
  | 'phone-gone'
  | 'phone-kept'
  | `switch-to:${string}:${string}`
  | `forgotten:${string}`
  | `throttled:${string}`;

/** Where a sign-in stands, read from the database at every request. */
export interface SignInState {
  /** The account that proved its password; undefined before, and once it is disabled. */
  account: User | undefined;
  proofs: VerifiedFactor[];
  authenticator: Authenticator | undefined;
  /** The device that this browser is to the account. */
  browser: string | undefined;
  choices: ReadonlySet<string>;
  /** The intent was declined, or is another account's. */
  declined: boolean;
  /** The code that is on its way by mail, and the address that it went to. */
  waiting: PendingMailedCode | undefined;
  /** How a recovery code, saved or from the help desk, stands to this sign-in. */
  claim: CodeReservation;
  /** This sign-in has connected an authenticator, the first one or another. */
  authenticatorBound: boolean;
  situation: Situation;
}

/** What the library keeps of the request that this interaction answers. */
export interface InteractionRecord {
  uid: string;
  params: Record<string, unknown>;
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> };
  session?: { accountId?: string; uid?: string } | undefined;
}

/** The address for which a code was asked for last: for a forgotten password, or for a throttled one. */
export const passwordResetEmail = (
  { choices }: Pick<SignInState, 'choices'>,
  why: 'forgotten' | 'throttled',
): string | undefined =>
  [...choices].findLast((choice) => choice.startsWith(`${why}:`))?.slice(why.length + 1);

/** Remembers a decision of this interaction; deciding it again changes nothing. */
export async function recordChoice(db: Db, interactionUid: string, choice: SignInChoice): Promise<void> {
  await db.query(
    'INSERT INTO sign_in_choices (interaction, choice, at) VALUES ($1, $2, $3) ON CONFLICT (interaction, choice) DO UPDATE SET at = excluded.at',
    [interactionUid, choice, new Date()],
  );
}

/** Notes the address for which a code was sent, in place of an earlier one of the same kind. */
export async function noteAddress(
  db: Db,
  interaction: string,
  why: 'forgotten' | 'throttled',
  address: string,
): Promise<void> {
  await db.query(
    `WITH earlier AS (DELETE FROM sign_in_choices WHERE interaction = $1 AND starts_with(choice, $4) AND choice <> $2)
     INSERT INTO sign_in_choices (interaction, choice, at) VALUES ($1, $2, $3)
     ON CONFLICT (interaction, choice) DO UPDATE SET at = excluded.at`,
    [interaction, `${why}:${address}`, new Date(), `${why}:`],
  );
}

/** What was decided, the latest last. */
const choicesQuery: JsonSubquery<{ interaction: string }, ReadonlySet<string>> = {
  ask: ({ interaction }) =>
    selectRowsAsJson(`SELECT choice FROM sign_in_choices WHERE interaction = ${interaction} ORDER BY at`),
  read: (json) => new Set((json as { choice: string }[]).map(({ choice }) => choice)),
};

/** Removes decisions of interactions that ended before `before`, at most `limit`; answers how many. */
export async function pruneChoices(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM sign_in_choices WHERE ctid = ANY(ARRAY(SELECT ctid FROM sign_in_choices WHERE at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}

// Reasons for which what was proved earlier, or what a browser remembers, does not count.
const reauthenticationReasons = new Set(['login_prompt', 'max_age', 'acr', 'intent']);

/** What the application's request demands, from the parameters that the library keeps. */
export function requirementOf({ params, prompt }: InteractionRecord): Situation['demand'] {
  // The reason `acr` is there for what the request asks and for what the application is registered with.
  const requiresMfa =
    params.intent === 'step_up' ||
    params.intent === 'download_data' ||
    parseRequiredLevel(params) === 2 ||
    prompt.reasons.includes('acr');
  return {
    level: requiresMfa ? 2 : 1,
    deviceCounts: !prompt.reasons.some((reason) => reauthenticationReasons.has(reason)),
  };
}

/** What the request is for besides signing in. */
export const requestedIntent = ({ params }: InteractionRecord): Intent | undefined =>
  isIntent(params.intent) ? params.intent : undefined;

/**
 * What still counts of what was proved: a recovery code that another sign-in claimed since proves nothing here, nor
 * do six digits of an authenticator that is no longer the account's, or a device that is no longer trusted. A code from the
 * help desk counts until it is spent.
 */
function currentFactors(
  proofs: VerifiedFactor[],
  { state, kind }: CodeReservation,
  authenticator: Authenticator | undefined,
  completedIntents: ReadonlySet<string>,
  trusted: ReadonlySet<string>,
) {
  const stillCounts = ({ factor, ref }: VerifiedFactor) => {
    if (factor === 'totp') return authenticator !== undefined && ref === authenticator.id;
    if (factor === 'device') return ref !== undefined && trusted.has(ref);
    // A code that replaced the phone in this sign-in has done its work; what counts from then on is the new phone.
    const usable = authenticator !== undefined && !completedIntents.has('replace_authenticator');
    if (factor === 'recovery-code') return usable && kind === 'saved' && state !== 'none';
    if (factor === 'help-desk-code') return usable && kind === 'help-desk' && state === 'claimed';
    return true;
  };
  return new Set(proofs.filter(stillCounts).map(({ factor }) => factor));
}

/** What was said of the phone last: whoever looked closer may take it back. */
const phoneStatus = (choices: ReadonlySet<string>): Situation['phone'] => {
  const latestChoice = [...choices].findLast((choice) => choice === 'phone-gone' || choice === 'phone-kept');
  if (!latestChoice) return 'unasked';
  return latestChoice === 'phone-gone' ? 'gone' : 'kept';
};

const authenticatorStatus = (authenticator: Authenticator | undefined) => {
  if (!authenticator) return 'none';
  return authenticator.disabledAt ? 'off' : 'on';
};

/**
 * How the intent stands. It belongs to the account of the session that it began with: whoever else signs in here
 * carries out nothing.
 */
function intentStatus(
  record: InteractionRecord,
  user: User | undefined,
  choices: ReadonlySet<string>,
  completedIntents: ReadonlySet<string>,
): 'open' | 'done' | 'declined' {
  const initialUserId = record.session?.accountId;
  if (choices.has('declined') || (user && initialUserId && initialUserId !== user.id)) return 'declined';
  return completedIntents.has(requestedIntent(record) ?? '') ? 'done' : 'open';
}

/** Goes by the session that the browser has now, which another tab may have begun since; a choice is for one session. */
function accountSwitchStatus(
  session: BrowserSession | undefined,
  user: User | undefined,
  choices: ReadonlySet<string>,
) {
  if (!user || !session || session.accountId === user.id) return 'no';
  return choices.has(`switch-to:${user.id}:${session.uid}`) ? 'confirmed' : 'to-be-asked';
}

const querySignInState = buildCombinedQuery(
  {
    proofs: verifiedFactorsSubquery,
    choices: choicesQuery,
    sent: pendingMailedCodeSubquery,
    account: userSubquery,
    authenticator: authenticatorSubquery,
    browser: deviceIdSubquery,
    trusted: trustedDevicesPart,
    code: activeCodeSubquery,
    claim: reservationSubquery,
    offered: pendingCodeSubquery,
    deeds: completedActionsSubquery,
    holder: bindingMatchSubquery,
  },
  { interaction: '$1', account: 'opened.by', tokens: ['$2', '$3'] as const, binding: '$4::bytea' },
  `(SELECT ${signInUserIdSql('$1')} AS by OFFSET 0) AS opened`,
);

/** Whatever the database knows of a sign-in, in one statement. */
export type StoredSignInState = Awaited<ReturnType<typeof querySignInState>>;

/** Reads it. `holder` says, in the same snapshot, how the cookie with the hash `binding` relates to the interaction. */
export const loadSignInState = (
  db: Db,
  interaction: string,
  binding: Buffer,
  { token, next }: BrowserTokens,
): Promise<StoredSignInState> =>
  querySignInState(db, [interaction, token === undefined ? null : sha256(token), sha256(next), binding]);

const emptyUserState = {
  authenticator: undefined,
  browser: undefined,
  trusted: new Set<string>(),
  code: undefined,
  claim: { state: 'none', kind: 'saved', expired: false },
  offered: false,
  deeds: new Set<string>(),
} as const;

/** Where a sign-in stands, by what the database knows of it. */
export function deriveSignInState(
  stored: StoredSignInState,
  record: InteractionRecord,
  session: BrowserSession | undefined,
): SignInState {
  const { choices, sent } = stored;
  const user = stored.account?.disabledAt ? undefined : stored.account;
  // A code that somebody else asked for here, before this account was proved, is not this person's to type.
  const waiting = user && sent?.accountId !== user.id ? undefined : sent;
  const proofs = user ? stored.proofs.filter(({ accountId: userId }) => userId === user.id) : [];
  const {
    authenticator,
    browser,
    trusted,
    code,
    claim,
    offered,
    deeds: completedIntents,
  } = user ? stored : emptyUserState;
  const requirement = requirementOf(record);
  const state = intentStatus(record, user, choices, completedIntents);
  return {
    account: user,
    declined: state === 'declined',
    proofs,
    authenticator,
    browser,
    choices,
    waiting,
    claim,
    authenticatorBound: completedIntents.has('replace_authenticator'),
    situation: {
      proved: currentFactors(proofs, claim, authenticator, completedIntents, trusted),
      account: user && {
        twoStepRequired: user.twoStepRequired,
        authenticator: authenticatorStatus(authenticator),
        hasRecoveryCode: code !== undefined,
        enrolmentOpen: isEnrollmentOpen(user, record.session?.uid),
      },
      claim: claim.state,
      codeOffered: offered,
      phone: phoneStatus(choices),
      // Whoever says that the phone is new wants to be asked for it, also where the device is remembered.
      demand: { ...requirement, deviceCounts: requirement.deviceCounts && !choices.has('new-phone') },
      waitingFor: waiting?.purpose,
      intent: state === 'open' ? requestedIntent(record) : undefined,
      deactivated: completedIntents.has('deactivate_two_step'),
      otherAccount: accountSwitchStatus(session, user, choices),
    },
  };
}
