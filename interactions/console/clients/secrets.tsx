import Router from '@koa/router';
import { z } from 'zod';
import { hasPermission } from '../../../src/users/operators.ts';
import { formatDate, formatDateTime } from '../../../src/i18n/phrases.ts';
import type { SecretStorage } from '../../../src/clients/schema.ts';
import { secretStorageByMethod } from '../../../src/clients/schema.ts';
import type { ListedSecret, SecretRefusal } from '../../../src/clients/secrets.ts';
import { createSecret, listClientSecrets } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Form, SubmitButton, LinkList } from '../../ui/form.tsx';
import type { AppContext } from '../../../src/context.ts';
import { parseFormBody } from '../../ui/parse-form.ts';
import { ClientPage, findClientOr404, CopyButton, clientTabPath } from './tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import {
  requireOperator,
  requireRecentOperator,
  parseConsoleForm,
  sendConsolePage,
} from '../require-operator.ts';
import { ConsolePage, Select, Table } from '../layout.tsx';

type SecretsPageProps = { visit: ConsoleContext; shown: RegisteredClient; secrets: readonly ListedSecret[] };

function describeExpiry(
  frame: Frame,
  { expiresAt, kept: storage }: ListedSecret,
  storageMethod: SecretStorage | undefined,
): string {
  const t = frame.t.clients.secrets;
  if (storage !== storageMethod) return t.otherProof;
  if (!expiresAt) return t.neverExpires;
  const date = formatDate(frame.locale, expiresAt);
  return expiresAt <= new Date() ? t.expired(date) : date;
}

/** The secrets of an application: what each is for and how it is used, never itself. */
export function SecretsPage({ visit: consoleContext, shown: registered, secrets }: SecretsPageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.clients.secrets;
  const { client } = registered;
  const storage = secretStorageByMethod[client.authMethod];
  const { columns: c } = t;
  return (
    <ClientPage visit={consoleContext} shown={registered} part="secrets" step="client-secrets">
      <p class="quiet">{storage ? t.help : t.notKept}</p>
      {storage === 'encrypted' && <p class="quiet">{t.encryptedHelp}</p>}
      {storage && secrets.length === 0 && <p data-empty>{t.none}</p>}
      {secrets.length > 0 && (
        <Table
          caption={frame.t.clients.parts.secrets}
          columns={[c.name, c.created, c.used, c.expires, t.remove]}
          rows={secrets.map((secret) => ({
            key: secret.id,
            cells: [
              secret.name,
              formatDate(frame.locale, secret.createdAt),
              secret.lastUsedAt ? formatDateTime(frame.locale, secret.lastUsedAt) : t.neverUsed,
              describeExpiry(frame, secret, storage),
              hasPermission(operator, 'clients.write') ? (
                <a
                  key="remove"
                  href={clientTabPath(client.id, `/remove-secret/${secret.id}`)}
                  aria-label={`${t.remove}: ${secret.name}`}
                >
                  {t.remove}
                </a>
              ) : (
                '–'
              ),
            ],
          }))}
        />
      )}
      {storage && hasPermission(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={clientTabPath(client.id, '/secrets/new')}>
            {t.create}
          </a>
        </p>
      )}
    </ClientPage>
  );
}

const secretLifetimes = ['90', '180', '365', 'never'] as const;
type SecretLifetime = (typeof secretLifetimes)[number];

type NewSecretPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  name: string;
  lifetime: SecretLifetime;
  refusal?: SecretRefusal | undefined;
};

export function NewSecretPage({
  visit: consoleContext,
  shown: registered,
  name,
  lifetime,
  refusal,
}: NewSecretPageProps) {
  const { frame, token } = consoleContext;
  const t = frame.t.clients.secrets;
  const { id } = registered.client;
  const described = [refusal && 'name-refusal', 'name-help'].filter(Boolean).join(' ');
  return (
    <ConsolePage visit={consoleContext} title={t.create} step="client-new-secret" part="clients">
      <p class="lead">{registered.client.name}</p>
      <Form action={clientTabPath(id, '/secrets/new')} token={token}>
        <div class="field">
          <label for="name">{t.name}</label>
          <p class="help" id="name-help">
            {t.nameHelp}
          </p>
          {refusal && (
            <p class="refusal" role="alert" id="name-refusal" data-refusal={refusal}>
              <span>{t.refusals[refusal]}</span>
            </p>
          )}
          <input
            id="name"
            name="name"
            class="input"
            type="text"
            value={name}
            autocomplete="off"
            aria-invalid={refusal ? 'true' : undefined}
            aria-describedby={described}
            autofocus
          />
        </div>
        <Select
          name="lifetime"
          label={t.lifetime}
          options={secretLifetimes.map((one) => [one, t.lifetimes[one]])}
          chosen={lifetime}
        />
        <SubmitButton waiting={frame.t.clients.waiting}>{t.submit}</SubmitButton>
      </Form>
      <LinkList ways={[{ href: clientTabPath(id, '/secrets'), label: frame.t.clients.cancel }]} />
    </ConsolePage>
  );
}

type SecretCreatedPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  name: string;
  secret: string;
};

/** The only page that ever holds a secret: the answer to the form that made it, which no cache keeps. */
export function SecretCreatedPage({
  visit: consoleContext,
  shown: registered,
  name,
  secret,
}: SecretCreatedPageProps) {
  const { frame } = consoleContext;
  const t = frame.t.clients.secrets;
  return (
    <ConsolePage
      visit={consoleContext}
      title={t.shownTitle}
      step="client-secret-shown"
      part="clients"
      scripts={['copy']}
    >
      <p class="lead">{t.shownHelp}</p>
      <dl class="facts">
        <div>
          <dt>{frame.t.clients.fields.id.label}</dt>
          <dd>
            <CopyButton frame={frame} label={frame.t.clients.fields.id.label}>
              {registered.client.id}
            </CopyButton>
          </dd>
        </div>
        <div>
          <dt>
            {t.secret}: {name}
          </dt>
          <dd data-client-secret>
            <CopyButton frame={frame} label={t.secret}>
              {secret}
            </CopyButton>
          </dd>
        </div>
      </dl>
      <p class="actions">
        <a class="button" href={clientTabPath(registered.client.id, '/secrets')}>
          {t.done}
        </a>
      </p>
    </ConsolePage>
  );
}

const newSecretForm = z.object({
  name: z.string().max(1000).default(''),
  lifetime: z.enum(secretLifetimes).default('365'),
});

const expiryDate = (lifetime: SecretLifetime) =>
  lifetime === 'never' ? undefined : new Date(Date.now() + Number(lifetime) * 86_400_000);

async function submitNewSecret(consoleContext: ConsoleContext): Promise<void> {
  const { house: context, ctx, operator } = consoleContext;
  const registered = await findClientOr404(consoleContext);
  const { name, lifetime } = parseConsoleForm(consoleContext, newSecretForm);
  const made = await createSecret(
    context.db,
    { clientId: registered.client.id, name, expiresAt: expiryDate(lifetime), vault: context.vault },
    { by: operator.id, origin: ctx.state.origin },
  );
  if ('refusal' in made)
    return sendConsolePage(
      consoleContext,
      <NewSecretPage
        {...{ visit: consoleContext, shown: registered, name, lifetime, refusal: made.refusal }}
      />,
      true,
    );
  // No redirect here: the secret stands in this answer and nowhere else.
  sendConsolePage(
    consoleContext,
    <SecretCreatedPage
      {...{ visit: consoleContext, shown: registered, name: name.trim(), secret: made.secret }}
    />,
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  const page = '/admin/clients/:client/secrets';
  router.get(
    page,
    requireOperator(context, 'clients.read', async (consoleContext) => {
      const registered = await findClientOr404(consoleContext);
      const secrets = await listClientSecrets(context.db, registered.client.id);
      sendConsolePage(
        consoleContext,
        <SecretsPage {...{ visit: consoleContext, shown: registered, secrets }} />,
      );
    }),
  );
  router.get(
    `${page}/new`,
    requireRecentOperator(context, 'clients.write', async (consoleContext) =>
      sendConsolePage(
        consoleContext,
        <NewSecretPage
          {...{
            visit: consoleContext,
            shown: await findClientOr404(consoleContext),
            name: '',
            lifetime: '365',
          }}
        />,
      ),
    ),
  );
  router.post(`${page}/new`, parseFormBody, requireRecentOperator(context, 'clients.write', submitNewSecret));
  return router;
}
