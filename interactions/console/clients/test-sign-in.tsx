import Router from '@koa/router';
import { z } from 'zod';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { PreviewClaim, ClaimsPreview } from '../../../src/oidc/claims-preview.ts';
import { previewClaims } from '../../../src/oidc/claims-preview.ts';
import {
  createTestTicket,
  parseTestTicket,
  buildTestSignInUrl,
  testSignInMs,
} from '../../../src/oidc/test-sign-in.ts';
import { recordAuditEvent } from '../../../src/audit/audit-log.ts';
import { cookieName, cookieOptions } from '../../../src/http/request-info.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Form, SecondaryButton, SubmitButton } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { ClientPage, findClientOr404, clientTabPath } from './tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePageSection, Table } from '../layout.tsx';

type TestSignInPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  asked: string;
  preview?: ClaimsPreview | 'nobody' | undefined;
};

function TestSignInForm({ visit: consoleContext, shown: registered }: TestSignInPageProps) {
  const t = consoleContext.frame.t.clients.trial;
  const { id, type } = registered.client;
  if (type === 'service') return <p class="quiet">{t.service}</p>;
  if (!registered.enabled) return <p class="quiet">{t.off}</p>;
  return (
    <>
      <p class="quiet">{t.signInHelp}</p>
      <Form action={clientTabPath(id, '/try')} token={consoleContext.token}>
        <label class="choice">
          <input type="checkbox" name="anew" value="yes" />
          <span>
            {t.anew}
            <span class="help">{t.anewHelp}</span>
          </span>
        </label>
        <SubmitButton waiting={consoleContext.frame.t.clients.waiting}>{t.begin}</SubmitButton>
      </Form>
    </>
  );
}

/** Claims and their values, as an application reads them. */
export function ClaimsTable({ frame, claims }: { frame: Frame; claims: readonly PreviewClaim[] }) {
  const t = frame.t.clients.trial;
  return (
    <Table
      caption={t.preview}
      columns={[t.columns.claim, t.columns.value, t.columns.where]}
      rows={claims.map(({ name, value, where }) => ({
        key: `${where} ${name}`,
        cells: [
          <span key="claim" class="code">
            {name}
          </span>,
          value === undefined ? (
            t.decidedThen
          ) : (
            <span key="value" class="code">
              {typeof value === 'string' ? value : JSON.stringify(value)}
            </span>
          ),
          t.where[where],
        ],
      }))}
    />
  );
}

function PreviewSection({
  frame,
  preview,
}: {
  frame: Frame;
  preview: NonNullable<TestSignInPageProps['preview']>;
}) {
  const t = frame.t.clients.trial;
  if (preview === 'nobody') {
    return (
      <p class="refusal" role="alert" data-refusal="nobody">
        {t.nobody}
      </p>
    );
  }
  return (
    <div data-preview={preview.person.id}>
      <p class="state">
        {preview.person.name} · {preview.person.email}
      </p>
      <ul class="list">
        {preview.verdicts.map((verdict) => (
          <li key={verdict} data-verdict={verdict}>
            {t.verdicts[verdict]}
          </li>
        ))}
      </ul>
      <ClaimsTable frame={frame} claims={preview.claims} />
    </div>
  );
}

/** Trying an application out: a real sign-in by its rules, and what it would be told of somebody. */
export function TestSignInPage(props: TestSignInPageProps) {
  const { visit: consoleContext, shown: registered, asked: email, preview } = props;
  const { frame } = consoleContext;
  const t = frame.t.clients.trial;
  return (
    <ClientPage visit={consoleContext} shown={registered} part="trial" step="client-trial">
      <ConsolePageSection title={t.signIn} name="test-sign-in">
        <TestSignInForm {...props} />
      </ConsolePageSection>
      {registered.client.type !== 'service' && (
        <ConsolePageSection title={t.preview} name="preview">
          <p class="quiet">{t.previewHelp}</p>
          <form method="get" action={clientTabPath(registered.client.id, '/try')} class="form search">
            <div class="field">
              <label for="person">{t.person}</label>
              <input
                id="person"
                name="person"
                class="input"
                type="text"
                value={email}
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
              />
            </div>
            <SecondaryButton waiting={frame.t.clients.waiting}>{t.show}</SecondaryButton>
          </form>
          {preview && <PreviewSection frame={frame} preview={preview} />}
        </ConsolePageSection>
      )}
    </ClientPage>
  );
}

async function renderTestSignIn(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx } = consoleContext;
  const registered = await findClientOr404(consoleContext);
  const email = typeof ctx.query.person === 'string' ? ctx.query.person.slice(0, 254) : '';
  const found = email
    ? await previewClaims(context.db, context.provider, registered.client, email)
    : undefined;
  const preview = email ? (found ?? 'nobody') : undefined;
  sendConsolePage(
    consoleContext,
    <TestSignInPage {...{ visit: consoleContext, shown: registered, asked: email, preview }} />,
    preview === 'nobody',
  );
}

const testSignInForm = z.object({ anew: z.literal('yes').optional() });

/** Begins a trial: gives the browser its ticket and sends it to the authorization endpoint. */
async function startTestSignIn(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const { client, enabled } = await findClientOr404(consoleContext);
  const { anew: forceLogin } = parseConsoleForm(consoleContext, testSignInForm);
  if (!enabled || client.type === 'service')
    return redirectAfterPost(consoleContext, clientTabPath(client.id, '/try'));
  const { vault: encryption, settings } = context;
  const ticket = createTestTicket(encryption, client.id);
  const read = parseTestTicket(encryption, ticket);
  if (!read) throw new Error('a ticket made just now is not read');
  await recordAuditEvent(context.db, {
    event: 'client.trial-begun',
    clientId: client.id,
    by: operator.id,
    origin: ctx.state.origin,
  });
  ctx.cookies.set(cookieName(settings, 'trial'), ticket, {
    ...cookieOptions(settings),
    maxAge: testSignInMs,
  });
  redirectAfterPost(
    consoleContext,
    buildTestSignInUrl(encryption, settings.HEMMA_ISSUER, read, {
      scopes: client.scopes,
      anew: forceLogin === 'yes',
    }),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/clients/:client/try', requireOperator(context, 'clients.read', renderTestSignIn));
  router.post(
    '/admin/clients/:client/try',
    parseFormBody,
    requireOperator(context, 'clients.read', startTestSignIn),
  );
  return router;
}
