/** The addresses below `/interaction/` at the measure of the rest: the password at the sign-in's own, the others beneath. */
import { fileURLToPath } from 'node:url';
import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { Settings } from '../config/settings.ts';
import { assetsOf } from '../interactions/ui/assets.ts';
import type { Frame } from '../interactions/ui/layout.tsx';
import { renderPage } from '../interactions/ui/layout.tsx';
import { phrasesFor } from '../src/i18n/phrases.ts';
import { acrOf } from '../src/sessions/assurance.ts';
import type { Stand } from './baseline-ceremony.tsx';
import { ceremony } from './baseline-ceremony.tsx';

const folder = fileURLToPath(new URL('../interactions/ui/public', import.meta.url));

function frameOf(): Frame {
  const assets = assetsOf({} as Settings, folder);
  return {
    locale: 'sv',
    t: phrasesFor('sv'),
    brand: { name: 'Hemma' },
    asset: (name) => assets.url(name),
    languageUrl: (other) => `?ui_locales=${other}`,
  };
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The consent that a refresh token is asked for with is given without a page: it is no part of what is measured. */
async function consented(provider: Provider, { session, params, grantId }: Details): Promise<string> {
  const known = grantId ? await provider.Grant.find(grantId) : undefined;
  const grant =
    known ??
    new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params['client_id']) });
  grant.addOIDCScope(String(params['scope']));
  return grant.save();
}

const goOn = (ctx: Context, to: string): void => {
  ctx.status = 303;
  ctx.redirect(to);
};

/** Shows and takes the pages of all sign-ins; `threads` hashes at once. */
export async function baselinePages(
  provider: Provider,
  subjectOf: (email: string) => string,
  threads: number,
): Promise<Middleware> {
  const frame = frameOf();
  const pages = await ceremony(threads);
  const stands = new Map<string, Stand>();
  const standOf = (uid: string) => stands.get(uid) ?? { email: '', key: '', code: '' };
  const pageOf = (ctx: Context) => pages[ctx.path.split('/')[3] ?? 'password'] ?? ctx.throw(404);
  const show = async (ctx: Context) => {
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    if (details.prompt.name === 'consent') {
      const consent = { grantId: await consented(provider, details) };
      const result = { ...details.lastSubmission, consent };
      return goOn(ctx, await provider.interactionResult(ctx.req, ctx.res, result));
    }
    const client = await provider.Client.find(String(details.params['client_id']));
    const { uid } = details;
    const asked = {
      frame,
      action: ctx.path,
      token: uid,
      clientName: client?.clientName,
      stand: standOf(uid),
    };
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = renderPage(frame, await pageOf(ctx).show(asked));
    return undefined;
  };
  const take = async (ctx: Context) => {
    const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
    const stand = standOf(uid);
    const next = await pageOf(ctx).take(ctx.request.body as Record<string, string>, stand);
    if (!next) return ctx.throw(422);
    if (next !== 'finished') {
      stands.set(uid, stand);
      return goOn(ctx, `/interaction/${uid}/${next}`);
    }
    stands.delete(uid);
    const ts = Math.floor(Date.now() / 1000);
    const login = { accountId: subjectOf(stand.email), acr: acrOf(1), amr: ['pwd'], ts, remember: false };
    return goOn(ctx, await provider.interactionResult(ctx.req, ctx.res, { login }));
  };
  const post = compose([bodyParser({ enableTypes: ['form'], formLimit: '16kb' }), take]);
  return (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    return ctx.method === 'POST' ? post(ctx, next) : show(ctx);
  };
}
