import type Koa from 'koa';
import { z } from 'zod';

import { ProblemPage } from './pages.tsx';
import { isCsrfTokenOf, type Session } from './sessions.ts';
import { renderAutopayPage, type PageKoaContext, type PageState } from './visit.ts';

/** Every form here carries the session's token and nothing else. A repeated field is an array, and refused. */
const csrfForm = z.object({ csrf: z.string().min(1).max(200) });

/**
 * Refuses a POST that another site started. `Sec-Fetch-Site` cannot be set by a page's script; a browser
 * that lacks it must name this very origin. Compared with the configured origin: what koa calls the
 * request's origin is the sender's own word.
 */
export function requireSameOrigin(origin: string): Koa.Middleware<PageState> {
  return async (ctx, next) => {
    const reading = ctx.method === 'GET' || ctx.method === 'HEAD';
    const site = ctx.get('Sec-Fetch-Site');
    const own = site === '' ? ctx.get('Origin') === origin : site === 'same-origin';
    if (reading || own) await next();
    else renderAutopayPage(ctx, 403, <ProblemPage visit={ctx.state.visit} problem="otherSite" />);
  };
}

/**
 * The session that a posted form belongs to. Undefined when the form was refused; the page that says so
 * has then been shown.
 */
export function sessionFromForm(ctx: PageKoaContext, body: unknown): Session | undefined {
  const { visit: pageContext } = ctx.state;
  const form = csrfForm.safeParse(body);
  if (!form.success) {
    renderAutopayPage(ctx, 400, <ProblemPage visit={pageContext} problem="form" />);
    return undefined;
  }
  if (!pageContext.session || !isCsrfTokenOf(pageContext.session, form.data.csrf)) {
    const signInAgainUrl = pageContext.session
      ? undefined
      : { href: '/sign-in', label: pageContext.phrases.signInAgain };
    renderAutopayPage(
      ctx,
      403,
      <ProblemPage
        visit={pageContext}
        problem={pageContext.session ? 'form' : 'sessionEnded'}
        again={signInAgainUrl}
      />,
    );
    return undefined;
  }
  return pageContext.session;
}
