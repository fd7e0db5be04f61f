import { z } from 'zod';
import { normalizeEmail, isEmail } from '../../src/users/users.ts';
import { changeNoticeEmail, emailThrottleSubject } from '../../src/users/profile.ts';
import { sendMailedCode } from '../../src/mfa/mailed-code.ts';
import { Field, Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { translateRefusal } from '../ui/refusal.ts';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { verifiedUser, factorChangeContext } from './interaction-context.ts';

type NewEmailPageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** The address to sign in with, or a second one for notices. */
  purpose: 'new-email' | 'notice-email';
  /** The second address that there is, which may be taken away. */
  second?: string | undefined;
  email?: string | undefined;
  refusal?: Refusal | undefined;
};

export function NewEmailPage(props: NewEmailPageProps) {
  const { frame, action, token, purpose, second, email, refusal } = props;
  const t = purpose === 'new-email' ? frame.t.newEmail : frame.t.noticeEmail;
  return (
    <Layout frame={frame} title={t.title} step="new-email" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <Form action={action} token={token} refusal={refusal} fields={['email']}>
        <Field
          name="email"
          label={t.label}
          help={t.help}
          value={email}
          autocomplete="email"
          inputmode="email"
          autofocus
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      {second && (
        <section class="aside">
          <p class="quiet">{frame.t.noticeEmail.now(second)}</p>
          <Form action={action} token={token}>
            <SecondaryButton name="choice" value="remove" waiting={frame.t.form.waiting}>
              {frame.t.noticeEmail.remove}
            </SecondaryButton>
          </Form>
        </section>
      )}
    </Layout>
  );
}

const newEmailForm = z.object({
  email: z.string().max(1000).default(''),
  choice: z.literal('remove').optional(),
});

const newEmailPurpose = ({ progress: signInState }: InteractionContext) =>
  signInState.situation.intent === 'change_notice_email' ? 'notice-email' : 'new-email';

export const newEmailStep: StepPage<z.output<typeof newEmailForm>> = {
  form: newEmailForm,
  show(interaction, refusal, { email }) {
    const { frame, action, token, house: context, ctx } = interaction;
    const purpose = newEmailPurpose(interaction);
    const second = purpose === 'notice-email' ? verifiedUser(interaction).noticeEmail : undefined;
    const taken = ctx.query.refused === 'taken' && purpose === 'new-email';
    const shown =
      refusal ??
      (taken
        ? translateRefusal(frame, { code: 'email-taken' }, context.settings.HEMMA_HELP_DESK_CONTACT)
        : undefined);
    return <NewEmailPage {...{ frame, action, token, purpose, second, email, refusal: shown }} />;
  },
  async answer(interaction, { email, choice }) {
    const { db, hasher, post: enqueueMail } = interaction.house;
    const purpose = newEmailPurpose(interaction);
    if (choice === 'remove' && purpose === 'notice-email') {
      await db.transaction((tx) =>
        changeNoticeEmail(tx, enqueueMail, factorChangeContext(interaction), undefined),
      );
      return undefined;
    }
    const address = normalizeEmail(email);
    if (!isEmail(address)) return { code: 'malformed-email', field: 'email' };
    const { email: current } = verifiedUser(interaction);
    if (address === current) return { code: 'same-email', field: 'email' };
    // Whether another account has the address is found out at the deed; it is told to whoever reads mail there alone.
    return sendMailedCode(db, hasher, enqueueMail, {
      purpose,
      interaction: interaction.record.uid,
      origin: interaction.ctx.state.origin,
      recipient: { ...verifiedUser(interaction), email: address },
      subject: emailThrottleSubject(address),
      requestedBy: { user: verifiedUser(interaction).id },
    });
  },
};
