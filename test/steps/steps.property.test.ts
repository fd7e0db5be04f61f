/** The table of the sign-in as a pure function: whatever the situation, nothing ends that was not proved. */
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { isStepOpen, currentStep, type Situation, type Step } from '../../interactions/sign-in/steps.ts';
import { intents } from '../../src/oidc/intents.ts';
import type { FactorType } from '../../src/security/verified-factors.ts';
import { seedOf } from './seed.ts';

const factors: readonly FactorType[] = [
  'password',
  'totp',
  'recovery-code',
  'help-desk-code',
  'mailed-code',
  'mailbox',
  'device',
];
const seed = seedOf();
const runs = 10_000;

const some = fc.record({
  proved: fc.subarray([...factors]).map((chosen) => new Set(chosen)),
  account: fc.option(
    fc.record({
      twoStepRequired: fc.boolean(),
      authenticator: fc.constantFrom('none' as const, 'on' as const, 'off' as const),
      hasRecoveryCode: fc.boolean(),
      enrolmentOpen: fc.boolean(),
    }),
    { nil: undefined },
  ),
  claim: fc.constantFrom('none' as const, 'claimed' as const, 'spent' as const),
  codeOffered: fc.boolean(),
  phone: fc.constantFrom('unasked' as const, 'gone' as const, 'kept' as const),
  waitingFor: fc.constantFrom(
    undefined,
    'enrollment' as const,
    'forgotten-password' as const,
    'new-email' as const,
    'notice-email' as const,
  ),
  intent: fc.constantFrom(undefined, ...intents),
  deactivated: fc.boolean(),
  demand: fc.record({ level: fc.constantFrom(1 as const, 2 as const), deviceCounts: fc.boolean() }),
  otherAccount: fc.constantFrom('no' as const, 'to-be-asked' as const, 'confirmed' as const),
});

/** What `state.ts` can read: no second factor counts without an authenticator, no recovery code without its claim. */
const situations: fc.Arbitrary<Situation> = some.map((s) => {
  const deactivated = s.deactivated && s.account?.authenticator === 'none';
  const without = new Set(s.proved);
  if (!s.account || s.account.authenticator === 'none')
    for (const factor of ['totp', 'recovery-code', 'help-desk-code'] as const) without.delete(factor);
  if (s.account?.authenticator === 'off') without.delete('totp');
  const claim = without.has('recovery-code') ? (s.claim === 'none' ? 'claimed' : s.claim) : s.claim;
  return { ...s, proved: without, claim, deactivated };
});

/** What a claim says of every situation that is drawn; the counterexample, where there is one, comes with its seed. */
function always(claim: (situation: Situation) => boolean): void {
  fc.assert(fc.property(situations, claim), { seed, numRuns: runs });
}
const implies = (premise: boolean, conclusion: () => boolean) => !premise || conclusion();
const proving =
  (factor: FactorType) =>
  (s: Situation): Situation => ({ ...s, proved: new Set([...s.proved, factor]) });
const withAccount = (s: Situation, change: Partial<NonNullable<Situation['account']>>): Situation => ({
  ...s,
  account: s.account && { ...s.account, ...change },
});
const done = (s: Situation): Situation => ({ ...s, intent: undefined });

/** The address that an intent is to prove. */
const sought = ({ intent }: Situation) => {
  if (intent === 'change_email') return 'new-email';
  return intent === 'change_notice_email' ? 'notice-email' : undefined;
};

/** What opens the way past a page: the deed of that page, as its verifier would record it. */
const deeds: Record<
  Exclude<Step, 'another-way' | 'forgotten-password' | 'password-and-code' | 'help-desk'>,
  (s: Situation) => Situation
> = {
  password: (s) => ({
    ...proving('password')(s),
    account: s.account ?? {
      twoStepRequired: true,
      authenticator: 'none',
      hasRecoveryCode: false,
      enrolmentOpen: false,
    },
  }),
  'other-account': (s) => ({ ...s, otherAccount: 'confirmed' }),
  totp: (s) =>
    s.account?.authenticator === 'off'
      ? { ...proving('recovery-code')(s), claim: 'claimed' }
      : proving('totp')(s),
  'recovery-code': (s) => ({ ...s, phone: 'kept' }),
  're-enrollment': (s) => ({
    ...withAccount(proving('totp')(s), { authenticator: 'on', hasRecoveryCode: false }),
    claim: s.claim === 'claimed' ? 'spent' : s.claim,
    intent: s.intent === 'replace_authenticator' ? undefined : s.intent,
  }),
  'mailed-code': (s) => {
    if (!s.account)
      return {
        ...proving('mailbox')(deeds.password(s)),
        proved: new Set([...s.proved, 'mailbox']),
        waitingFor: undefined,
      };
    return sought(s) && s.waitingFor === sought(s)
      ? { ...done(s), waitingFor: undefined }
      : proving('mailed-code')(s);
  },
  enrollment: (s) => ({
    ...withAccount(proving('totp')(s), { authenticator: 'on' }),
    intent: s.intent === 'replace_authenticator' ? undefined : s.intent,
  }),
  'new-password': (s) => ({
    ...proving('password')(s),
    intent: s.intent === 'change_password' ? undefined : s.intent,
  }),
  'new-recovery-code': (s) => ({
    ...withAccount(s, { hasRecoveryCode: true }),
    codeOffered: false,
    claim: s.claim === 'claimed' ? 'spent' : s.claim,
    intent: s.intent === 'new_recovery_code' ? undefined : s.intent,
  }),
  confirm: (s) =>
    s.intent === 'deactivate_two_step'
      ? {
          ...done(withAccount(s, { authenticator: 'none', hasRecoveryCode: false })),
          deactivated: true,
          proved: new Set([...s.proved].filter((factor) => factor !== 'totp' && factor !== 'recovery-code')),
        }
      : done(s),
  'new-email': (s) => ({ ...s, waitingFor: sought(s) }),
};

