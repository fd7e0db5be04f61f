import { z } from 'zod';
import { findUserById } from '../../src/users/users.ts';
import { Form, SubmitButton, LinkList } from '../ui/form.tsx';
import type { Refusal } from '../ui/form.tsx';
import type { Frame } from '../ui/layout.tsx';
import { Layout } from '../ui/layout.tsx';
import type { StepPage } from './interaction-context.ts';

type NoAccessPageProps = {
  frame: Frame;
  action: string;
  token: string;
  clientName: string;
  email: string;
  helpDesk: string;
  refusal?: Refusal | undefined;
};

/** Signed in, and not among those who may use the application: said here, and to the application as `access_denied`. */
export function NoAccessPage(props: NoAccessPageProps) {
  const { frame, action, token, clientName, email, helpDesk, refusal } = props;
  const t = frame.t.clients.noAccess;
  return (
    <Layout frame={frame} title={t.title(clientName)} step="no-access" scripts={['waiting-button']}>
      <h1>{t.title(clientName)}</h1>
      <p class="lead">{t.help}</p>
      <p>{t.ask(helpDesk)}</p>
      <Form action={action} token={token} refusal={refusal}>
        <SubmitButton waiting={t.waiting}>{t.back(clientName)}</SubmitButton>
      </Form>
      <LinkList
        ways={[
          { href: '/account', label: frame.t.page.myDetails },
          { href: '/session/end', label: frame.t.page.signOut },
        ]}
      />
      <p class="whose">{frame.t.form.signingInAs(email)}</p>
    </Layout>
  );
}

const noAccessForm = z.object({});

export const noAccessStep: StepPage<z.output<typeof noAccessForm>> = {
  form: noAccessForm,
  async show({ house: context, record, frame, action, token, clientName }, refusal) {
    const email = (await findUserById(context.db, record.session?.accountId ?? ''))?.email ?? '';
    const helpDesk = context.settings.HEMMA_HELP_DESK_CONTACT;
    return <NoAccessPage {...{ frame, action, token, clientName, email, helpDesk, refusal }} />;
  },
  async answer({ house: context, ctx }) {
    const result = { error: 'access_denied', error_description: 'the person may not use this application' };
    ctx.status = 303;
    ctx.redirect(await context.provider.interactionResult(ctx.req, ctx.res, result));
    return 'answered';
  },
};
