import type { Group } from '../../../src/users/groups.ts';
import { apiScopes, requiresHumanOperator } from '../../../src/clients/resource-servers/api-scopes.ts';
import { keyAlgs } from '../../../src/clients/assertion-rules.ts';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import { lifetimeLimits, maxServiceTokenSeconds, signingAlgs } from '../../../src/clients/schema.ts';
import type { ResourceServer } from '../../../src/clients/resource-servers/schema.ts';
import { SubmitButton, LinkList } from '../../ui/form.tsx';
import { scopeOption } from '../../ui/scope-words.ts';
import type { ConsoleContext } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';
import type { FieldsProps } from './fields.tsx';
import {
  CheckboxField,
  CheckboxGroup,
  SelectField,
  fieldFaults,
  fieldId,
  TextField,
  TextAreaField,
} from './fields.tsx';
import { clientTabPath } from './tabs.tsx';
import { ResourcesField } from './resources.tsx';

export type ClientFormProps = {
  visit: ConsoleContext;
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

type FormSectionProps = FieldsProps &
  Pick<ClientFormProps, 'type' | 'groups' | 'servers' | 'ownScopes'> & { fresh: boolean };

const choiceOptions = <Value extends string>(words: Record<Value, string>) =>
  Object.entries(words) as [Value, string][];

function GeneralSection(props: FormSectionProps) {
  const { frame, type, fresh } = props;
  return (
    <fieldset class="group">
      <legend>{frame.t.clients.form.groups.about}</legend>
      <TextField {...props} name="name" />
      {fresh && <TextField {...props} name="id" code />}
      <TextField {...props} name="description" />
      <TextField {...props} name="contact" />
      {type !== 'service' && <CheckboxField {...props} name="firstParty" />}
    </fieldset>
  );
}

function RedirectUrisSection(props: FormSectionProps) {
  const { frame, type } = props;
  const t = frame.t.clients.form;
  const onDevice = type === 'single-page' || type === 'native';
  return (
    <fieldset class="group">
      <legend>{t.groups.addresses}</legend>
      <TextAreaField {...props} name="redirectUris" help={t.onePerLine} check="redirect" />
      <TextAreaField
        {...props}
        name="postLogoutRedirectUris"
        help={t.onePerLine}
        check="post-logout"
        rows={2}
      />
      {onDevice && (
        <TextAreaField {...props} name="corsOrigins" help={t.onePerLine} check="origin" rows={2} />
      )}
      <TextField {...props} name="backchannelLogoutUri" check="back-channel" code />
      <TextField {...props} name="frontchannelLogoutUri" check="front-channel" code />
      <TextField {...props} name="launchUrl" check="launch" code />
      <TextField {...props} name="initiateLoginUri" check="initiate-login" code />
    </fieldset>
  );
}

function AuthenticationSection(props: FormSectionProps) {
  const { frame } = props;
  const t = frame.t.clients;
  const { secret, private_key_jwt: key, client_secret_jwt: signs } = t.choices.authMethod;
  return (
    <fieldset class="group">
      <legend>{t.form.groups.proof}</legend>
      <SelectField
        {...props}
        name="authMethod"
        options={[
          ['secret', secret],
          ['private_key_jwt', key],
          ['client_secret_jwt', signs],
        ]}
      />
      <TextAreaField {...props} name="jwks" rows={4} />
      <SelectField
        {...props}
        name="assertionSigningAlg"
        options={[['', t.form.algByKeys], ...keyAlgs.map((alg) => [alg, alg] as const)]}
      />
      <SelectField
        {...props}
        name="assertionAudience"
        options={[
          ['', t.choices.assertionAudience.issuer],
          ['token-endpoint', t.choices.assertionAudience['token-endpoint']],
        ]}
      />
      <CheckboxField {...props} name="dpopRequired" />
    </fieldset>
  );
}

function ScopesAndGroupsSection(props: FormSectionProps) {
  const { frame, groups, ownScopes } = props;
  const { form: t, choices } = frame.t.clients;
  const customScopes = ownScopes.map(([scope, what]) => [scope, scopeOption([scope, what])] as const);
  return (
    <>
      <fieldset class="group">
        <legend>{t.groups.sees}</legend>
        <CheckboxGroup
          {...props}
          name="scopes"
          options={[...choiceOptions(choices.scopes), ...customScopes]}
        />
        <SelectField {...props} name="consent" options={choiceOptions(choices.consent)} />
      </fieldset>
      <fieldset class="group">
        <legend>{t.groups.people}</legend>
        {groups.length === 0 ? (
          <p class="quiet">{t.noGroups}</p>
        ) : (
          <CheckboxGroup {...props} name="allowedGroups" options={groups.map(({ id, name }) => [id, name])} />
        )}
        <SelectField
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

function LifetimesSection(props: FormSectionProps) {
  const { frame, type } = props;
  const t = frame.t.clients.form;
  const all = ['accessToken', 'idToken', 'refreshToken', 'session'] as const;
  const names = type === 'service' ? (['accessToken'] as const) : all;
  return (
    <fieldset class="group">
      <legend>{t.groups.lifetimes}</legend>
      {names.map((name) => {
        const { least: minSeconds, most: everybody } = lifetimeLimits[name];
        const maxSeconds = type === 'service' ? maxServiceTokenSeconds : everybody;
        const help = `${t.byDefault(maxSeconds)} ${t.range(minSeconds, maxSeconds)}`;
        return <TextField key={name} {...props} name={`lifetimes.${name}`} help={help} code />;
      })}
    </fieldset>
  );
}

function AdvancedSection(props: FormSectionProps) {
  const { frame, type } = props;
  const { form: t, choices } = frame.t.clients;
  return (
    <fieldset class="group">
      <legend>{t.groups.extra}</legend>
      <SelectField {...props} name="signingAlg" options={signingAlgs.map((alg) => [alg, alg])} />
      <CheckboxGroup {...props} name="allowedIntents" options={choiceOptions(choices.allowedIntents)} />
      <SelectField {...props} name="subjectType" options={choiceOptions(choices.subjectType)} />
      <TextField {...props} name="sector" code />
      <CheckboxField {...props} name="parRequired" />
      {type === 'web' && <CheckboxField {...props} name="pkceOptional" />}
      {type !== 'web' && <CheckboxField {...props} name="dpopRequired" />}
      {type !== 'single-page' && <CheckboxField {...props} name="deviceFlow" />}
    </fieldset>
  );
}

/** What it may do in the interface for programs; what a person must answer for is no choice for a service. */
function AdminApiSection(props: FormSectionProps) {
  const { frame, type, groups } = props;
  const { form: t, choices } = frame.t.clients;
  const service = type === 'service';
  return (
    <fieldset class="group">
      <legend>{t.groups.api}</legend>
      <CheckboxGroup
        {...props}
        name="apiScopes"
        options={apiScopes
          .filter((scope) => !service || !requiresHumanOperator(scope))
          .map((scope) => [scope, choices.apiScopes[scope]])}
      />
      {service && groups.length > 0 && (
        <SelectField
          {...props}
          name="apiGroup"
          options={[['', t.everybody], ...groups.map(({ id, name }) => [id, name] as const)]}
        />
      )}
    </fieldset>
  );
}

/** Everything that was wrong, in one place and first: the fields say it once more where it belongs. */
export function FaultSummary({ frame, faults, values, words: phrases }: FieldsProps) {
  if (faults.length === 0) return null;
  const names = [...new Set(faults.map(({ path }) => path.replace(/\.\d.*$/, '')))];
  const words: Record<string, { label: string } | undefined> = phrases ?? frame.t.clients.fields;
  return (
    <div class="notice" role="alert" tabIndex={-1} id="refusal">
      <div>
        <p>{frame.t.clients.form.faultsTitle}</p>
        <ul>
          {names.flatMap((name) =>
            fieldFaults({ frame, faults, values }, name).map(({ code, text }) => (
              <li key={text} data-refusal={code}>
                {words[name] ? <a href={`#${fieldId(name)}`}>{words[name].label}</a> : name}: {text}
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
  const { visit: consoleContext, type, editing, values, groups, servers, ownScopes, faults } = props;
  const { frame, token } = consoleContext;
  const t = frame.t.clients;
  const part: FormSectionProps = {
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
  const action = editing ? clientTabPath(editing.id, '/edit') : clientTabPath('-', `/new/${type}`);
  const confidential = type === 'web' || type === 'service';
  return (
    <ConsolePage
      visit={consoleContext}
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
        data-check-url={clientTabPath('-', '/check-addresses')}
      >
        <input type="hidden" name="token" value={token} />
        {editing && <input type="hidden" name="seen" value={String(editing.seen)} />}
        <FaultSummary frame={frame} faults={faults} values={values} />
        <GeneralSection {...part} />
        {type !== 'service' && <RedirectUrisSection {...part} />}
        {confidential && <AuthenticationSection {...part} />}
        {type !== 'service' && <ScopesAndGroupsSection {...part} />}
        <LifetimesSection {...part} />
        {type !== 'service' && <AdvancedSection {...part} />}
        <AdminApiSection {...part} />
        <ResourcesField {...part} />
        <SubmitButton waiting={t.waiting}>{editing ? t.form.submit : t.form.submitNew}</SubmitButton>
      </form>
      <LinkList ways={[{ href: editing ? clientTabPath(editing.id) : '/admin/clients', label: t.cancel }]} />
    </ConsolePage>
  );
}
