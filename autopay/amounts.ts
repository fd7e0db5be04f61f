import type { PageContext } from './visit.ts';

/** An amount in öre, as this language writes it. */
export function formatAmount(pageContext: PageContext, ore: number): string {
  return new Intl.NumberFormat(pageContext.phrases.locale, { style: 'currency', currency: 'SEK' }).format(
    ore / 100,
  );
}

/** Days as people in Sweden count them, wherever this program runs. */
export function dateFormat(pageContext: PageContext): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(pageContext.phrases.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'Europe/Stockholm',
  });
}

/** A month with its year, such as "oktober 2026". */
export function monthFormat(pageContext: PageContext): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(pageContext.phrases.locale, {
    month: 'long',
    year: 'numeric',
    timeZone: 'Europe/Stockholm',
  });
}
