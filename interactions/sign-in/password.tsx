import { z } from 'zod';
import { findUserById } from '../../src/users/users.ts';
import { verifyPassword } from '../../src/users/passwords.ts';
import { recordChoice } from './state.ts';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { Field, Form, PasswordField, SecondaryButton, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type PasswordPageProps = {
  frame: Frame;
  action: string;
  token: string;
  clientName?: string | undefined;
  /** What was typed before a refusal, or the request's `login_hint`. A password is never sent back. */
  email?: string | undefined;
  /** Set when somebody signed in proves again who they are: the address is shown and cannot be changed. */
  account?: { email: string } | undefined;
  forgottenPasswordUrl?: string | undefined;
  /** The person said that the phone is new or lost: the password first, and the way on stays in mind. */
  newPhone?: boolean | undefined;
  newPhoneUrl?: string | undefined;
  /** Where a throttled user has a code emailed. */
  emailedCodeUrl?: string | undefined;
  refusal?: Refusal | undefined;
};

export function PasswordPage(props: PasswordPageProps) {
  const { frame, action, token, clientName, email, account: signedInEmail, refusal } = props;
  const { forgottenPasswordUrl, newPhone, newPhoneUrl } = props;
  const t = frame.t.password;
  const title = signedInEmail ? t.confirmTitle : t.title;
  const known = signedInEmail?.email ?? email;
  return (
    <Layout frame={frame} title={title} step="password" scripts={['show-password', 'waiting-button']}>
      <h1>{title}</h1>
      {clientName && <p class="lead">{newPhone ? t.newPhoneFirst : t.continueTo(clientName)}</p>}
      <Form action={action} token={token} refusal={refusal} fields={['email', 'password']}>
        {newPhone && <input type="hidden" name="newPhone" value="yes" />}
        <Field
          name="email"
          label={t.email}
          value={known}
          autocomplete="username"
          inputmode="email"
          readonly={signedInEmail !== undefined}
          autofocus={!known}
          refusal={refusal}
        />
        <PasswordField
          t={frame.t}
          name="password"
          label={t.password}
          autocomplete="current-password"
          autofocus={Boolean(known) && refusal?.field !== 'email'}
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      {refusal?.code === 'throttled' && <EmailedCodeOffer {...props} />}
      <LinkList
        ways={[
          ...(newPhoneUrl && !newPhone ? [{ href: newPhoneUrl, label: frame.t.totp.newOrLost }] : []),
          ...(forgottenPasswordUrl ? [{ href: forgottenPasswordUrl, label: t.forgotten }] : []),
        ]}
      />
    </Layout>
  );
}

/** While the password is throttled, an emailed code together with it lets the owner in. */
function EmailedCodeOffer({ frame, token, email, emailedCodeUrl }: PasswordPageProps) {
  const t = frame.t.passwordAndCode;
  if (!emailedCodeUrl || !email) return null;
  return (
    <section class="aside">
      <p class="quiet">{t.offer}</p>
      <Form action={emailedCodeUrl} token={token}>
        <input type="hidden" name="email" value={email} />
        <SecondaryButton name="send" value="yes" waiting={frame.t.mailedCode.sendingAgain}>
          {t.send}
        </SecondaryButton>
      </Form>
    </section>
  );
}

const passwordForm = z.object({
  email: z.string().max(1000).default(''),
  password: z.string().max(1000).default(''),
  newPhone: z.literal('yes').optional(),
});

/** The address to begin with: what was typed, what the application hints, or who is signed in here already. */
async function sessionEmail({ house: context, record }: InteractionContext): Promise<string | undefined> {
  if (typeof record.params.login_hint === 'string') return record.params.login_hint;
  const current = record.session?.accountId;
  return current ? (await findUserById(context.db, current))?.email : undefined;
}

export const passwordStep: StepPage<z.output<typeof passwordForm>> = {
  form: passwordForm,
  async show(interaction, refusal, typed) {
    const { frame, action, token, clientName } = interaction;
    const email = typed.email ?? (await sessionEmail(interaction));
    const newPhone = (typed.newPhone ?? interaction.ctx.query['new-phone']) === 'yes';
    const newPhoneUrl = `${action}?new-phone=yes`;
    const at = (step: string) => `/interaction/${interaction.record.uid}/${step}`;
    const ways = {
      forgottenPasswordUrl: at('forgotten-password'),
      emailedCodeUrl: at('password-and-code'),
      newPhoneUrl,
    };
    return <PasswordPage {...{ ...ways, frame, action, token, clientName, email, refusal, newPhone }} />;
  },
  async answer(
    { house: context, ctx, record, nextBinding, device: { token } },
    { email, password: secret, newPhone },
  ) {
    if (email.trim() === '') return { code: 'missing-email', field: 'email' };
    if (secret === '') return { code: 'missing-password', field: 'password' };
    if (newPhone) await recordChoice(context.db, record.uid, 'new-phone');
    const attempt = {
      interaction: record.uid,
      rebind: nextBinding.rebind,
      email,
      password: secret,
      device: token,
      origin: ctx.state.origin,
    };
    const slowDown = (ms: number) => (ctx.state.slowDownMs = ms);
    return (await verifyPassword(context.db, context.hasher, context.post, attempt, slowDown)) ?? 'rebound';
  },
};
