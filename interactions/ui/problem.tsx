import type { Context } from 'koa';
import { createFrame } from './frame.ts';
import type { AppContext } from '../../src/context.ts';
import { renderPage } from './layout.tsx';
import type { Phrases } from '../../src/i18n/sv.ts';
import { Layout } from './layout.tsx';
import type { Frame } from './layout.tsx';

export type ProblemKind = keyof Phrases['problem']['kinds'];

type ProblemProps = {
  frame: Frame;
  kind: ProblemKind;
  /** Finds the matching line in the log. */
  reference?: string | undefined;
  /** Where the person can go on from here. */
  onward?: { label: string; url: string } | undefined;
};

/** What happened in words, what to do now, and a number to tell the help desk. */
export function ProblemPage({ frame, kind, reference, onward }: ProblemProps) {
  const t = frame.t.problem;
  const { title, help } = t.kinds[kind];
  return (
    <Layout frame={frame} title={title} step="problem">
      <h1 data-problem={kind}>{title}</h1>
      <p class="lead">{help}</p>
      {onward && (
        <div class="actions">
          <a class="button" href={onward.url}>
            {onward.label}
          </a>
        </div>
      )}
      {reference && (
        <p class="reference">
          <span class="code" data-reference={reference}>
            {t.reference(reference)}
          </span>
          <span class="help">{t.referenceHelp}</span>
        </p>
      )}
    </Layout>
  );
}

/** Which words belong to which code; what is not listed goes by its status. */
const kindByCode: Record<string, ProblemKind> = {
  'sign-in-ended': 'expired',
  'session-ended': 'expired',
  'form-expired': 'expired',
  'foreign-form': 'forbidden',
  busy: 'busy',
  // The standard's, where nobody can be sent back with them.
  invalid_client: 'unknown-application',
  invalid_redirect_uri: 'redirect-address',
  invalid_request_uri: 'request-over',
};

function problemKind(ctx: Context, code: string, status: number): ProblemKind {
  // Without any cookie of ours it is the browser that keeps none, or another browser than the one it began in.
  if (code === 'sign-in-ended' && !ctx.get('cookie').includes('hemma-')) return 'no-cookies';
  // Whatever was wrong with it: the person wants to sign out, and can.
  if (ctx.path === '/session/end' && status === 400) return 'sign-out';
  const known = kindByCode[code];
  if (known) return known;
  if (status === 404) return 'not-found';
  if (status === 403) return 'forbidden';
  if (status === 429) return 'too-many';
  return status >= 500 ? 'trouble' : 'bad-request';
}

/** A way on, where the house has one. */
function continueLinkFor({ t }: Frame, kind: ProblemKind): ProblemProps['onward'] {
  // Whoever comes back to a sign-in that is over is mostly signed in: the way on leads where that shows.
  if (kind === 'expired') return { label: t.problem.backTo(t.page.myDetails), url: '/account' };
  return kind === 'sign-out' ? { label: t.problem.signOutHere, url: '/session/end' } : undefined;
}

/** The one way out for whatever went wrong: words and a number for a person, a code and the number for a program. */
export function renderProblem(context: AppContext, ctx: Context, code: string, description?: string): void {
  const reference = ctx.state.origin.request;
  const status = ctx.status;
  ctx.set('Cache-Control', 'no-store');
  if (ctx.accepts('html', 'json') !== 'html') {
    ctx.body = { error: code, ...(description ? { error_description: description } : {}), reference };
    return;
  }
  const frame = createFrame(context, ctx);
  const kind = problemKind(ctx, code, status);
  ctx.type = 'html';
  ctx.body = renderPage(
    frame,
    <ProblemPage frame={frame} kind={kind} reference={reference} onward={continueLinkFor(frame, kind)} />,
  );
}
