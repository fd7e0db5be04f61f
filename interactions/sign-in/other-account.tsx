import { z } from 'zod';
import { accountById } from '../../src/accounts/accounts.ts';
import { voidProofs } from '../../src/platform/proofs.ts';
import { noteChoice } from './progress.ts';
import type { StepPage } from './visit.ts';
import { accountOf } from './visit.ts';
import { Form, SecondaryButton, SubmitButton } from '../page/form.tsx';
import type { Refusal } from '../page/form.tsx';
import { Layout } from '../page/layout.tsx';
import type { Frame } from '../page/layout.tsx';

type OtherAccountPageProps = {
  frame: Frame;
  action: string;
  token: string;
  /** The address of the account that the browser is signed in with. */
  current: string;
  /** The address of the account that has just proved itself. */
  next: string;
  refusal?: Refusal | undefined;
};

export function OtherAccountPage({ frame, action, token, current, next, refusal }: OtherAccountPageProps) {
  const t = frame.t.otherAccount;
  return (
    <Layout frame={frame} title={t.title} step="other-account" scripts={['waiting-button']}>
      <h1>{t.title}</h1>
      <p class="lead">{t.here(current)}</p>
      <p>{t.consequence(current, next)}</p>
      <Form action={action} token={token} refusal={refusal}>
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

const form = z.object({ choice: z.enum(['switch', 'stay']) });

export const otherAccount: StepPage<z.output<typeof form>> = {
  form,
  async show(visit, refusal) {
    const { house, record, frame, action, token } = visit;
    const current = (await accountById(house.db, record.session?.accountId ?? ''))?.email ?? '';
    return <OtherAccountPage {...{ frame, action, token, current, next: accountOf(visit).email, refusal }} />;
  },
  async answer(visit, { choice }) {
    const { house, record } = visit;
    if (choice === 'switch') await noteChoice(house.db, record.uid, `switch-to:${accountOf(visit).id}`);
    else await voidProofs(house.db, { interaction: record.uid });
    return undefined;
  },
};
