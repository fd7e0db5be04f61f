import Router from '@koa/router';
import { z } from 'zod';
import { mayAct } from '../../../src/users/operators.ts';
import { formatDate, formatDateTime } from '../../../src/i18n/phrases.ts';
import type { Kept } from '../../../src/clients/schema.ts';
import { keptOf } from '../../../src/clients/schema.ts';
import type { ListedSecret, SecretRefusal } from '../../../src/clients/secrets.ts';
import { newSecret, secretsOf } from '../../../src/clients/secrets.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Form, SubmitButton, Ways } from '../../ui/form.tsx';
import type { House } from '../../../src/context.ts';
import { readForm } from '../../ui/parse-form.ts';
import { ClientPage, clientOf, Copy, pathOf } from './tabs.tsx';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, guardedFreshly, sentForm, showPage } from '../require-operator.ts';
import { ConsolePage, Select, Table } from '../layout.tsx';

type SecretsPageProps = { visit: AdminVisit; shown: RegisteredClient; secrets: readonly ListedSecret[] };

function until(frame: Frame, { expiresAt, kept }: ListedSecret, way: Kept | undefined): string {
  const t = frame.t.clients.secrets;
  if (kept !== way) return t.otherProof;
  if (!expiresAt) return t.neverExpires;
  const date = formatDate(frame.locale, expiresAt);
  return expiresAt <= new Date() ? t.expired(date) : date;
}

/** The secrets of an application: what each is for and how it is used, never itself. */
export function SecretsPage({ visit, shown, secrets }: SecretsPageProps) {
  const { frame, operator } = visit;
  const t = frame.t.clients.secrets;
  const { client } = shown;
  const kept = keptOf[client.authMethod];
  const { columns: c } = t;
  return (
    <ClientPage visit={visit} shown={shown} part="secrets" step="client-secrets">
      <p class="quiet">{kept ? t.help : t.notKept}</p>
      {kept === 'encrypted' && <p class="quiet">{t.encryptedHelp}</p>}
      {kept && secrets.length === 0 && <p data-empty>{t.none}</p>}
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
              until(frame, secret, kept),
              mayAct(operator, 'clients.write') ? (
                <a
                  key="remove"
                  href={pathOf(client.id, `/remove-secret/${secret.id}`)}
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
      {kept && mayAct(operator, 'clients.write') && (
        <p class="actions">
          <a class="button" href={pathOf(client.id, '/secrets/new')}>
            {t.create}
          </a>
        </p>
      )}
    </ClientPage>
  );
}

const lifetimes = ['90', '180', '365', 'never'] as const;
type Lifetime = (typeof lifetimes)[number];

type NewSecretPageProps = {
  visit: AdminVisit;
  shown: RegisteredClient;
  name: string;
  lifetime: Lifetime;
  refusal?: SecretRefusal | undefined;
};

export function NewSecretPage({ visit, shown, name, lifetime, refusal }: NewSecretPageProps) {
  const { frame, token } = visit;
  const t = frame.t.clients.secrets;
  const { id } = shown.client;
  const described = [refusal && 'name-refusal', 'name-help'].filter(Boolean).join(' ');
  return (
    <ConsolePage visit={visit} title={t.create} step="client-new-secret" part="clients">
      <p class="lead">{shown.client.name}</p>
      <Form action={pathOf(id, '/secrets/new')} token={token}>
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
          options={lifetimes.map((one) => [one, t.lifetimes[one]])}
          chosen={lifetime}
        />
        <SubmitButton waiting={frame.t.clients.waiting}>{t.submit}</SubmitButton>
      </Form>
      <Ways ways={[{ href: pathOf(id, '/secrets'), label: frame.t.clients.cancel }]} />
    </ConsolePage>
  );
}

type ShownOnceProps = { visit: AdminVisit; shown: RegisteredClient; name: string; secret: string };

/** The only page that ever holds a secret: the answer to the form that made it, which no cache keeps. */
export function ShownOncePage({ visit, shown, name, secret }: ShownOnceProps) {
  const { frame } = visit;
  const t = frame.t.clients.secrets;
  return (
    <ConsolePage
      visit={visit}
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
            <Copy frame={frame} label={frame.t.clients.fields.id.label}>
              {shown.client.id}
            </Copy>
          </dd>
        </div>
        <div>
          <dt>
            {t.secret}: {name}
          </dt>
          <dd data-client-secret>
            <Copy frame={frame} label={t.secret}>
              {secret}
            </Copy>
          </dd>
        </div>
      </dl>
      <p class="actions">
        <a class="button" href={pathOf(shown.client.id, '/secrets')}>
          {t.done}
        </a>
      </p>
    </ConsolePage>
  );
}

const form = z.object({
  name: z.string().max(1000).default(''),
  lifetime: z.enum(lifetimes).default('365'),
});

const expiry = (lifetime: Lifetime) =>
  lifetime === 'never' ? undefined : new Date(Date.now() + Number(lifetime) * 86_400_000);

async function add(visit: AdminVisit): Promise<void> {
  const { house, ctx, operator } = visit;
  const shown = await clientOf(visit);
  const { name, lifetime } = sentForm(visit, form);
  const made = await newSecret(
    house.db,
    { clientId: shown.client.id, name, expiresAt: expiry(lifetime), vault: house.vault },
    { by: operator.id, origin: ctx.state.origin },
  );
  if ('refusal' in made)
    return showPage(
      visit,
      <NewSecretPage {...{ visit, shown, name, lifetime, refusal: made.refusal }} />,
      true,
    );
  // No redirect here: the secret stands in this answer and nowhere else.
  showPage(visit, <ShownOncePage {...{ visit, shown, name: name.trim(), secret: made.secret }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  const page = '/admin/clients/:client/secrets';
  router.get(
    page,
    guarded(house, 'clients.read', async (visit) => {
      const shown = await clientOf(visit);
      const secrets = await secretsOf(house.db, shown.client.id);
      showPage(visit, <SecretsPage {...{ visit, shown, secrets }} />);
    }),
  );
  router.get(
    `${page}/new`,
    guardedFreshly(house, 'clients.write', async (visit) =>
      showPage(
        visit,
        <NewSecretPage {...{ visit, shown: await clientOf(visit), name: '', lifetime: '365' }} />,
      ),
    ),
  );
  router.post(`${page}/new`, readForm, guardedFreshly(house, 'clients.write', add));
  return router;
}
