import Router from '@koa/router';
import { z } from 'zod';
import type { QueuedCase } from '../../../src/help-desk/case-state.ts';
import { listCaseQueue } from '../../../src/help-desk/case-state.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { AppContext } from '../../../src/context.ts';
import { encodeCursor, decodeCursor } from '../../../src/db/cursor.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { UriWithBreaks, ConsolePage, Table } from '../layout.tsx';

const pageSize = 25;

type CasesPageProps = {
  visit: ConsoleContext;
  closed: boolean;
  listed: readonly QueuedCase[];
  next?: string | undefined;
};

/** The queue: who waits, since when and for what. */
export function CasesPage({ visit: consoleContext, closed, listed, next }: CasesPageProps) {
  const { frame } = consoleContext;
  const t = frame.t.helpDesk.desk;
  const other = closed ? '/admin/cases' : '/admin/cases?closed=yes';
  return (
    <ConsolePage visit={consoleContext} title={closed ? t.closed : t.title} step="cases" part="cases">
      {listed.length > 0 ? (
        <Table
          caption={closed ? t.closed : t.open}
          columns={[t.number, t.person, t.since, t.state]}
          rows={listed.map(({ one, account: user, state }) => ({
            key: one.id,
            cells: [
              <a key="number" class="one-line" href={`/admin/cases/${one.id}`} data-case-number={one.number}>
                {one.number}
              </a>,
              user ? (
                <span key="person">
                  {user.name}, <UriWithBreaks>{user.email}</UriWithBreaks>
                </span>
              ) : (
                ''
              ),
              <time key="since" dateTime={one.openedAt.toISOString()}>
                {formatDateTime(frame.locale, one.openedAt)}
              </time>,
              <span key="state" data-state={state}>
                {t.states[state]}
              </span>,
            ],
          }))}
        />
      ) : (
        <p data-empty>{closed ? t.noneClosed : t.none}</p>
      )}
      <p>
        <a href={other}>{closed ? t.showOpen : t.showClosed}</a>
      </p>
      {next && (
        <p class="actions">
          <a
            class="button secondary"
            href={`/admin/cases?${new URLSearchParams({ ...(closed ? { closed: 'yes' } : {}), after: next }).toString()}`}
          >
            {t.more}
          </a>
        </p>
      )}
    </ConsolePage>
  );
}

const casesQuery = z.object({ closed: z.literal('yes').optional(), after: z.string().max(700).optional() });

/** The cases of the accounts that this operator looks after: the limit is kept by the statement itself. */
async function renderCases(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const query = casesQuery.safeParse(ctx.query);
  const { closed, after } = query.success ? query.data : ctx.throw(400, 'malformed-request');
  const place = after === undefined ? undefined : decodeCursor(context.vault, 'cases', after);
  if (after !== undefined && place === undefined) return ctx.throw(400, 'malformed-request');
  const page = { closed: closed === 'yes', after: place, limit: pageSize };
  const { cases: listed, next: last } = await listCaseQueue(context.db, operator, page);
  const next = last && encodeCursor(context.vault, 'cases', last);
  sendConsolePage(
    consoleContext,
    <CasesPage {...{ visit: consoleContext, closed: closed === 'yes', listed, next }} />,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/cases', requireOperator(context, 'cases.read', renderCases));
  return router;
}
