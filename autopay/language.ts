import { match } from '@formatjs/intl-localematcher';

import { cookieName, cookieOptions, type Exchange } from './cookies.ts';
import type { Settings } from './settings.ts';

export type Language = 'sv' | 'en';

const YEAR = 365 * 24 * 3_600_000;

/**
 * The language of this request: `ui_locales` in the address (remembered from then on), else the remembered
 * one, else what the browser asks for, else Swedish.
 */
export function languageOf(settings: Settings, ctx: Exchange): Language {
  const cookie = cookieName(settings, 'language');
  const asked = ctx.query['ui_locales'];
  const chosen = typeof asked === 'string' ? best(asked.split(' ')) : undefined;
  if (chosen) {
    ctx.cookies.set(cookie, chosen, cookieOptions(settings, YEAR));
    return chosen;
  }
  const remembered = best([ctx.cookies.get(cookie) ?? '']);
  return remembered ?? best(acceptedTags(ctx.get('Accept-Language'))) ?? 'sv';
}

/** RFC 9110 §12.5.4: tags with weights; without one the weight is 1, and 0 means "not this one". */
function acceptedTags(header: string): string[] {
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

function best(tags: string[]): Language | undefined {
  const wellFormed = tags.slice(0, 20).filter(isTag);
  const found = match(wellFormed, ['sv', 'en'], 'und');
  return found === 'sv' || found === 'en' ? found : undefined;
}

function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
