import Router from '@koa/router';
import type { Context } from 'koa';
import { trialPath } from '../../../src/clients/metadata.ts';
import type { Landed } from '../../../src/oidc/test-sign-in.ts';
import { readTicket, redeemTrial } from '../../../src/oidc/test-sign-in.ts';
import { cookieName } from '../../../src/http/request-info.ts';
import { frameOf } from '../../ui/frame.ts';
import type { House } from '../../../src/context.ts';
import type { Frame } from '../../ui/layout.tsx';
import { Layout, renderPage } from '../../ui/layout.tsx';
import { pathOf } from './tabs.tsx';
import type { Claim } from '../../../src/oidc/claims-preview.ts';
import { Claims } from './test-sign-in.tsx';

/** Why a trial brought nothing back, by the standard's word for it. */
type NotLanded = { error: string; description: string | undefined };

type LandingPageProps = { frame: Frame; clientId: string; result: Landed | NotLanded };

const claimsIn = (claims: object, where: Claim['where']): Claim[] =>
  Object.entries(claims).map(([name, value]): Claim => ({ name, value, where }));

function Worked({ frame, landed }: { frame: Frame; landed: Landed }) {
  const t = frame.t.clients.trial;
  const { claims, userinfo, header, seconds } = landed;
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
      <Claims frame={frame} claims={[...claimsIn(claims, 'id-token'), ...claimsIn(userinfo, 'userinfo')]} />
    </>
  );
}

function Failed({ frame, result }: { frame: Frame; result: NotLanded }) {
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
export function LandingPage({ frame, clientId, result }: LandingPageProps) {
  const t = frame.t.clients.trial;
  const landed = 'claims' in result;
  const title = landed ? t.landed : t.notLanded;
  return (
    <Layout frame={frame} title={title} step="client-trial-result" kind="room">
      <div class="console">
        <h1>{title}</h1>
        <p class="code">{clientId}</p>
        {landed ? <Worked frame={frame} landed={result} /> : <Failed frame={frame} result={result} />}
        <p class="actions">
          <a class="button" href={pathOf(clientId, '/try')}>
            {t.back}
          </a>
        </p>
      </div>
    </Layout>
  );
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 300) : undefined;

/**
 * Takes what the provider brought back. Whoever signed in may be no administrator: the ticket of the browser that began
 * the trial opens this page, and it shows nothing but what this very sign-in gave.
 */
async function land(house: House, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const { vault, settings } = house;
  const ticket = readTicket(vault, ctx.cookies.get(cookieName(settings, 'trial'), { signed: false }));
  if (!ticket || ctx.query.state !== ticket.state) return ctx.throw(404, 'not-found');
  const code = text(ctx.query.code);
  const error = text(ctx.query.error);
  const landed = code ? await redeemTrial(vault, settings, ticket, code) : undefined;
  const result: Landed | NotLanded =
    landed && landed !== 'used'
      ? landed
      : { error: error ?? 'used', description: text(ctx.query.error_description) };
  const frame = frameOf(house, ctx);
  ctx.type = 'html';
  ctx.body = renderPage(frame, <LandingPage {...{ frame, clientId: ticket.clientId, result }} />);
}

export function routes(house: House): Router {
  const router = new Router();
  router.get(trialPath, (ctx) => land(house, ctx));
  return router;
}
