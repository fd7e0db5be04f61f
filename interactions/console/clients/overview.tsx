// Longer than usual: what an application is stands on this one page.
import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { findEmailsByUserIds } from '../../../src/users/users.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { ClientDescription } from '../../../src/clients/schema.ts';
import { secretStorageByMethod } from '../../../src/clients/schema.ts';
import { countActiveSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { ClientErrorRecord } from '../../../src/oidc/client-errors.ts';
import { listClientErrors } from '../../../src/oidc/client-errors.ts';
import { getSectorIdentifier } from '../../../src/clients/sector-identifiers.ts';
import { findLatestSignIns } from '../../../src/audit/audit-log.ts';
import type { Frame } from '../../ui/layout.tsx';
import type { AppContext } from '../../../src/context.ts';
import { scopeOption, customScopeLabels } from '../../ui/scope-words.ts';
import { ClientPage, findClientOr404, CopyButton, clientTabPath } from './tabs.tsx';
import { ClientErrorsSection } from './errors.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { UriWithBreaks, ConsolePageSection, Table } from '../layout.tsx';

type ClientOverviewProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  refused: readonly ClientErrorRecord[];
  /** It proves itself by a secret and has none that works: nobody can sign in to it yet. */
  needsSecret: boolean;
  /** Who came in last, of those whom this operator may know. */
  arrivals: readonly { id: number; at: Date; account: string; email: string | undefined }[];
  /** The names of groups by their numbers. */
  groups: ReadonlyMap<string, string>;
  own: readonly ClaimDefinition[];
};

type SettingLine = { label: string; value: ComponentChildren };

const codeList = (items: readonly string[]) => (
  <ul class="plain">
    {items.map((item) => (
      <li key={item} class="code">
        {item}
      </li>
    ))}
  </ul>
);

/** Every field that is set, in the words of the form. */
function settingLines(
  frame: Frame,
  client: ClientDescription,
  groups: ReadonlyMap<string, string>,
  customClaims: readonly ClaimDefinition[],
): SettingLine[] {
  const { fields: f, choices, seconds, yes, types } = frame.t.clients;
  const scopes: Record<string, string> = {
    ...Object.fromEntries(customScopeLabels(frame, customClaims).map((one) => [one[0], scopeOption(one)])),
    ...choices.scopes,
  };
  const texts = (name: 'redirectUris' | 'postLogoutRedirectUris' | 'corsOrigins') =>
    client[name].length > 0 ? [{ label: f[name].label, value: codeList(client[name]) }] : [];
  const text = (
    name:
      | 'description'
      | 'contact'
      | 'backchannelLogoutUri'
      | 'frontchannelLogoutUri'
      | 'launchUrl'
      | 'initiateLoginUri',
  ) => (client[name] ? [{ label: f[name].label, value: client[name] }] : []);
  const formatLifetime = Object.entries(client.lifetimes).map(([name, value]) => ({
    label: f[`lifetimes.${name}` as 'lifetimes.idToken'].label,
    value: seconds(value ?? 0),
  }));
  const users: SettingLine[] = [
    ...(client.firstParty ? [{ label: f.firstParty.label, value: yes }] : []),
    ...texts('redirectUris'),
    ...texts('postLogoutRedirectUris'),
    ...texts('corsOrigins'),
    ...text('backchannelLogoutUri'),
    ...text('frontchannelLogoutUri'),
    ...text('launchUrl'),
    ...text('initiateLoginUri'),
    { label: f.scopes.label, value: client.scopes.map((scope) => scopes[scope] ?? scope).join(', ') || '–' },
    { label: f.consent.label, value: choices.consent[client.consent] },
    ...(client.requiredAcr
      ? [{ label: f.requiredAcr.label, value: frame.t.clients.form.alwaysTwoStep }]
      : []),
    ...(client.allowedGroups.length > 0
      ? [
          {
            label: f.allowedGroups.label,
            value: client.allowedGroups.map((id) => groups.get(id) ?? id).join(', '),
          },
        ]
      : []),
    ...(client.allowedIntents.length > 0
      ? [
          {
            label: f.allowedIntents.label,
            value: client.allowedIntents.map((intent) => choices.allowedIntents[intent]).join(', '),
          },
        ]
      : []),
    { label: f.signingAlg.label, value: client.signingAlg },
    ...(client.parRequired ? [{ label: f.parRequired.label, value: yes }] : []),
    ...(client.pkceOptional ? [{ label: f.pkceOptional.label, value: yes }] : []),
    ...(client.deviceFlow ? [{ label: f.deviceFlow.label, value: yes }] : []),
    ...(client.subjectType === 'pairwise'
      ? [
          { label: f.subjectType.label, value: choices.subjectType.pairwise },
          { label: f.sector.label, value: getSectorIdentifier(client) },
        ]
      : []),
  ];
  return [
    { label: f.id.label, value: <CopyButton {...{ frame, label: f.id.label }}>{client.id}</CopyButton> },
    { label: f.type.label, value: types[client.type].name },
    ...text('description'),
    ...text('contact'),
    { label: f.authMethod.label, value: choices.authMethod[client.authMethod] },
    ...(client.assertionSigningAlg
      ? [
          { label: f.assertionSigningAlg.label, value: client.assertionSigningAlg },
          {
            label: f.assertionAudience.label,
            value: choices.assertionAudience[client.assertionAudience ?? 'issuer'],
          },
        ]
      : []),
    ...(client.dpopRequired ? [{ label: f.dpopRequired.label, value: yes }] : []),
    ...(client.type === 'service' ? [] : users),
    ...formatLifetime,
    ...(client.apiScopes.length > 0
      ? [
          {
            label: f.apiScopes.label,
            value: codeList(client.apiScopes.map((scope) => choices.apiScopes[scope])),
          },
        ]
      : []),
    ...client.resources.map(({ resource, scopes }) => ({
      label: resource,
      value: codeList(scopes),
    })),
    ...(client.introspects ? [{ label: f.introspects.label, value: client.introspects }] : []),
    ...(client.apiGroup
      ? [{ label: f.apiGroup.label, value: groups.get(client.apiGroup) ?? client.apiGroup }]
      : []),
  ];
}

