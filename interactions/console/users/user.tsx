// Longer than usual: everything that helps on the telephone stands on this one page.
import Router from '@koa/router';
import type { User } from '../../../src/users/users.ts';
import { findEmailsByUserIds } from '../../../src/users/users.ts';
import type { Group } from '../../../src/users/groups.ts';
import { findGroup, listUserGroups } from '../../../src/users/groups.ts';
import type { Permission } from '../../../src/users/operators.ts';
import { filterVisibleGroups, hasPermission } from '../../../src/users/operators.ts';
import { findHelpDeskCodeExpiry, findActiveRecoveryCode } from '../../../src/mfa/recovery-code.ts';
import { findAuthenticator } from '../../../src/mfa/totp.ts';
import type { CaseState } from '../../../src/help-desk/case-state.ts';
import { getCaseState } from '../../../src/help-desk/case-state.ts';
import type { Case } from '../../../src/help-desk/cases.ts';
import { listUserCases } from '../../../src/help-desk/cases.ts';
import type { FactorHistory } from '../../../src/help-desk/factor-history.ts';
import { findFactorHistory } from '../../../src/help-desk/factor-history.ts';
import { formatDate, formatDateTime, phrasesFor } from '../../../src/i18n/phrases.ts';
import { isBuiltInClient } from '../../../config/built-in-clients.ts';
import type { ActiveSession } from '../../../src/sessions/records.ts';
import { listActiveSessions } from '../../../src/sessions/records.ts';
import type { AuditRow } from '../../../src/audit/audit-log.ts';
import { findAuditEvents } from '../../../src/audit/audit-log.ts';
import type { AppContext } from '../../../src/context.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, findUserOr404, sendConsolePage } from '../require-operator.ts';
import type { LoadedAttributes } from './attributes.tsx';
import { AttributeList, loadVisibleAttributes } from './attributes.tsx';
import { ConsolePage, CopyableText, auditEventText, ConsolePageSection } from '../layout.tsx';

type UserPageProps = {
  visit: ConsoleContext;
  person: User;
  groups: readonly Group[];
  /** The group that an operator is limited to. */
  limit: Group | undefined;
  authenticator: Awaited<ReturnType<typeof findAuthenticator>>;
  code: Awaited<ReturnType<typeof findActiveRecoveryCode>>;
  /** Until when a code from the help desk lives. */
  helpDeskCode: Date | undefined;
  history: FactorHistory;
  /** The cases of the person, where this operator may see them. */
  cases: readonly { one: Case; state: CaseState }[] | undefined;
  sessions: readonly ActiveSession[];
  events: readonly AuditRow[];
  /** The addresses of operators who did something, of those whom this operator may know. */
  emails: ReadonlyMap<string, string>;
  /** What the account has for claims of the house's own, where this operator may set it. */
  attributes: LoadedAttributes | undefined;
  notice?: string | undefined;
};

/** Everything that helps somebody on the telephone, and never a secret: the state first, what can be done beside it. */
export function UserPage(props: UserPageProps) {
  const { visit: consoleContext, person: user, notice } = props;
  const t = consoleContext.frame.t.console.person;
  return (
    <ConsolePage visit={consoleContext} title={user.name} step="person" part="people" notice={notice}>
      <p class="lead">
        <CopyableText frame={consoleContext.frame}>{user.email}</CopyableText>
      </p>
      {user.id === consoleContext.operator.id && <p class="quiet">{t.itself}</p>}
      <AccessSection {...props} />
      <MfaSection {...props} />
      <RecoveryCodeSection {...props} />
      <CasesSection {...props} />
      <SessionsSection {...props} />
      <EventsSection {...props} />
      <GroupsAndRoleSection {...props} />
      <CustomClaimsSection {...props} />
      <ProfileSection {...props} />
    </ConsolePage>
  );
}

type UserActionLink = readonly [name: string, label: string, action: Permission, danger?: 'danger'];

/** Links to the forms that this operator may open for this person. */
function UserActionLinks({
  visit: consoleContext,
  person: user,
  groups,
  deeds: auditEvents,
}: UserPageProps & { deeds: readonly UserActionLink[] }) {
  const target = { id: user.id, role: user.role, groups: groups.map(({ id }) => id) };
  const open = auditEvents.filter(([, , permission]) =>
    hasPermission(consoleContext.operator, permission, target),
  );
  if (open.length === 0) return null;
  return (
    <p class="actions">
      {open.map(([name, label, , danger]) => (
        <a
          key={name}
          class={danger ? 'button secondary danger' : 'button secondary'}
          href={`/admin/people/${user.id}/${name}`}
        >
          {label}
        </a>
      ))}
    </p>
  );
}

