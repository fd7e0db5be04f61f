import { z } from 'zod';
import { verifyPasswordWithCode } from '../../src/users/passwords.ts';
import { eightDigits } from '../../src/mfa/recovery-code-format.ts';
import { countPasswordAndCode } from '../../src/mfa/mailed-code.ts';
import { Field, Form, PasswordField, SecondaryButton, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { sendToAddress } from './send-to-address.ts';
import { passwordResetEmail } from './state.ts';
import type { StepRefusal, StepPage, InteractionContext } from './interaction-context.ts';

type PasswordAndCodePageProps = {
  frame: Frame;
  action: string;
  token: string;
  email?: string | undefined;
  /** A code was asked for in this interaction; whether anyone got it, the page does not say. */
  sent: boolean;
  sentAgain?: boolean;
  backUrl: string;
  refusal?: Refusal | undefined;
};

export function PasswordAndCodePage(props: PasswordAndCodePageProps) {
  const { frame, action, token, email, sent, sentAgain, backUrl } = props;
  const { passwordAndCode: t, mailedCode } = frame.t;
  return (
    <Layout
      frame={frame}
      title={t.title}
      step="password-and-code"
      scripts={['show-password', 'waiting-button']}
    >
      <h1>{t.title}</h1>
      {sent && <p class="lead">{mailedCode.sentIfKnown}</p>}
      <p class="quiet">{t.why}</p>
      {sentAgain && (
        <p class="done" role="status">
          {mailedCode.sentAgain}
        </p>
      )}
      <PairForm {...props} />
      {email && (
        <section class="aside">
          <p class="quiet">{mailedCode.notArrived}</p>
          <Form action={action} token={token}>
            <input type="hidden" name="email" value={email} />
            <SecondaryButton name="send" value="yes" waiting={mailedCode.sendingAgain}>
              {mailedCode.again}
            </SecondaryButton>
          </Form>
        </section>
      )}
      <LinkList ways={[{ href: backUrl, label: mailedCode.back }]} />
    </Layout>
  );
}

function PairForm({ frame, action, token, email, refusal }: PasswordAndCodePageProps) {
  const { password: t, mailedCode } = frame.t;
  return (
    <Form action={action} token={token} refusal={refusal} fields={['email', 'password', 'code']}>
      <Field
        name="email"
        label={t.email}
        value={email}
        autocomplete="username"
        inputmode="email"
        autofocus={!email}
        refusal={refusal}
      />
      <PasswordField
        t={frame.t}
        name="password"
        label={t.password}
        autocomplete="current-password"
        autofocus={Boolean(email) && refusal?.field === undefined}
        refusal={refusal}
      />
      <Field
        name="code"
        label={mailedCode.code}
        autocomplete="one-time-code"
        inputmode="numeric"
        code
        refusal={refusal}
      />
      <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
    </Form>
  );
}

const form = z.object({
  email: z.string().max(1000).default(''),
  password: z.string().max(1000).default(''),
  code: z.string().max(200).default(''),
  /** The button that sends a code instead. */
  send: z.literal('yes').optional(),
});

type Typed = z.output<typeof form>;

/** Sends a code, and comes back to this page: the same whether a user has the address or not. */
async function send(visit: InteractionContext, email: string): Promise<StepRefusal | 'answered'> {
  const before = passwordResetEmail(visit.progress, 'throttled');
  const refused = await sendToAddress(visit, 'throttled-password', email);
  if (refused) return refused;
  visit.ctx.status = 303;
  visit.ctx.redirect(before === undefined ? visit.action : `${visit.action}?sent=again`);
  return 'answered';
}

/** The same words for every fault. Without a valid code the password is not verified. */
async function verify(
  visit: InteractionContext,
  { email, password, code }: Typed,
): Promise<StepRefusal | 'rebound'> {
  const { db, hasher, post } = visit.house;
  const { origin } = visit.ctx.state;
  const interaction = visit.record.uid;
  const digits = eightDigits(code);
  const counted = digits === undefined ? undefined : await countPasswordAndCode(db, interaction);
  // What cannot be a code is no guess: it is not counted and leaves no audit event.
  if (digits === undefined || !counted) return { code: 'wrong-password-or-code' };
  const device = visit.device.token;
  const refused = await verifyPasswordWithCode(db, hasher, post, {
    interaction,
    rebind: visit.nextBinding.rebind,
    email,
    password,
    device,
    origin,
    digits,
    code: counted,
  });
  return refused ?? 'rebound';
}

export const passwordAndCode: StepPage<Typed> = {
  form,
  show({ frame, action, token, record, progress, ctx }, refusal, typed) {
    const chosen = passwordResetEmail(progress, 'throttled');
    const email = typed.email ?? chosen;
    const sent = chosen !== undefined && refusal?.code !== 'throttled';
    const sentAgain = ctx.query.sent === 'again' && !refusal;
    const backUrl = `/interaction/${record.uid}/password`;
    return <PasswordAndCodePage {...{ frame, action, token, email, sent, sentAgain, backUrl, refusal }} />;
  },
  answer(visit, typed) {
    if (typed.email.trim() === '') return Promise.resolve({ code: 'missing-email', field: 'email' });
    if (typed.send) return send(visit, typed.email);
    if (typed.password === '') return Promise.resolve({ code: 'missing-password', field: 'password' });
    if (typed.code.trim() === '') return Promise.resolve({ code: 'missing-mailed-code', field: 'code' });
    return verify(visit, typed);
  },
};
