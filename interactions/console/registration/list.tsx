import Router from '@koa/router';
import { hasPermission } from '../../../src/users/operators.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { InitialAccessToken } from '../../../src/oidc/registration/initial-access-tokens.ts';
import {
  listInitialAccessTokens,
  revokeInitialAccessToken,
  getTokenState,
} from '../../../src/oidc/registration/initial-access-tokens.ts';
import { z } from 'zod';
import { Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { parseFormBody } from '../../ui/parse-form.ts';
import { clientTabPath } from '../clients/tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, Table } from '../layout.tsx';

export const tokensPath: string = clientTabPath('-', '/initial-access-tokens');

/** What may be registered with it, in words: the types, and where. */
function describeLimits({ t }: Frame, { types, hosts }: InitialAccessToken): string {
  const kinds = types.map((type) => t.clients.types[type].name).join(', ');
  return `${kinds || t.registration.everything}; ${hosts.join(', ') || t.registration.anywhere}`;
}

type TokensPageProps = { visit: ConsoleContext; tokens: readonly InitialAccessToken[] };

/** The initial access tokens: what each is for and how it is used, never itself. */
export function InitialAccessTokensPage({ visit: consoleContext, tokens }: TokensPageProps) {
  const { frame, operator, ctx } = consoleContext;
  const t = frame.t.registration;
  const { columns: c } = t;
  const mayWrite = hasPermission(operator, 'clients.write');
  const time = (at: Date) => formatDateTime(frame.locale, at);
  const notice = ctx.query.notice === 'revoked' ? t.revoked : undefined;
  return (
    <ConsolePage
      visit={consoleContext}
      title={t.title}
      step="initial-access-tokens"
      part="clients"
      notice={notice}
    >
      <p class="quiet">{t.help}</p>
      {tokens.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={[c.name, c.state, c.uses, c.used, c.expires, c.limits, t.revoke]}
          rows={tokens.map((token) => ({
            key: token.id,
            cells: [
              token.name,
              t.states[getTokenState(token)],
              t.times(token.uses, token.mostUses),
              token.lastUsedAt ? time(token.lastUsedAt) : t.neverUsed,
              time(token.expiresAt),
              describeLimits(frame, token),
              mayWrite ? (
                <a
                  key="revoke"
                  href={clientTabPath('-', `/revoke-initial-access-token/${token.id}`)}
                  aria-label={`${t.revoke}: ${token.name}`}
                >
                  {t.revoke}
                </a>
              ) : (
                '–'
              ),
            ],
          }))}
        />
      )}
      {mayWrite && (
        <p class="actions">
          <a class="button" href={`${tokensPath}/new`}>
            {t.create}
          </a>
        </p>
      )}
      <LinkList ways={[{ href: '/admin/clients', label: t.toClients }]} />
    </ConsolePage>
  );
}

/** The last page before a token ends: what happens, and a button that names it. */
export function RevokeTokenPage({
  visit: consoleContext,
  token,
}: {
  visit: ConsoleContext;
  token: InitialAccessToken;
}) {
  const { frame, ctx } = consoleContext;
  const t = frame.t.registration;
  return (
    <ConsolePage
      visit={consoleContext}
      title={t.revokeTitle(token.name)}
      step="revoke-initial-access-token"
      part="clients"
    >
      <p>{t.revokeHelp}</p>
      <Form action={ctx.path} token={consoleContext.token}>
        <SubmitButton waiting={t.waiting}>{t.revoke}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: tokensPath, label: t.cancel }]} />
    </ConsolePage>
  );
}

async function findTokenOr404({ house: context, ctx }: ConsoleContext): Promise<InitialAccessToken> {
  const { token: id } = ctx.params as { token?: string };
  const found = (await listInitialAccessTokens(context.db)).find((one) => one.id === id);
  return found ?? ctx.throw(404, 'not-found');
}

async function submitTokenRevocation(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  parseConsoleForm(consoleContext, z.object({}));
  const { id } = await findTokenOr404(consoleContext);
  await revokeInitialAccessToken(context.db, id, { by: operator.id, origin: ctx.state.origin });
  redirectAfterPost(consoleContext, `${tokensPath}?notice=revoked`);
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    tokensPath,
    requireOperator(context, 'clients.read', async (consoleContext) => {
      const tokens = await listInitialAccessTokens(context.db);
      sendConsolePage(consoleContext, <InitialAccessTokensPage {...{ visit: consoleContext, tokens }} />);
    }),
  );
  const page = clientTabPath('-', '/revoke-initial-access-token/:token');
  router.get(
    page,
    requireRecentOperator(context, 'clients.write', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <RevokeTokenPage {...{ visit: consoleContext, token: await findTokenOr404(consoleContext) }} />,
      ),
    ),
  );
  router.post(page, parseFormBody, requireRecentOperator(context, 'clients.write', submitTokenRevocation));
  return router;
}
