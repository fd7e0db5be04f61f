import { Router } from '@koa/router';
import { z } from 'zod';

import { ownPath, takeSignIn, type PendingSignIn } from './pending-sign-ins.ts';
import { readAnswer } from './provider-answer.ts';
import { goToProvider } from './provider-request.ts';
import { approve, giveSessionCookie, sessionOf, type SignedIn } from './sessions.ts';
import { showFailure, showNotApproved } from './sign-in-failures.tsx';
import { judgeStepUp } from './step-up.ts';
import { type Site, type VisitContext, type VisitState } from './visit.ts';

/** The answer of RFC 6749 §4.1.2 in its outline; openid-client judges the rest. A repeated parameter is an array. */
const answer = z
  .object({ state: z.string(), code: z.string().optional(), error: z.string().optional() })
  .refine(({ code, error }) => (code === undefined) !== (error === undefined));

/** The ways to the provider that begin with a link, and the one way back. */
export function signInRouter(site: Site): Router<VisitState> {
  const { settings } = site;
  const router = new Router<VisitState>();

  router.get('/sign-in', (ctx) => {
    const returnTo = ownPath(settings, ctx.query['returnTo']);
    return goToProvider(site, ctx, { errand: { kind: 'sign-in' }, returnTo });
  });

  router.get('/new-phone', (ctx) =>
    goToProvider(site, ctx, { errand: { kind: 'new-phone' }, returnTo: '/' }),
  );

  router.get('/callback', async (ctx) => {
    const parameters = answer.safeParse(ctx.query);
    const pending = parameters.success ? await takeSignIn(settings, ctx, parameters.data.state) : undefined;
    if (!pending) {
      // Nothing of an answer that we did not ask for is shown: its words could be anybody's.
      const lost = { status: 400, problem: 'lost', code: 'state_mismatch' } as const;
      return showFailure(ctx, { errand: { kind: 'sign-in' }, returnTo: '/' }, lost);
    }
    const askedAt = Date.now();
    const result = await readAnswer(site, ctx.search, pending);
    // Asked again: the session may have ended while the provider answered.
    ctx.state.visit = { ...ctx.state.visit, session: sessionOf(site.sessions, settings, ctx) };
    if (!result.ok) return showFailure(ctx, pending, result.failure);
    arrive(site, ctx, pending, result.person, askedAt);
  });

  return router;
}

/**
 * The person has come back with a sign-in that holds. An approval is judged first; when it fails nothing changes
 * here, not even the session.
 */
function arrive(
  site: Site,
  ctx: VisitContext,
  pending: PendingSignIn,
  person: SignedIn,
  askedAt: number,
): void {
  const { settings, sessions } = site;
  const { errand, returnTo } = pending;
  const former = ctx.state.visit.session;
  if (errand.kind === 'approval') {
    const reason = judgeStepUp(person, errand.sub, former, Date.now());
    if (reason) {
      site.log(`payment ${errand.payment} not approved: ${reason}`);
      return showNotApproved(ctx, pending, { status: 403, reason, code: `step_up_${reason}` });
    }
  }
  const session = sessions.begin(person, former, askedAt);
  ctx.state.visit = { ...ctx.state.visit, session };
  if (!session) return showFailure(ctx, pending, { status: 400, problem: 'lost', code: 'session_ended' });
  giveSessionCookie(settings, ctx, session);
  if (errand.kind === 'approval') approve(session, errand.payment);
  // Written as a whole, so that no path can be read as a host.
  ctx.redirect(settings.origin + returnTo);
}
