import type { ComponentChildren } from 'preact';

import { APP_NAMES } from './phrases.ts';
import type { PageContext } from './visit.ts';

interface LayoutProps {
  visit: PageContext;
  /** Names the page for tests and styles; no person sees it. */
  page: string;
  title: string;
  children: ComponentChildren;
}

/** The frame of every page: brand to the left, the person's menu to the right, one `<main>` with one heading. */
export function Layout({ visit: pageContext, page, title, children }: LayoutProps) {
  const { app, language, phrases } = pageContext;
  return (
    <html lang={language} data-app={app}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} – ${APP_NAMES[app]}`}</title>
        <link rel="stylesheet" href={pageContext.styleHref} />
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      </head>
      <body>
        <header class="bar">
          <div class="bar-inside">
            <a class="brand" href="/">
              <Logo app={app} />
              {APP_NAMES[app]}
            </a>
            <UserMenu visit={pageContext} />
          </div>
        </header>
        <main data-page={page}>
          <h1>{title}</h1>
          {children}
        </main>
        <footer>
          <p>{phrases.example}</p>
          <a
            href={pageContext.otherLanguageHref}
            hreflang={phrases.otherLanguage.tag}
            lang={phrases.otherLanguage.tag}
          >
            {phrases.otherLanguage.name}
          </a>
        </footer>
      </body>
    </html>
  );
}

/** A `<details>`: it opens and closes by mouse and keyboard without any script. */
function UserMenu({ visit: pageContext }: { visit: PageContext }) {
  const { session, phrases } = pageContext;
  if (!session) return null;
  return (
    <details class="menu">
      <summary>
        <span class="menu-name">{session.name}</span>
        <svg class="chevron" viewBox="0 0 12 8" width="12" height="8" aria-hidden="true">
          <path d="M1 1.5 6 6.5 11 1.5" fill="none" stroke="currentColor" stroke-width="2" />
        </svg>
      </summary>
      <div class="menu-items">
        {session.email !== undefined && <p class="menu-email">{session.email}</p>}
        <a href={`${pageContext.issuer}/account`}>{phrases.myDetails}</a>
        <a href="/new-phone">{phrases.newPhone}</a>
        <form method="post" action="/sign-out">
          <input type="hidden" name="csrf" value={session.csrf} />
          <button type="submit">{phrases.signOut}</button>
        </form>
      </div>
    </details>
  );
}

/** A tick for Autopay, a sheet with two lines for Lön. */
function Logo({ app }: { app: PageContext['app'] }) {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path d={LOGO_PATHS[app]} fill="none" stroke="currentColor" stroke-width="2.5" />
    </svg>
  );
}

const LOGO_PATHS = {
  autopay: 'M2.5 12a9.5 9.5 0 1 1 4 7.75M7.5 12l3.5 3.5 6-7',
  lon: 'M4.5 2.5h15v19h-15zM8.5 9h7M8.5 14h4.5',
} as const;

const ICON_BACKGROUNDS = { autopay: '#0b4f3a', lon: '#163a6e' } as const;

/** The mark as a picture for the browser's tab. */
export function renderIconSvg(app: PageContext['app']): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 -6 36 36">' +
    `<rect x="-6" y="-6" width="36" height="36" rx="7" fill="${ICON_BACKGROUNDS[app]}"/>` +
    `<path d="${LOGO_PATHS[app]}" fill="none" stroke="#fff" stroke-width="2.5"/></svg>`
  );
}
