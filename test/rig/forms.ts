/** What a browser would send for a form of a page: every field with the value it has, then the person's own. */
import type { HTMLElement } from 'node-html-parser';

/** `null` takes a field out; a list sends it several times. */
export type Fields = Record<string, string | readonly string[] | null>;

export interface Submission {
  action: URL;
  method: string;
  body: URLSearchParams;
}

const buttonsOf = (form: HTMLElement) =>
  form
    .querySelectorAll('button, input[type=submit]')
    .filter((one) => (one.getAttribute('type') ?? 'submit') === 'submit');

const labelOf = (button: HTMLElement) =>
  (button.tagName === 'INPUT' ? (button.getAttribute('value') ?? '') : button.textContent)
    .replaceAll(/\s+/g, ' ')
    .trim();

const controlsOf = (form: HTMLElement) =>
  form.querySelectorAll('input, select, textarea').filter((one) => {
    const type = one.getAttribute('type') ?? '';
    return (
      one.hasAttribute('name') &&
      !one.hasAttribute('disabled') &&
      !['submit', 'button', 'image'].includes(type)
    );
  });

function valueOf(control: HTMLElement): string | undefined {
  const type = control.getAttribute('type');
  if (type === 'checkbox' || type === 'radio') {
    return control.hasAttribute('checked') ? (control.getAttribute('value') ?? 'on') : undefined;
  }
  if (control.tagName === 'TEXTAREA') return control.textContent;
  if (control.tagName === 'SELECT') {
    const chosen = control.querySelector('option[selected]') ?? control.querySelector('option');
    return chosen?.getAttribute('value') ?? chosen?.textContent;
  }
  return control.getAttribute('value') ?? '';
}

/** The form that has these fields and this button; `button` is its text, or `name=value`. */
function find(page: HTMLElement, fields: Fields, button: string | undefined): HTMLElement {
  const forms = page.querySelectorAll('form');
  const fits = (form: HTMLElement) => {
    const names = new Set(controlsOf(form).map((control) => control.getAttribute('name')));
    const named = Object.keys(fields).every((name) => names.has(name));
    return named && (button === undefined || pressed(form, button) !== undefined);
  };
  const inMain = page.querySelectorAll('main form').find(fits);
  const form = inMain ?? forms.find(fits);
  if (form) return form;
  const there = forms.map((one) => {
    const names = controlsOf(one).map((control) => control.getAttribute('name'));
    return `fields ${names.join(', ') || 'none'}; buttons ${buttonsOf(one).map(labelOf).join(', ') || 'none'}`;
  });
  const wanted = [...Object.keys(fields), ...(button === undefined ? [] : [`[${button}]`])].join(', ');
  throw new Error(
    `no form of the page has ${wanted || 'anything'}; it has:\n${there.join('\n') || 'no form at all'}`,
  );
}

function pressed(form: HTMLElement, button: string): HTMLElement | undefined {
  return buttonsOf(form).find(
    (one) => labelOf(one) === button || `${one.getAttribute('name')}=${one.getAttribute('value')}` === button,
  );
}

/** Fills in a form of the page as a person would and says what the browser then sends. */
export function fillIn(page: HTMLElement, pageUrl: URL, fields: Fields, button?: string): Submission {
  const form = find(page, fields, button);
  const body = new URLSearchParams();
  for (const control of controlsOf(form)) {
    const name = control.getAttribute('name') ?? '';
    const value = name in fields ? undefined : valueOf(control);
    if (value !== undefined) body.append(name, value);
  }
  for (const [name, value] of Object.entries(fields)) {
    for (const one of value === null ? [] : [value].flat()) body.append(name, one);
  }
  // Enter presses the first submit button (HTML: "implicit submission").
  const by = button === undefined ? buttonsOf(form)[0] : pressed(form, button);
  if (by?.hasAttribute('name')) body.append(by.getAttribute('name') ?? '', by.getAttribute('value') ?? '');
  const action = by?.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
  const target = new URL(action || pageUrl.href, pageUrl);
  return { action: target, method: (form.getAttribute('method') ?? 'get').toUpperCase(), body };
}
