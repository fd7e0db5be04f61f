import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { locales, phrasesFor } from '../../src/i18n/phrases.ts';
import type { Locale } from '../../src/i18n/phrases.ts';
import { Form, SecondaryButton } from './form.tsx';
import type { Phrases } from '../../src/i18n/sv.ts';

/** What every page needs to know besides its own question. */
export type Frame = {
  locale: Locale;
  t: Phrases;
  /** `stylesheetUrl` is the operator's own, loaded after ours so that its `--accent` wins. */
  brand: { name: string; logoUrl?: string | undefined; stylesheetUrl?: string | undefined };
  /** The address of a file in `interactions/ui/public`, e.g. `asset('style.css')`. */
  asset: (name: string) => string;
  /** The same page in another language. */
  languageUrl: (locale: Locale) => string;
  /** What the person is about to do, and with whose account, on every page that leads there. */
  deed?: string | undefined;
  /** Where the page is there for the deed alone: the form that leaves it and goes on without. */
  decline?: { action: string; token: string } | undefined;
  /** Only for pages of a person who is signed in. */
  user?:
    | {
        name: string;
        signOutUrl: string;
        accountUrl?: string | undefined;
        /** Only for operators. */
        consoleUrl?: string | undefined;
      }
    | undefined;
};

export type Script =
  | 'six-digits'
  | 'waiting-button'
  | 'show-password'
  | 'recovery-code'
  | 'copy'
  | 'client-addresses'
  | 'signed-out';

type LayoutProps = {
  frame: Frame;
  title: string;
  /** Stands in `data-step`: the step of a sign-in or the name of the page. */
  step: string;
  scripts?: readonly Script[];
  /** A room is a page to stay in (My details): wider, and without the hall beside it. */
  kind?: 'step' | 'room';
  children: ComponentChildren;
};

/** The whole document, ready to send. `element` is a page: it brings head and body through `Layout`. */
export function renderPage(frame: Frame, element: VNode): string {
  return `<!doctype html><html lang="${frame.locale}">${renderToString(element)}</html>`;
}

export function Layout({ frame, title, step, scripts = [], kind = 'step', children }: LayoutProps) {
  return (
    <>
      <DocumentHead frame={frame} title={title} scripts={scripts} />
      <body class={kind}>
        <div class="column">
          <PageHeader frame={frame} />
          <main data-step={step}>
            {frame.deed && <p class="deed">{frame.deed}</p>}
            {children}
            {frame.decline && <DeclineForm {...frame.decline} t={frame.t} />}
          </main>
          <PageFooter frame={frame} />
        </div>
        {kind === 'step' && <SidePanel />}
      </body>
    </>
  );
}

/** Thinking better of it is a way on like any other, and changes nothing. */
function DeclineForm({ action, token, t }: { action: string; token: string; t: Phrases }) {
  return (
    <Form action={action} token={token}>
      <SecondaryButton name="choice" value="decline" waiting={t.form.waiting}>
        {t.confirm.decline}
      </SecondaryButton>
    </Form>
  );
}

function DocumentHead({
  frame,
  title,
  scripts,
}: {
  frame: Frame;
  title: string;
  scripts: readonly Script[];
}) {
  return (
    <head>
      <meta charset="utf-8" />
      <title>{`${title} – ${frame.brand.name}`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <link rel="stylesheet" href={frame.asset('style.css')} />
      {frame.brand.stylesheetUrl && <link rel="stylesheet" href={frame.brand.stylesheetUrl} />}
      <link rel="icon" type="image/svg+xml" href={frame.asset('favicon.svg')} />
      {scripts.map((name) => (
        <script key={name} type="module" src={frame.asset(`${name}.js`)} />
      ))}
    </head>
  );
}

function PageHeader({ frame }: { frame: Frame }) {
  const { brand, user, t } = frame;
  return (
    <header class="top">
      {brand.logoUrl ? (
        <img class="logo" src={brand.logoUrl} alt={brand.name} />
      ) : (
        <p class="brand">
          <Logo />
          {brand.name}
        </p>
      )}
      {user && (
        <nav class="user" aria-label={user.name}>
          <details>
            <summary>
              <span>{user.name}</span>
            </summary>
            <ul>
              <li>
                <a href={user.accountUrl ?? '/account'}>{t.page.myDetails}</a>
              </li>
              {user.consoleUrl && (
                <li>
                  <a href={user.consoleUrl}>{t.console.title}</a>
                </li>
              )}
              <li>
                <a href={user.signOutUrl}>{t.page.signOut}</a>
              </li>
            </ul>
          </details>
        </nav>
      )}
    </header>
  );
}

function PageFooter({ frame }: { frame: Frame }) {
  return (
    <footer class="bottom">
      {locales
        .filter((locale) => locale !== frame.locale)
        .map((locale) => (
          <a key={locale} href={frame.languageUrl(locale)} lang={locale} hreflang={locale}>
            {phrasesFor(locale).page.inThisLanguage}
          </a>
        ))}
    </footer>
  );
}

/** Our own mark, a house whose door stands open. Drawn here so that it takes the colours of the page. */
function Logo() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <path class="mark-house" d="M16 3 29 13.5V29H3V13.5Z" />
      <path class="mark-door" d="M12.5 29V17h7v12Z" />
    </svg>
  );
}

/** The quiet panel beside the column on wide screens: a hall, an open door, light on the floor. */
function SidePanel() {
  return (
    <div class="hall" aria-hidden="true">
      <svg viewBox="0 0 600 900" preserveAspectRatio="xMidYMax slice" focusable="false">
        <path class="hall-floor" d="M0 700H600V900H0Z" />
        <path class="hall-light" d="M250 700H430L520 900H60Z" />
        <path class="hall-opening" d="M250 270H430V700H250Z" />
        <path class="hall-leaf" d="M430 270 520 236V752L430 700Z" />
        <path class="hall-line" d="M444 478V506M0 700H250M520 700H600M246 700V266H434" />
        <path class="hall-line" d="M92 410H206M116 410v12M149 410v12M182 410v12" />
        <path class="hall-line" d="M149 424a7 7 0 1 1-.1 0ZM149 438v32M149 461h8M149 469h6" />
      </svg>
    </div>
  );
}
