import { z } from 'zod';
import { replace } from '../../src/mfa/two-step.ts';
import { connectionShown, EnrollmentPage } from './enrollment.tsx';
import { noteChoice } from './state.ts';
import { isTicked, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage } from './interaction-context.ts';
import { changeOf } from './interaction-context.ts';

const form = z.object({
  code: z.string().max(200).default(''),
  phoneGone: z.literal('no').optional(),
  ...signOutOthersFields,
});

/** Another phone takes the old one's place, which works until the very moment that the new one is proved. */
export const reEnrollment: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal, typed) {
    const shown = await connectionShown(visit);
    const endOthers = isTicked(refusal, typed);
    const { phone, intent, account, proved } = visit.progress.situation;
    // It was said to be gone, and may be found in a coat after all.
    const found =
      phone === 'gone' && proved.has('recovery-code') && !intent && account?.authenticator === 'on';
    return <EnrollmentPage {...shown} step="re-enrollment" {...{ endOthers, found, refusal }} />;
  },
  async answer(visit, { code, phoneGone, endOtherSessions }) {
    if (phoneGone) {
      await noteChoice(visit.house.db, visit.record.uid, 'phone-kept');
      return undefined;
    }
    const { db, vault, post, aftermath } = visit.house;
    // In words, for whoever typed the code in time and then waited; the spending refuses it in any case.
    if (visit.progress.claim.state === 'claimed' && visit.progress.claim.expired)
      return { code: 'expired-help-desk-code' };
    const refused = await replace(db, vault, post, aftermath, {
      ...changeOf(visit),
      code,
      endOtherSessions: endOtherSessions === 'yes',
    });
    return refused && { ...refused, field: 'code' };
  },
};