function AccessSection(props: UserPageProps) {
  const { visit: consoleContext, person: user } = props;
  const { person: t, deeds: actions } = consoleContext.frame.t.console;
  const day = (date: Date) => formatDate(consoleContext.frame.locale, date);
  const invited = user.invitedAt && !user.disabledAt;
  const state = user.disabledAt
    ? t.disabledSince(day(user.disabledAt))
    : user.invitedAt
      ? t.invitedSince(day(user.invitedAt))
      : t.active;
  const resend: readonly UserActionLink[] = [
    ['resend-invitation', actions['resend-invitation'].link, 'people.invite'],
  ];
  return (
    <ConsolePageSection title={t.access} name="access">
      <p class="state">{state}</p>
      <UserActionLinks
        {...props}
        deeds={[
          ...(invited ? resend : []),
          user.disabledAt
            ? ['enable', actions.enable.link, 'people.disable']
            : ['disable', actions.disable.link, 'people.disable', 'danger'],
        ]}
      />
    </ConsolePageSection>
  );
}

function MfaSection(props: UserPageProps) {
  const { visit: consoleContext, person: user, authenticator } = props;
  const { person: t, deeds: actions } = consoleContext.frame.t.console;
  const day = (date: Date) => formatDate(consoleContext.frame.locale, date);
  const require: UserActionLink = [
    'require-two-step',
    actions['require-two-step'].link,
    'people.require-two-step',
  ];
  return (
    <ConsolePageSection title={t.twoStep} name="two-step">
      <p class="state">{authenticator ? t.connected(day(authenticator.createdAt)) : t.noPhone}</p>
      <AuthenticatorHistory {...props} />
      {authenticator?.disabledAt && <p class="state">{t.switchedOff(day(authenticator.disabledAt))}</p>}
      {authenticator?.lastUsedAt && <p class="quiet">{t.lastUsed(day(authenticator.lastUsedAt))}</p>}
      <p class="quiet">{user.twoStepRequired ? t.required : t.optional}</p>
      <UserActionLinks {...props} deeds={user.twoStepRequired ? [] : [require]} />
    </ConsolePageSection>
  );
}

