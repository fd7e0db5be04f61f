import Router from '@koa/router';
import { clientTypes, keptOf } from '../../../src/clients/schema.ts';
import { liveSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { listClients } from '../../../src/clients/clients.ts';
import { mayAct } from '../../../src/users/operators.ts';
import { Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { ConsolePage, Copyable, Table } from '../layout.tsx';
import { pathOf } from './tabs.tsx';

type ClientsPageProps = {
  visit: AdminVisit;
  clients: readonly RegisteredClient[];
  secrets: Awaited<ReturnType<typeof liveSecrets>>;
  notice?: string | undefined;
};

/** All applications, a line each. */
export function ClientsPage({ visit, clients, secrets, notice }: ClientsPageProps) {
  const { frame, operator } = visit;
  const t = frame.t.clients;
  const columns = [t.columns.name, t.columns.id, t.columns.type, t.columns.state, t.columns.managed];
  return (
    <ConsolePage visit={visit} title={t.title} step="clients" part="clients" notice={notice}>
      {clients.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={columns}
          rows={clients.map(({ client, enabled, managed, registeredWith }) => ({
            key: client.id,
            cells: [
              <a key="name" href={pathOf(client.id)}>
                {client.name}
              </a>,
              <Copyable key="id" frame={frame}>
                {client.id}
              </Copyable>,
              keptOf[client.authMethod]
                ? `${t.types[client.type].name}, ${t.live(secrets(client))}`
                : t.types[client.type].name,
              enabled ? t.states.on : t.states.off,
              registeredWith === undefined
                ? t.managed[managed]
                : `${t.managed[managed]}. ${frame.t.registration.mark(registeredWith)}`,
            ],
          }))}
        />
      )}
      {mayAct(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={pathOf('-', '/new')}>
            {t.create}
          </a>{' '}
          <a class="button secondary" href="/admin/claims">
            {frame.t.ownClaims.link}
          </a>
        </p>
      )}
      <Ways
        ways={[
          { href: '/admin/resource-servers', label: frame.t.resourceServers.link },
          { href: pathOf('-', '/initial-access-tokens'), label: frame.t.registration.title },
        ]}
      />
    </ConsolePage>
  );
}

async function show(visit: AdminVisit): Promise<void> {
  const { house, ctx, frame } = visit;
  const clients = await listClients(house.db);
  const secrets = await liveSecrets(house.db);
  const notice = ctx.query.notice === 'removed' ? frame.t.clients.notices.removed : undefined;
  showPage(visit, <ClientsPage {...{ visit, clients, secrets, notice }} />);
}

/** The first question about a new application: its type chooses everything that is chosen for it. */
export function ChooseTypePage({ visit }: { visit: AdminVisit }) {
  const t = visit.frame.t.clients;
  return (
    <ConsolePage visit={visit} title={t.form.chooseTitle} step="client-type" part="clients">
      <p class="quiet">{t.form.chooseHelp}</p>
      <ul class="list ways">
        {clientTypes.map((type) => (
          <li key={type}>
            <a href={pathOf('-', `/new/${type}`)}>{t.types[type].name}</a>
            <span class="help">{t.types[type].help}</span>
          </li>
        ))}
      </ul>
    </ConsolePage>
  );
}

export function routes(house: House): Router {
  const router = new Router();
  router.get('/admin/clients', guarded(house, 'clients.read', show));
  router.get(
    '/admin/clients/-/new',
    guarded(house, 'clients.write', (visit) => showPage(visit, <ChooseTypePage visit={visit} />)),
  );
  return router;
}
