import type { Group } from '../../../src/users/groups.ts';
import { apiScopes, isPersonal } from '../../../src/clients/resource-servers/api-scopes.ts';
import { keyAlgs } from '../../../src/clients/assertion-rules.ts';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { lifetimeLimits, serviceTokenMost, signingAlgs } from '../../../src/clients/schema.ts';
import type { ResourceServer } from '../../../src/clients/resource-servers/schema.ts';
import { SubmitButton, Ways } from '../../ui/form.tsx';
import { choiceOf } from '../../ui/scope-words.ts';
import type { AdminVisit } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import type { FieldsProps } from './fields.tsx';
import { Box, Boxes, Choose, faultsIn, idOf, Line, Lines } from './fields.tsx';
import { pathOf } from './tabs.tsx';
import { Resources } from './resources.tsx';

export type ClientFormProps = {
  visit: AdminVisit;
  type: ClientType;
  /** The name of the application that is changed; a new one, where undefined. */
  editing?: { id: string; name: string; seen: number } | undefined;
  values: FieldsProps['values'];
  groups: readonly Group[];
  servers: readonly ResourceServer[];
  /** The scopes of the house's own claims, with what they open. */
  ownScopes: readonly (readonly [scope: string, what: string])[];
  faults: readonly ClientFault[];
};

type Part = FieldsProps &
  Pick<ClientFormProps, 'type' | 'groups' | 'servers' | 'ownScopes'> & { fresh: boolean };

const options = <Value extends string>(words: Record<Value, string>) =>
  Object.entries(words) as [Value, string][];

function About(props: Part) {
  const { frame, type, fresh } = props;
  return (
    <fieldset class="group">
      <legend>{frame.t.clients.form.groups.about}</legend>
      <Line {...props} name="name" />
      {fresh && <Line {...props} name="id" code />}
      <Line {...props} name="description" />
      <Line {...props} name="contact" />
      {type !== 'service' && <Box {...props} name="firstParty" />}
    </fieldset>
  );
}

function Addresses(props: Part) {
  const { frame, type } = props;
  const t = frame.t.clients.form;
  const onDevice = type === 'single-page' || type === 'native';
  return (
    <fieldset class="group">
      <legend>{t.groups.addresses}</legend>
      <Lines {...props} name="redirectUris" help={t.onePerLine} check="redirect" />
      <Lines {...props} name="postLogoutRedirectUris" help={t.onePerLine} check="post-logout" rows={2} />
      {onDevice && <Lines {...props} name="corsOrigins" help={t.onePerLine} check="origin" rows={2} />}
      <Line {...props} name="backchannelLogoutUri" check="back-channel" code />
      <Line {...props} name="frontchannelLogoutUri" check="front-channel" code />
      <Line {...props} name="launchUrl" check="launch" code />
      <Line {...props} name="initiateLoginUri" check="initiate-login" code />
    </fieldset>
  );
}

function Proof(props: Part) {
  const { frame } = props;
  const t = frame.t.clients;
  const { secret, private_key_jwt: key, client_secret_jwt: signs } = t.choices.authMethod;
  return (
    <fieldset class="group">
      <legend>{t.form.groups.proof}</legend>
      <Choose
        {...props}
        name="authMethod"
        options={[
          ['secret', secret],
          ['private_key_jwt', key],
          ['client_secret_jwt', signs],
        ]}
      />
      <Lines {...props} name="jwks" rows={4} />
      <Choose
        {...props}
        name="assertionSigningAlg"
        options={[['', t.form.algByKeys], ...keyAlgs.map((alg) => [alg, alg] as const)]}
      />
      <Choose
        {...props}
        name="assertionAudience"
        options={[
          ['', t.choices.assertionAudience.issuer],
          ['token-endpoint', t.choices.assertionAudience['token-endpoint']],
        ]}
      />
      <Box {...props} name="dpopRequired" />
    </fieldset>
  );
}

function SeesAndPeople(props: Part) {
  const { frame, groups, ownScopes } = props;
  const { form: t, choices } = frame.t.clients;
  const own = ownScopes.map(([scope, what]) => [scope, choiceOf([scope, what])] as const);
  return (
    <>
      <fieldset class="group">
        <legend>{t.groups.sees}</legend>
        <Boxes {...props} name="scopes" options={[...options(choices.scopes), ...own]} />
        <Choose {...props} name="consent" options={options(choices.consent)} />
      </fieldset>
      <fieldset class="group">
        <legend>{t.groups.people}</legend>
        {groups.length === 0 ? (
          <p class="quiet">{t.noGroups}</p>
        ) : (
          <Boxes {...props} name="allowedGroups" options={groups.map(({ id, name }) => [id, name])} />
        )}
        <Choose
          {...props}
          name="requiredAcr"
          options={[
            ['', t.anyAcr],
            ['urn:hemma:2', t.alwaysTwoStep],
          ]}
        />
      </fieldset>
    </>
  );
}

