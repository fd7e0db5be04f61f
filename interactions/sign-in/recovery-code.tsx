import { z } from 'zod';
import { findOpenCase } from '../../src/help-desk/cases.ts';
import { reserveRecoveryCode } from '../../src/mfa/recovery-code.ts';
import { Field, Form, SecondaryButton, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { recordChoice } from './state.ts';
import { isStepOpen } from './steps.ts';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser, attemptContext } from './interaction-context.ts';

type RecoveryCodePageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** The code was typed already, here or among the six digits: only the question about the phone is left. */
  right: boolean;
  /** What follows: the question about the phone; its replacement anyway; or another deed, which needs neither. */
  next: 'ask' | 'replace' | 'go-on';
  helpDesk: string;
  /** Where a case is opened; absent where the password was not typed. */
  helpDeskUrl?: string | undefined;
  /** The help desk may have mailed a code: a case is open. */
  awaited: boolean;
  anotherWayUrl?: string | undefined;
  refusal?: Refusal | undefined;
};

/** One screen: the code, and what became of the phone. The answer is the button. */
export function RecoveryCodePage(props: RecoveryCodePageProps) {
  const { frame, action, token, right, refusal, helpDesk, helpDeskUrl, anotherWayUrl, awaited } = props;
  const t = frame.t.recoveryCode;
  const title = right ? t.gone : t.title;
  return (
    <Layout frame={frame} title={title} step="recovery-code" scripts={['waiting-button']}>
      <h1>{title}</h1>
      {right && (
        <p class="done" role="status">
          {t.right}
        </p>
      )}
      <Form action={action} token={token} refusal={refusal} fields={right ? [] : ['code']}>
        {!right && (
          <Field
            name="code"
            label={t.code}
            help={awaited ? t.awaitedHelp : t.help}
            autocomplete="off"
            code
            autofocus
            refusal={refusal}
          />
        )}
        <PhoneQuestion {...props} />
      </Form>
      {!right && !helpDeskUrl && (
        <details>
          <summary>{t.noCode}</summary>
          <p class="quiet">{t.noCodeHelp(helpDesk)}</p>
        </details>
      )}
      {!right && (
        <LinkList
          ways={[
            ...(helpDeskUrl ? [{ href: helpDeskUrl, label: t.noCode }] : []),
            ...(anotherWayUrl ? [{ href: anotherWayUrl, label: frame.t.anotherWay.title }] : []),
          ]}
        />
      )}
    </Layout>
  );
}

function PhoneQuestion({ frame, right, next }: RecoveryCodePageProps) {
  const t = frame.t.recoveryCode;
  if (next === 'go-on') return <SubmitButton waiting={t.waiting}>{t.goOn}</SubmitButton>;
  if (next === 'replace') {
    return (
      <SubmitButton name="phoneGone" value="yes" waiting={t.waiting}>
        {t.goneYes}
      </SubmitButton>
    );
  }
  return (
    <fieldset class="question">
      <legend class={right ? 'unseen' : undefined}>{t.gone}</legend>
      <p class="quiet">{t.goneHelp}</p>
      <SubmitButton name="phoneGone" value="yes" waiting={t.waiting}>
        {t.goneYes}
      </SubmitButton>
      <SecondaryButton name="phoneGone" value="no" waiting={t.waiting}>
        {t.goneNo}
      </SecondaryButton>
    </fieldset>
  );
}

const recoveryCodeForm = z.object({
  code: z.string().max(200).default(''),
  phoneGone: z.enum(['yes', 'no']).optional(),
});

export const recoveryCodeStep: StepPage<z.output<typeof recoveryCodeForm>> = {
  form: recoveryCodeForm,
  async show(interaction, refusal) {
    const { house: context, frame, action, token, record, progress: signInState } = interaction;
    const right = signInState.situation.proved.has('recovery-code');
    const { intent, account: user } = signInState.situation;
    const replaces = intent === 'replace_authenticator' || user?.authenticator === 'off';
    const next = intent === 'deactivate_two_step' ? 'go-on' : replaces ? 'replace' : 'ask';
    const helpDesk = context.settings.HEMMA_HELP_DESK_CONTACT;
    const anotherWayUrl = `/interaction/${record.uid}/another-way`;
    const mayAsk = isStepOpen(signInState.situation, 'help-desk');
    const helpDeskUrl = mayAsk ? `/interaction/${record.uid}/help-desk` : undefined;
    // Asked only where it may be told: whoever opened a case has typed the password.
    const awaited = mayAsk && (await findOpenCase(context.db, verifiedUser(interaction).id)) !== undefined;
    const ways = { helpDesk, helpDeskUrl, anotherWayUrl, awaited };
    return <RecoveryCodePage {...{ frame, action, token, right, next, ...ways, refusal }} />;
  },
  async answer(interaction, { code, phoneGone }) {
    const { house: context, record, progress: signInState } = interaction;
    if (!signInState.situation.proved.has('recovery-code')) {
      // Nothing typed; or typed earlier, and another window entered the code since.
      if (code.trim() === '') return { code: 'missing-recovery-code', field: 'code' };
      const refused = await reserveRecoveryCode(context.db, context.hasher, context.post, {
        ...attemptContext(interaction),
        code,
      });
      if (refused) return { ...refused, field: 'code' };
    }
    // A sign-in that is for a new phone asks nothing about the old one: whoever thinks better of it is asked then.
    if (phoneGone && signInState.situation.intent !== 'replace_authenticator')
      await recordChoice(context.db, record.uid, phoneGone === 'yes' ? 'phone-gone' : 'phone-kept');
    return undefined;
  },
};
