import { formatDate } from '../../src/i18n/phrases.ts';
import type { Application } from '../../src/oidc/connected-applications.ts';
import { Form, SecondaryButton } from '../ui/form.tsx';
import { scopeWords } from '../ui/scope-words.ts';
import type { MyDetailsPageProps } from './sections.tsx';
import { Section } from './sections.tsx';

/** Which applications may read something about the person, and what. */
export function Applications({ frame, action, token, applications, own }: MyDetailsPageProps) {
  const t = frame.t.myDetails.applications;
  const words = scopeWords(frame, own);
  const list = new Intl.ListFormat(frame.locale);
  const may = ({ scopes, at }: Application) => {
    const told = new Set(at.flatMap((one) => one.told));
    const own = scopes.filter((scope) => !told.has(scope)).map((scope) => words[scope] ?? scope);
    return own.length > 0 ? t.may(list.format(own)) : undefined;
  };
  return (
    <Section title={t.title} data-section="applications">
      {applications.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="rows">
        {applications.map((one) => (
          <li key={one.clientId} data-application={one.clientId}>
            <p>
              <strong>{one.openAt ? <a href={one.openAt}>{one.name}</a> : one.name}</strong>
              <span class="help">{t.since(formatDate(frame.locale, one.since))}</span>
              {may(one) && <span class="help">{may(one)}</span>}
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
    </Section>
  );
}
