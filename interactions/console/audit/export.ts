import { Readable } from 'node:stream';
import Router from '@koa/router';
import { z } from 'zod';
import type { AuditSearchFilter, PublicAuditEvent } from '../../../src/users/audit-search.ts';
import { auditColumns, buildAuditFilter, findPublicAuditEvents } from '../../../src/users/audit-search.ts';
import { recordAuditEvent } from '../../../src/audit/audit-log.ts';
import { formatCsvLine } from '../../../src/users/import/csv.ts';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { auditPageQuery } from './query.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { isRecentSignIn, requireOperator, parseConsoleForm, redirectToStepUp } from '../require-operator.ts';

const maxExportRows = 100_000;
const pageSize = 1000;

/** Pages of rows, the newest first, at most so many rows in all: memory holds one page, whatever the file's length. */
async function* readPages(
  { house: context, operator }: ConsoleContext,
  filter: AuditSearchFilter,
): AsyncGenerator<PublicAuditEvent[]> {
  let before: number | undefined;
  for (let left = maxExportRows; left > 0; left -= pageSize) {
    const rows = await findPublicAuditEvents(context.db, operator, {
      ...filter,
      before,
      limit: Math.min(pageSize, left),
    });
    yield rows;
    if (rows.length < pageSize) return;
    before = rows.at(-1)?.id;
  }
}

async function* writeCsv(consoleContext: ConsoleContext, filter: AuditSearchFilter): AsyncGenerator<string> {
  // The mark tells spreadsheets that the text is UTF-8.
  yield `\uFEFF${formatCsvLine(auditColumns)}`;
  for await (const page of readPages(consoleContext, filter)) {
    yield page.map((row) => formatCsvLine(auditColumns.map((column) => row[column]))).join('');
  }
}

async function* writeJson(consoleContext: ConsoleContext, filter: AuditSearchFilter): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const page of readPages(consoleContext, filter)) {
    for (const row of page) {
      yield separator + JSON.stringify(row);
      separator = ',\n';
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

const exportForm = auditPageQuery.extend({ format: z.enum(['csv', 'json']) });

/** Hands over the file, to a session with two factors proved within ten minutes; who took what is in the audit itself. */
async function downloadExport(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator, frame } = consoleContext;
  if (!isRecentSignIn(consoleContext)) return redirectToStepUp(context, ctx, '/admin/audit');
  const { format, ...query } = parseConsoleForm(consoleContext, exportForm);
  const filter = await buildAuditFilter(context.db, operator, query);
  if (!filter) return ctx.throw(404, 'not-found');
  const { event, since, until } = query;
  const detail = { format, event, since, until };
  const auditDetail = filter.accountId;
  const { origin: requestInfo } = ctx.state;
  await recordAuditEvent(context.db, {
    event: 'audit.exported',
    accountId: auditDetail,
    by: operator.id,
    origin: requestInfo,
    detail,
  });
  ctx.attachment(`${frame.t.console.audit.fileName}.${format}`);
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'json';
  ctx.body = Readable.from(
    format === 'csv' ? writeCsv(consoleContext, filter) : writeJson(consoleContext, filter),
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.post('/admin/audit/export', parseFormBody, requireOperator(context, 'audit.read', downloadExport));
  return router;
}
