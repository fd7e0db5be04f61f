import { match } from '@formatjs/intl-localematcher';

import { autopayCookieName, autopayCookieOptions, type CookieContext } from './cookies.ts';
import type { AutopaySettings } from './settings.ts';

export type Language = 'sv' | 'en';

const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * The language of this request: `ui_locales` in the address (remembered from then on), else the remembered
 * one, else what the browser asks for, else Swedish.
 */
export function resolveLanguage(settings: AutopaySettings, ctx: CookieContext): Language {
  const cookie = autopayCookieName(settings, 'language');
  const requested = ctx.query['ui_locales'];
  const chosen = typeof requested === 'string' ? bestLanguage(requested.split(' ')) : undefined;
  if (chosen) {
    ctx.cookies.set(cookie, chosen, autopayCookieOptions(settings, YEAR_MS));
    return chosen;
  }
  const remembered = bestLanguage([ctx.cookies.get(cookie) ?? '']);
  return remembered ?? bestLanguage(parseAcceptLanguage(ctx.get('Accept-Language'))) ?? 'sv';
}

/** RFC 9110 §12.5.4: tags with weights; without one the weight is 1, and 0 means "not this one". */
function parseAcceptLanguage(header: string): string[] {
  return header
    .split(',', 20)
    .map((part) => {
      const [tag = '', weight = ''] = part.trim().split(/\s*;\s*q=/i);
      return { tag, weight: weight === '' ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

function bestLanguage(tags: string[]): Language | undefined {
  const wellFormed = tags.slice(0, 20).filter(isLanguageTag);
  const found = match(wellFormed, ['sv', 'en'], 'und');
  return found === 'sv' || found === 'en' ? found : undefined;
}

function isLanguageTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
