import type { KoaContextWithOIDC } from 'oidc-provider';
import { z } from 'zod';
import type { SignedOutClient } from '../../src/oidc/sessions.ts';
import { listSignedOutClients, needFrontchannelLogout } from '../../src/oidc/sessions.ts';
import { cookieName, cookieOptions } from '../../src/http/request-info.ts';
import { createFrame } from '../ui/frame.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from '../ui/layout.tsx';
import { Layout, renderPage } from '../ui/layout.tsx';

type SignedOutPageProps = {
  frame: Frame;
  /** How it stands with each application: the truth, also when one did not answer. */
  results?: readonly SignedOutClient[];
  /** Whether this browser is signed in here: the person stayed, or has come back since. */
  stillSignedIn?: boolean;
  /** Where to see how it stands by now. */
  againUrl?: string;
  /** Where the application wants the person back, once their browser has opened what it must. */
  onwardUrl?: string | undefined;
};

const isInProgress = ({ outcome }: SignedOutClient) => outcome === 'pending' || outcome === 'retrying';

/** The page is told of no application's answer: it asks again by its script, or by the link where there is none. */
export function SignedOutPage({
  frame,
  results = [],
  stillSignedIn = false,
  againUrl,
  onwardUrl,
}: SignedOutPageProps) {
  const t = frame.t.signedOut;
  const title = stillSignedIn ? t.stillTitle : t.title;
  const open = results.some(isInProgress);
  return (
    <Layout
      frame={frame}
      title={title}
      step={stillSignedIn ? 'still-signed-in' : 'signed-out'}
      scripts={['signed-out']}
    >
      <h1>{title}</h1>
      <div class="results" role="status" data-results data-open={open ? 'yes' : undefined}>
        <LogoutResults frame={frame} results={results} stillSignedIn={stillSignedIn} />
      </div>
      {open && againUrl && (
        <ul class="ways" data-again>
          <li>
            <a href={againUrl}>{t.again}</a>
          </li>
        </ul>
      )}
      {results.map(
        ({ name, frame: page }) =>
          page && (
            <iframe key={name} src={page} title={name} sandbox="allow-scripts allow-same-origin" hidden />
          ),
      )}
      <div class="actions">
        {onwardUrl ? (
          <a class="button" href={onwardUrl} data-onward>
            {frame.t.form.goOn}
          </a>
        ) : (
          <a class="button" href="/account">
            {stillSignedIn ? frame.t.page.myDetails : t.signInAgain}
          </a>
        )}
      </div>
    </Layout>
  );
}

type ResultsProps = Required<Pick<SignedOutPageProps, 'frame' | 'results' | 'stillSignedIn'>>;

function LogoutResults({ frame, results, stillSignedIn }: ResultsProps) {
  const t = frame.t.signedOut;
  const silent = results.flatMap(({ name, outcome }) =>
    outcome === 'no-answer' || outcome === 'not-told' ? [name] : [],
  );
  return (
    <>
      {results.length > 0 && (
        <ul class="list" aria-label={t.results}>
          {results.map(({ name, outcome }) => (
            <li key={name} data-outcome={outcome}>
              {name}: {t.outcomes[outcome]}
            </li>
          ))}
        </ul>
      )}
      {silent.length > 0 && (
        <p class="quiet">{t.noAnswerHelp(new Intl.ListFormat(frame.locale).format(silent))}</p>
      )}
      {results.some(({ outcome }) => outcome === 'retrying') && <p class="quiet">{t.retryingHelp}</p>}
      {silent.length === 0 && !stillSignedIn && !results.some(isInProgress) && (
        <p class="quiet">{t.everywhere}</p>
      )}
      {stillSignedIn && <p class="quiet">{t.stillHelp}</p>}
    </>
  );
}

/** As long as applications are tried; afterwards their answers are nobody's business any more. */
const signOutCookieMaxAgeMs = 3_600_000;
const macPurpose = 'signed-out';

/** Browsers keep no cookie of more than 4096 characters; an address that does not fit is gone to at once. */
const maxCookieLength = 2000;

/** What the cookie holds: a session's public number, until when it is believed, a language, and where to go on. */
const cookiePayload = z.tuple([z.string(), z.number(), z.string(), z.string()]);

