import Router from '@koa/router';
import type { ClientDescription } from '../../../src/clients/schema.ts';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import type { Frame } from '../../ui/layout.tsx';
import type { AppContext } from '../../../src/context.ts';
import { ClientPage, findClientOr404, CopyButton } from './tabs.tsx';
import type { Snippet } from './snippets.ts';
import { secretVariable, snippetsFor } from './snippets.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { requireOperator, sendConsolePage } from '../require-operator.ts';
import { ConsolePageSection } from '../layout.tsx';

type EndpointName = keyof Frame['t']['clients']['connect']['names'];

/** Where programs reach the provider; what discovery says, for those who have to type it in. */
function clientEndpointUrls(
  issuer: string,
  { id, type, deviceFlow }: ClientDescription,
): [EndpointName, string][] {
  const all: [EndpointName, string][] = [
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
    ...(deviceFlow ? ([['deviceAuthorization', `${issuer}/device/auth`]] as [EndpointName, string][]) : []),
  ];
  const forPeople = new Set<EndpointName>(['authorization', 'userinfo', 'endSession', 'par']);
  return type === 'service' ? all.filter(([name]) => !forPeople.has(name)) : all;
}

type ConnectPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  endpoints: readonly (readonly [EndpointName, string])[];
  snippets: readonly Snippet[];
};

/** Everything that somebody needs who connects an application: addresses to copy and examples that are filled in. */
export function ConnectPage({
  visit: consoleContext,
  shown: registered,
  endpoints,
  snippets,
}: ConnectPageProps) {
  const { frame } = consoleContext;
  const t = frame.t.clients.connect;
  return (
    <ClientPage
      visit={consoleContext}
      shown={registered}
      part="connect"
      step="client-connect"
      scripts={['copy']}
    >
      <ConsolePageSection title={t.endpoints} name="endpoints">
        <p class="quiet">{t.help}</p>
        <dl class="facts">
          {endpoints.map(([name, value]) => (
            <div key={name} data-endpoint={name}>
              <dt>{t.names[name]}</dt>
              <dd>
                <CopyButton frame={frame} label={t.names[name]}>
                  {value}
                </CopyButton>
              </dd>
            </div>
          ))}
        </dl>
      </ConsolePageSection>
      {snippets.length > 0 && (
        <ConsolePageSection title={t.snippets} name="snippets">
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
        </ConsolePageSection>
      )}
    </ClientPage>
  );
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(
    '/admin/clients/:client/connect',
    requireOperator(context, 'clients.read', async (consoleContext) => {
      const registered = await findClientOr404(consoleContext);
      const issuer = context.settings.HEMMA_ISSUER;
      const endpoints = clientEndpointUrls(issuer, registered.client);
      const snippets = snippetsFor(registered.client, issuer);
      sendConsolePage(
        consoleContext,
        <ConnectPage {...{ visit: consoleContext, shown: registered, endpoints, snippets }} />,
      );
    }),
  );
  return router;
}
