import Router from '@koa/router';
import { z } from 'zod';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import { signingAlgs } from '../../../src/clients/schema.ts';
import { isResourceReferenced } from '../../../src/clients/clients.ts';
import type { ResourceServer } from '../../../src/clients/resource-servers/schema.ts';
import { tokenFormats } from '../../../src/clients/resource-servers/schema.ts';
import type { RegisteredResourceServer } from '../../../src/clients/resource-servers/resource-servers.ts';
import {
  changeResourceServer,
  createResourceServer,
  validateResourceServer,
  removeResourceServer,
} from '../../../src/clients/resource-servers/resource-servers.ts';
import { Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { splitNonEmptyLines } from '../clients/redirect-uris.ts';
import type { FieldsProps } from '../clients/fields.tsx';
import { SelectField, TextField, TextAreaField } from '../clients/fields.tsx';
import { FaultSummary } from '../clients/form.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireRecentOperator,
  redirectAfterPost,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import {
  resourceServerPath,
  findResourceServerOr404,
  ClientLinks,
  clientsOfResourceServer,
} from './list.tsx';

type ResourceServerFormProps = {
  visit: ConsoleContext;
  /** The one that is changed; a new one, where undefined. */
  editing: RegisteredResourceServer | undefined;
  values: FieldsProps['values'];
  faults: readonly ClientFault[];
};

export function ResourceServerFormPage({
  visit: consoleContext,
  editing,
  values,
  faults,
}: ResourceServerFormProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.resourceServers;
  const part: FieldsProps = { frame, values, faults, words: t.fields };
  return (
    <ConsolePage
      visit={consoleContext}
      title={editing ? t.editTitle(editing.server.name) : t.newTitle}
      step={editing ? 'resource-server-edit' : 'resource-server-new'}
      part="clients"
    >
      <form
        method="post"
        action={editing ? resourceServerPath(editing.number, '/edit') : resourceServerPath('-', '/new')}
        novalidate
        class="form client"
      >
        <input type="hidden" name="token" value={token} />
        {editing && <input type="hidden" name="seen" value={String(editing.updatedAt.getTime())} />}
        <FaultSummary {...part} />
        <TextField {...part} name="name" />
        {editing ? <p class="lead code">{editing.server.id}</p> : <TextField {...part} name="id" code />}
        <TextAreaField {...part} name="scopes" rows={5} />
        <SelectField
          {...part}
          name="tokenFormat"
          options={tokenFormats.map((format) => [format, t.formats[format]])}
        />
        <SelectField {...part} name="signingAlg" options={signingAlgs.map((alg) => [alg, alg])} />
        <TextField {...part} name="lifetime" code />
        <SubmitButton waiting={t.waiting}>{editing ? t.submit : t.submitNew}</SubmitButton>
      </form>
      <LinkList
        ways={[
          { href: editing ? resourceServerPath(editing.number) : '/admin/resource-servers', label: t.cancel },
        ]}
      />
    </ConsolePage>
  );
}

const textField = z.string().max(15_000).default('');
const resourceServerForm = z.object({
  id: textField,
  name: textField,
  scopes: textField,
  tokenFormat: textField,
  signingAlg: textField,
  lifetime: textField,
  /** The state that the form was made from. */
  seen: z.string().max(20).default(''),
});
type ResourceServerFormValues = z.output<typeof resourceServerForm>;

/** A line is the scope's name, a blank, and its words. */
function parseScopeLine(line: string): { name: string; description: string } {
  const [name = '', ...words] = line.split(/\s+/);
  return { name, description: words.join(' ') };
}

/** What was sent as a description, not judged yet; an empty lifetime is the usual one. */
const toResourceServerInput = (
  { tokenFormat, signingAlg, lifetime, ...sent }: ResourceServerFormValues,
  id: string,
) => ({
  id,
  name: sent.name,
  scopes: splitNonEmptyLines(sent.scopes).map(parseScopeLine),
  tokenFormat,
  // What the choice of the format makes meaningless is not a mistake of whoever left the other one standing.
  ...(tokenFormat === 'jwt' ? { signingAlg } : {}),
  ...(lifetime.trim() === ''
    ? {}
    : { lifetime: /^\s*\d{1,9}\s*$/.test(lifetime) ? Number(lifetime) : lifetime }),
});

const submittedValues = (sent: ResourceServerFormValues): FieldsProps['values'] => ({
  ...sent,
  scopes: splitNonEmptyLines(sent.scopes),
});

const resourceServerValues = ({ scopes, lifetime, ...server }: ResourceServer): FieldsProps['values'] => ({
  ...server,
  lifetime: String(lifetime),
  scopes: scopes.map(({ name, description }) => `${name} ${description}`),
});

const initialValues: FieldsProps['values'] = { tokenFormat: 'jwt', signingAlg: 'ES256', lifetime: '600' };

const auditActorOf = ({ operator, ctx }: ConsoleContext) => ({ by: operator.id, origin: ctx.state.origin });

const renderForm = (
  consoleContext: ConsoleContext,
  registered: Omit<ResourceServerFormProps, 'visit' | 'faults'>,
  faults: ClientFault[] = [],
) =>
  sendConsolePage(
    consoleContext,
    <ResourceServerFormPage {...{ visit: consoleContext, ...registered, faults }} />,
    faults.length > 0,
  );

async function submitNewResourceServer(consoleContext: ConsoleContext): Promise<void> {
  const { db, settings } = consoleContext.house;
  const sent = parseConsoleForm(consoleContext, resourceServerForm);
  const read = await validateResourceServer(
    { db, issuer: settings.HEMMA_ISSUER },
    toResourceServerInput(sent, sent.id.trim()),
  );
  const made =
    'server' in read ? await createResourceServer(db, read.server, auditActorOf(consoleContext)) : read;
  if ('number' in made)
    return redirectAfterPost(consoleContext, resourceServerPath(made.number, '?notice=created'));
  const faults = 'faults' in made ? made.faults : [made.fault];
  return renderForm(consoleContext, { editing: undefined, values: submittedValues(sent) }, faults);
}

/** What a file looks after is read here and changed there. */
async function findEditableServer(consoleContext: ConsoleContext): Promise<RegisteredResourceServer> {
  const registered = await findResourceServerOr404(consoleContext);
  if (registered.managed === 'file') consoleContext.ctx.throw(403, 'managed-by-file');
  return registered;
}

async function submitResourceServerChange(consoleContext: ConsoleContext): Promise<void> {
  const { db, settings } = consoleContext.house;
  const editing = await findEditableServer(consoleContext);
  const { number } = editing;
  const sent = parseConsoleForm(consoleContext, resourceServerForm);
  const read = await validateResourceServer(
    { db, issuer: settings.HEMMA_ISSUER },
    toResourceServerInput(sent, editing.server.id),
  );
  const seen = new Date(Number(sent.seen) || 0);
  const done =
    'server' in read
      ? await changeResourceServer(
          db,
          { number, server: read.server, seen },
          isResourceReferenced,
          auditActorOf(consoleContext),
        )
      : read;
  if ('changes' in done)
    return redirectAfterPost(
      consoleContext,
      resourceServerPath(number, `?notice=${done.changes.length > 0 ? 'changed' : 'unchanged'}`),
    );
  const faults = 'faults' in done ? done.faults : [done.fault];
  return renderForm(consoleContext, { editing, values: submittedValues(sent) }, faults);
}

/** The last page of a removal: what happens, or who has to let go first. */
async function renderRemoval(
  consoleContext: ConsoleContext,
  registered: RegisteredResourceServer,
  refused = false,
): Promise<void> {
  const { frame, token } = consoleContext;
  const t = frame.t.resourceServers;
  const users = await clientsOfResourceServer(consoleContext, registered);
  const page = (
    <ConsolePage
      visit={consoleContext}
      title={t.remove.title(registered.server.name)}
      step="resource-server-delete"
      part="clients"
    >
      <p class="lead code">{registered.server.id}</p>
      {users.length > 0 ? (
        <>
          <p data-refusal="resource-in-use">{t.remove.inUse}</p>
          <ClientLinks users={users} />
        </>
      ) : (
        <>
          <p>{t.remove.consequence}</p>
          <Form action={resourceServerPath(registered.number, '/delete')} token={token}>
            <SubmitButton waiting={t.waiting}>{t.remove.button}</SubmitButton>
          </Form>
        </>
      )}
      <LinkList ways={[{ href: resourceServerPath(registered.number), label: t.cancel }]} />
    </ConsolePage>
  );
  sendConsolePage(consoleContext, page, refused);
}

async function submitRemoval(consoleContext: ConsoleContext): Promise<void> {
  const registered = await findResourceServerOr404(consoleContext);
  parseConsoleForm(consoleContext, z.object({}));
  const { db } = consoleContext.house;
  const refused = await removeResourceServer(
    db,
    { number: registered.number },
    isResourceReferenced,
    auditActorOf(consoleContext),
  );
  if (refused) return renderRemoval(consoleContext, registered, true);
  redirectAfterPost(consoleContext, '/admin/resource-servers?notice=removed');
}

/** Registering, changing and removing resource servers, all only just after all factors were proved. */
export function routes(context: AppContext): Router {
  const router = new Router();
  const freshly = (handle: (consoleContext: ConsoleContext) => Promise<void> | void) =>
    requireRecentOperator(context, 'clients.write', handle);
  const [fresh, change, gone] = ['/-/new', '/:server/edit', '/:server/delete'].map(
    (below) => `/admin/resource-servers${below}`,
  ) as [string, string, string];
  router.get(
    fresh,
    freshly((consoleContext) => renderForm(consoleContext, { editing: undefined, values: initialValues })),
  );
  router.post(fresh, parseFormBody, freshly(submitNewResourceServer));
  router.get(
    change,
    freshly(async (consoleContext) => {
      const editing = await findEditableServer(consoleContext);
      renderForm(consoleContext, {
        editing,
        values: { ...initialValues, ...resourceServerValues(editing.server) },
      });
    }),
  );
  router.post(change, parseFormBody, freshly(submitResourceServerChange));
  router.get(
    gone,
    freshly(async (consoleContext) =>
      renderRemoval(consoleContext, await findResourceServerOr404(consoleContext)),
    ),
  );
  router.post(gone, parseFormBody, freshly(submitRemoval));
  return router;
}
