import type { ComponentChildren } from 'preact';
import type { Phrases } from '../../src/i18n/sv.ts';

/** Why a form was not taken, in the person's words. `field` names the input that it is about. */
export type Refusal = { code: keyof Phrases['refusals']; message: string; field?: string | undefined };

type MaybeRefusal = Refusal | undefined;

type FormProps = {
  action: string;
  /** The token that binds the form to interaction or session. */
  token?: string | undefined;
  refusal?: MaybeRefusal;
  /** The inputs that show a refusal of their own; any other refusal stands above the form. */
  fields?: readonly string[];
  label?: string | undefined;
  /** The answer is a file: the page stays, so its button must not wait for another. */
  stays?: boolean;
  /** It carries a file, or as much as one. */
  upload?: boolean;
  children: ComponentChildren;
};

/**
 * Every form posts, works without scripts and leaves checking to the server (`novalidate`), so that a
 * refusal reads the same in every browser and in the language of the page.
 */
export function Form({ action, token, refusal, fields = [], label, stays, upload, children }: FormProps) {
  const isAboveForm = refusal && !(refusal.field && fields.includes(refusal.field));
  return (
    <form
      method="post"
      action={action}
      enctype={upload ? 'multipart/form-data' : undefined}
      novalidate
      class="form"
      aria-label={label}
      data-stays={stays}
    >
      {token !== undefined && <input type="hidden" name="token" value={token} />}
      {isAboveForm && <RefusalNotice refusal={refusal} />}
      {children}
    </form>
  );
}

/** A refusal about the whole page. One page never shows more than one. */
export function RefusalNotice({ refusal }: { refusal: Refusal }) {
  return (
    <div class="notice" role="alert" id="refusal" data-refusal={refusal.code}>
      <AlertIcon />
      <p>{refusal.message}</p>
    </div>
  );
}

export type FieldProps = {
  name: string;
  label: string;
  help?: string | undefined;
  value?: string | undefined;
  autocomplete?: string;
  inputmode?: 'text' | 'email' | 'numeric';
  /** Codes are read letter by letter: monospaced, no spelling help. */
  code?: boolean;
  readonly?: boolean;
  autofocus?: boolean;
  refusal?: MaybeRefusal;
};

/**
 * Always `type=text`: an email input would rewrite what was typed (spaces, å ä ö) before the server sees it.
 */
export function Field({ code = false, value, inputmode, ...props }: FieldProps) {
  return (
    <FieldWrapper {...props}>
      <input
        {...inputProps(props)}
        class={code ? 'input code' : 'input'}
        type="text"
        value={value}
        inputmode={inputmode}
        {...(code ? codeInputProps : undefined)}
      />
    </FieldWrapper>
  );
}

type PasswordFieldProps = Omit<FieldProps, 'value' | 'code' | 'inputmode'> & { t: Phrases };

/** The button that shows the password is hidden until its script has taken charge of it. */
export function PasswordField({ t, ...props }: PasswordFieldProps) {
  const { show, hide, thePassword } = t.form;
  return (
    <FieldWrapper {...props}>
      <div class="with-button">
        <input {...inputProps(props)} {...codeInputProps} class="input" type="password" />
        <button type="button" hidden class="in-field" data-show-password={props.name} data-hide={hide}>
          <span>{show}</span> <span class="unseen">{thePassword}</span>
        </button>
      </div>
    </FieldWrapper>
  );
}

type SixDigitFieldProps = Pick<FieldProps, 'label' | 'help' | 'refusal' | 'autofocus'>;

/**
 * One input that looks like six places, so that paste, autofill and screen readers work. It takes more
 * than six characters: a recovery code pasted here is recognised by the server.
 */
export function SixDigitField({ autofocus = true, ...rest }: SixDigitFieldProps) {
  const props = { ...rest, autofocus, name: 'code', autocomplete: 'one-time-code' };
  return (
    <FieldWrapper {...props}>
      <div class="six">
        <input
          {...inputProps(props)}
          {...codeInputProps}
          class="input places"
          type="text"
          inputmode="numeric"
          data-six-digits
        />
      </div>
    </FieldWrapper>
  );
}

const codeInputProps = { autocapitalize: 'none', autocorrect: 'off', spellcheck: false } as const;

type FieldWrapperProps = Pick<FieldProps, 'name' | 'label' | 'help' | 'refusal'>;

/** Label, help, refusal, input: the refusal stands next to what it is about. */
function FieldWrapper({
  name,
  label,
  help,
  refusal,
  children,
}: FieldWrapperProps & { children: ComponentChildren }) {
  const ownRefusal = refusal?.field === name ? refusal : undefined;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {help && (
        <p class="help" id={`${name}-help`}>
          {help}
        </p>
      )}
      {ownRefusal && (
        <p class="refusal" role="alert" id={`${name}-refusal`} data-refusal={ownRefusal.code}>
          <AlertIcon />
          <span>{ownRefusal.message}</span>
        </p>
      )}
      {children}
    </div>
  );
}

type InputProps = FieldWrapperProps & Pick<FieldProps, 'autocomplete' | 'readonly' | 'autofocus'>;

function inputProps({ name, help, refusal, autocomplete, readonly, autofocus }: InputProps) {
  const refused = refusal?.field === name;
  const describedBy = [refused && `${name}-refusal`, help && `${name}-help`].filter(Boolean).join(' ');
  return {
    id: name,
    name,
    autocomplete,
    readOnly: readonly,
    autofocus: refused || autofocus,
    'aria-invalid': refused ? ('true' as const) : undefined,
    'aria-describedby': describedBy || undefined,
  };
}

type ChoiceProps = { name: string; value: string; label: string; checked?: boolean };

export function Choice({ name, value, label, checked = false }: ChoiceProps) {
  return (
    <label class="choice">
      <input type="checkbox" name={name} value={value} checked={checked} />
      <span>{label}</span>
    </label>
  );
}

type ButtonProps = {
  /** What the button says while the answer is on its way. */
  waiting: string;
  name?: string;
  value?: string;
  children: string;
};

/** The one filled button of a page. Both its wordings lie in one grid cell: it never changes its width. */
export function SubmitButton(props: ButtonProps) {
  return <Button {...props} look="button" />;
}

export function SecondaryButton(props: ButtonProps) {
  return <Button {...props} look="button secondary" />;
}

function Button({ waiting, name, value, children, look: className }: ButtonProps & { look: string }) {
  return (
    <button type="submit" class={className} name={name} value={value} data-waiting={waiting}>
      <span>{children}</span>
    </button>
  );
}

/** Other ways on: plain links below the button, the likely one first. */
export function LinkList({ ways: links }: { ways: readonly { href: string; label: string }[] }) {
  if (links.length === 0) return null;
  return (
    <ul class="ways">
      {links.map((way) => (
        <li key={way.href}>
          <a href={way.href}>{way.label}</a>
        </li>
      ))}
    </ul>
  );
}

/** Stands beside every refusal: none is told by its colour alone. */
export function AlertIcon() {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d="M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 4v5m0 2.5v.5" />
    </svg>
  );
}
