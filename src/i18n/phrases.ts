import { match } from '@formatjs/intl-localematcher';
import { en } from './en.ts';
import type { Phrases } from './sv.ts';
import { sv } from './sv.ts';

export type Locale = 'sv' | 'en';

export const locales: readonly Locale[] = ['sv', 'en'];

const phrases: Record<Locale, Phrases> = { sv, en };

/** The neighbours who read Swedish more easily than English; the matcher knows only the distance of languages. */
const readsSwedish = new Set(['sv', 'nb', 'nn', 'no', 'da']);

/** Dates are written day first in both languages: "3 mars 2026", "3 March 2026". */
const dateLocale: Record<Locale, string> = { sv: 'sv-SE', en: 'en-GB' };

export function phrasesFor(locale: Locale): Phrases {
  return phrases[locale];
}

/**
 * The first of a person's wishes that the house speaks, or undefined when it speaks none of them.
 * Wishes come from outside (`ui_locales`, `Accept-Language`): a malformed one is passed over, never a fault.
 */
export function matchLocale(wishes: string[]): Locale | undefined {
  for (const wish of wishes) {
    const found = matchOne(wish);
    if (found) return found;
  }
  return undefined;
}

function matchOne(wish: string): Locale | undefined {
  // As accounts and cookies have it.
  if (wish === 'sv' || wish === 'en') return wish;
  const language = languageOf(wish);
  if (language === undefined) return undefined;
  if (readsSwedish.has(language)) return 'sv';
  const found = match([wish], locales, 'none', { algorithm: 'lookup' });
  return locales.find((locale) => locale === found);
}

function languageOf(wish: string): string | undefined {
  try {
    return new Intl.Locale(wish).language;
  } catch {
    return undefined;
  }
}

/** One clock for pages and mails, whatever the machine's; the people of this house live by it. */
export const timeZone = 'Europe/Stockholm';

/** How moments are written in each language. Made once: making one takes a hundred times as long as using it. */
const writtenAs = (parts: Intl.DateTimeFormatOptions): Record<Locale, Intl.DateTimeFormat> => ({
  sv: new Intl.DateTimeFormat(dateLocale.sv, { ...parts, timeZone }),
  en: new Intl.DateTimeFormat(dateLocale.en, { ...parts, timeZone }),
});

const days = writtenAs({ dateStyle: 'long' });
const times = writtenAs({ dateStyle: 'medium', timeStyle: 'short' });
const moments = writtenAs({ dateStyle: 'long', timeStyle: 'short' });

/** A day in words, as the person writes it. */
export const formatDate = (locale: Locale, date: Date): string => days[locale].format(date);

/** A day and a time of day, for lists where the minute matters. */
export const formatDateTime = (locale: Locale, date: Date): string => times[locale].format(date);

/** A day in words and a time of day, for sentences. */
export const formatMoment = (locale: Locale, date: Date): string => moments[locale].format(date);
