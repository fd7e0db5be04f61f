// Longer than usual: everything that helps on the telephone stands on this one page.
import Router from '@koa/router';
import type { Account } from '../../../src/users/users.ts';
import { emailsOf } from '../../../src/users/users.ts';
import type { Group } from '../../../src/users/groups.ts';
import { groupBy, groupsOf } from '../../../src/users/groups.ts';
import type { Action } from '../../../src/users/operators.ts';
import { groupsHeardOf, mayAct } from '../../../src/users/operators.ts';
import { helpDeskCodeUntil, liveCode } from '../../../src/mfa/recovery-code.ts';
import { authenticatorOf } from '../../../src/mfa/totp.ts';
import type { CaseState } from '../../../src/help-desk/case-state.ts';
import { stateOfCase } from '../../../src/help-desk/case-state.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { casesOf } from '../../../src/help-desk/cases.ts';
import type { FactorHistory } from '../../../src/help-desk/factor-history.ts';
import { factorHistory } from '../../../src/help-desk/factor-history.ts';
import { formatDate, formatDateTime, phrasesFor } from '../../../src/i18n/phrases.ts';
import { isOwnClient } from '../../../config/built-in-clients.ts';
import type { LiveSession } from '../../../src/sessions/records.ts';
import { sessionsOf } from '../../../src/sessions/records.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import { auditRows } from '../../../src/audit/audit-log.ts';
import type { House } from '../../../src/context.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, personOf, showPage } from '../require-operator.ts';
import type { Shown } from './attributes.tsx';
import { AttributeList, attributesFor } from './attributes.tsx';
import { ConsolePage, Copyable, eventInWords, Section } from '../layout.tsx';

type PersonPageProps = {
  visit: AdminVisit;
  person: Account;
  groups: readonly Group[];
  /** The group that an operator is limited to. */
  limit: Group | undefined;
  authenticator: Awaited<ReturnType<typeof authenticatorOf>>;
  code: Awaited<ReturnType<typeof liveCode>>;
  /** Until when a code from the help desk lives. */
  helpDeskCode: Date | undefined;
  history: FactorHistory;
  /** The cases of the person, where this operator may see them. */
  cases: readonly { one: Case; state: CaseState }[] | undefined;
  sessions: readonly LiveSession[];
  events: readonly AuditRow[];
  /** The addresses of operators who did something, of those whom this operator may know. */
  emails: ReadonlyMap<string, string>;
  /** What the account has for claims of the house's own, where this operator may set it. */
  attributes: Shown | undefined;
  notice?: string | undefined;
};

/** Everything that helps somebody on the telephone, and never a secret: the state first, what can be done beside it. */
export function PersonPage(props: PersonPageProps) {
  const { visit, person, notice } = props;
  const t = visit.frame.t.console.person;
  return (
    <ConsolePage visit={visit} title={person.name} step="person" part="people" notice={notice}>
      <p class="lead">
        <Copyable frame={visit.frame}>{person.email}</Copyable>
      </p>
      {person.id === visit.operator.id && <p class="quiet">{t.itself}</p>}
      <Access {...props} />
      <TwoStep {...props} />
      <RecoveryCode {...props} />
      <Cases {...props} />
      <Sessions {...props} />
      <Events {...props} />
      <Belonging {...props} />
      <OwnClaims {...props} />
      <About {...props} />
    </ConsolePage>
  );
}

type Deed = readonly [name: string, label: string, action: Action, danger?: 'danger'];

/** Links to the forms that this operator may open for this person. */
function Deeds({ visit, person, groups, deeds }: PersonPageProps & { deeds: readonly Deed[] }) {
  const target = { id: person.id, role: person.role, groups: groups.map(({ id }) => id) };
  const open = deeds.filter(([, , action]) => mayAct(visit.operator, action, target));
  if (open.length === 0) return null;
  return (
    <p class="actions">
      {open.map(([name, label, , danger]) => (
        <a
          key={name}
          class={danger ? 'button secondary danger' : 'button secondary'}
          href={`/admin/people/${person.id}/${name}`}
        >
          {label}
        </a>
      ))}
    </p>
  );
}

function Access(props: PersonPageProps) {
  const { visit, person } = props;
  const { person: t, deeds } = visit.frame.t.console;
  const day = (date: Date) => formatDate(visit.frame.locale, date);
  const invited = person.invitedAt && !person.disabledAt;
  const state = person.disabledAt
    ? t.disabledSince(day(person.disabledAt))
    : person.invitedAt
      ? t.invitedSince(day(person.invitedAt))
      : t.active;
  const resend: readonly Deed[] = [['resend-invitation', deeds['resend-invitation'].link, 'people.invite']];
  return (
    <Section title={t.access} name="access">
      <p class="state">{state}</p>
      <Deeds
        {...props}
        deeds={[
          ...(invited ? resend : []),
          person.disabledAt
            ? ['enable', deeds.enable.link, 'people.disable']
            : ['disable', deeds.disable.link, 'people.disable', 'danger'],
        ]}
      />
    </Section>
  );
}

