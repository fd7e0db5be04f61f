import Router from '@koa/router';
import { clientTypes, secretStorageByMethod } from '../../../src/clients/schema.ts';
import { countActiveSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { listClients } from '../../../src/clients/clients.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import { LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { ConsolePage, CopyableText, Table } from '../layout.tsx';
import { clientTabPath } from './tabs.tsx';

type ClientsPageProps = {
  visit: ConsoleContext;
  clients: readonly RegisteredClient[];
  secrets: Awaited<ReturnType<typeof countActiveSecrets>>;
  notice?: string | undefined;
};

/** All applications, a line each. */
export function ClientsPage({ visit: consoleContext, clients, secrets, notice }: ClientsPageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.clients;
  const columns = [t.columns.name, t.columns.id, t.columns.type, t.columns.state, t.columns.managed];
  return (
    <ConsolePage visit={consoleContext} title={t.title} step="clients" part="clients" notice={notice}>
      {clients.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={columns}
          rows={clients.map(({ client, enabled, managed, registeredWith }) => ({
            key: client.id,
            cells: [
              <a key="name" href={clientTabPath(client.id)}>
                {client.name}
              </a>,
              <CopyableText key="id" frame={frame}>
                {client.id}
              </CopyableText>,
              secretStorageByMethod[client.authMethod]
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
      {hasPermission(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={clientTabPath('-', '/new')}>
            {t.create}
          </a>{' '}
          <a class="button secondary" href="/admin/claims">
            {frame.t.ownClaims.link}
          </a>
        </p>
      )}
      <LinkList
        ways={[
          { href: '/admin/resource-servers', label: frame.t.resourceServers.link },
          { href: clientTabPath('-', '/initial-access-tokens'), label: frame.t.registration.title },
        ]}
      />
    </ConsolePage>
  );
}

async function renderClients(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, frame } = consoleContext;
  const clients = await listClients(context.db);
  const secrets = await countActiveSecrets(context.db);
  const notice = ctx.query.notice === 'removed' ? frame.t.clients.notices.removed : undefined;
  sendConsolePage(consoleContext, <ClientsPage {...{ visit: consoleContext, clients, secrets, notice }} />);
}

/** The first question about a new application: its type chooses everything that is chosen for it. */
export function ChooseTypePage({ visit: consoleContext }: { visit: ConsoleContext }) {
  const t = consoleContext.frame.t.clients;
  return (
    <ConsolePage visit={consoleContext} title={t.form.chooseTitle} step="client-type" part="clients">
      <p class="quiet">{t.form.chooseHelp}</p>
      <ul class="list ways">
        {clientTypes.map((type) => (
          <li key={type}>
            <a href={clientTabPath('-', `/new/${type}`)}>{t.types[type].name}</a>
            <span class="help">{t.types[type].help}</span>
          </li>
        ))}
      </ul>
    </ConsolePage>
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get('/admin/clients', requireOperator(context, 'clients.read', renderClients));
  router.get(
    '/admin/clients/-/new',
    requireOperator(context, 'clients.write', (consoleContext) =>
      sendConsolePage(consoleContext, <ChooseTypePage visit={consoleContext} />),
    ),
  );
  return router;
}
