import type { Context } from 'koa';
import { matchLocale, phrasesFor } from '../../src/i18n/phrases.ts';
import type { Locale } from '../../src/i18n/phrases.ts';
import { cookieName, cookieOptions } from '../../src/http/request-info.ts';
import type { AppContext } from '../../src/context.ts';
import type { Frame } from './layout.tsx';

/** What speaks for a language besides the page's own link: the application's wish, then the person's account. */
export interface LanguagePreferences {
  uiLocales?: string | undefined;
  account?: Locale | undefined;
}

const splitTags = (list: string | undefined) => (list ?? '').split(/[\s,]+/).filter(Boolean);

/** Accept-Language by weight, the heaviest first (RFC 9110 §12.5.4). */
const parseAcceptLanguage = (header: string): string[] =>
  header
    .split(',')
    .map((part) => {
      const [tag = '', weight] = part.trim().split(/;\s*q=/);
      return { tag, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ tag, weight }) => tag !== '' && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);

/**
 * The language of a page: the link at its foot (kept in a cookie), what the application asked for, what the
 * account chose, what the browser prefers, the operator's default.
 */
export function resolveLocale(context: AppContext, ctx: Context, wishes: LanguagePreferences): Locale {
  const { settings } = context;
  const queryLocale =
    typeof ctx.query.ui_locales === 'string' ? matchLocale(splitTags(ctx.query.ui_locales)) : undefined;
  const cookie = cookieName(settings, 'language');
  if (queryLocale && ctx.path.match(/^\/(interaction|account|admin|dev|device|help-desk)\b/)) {
    ctx.cookies.set(cookie, queryLocale, cookieOptions(settings));
    return queryLocale;
  }
  return (
    queryLocale ??
    matchLocale(splitTags(ctx.cookies.get(cookie, { signed: false }))) ??
    matchLocale(splitTags(wishes.uiLocales)) ??
    wishes.account ??
    matchLocale(parseAcceptLanguage(ctx.get('accept-language'))) ??
    settings.HEMMA_DEFAULT_LOCALE
  );
}

/** The same address in another language; whatever else its query holds stays. */
function switchLanguageUrl(ctx: Context, locale: Locale): string {
  const query = new URLSearchParams(ctx.querystring);
  query.set('ui_locales', locale);
  // Relative: a path like `//elsewhere` must not become an address of somebody else's.
  return `?${query.toString()}`;
}

/** What every page needs besides its own question. */
export function createFrame(context: AppContext, ctx: Context, wishes: LanguagePreferences = {}): Frame {
  const { settings, assets } = context;
  const locale = resolveLocale(context, ctx, wishes);
  return {
    locale,
    t: phrasesFor(locale),
    brand: {
      name: settings.HEMMA_BRAND_NAME,
      logoUrl: settings.HEMMA_BRAND_LOGO ? assets.url('brand-logo.svg') : undefined,
      stylesheetUrl: settings.HEMMA_BRAND_ACCENT ? assets.url('brand.css') : undefined,
    },
    asset: (name) => assets.url(name),
    languageUrl: (other) => switchLanguageUrl(ctx, other),
  };
}
