// Longer than usual: what an application is stands on this one page.
import Router from '@koa/router';
import type { ComponentChildren } from 'preact';
import { emailsOf } from '../../../src/users/users.ts';
import type { ClaimDefinition } from '../../../src/users/claim-definitions.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import { listGroups } from '../../../src/users/groups.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { ClientDescription } from '../../../src/clients/schema.ts';
import { keptOf } from '../../../src/clients/schema.ts';
import { liveSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { RefusedRequest } from '../../../src/oidc/client-errors.ts';
import { refusedRequests } from '../../../src/oidc/client-errors.ts';
import { sectorOf } from '../../../src/clients/sector-identifiers.ts';
import { latestArrivals } from '../../../src/audit/audit-log.ts';
import type { Frame } from '../../ui/layout.tsx';
import type { House } from '../../../src/context.ts';
import { choiceOf, labelsOf } from '../../ui/scope-words.ts';
import { ClientPage, clientOf, Copy, pathOf } from './tabs.tsx';
import { RefusedRequests } from './errors.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { Address, Section, Table } from '../layout.tsx';

type OverviewProps = {
  visit: AdminVisit;
  shown: RegisteredClient;
  refused: readonly RefusedRequest[];
  /** It proves itself by a secret and has none that works: nobody can sign in to it yet. */
  needsSecret: boolean;
  /** Who came in last, of those whom this operator may know. */
  arrivals: readonly { id: number; at: Date; account: string; email: string | undefined }[];
  /** The names of groups by their numbers. */
  groups: ReadonlyMap<string, string>;
  own: readonly ClaimDefinition[];
};

type Line = { label: string; value: ComponentChildren };

const list = (items: readonly string[]) => (
  <ul class="plain">
    {items.map((item) => (
      <li key={item} class="code">
        {item}
      </li>
    ))}
  </ul>
);

/** Every field that is set, in the words of the form. */
function settingsOf(
  frame: Frame,
  client: ClientDescription,
  groups: ReadonlyMap<string, string>,
  own: readonly ClaimDefinition[],
): Line[] {
  const { fields: f, choices, seconds, yes, types } = frame.t.clients;
  const scopes: Record<string, string> = {
    ...Object.fromEntries(labelsOf(frame, own).map((one) => [one[0], choiceOf(one)])),
    ...choices.scopes,
  };
  const texts = (name: 'redirectUris' | 'postLogoutRedirectUris' | 'corsOrigins') =>
    client[name].length > 0 ? [{ label: f[name].label, value: list(client[name]) }] : [];
  const text = (
    name:
      | 'description'
      | 'contact'
      | 'backchannelLogoutUri'
      | 'frontchannelLogoutUri'
      | 'launchUrl'
      | 'initiateLoginUri',
  ) => (client[name] ? [{ label: f[name].label, value: client[name] }] : []);
  const lasts = Object.entries(client.lifetimes).map(([name, value]) => ({
    label: f[`lifetimes.${name}` as 'lifetimes.idToken'].label,
    value: seconds(value ?? 0),
  }));
  const people: Line[] = [
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
          { label: f.sector.label, value: sectorOf(client) },
        ]
      : []),
  ];
  return [
    { label: f.id.label, value: <Copy {...{ frame, label: f.id.label }}>{client.id}</Copy> },
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
    ...(client.type === 'service' ? [] : people),
    ...lasts,
    ...(client.apiScopes.length > 0
      ? [
          {
            label: f.apiScopes.label,
            value: list(client.apiScopes.map((scope) => choices.apiScopes[scope])),
          },
        ]
      : []),
    ...client.resources.map(({ resource, scopes }) => ({
      label: resource,
      value: list(scopes),
    })),
    ...(client.introspects ? [{ label: f.introspects.label, value: client.introspects }] : []),
    ...(client.apiGroup
      ? [{ label: f.apiGroup.label, value: groups.get(client.apiGroup) ?? client.apiGroup }]
      : []),
  ];
}

