import type { Intent } from '../../src/oidc/intents.ts';
import type { FactorType } from '../../src/security/verified-factors.ts';

/** The pages of a sign-in. Their names stand in URLs. */
export type Step =
  | 'password'
  | 'forgotten-password'
  | 'password-and-code'
  | 'new-password'
  | 'new-email'
  | 'other-account'
  | 'totp'
  | 'another-way'
  | 'recovery-code'
  | 'help-desk'
  | 're-enrollment'
  | 'mailed-code'
  | 'enrollment'
  | 'new-recovery-code'
  | 'confirm';

/** Everything that decides which page is open. Nothing in it was sent by a page: it is read anew each time. */
export interface Situation {
  /** What was proved in this interaction, for this account, and still counts. */
  proved: ReadonlySet<FactorType>;
  /** The account that the password belongs to; undefined before one was proved. */
  account:
    | {
        twoStepRequired: boolean;
        /** Switched off: bound, but after too many wrong codes it opens nothing until it is replaced. */
        authenticator: 'none' | 'on' | 'off';
        hasRecoveryCode: boolean;
        /** Whether a phone may be connected with the password alone (the window of days after an invitation). */
        enrolmentOpen: boolean;
      }
    | undefined;
  /** How the recovery code, saved or from the help desk, stands to this interaction: claimed by it, or spent by what it completed. */
  claim: 'none' | 'claimed' | 'spent';
  /** A new code was shown in this sign-in and not typed back yet: whoever keeps it must not keep a dead one. */
  codeOffered: boolean;
  /** What the person said of the phone on the page of the recovery code. */
  phone: 'unasked' | 'gone' | 'kept';
  demand: {
    /** What the application asks for (`acr_values`); 1 where it does not ask. */
    level: 1 | 2;
    /** False where everything is asked anew: `prompt=login`, an exceeded `max_age`, a step-up. */
    deviceCounts: boolean;
  };
  /** A code is on its way by mail, for this. */
  waitingFor: 'enrollment' | 'forgotten-password' | 'new-email' | 'notice-email' | undefined;
  /** What this sign-in is for besides signing in, while it is neither carried out nor declined. */
  intent: Intent | undefined;
  /** Two-step verification was switched off in this very sign-in: it asks for no phone again before it ends. */
  deactivated: boolean;
  /** Another account than the browser's session signs in: that ends the session, so the person is asked. */
  otherAccount: 'no' | 'to-be-asked' | 'confirmed';
}

type SituationUser = NonNullable<Situation['account']>;
type StepRule = readonly [Step, (situation: Situation, account: SituationUser) => boolean];

/** Whoever has two-step verification on uses it everywhere, whatever the application asks (ZITADEL CVE-2025-64103). */
const usesMfa = ({ demand, intent, deactivated }: Situation, user: SituationUser) =>
  !deactivated &&
  (user.twoStepRequired ||
    user.authenticator !== 'none' ||
    demand.level === 2 ||
    intent === 'activate_two_step' ||
    intent === 'replace_authenticator');

/** A remembered browser stands in for the digits of an ordinary sign-in with the password, and of nothing else. */
const isTrustedDevice = ({ proved, demand, intent }: Situation) =>
  proved.has('device') && proved.has('password') && demand.deviceCounts && demand.level < 2 && !intent;

const hasSecondFactor = ({ proved }: Situation) => proved.has('totp') || proved.has('recovery-code');

/** Somebody reads the mail of this account, whatever the code was asked for. */
const hasVerifiedMailbox = ({ proved }: Situation) => proved.has('mailed-code') || proved.has('mailbox');

/** A recovery code opened this sign-in, and the authenticator was not replaced in it yet. */
const usedRecoveryCode = ({ proved }: Situation) => proved.has('recovery-code') && !proved.has('totp');

/**
 * A code from the help desk beside the password does one thing, whatever the sign-in is for: it leads to a new phone. It
 * is no second factor, and beside a mailbox in place of the password it is nothing: both would be the same mail.
 */
const usedHelpDeskCode = ({ proved }: Situation, user: SituationUser) =>
  user.authenticator !== 'none' &&
  proved.has('help-desk-code') &&
  proved.has('password') &&
  !proved.has('totp');

/** What the person said, or what the sign-in is for; an authenticator that is switched off is as good as gone. */
const isPhoneGone = ({ phone, intent }: Situation, user: SituationUser) =>
  phone === 'gone' || intent === 'replace_authenticator' || user.authenticator === 'off';

/** Deactivating takes the phone and the code away: whoever came by the code is asked nothing about either. */
const keepsMfa = ({ intent }: Situation) => intent !== 'deactivate_two_step';

/** The living code opened this sign-in and is to be spent by it, none lives, or the sign-in is for a new one. */
const isRecoveryCodeDue = (s: Situation, user: SituationUser) =>
  !user.hasRecoveryCode ||
  s.codeOffered ||
  (usedRecoveryCode(s) && s.claim === 'claimed') ||
  s.intent === 'new_recovery_code';

/** The address that this sign-in is to prove and to put in its place: the one to sign in with, or the second one. */
const requestedAddressChange = ({ intent }: Situation) => {
  if (intent === 'change_email') return 'new-email';
  return intent === 'change_notice_email' ? 'notice-email' : undefined;
};