/** Who it was that connected the phone, or took it away: the person, helped or not, or an operator. */
function AuthenticatorHistory({ visit: consoleContext, authenticator, history, emails }: UserPageProps) {
  const { frame } = consoleContext;
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
function CasesSection(props: UserPageProps) {
  const { visit: consoleContext, cases, authenticator } = props;
  const { frame } = consoleContext;
  const { desk } = frame.t.helpDesk;
  const t = frame.t.console.person;
  if (!cases) return null;
  const opens = authenticator && cases.every(({ one }) => one.closedAt);
  return (
    <ConsolePageSection title={t.cases} name="cases">
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
      {opens && <UserActionLinks {...props} deeds={[['case', desk.openFor, 'cases.send-code']]} />}
    </ConsolePageSection>
  );
}

function RecoveryCodeSection({ visit: consoleContext, code, helpDeskCode, history, emails }: UserPageProps) {
  const t = consoleContext.frame.t.console.person;
  const day = (date: Date) => formatDate(consoleContext.frame.locale, date);
  const time = (date: Date) => formatDateTime(consoleContext.frame.locale, date);
  const sent = helpDeskCode && history.codeSent;
  return (
    <ConsolePageSection title={t.recoveryCode} name="recovery-code">
      <p class="state">{code ? t.saved(day(code.since)) : t.noCode}</p>
      {code?.checked && <p class="quiet">{t.checked(day(code.checked))}</p>}
      {helpDeskCode && <p class="state">{t.helpDeskCode(time(helpDeskCode))}</p>}
      {sent && (
        <p class="quiet">{t.codeSentBy((sent.by && emails.get(sent.by)) ?? t.anOperator, time(sent.at))}</p>
      )}
    </ConsolePageSection>
  );
}

function SessionsSection(props: UserPageProps) {
  const { visit: consoleContext, sessions } = props;
  const { person: t, deeds: actions } = consoleContext.frame.t.console;
  const time = (date: Date) => formatDateTime(consoleContext.frame.locale, date);
  const device = (name: string | undefined) => (name && name !== '?' ? name : t.unknownDevice);
  return (
    <ConsolePageSection title={t.sessions} name="sessions">
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
      <UserActionLinks
        {...props}
        deeds={[['end-sessions', actions['end-sessions'].link, 'people.end-sessions']]}
      />
    </ConsolePageSection>
  );
}

function EventsSection({ visit: consoleContext, person: user, events, emails }: UserPageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.console.person;
  return (
    <ConsolePageSection title={t.events} name="events">
      {events.length === 0 && <p class="quiet">{t.noEvents}</p>}
      <ul class="rows events">
        {events.map((row) => (
          <li key={row.id} data-event={row.event}>
            <p>
              {auditEventText(frame, row.event)}
              {row.actor && ` ${t.by(emails.get(row.actor) ?? t.anOperator)}`}
              {row.client_id && !isBuiltInClient(row.client_id) && ` · ${row.client_id}`}
            </p>
            <p class="help">
              <time dateTime={row.at.toISOString()}>{formatDateTime(frame.locale, row.at)}</time>
              {row.address && ` · ${row.address}`}
            </p>
          </li>
        ))}
      </ul>
      {hasPermission(operator, 'audit.read') && (
        <p>
          <a href={`/admin/audit?${new URLSearchParams({ account: user.email }).toString()}`}>
            {t.allEvents}
          </a>
        </p>
      )}
    </ConsolePageSection>
  );
}

function GroupsAndRoleSection(props: UserPageProps) {
  const { visit: consoleContext, person: user, groups, limit } = props;
  const t = consoleContext.frame.t.console;
  const role = t.roles[user.role];
  return (
    <ConsolePageSection title={t.person.role} name="role">
      <p class="state">{limit ? t.limitedRole(role, limit.name) : role}</p>
      <p class="quiet">
        {groups.length > 0
          ? `${t.person.groups}: ${groups.map(({ name }) => name).join(', ')}`
          : t.person.noGroups}
      </p>
      <UserActionLinks
        {...props}
        deeds={[
          ['groups', t.membership.link, 'people.groups'],
          ['role', t.role.link, 'people.role', 'danger'],
        ]}
      />
    </ConsolePageSection>
  );
}

function CustomClaimsSection(props: UserPageProps) {
  const { visit: consoleContext, attributes } = props;
  const t = consoleContext.frame.t.ownClaims.person;
  if (!attributes || attributes.claims.length === 0) return null;
  return (
    <ConsolePageSection title={t.section} name="attributes">
      <AttributeList frame={consoleContext.frame} shown={attributes} />
      <UserActionLinks {...props} deeds={[['attributes', t.link, 'people.attributes']]} />
    </ConsolePageSection>
  );
}

function ProfileSection({ visit: consoleContext, person: user }: UserPageProps) {
  const { frame } = consoleContext;
  const t = frame.t.console.person;
  return (
    <ConsolePageSection title={t.account} name="account">
      <dl>
        <dt>{t.number}</dt>
        <dd>
          <CopyableText frame={frame}>{user.id}</CopyableText>
        </dd>
        <dt>{t.created}</dt>
        <dd>{formatDate(frame.locale, user.createdAt)}</dd>
        <dt>{t.language}</dt>
        <dd>{user.locale ? phrasesFor(user.locale).page.languageName : t.unchosen}</dd>
      </dl>
    </ConsolePageSection>
  );
}

/** What a deed led to, by its name in the address; the address may be anybody's link: it changes nothing. */
function userNotice({ ctx, frame }: ConsoleContext): string | undefined {
  const { deeds: actions, role, membership } = frame.t.console;
  const parameter: Record<string, string> = {
    'resend-invitation': actions['resend-invitation'].done,
    disable: actions.disable.done,
    enable: actions.enable.done,
    'end-sessions': actions['end-sessions'].done,
    'require-two-step': actions['require-two-step'].done,
    role: role.done,
    groups: membership.done,
    attributes: frame.t.ownClaims.person.done,
  };
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(parameter, notice) ? parameter[notice] : undefined;
}

/** Nobody sees the cases of their own account, nor those of an account beyond their reach. */
async function listVisibleCases(
  { house: context, operator }: ConsoleContext,
  user: User,
  groups: readonly Group[],
) {
  const target = { id: user.id, role: user.role, groups: groups.map(({ id }) => id) };
  if (user.id === operator.id || !hasPermission(operator, 'cases.read', target)) return undefined;
  const found = (await listUserCases(context.db, user.id)).slice(0, 10);
  return Promise.all(found.map(async (one) => ({ one, state: await getCaseState(context.db, one) })));
}

async function renderUser(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, operator } = consoleContext;
  const { db } = context;
  const user = await findUserOr404(consoleContext, 'people.read');
  const { group } = operator;
  const events = await findAuditEvents(db, { accountId: user.id, group, limit: 15 });
  const groups = filterVisibleGroups(operator, await listUserGroups(db, user.id));
  const history = await findFactorHistory(db, user.id);
  const actors = [
    ...events.map(({ actor }) => actor),
    history.connected?.helped?.by,
    history.ended?.by,
    history.codeSent?.by,
  ].flatMap((id) => id ?? []);
  const page = (
    <UserPage
      visit={consoleContext}
      person={user}
      groups={groups}
      limit={user.operatorGroup ? await findGroup(db, { id: user.operatorGroup }) : undefined}
      authenticator={await findAuthenticator(db, user.id)}
      code={await findActiveRecoveryCode(db, user.id)}
      helpDeskCode={await findHelpDeskCodeExpiry(db, user.id)}
      history={history}
      cases={await listVisibleCases(consoleContext, user, groups)}
      sessions={await listActiveSessions(db, user.id)}
      events={events}
      emails={await findEmailsByUserIds(db, operator, actors)}
      attributes={await loadVisibleAttributes(consoleContext, user)}
      notice={userNotice(consoleContext)}
    />
  );
  sendConsolePage(consoleContext, page);
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/people/:id', requireOperator(context, 'people.read', renderUser));
  return router;
}
