import { z } from 'zod';
import { looksLikeRecoveryCode } from '../../src/mfa/recovery-code-format.ts';
import { reserveRecoveryCode } from '../../src/mfa/recovery-code.ts';
import { verifyTotp } from '../../src/mfa/totp.ts';
import { translateRefusal } from '../ui/refusal.ts';
import { recordChoice } from './state.ts';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser, attemptContext } from './interaction-context.ts';
import { Choice, Form, RefusalNotice, SixDigitField, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type TotpPageProps = {
  frame: Frame;
  action: string;
  token: string;
  email: string;
  /** False for a step-up and wherever a remembered device is not good enough. */
  mayRemember: boolean;
  anotherWayUrl?: string | undefined;
  /** Where "New or lost phone?" leads. */
  lostPhoneUrl?: string | undefined;
  /** "Lost my phone" where the phone is to be taken away, "New or lost phone?" elsewhere. */
  lost?: boolean;
  refusal?: Refusal | undefined;
};

export function TotpPage(props: TotpPageProps) {
  const { frame, email, refusal } = props;
  const t = frame.t.totp;
  const disabled = refusal?.code === 'authenticator-disabled';
  const title = disabled ? t.disabledTitle : t.title;
  return (
    <Layout frame={frame} title={title} step="totp" scripts={['six-digits', 'waiting-button']}>
      <h1>{title}</h1>
      <p class="lead">{frame.t.form.signingInAs(email)}</p>
      {disabled ? <RefusalNotice refusal={refusal} /> : <TotpForm {...props} />}
      <LinkList ways={alternativeLinks(props)} />
    </Layout>
  );
}

function TotpForm({ frame, action, token, mayRemember, refusal }: TotpPageProps) {
  const t = frame.t.totp;
  return (
    <Form action={action} token={token} refusal={refusal} fields={['code']}>
      {/* Before the digits: the sixth of them sends the form, and a box below would come too late. */}
      {mayRemember && <Choice name="rememberDevice" value="yes" label={t.remember} />}
      <SixDigitField label={t.code} help={t.help} refusal={refusal} />
      <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
    </Form>
  );
}

function alternativeLinks({ frame, anotherWayUrl, lostPhoneUrl, lost }: TotpPageProps) {
  const { anotherWay, newOrLost, lostMyPhone } = frame.t.totp;
  return [
    ...(anotherWayUrl ? [{ href: anotherWayUrl, label: anotherWay }] : []),
    ...(lostPhoneUrl ? [{ href: lostPhoneUrl, label: lost ? lostMyPhone : newOrLost }] : []),
  ];
}

const totpForm = z.object({
  code: z.string().max(200).default(''),
  rememberDevice: z.literal('yes').optional(),
});

export const totpStep: StepPage<z.output<typeof totpForm>> = {
  form: totpForm,
  show(interaction, refusal) {
    const { house: context, frame, action, token, progress: signInState } = interaction;
    const { email } = verifiedUser(interaction);
    const off = signInState.authenticator?.disabledAt
      ? translateRefusal(frame, { code: 'authenticator-disabled' }, context.settings.HEMMA_HELP_DESK_CONTACT)
      : refusal;
    const mayRemember = signInState.situation.demand.level < 2;
    const at = (step: string) => `/interaction/${interaction.record.uid}/${step}`;
    const lost = signInState.situation.intent === 'deactivate_two_step';
    // The article presses "Lost my phone" and then chooses the code, so there it leads to the chooser.
    const ways = {
      anotherWayUrl: at('another-way'),
      lostPhoneUrl: at(lost ? 'another-way' : 'recovery-code'),
      lost,
    };
    return <TotpPage {...{ frame, action, token, email, mayRemember, refusal: off, ...ways }} />;
  },
  async answer(interaction, { code, rememberDevice }) {
    const { house: context, record } = interaction;
    // Somebody types what they have where there is a field: a recovery code is taken here, too.
    if (looksLikeRecoveryCode(code)) {
      const refused = await reserveRecoveryCode(context.db, context.hasher, context.post, {
        ...attemptContext(interaction),
        code,
      });
      return refused && { ...refused, field: 'code' };
    }
    const refused = await verifyTotp(context.db, context.vault, context.post, {
      ...attemptContext(interaction),
      code,
    });
    if (refused) return { ...refused, field: 'code' };
    // Only what stood in the form that was right counts.
    if (rememberDevice) await recordChoice(context.db, record.uid, 'remember-device');
    return undefined;
  },
};
