import type { ComponentChildren } from 'preact';
import type { ClientFault } from '../../../src/clients/connectivity-check.ts';
import type { Frame } from '../../ui/layout.tsx';

/** What the fields of an application's form share: the words, what is in them, and what was wrong with it. */
export type FieldsProps = {
  frame: Frame;
  values: Readonly<Record<string, string | readonly string[] | undefined>>;
  faults: readonly ClientFault[];
  /** Of another form than an application's. */
  words?: Readonly<Record<string, { label: string; help?: string }>>;
};

export type FormFieldName =
  keyof Frame['t']['clients']['fields'] | keyof Frame['t']['resourceServers']['fields'];

/** What a field is called and, where that is not enough, a sentence about it. */
const fieldPhrases = ({ frame, words, name }: NamedFieldProps): { label: string; help?: string } => {
  const all: NonNullable<FieldsProps['words']> = words ?? frame.t.clients.fields;
  return all[name] ?? { label: name };
};

type NamedFieldProps = FieldsProps & { name: FormFieldName; help?: string };

/** The faults of one field; those of a list say which line it was. */
export function fieldFaults(
  { faults, values, frame }: FieldsProps,
  name: string,
): { code: string; text: string }[] {
  const lines = values[name];
  const ownFaults = faults.filter(({ path }) => path === name || path.startsWith(`${name}.`));
  return ownFaults.map(({ path, code }) => {
    const line = Number.parseInt(path.slice(name.length + 1), 10);
    const what = Array.isArray(lines) && path !== name ? (lines as string[])[line] : undefined;
    const words = frame.t.clients.faults[code];
    return { code, text: what === undefined ? words : `${what}: ${words}` };
  });
}

/** A full stop in a field's name would be read as a member of something (`a.b`). */
export const fieldId = (name: string): string => name.replaceAll('.', '-');

/** Label, help, what was refused, input. */
function FieldWrapper(props: NamedFieldProps & { children: ComponentChildren }) {
  const { name, help, children } = props;
  const words = fieldPhrases(props);
  const describedBy = [words.help, help].filter(Boolean).join(' ');
  const refused = fieldFaults(props, name);
  return (
    <div class="field">
      <label for={fieldId(name)}>{words.label}</label>
      {describedBy && (
        <p class="help" id={`${fieldId(name)}-help`}>
          {describedBy}
        </p>
      )}
      {refused.map(({ code, text }) => (
        <p key={text} class="refusal" id={`${fieldId(name)}-refusal`} data-refusal={code}>
          <span>{text}</span>
        </p>
      ))}
      {children}
    </div>
  );
}

function inputProps(props: NamedFieldProps) {
  const { name, help } = props;
  const refused = fieldFaults(props, name).length > 0;
  const describedBy = fieldPhrases(props).help !== undefined || help !== undefined;
  const by = [refused && `${fieldId(name)}-refusal`, describedBy && `${fieldId(name)}-help`]
    .filter(Boolean)
    .join(' ');
  return {
    id: fieldId(name),
    name: fieldId(name),
    autocomplete: 'off',
    autocapitalize: 'none' as const,
    spellcheck: false,
    'aria-invalid': refused ? ('true' as const) : undefined,
    'aria-describedby': by || undefined,
  };
}

/** One line of text. `check` names the use of an address that is judged while it is typed. */
export function TextField({
  check,
  code = false,
  ...props
}: NamedFieldProps & { check?: string; code?: boolean }) {
  const value = props.values[props.name];
  return (
    <FieldWrapper {...props}>
      <input
        {...inputProps(props)}
        class={code ? 'input code' : 'input'}
        type="text"
        value={typeof value === 'string' ? value : ''}
        data-check-address={check}
      />
    </FieldWrapper>
  );
}

/** Several lines: a list of addresses, or a document. */
export function TextAreaField({
  check,
  rows = 3,
  ...props
}: NamedFieldProps & { check?: string; rows?: number }) {
  const value = props.values[props.name];
  const text = Array.isArray(value) ? value.join('\n') : ((value as string | undefined) ?? '');
  return (
    <FieldWrapper {...props}>
      <textarea {...inputProps(props)} class="input code" rows={rows} data-check-address={check}>
        {text}
      </textarea>
    </FieldWrapper>
  );
}

type FieldOptions = { options: readonly (readonly [value: string, label: string])[] };

export function SelectField({ options, ...props }: NamedFieldProps & FieldOptions) {
  const value = props.values[props.name];
  return (
    <FieldWrapper {...props}>
      <select {...inputProps(props)} class="input">
        {options.map(([one, label]) => (
          <option key={one} value={one} selected={one === (value ?? '')}>
            {label}
          </option>
        ))}
      </select>
    </FieldWrapper>
  );
}

/** Several of a few: boxes of one name under one legend. */
export function CheckboxGroup({ options, ...props }: NamedFieldProps & FieldOptions) {
  const { name, values } = props;
  const words = fieldPhrases(props);
  const chosen = values[name] ?? [];
  return (
    <fieldset class="field boxes">
      <legend>{words.label}</legend>
      {words.help && <p class="help">{words.help}</p>}
      {fieldFaults(props, name).map(({ code, text }) => (
        <p key={text} class="refusal" data-refusal={code}>
          <span>{text}</span>
        </p>
      ))}
      {options.map(([value, label]) => (
        <label key={value} class="choice">
          <input type="checkbox" name={name} value={value} checked={chosen.includes(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One box: yes or no. */
export function CheckboxField(props: NamedFieldProps) {
  const { values, name } = props;
  const words = fieldPhrases(props);
  return (
    <label class="choice">
      <input id={fieldId(name)} type="checkbox" name={name} value="yes" checked={values[name] === 'yes'} />
      <span>
        {words.label}
        {words.help && <span class="help">{words.help}</span>}
      </span>
    </label>
  );
}
