import { z } from 'zod';
import { emailKey, isEmail } from '../../src/accounts/accounts.ts';
import { emailSubject } from '../../src/accounts/changes.ts';
import { sendCode } from '../../src/factors/mailed-code.ts';
import { Field, Form, SubmitButton } from '../page/form.tsx';
import type { Refusal } from '../page/form.tsx';
import { Layout } from '../page/layout.tsx';
import type { Frame } from '../page/layout.tsx';
import type { StepPage } from './visit.ts';
import { accountOf } from './visit.ts';

type NewEmailPageProps = {
  frame: Frame;
  action: string;
  token: string;
  current: string;
  email?: string | undefined;
  refusal?: Refusal | undefined;
};

export function NewEmailPage({ frame, action, token, current, email, refusal }: NewEmailPageProps) {
  const t = frame.t.newEmail;
  return (
    <Layout frame={frame} title={t.title} step="new-email" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{frame.t.confirm.account(current)}</p>
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
    </Layout>
  );
}

const form = z.object({ email: z.string().max(1000).default('') });

export const newEmail: StepPage<z.output<typeof form>> = {
  form,
  show(visit, refusal, { email }) {
    const { frame, action, token } = visit;
    return <NewEmailPage {...{ frame, action, token, current: accountOf(visit).email, email, refusal }} />;
  },
  async answer(visit, { email }) {
    const address = emailKey(email);
    if (!isEmail(address)) return { code: 'malformed-email', field: 'email' };
    const { db, hasher, post } = visit.house;
    // Whether another account has the address is found out at the deed; it is told to whoever reads mail there alone.
    return sendCode(db, hasher, post, {
      purpose: 'new-email',
      interaction: visit.record.uid,
      origin: visit.ctx.state.origin,
      recipient: { ...accountOf(visit), email: address },
      subject: emailSubject(address),
    });
  },
};
