import { z } from 'zod';
import { codeSent, sendCode, verifyMailedCode } from '../../src/factors/mailed-code.ts';
import { inWords } from '../page/refusal.ts';
import type { StepPage, Visit } from './visit.ts';
import { accountOf, attemptOf } from './visit.ts';
import { Field, Form, SecondaryButton, SubmitButton } from '../page/form.tsx';
import type { Refusal } from '../page/form.tsx';
import { Layout } from '../page/layout.tsx';
import type { Frame } from '../page/layout.tsx';

type MailedCodePageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** Already masked: `a•••@example.com`. */
  maskedEmail: string;
  /** A new code was just asked for. */
  sentAgain?: boolean;
  refusal?: Refusal | undefined;
};

export function MailedCodePage({
  frame,
  action,
  token,
  maskedEmail,
  sentAgain,
  refusal,
}: MailedCodePageProps) {
  const t = frame.t.mailedCode;
  return (
    <Layout frame={frame} title={t.title} step="mailed-code" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.sentTo(maskedEmail)}</p>
      <p class="quiet">{t.why}</p>
      {sentAgain && (
        <p class="done" role="status">
          {t.sentAgain}
        </p>
      )}
      <Form action={action} token={token} refusal={refusal} fields={['code']}>
        <Field
          name="code"
          label={t.code}
          autocomplete="one-time-code"
          inputmode="numeric"
          code
          autofocus
          refusal={refusal}
        />
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
      <section class="aside">
        <p class="quiet">{t.notArrived}</p>
        <Form action={action} token={token}>
          <SecondaryButton name="again" value="yes" waiting={t.sendingAgain}>
            {t.again}
          </SecondaryButton>
        </Form>
      </section>
    </Layout>
  );
}

const form = z.object({ code: z.string().max(200).default(''), again: z.literal('yes').optional() });

/** `a•••@example.com`: enough to know one's own mailbox by. */
const masked = (email: string) => email.replace(/^(.).*(?=@)/u, '$1•••');

/** A code is sent when the page is first seen; a reload finds it under way. */
async function begin(visit: Visit) {
  const { db, hasher, post } = visit.house;
  if (await codeSent(db, visit.record.uid, accountOf(visit).id)) return undefined;
  return sendCode(db, hasher, post, attemptOf(visit));
}

export const mailedCode: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal, typed) {
    const { frame, action, token, house } = visit;
    const refused = refusal ? undefined : await begin(visit);
    const shown = refused ? inWords(frame, refused, house.settings.HEMMA_HELP_DESK_CONTACT) : refusal;
    const maskedEmail = masked(accountOf(visit).email);
    const sentAgain = typed.again === 'yes' && !shown;
    return <MailedCodePage {...{ frame, action, token, maskedEmail, sentAgain, refusal: shown }} />;
  },
  async answer(visit, { code, again }) {
    const { db, hasher, post } = visit.house;
    if (again) return sendCode(db, hasher, post, attemptOf(visit));
    const refused = await verifyMailedCode(db, hasher, { ...attemptOf(visit), code });
    return refused && { ...refused, field: 'code' };
  },
};
