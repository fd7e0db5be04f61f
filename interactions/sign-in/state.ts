import type { Account } from '../../src/users/users.ts';
import { accountPart, enrolmentOpen } from '../../src/users/users.ts';
import type { BrowserTokens } from '../../src/users/devices.ts';
import { browserPart, trustedDevicesPart } from '../../src/users/devices.ts';
import type { WaitingCode } from '../../src/mfa/mailed-code.ts';
import { waitingPart } from '../../src/mfa/mailed-code.ts';
import type { Claim } from '../../src/mfa/recovery-code.ts';
import { claimPart, liveCodePart, offeredPart } from '../../src/mfa/recovery-code.ts';
import { authenticatorPart } from '../../src/mfa/totp.ts';
import type { Authenticator } from '../../src/mfa/totp.ts';
import { demandedLevel } from '../../src/sessions/assurance.ts';
import type { BrowserSession } from '../../src/oidc/interactions/binding.ts';
import { holderPart } from '../../src/sessions/records.ts';
import type { Intent } from '../../src/oidc/intents.ts';
import { isIntent } from '../../src/oidc/intents.ts';
import type { Db } from '../../src/db/database.ts';
import type { Part } from '../../src/db/parts.ts';
import { allRows, together } from '../../src/db/parts.ts';
import type { Proof } from '../../src/security/verified-factors.ts';
import { deedsPart, openedBy, proofsPart } from '../../src/security/verified-factors.ts';
import { sha256 } from '../../src/crypto/encryption.ts';
import type { Situation } from './steps.ts';

/** What a person decided in a sign-in besides proving things. Kept by interaction, like the proofs. */
export type Choice =
  | 'remember-device'
  | 'new-phone'
  | 'declined'
  | 'phone-gone'
  | 'phone-kept'
  | `switch-to:${string}:${string}`
  | `forgotten:${string}`
  | `throttled:${string}`;