/**
 * Notes in this browser, and in no other, which session it has just left: a signed cookie, so that the page afterwards
 * shows that session's applications and nobody else's. Neither it nor an address holds anything of the account. Where
 * applications can be signed out by the browser alone, the page comes before the address that was asked for.
 */
export async function storeSignOutState(context: AppContext, ctx: KoaContextWithOIDC): Promise<void> {
  const { session } = ctx.oidc;
  if (!session?.accountId) return;
  const { locale = '' } = (session.state ?? {}) as { locale?: string };
  const ownValue = ctx.oidc.urlFor('end_session_success');
  const continueUrl = ctx.response.get('Location');
  const interaction =
    !continueUrl.startsWith(ownValue) &&
    continueUrl.length <= maxCookieLength &&
    (await needFrontchannelLogout(context.db, Object.keys(session.authorizations ?? {})));
  if (interaction) ctx.redirect(ownValue);
  const note = [session.uid, Date.now() + signOutCookieMaxAgeMs, locale, interaction ? continueUrl : ''];
  const text = Buffer.from(JSON.stringify(note)).toString('base64url');
  const options = { ...cookieOptions(context.settings), maxAge: signOutCookieMaxAgeMs };
  const value = `${text}.${context.vault.mac(macPurpose, text)}`;
  ctx.cookies.set(cookieName(context.settings, 'signed-out'), value, options);
}

interface SignOutState {
  session?: string;
  locale?: string;
  onward?: string;
}

/** The session that this browser left, if that was within the hour. */
function readSignOutState(context: AppContext, ctx: KoaContextWithOIDC): SignOutState {
  const parameter = ctx.cookies.get(cookieName(context.settings, 'signed-out'), { signed: false }) ?? '';
  const [text = '', mac = ''] = parameter.split('.');
  if (!context.vault.macMatches(macPurpose, text, mac)) return {};
  const [session, until, locale, continueUrl] = cookiePayload.parse(
    JSON.parse(Buffer.from(text, 'base64url').toString()),
  );
  return until < Date.now() ? {} : { session, locale, onward: continueUrl };
}

/** What the page needs beyond every other: to ask this very host again, and to open the pages of applications. */
function allowLogoutFrames(ctx: KoaContextWithOIDC, results: readonly SignedOutClient[]): void {
  const origins = results.flatMap(({ frame }) => (frame ? [new URL(frame).origin] : []));
  const policy = [
    ctx.response.get('Content-Security-Policy'),
    ...(results.some(isInProgress) ? ["connect-src 'self'"] : []),
    ...(origins.length > 0 ? [`frame-src ${[...new Set(origins)].join(' ')}`] : []),
  ];
  ctx.set('Content-Security-Policy', policy.join(';'));
}

/**
 * The end of a sign-out that no application asked to come back from. It shows what is so now: whoever comes here signed
 * in is told that they are.
 */
export async function renderSignedOut(context: AppContext, ctx: KoaContextWithOIDC): Promise<void> {
  const { accountId: userId, uid } = await context.provider.Session.get(ctx);
  const signOutState = readSignOutState(context, ctx);
  const clients = signOutState.session
    ? await listSignedOutClients(context.db, context.settings.HEMMA_ISSUER, signOutState.session)
    : [];
  const stillSignedIn = userId !== undefined;
  // In a session that came later the page of an application might end what has begun since.
  const later = stillSignedIn && uid !== signOutState.session;
  const results = later ? clients.map(({ name, outcome }) => ({ name, outcome })) : clients;
  const frame = createFrame(context, ctx, { uiLocales: signOutState.locale });
  allowLogoutFrames(ctx, results);
  // For whoever arrives here; the script that asks again has nothing to clear.
  if (!stillSignedIn && ctx.get('sec-fetch-dest') !== 'empty') ctx.set('Clear-Site-Data', '"cache"');
  const onwardUrl = later || !signOutState.onward ? undefined : signOutState.onward;
  ctx.type = 'html';
  ctx.body = renderPage(
    frame,
    <SignedOutPage {...{ frame, results, stillSignedIn, againUrl: ctx.url, onwardUrl }} />,
  );
}
