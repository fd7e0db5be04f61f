/** The table of the sign-in as a pure function: whatever the situation, nothing ends that was not proved. */
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { openStep, type Situation, type Step } from '../../interactions/sign-in/steps.ts';
import type { ProofFactor } from '../../src/platform/proofs.ts';
import { seedOf } from './seed.ts';

const factors: readonly ProofFactor[] = ['password', 'totp', 'mailed-code', 'device'];
const seed = seedOf();
const runs = 10_000;

const situations: fc.Arbitrary<Situation> = fc.record({
  proved: fc.subarray([...factors]).map((some) => new Set(some)),
  account: fc.option(
    fc.record({
      twoStepRequired: fc.boolean(),
      hasAuthenticator: fc.boolean(),
      hasRecoveryCode: fc.boolean(),
      enrolmentOpen: fc.boolean(),
    }),
    { nil: undefined },
  ),
  demand: fc.record({ level: fc.constantFrom(1 as const, 2 as const), deviceCounts: fc.boolean() }),
  otherAccount: fc.constantFrom('no' as const, 'to-be-asked' as const, 'confirmed' as const),
});

/** What a claim says of every situation that is drawn; the counterexample, where there is one, comes with its seed. */
function always(claim: (situation: Situation) => boolean): void {
  fc.assert(fc.property(situations, claim), { seed, numRuns: runs });
}
const implies = (premise: boolean, conclusion: () => boolean) => !premise || conclusion();

/** What opens the way past a page: the deed of that page, as its verifier would record it. */
const deeds: Record<Step, (s: Situation) => Situation> = {
  password: (s) => ({
    ...s,
    proved: new Set([...s.proved, 'password']),
    account: s.account ?? {
      twoStepRequired: true,
      hasAuthenticator: false,
      hasRecoveryCode: false,
      enrolmentOpen: false,
    },
  }),
  'other-account': (s) => ({ ...s, otherAccount: 'confirmed' }),
  totp: (s) => ({ ...s, proved: new Set([...s.proved, 'totp']) }),
  'mailed-code': (s) => ({ ...s, proved: new Set([...s.proved, 'mailed-code']) }),
  enrollment: (s) => ({
    ...s,
    proved: new Set([...s.proved, 'totp']),
    account: s.account && { ...s.account, hasAuthenticator: true },
  }),
  'new-recovery-code': (s) => ({ ...s, account: s.account && { ...s.account, hasRecoveryCode: true } }),
};

const needsTwoSteps = ({ account, demand }: Situation) =>
  account?.twoStepRequired === true || account?.hasAuthenticator === true || demand.level === 2;

describe(`the table of steps, over ${runs} situations each (seed ${seed})`, () => {
  test('never finishes without the password of an account, nor before a change of account was agreed to', () => {
    always((s) =>
      implies(
        openStep(s) === 'finished',
        () => s.account !== undefined && s.proved.has('password') && s.otherAccount !== 'to-be-asked',
      ),
    );
  });

  test('never finishes in one step where two are due, but on a remembered device that counts', () => {
    always((s) => {
      const device = s.proved.has('device') && s.demand.deviceCounts && s.demand.level === 1;
      return implies(
        openStep(s) === 'finished' && needsTwoSteps(s),
        () => s.account?.hasAuthenticator === true && (s.proved.has('totp') || device),
      );
    });
  });

  test('never finishes for an application that asks for level 2 without six digits of this interaction', () => {
    always((s) => implies(openStep(s) === 'finished' && s.demand.level === 2, () => s.proved.has('totp')));
  });

  test('never shows a new phone to anybody who has one, or has the password alone outside the window', () => {
    always((s) =>
      implies(
        openStep(s) === 'enrollment',
        () =>
          s.proved.has('password') &&
          s.account?.hasAuthenticator === false &&
          (s.account.enrolmentOpen || s.proved.has('mailed-code')),
      ),
    );
  });

  test('never shows a recovery code but after two factors, and never one too many', () => {
    always((s) =>
      implies(
        openStep(s) === 'new-recovery-code',
        () => s.proved.has('password') && s.proved.has('totp') && s.account?.hasRecoveryCode === false,
      ),
    );
  });

  test('is moved past a page by the deed of that page alone: any other proof leaves it where it is', () => {
    const passes: Record<Step, readonly ProofFactor[]> = {
      password: ['password'],
      'other-account': [],
      // A remembered device stands in for the digits where it counts; the mailbox never does.
      totp: ['totp', 'device'],
      'mailed-code': ['mailed-code'],
      enrollment: [],
      'new-recovery-code': [],
    };
    always((s) => {
      const open = openStep(s);
      if (open === 'finished') return true;
      const others = factors.filter((factor) => !passes[open].includes(factor));
      return others.every((factor) => openStep({ ...s, proved: new Set([...s.proved, factor]) }) === open);
    });
  });

  test('leads everybody who does what the pages ask to the end, past no page twice', () => {
    always((s) => {
      const seen: Step[] = [];
      let at = s;
      for (let open = openStep(at); open !== 'finished'; open = openStep(at)) {
        if (seen.includes(open)) return false;
        seen.push(open);
        at = deeds[open](at);
      }
      return at.proved.has('password');
    });
  });

  test('answers the same to the same, and changes nothing that it is given', () => {
    always((s) => {
      const written = () => JSON.stringify({ ...s, proved: [...s.proved] });
      const before = written();
      const open = openStep(s);
      return written() === before && openStep(structuredClone(s)) === open;
    });
  });
});
