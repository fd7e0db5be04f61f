import { z } from 'zod';
import { looksLikeCode } from '../../src/mfa/recovery-code-format.ts';
import { claimCode } from '../../src/mfa/recovery-code.ts';
import { verifyTotp } from '../../src/mfa/totp.ts';
import { inWords } from '../ui/refusal.ts';
import { noteChoice } from './state.ts';
import type { StepPage } from './interaction-context.ts';
import { accountOf, attemptOf } from './interaction-context.ts';
import { Choice, Form, RefusalNotice, SixDigitField, SubmitButton, Ways } from '../ui/form.tsx';
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
      {disabled ? <RefusalNotice refusal={refusal} /> : <CodeForm {...props} />}
      <Ways ways={waysOn(props)} />
    </Layout>
  );
}

function CodeForm({ frame, action, token, mayRemember, refusal }: TotpPageProps) {
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

function waysOn({ frame, anotherWayUrl, lostPhoneUrl, lost }: TotpPageProps) {
  const { anotherWay, newOrLost, lostMyPhone } = frame.t.totp;
  return [
    ...(anotherWayUrl ? [{ href: anotherWayUrl, label: anotherWay }] : []),
    ...(lostPhoneUrl ? [{ href: lostPhoneUrl, label: lost ? lostMyPhone : newOrLost }] : []),
  ];
}

const form = z.object({ code: z.string().max(200).default(''), rememberDevice: z.literal('yes').optional() });

export const totp: StepPage<z.output<typeof form>> = {
  form,
  show(visit, refusal) {
    const { house, frame, action, token, progress } = visit;
    const { email } = accountOf(visit);
    const off = progress.authenticator?.disabledAt
      ? inWords(frame, { code: 'authenticator-disabled' }, house.settings.HEMMA_HELP_DESK_CONTACT)
      : refusal;
    const mayRemember = progress.situation.demand.level < 2;
    const at = (step: string) => `/interaction/${visit.record.uid}/${step}`;
    const lost = progress.situation.intent === 'deactivate_two_step';
    // The article presses "Lost my phone" and then chooses the code, so there it leads to the chooser.
    const ways = {
      anotherWayUrl: at('another-way'),
      lostPhoneUrl: at(lost ? 'another-way' : 'recovery-code'),
      lost,
    };
    return <TotpPage {...{ frame, action, token, email, mayRemember, refusal: off, ...ways }} />;
  },
  async answer(visit, { code, rememberDevice }) {
    const { house, record } = visit;
    // Somebody types what they have where there is a field: a recovery code is taken here, too.
    if (looksLikeCode(code)) {
      const refused = await claimCode(house.db, house.hasher, house.post, { ...attemptOf(visit), code });
      return refused && { ...refused, field: 'code' };
    }
    const refused = await verifyTotp(house.db, house.vault, house.post, { ...attemptOf(visit), code });
    if (refused) return { ...refused, field: 'code' };
    // Only what stood in the form that was right counts.
    if (rememberDevice) await noteChoice(house.db, record.uid, 'remember-device');
    return undefined;
  },
};
