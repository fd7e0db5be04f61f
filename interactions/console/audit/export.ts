import { Readable } from 'node:stream';
import Router from '@koa/router';
import { z } from 'zod';
import type { Filter, LeavingRow } from '../../../src/users/audit-search.ts';
import { auditColumns, filterOf, leavingRows } from '../../../src/users/audit-search.ts';
import { audit } from '../../../src/audit/audit-log.ts';
import { csvLine } from '../../../src/users/import/csv.ts';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { askedOfAudit } from './query.ts';
import type { AdminVisit } from '../require-operator.ts';
import { freshly, guarded, sentForm, toStepUp } from '../require-operator.ts';

const mostRows = 100_000;
const perPage = 1000;

/** Pages of rows, the newest first, at most so many rows in all: memory holds one page, whatever the file's length. */
async function* pages({ house, operator }: AdminVisit, filter: Filter): AsyncGenerator<LeavingRow[]> {
  let before: number | undefined;
  for (let left = mostRows; left > 0; left -= perPage) {
    const rows = await leavingRows(house.db, operator, { ...filter, before, limit: Math.min(perPage, left) });
    yield rows;
    if (rows.length < perPage) return;
    before = rows.at(-1)?.id;
  }
}

async function* csv(visit: AdminVisit, filter: Filter): AsyncGenerator<string> {
  // The mark tells spreadsheets that the text is UTF-8.
  yield `\uFEFF${csvLine(auditColumns)}`;
  for await (const page of pages(visit, filter)) {
    yield page.map((row) => csvLine(auditColumns.map((column) => row[column]))).join('');
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
  const filter = await filterOf(house.db, operator, asked);
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
