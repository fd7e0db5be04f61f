import { Router } from '@koa/router';
import * as client from 'openid-client';
import { z } from 'zod';

import { ProblemPage, type ProblemProps } from './pages.tsx';
import { beginSignIn, ownPath, takeSignIn, type PendingSignIn } from './pending-sign-ins.ts';
import type { Provider } from './provider.ts';
import { giveSessionCookie, type SignedIn } from './sessions.ts';
import { show, type Site, type VisitContext, type VisitState } from './visit.ts';

/** The answer of RFC 6749 §4.1.2 in its outline; openid-client judges the rest. A repeated parameter is an array. */
const answer = z
  .object({ state: z.string(), code: z.string().optional(), error: z.string().optional() })
  .refine(({ code, error }) => (code === undefined) !== (error === undefined));

/** The way to the provider and back: authorization code flow with PKCE (RFC 7636), state and nonce. */
export function signInRouter(site: Site): Router<VisitState> {
  const { settings } = site;
  const router = new Router<VisitState>();
  const redirectUri = `${settings.origin}/callback`;

  router.get('/sign-in', async (ctx) => {
    const returnTo = ownPath(settings, ctx.query['returnTo']);
    const provider = await findProvider(site, ctx, returnTo);
    if (!provider) return;
    const pending = await beginSignIn(settings, ctx, returnTo);
    const target = client.buildAuthorizationUrl(provider.config, {
      redirect_uri: redirectUri,
      scope: 'openid profile email',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
      code_challenge_method: 'S256',
      ui_locales: ctx.state.visit.language,
    });
    ctx.redirect(target.href);
  });

  router.get('/callback', async (ctx) => {
    const parameters = answer.safeParse(ctx.query);
    const pending = parameters.success ? await takeSignIn(settings, ctx, parameters.data.state) : undefined;
    // Nothing of an answer that we did not ask for is shown: its words could be anybody's.
    if (!pending) return showProblem(ctx, 400, 'lost', 'state_mismatch');
    const provider = await findProvider(site, ctx, pending.returnTo);
    if (!provider) return;
    const askedAt = Date.now();
    const person = await readPerson(site, ctx, provider, pending);
    if (!person) return;
    const session = site.sessions.begin(person, ctx.state.visit.session, askedAt);
    if (!session) return showProblem(ctx, 400, 'lost', 'session_ended', pending.returnTo);
    giveSessionCookie(settings, ctx, session);
    // Written as a whole, so that no path can be read as a host.
    ctx.redirect(settings.origin + pending.returnTo);
  });

  return router;
}

/** The provider, or undefined when it cannot be reached; the page that says so has then been shown. */
async function findProvider(site: Site, ctx: VisitContext, returnTo: string): Promise<Provider | undefined> {
  try {
    return await site.findProvider();
  } catch (error) {
    site.log(`provider unreachable: ${describe(error)}`);
    showProblem(ctx, 502, 'unreachable', 'provider_unreachable', returnTo);
    return undefined;
  }
}

/** Exchanges the code for the person's claims. Undefined when that failed; the page that says so has then been shown. */
async function readPerson(
  site: Site,
  ctx: VisitContext,
  { config }: Provider,
  pending: PendingSignIn,
): Promise<SignedIn | undefined> {
  const { origin } = site.settings;
  let tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
  try {
    tokens = await client.authorizationCodeGrant(config, new URL(`${origin}/callback${ctx.search}`), {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    });
  } catch (error) {
    const { status, problem, code } = explain(error);
    site.log(`sign-in failed: ${describe(error)}`);
    showProblem(ctx, status, problem, code, pending.returnTo);
    return undefined;
  }
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined) throw new Error('The provider gave no ID token.');
  const more = await missingClaims(site, config, tokens.access_token, claims);
  const email = text(claims['email']) ?? text(more['email']);
  return {
    sub: claims.sub,
    name: text(claims['name']) ?? text(more['name']) ?? email ?? claims.sub,
    email,
    sid: text(claims['sid']),
    idToken: tokens.id_token,
    acr: text(claims['acr']),
    amr: Array.isArray(claims['amr']) ? claims['amr'].filter((method) => typeof method === 'string') : [],
    authTime: claims.auth_time,
  };
}

/** Name and address from userinfo where the ID token lacks them. Without userinfo the person still gets in. */
async function missingClaims(
  site: Site,
  config: client.Configuration,
  accessToken: string,
  claims: client.IDToken,
): Promise<Partial<client.UserInfoResponse>> {
  if (text(claims['name']) !== undefined && text(claims['email']) !== undefined) return {};
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await client.fetchUserInfo(config, accessToken, claims.sub);
  } catch (error) {
    site.log(`userinfo failed: ${describe(error)}`);
    return {};
  }
}

type Explanation = { status: number; problem: ProblemProps['problem']; code: string };

/** What an error on the way back means to the person. The code is the standard's, for support. */
function explain(error: unknown): Explanation {
  if (error instanceof client.AuthorizationResponseError) {
    const words = error.error_description ? `${error.error}: ${error.error_description}` : error.error;
    // The parts that the standard allows (RFC 6749 §4.1.2.1), and no more than a line of them.
    const code = words.replace(/[^\x20-\x7e]/g, ' ').slice(0, 160);
    if (error.error === 'access_denied') return { status: 400, problem: 'declined', code };
    const troubled = error.error === 'server_error' || error.error === 'temporarily_unavailable';
    return troubled ? { status: 502, problem: 'trouble', code } : { status: 400, problem: 'refused', code };
  }
  if (error instanceof client.ResponseBodyError) {
    const known = /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'unknown';
    // The code is spent or too old (RFC 6749 §5.2): starting again helps. Anything else is for the operators.
    if (known === 'invalid_grant') return { status: 400, problem: 'lost', code: known };
    return { status: 502, problem: 'trouble', code: known };
  }
  if (error instanceof client.ClientError && error.code !== undefined && error.code !== 'OAUTH_TIMEOUT') {
    return { status: 502, problem: 'trouble', code: error.code };
  }
  return { status: 502, problem: 'unreachable', code: 'provider_unreachable' };
}

function showProblem(
  ctx: VisitContext,
  status: number,
  problem: ProblemProps['problem'],
  code: string,
  returnTo = '/',
): void {
  const { visit } = ctx.state;
  const href = returnTo === '/' ? '/sign-in' : `/sign-in?returnTo=${encodeURIComponent(returnTo)}`;
  const again = { href, label: visit.phrases.tryAgain };
  show(ctx, status, <ProblemPage visit={visit} problem={problem} code={code} again={again} />);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const code = 'error' in error && typeof error.error === 'string' ? `, ${error.error}` : '';
  return `${error.name}: ${error.message}${code}${cause}`.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
