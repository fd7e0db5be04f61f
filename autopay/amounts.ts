import type { Visit } from './visit.ts';

/** An amount in öre, as this language writes it. */
export function money(visit: Visit, ore: number): string {
  return new Intl.NumberFormat(visit.phrases.locale, { style: 'currency', currency: 'SEK' }).format(
    ore / 100,
  );
}

/** Days as people in Sweden count them, wherever this program runs. */
export function dates(visit: Visit): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(visit.phrases.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'Europe/Stockholm',
  });
}

/** A month with its year, such as "oktober 2026". */
export function months(visit: Visit): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(visit.phrases.locale, {
    month: 'long',
    year: 'numeric',
    timeZone: 'Europe/Stockholm',
  });
}
