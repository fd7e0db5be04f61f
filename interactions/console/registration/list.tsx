import Router from '@koa/router';
import { mayAct } from '../../../src/users/operators.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { InitialAccessToken } from '../../../src/oidc/registration/initial-access-tokens.ts';
import {
  initialAccessTokens,
  revokeInitialAccessToken,
  stateOf,
} from '../../../src/oidc/registration/initial-access-tokens.ts';
import { z } from 'zod';
import { Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { readForm } from '../../ui/parse-form.ts';
import { pathOf } from '../clients/tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Table } from '../layout.tsx';

export const tokensPath: string = pathOf('-', '/initial-access-tokens');

/** What may be registered with it, in words: the types, and where. */
function limitsOf({ t }: Frame, { types, hosts }: InitialAccessToken): string {
  const kinds = types.map((type) => t.clients.types[type].name).join(', ');
  return `${kinds || t.registration.everything}; ${hosts.join(', ') || t.registration.anywhere}`;
}

type TokensPageProps = { visit: AdminVisit; tokens: readonly InitialAccessToken[] };

/** The initial access tokens: what each is for and how it is used, never itself. */
export function TokensPage({ visit, tokens }: TokensPageProps) {
  const { frame, operator, ctx } = visit;
  const t = frame.t.registration;
  const { columns: c } = t;
  const mayWrite = mayAct(operator, 'clients.write');
  const time = (at: Date) => formatDateTime(frame.locale, at);
  const notice = ctx.query.notice === 'revoked' ? t.revoked : undefined;
  return (
    <ConsolePage visit={visit} title={t.title} step="initial-access-tokens" part="clients" notice={notice}>
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
              t.states[stateOf(token)],
              t.times(token.uses, token.mostUses),
              token.lastUsedAt ? time(token.lastUsedAt) : t.neverUsed,
              time(token.expiresAt),
              limitsOf(frame, token),
              mayWrite ? (
                <a
                  key="revoke"
                  href={pathOf('-', `/revoke-initial-access-token/${token.id}`)}
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
      <Ways ways={[{ href: '/admin/clients', label: t.toClients }]} />
    </ConsolePage>
  );
}

/** The last page before a token ends: what happens, and a button that names it. */
export function RevokePage({ visit, token }: { visit: AdminVisit; token: InitialAccessToken }) {
  const { frame, ctx } = visit;
  const t = frame.t.registration;
  return (
    <ConsolePage
      visit={visit}
      title={t.revokeTitle(token.name)}
      step="revoke-initial-access-token"
      part="clients"
    >
      <p>{t.revokeHelp}</p>
      <Form action={ctx.path} token={visit.token}>
        <SubmitButton waiting={t.waiting}>{t.revoke}</SubmitButton>
      </Form>
      <Ways ways={[{ href: tokensPath, label: t.cancel }]} />
    </ConsolePage>
  );
}

async function tokenOf({ house, ctx }: AdminVisit): Promise<InitialAccessToken> {
  const { token: id } = ctx.params as { token?: string };
  const found = (await initialAccessTokens(house.db)).find((one) => one.id === id);
  return found ?? ctx.throw(404, 'not-found');
}

async function revoke(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  sentForm(visit, z.object({}));
  const { id } = await tokenOf(visit);
  await revokeInitialAccessToken(house.db, id, { by: operator.id, origin: ctx.state.origin });
  onTo(visit, `${tokensPath}?notice=revoked`);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    tokensPath,
    guarded(house, 'clients.read', async (visit) => {
      const tokens = await initialAccessTokens(house.db);
      showPage(visit, <TokensPage {...{ visit, tokens }} />);
    }),
  );
  const page = pathOf('-', '/revoke-initial-access-token/:token');
  router.get(
    page,
    guardedFreshly(house, 'clients.write', async (visit) =>
      showPage(visit, <RevokePage {...{ visit, token: await tokenOf(visit) }} />),
    ),
  );
  router.post(page, readForm, guardedFreshly(house, 'clients.write', revoke));
  return router;
}
