import type { AllowedResource } from '../../../src/clients/resources.ts';
import type { ClientType } from '../../../src/clients/schema.ts';
import type { ResourceServer } from '../../../src/clients/resource-servers/schema.ts';
import type { FieldsProps } from './fields.tsx';
import { SelectField, fieldFaults } from './fields.tsx';

/** A box for each scope of each resource server: neither has a blank in it. */
export const resourceOptions = (resources: readonly AllowedResource[]): string[] =>
  resources.flatMap(({ resource, scopes }) => scopes.map((scope) => `${resource} ${scope}`));

/** What the boxes said, not judged yet. */
export function parseResourceOptions(choices: readonly string[]): { resource: string; scopes: string[] }[] {
  const chosen = new Map<string, string[]>();
  for (const choice of choices) {
    const [resource = '', scope = ''] = choice.split(' ');
    chosen.set(resource, [...(chosen.get(resource) ?? []), scope]);
  }
  return [...chosen].map(([resource, scopes]) => ({ resource, scopes }));
}

type ResourcesFieldProps = FieldsProps & { type: ClientType; servers: readonly ResourceServer[] };

/** What an application may ask for at resource servers, and for a service the one that it is itself. */
export function ResourcesField(props: ResourcesFieldProps) {
  const { frame, values, type, servers } = props;
  const t = frame.t.resourceServers.client;
  const words = frame.t.clients.fields.resources;
  const chosen = values.resourceChoices ?? [];
  // What was chosen stands in boxes and not in lines, so that a fault's place is no line's number.
  const faults = fieldFaults({ ...props, values: {} }, 'resources');
  return (
    <fieldset class="group">
      <legend>{t.group}</legend>
      {servers.length === 0 && <p class="quiet">{t.none}</p>}
      {servers.length > 0 && (
        <fieldset class="field boxes" id="resources">
          <legend>{words.label}</legend>
          <p class="help">{words.help}</p>
          {faults.map(({ code, text }) => (
            <p key={text} class="refusal" data-refusal={code}>
              <span>{text}</span>
            </p>
          ))}
          {servers.map(({ id, name, scopes }) => (
            <div key={id} class="boxes" role="group" aria-label={name} data-resource={id}>
              <p>{name}</p>
              {scopes.map((scope) => (
                <label key={scope.name} class="choice">
                  <input
                    type="checkbox"
                    name="resources"
                    value={`${id} ${scope.name}`}
                    checked={chosen.includes(`${id} ${scope.name}`)}
                  />
                  <span>
                    <span class="code">{scope.name}</span>
                    <span class="help">{scope.description}</span>
                  </span>
                </label>
              ))}
            </div>
          ))}
        </fieldset>
      )}
      {type === 'service' && servers.length > 0 && (
        <SelectField
          {...props}
          name="introspects"
          options={[['', t.introspectsNone], ...servers.map(({ id, name }) => [id, name] as const)]}
        />
      )}
    </fieldset>
  );
}
