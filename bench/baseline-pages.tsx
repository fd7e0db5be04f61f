/** The addresses below `/interaction/` at the measure of the rest: the password at the sign-in's own, the others beneath. */
import { fileURLToPath } from 'node:url';
import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { Settings } from '../config/settings.ts';
import { loadAssets } from '../interactions/ui/assets.ts';
import type { Frame } from '../interactions/ui/layout.tsx';
import { renderPage } from '../interactions/ui/layout.tsx';
import { phrasesFor } from '../src/i18n/phrases.ts';
import { toAcr } from '../src/sessions/assurance.ts';
import type { UserState } from './baseline-ceremony.tsx';
import { createBaselineSteps } from './baseline-ceremony.tsx';

const assetFolder = fileURLToPath(new URL('../interactions/ui/public', import.meta.url));

function createBaselineFrame(): Frame {
  const assets = loadAssets({} as Settings, assetFolder);
  return {
    locale: 'sv',
    t: phrasesFor('sv'),
    brand: { name: 'Hemma' },
    asset: (name) => assets.url(name),
    languageUrl: (other) => `?ui_locales=${other}`,
  };
}

type InteractionDetails = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The consent that a refresh token is asked for with is given without a page: it is no part of what is measured. */
async function grantConsent(
  provider: Provider,
  { session, params, grantId }: InteractionDetails,
): Promise<string> {
  const known = grantId ? await provider.Grant.find(grantId) : undefined;
  const grant =
    known ??
    new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) });
  grant.addOIDCScope(String(params['scope']));
  return grant.save();
}

const redirectTo = (ctx: Context, to: string): void => {
  ctx.status = 303;
  ctx.redirect(to);
};

/** Shows and takes the pages of all sign-ins; `threads` hashes at once. */
export async function createBaselinePages(
  provider: Provider,
  subjectOf: (email: string) => string,
  threads: number,
): Promise<Middleware> {
  const frame = createBaselineFrame();
  const pages = await createBaselineSteps(threads);
  const userStates = new Map<string, UserState>();
  const userStateOf = (uid: string) => userStates.get(uid) ?? { email: '', key: '', code: '' };
  const pageOf = (ctx: Context) => pages[ctx.path.split('/')[3] ?? 'password'] ?? ctx.throw(404);
  const renderHandler = async (ctx: Context) => {
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    if (details.prompt.name === 'consent') {
      const consent = { grantId: await grantConsent(provider, details) };
      const result = { ...details.lastSubmission, consent };
      return redirectTo(ctx, await provider.interactionResult(ctx.req, ctx.res, result));
    }
    const client = await provider.Client.find(String(details.params['client_id']));
    const { uid } = details;
    const request = {
      frame,
      action: ctx.path,
      token: uid,
      clientName: client?.clientName,
      stand: userStateOf(uid),
    };
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = renderPage(frame, await pageOf(ctx).show(request));
    return undefined;
  };
  const submitHandler = async (ctx: Context) => {
    const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
    const userState = userStateOf(uid);
    const next = await pageOf(ctx).take(ctx.request.body as Record<string, string>, userState);
    if (!next) return ctx.throw(422);
    if (next !== 'finished') {
      userStates.set(uid, userState);
      return redirectTo(ctx, `/interaction/${uid}/${next}`);
    }
    userStates.delete(uid);
    const ts = Math.floor(Date.now() / 1000);
    const login = { accountId: subjectOf(userState.email), acr: toAcr(1), amr: ['pwd'], ts, remember: false };
    return redirectTo(ctx, await provider.interactionResult(ctx.req, ctx.res, { login }));
  };
  const handlePost = compose([bodyParser({ enableTypes: ['form'], formLimit: '16kb' }), submitHandler]);
  return (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    return ctx.method === 'POST' ? handlePost(ctx, next) : renderHandler(ctx);
  };
}
