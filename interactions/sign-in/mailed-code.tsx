import { z } from 'zod';
import { markEmailVerified } from '../../src/users/users.ts';
import { changeEmail, changeNoticeEmail, emailThrottleSubject } from '../../src/users/profile.ts';
import type { PagePurpose } from '../../src/mfa/mailed-code-purposes.ts';
import { sendMailedCode, verifyMailedCode, revokeMailedCodes } from '../../src/mfa/mailed-code.ts';
import { revokeHelpDeskCode } from '../../src/mfa/recovery-code.ts';
import { translateRefusal, setRetryAfter } from '../ui/refusal.ts';
import { mailedCodeFor } from './steps.ts';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { resendPasswordResetCode } from './forgotten-password.tsx';
import { factorChangeContext } from './interaction-context.ts';
import { Field, Form, SecondaryButton, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type MailedCodePageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** Already masked: `a•••@example.com`. */
  maskedEmail: string;
  /** A new code was just asked for. */
  sentAgain?: boolean;
  /** What the code is for; whether the address has an account is told to nobody. */
  purpose: PagePurpose;
  /** Back to the password, while it may still be remembered. */
  backUrl?: string | undefined;
  refusal?: Refusal | undefined;
};

export function MailedCodePage({
  frame,
  action,
  token,
  maskedEmail,
  sentAgain,
  purpose,
  backUrl,
  refusal,
}: MailedCodePageProps) {
  const t = frame.t.mailedCode;
  return (
    <Layout frame={frame} title={t.title} step="mailed-code" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{purpose === 'forgotten-password' ? t.sentIfKnown : t.sentTo(maskedEmail)}</p>
      <p class="quiet">{t.why[purpose]}</p>
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
      {backUrl && <LinkList ways={[{ href: backUrl, label: t.back }]} />}
    </Layout>
  );
}

const mailedCodeForm = z.object({
  code: z.string().max(200).default(''),
  again: z.literal('yes').optional(),
});

/** `a•••@example.com`: enough to know one's own mailbox by. */
const maskEmail = (email: string) => email.replace(/^(.).*(?=@)/u, '$1•••');

const mailedCodePurpose = ({ progress: signInState }: InteractionContext): PagePurpose =>
  mailedCodeFor(signInState.situation);

/** Where the code goes; the page of a forgotten password shows none, whether somebody has the address or not. */
function recipientEmail({ progress: signInState }: InteractionContext): string | undefined {
  return mailedCodeFor(signInState.situation) === 'enrollment'
    ? signInState.account?.email
    : signInState.waiting?.address;
}

/** Sends another code where this interaction's last one went; an enrolment's goes to the account's address. */
async function sendCodeForPurpose(interaction: InteractionContext) {
  const { db, hasher, post: enqueueMail } = interaction.house;
  const { account: user } = interaction.progress;
  const purpose = mailedCodePurpose(interaction);
  if (purpose === 'forgotten-password') return resendPasswordResetCode(interaction);
  const email = recipientEmail(interaction);
  if (!user || !email) return undefined;
  return sendMailedCode(db, hasher, enqueueMail, {
    purpose,
    interaction: interaction.record.uid,
    origin: interaction.ctx.state.origin,
    recipient: { ...user, email },
    subject: emailThrottleSubject(email),
    requestedBy: { user: user.id },
  });
}

/** An enrolment's code is sent when the page is first seen; a reload finds it under way. */
const sendFirstMailedCode = (interaction: InteractionContext) =>
  mailedCodePurpose(interaction) === 'enrollment' && interaction.progress.waiting?.purpose !== 'enrollment'
    ? sendCodeForPurpose(interaction)
    : Promise.resolve(undefined);

export const mailedCodeStep: StepPage<z.output<typeof mailedCodeForm>> = {
  form: mailedCodeForm,
  async show(interaction, refusal) {
    const { frame, action, token, house: context, record } = interaction;
    const refused = refusal ? undefined : await sendFirstMailedCode(interaction);
    if (refused) setRetryAfter(interaction.ctx, refused);
    const shown = refused
      ? translateRefusal(frame, refused, context.settings.HEMMA_HELP_DESK_CONTACT)
      : refusal;
    const purpose = mailedCodePurpose(interaction);
    const sentAgain = interaction.ctx.query.sent === 'again' && !shown;
    const backUrl = purpose === 'forgotten-password' ? `/interaction/${record.uid}/password` : undefined;
    return (
      <MailedCodePage
        {...{
          frame,
          action,
          token,
          maskedEmail: maskEmail(recipientEmail(interaction) ?? ''),
          sentAgain,
          purpose,
          backUrl,
          refusal: shown,
        }}
      />
    );
  },
  async answer(interaction, { code, again }) {
    const { db, hasher, post: enqueueMail } = interaction.house;
    if (again) {
      const refused = await sendCodeForPurpose(interaction);
      if (refused) return refused;
      interaction.ctx.status = 303;
      interaction.ctx.redirect(`${interaction.action}?sent=again`);
      return 'answered';
    }
    const purpose = mailedCodePurpose(interaction);
    const { account: user } = interaction.progress;
    const attempt = {
      purpose,
      interaction: interaction.record.uid,
      rebind: interaction.nextBinding.rebind,
      origin: interaction.ctx.state.origin,
      code,
      account: user?.id,
    };
    let taken = false;
    const refused = await verifyMailedCode(
      db,
      hasher,
      attempt,
      async (tx, { accountId: userId, address }) => {
        if (purpose === 'new-email') {
          taken = !(await changeEmail(tx, enqueueMail, factorChangeContext(interaction), address));
          if (!taken) {
            await revokeMailedCodes(tx, factorChangeContext(interaction));
            await revokeHelpDeskCode(tx, userId);
          }
        }
        if (purpose === 'notice-email')
          await changeNoticeEmail(tx, enqueueMail, factorChangeContext(interaction), address);
        if (purpose === 'enrollment' || purpose === 'forgotten-password')
          await markEmailVerified(tx, userId, address);
      },
    );
    if (refused) return { ...refused, field: 'code' };
    if (!taken) return purpose === 'forgotten-password' ? 'rebound' : undefined;
    interaction.ctx.status = 303;
    interaction.ctx.redirect(`/interaction/${interaction.record.uid}/new-email?refused=taken`);
    return 'answered';
  },
};
