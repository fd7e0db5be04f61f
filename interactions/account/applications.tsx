import { formatDate } from '../../src/i18n/phrases.ts';
import type { ConnectedApplication } from '../../src/oidc/connected-applications.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import { scopePhrases } from '../ui/scope-words.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { AccountSection } from './sections.tsx';

/** Which applications may read something about the person, and what. */
export function ConnectedApplications({
  frame,
  action,
  token,
  applications,
  own: customClaims,
}: MyDetailsPageProps) {
  const t = frame.t.myDetails.applications;
  const words = scopePhrases(frame, customClaims);
  const list = new Intl.ListFormat(frame.locale);
  const permissions = ({ scopes, at }: ConnectedApplication) => {
    const describedScopes = new Set(at.flatMap((one) => one.told));
    const customClaims = scopes
      .filter((scope) => !describedScopes.has(scope))
      .map((scope) => words[scope] ?? scope);
    return customClaims.length > 0 ? t.may(list.format(customClaims)) : undefined;
  };
  return (
    <AccountSection title={t.title} data-section="applications">
      {applications.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="rows">
        {applications.map((one) => (
          <li key={one.clientId} data-application={one.clientId}>
            <p>
              <strong>{one.openAt ? <a href={one.openAt}>{one.name}</a> : one.name}</strong>
              <span class="help">{t.since(formatDate(frame.locale, one.since))}</span>
              {permissions(one) && <span class="help">{permissions(one)}</span>}
              {one.at.map(({ name, scopes }) => (
                <span key={name} class="help" data-resource={name}>
                  {frame.t.resourceServers.client.consent(name)} {list.format(scopes)}
                </span>
              ))}
              {one.firstParty && <span class="help">{t.ofTheHouse(frame.brand.name)}</span>}
            </p>
            <Form action={action} token={token} label={`${t.disconnect}: ${one.name}`}>
              <SecondaryButton name="disconnect" value={one.clientId} waiting={t.disconnecting}>
                {t.disconnect}
              </SecondaryButton>
            </Form>
          </li>
        ))}
      </ul>
    </AccountSection>
  );
}
