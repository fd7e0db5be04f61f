import { Router } from '@koa/router';
import * as client from 'openid-client';

import { autopayCookieName, autopayCookieOptions } from './cookies.ts';
import { sessionFromForm } from './forms.tsx';
import { SignedOutPage } from './pages.tsx';
import { clearSessionCookie } from './sessions.ts';
import { redirectSeeOther, renderAutopayPage, type AutopayContext, type PageState } from './visit.ts';

/** How long the provider's question "sign out everywhere?" may stay open and the page after it be reloaded. */
const SIGN_OUT_LIFETIME_MS = 3_600_000;

/** Sign-out, begun here and carried on by the provider (OpenID Connect RP-Initiated Logout 1.0). */
export function createSignOutRouter(site: AutopayContext): Router<PageState> {
  const { settings, sessions } = site;
  const router = new Router<PageState>();

  router.post('/sign-out', async (ctx) => {
    const { visit: pageContext } = ctx.state;
    // Already signed out, here or by the provider: what the person wants is so.
    if (!pageContext.session) return redirectSeeOther(ctx, '/signed-out');
    const session = sessionFromForm(ctx, ctx.request.body);
    if (!session) return;
    sessions.end(session);
    clearSessionCookie(settings, ctx);
    const state = client.randomState();
    const endSession = await endSessionUrl(site, session.idToken, state, pageContext.language);
    if (endSession) {
      ctx.cookies.set(
        autopayCookieName(settings, 'sign-out'),
        state,
        autopayCookieOptions(settings, SIGN_OUT_LIFETIME_MS),
      );
      return redirectSeeOther(ctx, endSession);
    }
    ctx.state.visit = { ...pageContext, session: undefined, otherLanguageHref: '/' };
    renderAutopayPage(ctx, 502, <SignedOutPage visit={ctx.state.visit} hereOnly />);
  });

  router.get('/signed-out', (ctx) => {
    const { visit: pageContext } = ctx.state;
    // Opened by hand while signed in: the page would not be true.
    if (pageContext.session) return ctx.redirect('/');
    // An answer to a sign-out that this browser did not ask for says nothing about it. Without any `state` the
    // page was opened by hand or in the other language.
    const { state } = ctx.query;
    const parameters = ctx.cookies.get(autopayCookieName(settings, 'sign-out'));
    if (state !== undefined && (parameters === undefined || state !== parameters)) return ctx.redirect('/');
    renderAutopayPage(ctx, 200, <SignedOutPage visit={pageContext} />);
  });

  return router;
}

/** Where the provider ends its own session; undefined when it cannot be reached or knows no such place. */
async function endSessionUrl(
  site: AutopayContext,
  idToken: string,
  state: string,
  language: string,
): Promise<string | undefined> {
  try {
    const { config } = await site.findProvider();
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: idToken,
      client_id: site.settings.clientId,
      post_logout_redirect_uri: `${site.settings.origin}/signed-out`,
      state,
      ui_locales: language,
    });
    return url.href;
  } catch (error) {
    site.log(`provider not told of a sign-out: ${error instanceof Error ? error.message : 'unknown'}`);
    return undefined;
  }
}
