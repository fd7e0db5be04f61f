import { Router } from '@koa/router';
import { z } from 'zod';

import { localPath, consumePendingSignIn, type PendingSignIn } from './pending-sign-ins.ts';
import { handleAuthorizationResponse } from './provider-answer.ts';
import { redirectToProvider } from './provider-request.ts';
import { approvePayment, setSessionCookie, findSession, type SignedInUser } from './sessions.ts';
import { renderSignInFailure, renderNotApproved } from './sign-in-failures.tsx';
import { checkStepUp } from './step-up.ts';
import { type AutopayContext, type PageKoaContext, type PageState } from './visit.ts';

/** The answer of RFC 6749 §4.1.2 in its outline; openid-client judges the rest. A repeated parameter is an array. */
const callbackParameters = z
  .object({ state: z.string(), code: z.string().optional(), error: z.string().optional() })
  .refine(({ code, error }) => (code === undefined) !== (error === undefined));

/** The ways to the provider that begin with a link, and the one way back. */
export function createSignInRouter(site: AutopayContext): Router<PageState> {
  const { settings } = site;
  const router = new Router<PageState>();

  router.get('/sign-in', (ctx) => {
    const returnTo = localPath(settings, ctx.query['returnTo']);
    return redirectToProvider(site, ctx, { errand: { kind: 'sign-in' }, returnTo });
  });

  router.get('/new-phone', (ctx) =>
    redirectToProvider(site, ctx, { errand: { kind: 'new-phone' }, returnTo: '/' }),
  );

  router.get('/callback', async (ctx) => {
    const parameters = callbackParameters.safeParse(ctx.query);
    const pending = parameters.success
      ? await consumePendingSignIn(settings, ctx, parameters.data.state)
      : undefined;
    if (!pending) {
      // Nothing of an answer that we did not ask for is shown: its words could be anybody's.
      const isMissing = { status: 400, problem: 'lost', code: 'state_mismatch' } as const;
      return renderSignInFailure(ctx, { errand: { kind: 'sign-in' }, returnTo: '/' }, isMissing);
    }
    const askedAt = Date.now();
    const result = await handleAuthorizationResponse(site, ctx.search, pending);
    // Asked again: the session may have ended while the provider answered.
    ctx.state.visit = { ...ctx.state.visit, session: findSession(site.sessions, settings, ctx) };
    if (!result.ok) return renderSignInFailure(ctx, pending, result.failure);
    completeSignIn(site, ctx, pending, result.person, askedAt);
  });

  return router;
}

/**
 * The person has come back with a sign-in that holds. An approval is judged first; when it fails nothing changes
 * here, not even the session.
 */
function completeSignIn(
  site: AutopayContext,
  ctx: PageKoaContext,
  pending: PendingSignIn,
  user: SignedInUser,
  askedAt: number,
): void {
  const { settings, sessions } = site;
  const { errand, returnTo } = pending;
  const previousSession = ctx.state.visit.session;
  if (errand.kind === 'approval') {
    const reason = checkStepUp(user, errand.sub, previousSession, Date.now());
    if (reason) {
      site.log(`payment ${errand.payment} not approved: ${reason}`);
      return renderNotApproved(ctx, pending, { status: 403, reason, code: `step_up_${reason}` });
    }
  }
  const session = sessions.begin(user, previousSession, askedAt);
  ctx.state.visit = { ...ctx.state.visit, session };
  if (!session)
    return renderSignInFailure(ctx, pending, { status: 400, problem: 'lost', code: 'session_ended' });
  setSessionCookie(settings, ctx, session);
  if (errand.kind === 'approval') approvePayment(session, errand.payment);
  // Written as a whole, so that no path can be read as a host.
  ctx.redirect(settings.origin + returnTo);
}
