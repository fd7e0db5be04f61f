import Router from '@koa/router';
import { isOnLocalhost } from '../../../config/settings.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import type { Group } from '../../../src/users/groups.ts';
import { groupBy, listGroups } from '../../../src/users/groups.ts';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { changeClient, createClient, readClient } from '../../../src/clients/clients.ts';
import { listResourceServers } from '../../../src/clients/resource-servers/resource-servers.ts';
import type { Db } from '../../../src/db/database.ts';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { labelsOf } from '../../ui/scope-words.ts';
import type { FieldsProps } from './fields.tsx';
import { ClientFormPage } from './form.tsx';
import { clientOf, pathOf } from './tabs.tsx';
import { clientForm, described, valuesOf, valuesSent } from './parse-form.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guardedFreshly, onTo, sentForm, showPage } from '../require-operator.ts';

/** The form's script asks this very host whether addresses may be registered; no other page of the console calls it. */
function allowChecks({ ctx }: AdminVisit): void {
  const policy = ctx.response.get('Content-Security-Policy');
  ctx.set('Content-Security-Policy', `${policy};connect-src 'self'`);
}

type Shown = {
  type: ClientType;
  editing?: RegisteredClient | undefined;
  values: FieldsProps['values'];
  faults?: readonly ClientFault[];
};

/**
 * The groups to choose from. Of very many the list holds the first; those that were chosen stand there all the same, or
 * whoever changes something else would open the application to everybody.
 */
async function groupsFor(db: Db, { allowedGroups = [] }: Shown['values']): Promise<Group[]> {
  const listed = await listGroups(db);
  const chosen = [allowedGroups].flat().filter((id) => !listed.some((group) => group.id === id));
  const others = await Promise.all(chosen.map((id) => groupBy(db, { id })));
  return [...others.filter((group) => group !== undefined), ...listed];
}

async function showForm(visit: AdminVisit, { type, editing, values, faults = [] }: Shown): Promise<void> {
  allowChecks(visit);
  const groups = await groupsFor(visit.house.db, values);
  const servers = (await listResourceServers(visit.house.db)).map(({ server }) => server);
  const own = await listClaims(visit.house.db);
  // What a person is called belongs to a scope that stands there already.
  const ownScopes = labelsOf(visit.frame, own).filter(([scope]) => scope !== 'profile');
  const about = editing && {
    id: editing.client.id,
    name: editing.client.name,
    seen: editing.updatedAt.getTime(),
  };
  showPage(
    visit,
    <ClientFormPage {...{ visit, type, editing: about, values, groups, servers, ownScopes, faults }} />,
    faults.length > 0,
  );
}

function typeOf({ ctx }: AdminVisit): ClientType {
  const { type } = ctx.params as { type?: string };
  return clientTypes.find((one) => one === type) ?? ctx.throw(404, 'not-found');
}

const doerOf = ({ operator, ctx }: AdminVisit) => ({ by: operator.id, origin: ctx.state.origin });

/** What a new application begins with: the least that it needs to know. */
const beginning: FieldsProps['values'] = {
  scopes: ['profile', 'email'],
  consent: 'remembered',
  signingAlg: 'ES256',
  authMethod: 'secret',
};

/** A description that was typed, judged by where this provider runs. */
const read = ({ house }: AdminVisit, given: unknown) =>
  readClient(house.db, given, { loopback: isOnLocalhost(house.settings.HEMMA_ISSUER) });

async function create(visit: AdminVisit): Promise<void> {
  const type = typeOf(visit);
  const sent = sentForm(visit, clientForm);
  const judged = await read(visit, described(sent, type, sent.id.trim()));
  const fault =
    'client' in judged ? await createClient(visit.house.db, judged.client, doerOf(visit)) : undefined;
  const faults = 'faults' in judged ? judged.faults : fault ? [fault.fault] : [];
  if (faults.length > 0 || !('client' in judged))
    return showForm(visit, { type, values: valuesSent(sent), faults });
  onTo(visit, pathOf(judged.client.id, '?notice=created'));
}

/** What a file looks after is read here and changed there. */
async function editable(visit: AdminVisit): Promise<RegisteredClient> {
  const shown = await clientOf(visit);
  if (shown.managed === 'file') visit.ctx.throw(403, 'managed-by-file');
  return shown;
}

async function edit(visit: AdminVisit): Promise<void> {
  const shown = await editable(visit);
  const { id, type } = shown.client;
  const sent = sentForm(visit, clientForm);
  const judged = await read(visit, described(sent, type, id));
  const seen = new Date(Number(sent.seen) || 0);
  const done =
    'client' in judged ? await changeClient(visit.house.db, judged.client, seen, doerOf(visit)) : judged;
  const faults = 'faults' in done ? done.faults : 'fault' in done ? [done.fault] : [];
  if (faults.length > 0 || !('changes' in done))
    return showForm(visit, { type, editing: shown, values: valuesSent(sent), faults });
  onTo(visit, pathOf(id, `?notice=${done.changes.length > 0 ? 'changed' : 'unchanged'}`));
}

/** Making and changing applications, both only just after all factors were proved. */
export function routes(house: House): Router {
  const router = new Router();
  const page = '/admin/clients/-/new/:type';
  router.get(
    page,
    guardedFreshly(house, 'clients.write', (visit) =>
      showForm(visit, { type: typeOf(visit), values: beginning }),
    ),
  );
  router.post(page, readForm, guardedFreshly(house, 'clients.write', create));
  router.get(
    '/admin/clients/:client/edit',
    guardedFreshly(house, 'clients.write', async (visit) => {
      const shown = await editable(visit);
      await showForm(visit, { type: shown.client.type, editing: shown, values: valuesOf(shown.client) });
    }),
  );
  router.post('/admin/clients/:client/edit', readForm, guardedFreshly(house, 'clients.write', edit));
  return router;
}
