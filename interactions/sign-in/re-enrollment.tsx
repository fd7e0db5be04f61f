import { z } from 'zod';
import { replaceAuthenticator } from '../../src/mfa/two-step.ts';
import { enrollmentPageProps, EnrollmentPage } from './enrollment.tsx';
import { recordChoice } from './state.ts';
import { isTicked, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage } from './interaction-context.ts';
import { factorChangeContext } from './interaction-context.ts';

const reEnrollmentForm = z.object({
  code: z.string().max(200).default(''),
  phoneGone: z.literal('no').optional(),
  ...signOutOthersFields,
});

/** Another phone takes the old one's place, which works until the very moment that the new one is proved. */
export const reEnrollmentStep: StepPage<z.output<typeof reEnrollmentForm>> = {
  form: reEnrollmentForm,
  async show(interaction, refusal, typed) {
    const shown = await enrollmentPageProps(interaction);
    const endOthers = isTicked(refusal, typed);
    const { phone, intent, account: user, proved } = interaction.progress.situation;
    // It was said to be gone, and may be found in a coat after all.
    const found = phone === 'gone' && proved.has('recovery-code') && !intent && user?.authenticator === 'on';
    return <EnrollmentPage {...shown} step="re-enrollment" {...{ endOthers, found, refusal }} />;
  },
  async answer(interaction, { code, phoneGone, endOtherSessions }) {
    if (phoneGone) {
      await recordChoice(interaction.house.db, interaction.record.uid, 'phone-kept');
      return undefined;
    }
    const { db, vault: encryption, post: enqueueMail, aftermath: userChangeHooks } = interaction.house;
    // In words, for whoever typed the code in time and then waited; the spending refuses it in any case.
    if (interaction.progress.claim.state === 'claimed' && interaction.progress.claim.expired)
      return { code: 'expired-help-desk-code' };
    const refused = await replaceAuthenticator(db, encryption, enqueueMail, userChangeHooks, {
      ...factorChangeContext(interaction),
      code,
      endOtherSessions: endOtherSessions === 'yes',
    });
    return refused && { ...refused, field: 'code' };
  },
};