const twoFactors = (s: Situation) => s.proved.has('totp') || s.proved.has('recovery-code');
const byHelpDesk = ({ proved }: Situation) => proved.has('help-desk-code');
const needsTwoSteps = ({ account, demand, deactivated }: Situation) =>
  !deactivated &&
  (account?.twoStepRequired === true ||
    (account !== undefined && account.authenticator !== 'none') ||
    demand.level === 2);

describe(`the table of steps, over ${runs} situations each (seed ${seed})`, () => {
  test('never finishes without the password of an account, nor before a change of account was agreed to', () => {
    always((s) =>
      implies(
        currentStep(s) === 'finished',
        () => s.account !== undefined && s.proved.has('password') && s.otherAccount !== 'to-be-asked',
      ),
    );
  });

  test('never finishes in one step where two are due, but on a remembered device that counts', () => {
    always((s) => {
      const device = s.proved.has('device') && s.demand.deviceCounts && s.demand.level === 1;
      return implies(
        currentStep(s) === 'finished' && needsTwoSteps(s),
        () => s.account !== undefined && s.account.authenticator !== 'none' && (twoFactors(s) || device),
      );
    });
  });

  test('never finishes for an application that asks for level 2 without a second factor of this interaction', () => {
    always((s) =>
      implies(currentStep(s) === 'finished' && s.demand.level === 2 && !s.deactivated, () => twoFactors(s)),
    );
  });

  test('never finishes on a mailed code in place of the password', () => {
    always((s) => implies(currentStep(s) === 'finished', () => s.proved.has('password')));
  });

  test('never shows a first phone to anybody who has one, or has the password alone outside the window', () => {
    always((s) =>
      implies(
        currentStep(s) === 'enrollment',
        () =>
          s.proved.has('password') &&
          s.account?.authenticator === 'none' &&
          (s.account.enrolmentOpen || s.proved.has('mailed-code') || s.proved.has('mailbox')),
      ),
    );
  });

  test('never opens a page that changes factors or the account but after all that the account has', () => {
    const changes = new Set([
      're-enrollment',
      'new-recovery-code',
      'confirm',
      'new-email',
      'new-password',
      'enrollment',
    ]);
    always((s) =>
      implies(changes.has(currentStep(s)), () => {
        const knows = s.proved.has('password') || s.proved.has('mailbox');
        const remembered = s.proved.has('device') && s.demand.deviceCounts && s.demand.level === 1;
        const helped = currentStep(s) === 're-enrollment' && s.proved.has('password') && byHelpDesk(s);
        return knows && (s.account?.authenticator === 'none' || twoFactors(s) || remembered || helped);
      }),
    );
  });

  test('never shows a recovery code but after two factors', () => {
    always((s) =>
      implies(currentStep(s) === 'new-recovery-code', () => s.proved.has('password') && twoFactors(s)),
    );
  });

  test('opens another way only beside the six digits, and the forgotten password only before any password', () => {
    always((s) => {
      const open = currentStep(s);
      return (
        implies(isStepOpen(s, 'another-way'), () => open === 'totp') &&
        implies(isStepOpen(s, 'recovery-code') && open !== 'recovery-code', () => open === 'totp') &&
        implies(isStepOpen(s, 'help-desk'), () => open === 'totp' && s.proved.has('password')) &&
        implies(isStepOpen(s, 'forgotten-password'), () => !s.account || !s.proved.has('password')) &&
        isStepOpen(s, 'password-and-code') === isStepOpen(s, 'forgotten-password')
      );
    });
  });

  test('leads a code from the help desk to a new phone before anything else, and counts it for nothing else', () => {
    always((s) => {
      const without = { ...s, proved: new Set([...s.proved].filter((one) => one !== 'help-desk-code')) };
      const due =
        byHelpDesk(s) &&
        s.proved.has('password') &&
        !s.proved.has('totp') &&
        s.account !== undefined &&
        s.account.authenticator !== 'none';
      if (!due) return currentStep(s) === currentStep(without);
      return currentStep(s) === (s.otherAccount === 'to-be-asked' ? 'other-account' : 're-enrollment');
    });
  });

  test('leads everybody who does what the pages ask to the end, past no page twice', () => {
    always((s) => {
      const seen: Step[] = [];
      let at = s;
      for (let open = currentStep(at); open !== 'finished'; open = currentStep(at)) {
        // The mailbox is asked twice where a password was forgotten first and an address changes later.
        if (seen.filter((page) => page === open).length > (open === 'mailed-code' || open === 'totp' ? 1 : 0))
          return false;
        seen.push(open);
        if (open === 'another-way' || open === 'forgotten-password' || open === 'help-desk') return false;
        if (open === 'password-and-code') return false;
        at = deeds[open](at);
      }
      return at.proved.has('password');
    });
  });

  test('answers the same to the same, and changes nothing that it is given', () => {
    always((s) => {
      const written = () => JSON.stringify({ ...s, proved: [...s.proved] });
      const before = written();
      const open = currentStep(s);
      return written() === before && currentStep(structuredClone(s)) === open;
    });
  });
});
