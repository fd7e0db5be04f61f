import { z } from 'zod';
import { findUserById } from '../../src/users/users.ts';
import { discardVerifiedFactors } from '../../src/security/verified-factors.ts';
import { recordChoice } from './state.ts';
import type { StepPage } from './interaction-context.ts';
import { verifiedUser } from './interaction-context.ts';
import { Form, SecondaryButton, SubmitButton } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import { Layout } from '../ui/layout.tsx';
import type { Frame } from '../ui/layout.tsx';

type OtherAccountPageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** The address of the account that the browser is signed in with, and its session, which the confirmation is for. */
  current: string;
  session: string;
  /** The address of the account that has just proved itself. */
  next: string;
  refusal?: Refusal | undefined;
};

export function OtherAccountPage({
  frame,
  action,
  token,
  current,
  session,
  next,
  refusal,
}: OtherAccountPageProps) {
  const t = frame.t.otherAccount;
  return (
    <Layout frame={frame} title={t.title} step="other-account" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.here(current)}</p>
      <p>{t.consequence(current, next)}</p>
      <Form action={action} token={token} refusal={refusal}>
        <input type="hidden" name="replaces" value={session} />
        <SubmitButton name="choice" value="switch" waiting={t.waiting}>
          {t.switchTo(next)}
        </SubmitButton>
        <SecondaryButton name="choice" value="stay" waiting={frame.t.form.waiting}>
          {t.stayAs(current)}
        </SecondaryButton>
      </Form>
    </Layout>
  );
}

const otherAccountForm = z.object({
  choice: z.enum(['switch', 'stay']),
  replaces: z.string().max(100).default(''),
});

export const otherAccountStep: StepPage<z.output<typeof otherAccountForm>> = {
  form: otherAccountForm,
  async show(interaction, refusal) {
    const { house: context, session, frame, action, token } = interaction;
    const current = session && (await findUserById(context.db, session.accountId));
    const about = {
      current: current?.email ?? '',
      session: session?.uid ?? '',
      next: verifiedUser(interaction).email,
    };
    return <OtherAccountPage {...{ frame, action, token, refusal }} {...about} />;
  },
  async answer(interaction, { choice, replaces }) {
    const { house: context, record, session } = interaction;
    // Another session than the page named, which a second tab began: the page names that one and asks again.
    if (choice === 'switch' && session?.uid === replaces)
      await recordChoice(context.db, record.uid, `switch-to:${verifiedUser(interaction).id}:${replaces}`);
    if (choice === 'stay') await discardVerifiedFactors(context.db, { interaction: record.uid });
    return undefined;
  },
};
