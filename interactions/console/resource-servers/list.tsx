import Router from '@koa/router';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { listClients } from '../../../src/clients/clients.ts';
import { hasPermission } from '../../../src/users/operators.ts';
import type { RegisteredResourceServer } from '../../../src/clients/resource-servers/resource-servers.ts';
import {
  listResourceServers,
  findResourceServer,
} from '../../../src/clients/resource-servers/resource-servers.ts';
import { LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { CopyButton, clientTabPath as clientPath } from '../clients/tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { ConsolePage, CopyableText, ConsolePageSection, Table } from '../layout.tsx';

export const resourceServerPath = (number: string, subpath = ''): string =>
  `/admin/resource-servers/${number}${subpath}`;

/** The resource server of this address; 404 where there is none. */
export async function findResourceServerOr404({
  house: context,
  ctx,
}: ConsoleContext): Promise<RegisteredResourceServer> {
  const { server } = ctx.params as { server?: string };
  return (server ? await findResourceServer(context.db, server) : undefined) ?? ctx.throw(404, 'not-found');
}

/** What the last form did. The address may be anybody's link: it changes nothing. */
function resourceServerNotice({ ctx, frame }: ConsoleContext): string | undefined {
  const words: Record<string, string> = frame.t.resourceServers.notices;
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(words, notice) ? words[notice] : undefined;
}

type ResourceServersPageProps = { visit: ConsoleContext; servers: readonly RegisteredResourceServer[] };

/** All resource servers, a line each. */
export function ResourceServersPage({ visit: consoleContext, servers }: ResourceServersPageProps) {
  const { frame, operator } = consoleContext;
  const { resourceServers: t, clients } = frame.t;
  return (
    <ConsolePage
      visit={consoleContext}
      title={t.title}
      step="resource-servers"
      part="clients"
      notice={resourceServerNotice(consoleContext)}
    >
      <p class="lead">{t.help}</p>
      {servers.length === 0 ? (
        <p data-empty>{t.none}</p>
      ) : (
        <Table
          caption={t.title}
          columns={[t.columns.name, t.columns.id, t.columns.format, t.columns.managed]}
          rows={servers.map(({ server, number, managed }) => ({
            key: server.id,
            cells: [
              <a key="name" href={resourceServerPath(number)}>
                {server.name}
              </a>,
              <CopyableText key="id" frame={frame}>
                {server.id}
              </CopyableText>,
              server.signingAlg ? `JWT, ${server.signingAlg}` : t.formats.opaque,
              clients.managed[managed],
            ],
          }))}
        />
      )}
      {hasPermission(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={resourceServerPath('-', '/new')}>
            {t.create}
          </a>
        </p>
      )}
      <LinkList ways={[{ href: '/admin/clients', label: t.back }]} />
    </ConsolePage>
  );
}

type ResourceServerPageProps = {
  visit: ConsoleContext;
  shown: RegisteredResourceServer;
  users: readonly RegisteredClient[];
};

/** Applications as a list of ways to them. */
export const ClientLinks = ({ users }: Pick<ResourceServerPageProps, 'users'>) => (
  <ul class="plain">
    {users.map(({ client }) => (
      <li key={client.id}>
        <a href={clientPath(client.id)}>{client.name}</a>
      </li>
    ))}
  </ul>
);

/** One resource server: what its tokens are, who may ask for them, and how. */
export function ResourceServerPage({
  visit: consoleContext,
  shown: registered,
  users,
}: ResourceServerPageProps) {
  const { frame, operator } = consoleContext;
  const { resourceServers: t, clients } = frame.t;
  const { server, number, managed } = registered;
  const mayWrite = hasPermission(operator, 'clients.write');
  const facts = [
    [t.fields.id.label, <CopyButton {...{ frame, label: t.fields.id.label }}>{server.id}</CopyButton>],
    [t.fields.tokenFormat.label, t.formats[server.tokenFormat]],
    ...(server.signingAlg ? [[t.fields.signingAlg.label, server.signingAlg] as const] : []),
    [t.fields.lifetime.label, String(server.lifetime)],
    [t.columns.managed, clients.managed[managed]],
  ] as const;
  return (
    <ConsolePage
      visit={consoleContext}
      title={server.name}
      step="resource-server"
      part="clients"
      notice={resourceServerNotice(consoleContext)}
      scripts={['copy']}
    >
      {managed === 'file' && (
        <p class="quiet" data-managed="file">
          {t.fileHelp}
        </p>
      )}
      <ConsolePageSection title={clients.overview.settings} name="settings">
        <dl class="facts">
          {facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {mayWrite && managed === 'console' && (
          <p class="actions">
            <a class="button secondary" href={resourceServerPath(number, '/edit')}>
              {t.edit}
            </a>
          </p>
        )}
      </ConsolePageSection>
      <ConsolePageSection title={t.scopes} name="scopes">
        <dl class="facts">
          {server.scopes.map(({ name, description }) => (
            <div key={name}>
              <dt class="code">{name}</dt>
              <dd>{description}</dd>
            </div>
          ))}
        </dl>
      </ConsolePageSection>
      <ConsolePageSection title={t.users} name="users">
        {users.length === 0 ? <p class="quiet">{t.usersNone}</p> : <ClientLinks users={users} />}
      </ConsolePageSection>
      <ConsolePageSection title={t.toConnect} name="connect">
        <p>{t.toConnectHelp(server.id)}</p>
      </ConsolePageSection>
      {mayWrite && (
        <ConsolePageSection title={clients.overview.dangerous} name="dangerous">
          <p class="actions">
            <a class="button secondary danger" href={resourceServerPath(number, '/delete')}>
              {t.remove.button}
            </a>
          </p>
        </ConsolePageSection>
      )}
      <LinkList ways={[{ href: '/admin/resource-servers', label: t.title }]} />
    </ConsolePage>
  );
}

/** The applications that name a resource server. */
export const clientsOfResourceServer = async (
  { house: context }: ConsoleContext,
  { server }: RegisteredResourceServer,
): Promise<RegisteredClient[]> =>
  (await listClients(context.db)).filter(
    ({ client }) =>
      client.introspects === server.id || client.resources.some(({ resource }) => resource === server.id),
  );

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/resource-servers',
    requireOperator(context, 'clients.read', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <ResourceServersPage
          {...{ visit: consoleContext, servers: await listResourceServers(consoleContext.house.db) }}
        />,
      ),
    ),
  );
  router.get(
    '/admin/resource-servers/:server',
    requireOperator(context, 'clients.read', async (consoleContext) => {
      const registered = await findResourceServerOr404(consoleContext);
      sendConsolePage(
        consoleContext,
        <ResourceServerPage
          {...{
            visit: consoleContext,
            shown: registered,
            users: await clientsOfResourceServer(consoleContext, registered),
          }}
        />,
      );
    }),
  );
  return router;
}
