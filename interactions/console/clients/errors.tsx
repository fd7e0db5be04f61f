import { hasPermission } from '../../../src/users/operators.ts';
import { formatDateTime } from '../../../src/i18n/phrases.ts';
import type { ClientDescription } from '../../../src/clients/schema.ts';
import type { ClientErrorRecord } from '../../../src/oidc/client-errors.ts';
import { clientTabPath } from './tabs.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { Table } from '../layout.tsx';

type ClientErrorsPageProps = {
  visit: ConsoleContext;
  client: ClientDescription;
  refused: readonly ClientErrorRecord[];
};

/** Where the latest of them are about addresses, those that are registered stand beside. */
function RegisteredRedirectUris({ visit: consoleContext, client }: Omit<ClientErrorsPageProps, 'refused'>) {
  const t = consoleContext.frame.t.refusedRequests;
  const registered = [...client.redirectUris, ...client.postLogoutRedirectUris];
  return (
    <>
      <p>{registered.length > 0 ? t.registered : t.registeredNone}</p>
      <ul class="plain">
        {registered.map((address) => (
          <li key={address} class="code">
            {address}
          </li>
        ))}
      </ul>
    </>
  );
}

/** What an application did not get, in words, with the standard's code and the library's detail for whoever mends it. */
export function ClientErrorsSection({ visit: consoleContext, client, refused }: ClientErrorsPageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.refusedRequests;
  if (refused.length === 0) return <p class="quiet">{t.none}</p>;
  return (
    <>
      <p class="quiet">{t.help}</p>
      <Table
        caption={t.title}
        columns={[t.columns.what, t.columns.where, t.columns.times, t.columns.last]}
        rows={refused.map(({ endpoint, error, detail, cause, address, times, lastAt }) => ({
          key: [endpoint, error, detail, address].join(' '),
          cells: [
            <div key="what" data-cause={cause}>
              <p>{t.causes[cause]}</p>
              <p class="help code">
                {error} · {detail}
              </p>
              {address && (
                <p class="help code" data-refused-address>
                  {address}
                </p>
              )}
            </div>,
            t.endpoints[endpoint],
            times,
            <time key="last" dateTime={lastAt.toISOString()}>
              {formatDateTime(frame.locale, lastAt)}
            </time>,
          ],
        }))}
      />
      {refused.some(({ address }) => address !== undefined) && (
        <RegisteredRedirectUris visit={consoleContext} client={client} />
      )}
      {hasPermission(operator, 'clients.write') && (
        <p class="actions">
          <a class="button secondary" href={clientTabPath(client.id, '/forget-refused')}>
            {t.forget}
          </a>
        </p>
      )}
    </>
  );
}
