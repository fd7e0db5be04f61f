import type { ComponentChildren } from 'preact';
import type { User } from '../../src/users/users.ts';
import type { Permission } from '../../src/users/operators.ts';
import { hasPermission } from '../../src/users/operators.ts';
import type { AuditEventType } from '../../src/audit/audit-log.ts';
import type { Frame, Script } from '../ui/layout.tsx';
import { Layout } from '../ui/layout.tsx';
import type { ConsoleContext } from './require-operator.ts';

type ConsoleSection = keyof Frame['t']['console']['nav'];

/** The parts of the console, and what an operator must be allowed to see each. */
const consoleSections: readonly (readonly [ConsoleSection, Permission])[] = [
  ['people', 'people.read'],
  ['cases', 'cases.read'],
  ['clients', 'clients.read'],
  ['groups', 'groups.read'],
  ['audit', 'audit.read'],
];

type ConsolePageProps = {
  visit: ConsoleContext;
  title: string;
  /** Stands in `data-step`. */
  step: string;
  /** The part of the console that the page belongs to. */
  part: ConsoleSection;
  /** What the last form did, in words. */
  notice?: string | undefined;
  /** Scripts of this page alone; none is needed. */
  scripts?: readonly Script[];
  children: ComponentChildren;
};

/** Every page of the console: where one is, where one can go, and then the page's own question. */
export function ConsolePage({
  visit: consoleContext,
  title,
  step,
  part,
  notice,
  scripts = [],
  children,
}: ConsolePageProps) {
  const { frame, operator } = consoleContext;
  const t = frame.t.console;
  return (
    <Layout
      frame={frame}
      title={`${title} · ${t.title}`}
      step={step}
      kind="room"
      scripts={['waiting-button', 'show-password', ...scripts]}
    >
      <div class="console">
        <nav class="parts" aria-label={t.navigation}>
          <ul>
            {consoleSections
              .filter(([, action]) => hasPermission(operator, action))
              .map(([name]) => (
                <li key={name}>
                  <a href={`/admin/${name}`} aria-current={name === part ? 'true' : undefined}>
                    {t.nav[name]}
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <h1>{title}</h1>
        {notice && (
          <p class="done" role="status">
            {notice}
          </p>
        )}
        {children}
      </div>
    </Layout>
  );
}

type TableProps = {
  caption: string;
  columns: readonly string[];
  /** A row's key and its cells, one for each column. */
  rows: readonly { key: string | number; cells: readonly ComponentChildren[] }[];
};

/** A table with real headers; on a phone each row is a card whose lines name their columns. */
export function Table({ caption, columns, rows }: TableProps) {
  return (
    <table class="table">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key} data-row={key}>
            {cells.map((cell, index) => (
              <td key={columns[index]} data-label={columns[index]} data-none={cell === '–' || undefined}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type SelectProps = {
  name: string;
  label: string;
  options: readonly (readonly [value: string, label: string])[];
  chosen?: string | undefined;
};

export function Select({ name, label, options, chosen }: SelectProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} name={name} class="input">
        {options.map(([value, words]) => (
          <option key={value} value={value} selected={value === chosen}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

/** An address, which breaks before its domain, and within a long one at its dots, rather than inside a word. */
export function UriWithBreaks({ children }: { children: string }) {
  const parts = children
    .split(/(?=@)/)
    .flatMap((part) => (part.length > 18 ? part.split(/(?<=\.)/) : [part]));
  return parts.flatMap((part, index) => (index === 0 ? [part] : [<wbr key={index} />, part]));
}

/** A text that is copied more often than read: one click selects all of it. */
export function CopyableText({ frame, children }: { frame: Frame; children: string }) {
  return (
    <span class="copyable code" title={frame.t.console.copyHint}>
      <UriWithBreaks>{children}</UriWithBreaks>
    </span>
  );
}

export function ConsolePageSection({
  title,
  name,
  children,
}: {
  title: string;
  name: string;
  children: ComponentChildren;
}) {
  return (
    <section data-section={name}>
      <h2>{title}</h2>
      <div>{children}</div>
    </section>
  );
}

/** How an account stands, in words: disabled outweighs invited. */
export function userStateText({ t }: Frame, { disabledAt, invitedAt }: User): string {
  const { states } = t.console;
  if (disabledAt) return states.disabled;
  return invitedAt ? states.invited : states.active;
}

/** What an event is called by those whom it did not happen to. One without words in either list does not compile. */
export function auditEventText({ t }: Frame, event: AuditEventType): string {
  const words: Record<AuditEventType, string> = { ...t.myDetails.events.what, ...t.console.events };
  return words[event];
}
