import Router from '@koa/router';
import { z } from 'zod';
import { emailsOf } from '../../../src/users/users.ts';
import { filterOf } from '../../../src/users/audit-search.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import { auditEvents, auditRows } from '../../../src/audit/audit-log.ts';
import type { Refusal } from '../../ui/form.tsx';
import { Field, Form, RefusalNotice, SecondaryButton } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { inWords } from '../../ui/refusal.ts';
import type { AskedOfAudit } from './query.ts';
import { askedOfAudit } from './query.ts';
import { cursorOf, placeOf } from '../../../src/db/cursor.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { Address, ConsolePage, eventInWords, Select, Table } from '../layout.tsx';

const perPage = 50;

type AuditPageProps = {
  visit: AdminVisit;
  asked: AskedOfAudit;
  rows: readonly AuditRow[];
  emails: ReadonlyMap<string, string>;
  next?: string | undefined;
  refusal?: Refusal | undefined;
};

export function AuditPage(props: AuditPageProps) {
  const { visit, asked, rows, next, refusal } = props;
  const { t } = visit.frame;
  const more = new URLSearchParams({ ...asked, after: next ?? '' }).toString();
  return (
    <ConsolePage visit={visit} title={t.console.audit.title} step="audit" part="audit">
      <p class="quiet">{t.console.audit.help}</p>
      {refusal && <RefusalNotice refusal={refusal} />}
      <Filters {...props} />
      {rows.length > 0 ? <Rows {...props} /> : <p data-empty>{t.console.audit.none}</p>}
      {next && (
        <p class="actions">
          <a class="button secondary" href={`/admin/audit?${more}`}>
            {t.console.more}
          </a>
        </p>
      )}
      {rows.length > 0 && <Download {...props} />}
    </ConsolePage>
  );
}

function Filters({ visit, asked }: AuditPageProps) {
  const { frame } = visit;
  const t = frame.t.console.audit;
  const events = auditEvents.map((event) => [event, eventInWords(frame, event)] as const);
  const sorted = events.toSorted(([, a], [, b]) => a.localeCompare(b, frame.locale));
  return (
    <form method="get" action="/admin/audit" class="form search" role="search" aria-label={t.title}>
      <Select name="event" label={t.event} options={[['', t.anyEvent], ...sorted]} chosen={asked.event} />
      <Field name="account" label={t.account} value={asked.account} autocomplete="off" inputmode="email" />
      <Field name="operator" label={t.operator} value={asked.operator} autocomplete="off" inputmode="email" />
      <Day name="since" label={t.since} value={asked.since} />
      <Day name="until" label={t.until} value={asked.until} />
      <button type="submit" class="button" data-waiting={t.waiting}>
        <span>{t.submit}</span>
      </button>
    </form>
  );
}

function Day({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} name={name} type="date" class="input" value={value} />
    </div>
  );
}

/** What a row says besides: the program it came through, the client, names and numbers of ours. */
const moreOf = ({ t }: Frame, { client_id: client, program, detail }: AuditRow): string =>
  [
    ...(program ? [t.console.audit.through(program)] : []),
    ...(client ? [client] : []),
    ...Object.entries(detail)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${String(value)}`),
  ].join(', ');

/** Whom a number stands for: the address where this operator may know it. */
function whoIs(emails: ReadonlyMap<string, string>, id: string | null, unknown: string) {
  if (!id) return '–';
  const email = emails.get(id);
  return email ? <Address>{email}</Address> : unknown;
}

function Rows({ visit, rows, emails }: AuditPageProps) {
  const { frame } = visit;
  const { audit: t, person } = frame.t.console;
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
            {eventInWords(frame, row.event)}
          </span>,
          whoIs(emails, row.account_id, t.gone),
          whoIs(emails, row.actor, person.anOperator),
          row.address ?? '–',
          moreOf(frame, row) ? (
            <span key="more" class="help">
              {moreOf(frame, row)}
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
function Download({ visit, asked }: AuditPageProps) {
  const t = visit.frame.t.console.audit;
  return (
    <section data-section="download">
      <h2>{t.exportTitle}</h2>
      <div>
        <p class="quiet">{t.exportHelp}</p>
        <Form action="/admin/audit/export" token={visit.token} stays>
          {Object.entries(asked).map(([name, value]) => (
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

const query = askedOfAudit.extend({ after: z.string().max(400).optional() });

async function show(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator, frame } = visit;
  const read = query.safeParse(ctx.query);
  const { after, ...asked } = read.success ? read.data : ctx.throw(400, 'malformed-request');
  const place = after ? placeOf(house.vault, 'audit', after) : undefined;
  if (after && place === undefined) return ctx.throw(400, 'malformed-request');
  const filter = await filterOf(house.db, operator, asked);
  if (!filter) {
    const contact = house.settings.HEMMA_HELP_DESK_CONTACT;
    const refusal = inWords(frame, { code: 'no-such-person' }, contact);
    return showPage(visit, <AuditPage {...{ visit, asked, rows: [], emails: new Map(), refusal }} />, true);
  }
  const before = place === undefined ? undefined : Number(place);
  const found = await auditRows(house.db, { ...filter, before, limit: perPage + 1 });
  const rows = found.slice(0, perPage);
  const last = rows.at(-1);
  const next = found.length > perPage && last ? cursorOf(house.vault, 'audit', String(last.id)) : undefined;
  const ids = rows.flatMap(({ account_id: account, actor }) => [account, actor].filter((id) => id !== null));
  const emails = await emailsOf(house.db, operator, ids);
  return showPage(visit, <AuditPage {...{ visit, asked, rows, emails, next }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/audit', guarded(house, 'audit.read', show));
  return router;
}
