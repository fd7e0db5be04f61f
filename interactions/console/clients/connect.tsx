import Router from '@koa/router';
import type { ClientDescription } from '../../../src/clients/schema.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { Frame } from '../../ui/layout.tsx';
import type { House } from '../../../src/context.ts';
import { ClientPage, clientOf, Copy } from './tabs.tsx';
import type { Snippet } from './snippets.ts';
import { secretVariable, snippetsFor } from './snippets.ts';
import type { AdminVisit } from '../require-operator.ts';
import { guarded, showPage } from '../require-operator.ts';
import { Section } from '../layout.tsx';

type Endpoint = keyof Frame['t']['clients']['connect']['names'];

/** Where programs reach the provider; what discovery says, for those who have to type it in. */
function endpointsOf(issuer: string, { id, type, deviceFlow }: ClientDescription): [Endpoint, string][] {
  const all: [Endpoint, string][] = [
    ['clientId', id],
    ['issuer', issuer],
    ['discovery', `${issuer}/.well-known/openid-configuration`],
    ['authorization', `${issuer}/auth`],
    ['token', `${issuer}/token`],
    ['userinfo', `${issuer}/me`],
    ['jwks', `${issuer}/jwks`],
    ['endSession', `${issuer}/session/end`],
    ['par', `${issuer}/request`],
    ['introspection', `${issuer}/token/introspection`],
    ['revocation', `${issuer}/token/revocation`],
    ...(deviceFlow ? ([['deviceAuthorization', `${issuer}/device/auth`]] as [Endpoint, string][]) : []),
  ];
  const forPeople = new Set<Endpoint>(['authorization', 'userinfo', 'endSession', 'par']);
  return type === 'service' ? all.filter(([name]) => !forPeople.has(name)) : all;
}

type ConnectPageProps = {
  visit: AdminVisit;
  shown: RegisteredClient;
  endpoints: readonly (readonly [Endpoint, string])[];
  snippets: readonly Snippet[];
};

/** Everything that somebody needs who connects an application: addresses to copy and examples that are filled in. */
export function ConnectPage({ visit, shown, endpoints, snippets }: ConnectPageProps) {
  const { frame } = visit;
  const t = frame.t.clients.connect;
  return (
    <ClientPage visit={visit} shown={shown} part="connect" step="client-connect" scripts={['copy']}>
      <Section title={t.endpoints} name="endpoints">
        <p class="quiet">{t.help}</p>
        <dl class="facts">
          {endpoints.map(([name, value]) => (
            <div key={name} data-endpoint={name}>
              <dt>{t.names[name]}</dt>
              <dd>
                <Copy frame={frame} label={t.names[name]}>
                  {value}
                </Copy>
              </dd>
            </div>
          ))}
        </dl>
      </Section>
      {snippets.length > 0 && (
        <Section title={t.snippets} name="snippets">
          <p class="quiet">{t.snippetsHelp(secretVariable)}</p>
          {snippets.map(({ name, text }) => (
            <details key={name} class="snippet">
              <summary>{name}</summary>
              <div>
                <pre class="copyable" tabIndex={0} aria-label={name}>
                  {text}
                </pre>
                <button
                  type="button"
                  hidden
                  class="small"
                  data-copy
                  data-done={frame.t.clients.copied}
                  aria-label={`${frame.t.clients.copy}: ${name}`}
                >
                  {frame.t.clients.copy}
                </button>
              </div>
            </details>
          ))}
        </Section>
      )}
    </ClientPage>
  );
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(
    '/admin/clients/:client/connect',
    guarded(house, 'clients.read', async (visit) => {
      const shown = await clientOf(visit);
      const issuer = house.settings.HEMMA_ISSUER;
      const endpoints = endpointsOf(issuer, shown.client);
      const snippets = snippetsFor(shown.client, issuer);
      showPage(visit, <ConnectPage {...{ visit, shown, endpoints, snippets }} />);
    }),
  );
  return router;
}