/** Before a first phone is connected outside the window, the mailbox is asked: the password alone enrols nothing. */
const isEnrollmentCodeDue = (s: Situation, user: SituationUser) =>
  usesMfa(s, user) && user.authenticator === 'none' && !user.enrolmentOpen && !hasVerifiedMailbox(s);

/**
 * The table of the sign-in, read from above: the first page whose condition holds is open. None left means that the
 * sign-in is finished. Finishing is decided here from the proofs, never by a page.
 */
const stepRules: readonly StepRule[] = [
  ['password', (s) => !s.proved.has('password') && !s.proved.has('mailbox')],
  ['other-account', (s) => s.otherAccount === 'to-be-asked'],
  ['re-enrollment', (s, a) => usedHelpDeskCode(s, a)],
  ['totp', (s, a) => a.authenticator !== 'none' && !hasSecondFactor(s) && !isTrustedDevice(s)],
  // A mailed code stands in for the forgotten password, and counts only beside the second factor (ASVS 6.4.3).
  ['new-password', (s) => !s.proved.has('password') || s.intent === 'change_password'],
  [
    'recovery-code',
    (s, a) => usedRecoveryCode(s) && s.phone === 'unasked' && !isPhoneGone(s, a) && keepsMfa(s),
  ],
  ['re-enrollment', (s, a) => usedRecoveryCode(s) && isPhoneGone(s, a) && keepsMfa(s)],
  ['re-enrollment', (s, a) => s.intent === 'replace_authenticator' && a.authenticator !== 'none'],
  ['mailed-code', (s, a) => isEnrollmentCodeDue(s, a)],
  ['enrollment', (s, a) => usesMfa(s, a) && a.authenticator === 'none'],
  // A code is shown to whoever has proved two factors just now, and to nobody else (NIST SP 800-63B-4 §3.1.2.1).
  [
    'new-recovery-code',
    (s, a) => hasSecondFactor(s) && a.authenticator !== 'none' && keepsMfa(s) && isRecoveryCodeDue(s, a),
  ],
  ['confirm', (s, a) => s.intent === 'deactivate_two_step' && a.authenticator !== 'none'],
  ['confirm', (s, a) => s.intent === 'check_recovery_code' && a.hasRecoveryCode],
  ['confirm', (s) => s.intent === 'delete_account'],
  [
    'mailed-code',
    (s) => requestedAddressChange(s) !== undefined && s.waitingFor === requestedAddressChange(s),
  ],
  ['new-email', (s) => requestedAddressChange(s) !== undefined],
];

/** Pages that stand open beside another: other ways to prove what it asks for. Opening one writes nothing. */
const alternativeSteps: Partial<Record<Step, readonly Step[]>> = {
  password: ['forgotten-password', 'password-and-code'],
  totp: ['another-way', 'recovery-code'],
};

/** Whoever has neither phone nor code asks the help desk, after the right password and not after a mailed code alone. */
const passwordAlternatives: readonly Step[] = ['another-way', 'recovery-code', 'help-desk'];

/** While the code for a forgotten password is under way, the person may also remember it, or ask again. */
const mailedCodeAlternatives: readonly Step[] = ['password', 'forgotten-password', 'password-and-code'];

/** The page that is open, or `finished`. */
export function currentStep(situation: Situation): Step | 'finished' {
  const { account: user } = situation;
  if (!user) return situation.waitingFor === 'forgotten-password' ? 'mailed-code' : 'password';
  return stepRules.find(([, isOpen]) => isOpen(situation, user))?.[0] ?? 'finished';
}

/** What the mailed code is for, where that page is open. The page and its ways follow from the same answer. */
export function mailedCodeFor(
  situation: Situation,
): 'enrollment' | 'forgotten-password' | 'new-email' | 'notice-email' {
  const { account: user } = situation;
  if (!user) return 'forgotten-password';
  return isEnrollmentCodeDue(situation, user)
    ? 'enrollment'
    : (requestedAddressChange(situation) ?? 'new-email');
}

/**
 * Whether the open page is there for the sake of the intent alone, so that the person may think better of it and the
 * sign-in goes on. A new recovery code that was shown is typed back or left: nobody keeps a dead one.
 */
export function isIntentDeclinable(situation: Situation): boolean {
  const open = currentStep(situation);
  if (!situation.account || !situation.intent || open === 'finished') return false;
  return open !== 'new-recovery-code' && open !== currentStep({ ...situation, intent: undefined });
}

function alternativesOf(open: Step, situation: Situation): readonly Step[] {
  if (open === 'totp' && situation.proved.has('password')) return passwordAlternatives;
  if (open !== 'mailed-code') return alternativeSteps[open] ?? [];
  const purpose = mailedCodeFor(situation);
  if (purpose === 'forgotten-password') return mailedCodeAlternatives;
  return purpose === 'enrollment' ? [] : ['new-email'];
}

/** Whether a page may be opened now: the open one, or another way beside it. */
export function isStepOpen(situation: Situation, step: string): step is Step {
  const open = currentStep(situation);
  if (open === 'finished') return false;
  return open === step || alternativesOf(open, situation).some((way) => way === step);
}