function TwoStep(props: PersonPageProps) {
  const { visit, person, authenticator } = props;
  const { person: t, deeds } = visit.frame.t.console;
  const day = (date: Date) => formatDate(visit.frame.locale, date);
  const require: Deed = ['require-two-step', deeds['require-two-step'].link, 'people.require-two-step'];
  return (
    <Section title={t.twoStep} name="two-step">
      <p class="state">{authenticator ? t.connected(day(authenticator.createdAt)) : t.noPhone}</p>
      <Provenance {...props} />
      {authenticator?.disabledAt && <p class="state">{t.switchedOff(day(authenticator.disabledAt))}</p>}
      {authenticator?.lastUsedAt && <p class="quiet">{t.lastUsed(day(authenticator.lastUsedAt))}</p>}
      <p class="quiet">{person.twoStepRequired ? t.required : t.optional}</p>
      <Deeds {...props} deeds={person.twoStepRequired ? [] : [require]} />
    </Section>
  );
}

/** Who it was that connected the phone, or took it away: the person, helped or not, or an operator. */
function Provenance({ visit, authenticator, history, emails }: PersonPageProps) {
  const { frame } = visit;
  const t = frame.t.console.person;
  const time = (date: Date) => formatDateTime(frame.locale, date);
  const who = (id: string) => emails.get(id) ?? t.anOperator;
  const { connected, ended } = history;
  if (authenticator && connected) {
    const { helped } = connected;
    const words = helped?.by ? t.connectedWithHelp(who(helped.by), time(helped.at)) : t.connectedBy;
    return <p class="quiet">{words}</p>;
  }
  if (authenticator || !ended) return null;
  return (
    <p class="quiet">
      {ended.by ? t.endedByOperator(who(ended.by), time(ended.at)) : t.endedByPerson(time(ended.at))}
    </p>
  );
}

/** The person's cases, or the way to open one. */
function Cases(props: PersonPageProps) {
  const { visit, cases, authenticator } = props;
  const { frame } = visit;
  const { desk } = frame.t.helpDesk;
  const t = frame.t.console.person;
  if (!cases) return null;
  const opens = authenticator && cases.every(({ one }) => one.closedAt);
  return (
    <Section title={t.cases} name="cases">
      {cases.length === 0 && <p class="quiet">{t.noCases}</p>}
      <ul class="rows events">
        {cases.map(({ one, state }) => (
          <li key={one.id}>
            <p>
              <span>
                <a href={`/admin/cases/${one.id}`}>{t.case(one.number)}</a>
                {`: ${desk.states[state]}`}
              </span>
            </p>
            <p class="help">
              <time dateTime={one.openedAt.toISOString()}>{formatDateTime(frame.locale, one.openedAt)}</time>
            </p>
          </li>
        ))}
      </ul>
      {opens && <Deeds {...props} deeds={[['case', desk.openFor, 'cases.send-code']]} />}
    </Section>
  );
}

function RecoveryCode({ visit, code, helpDeskCode, history, emails }: PersonPageProps) {
  const t = visit.frame.t.console.person;
  const day = (date: Date) => formatDate(visit.frame.locale, date);
  const time = (date: Date) => formatDateTime(visit.frame.locale, date);
  const sent = helpDeskCode && history.codeSent;
  return (
    <Section title={t.recoveryCode} name="recovery-code">
      <p class="state">{code ? t.saved(day(code.since)) : t.noCode}</p>
      {code?.checked && <p class="quiet">{t.checked(day(code.checked))}</p>}
      {helpDeskCode && <p class="state">{t.helpDeskCode(time(helpDeskCode))}</p>}
      {sent && (
        <p class="quiet">{t.codeSentBy((sent.by && emails.get(sent.by)) ?? t.anOperator, time(sent.at))}</p>
      )}
    </Section>
  );
}

function Sessions(props: PersonPageProps) {
  const { visit, sessions } = props;
  const { person: t, deeds } = visit.frame.t.console;
  const time = (date: Date) => formatDateTime(visit.frame.locale, date);
  const device = (name: string | undefined) => (name && name !== '?' ? name : t.unknownDevice);
  return (
    <Section title={t.sessions} name="sessions">
      {sessions.length === 0 && <p class="quiet">{t.noSessions}</p>}
      <ul class="rows">
        {sessions.map(({ uid, signedInAt, place }) => (
          <li key={uid}>
            <p>
              <strong>{device(place?.device)}</strong>
              <span class="help">{t.since(time(signedInAt))}</span>
              {place && <span class="help">{t.seen(time(place.at), place.address)}</span>}
            </p>
          </li>
        ))}
      </ul>
      <Deeds {...props} deeds={[['end-sessions', deeds['end-sessions'].link, 'people.end-sessions']]} />
    </Section>
  );
}

