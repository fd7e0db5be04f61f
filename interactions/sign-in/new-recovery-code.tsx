import { z } from 'zod';
import { confirmRecoveryCode, issuePendingCode } from '../../src/mfa/recovery-code.ts';
import { isTicked, SignOutOthers, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser, factorChangeContext } from './interaction-context.ts';
import { formatDate } from '../../src/i18n/phrases.ts';
import { Field, Form, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type NewRecoveryCodePageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** As it is shown: `XXXX-XXXX-XXXX-XXXX-XXXX`. */
  recoveryCode: string;
  /** Stand on the kept copy, on paper or in the file. */
  email: string;
  issued: Date;
  /** Whether "sign out on all other devices" is ticked; undefined where an earlier page of this sign-in asked it. */
  endOthers?: boolean | undefined;
  refusal?: Refusal | undefined;
};

/** The quietest page of all: the code, three ways to keep it, one field, one button. */
export function NewRecoveryCodePage(props: NewRecoveryCodePageProps) {
  const { frame, action, token, recoveryCode, endOthers, refusal } = props;
  const t = frame.t.newRecoveryCode;
  return (
    <Layout
      frame={frame}
      title={t.title}
      step="new-recovery-code"
      scripts={['recovery-code', 'waiting-button']}
    >
      <h1>{t.title}</h1>
      <p class="lead">{t.help}</p>
      <div class="keepsake">
        <h2 class="on-paper">{t.keepsake(frame.brand.name)}</h2>
        <p class="on-paper">{props.email}</p>
        <p class="recovery-code" data-recovery-code={recoveryCode}>
          <CodeGroups of={recoveryCode} />
        </p>
        <p class="on-paper">{t.keepsakeHelp}</p>
        <p class="on-paper">{t.issued(formatDate(frame.locale, props.issued))}</p>
      </div>
      <SaveOptions {...props} />
      <Form action={action} token={token} refusal={refusal} fields={['lastGroup']}>
        <Field name="lastGroup" label={t.typeBack} autocomplete="off" code refusal={refusal} />
        {endOthers !== undefined && <SignOutOthers frame={frame} ticked={endOthers} />}
        <SubmitButton waiting={t.waiting}>{t.submit}</SubmitButton>
      </Form>
    </Layout>
  );
}

/** The groups keep together when the line breaks; selecting the text gives the code with its hyphens. */
function CodeGroups({ of: code }: { of: string }) {
  const groups = code.split('-');
  return groups.map((group, place) => (
    <span key={place}>
      {group}
      {place < groups.length - 1 && '-'}
    </span>
  ));
}

function SaveOptions({ frame, recoveryCode, email, issued }: NewRecoveryCodePageProps) {
  const t = frame.t.newRecoveryCode;
  const savedText = [
    t.keepsake(frame.brand.name),
    email,
    recoveryCode,
    t.keepsakeHelp,
    t.issued(formatDate(frame.locale, issued)),
  ];
  return (
    <>
      <p class="quiet" data-without-script>
        {t.withoutScript}
      </p>
      <div class="keep" hidden data-keep={savedText.join('\n\n')} data-file-name={t.fileName}>
        <button type="button" class="button secondary" data-keep-by="copy" data-done={t.copied}>
          <span aria-live="polite">{t.copy}</span>
        </button>
        <button type="button" class="button secondary" data-keep-by="download">
          <span>{t.download}</span>
        </button>
        <button type="button" class="button secondary" data-keep-by="print">
          <span>{t.print}</span>
        </button>
      </div>
    </>
  );
}

const newRecoveryCodeForm = z.object({ lastGroup: z.string().max(200).default(''), ...signOutOthersFields });

export const newRecoveryCodeStep: StepPage<z.output<typeof newRecoveryCodeForm>> = {
  form: newRecoveryCodeForm,
  async show(interaction, refusal, typed) {
    const { house: context, record, progress: signInState, frame, action, token } = interaction;
    const user = verifiedUser(interaction);
    const recoveryCode = await issuePendingCode(context.db, context.vault, context.hasher, {
      account: user,
      interaction: record.uid,
      offered: signInState.situation.codeOffered,
    });
    const { email } = user;
    const endOthers = signInState.authenticatorBound ? undefined : isTicked(refusal, typed);
    const shown = { recoveryCode, email, issued: new Date(), endOthers };
    return <NewRecoveryCodePage {...{ frame, action, token, refusal }} {...shown} />;
  },
  async answer(interaction, { lastGroup, endOtherSessions }) {
    const { db, vault: encryption, post: enqueueMail, aftermath: after } = interaction.house;
    const refused = await confirmRecoveryCode(db, encryption, enqueueMail, after.endWeakerSignIns, {
      ...factorChangeContext(interaction),
      lastGroup,
      endOtherSessions: endOtherSessions === 'yes',
    });
    return refused && { ...refused, field: 'lastGroup' };
  },
};
