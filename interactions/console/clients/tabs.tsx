import type { ComponentChildren } from 'preact';
import type { RegisteredClient } from '../../../src/clients/clients.ts';
import { findClientById } from '../../../src/clients/clients.ts';
import type { Frame, Script } from '../../ui/layout.tsx';
import type { ConsoleContext } from '../require-operator.ts';
import { ConsolePage } from '../layout.tsx';

export type ClientTab = keyof Frame['t']['clients']['parts'] & ('overview' | 'connect' | 'secrets' | 'trial');

/** The pages about one application, and where they are below its address. */
const clientTabs: readonly (readonly [ClientTab, string])[] = [
  ['overview', ''],
  ['connect', '/connect'],
  ['secrets', '/secrets'],
  ['trial', '/try'],
];

export const clientTabPath = (id: string, subpath = ''): string => `/admin/clients/${id}${subpath}`;

/** The application of this address; 404 where there is none. */
export async function findClientOr404({ house: context, ctx }: ConsoleContext): Promise<RegisteredClient> {
  const { client: id } = ctx.params as { client?: string };
  return (id ? await findClientById(context.db, id) : undefined) ?? ctx.throw(404, 'not-found');
}

type ClientPageProps = {
  visit: ConsoleContext;
  shown: RegisteredClient;
  part: ClientTab;
  /** Stands in `data-step`. */
  step: string;
  title?: string | undefined;
  scripts?: readonly Script[];
  children: ComponentChildren;
};

/** What the last form did. The address may be anybody's link: it changes nothing. */
function clientNotice({ ctx, frame }: ConsoleContext): string | undefined {
  const words: Record<string, string> = frame.t.clients.notices;
  const { notice } = ctx.query;
  return typeof notice === 'string' && Object.hasOwn(words, notice) ? words[notice] : undefined;
}

/** Every page about one application: which one it is, how it stands, and its other pages. */
export function ClientPage({
  visit: consoleContext,
  shown: registered,
  part,
  step,
  title,
  scripts = [],
  children,
}: ClientPageProps) {
  const { client, enabled, managed, registeredWith } = registered;
  const t = consoleContext.frame.t.clients;
  return (
    <ConsolePage
      visit={consoleContext}
      title={title ?? client.name}
      step={step}
      part="clients"
      notice={clientNotice(consoleContext)}
      scripts={scripts}
    >
      <nav class="parts" aria-label={t.parts.navigation}>
        <ul>
          {clientTabs.map(([name, below]) => (
            <li key={name}>
              <a href={clientTabPath(client.id, below)} aria-current={name === part ? 'page' : undefined}>
                {t.parts[name]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {!enabled && (
        <p class="notice" data-state="disabled">
          {t.disabledHelp}
        </p>
      )}
      {registeredWith !== undefined && (
        <p class="quiet" data-registered-with={registeredWith}>
          {consoleContext.frame.t.registration.mark(registeredWith)}
        </p>
      )}
      {managed === 'file' && (
        <p class="quiet" data-managed="file">
          {t.fileHelp}
        </p>
      )}
      {children}
    </ConsolePage>
  );
}

/** A value and a button that copies it; without the script one click selects all of it. */
export function CopyButton({ frame, label, children }: { frame: Frame; label: string; children: string }) {
  const t = frame.t.clients;
  return (
    <span class="copy">
      <span class="copyable code" title={frame.t.console.copyHint}>
        {children}
      </span>{' '}
      <button
        type="button"
        hidden
        class="small"
        data-copy
        data-done={t.copied}
        aria-label={`${t.copy}: ${label}`}
      >
        {t.copy}
      </button>
    </span>
  );
}
