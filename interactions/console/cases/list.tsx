import Router from '@koa/router';
import { z } from 'zod';
import type { QueuedCase } from '../../../src/help-desk/case-state.ts';
import { caseQueue } from '../../../src/help-desk/case-state.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { House } from '../../../src/context.ts';
import { cursorOf, placeOf } from '../../../src/db/cursor.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { Address, ConsolePage, Table } from '../layout.tsx';

const perPage = 25;

type CasesPageProps = {
  visit: AdminVisit;
  closed: boolean;
  listed: readonly QueuedCase[];
  next?: string | undefined;
};

/** The queue: who waits, since when and for what. */
export function CasesPage({ visit, closed, listed, next }: CasesPageProps) {
  const { frame } = visit;
  const t = frame.t.helpDesk.desk;
  const other = closed ? '/admin/cases' : '/admin/cases?closed=yes';
  return (
    <ConsolePage visit={visit} title={closed ? t.closed : t.title} step="cases" part="cases">
      {listed.length > 0 ? (
        <Table
          caption={closed ? t.closed : t.open}
          columns={[t.number, t.person, t.since, t.state]}
          rows={listed.map(({ one, account, state }) => ({
            key: one.id,
            cells: [
              <a key="number" class="one-line" href={`/admin/cases/${one.id}`} data-case-number={one.number}>
                {one.number}
              </a>,
              account ? (
                <span key="person">
                  {account.name}, <Address>{account.email}</Address>
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

const asked = z.object({ closed: z.literal('yes').optional(), after: z.string().max(700).optional() });

/** The cases of the accounts that this operator looks after: the limit is kept by the statement itself. */
async function show(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const query = asked.safeParse(ctx.query);
  const { closed, after } = query.success ? query.data : ctx.throw(400, 'malformed-request');
  const place = after === undefined ? undefined : placeOf(house.vault, 'cases', after);
  if (after !== undefined && place === undefined) return ctx.throw(400, 'malformed-request');
  const page = { closed: closed === 'yes', after: place, limit: perPage };
  const { cases: listed, next: last } = await caseQueue(house.db, operator, page);
  const next = last && cursorOf(house.vault, 'cases', last);
  showPage(visit, <CasesPage {...{ visit, closed: closed === 'yes', listed, next }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/cases', guarded(house, 'cases.read', show));
  return router;
}
