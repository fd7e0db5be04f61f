/** The table of steps as a function: ten thousand situations, whether or not anybody could get into them (T11). */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isStepOpen, currentStep, type Situation, type Step } from '../../interactions/sign-in/steps.ts';
import { intents } from '../../src/oidc/intents.ts';
import type { FactorType } from '../../src/security/verified-factors.ts';

const factors: FactorType[] = [
  'password',
  'totp',
  'recovery-code',
  'help-desk-code',
  'mailed-code',
  'mailbox',
  'device',
];
const deedPages: Step[] = `confirm re-enrollment new-email new-password enrollment new-recovery-code`.split(
  ' ',
) as Step[];

const account = fc.record({
  twoStepRequired: fc.boolean(),
  authenticator: fc.constantFrom('none' as const, 'on' as const, 'off' as const),
  hasRecoveryCode: fc.boolean(),
  enrolmentOpen: fc.boolean(),
});

const situations: fc.Arbitrary<Situation> = fc
  .record({
    proved: fc.subarray(factors).map((some) => new Set(some)),
    account: fc.option(account, { nil: undefined, freq: 9 }),
    claim: fc.constantFrom('none' as const, 'claimed' as const, 'spent' as const),
    codeOffered: fc.boolean(),
    phone: fc.constantFrom('unasked' as const, 'gone' as const, 'kept' as const),
    demand: fc.record({ level: fc.constantFrom(1 as const, 2 as const), deviceCounts: fc.boolean() }),
    waitingFor: fc.constantFrom(
      undefined,
      'enrollment' as const,
      'forgotten-password' as const,
      'new-email' as const,
      'notice-email' as const,
    ),
    intent: fc.option(fc.constantFrom(...intents), { nil: undefined }),
    deactivated: fc.boolean(),
    otherAccount: fc.constantFrom('no' as const, 'to-be-asked' as const, 'confirmed' as const),
  })
  // Six digits and recovery codes are proved against an authenticator; without one such a proof does not count.
  .map((situation) =>
    situation.account?.authenticator === 'none'
      ? {
          ...situation,
          proved: new Set(
            [...situation.proved].filter((one) => !/^(totp|recovery-code|help-desk-code)$/.test(one)),
          ),
        }
      : situation,
  );

const secondFactor = ({ proved }: Situation) => proved.has('totp') || proved.has('recovery-code');
/** A code from the help desk opens one page alone, beside the password. */
const helped = ({ proved }: Situation) => proved.has('help-desk-code') && proved.has('password');
const somebodyReadsTheMail = ({ proved }: Situation) => proved.has('mailed-code') || proved.has('mailbox');

const openPages = (situation: Situation) => deedPages.filter((step) => isStepOpen(situation, step));

/** Checks ten thousand situations; the seed is printed, so that a failure can be had again. */
function always(holds: (situation: Situation) => void, seed = Date.now() % 2 ** 31): void {
  process.stdout.write(`seed ${seed}\n`);
  fc.assert(fc.property(situations, holds), { numRuns: 10_000, seed });
}

test('SECURITY 3, 4, T11 nobody is finished without the password, and without a second factor where one is due', () => {
  always((s) => {
    if (currentStep(s) !== 'finished') return;
    expect(s.account).toBeDefined();
    expect(s.proved.has('password')).toBe(true);
    expect(s.otherAccount).not.toBe('to-be-asked');
    const has = s.account?.authenticator !== 'none';
    const due = has || ((s.account?.twoStepRequired || s.demand.level === 2) && !s.deactivated);
    const remembered = has && s.proved.has('device') && s.demand.deviceCounts && s.demand.level < 2;
    if (due) expect(secondFactor(s) || remembered).toBe(true);
  });
});

test('SECURITY 1, 49, T11 no deed page is open for somebody who has not proved everything that the account has', () => {
  always((s) => {
    for (const step of openPages(s)) {
      expect(s.account).toBeDefined();
      expect(s.proved.has('password') || s.proved.has('mailbox')).toBe(true);
      expect(s.otherAccount).not.toBe('to-be-asked');
      if (step !== 'new-password') expect([step, s.proved.has('password')]).toEqual([step, true]);
      if (s.account?.authenticator !== 'none')
        expect([step, secondFactor(s) || (step === 're-enrollment' && helped(s))]).toEqual([step, true]);
    }
  });
});

test('T11 where two steps are due and no phone is connected, only the way to a phone is open', () => {
  always((s) => {
    if (s.account?.authenticator !== 'none' || s.deactivated) return;
    if (!s.account.twoStepRequired && s.demand.level < 2) return;
    const open = openPages(s).filter((step) => step !== 'new-password');
    expect(open.filter((step) => step !== 'enrollment')).toEqual([]);
    if (open.length > 0) expect(s.account.enrolmentOpen || somebodyReadsTheMail(s)).toBe(true);
  });
});

test('T11 a deed page is open for its own deed alone, and one page is open at a time', () => {
  always((s) => {
    const open = openPages(s);
    if (open.includes('confirm'))
      expect(['deactivate_two_step', 'check_recovery_code', 'delete_account']).toContain(s.intent);
    if (open.includes('new-email')) expect(['change_email', 'change_notice_email']).toContain(s.intent);
    if (open.includes('new-password'))
      expect(s.intent === 'change_password' || !s.proved.has('password')).toBe(true);
    if (open.includes('re-enrollment'))
      expect(s.intent === 'replace_authenticator' || s.proved.has('recovery-code') || helped(s)).toBe(true);
    if (open.includes('enrollment')) expect(s.account?.authenticator).toBe('none');
    if (open.includes('new-recovery-code')) expect(s.account?.authenticator).not.toBe('none');
    expect(open.length).toBeLessThanOrEqual(1);
  });
});

test('SECURITY 54, T11 a mailed code or a remembered device never stands in for a second factor', () => {
  always((s) => {
    if (s.account?.authenticator === 'none' || secondFactor(s) || helped(s)) return;
    const without = new Set([...s.proved].filter((one) => one !== 'mailed-code' && one !== 'mailbox'));
    // Whatever the mailbox proves, somebody with an authenticator stands no further than without it.
    expect(openPages(s)).toEqual([]);
    if (currentStep(s) === 'finished') expect(currentStep({ ...s, proved: without })).toBe('finished');
  });
});

test('T11 a page that is open beside another leads to no deed of its own', () => {
  always((s) => {
    const open = currentStep(s);
    for (const step of openPages(s)) {
      // Back to the new address while its code is under way is the one deed page that stands beside another.
      const way = s.waitingFor === 'new-email' || s.waitingFor === 'notice-email';
      const back = step === 'new-email' && open === 'mailed-code' && way;
      expect(step === open || back).toBe(true);
    }
  });
});
