import { z } from 'zod';
import { emailKey } from '../../src/users/users.ts';
import { deleteAccount } from '../../src/users/profile.ts';
import { checkCode } from '../../src/mfa/recovery-code.ts';
import { deactivate } from '../../src/mfa/two-step.ts';
import { Field, Form, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';
import { isTicked, SignOutOthers, signOutOthersFields } from './sign-out-others.tsx';
import type { StepPage, Visit } from './interaction-context.ts';
import { accountOf, attemptOf, changeOf } from './interaction-context.ts';

type Deed = 'deactivate_two_step' | 'check_recovery_code' | 'delete_account';

type ConfirmPageProps = {
  frame: Frame;
  action: string;
  token: string;
  deed: Deed;
  endOthers: boolean;
  refusal?: Refusal | undefined;
};

/** The last page of a deed: what happens, and a button that names it; the frame says whose account. Nothing happens before. */
export function ConfirmPage({ frame, action, token, deed, endOthers, refusal }: ConfirmPageProps) {
  const t = frame.t.confirm[deed];
  return (
    <Layout frame={frame} title={t.title} step="confirm" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.consequence}</p>
      <Form action={action} token={token} refusal={refusal} fields={['code', 'email']}>
        <Asked {...{ frame, deed, endOthers, refusal }} />
        <SubmitButton name="choice" value="do" waiting={frame.t.form.waiting}>
          {t.button}
        </SubmitButton>
      </Form>
    </Layout>
  );
}

/** What a deed asks besides its button. */
function Asked({
  frame,
  deed,
  endOthers,
  refusal,
}: Pick<ConfirmPageProps, 'frame' | 'deed' | 'endOthers' | 'refusal'>) {
  if (deed === 'check_recovery_code') {
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
  if (deed === 'delete_account') {
    const label = frame.t.confirm.delete_account.typeEmail;
    return <Field name="email" label={label} autocomplete="off" inputmode="email" refusal={refusal} />;
  }
  return <SignOutOthers frame={frame} ticked={endOthers} />;
}

const form = z.object({
  choice: z.literal('do').default('do'),
  code: z.string().max(200).default(''),
  ...signOutOthersFields,
  email: z.string().max(1000).default(''),
});

function deedOf({ progress }: Visit): Deed {
  const { intent } = progress.situation;
  return intent === 'check_recovery_code' || intent === 'delete_account' ? intent : 'deactivate_two_step';
}

/** The account is gone, and with it the session and this sign-in: the page that says so is the last one. */
async function remove(visit: Visit, email: string) {
  const { db, post, aftermath } = visit.house;
  if (emailKey(email) !== accountOf(visit).email) return { code: 'wrong-email', field: 'email' } as const;
  const deleted = await deleteAccount(db, post, aftermath, changeOf(visit));
  if (typeof deleted === 'object') return deleted;
  // Shut out while it waited for its turn: nothing was deleted, and the sign-in begins anew.
  if (!deleted) return undefined;
  visit.ctx.type = 'html';
  const frame = { ...visit.frame, deed: undefined, decline: undefined };
  visit.ctx.body = renderPage(frame, <GoodbyePage frame={frame} />);
  return 'answered' as const;
}

function GoodbyePage({ frame }: { frame: Frame }) {
  const t = frame.t.confirm.delete_account;
  return (
    <Layout frame={frame} title={t.goneTitle} step="account-deleted">
      <h1>{t.goneTitle}</h1>
      <p class="lead">{t.gone}</p>
    </Layout>
  );
}

export const confirm: StepPage<z.output<typeof form>> = {
  form,
  show(visit, refusal, typed) {
    const { frame, action, token } = visit;
    const endOthers = isTicked(refusal, typed);
    return <ConfirmPage {...{ frame, action, token, deed: deedOf(visit), endOthers, refusal }} />;
  },
  async answer(visit, { code, endOtherSessions, email }) {
    const { db, hasher, post, aftermath } = visit.house;
    if (deedOf(visit) === 'delete_account') return remove(visit, email);
    if (deedOf(visit) === 'check_recovery_code') {
      const refused = await checkCode(db, hasher, post, { ...attemptOf(visit), code });
      return refused && { ...refused, field: 'code' };
    }
    await deactivate(db, post, aftermath, {
      ...changeOf(visit),
      endOtherSessions: endOtherSessions === 'yes',
    });
    return undefined;
  },
};
