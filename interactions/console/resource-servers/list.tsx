import Router from '@koa/router';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { listClients } from '../../../src/clients/clients.ts';
import { mayAct } from '../../../src/users/operators.ts';
import type { RegisteredResource } from '../../../src/clients/resource-servers/resource-servers.ts';
import {
  listResourceServers,
  resourceServerBy,
} from '../../../src/clients/resource-servers/resource-servers.ts';
import { Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { Copy, pathOf as clientPath } from '../clients/tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { ConsolePage, Copyable, Section, Table } from '../layout.tsx';

export const pathOf = (number: string, below = ''): string => `/admin/resource-servers/${number}${below}`;

/** The resource server of this address; 404 where there is none. */
export async function resourceOf({ house, ctx }: AdminVisit): Promise<RegisteredResource> {
  const { server } = ctx.params as { server?: string };
  return (server ? await resourceServerBy(house.db, server) : undefined) ?? ctx.throw(404, 'not-found');
}

/** What the last form did. The address may be anybody's link: it changes nothing. */
function noticeOf({ ctx, frame }: AdminVisit): string | undefined {
  const words: Record<string, string> = frame.t.resourceServers.notices;
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(words, notice) ? words[notice] : undefined;
}

type ListProps = { visit: AdminVisit; servers: readonly RegisteredResource[] };

/** All resource servers, a line each. */
export function ResourceServersPage({ visit, servers }: ListProps) {
  const { frame, operator } = visit;
  const { resourceServers: t, clients } = frame.t;
  return (
    <ConsolePage
      visit={visit}
      title={t.title}
      step="resource-servers"
      part="clients"
      notice={noticeOf(visit)}
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
              <a key="name" href={pathOf(number)}>
                {server.name}
              </a>,
              <Copyable key="id" frame={frame}>
                {server.id}
              </Copyable>,
              server.signingAlg ? `JWT, ${server.signingAlg}` : t.formats.opaque,
              clients.managed[managed],
            ],
          }))}
        />
      )}
      {mayAct(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={pathOf('-', '/new')}>
            {t.create}
          </a>
        </p>
      )}
      <Ways ways={[{ href: '/admin/clients', label: t.back }]} />
    </ConsolePage>
  );
}

type OneProps = { visit: AdminVisit; shown: RegisteredResource; users: readonly RegisteredClient[] };

/** Applications as a list of ways to them. */
export const Users = ({ users }: Pick<OneProps, 'users'>) => (
  <ul class="plain">
    {users.map(({ client }) => (
      <li key={client.id}>
        <a href={clientPath(client.id)}>{client.name}</a>
      </li>
    ))}
  </ul>
);

/** One resource server: what its tokens are, who may ask for them, and how. */
export function ResourceServerPage({ visit, shown, users }: OneProps) {
  const { frame, operator } = visit;
  const { resourceServers: t, clients } = frame.t;
  const { server, number, managed } = shown;
  const mayWrite = mayAct(operator, 'clients.write');
  const facts = [
    [t.fields.id.label, <Copy {...{ frame, label: t.fields.id.label }}>{server.id}</Copy>],
    [t.fields.tokenFormat.label, t.formats[server.tokenFormat]],
    ...(server.signingAlg ? [[t.fields.signingAlg.label, server.signingAlg] as const] : []),
    [t.fields.lifetime.label, String(server.lifetime)],
    [t.columns.managed, clients.managed[managed]],
  ] as const;
  return (
    <ConsolePage
      visit={visit}
      title={server.name}
      step="resource-server"
      part="clients"
      notice={noticeOf(visit)}
      scripts={['copy']}
    >
      {managed === 'file' && (
        <p class="quiet" data-managed="file">
          {t.fileHelp}
        </p>
      )}
      <Section title={clients.overview.settings} name="settings">
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
            <a class="button secondary" href={pathOf(number, '/edit')}>
              {t.edit}
            </a>
          </p>
        )}
      </Section>
      <Section title={t.scopes} name="scopes">
        <dl class="facts">
          {server.scopes.map(({ name, description }) => (
            <div key={name}>
              <dt class="code">{name}</dt>
              <dd>{description}</dd>
            </div>
          ))}
        </dl>
      </Section>
      <Section title={t.users} name="users">
        {users.length === 0 ? <p class="quiet">{t.usersNone}</p> : <Users users={users} />}
      </Section>
      <Section title={t.toConnect} name="connect">
        <p>{t.toConnectHelp(server.id)}</p>
      </Section>
      {mayWrite && (
        <Section title={clients.overview.dangerous} name="dangerous">
          <p class="actions">
            <a class="button secondary danger" href={pathOf(number, '/delete')}>
              {t.remove.button}
            </a>
          </p>
        </Section>
      )}
      <Ways ways={[{ href: '/admin/resource-servers', label: t.title }]} />
    </ConsolePage>
  );
}

/** The applications that name a resource server. */
export const usersOf = async (
  { house }: AdminVisit,
  { server }: RegisteredResource,
): Promise<RegisteredClient[]> =>
  (await listClients(house.db)).filter(
    ({ client }) =>
      client.introspects === server.id || client.resources.some(({ resource }) => resource === server.id),
  );

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/resource-servers',
    guarded(house, 'clients.read', async (visit) =>
      showPage(
        visit,
        <ResourceServersPage {...{ visit, servers: await listResourceServers(visit.house.db) }} />,
      ),
    ),
  );
  router.get(
    '/admin/resource-servers/:server',
    guarded(house, 'clients.read', async (visit) => {
      const shown = await resourceOf(visit);
      showPage(visit, <ResourceServerPage {...{ visit, shown, users: await usersOf(visit, shown) }} />);
    }),
  );
  return router;
}
