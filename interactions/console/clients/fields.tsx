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

export type FieldWords =
  keyof Frame['t']['clients']['fields'] | keyof Frame['t']['resourceServers']['fields'];

/** What a field is called and, where that is not enough, a sentence about it. */
const wordsOf = ({ frame, words, name }: Named): { label: string; help?: string } => {
  const all: NonNullable<FieldsProps['words']> = words ?? frame.t.clients.fields;
  return all[name] ?? { label: name };
};

type Named = FieldsProps & { name: FieldWords; help?: string };

/** The faults of one field; those of a list say which line it was. */
export function faultsIn(
  { faults, values, frame }: FieldsProps,
  name: string,
): { code: string; text: string }[] {
  const lines = values[name];
  const mine = faults.filter(({ path }) => path === name || path.startsWith(`${name}.`));
  return mine.map(({ path, code }) => {
    const line = Number.parseInt(path.slice(name.length + 1), 10);
    const what = Array.isArray(lines) && path !== name ? (lines as string[])[line] : undefined;
    const words = frame.t.clients.faults[code];
    return { code, text: what === undefined ? words : `${what}: ${words}` };
  });
}

/** A full stop in a field's name would be read as a member of something (`a.b`). */
export const idOf = (name: string): string => name.replaceAll('.', '-');

/** Label, help, what was refused, input. */
function Framed(props: Named & { children: ComponentChildren }) {
  const { name, help, children } = props;
  const words = wordsOf(props);
  const told = [words.help, help].filter(Boolean).join(' ');
  const refused = faultsIn(props, name);
  return (
    <div class="field">
      <label for={idOf(name)}>{words.label}</label>
      {told && (
        <p class="help" id={`${idOf(name)}-help`}>
          {told}
        </p>
      )}
      {refused.map(({ code, text }) => (
        <p key={text} class="refusal" id={`${idOf(name)}-refusal`} data-refusal={code}>
          <span>{text}</span>
        </p>
      ))}
      {children}
    </div>
  );
}

function inputProps(props: Named) {
  const { name, help } = props;
  const refused = faultsIn(props, name).length > 0;
  const told = wordsOf(props).help !== undefined || help !== undefined;
  const by = [refused && `${idOf(name)}-refusal`, told && `${idOf(name)}-help`].filter(Boolean).join(' ');
  return {
    id: idOf(name),
    name: idOf(name),
    autocomplete: 'off',
    autocapitalize: 'none' as const,
    spellcheck: false,
    'aria-invalid': refused ? ('true' as const) : undefined,
    'aria-describedby': by || undefined,
  };
}

/** One line of text. `check` names the use of an address that is judged while it is typed. */
export function Line({ check, code = false, ...props }: Named & { check?: string; code?: boolean }) {
  const value = props.values[props.name];
  return (
    <Framed {...props}>
      <input
        {...inputProps(props)}
        class={code ? 'input code' : 'input'}
        type="text"
        value={typeof value === 'string' ? value : ''}
        data-check-address={check}
      />
    </Framed>
  );
}

/** Several lines: a list of addresses, or a document. */
export function Lines({ check, rows = 3, ...props }: Named & { check?: string; rows?: number }) {
  const value = props.values[props.name];
  const text = Array.isArray(value) ? value.join('\n') : ((value as string | undefined) ?? '');
  return (
    <Framed {...props}>
      <textarea {...inputProps(props)} class="input code" rows={rows} data-check-address={check}>
        {text}
      </textarea>
    </Framed>
  );
}

type Options = { options: readonly (readonly [value: string, label: string])[] };

export function Choose({ options, ...props }: Named & Options) {
  const value = props.values[props.name];
  return (
    <Framed {...props}>
      <select {...inputProps(props)} class="input">
        {options.map(([one, label]) => (
          <option key={one} value={one} selected={one === (value ?? '')}>
            {label}
          </option>
        ))}
      </select>
    </Framed>
  );
}

/** Several of a few: boxes of one name under one legend. */
export function Boxes({ options, ...props }: Named & Options) {
  const { name, values } = props;
  const words = wordsOf(props);
  const chosen = values[name] ?? [];
  return (
    <fieldset class="field boxes">
      <legend>{words.label}</legend>
      {words.help && <p class="help">{words.help}</p>}
      {faultsIn(props, name).map(({ code, text }) => (
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
export function Box(props: Named) {
  const { values, name } = props;
  const words = wordsOf(props);
  return (
    <label class="choice">
      <input id={idOf(name)} type="checkbox" name={name} value="yes" checked={values[name] === 'yes'} />
      <span>
        {words.label}
        {words.help && <span class="help">{words.help}</span>}
      </span>
    </label>
  );
}