/** Where a sign-in stands, read from the database at every request. */
export interface Progress {
  /** The account that proved its password; undefined before, and once it is disabled. */
  account: Account | undefined;
  proofs: Proof[];
  authenticator: Authenticator | undefined;
  /** The device that this browser is to the account. */
  browser: string | undefined;
  choices: ReadonlySet<string>;
  /** The intent was declined, or is another account's. */
  declined: boolean;
  /** The code that is on its way by mail, and the address that it went to. */
  waiting: WaitingCode | undefined;
  /** How a recovery code, saved or from the help desk, stands to this sign-in. */
  claim: Claim;
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
export const chosenAddress = (
  { choices }: Pick<Progress, 'choices'>,
  why: 'forgotten' | 'throttled',
): string | undefined =>
  [...choices].findLast((choice) => choice.startsWith(`${why}:`))?.slice(why.length + 1);

/** Remembers a decision of this interaction; deciding it again changes nothing. */
export async function noteChoice(db: Db, interaction: string, choice: Choice): Promise<void> {
  await db.query(
    'INSERT INTO sign_in_choices (interaction, choice, at) VALUES ($1, $2, $3) ON CONFLICT (interaction, choice) DO UPDATE SET at = excluded.at',
    [interaction, choice, new Date()],
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
const choicesPart: Part<{ interaction: string }, ReadonlySet<string>> = {
  ask: ({ interaction }) =>
    allRows(`SELECT choice FROM sign_in_choices WHERE interaction = ${interaction} ORDER BY at`),
  read: (json) => new Set((json as { choice: string }[]).map(({ choice }) => choice)),
};

/** Removes decisions of interactions that ended before `before`, at most `limit`; answers how many. */
export async function sweepChoices(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM sign_in_choices WHERE ctid = ANY(ARRAY(SELECT ctid FROM sign_in_choices WHERE at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}

// Reasons for which what was proved earlier, or what a browser remembers, does not count.
const anew = new Set(['login_prompt', 'max_age', 'acr', 'intent']);

/** What the application's request demands, from the parameters that the library keeps. */
export function demandOf({ params, prompt }: InteractionRecord): Situation['demand'] {
  // The reason `acr` is there for what the request asks and for what the application is registered with.
  const strong =
    params.intent === 'step_up' ||
    params.intent === 'download_data' ||
    demandedLevel(params) === 2 ||
    prompt.reasons.includes('acr');
  return { level: strong ? 2 : 1, deviceCounts: !prompt.reasons.some((reason) => anew.has(reason)) };
}

/** What the request is for besides signing in. */
export const intentOf = ({ params }: InteractionRecord): Intent | undefined =>
  isIntent(params.intent) ? params.intent : undefined;

/**
 * What still counts of what was proved: a recovery code that another sign-in claimed since proves nothing here, nor
 * do six digits of an authenticator that is no longer the account's, or a device that is no longer trusted. A code from the
 * help desk counts until it is spent.
 */
function counting(
  proofs: Proof[],
  { state, kind }: Claim,
  authenticator: Authenticator | undefined,
  deeds: ReadonlySet<string>,
  trusted: ReadonlySet<string>,
) {
  const holds = ({ factor, ref }: Proof) => {
    if (factor === 'totp') return authenticator !== undefined && ref === authenticator.id;
    if (factor === 'device') return ref !== undefined && trusted.has(ref);
    // A code that replaced the phone in this sign-in has done its work; what counts from then on is the new phone.
    const usable = authenticator !== undefined && !deeds.has('replace_authenticator');
    if (factor === 'recovery-code') return usable && kind === 'saved' && state !== 'none';
    if (factor === 'help-desk-code') return usable && kind === 'help-desk' && state === 'claimed';
    return true;
  };
  return new Set(proofs.filter(holds).map(({ factor }) => factor));
}

/** What was said of the phone last: whoever looked closer may take it back. */
const phoneOf = (choices: ReadonlySet<string>): Situation['phone'] => {
  const said = [...choices].findLast((choice) => choice === 'phone-gone' || choice === 'phone-kept');
  if (!said) return 'unasked';
  return said === 'phone-gone' ? 'gone' : 'kept';
};

const authenticatorState = (authenticator: Authenticator | undefined) => {
  if (!authenticator) return 'none';
  return authenticator.disabledAt ? 'off' : 'on';
};

/**
 * How the intent stands. It belongs to the account of the session that it began with: whoever else signs in here
 * carries out nothing.
 */
function intentState(
  record: InteractionRecord,
  account: Account | undefined,
  choices: ReadonlySet<string>,
  deeds: ReadonlySet<string>,
): 'open' | 'done' | 'declined' {
  const began = record.session?.accountId;
  if (choices.has('declined') || (account && began && began !== account.id)) return 'declined';
  return deeds.has(intentOf(record) ?? '') ? 'done' : 'open';
}

/** Goes by the session that the browser has now, which another tab may have begun since; a choice is for one session. */
function otherAccountOf(
  session: BrowserSession | undefined,
  account: Account | undefined,
  choices: ReadonlySet<string>,
) {
  if (!account || !session || session.accountId === account.id) return 'no';
  return choices.has(`switch-to:${account.id}:${session.uid}`) ? 'confirmed' : 'to-be-asked';
}

const askAll = together(
  {
    proofs: proofsPart,
    choices: choicesPart,
    sent: waitingPart,
    account: accountPart,
    authenticator: authenticatorPart,
    browser: browserPart,
    trusted: trustedDevicesPart,
    code: liveCodePart,
    claim: claimPart,
    offered: offeredPart,
    deeds: deedsPart,
    holder: holderPart,
  },
  { interaction: '$1', account: 'opened.by', tokens: ['$2', '$3'] as const, binding: '$4::bytea' },
  `(SELECT ${openedBy('$1')} AS by OFFSET 0) AS opened`,
);

/** Whatever the database knows of a sign-in, in one statement. */
export type Known = Awaited<ReturnType<typeof askAll>>;

/** Reads it. `holder` says, in the same snapshot, how the cookie with the hash `binding` relates to the interaction. */
export const knownOf = (
  db: Db,
  interaction: string,
  binding: Buffer,
  { token, next }: BrowserTokens,
): Promise<Known> =>
  askAll(db, [interaction, token === undefined ? null : sha256(token), sha256(next), binding]);

const nothing = {
  authenticator: undefined,
  browser: undefined,
  trusted: new Set<string>(),
  code: undefined,
  claim: { state: 'none', kind: 'saved', expired: false },
  offered: false,
  deeds: new Set<string>(),
} as const;

/** Where a sign-in stands, by what the database knows of it. */
export function progressFrom(
  known: Known,
  record: InteractionRecord,
  session: BrowserSession | undefined,
): Progress {
  const { choices, sent } = known;
  const account = known.account?.disabledAt ? undefined : known.account;
  // A code that somebody else asked for here, before this account was proved, is not this person's to type.
  const waiting = account && sent?.accountId !== account.id ? undefined : sent;
  const proofs = account ? known.proofs.filter(({ accountId }) => accountId === account.id) : [];
  const { authenticator, browser, trusted, code, claim, offered, deeds } = account ? known : nothing;
  const demand = demandOf(record);
  const state = intentState(record, account, choices, deeds);
  return {
    account,
    declined: state === 'declined',
    proofs,
    authenticator,
    browser,
    choices,
    waiting,
    claim,
    authenticatorBound: deeds.has('replace_authenticator'),
    situation: {
      proved: counting(proofs, claim, authenticator, deeds, trusted),
      account: account && {
        twoStepRequired: account.twoStepRequired,
        authenticator: authenticatorState(authenticator),
        hasRecoveryCode: code !== undefined,
        enrolmentOpen: enrolmentOpen(account, record.session?.uid),
      },
      claim: claim.state,
      codeOffered: offered,
      phone: phoneOf(choices),
      // Whoever says that the phone is new wants to be asked for it, also where the device is remembered.
      demand: { ...demand, deviceCounts: demand.deviceCounts && !choices.has('new-phone') },
      waitingFor: waiting?.purpose,
      intent: state === 'open' ? intentOf(record) : undefined,
      deactivated: deeds.has('deactivate_two_step'),
      otherAccount: otherAccountOf(session, account, choices),
    },
  };
}
