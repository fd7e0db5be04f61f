import Router from '@koa/router';
import { z } from 'zod';
import type { User } from '../../../src/users/users.ts';
import { searchUsers } from '../../../src/users/users.ts';
import { findGroup } from '../../../src/users/groups.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import type { AppContext } from '../../../src/context.ts';
import { encodeCursor, decodeCursor } from '../../../src/db/cursor.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { UriWithBreaks, ConsolePage, userStateText, Table } from '../layout.tsx';

const pageSize = 50;

type UsersPageProps = {
  visit: ConsoleContext;
  text: string;
  people: readonly User[];
  /** The name of the group that the operator is limited to. */
  limit?: string | undefined;
  next?: string | undefined;
};

export function UsersPage({ visit: consoleContext, text, people: users, limit, next }: UsersPageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.console;
  const mayInvite = hasPermission(operator, 'people.invite');
  return (
    <ConsolePage visit={consoleContext} title={t.people.title} step="people" part="people">
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
          {hasPermission(operator, 'accounts.import') && <a href="/admin/people/import">{t.people.import}</a>}
        </p>
      )}
      {users.length > 0 ? (
        <UsersTable visit={consoleContext} people={users} />
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

function UsersTable({ visit: consoleContext, people: users }: Pick<UsersPageProps, 'visit' | 'people'>) {
  const { frame } = consoleContext;
  const t = frame.t.console;
  return (
    <Table
      caption={t.people.list}
      columns={[t.people.name, t.people.email, t.people.state, t.people.role]}
      rows={users.map((one) => ({
        key: one.id,
        cells: [
          <a key="name" href={`/admin/people/${one.id}`}>
            {one.name}
          </a>,
          <UriWithBreaks key="email">{one.email}</UriWithBreaks>,
          userStateText(frame, one),
          one.role === 'person' ? '–' : t.roles[one.role],
        ],
      }))}
    />
  );
}

const usersQuery = z.object({ q: z.string().max(254).default(''), after: z.string().max(700).optional() });

/** The people whom this operator sees: the limit to a group is kept by the statement itself. */
async function renderUsers(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const query = usersQuery.safeParse(ctx.query);
  const { q, after } = query.success ? query.data : ctx.throw(400, 'malformed-request');
  const text = q.replaceAll('\0', '').trim();
  const place = after === undefined ? undefined : decodeCursor(context.vault, 'people', after);
  if (after !== undefined && place === undefined) return ctx.throw(400, 'malformed-request');
  // One more than is shown tells whether there are more.
  const found = await searchUsers(context.db, operator, { text, after: place, limit: pageSize + 1 });
  const users = found.slice(0, pageSize);
  const last = users.at(-1);
  const next =
    found.length > pageSize && last ? encodeCursor(context.vault, 'people', last.email) : undefined;
  const limit = operator.group ? (await findGroup(context.db, { id: operator.group }))?.name : undefined;
  sendConsolePage(
    consoleContext,
    <UsersPage {...{ visit: consoleContext, text, people: users, limit, next }} />,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/people', requireOperator(context, 'people.read', renderUsers));
  return router;
}
