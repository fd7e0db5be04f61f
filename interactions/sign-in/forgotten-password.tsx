import { z } from 'zod';
import { Field, Form, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { sendToAddress } from './send-to-address.ts';
import { passwordResetEmail } from './state.ts';
import type { StepPage, InteractionContext } from './interaction-context.ts';

type ForgottenPasswordPageProps = {
  frame: Frame;
  action: string;
  token: string;
  email?: string | undefined;
  backUrl: string;
  refusal?: Refusal | undefined;
};

export function ForgottenPasswordPage({
  frame,
  action,
  token,
  email,
  backUrl,
  refusal,
}: ForgottenPasswordPageProps) {
  const t = frame.t.forgottenPassword;
  return (
    <Layout frame={frame} title={t.title} step="forgotten-password" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <Form action={action} token={token} refusal={refusal} fields={['email']}>
        <Field
          name="email"
          label={frame.t.password.email}
          value={email}
          autocomplete="username"
          inputmode="email"
          autofocus
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: backUrl, label: frame.t.mailedCode.back }]} />
    </Layout>
  );
}

/** Sends it again to the address that was typed in this interaction. */
export async function resendPasswordResetCode(interaction: InteractionContext) {
  const email = passwordResetEmail(interaction.progress, 'forgotten');
  return email ? sendToAddress(interaction, 'forgotten-password', email) : undefined;
}

const forgottenPasswordForm = z.object({ email: z.string().max(1000).default('') });

export const forgottenPasswordStep: StepPage<z.output<typeof forgottenPasswordForm>> = {
  form: forgottenPasswordForm,
  show({ frame, action, token, record }, refusal, { email }) {
    const hint = typeof record.params.login_hint === 'string' ? record.params.login_hint : undefined;
    const backUrl = `/interaction/${record.uid}/password`;
    return <ForgottenPasswordPage {...{ frame, action, token, email: email ?? hint, backUrl, refusal }} />;
  },
  async answer(interaction, { email }) {
    if (email.trim() === '') return { code: 'missing-email', field: 'email' };
    return sendToAddress(interaction, 'forgotten-password', email);
  },
};
