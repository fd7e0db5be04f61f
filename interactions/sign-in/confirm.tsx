import { z } from 'zod';
import { normalizeEmail } from '../../src/users/users.ts';
import { deleteUser } from '../../src/users/profile.ts';
import { checkRecoveryCode } from '../../src/mfa/recovery-code.ts';
import { deactivateMfa } from '../../src/mfa/two-step.ts';
import { Field, Form, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { isTicked, SignOutOthers, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage, InteractionContext } from './interaction-context.ts';
import { verifiedUser, attemptContext, factorChangeContext } from './interaction-context.ts';

type ConfirmableIntent = 'deactivate_two_step' | 'check_recovery_code' | 'delete_account';

type ConfirmPageProps = {
  frame: Frame;
  action: string;
  token: string;
  deed: ConfirmableIntent;
  endOthers: boolean;
  refusal?: Refusal | undefined;
};

/** The last page of a deed: what happens, and a button that names it; the frame says whose account. Nothing happens before. */
export function ConfirmPage({
  frame,
  action,
  token,
  deed: auditEvent,
  endOthers,
  refusal,
}: ConfirmPageProps) {
  const t = frame.t.confirm[auditEvent];
  return (
    <Layout frame={frame} title={t.title} step="confirm" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.consequence}</p>
      <Form action={action} token={token} refusal={refusal} fields={['code', 'email']}>
        <ConfirmForm {...{ frame, deed: auditEvent, endOthers, refusal }} />
        <SubmitButton name="choice" value="do" waiting={frame.t.form.waiting}>
          {t.button}
        </SubmitButton>
      </Form>
    </Layout>
  );
}

/** What a deed asks besides its button. */
function ConfirmForm({
  frame,
  deed: auditEvent,
  endOthers,
  refusal,
}: Pick<ConfirmPageProps, 'frame' | 'deed' | 'endOthers' | 'refusal'>) {
  if (auditEvent === 'check_recovery_code') {
    return (
      <Field
        name="code"
        label={frame.t.recoveryCode.code}
        autocomplete="off"
        code
        autofocus
        refusal={refusal}
      />
    );
  }
  if (auditEvent === 'delete_account') {
    const label = frame.t.confirm.delete_account.typeEmail;
    return <Field name="email" label={label} autocomplete="off" inputmode="email" refusal={refusal} />;
  }
  return <SignOutOthers frame={frame} ticked={endOthers} />;
}

const confirmForm = z.object({
  choice: z.literal('do').default('do'),
  code: z.string().max(200).default(''),
  ...signOutOthersFields,
  email: z.string().max(1000).default(''),
});

function intentToConfirm({ progress: signInState }: InteractionContext): ConfirmableIntent {
  const { intent } = signInState.situation;
  return intent === 'check_recovery_code' || intent === 'delete_account' ? intent : 'deactivate_two_step';
}

/** The account is gone, and with it the session and this sign-in: the page that says so is the last one. */
async function deleteUserAccount(interaction: InteractionContext, email: string) {
  const { db, post: enqueueMail, aftermath: userChangeHooks } = interaction.house;
  if (normalizeEmail(email) !== verifiedUser(interaction).email)
    return { code: 'wrong-email', field: 'email' } as const;
  const deleted = await deleteUser(db, enqueueMail, userChangeHooks, factorChangeContext(interaction));
  if (typeof deleted === 'object') return deleted;
  // Shut out while it waited for its turn: nothing was deleted, and the sign-in begins anew.
  if (!deleted) return undefined;
  interaction.ctx.type = 'html';
  const frame = { ...interaction.frame, deed: undefined, decline: undefined };
  interaction.ctx.body = renderPage(frame, <AccountDeletedPage frame={frame} />);
  return 'answered' as const;
}

function AccountDeletedPage({ frame }: { frame: Frame }) {
  const t = frame.t.confirm.delete_account;
  return (
    <Layout frame={frame} title={t.goneTitle} step="account-deleted">
      <h1>{t.goneTitle}</h1>
      <p class="lead">{t.gone}</p>
    </Layout>
  );
}

export const confirmStep: StepPage<z.output<typeof confirmForm>> = {
  form: confirmForm,
  show(interaction, refusal, typed) {
    const { frame, action, token } = interaction;
    const endOthers = isTicked(refusal, typed);
    return (
      <ConfirmPage {...{ frame, action, token, deed: intentToConfirm(interaction), endOthers, refusal }} />
    );
  },
  async answer(interaction, { code, endOtherSessions, email }) {
    const { db, hasher, post: enqueueMail, aftermath: userChangeHooks } = interaction.house;
    if (intentToConfirm(interaction) === 'delete_account') return deleteUserAccount(interaction, email);
    if (intentToConfirm(interaction) === 'check_recovery_code') {
      const refused = await checkRecoveryCode(db, hasher, enqueueMail, {
        ...attemptContext(interaction),
        code,
      });
      return refused && { ...refused, field: 'code' };
    }
    await deactivateMfa(db, enqueueMail, userChangeHooks, {
      ...factorChangeContext(interaction),
      endOtherSessions: endOtherSessions === 'yes',
    });
    return undefined;
  },
};