/** Who signed in last: each a way to the person. */
function Arrivals({ visit, arrivals }: OverviewProps) {
  const { frame } = visit;
  const t = frame.t.clients.overview;
  if (arrivals.length === 0) return <p class="quiet">{t.arrivalsNone}</p>;
  return (
    <>
      <p class="quiet">{t.arrivalsHelp}</p>
      <Table
        caption={t.arrivals}
        columns={[t.who, t.when]}
        rows={arrivals.map(({ id, at, account, email }) => ({
          key: id,
          cells: [
            email ? (
              <a key="who" href={`/admin/people/${account}`}>
                <Address>{email}</Address>
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
export function OverviewPage(props: OverviewProps) {
  const { visit, shown, groups, own, needsSecret } = props;
  const { frame, operator } = visit;
  const { client, enabled, managed, createdAt, updatedAt } = shown;
  const t = frame.t.clients;
  const mayWrite = mayAct(operator, 'clients.write');
  const time = (at: Date) => formatDateTime(frame.locale, at);
  return (
    <ClientPage visit={visit} shown={shown} part="overview" step="client" scripts={['copy']}>
      {needsSecret && (
        <p data-next="secret">
          {t.secrets.none} {mayWrite && <a href={pathOf(client.id, '/secrets/new')}>{t.secrets.create}</a>}
        </p>
      )}
      <Section title={t.overview.settings} name="settings">
        <dl class="facts">
          {settingsOf(frame, client, groups, own).map(({ label, value }) => (
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
            <a class="button secondary" href={pathOf(client.id, '/edit')}>
              {t.overview.edit}
            </a>
          </p>
        )}
      </Section>
      {client.type !== 'service' && (
        <Section title={t.overview.arrivals} name="arrivals">
          <Arrivals {...props} />
        </Section>
      )}
      <Section title={frame.t.refusedRequests.title} name="refused-requests">
        <RefusedRequests visit={visit} client={client} refused={props.refused} />
      </Section>
      {mayWrite && (
        <Section title={t.overview.dangerous} name="dangerous">
          <p class="actions">
            {client.type !== 'service' && (
              <a class="button secondary" href={pathOf(client.id, '/sign-out')}>
                {t.deeds['sign-out'].button}
              </a>
            )}
            <a class="button secondary" href={pathOf(client.id, enabled ? '/disable' : '/enable')}>
              {enabled ? t.deeds.disable.button : t.deeds.enable.button}
            </a>
            <a class="button secondary danger" href={pathOf(client.id, '/delete')}>
              {t.deeds.delete.button}
            </a>
          </p>
        </Section>
      )}
    </ClientPage>
  );
}

/** The latest ten, without people whom this operator does not see; a deleted account has no address any more. */
async function arrivalsOf({ house, operator }: AdminVisit, clientId: string) {
  const rows = await latestArrivals(house.db, clientId, 10);
  const ids = rows.flatMap(({ account_id: id }) => id ?? []);
  const emails = await emailsOf(house.db, operator, ids);
  return rows.flatMap(({ id, at, account_id: account }) =>
    account ? [{ id, at, account, email: emails.get(account) }] : [],
  );
}

async function show(visit: AdminVisit): Promise<void> {
  const { db } = visit.house;
  const shown = await clientOf(visit);
  const arrivals = await arrivalsOf(visit, shown.client.id);
  const needsSecret =
    keptOf[shown.client.authMethod] !== undefined && (await liveSecrets(db))(shown.client) === 0;
  const refused = await refusedRequests(db, shown.client.id);
  const groups = new Map((await listGroups(db)).map(({ id, name }) => [id, name]));
  const own = await listClaims(db);
  showPage(visit, <OverviewPage {...{ visit, shown, needsSecret, arrivals, refused, groups, own }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/clients/:client', guarded(house, 'clients.read', show));
  return router;
}
