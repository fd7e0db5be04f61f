import { z } from 'zod';
import { changePassword } from '../../src/users/profile.ts';
import { Form, PasswordField, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser, factorChangeContext } from './interaction-context.ts';

type NewPasswordPageProps = {
  frame: Frame;
  action: string;
  token: string;
  email: string;
  /** The fewest characters that this account's password may have. */
  shortest: number;
  refusal?: Refusal | undefined;
};

export function NewPasswordPage({ frame, action, token, email, shortest, refusal }: NewPasswordPageProps) {
  const t = frame.t.newPassword;
  return (
    <Layout frame={frame} title={t.title} step="new-password" scripts={['show-password', 'waiting-button']}>
      <h1>{t.title}</h1>
      {!frame.deed && <p class="lead">{frame.t.confirm.account(email)}</p>}
      <Form action={action} token={token} refusal={refusal} fields={['password']}>
        {/* So that a password manager knows whose password it saves. */}
        <input type="hidden" name="username" autocomplete="username" value={email} />
        <PasswordField
          t={frame.t}
          name="password"
          label={t.label}
          help={t.help(shortest)}
          autocomplete="new-password"
          autofocus
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <p class="quiet">{t.consequence}</p>
    </Layout>
  );
}

const newPasswordForm = z.object({ password: z.string().max(1000).default('') });

export const newPasswordStep: StepPage<z.output<typeof newPasswordForm>> = {
  form: newPasswordForm,
  show(interaction, refusal) {
    const { frame, action, token } = interaction;
    const { email, twoStepRequired } = verifiedUser(interaction);
    return (
      <NewPasswordPage {...{ frame, action, token, email, shortest: twoStepRequired ? 8 : 15, refusal }} />
    );
  },
  async answer(interaction, { password }) {
    if (password === '') return { code: 'missing-password', field: 'password' };
    const { db, hasher, post: enqueueMail, aftermath: userChangeHooks, settings } = interaction.house;
    const brand = settings.HEMMA_BRAND_NAME;
    const refused = await changePassword(db, hasher, enqueueMail, userChangeHooks, {
      ...factorChangeContext(interaction),
      password,
      brand,
    });
    return refused && { ...refused, field: 'password' };
  },
};
