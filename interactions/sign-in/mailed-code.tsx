import { z } from 'zod';
import { noteEmailProved } from '../../src/users/users.ts';
import { changeEmail, changeNoticeEmail, emailSubject } from '../../src/users/profile.ts';
import type { PagePurpose } from '../../src/mfa/mailed-code.ts';
import { sendCode, verifyMailedCode, voidMailedCodes } from '../../src/mfa/mailed-code.ts';
import { voidHelpDeskCode } from '../../src/mfa/recovery-code.ts';
import { inWords, sayWhen } from '../ui/refusal.ts';
import { mailedCodeFor } from './steps.ts';
import type { StepPage, Visit } from './interaction-context.ts';
import { resendForgotten } from './forgotten-password.tsx';
import { changeOf } from './interaction-context.ts';
import { Field, Form, SecondaryButton, SubmitButton, Ways } from '../ui/form.tsx';
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
      {backUrl && <Ways ways={[{ href: backUrl, label: t.back }]} />}
    </Layout>
  );
}

const form = z.object({ code: z.string().max(200).default(''), again: z.literal('yes').optional() });

/** `a•••@example.com`: enough to know one's own mailbox by. */
const masked = (email: string) => email.replace(/^(.).*(?=@)/u, '$1•••');

const purposeOf = ({ progress }: Visit): PagePurpose => mailedCodeFor(progress.situation);

/** Where the code goes; the page of a forgotten password shows none, whether somebody has the address or not. */
function addressOf({ progress }: Visit): string | undefined {
  return mailedCodeFor(progress.situation) === 'enrollment'
    ? progress.account?.email
    : progress.waiting?.address;
}

/** Sends another code where this interaction's last one went; an enrolment's goes to the account's address. */
async function send(visit: Visit) {
  const { db, hasher, post } = visit.house;
  const { account } = visit.progress;
  const purpose = purposeOf(visit);
  if (purpose === 'forgotten-password') return resendForgotten(visit);
  const email = addressOf(visit);
  if (!account || !email) return undefined;
  return sendCode(db, hasher, post, {
    purpose,
    interaction: visit.record.uid,
    origin: visit.ctx.state.origin,
    recipient: { ...account, email },
    subject: emailSubject(email),
    requestedBy: { user: account.id },
  });
}

/** An enrolment's code is sent when the page is first seen; a reload finds it under way. */
const begin = (visit: Visit) =>
  purposeOf(visit) === 'enrollment' && visit.progress.waiting?.purpose !== 'enrollment'
    ? send(visit)
    : Promise.resolve(undefined);

export const mailedCode: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal) {
    const { frame, action, token, house, record } = visit;
    const refused = refusal ? undefined : await begin(visit);
    if (refused) sayWhen(visit.ctx, refused);
    const shown = refused ? inWords(frame, refused, house.settings.HEMMA_HELP_DESK_CONTACT) : refusal;
    const purpose = purposeOf(visit);
    const sentAgain = visit.ctx.query.sent === 'again' && !shown;
    const backUrl = purpose === 'forgotten-password' ? `/interaction/${record.uid}/password` : undefined;
    return (
      <MailedCodePage
        {...{
          frame,
          action,
          token,
          maskedEmail: masked(addressOf(visit) ?? ''),
          sentAgain,
          purpose,
          backUrl,
          refusal: shown,
        }}
      />
    );
  },
  async answer(visit, { code, again }) {
    const { db, hasher, post } = visit.house;
    if (again) {
      const refused = await send(visit);
      if (refused) return refused;
      visit.ctx.status = 303;
      visit.ctx.redirect(`${visit.action}?sent=again`);
      return 'answered';
    }
    const purpose = purposeOf(visit);
    const { account } = visit.progress;
    const attempt = {
      purpose,
      interaction: visit.record.uid,
      rebind: visit.nextBinding.rebind,
      origin: visit.ctx.state.origin,
      code,
      account: account?.id,
    };
    let taken = false;
    const refused = await verifyMailedCode(db, hasher, attempt, async (open, { accountId, address }) => {
      if (purpose === 'new-email') {
        taken = !(await changeEmail(open, post, changeOf(visit), address));
        if (!taken) {
          await voidMailedCodes(open, changeOf(visit));
          await voidHelpDeskCode(open, accountId);
        }
      }
      if (purpose === 'notice-email') await changeNoticeEmail(open, post, changeOf(visit), address);
      if (purpose === 'enrollment' || purpose === 'forgotten-password')
        await noteEmailProved(open, accountId, address);
    });
    if (refused) return { ...refused, field: 'code' };
    if (!taken) return purpose === 'forgotten-password' ? 'rebound' : undefined;
    visit.ctx.status = 303;
    visit.ctx.redirect(`/interaction/${visit.record.uid}/new-email?refused=taken`);
    return 'answered';
  },
};
