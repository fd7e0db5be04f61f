import { z } from 'zod';
import { emailKey, isEmail } from '../../src/users/users.ts';
import { changeNoticeEmail, emailSubject } from '../../src/users/profile.ts';
import { sendCode } from '../../src/mfa/mailed-code.ts';
import { Field, Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { inWords } from '../ui/refusal.ts';
import type { StepPage, Visit } from './interaction-context.ts';
import { accountOf, changeOf } from './interaction-context.ts';

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

const form = z.object({
  email: z.string().max(1000).default(''),
  choice: z.literal('remove').optional(),
});

const purposeOf = ({ progress }: Visit) =>
  progress.situation.intent === 'change_notice_email' ? 'notice-email' : 'new-email';

export const newEmail: StepPage<z.output<typeof form>> = {
  form,
  show(visit, refusal, { email }) {
    const { frame, action, token, house, ctx } = visit;
    const purpose = purposeOf(visit);
    const second = purpose === 'notice-email' ? accountOf(visit).noticeEmail : undefined;
    const taken = ctx.query.refused === 'taken' && purpose === 'new-email';
    const shown =
      refusal ??
      (taken ? inWords(frame, { code: 'email-taken' }, house.settings.HEMMA_HELP_DESK_CONTACT) : undefined);
    return <NewEmailPage {...{ frame, action, token, purpose, second, email, refusal: shown }} />;
  },
  async answer(visit, { email, choice }) {
    const { db, hasher, post } = visit.house;
    const purpose = purposeOf(visit);
    if (choice === 'remove' && purpose === 'notice-email') {
      await db.transaction((open) => changeNoticeEmail(open, post, changeOf(visit), undefined));
      return undefined;
    }
    const address = emailKey(email);
    if (!isEmail(address)) return { code: 'malformed-email', field: 'email' };
    const { email: current } = accountOf(visit);
    if (address === current) return { code: 'same-email', field: 'email' };
    // Whether another account has the address is found out at the deed; it is told to whoever reads mail there alone.
    return sendCode(db, hasher, post, {
      purpose,
      interaction: visit.record.uid,
      origin: visit.ctx.state.origin,
      recipient: { ...accountOf(visit), email: address },
      subject: emailSubject(address),
      requestedBy: { user: accountOf(visit).id },
    });
  },
};