function Events({ visit, person, events, emails }: PersonPageProps) {
  const { frame, operator } = visit;
  const t = frame.t.console.person;
  return (
    <Section title={t.events} name="events">
      {events.length === 0 && <p class="quiet">{t.noEvents}</p>}
      <ul class="rows events">
        {events.map((row) => (
          <li key={row.id} data-event={row.event}>
            <p>
              {eventInWords(frame, row.event)}
              {row.actor && ` ${t.by(emails.get(row.actor) ?? t.anOperator)}`}
              {row.client_id && !isOwnClient(row.client_id) && ` · ${row.client_id}`}
            </p>
            <p class="help">
              <time dateTime={row.at.toISOString()}>{formatDateTime(frame.locale, row.at)}</time>
              {row.address && ` · ${row.address}`}
            </p>
          </li>
        ))}
      </ul>
      {mayAct(operator, 'audit.read') && (
        <p>
          <a href={`/admin/audit?${new URLSearchParams({ account: person.email }).toString()}`}>
            {t.allEvents}
          </a>
        </p>
      )}
    </Section>
  );
}

function Belonging(props: PersonPageProps) {
  const { visit, person, groups, limit } = props;
  const t = visit.frame.t.console;
  const role = t.roles[person.role];
  return (
    <Section title={t.person.role} name="role">
      <p class="state">{limit ? t.limitedRole(role, limit.name) : role}</p>
      <p class="quiet">
        {groups.length > 0
          ? `${t.person.groups}: ${groups.map(({ name }) => name).join(', ')}`
          : t.person.noGroups}
      </p>
      <Deeds
        {...props}
        deeds={[
          ['groups', t.membership.link, 'people.groups'],
          ['role', t.role.link, 'people.role', 'danger'],
        ]}
      />
    </Section>
  );
}

function OwnClaims(props: PersonPageProps) {
  const { visit, attributes } = props;
  const t = visit.frame.t.ownClaims.person;
  if (!attributes || attributes.claims.length === 0) return null;
  return (
    <Section title={t.section} name="attributes">
      <AttributeList frame={visit.frame} shown={attributes} />
      <Deeds {...props} deeds={[['attributes', t.link, 'people.attributes']]} />
    </Section>
  );
}

function About({ visit, person }: PersonPageProps) {
  const { frame } = visit;
  const t = frame.t.console.person;
  return (
    <Section title={t.account} name="account">
      <dl>
        <dt>{t.number}</dt>
        <dd>
          <Copyable frame={frame}>{person.id}</Copyable>
        </dd>
        <dt>{t.created}</dt>
        <dd>{formatDate(frame.locale, person.createdAt)}</dd>
        <dt>{t.language}</dt>
        <dd>{person.locale ? phrasesFor(person.locale).page.languageName : t.unchosen}</dd>
      </dl>
    </Section>
  );
}

/** What a deed led to, by its name in the address; the address may be anybody's link: it changes nothing. */
function noticeOf({ ctx, frame }: AdminVisit): string | undefined {
  const { deeds, role, membership } = frame.t.console;
  const said: Record<string, string> = {
    'resend-invitation': deeds['resend-invitation'].done,
    disable: deeds.disable.done,
    enable: deeds.enable.done,
    'end-sessions': deeds['end-sessions'].done,
    'require-two-step': deeds['require-two-step'].done,
    role: role.done,
    groups: membership.done,
    attributes: frame.t.ownClaims.person.done,
  };
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(said, notice) ? said[notice] : undefined;
}

/** Nobody sees the cases of their own account, nor those of an account beyond their reach. */
async function casesFor({ house, operator }: AdminVisit, person: Account, groups: readonly Group[]) {
  const target = { id: person.id, role: person.role, groups: groups.map(({ id }) => id) };
  if (person.id === operator.id || !mayAct(operator, 'cases.read', target)) return undefined;
  const found = (await casesOf(house.db, person.id)).slice(0, 10);
  return Promise.all(found.map(async (one) => ({ one, state: await stateOfCase(house.db, one) })));
}

async function show(visit: AdminVisit): Promise<void> {
  const { house, operator } = visit;
  const { db } = house;
  const person = await personOf(visit, 'people.read');
  const { group } = operator;
  const events = await auditRows(db, { accountId: person.id, group, limit: 15 });
  const groups = groupsHeardOf(operator, await groupsOf(db, person.id));
  const history = await factorHistory(db, person.id);
  const actors = [
    ...events.map(({ actor }) => actor),
    history.connected?.helped?.by,
    history.ended?.by,
    history.codeSent?.by,
  ].flatMap((id) => id ?? []);
  const page = (
    <PersonPage
      visit={visit}
      person={person}
      groups={groups}
      limit={person.operatorGroup ? await groupBy(db, { id: person.operatorGroup }) : undefined}
      authenticator={await authenticatorOf(db, person.id)}
      code={await liveCode(db, person.id)}
      helpDeskCode={await helpDeskCodeUntil(db, person.id)}
      history={history}
      cases={await casesFor(visit, person, groups)}
      sessions={await sessionsOf(db, person.id)}
      events={events}
      emails={await emailsOf(db, operator, actors)}
      attributes={await attributesFor(visit, person)}
      notice={noticeOf(visit)}
    />
  );
  showPage(visit, page);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/people/:id', guarded(house, 'people.read', show));
  return router;
}
