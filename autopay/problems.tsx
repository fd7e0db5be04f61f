import type Koa from 'koa';

import { ProblemPage } from './pages.tsx';
import { renderAutopayPage, type AutopayContext, type PageState } from './visit.ts';

/**
 * The one place where a fault becomes a page: words for the person, a line for the operator, never a stack.
 * Answers that nobody gave become "there is no such page".
 */
export function handleErrors(site: AutopayContext): Koa.Middleware<PageState> {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const status = clientErrorStatus(error);
      if (status === undefined) site.log(`fault at ${ctx.method} ${ctx.path}: ${describeError(error)}`);
      // The session may be what the fault is about: the page goes without it.
      ctx.state.visit = { ...ctx.state.visit, session: undefined };
      const problem = status === undefined ? 'internal' : 'form';
      return renderAutopayPage(ctx, status ?? 500, <ProblemPage visit={ctx.state.visit} problem={problem} />);
    }
    if (ctx.status >= 400 && (ctx.body === undefined || ctx.body === null)) {
      renderAutopayPage(ctx, ctx.status, <ProblemPage visit={ctx.state.visit} problem="notFound" />);
    }
  };
}

/** 4xx for a request that could not be read, as the body parser reports it (`expose`, `status`). */
function clientErrorStatus(error: unknown): number | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
