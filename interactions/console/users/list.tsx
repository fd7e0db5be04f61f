import Router from '@koa/router';
import { z } from 'zod';
import type { Account } from '../../../src/users/users.ts';
import { searchPeople } from '../../../src/users/users.ts';
import { groupBy } from '../../../src/users/groups.ts';
import { mayAct } from '../../../src/users/operators.ts';
import type { House } from '../../../src/context.ts';
import { cursorOf, placeOf } from '../../../src/db/cursor.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { Address, ConsolePage, stateOf, Table } from '../layout.tsx';

const perPage = 50;

type PeoplePageProps = {
  visit: AdminVisit;
  text: string;
  people: readonly Account[];
  /** The name of the group that the operator is limited to. */
  limit?: string | undefined;
  next?: string | undefined;
};

export function PeoplePage({ visit, text, people, limit, next }: PeoplePageProps) {
  const { frame, operator } = visit;
  const t = frame.t.console;
  const mayInvite = mayAct(operator, 'people.invite');
  return (
    <ConsolePage visit={visit} title={t.people.title} step="people" part="people">
      {limit && <p class="quiet">{t.limitedTo(limit)}</p>}
      <form method="get" action="/admin/people" class="form search" role="search">
        <div class="field">
          <label for="q">{t.people.search}</label>
          <p class="help" id="q-help">
            {t.people.help}
          </p>
          <input
            id="q"
            name="q"
            type="text"
            class="input"
            value={text}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby="q-help"
          />
        </div>
        <button type="submit" class="button" data-waiting={t.people.waiting}>
          <span>{t.people.submit}</span>
        </button>
      </form>
      {mayInvite && (
        <p class="beside">
          <a href="/admin/people/invite">{t.people.invite}</a>
          {mayAct(operator, 'accounts.import') && <a href="/admin/people/import">{t.people.import}</a>}
        </p>
      )}
      {people.length > 0 ? (
        <PeopleTable visit={visit} people={people} />
      ) : (
        <p data-empty>{text ? t.people.none(text) : t.people.empty}</p>
      )}
      {next && (
        <p class="actions">
          <a
            class="button secondary"
            href={`/admin/people?${new URLSearchParams({ q: text, after: next }).toString()}`}
          >
            {t.more}
          </a>
        </p>
      )}
    </ConsolePage>
  );
}

function PeopleTable({ visit, people }: Pick<PeoplePageProps, 'visit' | 'people'>) {
  const { frame } = visit;
  const t = frame.t.console;
  return (
    <Table
      caption={t.people.list}
      columns={[t.people.name, t.people.email, t.people.state, t.people.role]}
      rows={people.map((one) => ({
        key: one.id,
        cells: [
          <a key="name" href={`/admin/people/${one.id}`}>
            {one.name}
          </a>,
          <Address key="email">{one.email}</Address>,
          stateOf(frame, one),
          one.role === 'person' ? '–' : t.roles[one.role],
        ],
      }))}
    />
  );
}

const asked = z.object({ q: z.string().max(254).default(''), after: z.string().max(700).optional() });

/** The people whom this operator sees: the limit to a group is kept by the statement itself. */
async function show(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const query = asked.safeParse(ctx.query);
  const { q, after } = query.success ? query.data : ctx.throw(400, 'malformed-request');
  const text = q.replaceAll('\0', '').trim();
  const place = after === undefined ? undefined : placeOf(house.vault, 'people', after);
  if (after !== undefined && place === undefined) return ctx.throw(400, 'malformed-request');
  // One more than is shown tells whether there are more.
  const found = await searchPeople(house.db, operator, { text, after: place, limit: perPage + 1 });
  const people = found.slice(0, perPage);
  const last = people.at(-1);
  const next = found.length > perPage && last ? cursorOf(house.vault, 'people', last.email) : undefined;
  const limit = operator.group ? (await groupBy(house.db, { id: operator.group }))?.name : undefined;
  showPage(visit, <PeoplePage {...{ visit, text, people, limit, next }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/people', guarded(house, 'people.read', show));
  return router;
}
