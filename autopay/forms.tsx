import type Koa from 'koa';
import { z } from 'zod';

import { ProblemPage } from './pages.tsx';
import { isTokenOf, type Session } from './sessions.ts';
import { show, type VisitContext, type VisitState } from './visit.ts';

/** Every form here carries the session's token and nothing else. A repeated field is an array, and refused. */
const tokenForm = z.object({ csrf: z.string().min(1).max(200) });

/**
 * Refuses a POST that another site started. `Sec-Fetch-Site` cannot be set by a page's script; a browser
 * that lacks it must name this very origin. Compared with the configured origin: what koa calls the
 * request's origin is the sender's own word.
 */
export function fromOwnPages(origin: string): Koa.Middleware<VisitState> {
  return async (ctx, next) => {
    const reading = ctx.method === 'GET' || ctx.method === 'HEAD';
    const site = ctx.get('Sec-Fetch-Site');
    const own = site === '' ? ctx.get('Origin') === origin : site === 'same-origin';
    if (reading || own) await next();
    else show(ctx, 403, <ProblemPage visit={ctx.state.visit} problem="otherSite" />);
  };
}

/**
 * The session that a posted form belongs to. Undefined when the form was refused; the page that says so
 * has then been shown.
 */
export function sessionOfForm(ctx: VisitContext, body: unknown): Session | undefined {
  const { visit } = ctx.state;
  const form = tokenForm.safeParse(body);
  if (!form.success) {
    show(ctx, 400, <ProblemPage visit={visit} problem="form" />);
    return undefined;
  }
  if (!visit.session || !isTokenOf(visit.session, form.data.csrf)) {
    const again = visit.session ? undefined : { href: '/sign-in', label: visit.phrases.signInAgain };
    show(
      ctx,
      403,
      <ProblemPage visit={visit} problem={visit.session ? 'form' : 'sessionEnded'} again={again} />,
    );
    return undefined;
  }
  return visit.session;
}
