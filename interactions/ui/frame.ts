import type { Context } from 'koa';
import { matchLocale, phrasesFor } from '../../src/i18n/phrases.ts';
import type { Locale } from '../../src/i18n/phrases.ts';
import { cookieName, cookieOptions } from '../../src/http/request-info.ts';
import type { House } from '../../src/context.ts';
import type { Frame } from './layout.tsx';

/** What speaks for a language besides the page's own link: the application's wish, then the person's account. */
export interface LanguageWishes {
  uiLocales?: string | undefined;
  account?: Locale | undefined;
}

const words = (list: string | undefined) => (list ?? '').split(/[\s,]+/).filter(Boolean);

/** Accept-Language by weight, the heaviest first (RFC 9110 §12.5.4). */
const accepted = (header: string): string[] =>
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
export function localeOf(house: House, ctx: Context, wishes: LanguageWishes): Locale {
  const { settings } = house;
  const clicked =
    typeof ctx.query.ui_locales === 'string' ? matchLocale(words(ctx.query.ui_locales)) : undefined;
  const cookie = cookieName(settings, 'language');
  if (clicked && ctx.path.match(/^\/(interaction|account|admin|dev|device|help-desk)\b/)) {
    ctx.cookies.set(cookie, clicked, cookieOptions(settings));
    return clicked;
  }
  return (
    clicked ??
    matchLocale(words(ctx.cookies.get(cookie, { signed: false }))) ??
    matchLocale(words(wishes.uiLocales)) ??
    wishes.account ??
    matchLocale(accepted(ctx.get('accept-language'))) ??
    settings.HEMMA_DEFAULT_LOCALE
  );
}

/** The same address in another language; whatever else its query holds stays. */
function languageUrl(ctx: Context, locale: Locale): string {
  const query = new URLSearchParams(ctx.querystring);
  query.set('ui_locales', locale);
  // Relative: a path like `//elsewhere` must not become an address of somebody else's.
  return `?${query.toString()}`;
}

/** What every page needs besides its own question. */
export function frameOf(house: House, ctx: Context, wishes: LanguageWishes = {}): Frame {
  const { settings, assets } = house;
  const locale = localeOf(house, ctx, wishes);
  return {
    locale,
    t: phrasesFor(locale),
    brand: {
      name: settings.HEMMA_BRAND_NAME,
      logoUrl: settings.HEMMA_BRAND_LOGO ? assets.url('brand-logo.svg') : undefined,
      stylesheetUrl: settings.HEMMA_BRAND_ACCENT ? assets.url('brand.css') : undefined,
    },
    asset: (name) => assets.url(name),
    languageUrl: (other) => languageUrl(ctx, other),
  };
}
