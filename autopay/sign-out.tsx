import { Router } from '@koa/router';
import * as client from 'openid-client';

import { cookieName, cookieOptions } from './cookies.ts';
import { sessionOfForm } from './forms.tsx';
import { SignedOutPage } from './pages.tsx';
import { takeSessionCookie } from './sessions.ts';
import { seeOther, show, type Site, type VisitState } from './visit.ts';

/** How long the provider's question "sign out everywhere?" may stay open and the page after it be reloaded. */
const SIGN_OUT_LIFE = 3_600_000;

/** Sign-out, begun here and carried on by the provider (OpenID Connect RP-Initiated Logout 1.0). */
export function signOutRouter(site: Site): Router<VisitState> {
  const { settings, sessions } = site;
  const router = new Router<VisitState>();

  router.post('/sign-out', async (ctx) => {
    const { visit } = ctx.state;
    // Already signed out, here or by the provider: what the person wants is so.
    if (!visit.session) return seeOther(ctx, '/signed-out');
    const session = sessionOfForm(ctx, ctx.request.body);
    if (!session) return;
    sessions.end(session);
    takeSessionCookie(settings, ctx);
    const state = client.randomState();
    const endSession = await endSessionUrl(site, session.idToken, state, visit.language);
    if (endSession) {
      ctx.cookies.set(cookieName(settings, 'sign-out'), state, cookieOptions(settings, SIGN_OUT_LIFE));
      return seeOther(ctx, endSession);
    }
    ctx.state.visit = { ...visit, session: undefined, otherLanguageHref: '/' };
    show(ctx, 502, <SignedOutPage visit={ctx.state.visit} hereOnly />);
  });

  router.get('/signed-out', (ctx) => {
    const { visit } = ctx.state;
    // Opened by hand while signed in: the page would not be true.
    if (visit.session) return ctx.redirect('/');
    // An answer to a sign-out that this browser did not ask for says nothing about it. Without any `state` the
    // page was opened by hand or in the other language.
    const { state } = ctx.query;
    const asked = ctx.cookies.get(cookieName(settings, 'sign-out'));
    if (state !== undefined && (asked === undefined || state !== asked)) return ctx.redirect('/');
    show(ctx, 200, <SignedOutPage visit={visit} />);
  });

  return router;
}

/** Where the provider ends its own session; undefined when it cannot be reached or knows no such place. */
async function endSessionUrl(
  site: Site,
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
