import { Readable } from 'node:stream';
import Router from '@koa/router';
import { z } from 'zod';
import { emailsOf } from '../../src/accounts/accounts.ts';
import type { AuditRow } from '../../src/platform/audit.ts';
import { audit, auditRows } from '../../src/platform/audit.ts';
import { csvLine } from '../../src/platform/csv.ts';
import type { House } from '../page/house.ts';
import { readForm } from '../page/posted.ts';
import type { Filter } from './audit-filter.ts';
import { askedOfAudit, filterOf } from './audit-filter.ts';
import type { AdminVisit } from './gate.ts';
import { freshly, guarded, sentForm, toStepUp } from './gate.ts';

const mostRows = 100_000;
const perPage = 1000;

/** A row as it leaves the house: addresses beside numbers, of those whom the operator sees. */
const exported = (row: AuditRow, emails: ReadonlyMap<string, string>) => ({
  id: row.id,
  at: row.at.toISOString(),
  event: row.event,
  account: row.account_id,
  email: (row.account_id && emails.get(row.account_id)) ?? null,
  operator: row.actor,
  operatorEmail: (row.actor && emails.get(row.actor)) ?? null,
  client: row.client_id,
  address: row.address,
  request: row.request,
  detail: row.detail,
});
type Exported = ReturnType<typeof exported>;

const columns = [
  'id',
  'at',
  'event',
  'account',
  'email',
  'operator',
  'operatorEmail',
  'client',
  'address',
  'request',
  'detail',
] as const satisfies readonly (keyof Exported)[];

/** Pages of rows, the newest first, at most so many rows in all: memory holds one page, whatever the file's length. */
async function* pages({ house, operator }: AdminVisit, filter: Filter): AsyncGenerator<Exported[]> {
  let before: number | undefined;
  for (let left = mostRows; left > 0; left -= perPage) {
    const rows = await auditRows(house.db, { ...filter, before, limit: Math.min(perPage, left) });
    const ids = rows.flatMap(({ account_id: account, actor }) =>
      [account, actor].filter((id) => id !== null),
    );
    const emails = await emailsOf(house.db, operator, [...new Set(ids)]);
    yield rows.map((row) => exported(row, emails));
    if (rows.length < perPage) return;
    before = rows.at(-1)?.id;
  }
}

async function* csv(visit: AdminVisit, filter: Filter): AsyncGenerator<string> {
  // The mark tells spreadsheets that the text is UTF-8.
  yield `\uFEFF${csvLine(columns)}`;
  for await (const page of pages(visit, filter)) {
    yield page.map((row) => csvLine(columns.map((column) => row[column]))).join('');
  }
}

async function* json(visit: AdminVisit, filter: Filter): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const page of pages(visit, filter)) {
    for (const row of page) {
      yield separator + JSON.stringify(row);
      separator = ',\n';
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

const form = askedOfAudit.extend({ format: z.enum(['csv', 'json']) });

/** Hands over the file, to a session with two factors proved within ten minutes; who took what is in the audit itself. */
async function download(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator, frame } = visit;
  if (!freshly(visit)) return toStepUp(house, ctx, '/admin/audit');
  const { format, ...asked } = sentForm(visit, form);
  const filter = await filterOf(visit, asked);
  if (!filter) return ctx.throw(404, 'not-found');
  const { event, since, until } = asked;
  const detail = { format, event, since, until };
  const about = filter.accountId;
  const { origin } = ctx.state;
  await audit(house.db, { event: 'audit.exported', accountId: about, by: operator.id, origin, detail });
  ctx.attachment(`${frame.t.console.audit.fileName}.${format}`);
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'json';
  ctx.body = Readable.from(format === 'csv' ? csv(visit, filter) : json(visit, filter));
}

export function routes(house: House): Router {
  const router = new Router();
  router.post('/admin/audit/export', readForm, guarded(house, 'audit.read', download));
  return router;
}
