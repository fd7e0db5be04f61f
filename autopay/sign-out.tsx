import { Router } from '@koa/router';
import * as client from 'openid-client';

import { sessionOfForm } from './forms.tsx';
import { SignedOutPage } from './pages.tsx';
import { takeSessionCookie } from './sessions.ts';
import { seeOther, show, type Site, type VisitState } from './visit.ts';

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
    const endSession = await endSessionUrl(site, session.idToken, visit.language);
    if (endSession) return seeOther(ctx, endSession);
    ctx.state.visit = { ...visit, session: undefined, otherLanguageHref: '/' };
    show(ctx, 502, <SignedOutPage visit={ctx.state.visit} hereOnly />);
  });

  router.get('/signed-out', (ctx) => {
    const { visit } = ctx.state;
    // Opened by hand while signed in: the page would not be true.
    if (visit.session) return ctx.redirect('/');
    show(ctx, 200, <SignedOutPage visit={visit} />);
  });

  return router;
}

/** Where the provider ends its own session; undefined when it cannot be reached or knows no such place. */
async function endSessionUrl(site: Site, idToken: string, language: string): Promise<string | undefined> {
  try {
    const { config } = await site.findProvider();
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: idToken,
      client_id: site.settings.clientId,
      post_logout_redirect_uri: `${site.settings.origin}/signed-out`,
      // Coming back changes nothing, so there is nothing for the state to guard; it keeps each request apart in logs.
      state: client.randomState(),
      ui_locales: language,
    });
    return url.href;
  } catch (error) {
    site.log(`provider not told of a sign-out: ${error instanceof Error ? error.message : 'unknown'}`);
    return undefined;
  }
}
