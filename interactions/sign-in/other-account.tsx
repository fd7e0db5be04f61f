import { z } from 'zod';
import { accountById } from '../../src/users/users.ts';
import { voidProofs } from '../../src/security/verified-factors.ts';
import { noteChoice } from './state.ts';
import type { StepPage } from './interaction-context.ts';
import { accountOf } from './interaction-context.ts';
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

const form = z.object({ choice: z.enum(['switch', 'stay']), replaces: z.string().max(100).default('') });

export const otherAccount: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal) {
    const { house, session, frame, action, token } = visit;
    const current = session && (await accountById(house.db, session.accountId));
    const about = {
      current: current?.email ?? '',
      session: session?.uid ?? '',
      next: accountOf(visit).email,
    };
    return <OtherAccountPage {...{ frame, action, token, refusal }} {...about} />;
  },
  async answer(visit, { choice, replaces }) {
    const { house, record, session } = visit;
    // Another session than the page named, which a second tab began: the page names that one and asks again.
    if (choice === 'switch' && session?.uid === replaces)
      await noteChoice(house.db, record.uid, `switch-to:${accountOf(visit).id}:${replaces}`);
    if (choice === 'stay') await voidProofs(house.db, { interaction: record.uid });
    return undefined;
  },
};
