import { Layout } from './layout.tsx';
import { APP_NAMES, type ProblemName } from './phrases.ts';
import type { PageContext } from './visit.ts';

/** The start page before anybody is signed in: what this is, and one button. */
export function WelcomePage({ visit: pageContext }: { visit: PageContext }) {
  const { app, issuer, phrases } = pageContext;
  const { title, text } = phrases.welcome[app];
  return (
    <Layout visit={pageContext} page="welcome" title={title}>
      <p class="lead">{text}</p>
      <p>
        <a class="button" href="/sign-in">
          {phrases.signIn}
        </a>
      </p>
      <p class="quiet">{phrases.welcome.where(new URL(issuer).host)}</p>
    </Layout>
  );
}

/** @param hereOnly true when the provider could not be told, so that the person may be signed in elsewhere */
export function SignedOutPage({
  visit: pageContext,
  hereOnly: localOnly = false,
}: {
  visit: PageContext;
  hereOnly?: boolean;
}) {
  const { app, phrases } = pageContext;
  return (
    <Layout visit={pageContext} page="signed-out" title={phrases.signedOut.title(APP_NAMES[app])}>
      <p class="lead">{localOnly ? phrases.signedOut.hereOnly : phrases.signedOut.text}</p>
      <p>
        <a class="button" href="/sign-in">
          {phrases.signInAgain}
        </a>
      </p>
      <p>
        <a class="way" href="/new-phone">
          {phrases.newPhone}
        </a>
      </p>
    </Layout>
  );
}

export interface ProblemPageProps {
  visit: PageContext;
  problem: ProblemName;
  /** The standard's code, such as `access_denied`, and perhaps the provider's words; for support, not for the person. */
  code?: string | undefined;
  /** Where "Try again" leads; without it the page leads to the start page. */
  again?: { href: string; label: string } | undefined;
}

/** What went wrong, in words, and the way on. */
export function ProblemPage({ visit: pageContext, problem, code, again }: ProblemPageProps) {
  const { phrases } = pageContext;
  const { title, text } = phrases.problems[problem];
  const way = again ?? { href: '/', label: phrases.toStart };
  return (
    <Layout visit={pageContext} page="problem" title={title}>
      <p class="lead">{text}</p>
      <p>
        <a class="button" href={way.href}>
          {way.label}
        </a>
      </p>
      {code !== undefined && (
        <p class="quiet">
          {phrases.supportCode} <code>{code}</code>
        </p>
      )}
    </Layout>
  );
}