function Lifetimes(props: Part) {
  const { frame, type } = props;
  const t = frame.t.clients.form;
  const all = ['accessToken', 'idToken', 'refreshToken', 'session'] as const;
  const names = type === 'service' ? (['accessToken'] as const) : all;
  return (
    <fieldset class="group">
      <legend>{t.groups.lifetimes}</legend>
      {names.map((name) => {
        const { least, most: everybody } = lifetimeLimits[name];
        const most = type === 'service' ? serviceTokenMost : everybody;
        const help = `${t.byDefault(most)} ${t.range(least, most)}`;
        return <Line key={name} {...props} name={`lifetimes.${name}`} help={help} code />;
      })}
    </fieldset>
  );
}

function Extra(props: Part) {
  const { frame, type } = props;
  const { form: t, choices } = frame.t.clients;
  return (
    <fieldset class="group">
      <legend>{t.groups.extra}</legend>
      <Choose {...props} name="signingAlg" options={signingAlgs.map((alg) => [alg, alg])} />
      <Boxes {...props} name="allowedIntents" options={options(choices.allowedIntents)} />
      <Choose {...props} name="subjectType" options={options(choices.subjectType)} />
      <Line {...props} name="sector" code />
      <Box {...props} name="parRequired" />
      {type === 'web' && <Box {...props} name="pkceOptional" />}
      {type !== 'web' && <Box {...props} name="dpopRequired" />}
      {type !== 'single-page' && <Box {...props} name="deviceFlow" />}
    </fieldset>
  );
}

/** What it may do in the interface for programs; what a person must answer for is no choice for a service. */
function Api(props: Part) {
  const { frame, type, groups } = props;
  const { form: t, choices } = frame.t.clients;
  const service = type === 'service';
  return (
    <fieldset class="group">
      <legend>{t.groups.api}</legend>
      <Boxes
        {...props}
        name="apiScopes"
        options={apiScopes
          .filter((scope) => !service || !isPersonal(scope))
          .map((scope) => [scope, choices.apiScopes[scope]])}
      />
      {service && groups.length > 0 && (
        <Choose
          {...props}
          name="apiGroup"
          options={[['', t.everybody], ...groups.map(({ id, name }) => [id, name] as const)]}
        />
      )}
    </fieldset>
  );
}

/** Everything that was wrong, in one place and first: the fields say it once more where it belongs. */
export function Faults({ frame, faults, values, words: own }: FieldsProps) {
  if (faults.length === 0) return null;
  const names = [...new Set(faults.map(({ path }) => path.replace(/\.\d.*$/, '')))];
  const words: Record<string, { label: string } | undefined> = own ?? frame.t.clients.fields;
  return (
    <div class="notice" role="alert" tabIndex={-1} id="refusal">
      <div>
        <p>{frame.t.clients.form.faultsTitle}</p>
        <ul>
          {names.flatMap((name) =>
            faultsIn({ frame, faults, values }, name).map(({ code, text }) => (
              <li key={text} data-refusal={code}>
                {words[name] ? <a href={`#${idOf(name)}`}>{words[name].label}</a> : name}: {text}
              </li>
            )),
          )}
        </ul>
      </div>
    </div>
  );
}

/** The form of an application: only the fields that mean something for its type. */
export function ClientFormPage(props: ClientFormProps) {
  const { visit, type, editing, values, groups, servers, ownScopes, faults } = props;
  const { frame, token } = visit;
  const t = frame.t.clients;
  const part: Part = {
    frame,
    values,
    faults,
    type,
    groups,
    servers,
    ownScopes,
    fresh: editing === undefined,
  };
  const title = editing ? t.form.editTitle(editing.name) : t.form.newTitle(t.types[type].name);
  const action = editing ? pathOf(editing.id, '/edit') : pathOf('-', `/new/${type}`);
  const confidential = type === 'web' || type === 'service';
  return (
    <ConsolePage
      visit={visit}
      title={title}
      step={editing ? 'client-edit' : 'client-new'}
      part="clients"
      scripts={['client-addresses']}
    >
      <form
        method="post"
        action={action}
        novalidate
        class="form client"
        data-client-type={type}
        data-check-url={pathOf('-', '/check-addresses')}
      >
        <input type="hidden" name="token" value={token} />
        {editing && <input type="hidden" name="seen" value={String(editing.seen)} />}
        <Faults frame={frame} faults={faults} values={values} />
        <About {...part} />
        {type !== 'service' && <Addresses {...part} />}
        {confidential && <Proof {...part} />}
        {type !== 'service' && <SeesAndPeople {...part} />}
        <Lifetimes {...part} />
        {type !== 'service' && <Extra {...part} />}
        <Api {...part} />
        <Resources {...part} />
        <SubmitButton waiting={t.waiting}>{editing ? t.form.submit : t.form.submitNew}</SubmitButton>
      </form>
      <Ways ways={[{ href: editing ? pathOf(editing.id) : '/admin/clients', label: t.cancel }]} />
    </ConsolePage>
  );
}
