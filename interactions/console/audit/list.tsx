import Router from '@koa/router';
import { z } from 'zod';
import { findEmailsByUserIds } from '../../../src/users/users.ts';
import { buildAuditFilter } from '../../../src/users/audit-search.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import { auditEventTypes, findAuditEvents } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, RefusalNotice, SecondaryButton } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { translateRefusal } from '../../ui/refusal.ts';
import type { AuditPageQuery } from './query.ts';
import { auditPageQuery } from './query.ts';
import { encodeCursor, decodeCursor } from '../../../src/db/cursor.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { UriWithBreaks, ConsolePage, auditEventText, Select, Table } from '../layout.tsx';

const pageSize = 50;

type AuditPageProps = {
  visit: ConsoleContext;
  asked: AuditPageQuery;
  rows: readonly AuditRow[];
  emails: ReadonlyMap<string, string>;
  next?: string | undefined;
  refusal?: Refusal | undefined;
};

export function AuditPage(props: AuditPageProps) {
  const { visit: consoleContext, asked: query, rows, next, refusal } = props;
  const { t } = consoleContext.frame;
  const more = new URLSearchParams({ ...query, after: next ?? '' }).toString();
  return (
    <ConsolePage visit={consoleContext} title={t.console.audit.title} step="audit" part="audit">
      <p class="quiet">{t.console.audit.help}</p>
      {refusal && <RefusalNotice refusal={refusal} />}
      <FilterForm {...props} />
      {rows.length > 0 ? <AuditTable {...props} /> : <p data-empty>{t.console.audit.none}</p>}
      {next && (
        <p class="actions">
          <a class="button secondary" href={`/admin/audit?${more}`}>
            {t.console.more}
          </a>
        </p>
      )}
      {rows.length > 0 && <ExportForm {...props} />}
    </ConsolePage>
  );
}

function FilterForm({ visit: consoleContext, asked: query }: AuditPageProps) {
  const { frame } = consoleContext;
  const t = frame.t.console.audit;
  const events = auditEventTypes.map((event) => [event, auditEventText(frame, event)] as const);
  const sorted = events.toSorted(([, a], [, b]) => a.localeCompare(b, frame.locale));
  return (
    <form method="get" action="/admin/audit" class="form search" role="search" aria-label={t.title}>
      <Select name="event" label={t.event} options={[['', t.anyEvent], ...sorted]} chosen={query.event} />
      <Field name="account" label={t.account} value={query.account} autocomplete="off" inputmode="email" />
      <Field name="operator" label={t.operator} value={query.operator} autocomplete="off" inputmode="email" />
      <DateField name="since" label={t.since} value={query.since} />
      <DateField name="until" label={t.until} value={query.until} />
      <button type="submit" class="button" data-waiting={t.waiting}>
        <span>{t.submit}</span>
      </button>
    </form>
  );
}

function DateField({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} name={name} type="date" class="input" value={value} />
    </div>
  );
}

/** What a row says besides: the program it came through, the client, names and numbers of ours. */
const eventDetails = ({ t }: Frame, { client_id: client, program, detail }: AuditRow): string =>
  [
    ...(program ? [t.console.audit.through(program)] : []),
    ...(client ? [client] : []),
    ...Object.entries(detail)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${String(value)}`),
  ].join(', ');

/** Whom a number stands for: the address where this operator may know it. */
function formatOperator(emails: ReadonlyMap<string, string>, id: string | null, unknown: string) {
  if (!id) return '–';
  const email = emails.get(id);
  return email ? <UriWithBreaks>{email}</UriWithBreaks> : unknown;
}

function AuditTable({ visit: consoleContext, rows, emails }: AuditPageProps) {
  const { frame } = consoleContext;
  const { audit: t, person: user } = frame.t.console;
  return (
    <Table
      caption={t.list}
      columns={[t.when, t.event, t.whom, t.by, t.from, t.more]}
      rows={rows.map((row) => ({
        key: row.id,
        cells: [
          <time key="at" dateTime={row.at.toISOString()}>
            {formatDateTime(frame.locale, row.at)}
          </time>,
          <span key="event" data-event={row.event}>
            {auditEventText(frame, row.event)}
          </span>,
          formatOperator(emails, row.account_id, t.gone),
          formatOperator(emails, row.actor, user.anOperator),
          row.address ?? '–',
          eventDetails(frame, row) ? (
            <span key="more" class="help">
              {eventDetails(frame, row)}
            </span>
          ) : (
            '–'
          ),
        ],
      }))}
    />
  );
}

/** The file holds what the page's filter holds; its form carries the filter along. */
function ExportForm({ visit: consoleContext, asked: query }: AuditPageProps) {
  const t = consoleContext.frame.t.console.audit;
  return (
    <section data-section="download">
      <h2>{t.exportTitle}</h2>
      <div>
        <p class="quiet">{t.exportHelp}</p>
        <Form action="/admin/audit/export" token={consoleContext.token} stays>
          {Object.entries(query).map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          <SecondaryButton name="format" value="csv" waiting={t.waiting}>
            {t.csv}
          </SecondaryButton>
          <SecondaryButton name="format" value="json" waiting={t.waiting}>
            {t.json}
          </SecondaryButton>
        </Form>
      </div>
    </section>
  );
}

const auditPageParameters = auditPageQuery.extend({ after: z.string().max(400).optional() });

async function renderAuditPage(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator, frame } = consoleContext;
  const read = auditPageParameters.safeParse(ctx.query);
  const { after, ...query } = read.success ? read.data : ctx.throw(400, 'malformed-request');
  const place = after ? decodeCursor(context.vault, 'audit', after) : undefined;
  if (after && place === undefined) return ctx.throw(400, 'malformed-request');
  const filter = await buildAuditFilter(context.db, operator, query);
  if (!filter) {
    const contact = context.settings.HEMMA_HELP_DESK_CONTACT;
    const refusal = translateRefusal(frame, { code: 'no-such-person' }, contact);
    return sendConsolePage(
      consoleContext,
      <AuditPage {...{ visit: consoleContext, asked: query, rows: [], emails: new Map(), refusal }} />,
      true,
    );
  }
  const before = place === undefined ? undefined : Number(place);
  const found = await findAuditEvents(context.db, { ...filter, before, limit: pageSize + 1 });
  const rows = found.slice(0, pageSize);
  const last = rows.at(-1);
  const next =
    found.length > pageSize && last ? encodeCursor(context.vault, 'audit', String(last.id)) : undefined;
  const ids = rows.flatMap(({ account_id: userId, actor }) => [userId, actor].filter((id) => id !== null));
  const emails = await findEmailsByUserIds(context.db, operator, ids);
  return sendConsolePage(
    consoleContext,
    <AuditPage {...{ visit: consoleContext, asked: query, rows, emails, next }} />,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/audit', requireOperator(context, 'audit.read', renderAuditPage));
  return router;
}
