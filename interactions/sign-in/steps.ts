import type { ProofFactor } from '../../src/platform/proofs.ts';

/** The pages of a sign-in. Their names stand in URLs. */
export type Step = 'password' | 'other-account' | 'totp' | 'mailed-code' | 'enrollment' | 'new-recovery-code';

/** Everything that decides which page is open. Nothing in it was sent by a page: it is read anew each time. */
export interface Situation {
  /** What was proved in this interaction, for this account. */
  proved: ReadonlySet<ProofFactor>;
  /** The account that the password belongs to; undefined before one was proved. */
  account:
    | {
        twoStepRequired: boolean;
        hasAuthenticator: boolean;
        hasRecoveryCode: boolean;
        /** Whether a phone may be connected with the password alone (the window of days after an invitation). */
        enrolmentOpen: boolean;
      }
    | undefined;
  demand: {
    /** What the application asks for (`acr_values`); 1 where it does not ask. */
    level: 1 | 2;
    /** False where everything is asked anew: `prompt=login`, an exceeded `max_age`, a step-up. */
    deviceCounts: boolean;
  };
  /** Another account than the browser's session signs in: that ends the session, so the person is asked. */
  otherAccount: 'no' | 'to-be-asked' | 'confirmed';
}

type Account = NonNullable<Situation['account']>;
type Row = readonly [Step, (situation: Situation, account: Account) => boolean];

/** Whoever has two-step verification on uses it everywhere, whatever the application asks (ZITADEL CVE-2025-64103). */
const inTwoSteps = ({ demand }: Situation, account: Account) =>
  account.twoStepRequired || account.hasAuthenticator || demand.level === 2;

const recognised = ({ proved, demand }: Situation) =>
  proved.has('device') && demand.deviceCounts && demand.level < 2;

/**
 * The table of the sign-in, read from above: the first page whose condition holds is open, and no other. None
 * left means that the sign-in is finished. Finishing is decided here from the proofs, never by a page.
 */
const table: readonly Row[] = [
  ['password', ({ proved }) => !proved.has('password')],
  ['other-account', ({ otherAccount }) => otherAccount === 'to-be-asked'],
  ['totp', (s, a) => a.hasAuthenticator && !s.proved.has('totp') && !recognised(s)],
  [
    'mailed-code',
    (s, a) => inTwoSteps(s, a) && !a.hasAuthenticator && !a.enrolmentOpen && !s.proved.has('mailed-code'),
  ],
  ['enrollment', (s, a) => inTwoSteps(s, a) && !a.hasAuthenticator],
  // A code is shown to whoever has proved two factors just now, and to nobody else (NIST SP 800-63B-4 §3.1.2.1).
  ['new-recovery-code', (s, a) => s.proved.has('totp') && a.hasAuthenticator && !a.hasRecoveryCode],
];

/** The one page that is open, or `finished`. */
export function openStep(situation: Situation): Step | 'finished' {
  const { account } = situation;
  if (!account) return 'password';
  return table.find(([, isOpen]) => isOpen(situation, account))?.[0] ?? 'finished';
}
