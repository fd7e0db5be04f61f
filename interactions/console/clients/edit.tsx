import Router from '@koa/router';
import { isOnLocalhost } from '../../../config/settings.ts';
import { listClaims } from '../../../src/users/claim-definitions.ts';
import type { Group } from '../../../src/users/groups.ts';
import { findGroup, listGroups } from '../../../src/users/groups.ts';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { clientTypes } from '../../../src/clients/schema.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { changeClient, createClient, validateClient } from '../../../src/clients/clients.ts';
import { listResourceServers } from '../../../src/clients/resource-servers/resource-servers.ts';
import type { Db } from '../../../src/db/database.ts';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { customScopeLabels } from '../../ui/scope-words.ts';
import type { FieldsProps } from './fields.tsx';
import { ClientFormPage } from './form.tsx';
import { findClientOr404, clientTabPath } from './tabs.tsx';
import { clientForm, toClientInput, clientFormValues, submittedValues } from './parse-form.ts';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';

/** The form's script asks this very host whether addresses may be registered; no other page of the console calls it. */
function allowRedirectUriCheck({ ctx }: ConsoleContext): void {
  const policy = ctx.response.get('Content-Security-Policy');
  ctx.set('Content-Security-Policy', `${policy};connect-src 'self'`);
}

type ClientFormState = {
  type: ClientType;
  editing?: RegisteredClient | undefined;
  values: FieldsProps['values'];
  faults?: readonly ClientFault[];
};

/**
 * The groups to choose from. Of very many the list holds the first; those that were chosen stand there all the same, or
 * whoever changes something else would open the application to everybody.
 */
async function groupsForForm(db: Db, { allowedGroups = [] }: ClientFormState['values']): Promise<Group[]> {
  const listed = await listGroups(db);
  const chosen = [allowedGroups].flat().filter((id) => !listed.some((group) => group.id === id));
  const others = await Promise.all(chosen.map((id) => findGroup(db, { id })));
  return [...others.filter((group) => group !== undefined), ...listed];
}

async function renderClientForm(
  consoleContext: ConsoleContext,
  { type, editing, values, faults = [] }: ClientFormState,
): Promise<void> {
  allowRedirectUriCheck(consoleContext);
  const groups = await groupsForForm(consoleContext.house.db, values);
  const servers = (await listResourceServers(consoleContext.house.db)).map(({ server }) => server);
  const customClaims = await listClaims(consoleContext.house.db);
  // What a person is called belongs to a scope that stands there already.
  const ownScopes = customScopeLabels(consoleContext.frame, customClaims).filter(
    ([scope]) => scope !== 'profile',
  );
  const context = editing && {
    id: editing.client.id,
    name: editing.client.name,
    seen: editing.updatedAt.getTime(),
  };
  sendConsolePage(
    consoleContext,
    <ClientFormPage
      {...{ visit: consoleContext, type, editing: context, values, groups, servers, ownScopes, faults }}
    />,
    faults.length > 0,
  );
}

function requestedType({ ctx }: ConsoleContext): ClientType {
  const { type } = ctx.params as { type?: string };
  return clientTypes.find((one) => one === type) ?? ctx.throw(404, 'not-found');
}

const auditActorOf = ({ operator, ctx }: ConsoleContext) => ({ by: operator.id, origin: ctx.state.origin });

/** What a new application begins with: the least that it needs to know. */
const initialValues: FieldsProps['values'] = {
  scopes: ['profile', 'email'],
  consent: 'remembered',
  signingAlg: 'ES256',
  authMethod: 'secret',
};

/** A description that was typed, judged by where this provider runs. */
const read = ({ house }: ConsoleContext, given: unknown) =>
  validateClient(house.db, given, { loopback: isOnLocalhost(house.settings.HEMMA_ISSUER) });

async function submitNewClient(consoleContext: ConsoleContext): Promise<void> {
  const type = requestedType(consoleContext);
  const sent = parseConsoleForm(consoleContext, clientForm);
  const judged = await read(consoleContext, toClientInput(sent, type, sent.id.trim()));
  const fault =
    'client' in judged
      ? await createClient(consoleContext.house.db, judged.client, auditActorOf(consoleContext))
      : undefined;
  const faults = 'faults' in judged ? judged.faults : fault ? [fault.fault] : [];
  if (faults.length > 0 || !('client' in judged))
    return renderClientForm(consoleContext, { type, values: submittedValues(sent), faults });
  redirectAfterPost(consoleContext, clientTabPath(judged.client.id, '?notice=created'));
}

/** What a file looks after is read here and changed there. */
async function findEditableClient(consoleContext: ConsoleContext): Promise<RegisteredClient> {
  const registered = await findClientOr404(consoleContext);
  if (registered.managed === 'file') consoleContext.ctx.throw(403, 'managed-by-file');
  return registered;
}

async function submitClientChange(consoleContext: ConsoleContext): Promise<void> {
  const registered = await findEditableClient(consoleContext);
  const { id, type } = registered.client;
  const sent = parseConsoleForm(consoleContext, clientForm);
  const judged = await read(consoleContext, toClientInput(sent, type, id));
  const seen = new Date(Number(sent.seen) || 0);
  const done =
    'client' in judged
      ? await changeClient(consoleContext.house.db, judged.client, seen, auditActorOf(consoleContext))
      : judged;
  const faults = 'faults' in done ? done.faults : 'fault' in done ? [done.fault] : [];
  if (faults.length > 0 || !('changes' in done))
    return renderClientForm(consoleContext, {
      type,
      editing: registered,
      values: submittedValues(sent),
      faults,
    });
  redirectAfterPost(
    consoleContext,
    clientTabPath(id, `?notice=${done.changes.length > 0 ? 'changed' : 'unchanged'}`),
  );
}

/** Making and changing applications, both only just after all factors were proved. */
export function routes(context: AppContext): Router {
  const router = new Router();
  const page = '/admin/clients/-/new/:type';
  router.get(
    page,
    requireRecentOperator(context, 'clients.write', (consoleContext) =>
      renderClientForm(consoleContext, { type: requestedType(consoleContext), values: initialValues }),
    ),
  );
  router.post(page, parseFormBody, requireRecentOperator(context, 'clients.write', submitNewClient));
  router.get(
    '/admin/clients/:client/edit',
    requireRecentOperator(context, 'clients.write', async (consoleContext) => {
      const registered = await findEditableClient(consoleContext);
      await renderClientForm(consoleContext, {
        type: registered.client.type,
        editing: registered,
        values: clientFormValues(registered.client),
      });
    }),
  );
  router.post(
    '/admin/clients/:client/edit',
    parseFormBody,
    requireRecentOperator(context, 'clients.write', submitClientChange),
  );
  return router;
}
