import Router from '@koa/router';
import type { Context } from 'koa';
import { testSignInPath } from '../../../src/clients/metadata.ts';
import type { TestSignInResult } from '../../../src/oidc/test-sign-in.ts';
import { parseTestTicket, redeemTestSignIn } from '../../../src/oidc/test-sign-in.ts';
import { cookieName } from '../../../src/http/request-info.ts';
import { createFrame } from '../../ui/frame.ts';
import type { AppContext } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Layout, renderPage } from '../../ui/layout.tsx';
import { clientTabPath } from './tabs.tsx';
import type { PreviewClaim } from '../../../src/oidc/claims-preview.ts';
import { ClaimsTable } from './test-sign-in.tsx';

/** Why a trial brought nothing back, by the standard's word for it. */
type TestSignInError = { error: string; description: string | undefined };

type TestResultPageProps = { frame: Frame; clientId: string; result: TestSignInResult | TestSignInError };

const listClaims = (claims: object, where: PreviewClaim['where']): PreviewClaim[] =>
  Object.entries(claims).map(([name, value]): PreviewClaim => ({ name, value, where }));

function TestSucceeded({ frame, landed: result }: { frame: Frame; landed: TestSignInResult }) {
  const t = frame.t.clients.trial;
  const { claims, userinfo, header, seconds } = result;
  const name = typeof userinfo.name === 'string' ? userinfo.name : String(claims.sub);
  return (
    <>
      <p class="lead">{t.landedAs(name, String(claims.acr))}</p>
      <ul class="list">
        <li>
          {t.verified} <span class="code">{header.alg}</span>
        </li>
        <li>{t.tokens(seconds)}</li>
      </ul>
      <ClaimsTable
        frame={frame}
        claims={[...listClaims(claims, 'id-token'), ...listClaims(userinfo, 'userinfo')]}
      />
    </>
  );
}

function TestFailed({ frame, result }: { frame: Frame; result: TestSignInError }) {
  const { errors } = frame.t.clients.trial;
  const known = Object.hasOwn(errors, result.error) ? result.error : 'other';
  return (
    <>
      <p class="lead" data-trial-error={result.error}>
        {errors[known as keyof typeof errors]}
      </p>
      {result.description && (
        <p class="help">
          <span class="code">{result.error}</span>: {result.description}
        </p>
      )}
    </>
  );
}

/** Where a test sign-in ends: what the application would have got, in words and claim by claim. */
export function TestResultPage({ frame, clientId, result }: TestResultPageProps) {
  const t = frame.t.clients.trial;
  const landed = 'claims' in result;
  const title = landed ? t.landed : t.notLanded;
  return (
    <Layout frame={frame} title={title} step="client-trial-result" kind="room">
      <div class="console">
        <h1>{title}</h1>
        <p class="code">{clientId}</p>
        {landed ? (
          <TestSucceeded frame={frame} landed={result} />
        ) : (
          <TestFailed frame={frame} result={result} />
        )}
        <p class="actions">
          <a class="button" href={clientTabPath(clientId, '/try')}>
            {t.back}
          </a>
        </p>
      </div>
    </Layout>
  );
}

const queryText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 300) : undefined;

/**
 * Takes what the provider brought back. Whoever signed in may be no administrator: the ticket of the browser that began
 * the trial opens this page, and it shows nothing but what this very sign-in gave.
 */
async function finishTestSignIn(context: AppContext, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const { vault: encryption, settings } = context;
  const ticket = parseTestTicket(
    encryption,
    ctx.cookies.get(cookieName(settings, 'trial'), { signed: false }),
  );
  if (!ticket || ctx.query.state !== ticket.state) return ctx.throw(404, 'not-found');
  const code = queryText(ctx.query.code);
  const error = queryText(ctx.query.error);
  const outcome = code ? await redeemTestSignIn(encryption, settings, ticket, code) : undefined;
  const result: TestSignInResult | TestSignInError =
    outcome && outcome !== 'used'
      ? outcome
      : { error: error ?? 'used', description: queryText(ctx.query.error_description) };
  const frame = createFrame(context, ctx);
  ctx.type = 'html';
  ctx.body = renderPage(frame, <TestResultPage {...{ frame, clientId: ticket.clientId, result }} />);
}

export function routes(context: AppContext): Router {
  const router = new Router();
  router.get(testSignInPath, (ctx) => finishTestSignIn(context, ctx));
  return router;
}