/** Who signed in last: each a way to the person. */
function RecentSignIns({ visit: consoleContext, arrivals }: ClientOverviewProps) {
  const { frame } = consoleContext;
  const t = frame.t.clients.overview;
  if (arrivals.length === 0) return <p class="quiet">{t.arrivalsNone}</p>;
  return (
    <>
      <p class="quiet">{t.arrivalsHelp}</p>
      <Table
        caption={t.arrivals}
        columns={[t.who, t.when]}
        rows={arrivals.map(({ id, at, account: userId, email }) => ({
          key: id,
          cells: [
            email ? (
              <a key="who" href={`/admin/people/${userId}`}>
                <UriWithBreaks>{email}</UriWithBreaks>
              </a>
            ) : (
              t.somebody
            ),
            <time key="when" dateTime={at.toISOString()}>
              {formatDateTime(frame.locale, at)}
            </time>,
          ],
        }))}
      />
    </>
  );
}

/** One application: how it stands, how it is set up, what it got wrong, and at the end what takes something away. */
export function ClientOverviewPage(props: ClientOverviewProps) {
  const { visit: consoleContext, shown: registered, groups, own: customClaims, needsSecret } = props;
  const { frame, operator } = consoleContext;
  const { client, enabled, managed, createdAt, updatedAt } = registered;
  const t = frame.t.clients;
  const mayWrite = hasPermission(operator, 'clients.write');
  const time = (at: Date) => formatDateTime(frame.locale, at);
  return (
    <ClientPage visit={consoleContext} shown={registered} part="overview" step="client" scripts={['copy']}>
      {needsSecret && (
        <p data-next="secret">
          {t.secrets.none}{' '}
          {mayWrite && <a href={clientTabPath(client.id, '/secrets/new')}>{t.secrets.create}</a>}
        </p>
      )}
      <ConsolePageSection title={t.overview.settings} name="settings">
        <dl class="facts">
          {settingLines(frame, client, groups, customClaims).map(({ label, value }) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p class="help">
          {t.overview.created(time(createdAt))} · {t.overview.changed(time(updatedAt))}
        </p>
        {mayWrite && managed === 'console' && (
          <p class="actions">
            <a class="button secondary" href={clientTabPath(client.id, '/edit')}>
              {t.overview.edit}
            </a>
          </p>
        )}
      </ConsolePageSection>
      {client.type !== 'service' && (
        <ConsolePageSection title={t.overview.arrivals} name="arrivals">
          <RecentSignIns {...props} />
        </ConsolePageSection>
      )}
      <ConsolePageSection title={frame.t.refusedRequests.title} name="refused-requests">
        <ClientErrorsSection visit={consoleContext} client={client} refused={props.refused} />
      </ConsolePageSection>
      {mayWrite && (
        <ConsolePageSection title={t.overview.dangerous} name="dangerous">
          <p class="actions">
            {client.type !== 'service' && (
              <a class="button secondary" href={clientTabPath(client.id, '/sign-out')}>
                {t.deeds['sign-out'].button}
              </a>
            )}
            <a class="button secondary" href={clientTabPath(client.id, enabled ? '/disable' : '/enable')}>
              {enabled ? t.deeds.disable.button : t.deeds.enable.button}
            </a>
            <a class="button secondary danger" href={clientTabPath(client.id, '/delete')}>
              {t.deeds.delete.button}
            </a>
          </p>
        </ConsolePageSection>
      )}
    </ClientPage>
  );
}

/** The latest ten, without people whom this operator does not see; a deleted account has no address any more. */
async function listRecentSignIns({ house: context, operator }: ConsoleContext, clientId: string) {
  const rows = await findLatestSignIns(context.db, clientId, 10);
  const ids = rows.flatMap(({ account_id: id }) => id ?? []);
  const emails = await findEmailsByUserIds(context.db, operator, ids);
  return rows.flatMap(({ id, at, account_id: userId }) =>
    userId ? [{ id, at, account: userId, email: emails.get(userId) }] : [],
  );
}

async function renderClientOverview(consoleContext: ConsoleContext): Promise<void> {
  const { db } = consoleContext.house;
  const registered = await findClientOr404(consoleContext);
  const arrivals = await listRecentSignIns(consoleContext, registered.client.id);
  const needsSecret =
    secretStorageByMethod[registered.client.authMethod] !== undefined &&
    (await countActiveSecrets(db))(registered.client) === 0;
  const refused = await listClientErrors(db, registered.client.id);
  const groups = new Map((await listGroups(db)).map(({ id, name }) => [id, name]));
  const customClaims = await listClaims(db);
  sendConsolePage(
    consoleContext,
    <ClientOverviewPage
      {...{
        visit: consoleContext,
        shown: registered,
        needsSecret,
        arrivals,
        refused,
        groups,
        own: customClaims,
      }}
    />,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/clients/:client', requireOperator(context, 'clients.read', renderClientOverview));
  return router;
}
