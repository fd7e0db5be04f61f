/** What a page must never be: WCAG 2.2 AA by axe, one heading, its own language, and nothing to scroll sideways. */
import type { Page } from 'playwright-core';
import { violations } from '../rig/axe.ts';
import type { Language } from './words.ts';

/** What another light, width or language can break; everything else is of the page's structure, which is the same. */
const BY_SIGHT = [
  'color-contrast',
  'target-size',
  'html-has-lang',
  'html-lang-valid',
  'valid-lang',
  'document-title',
];

/** Pixels that a page is wider than its window. */
const tooWide = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Layout shows on the narrowest phone first, contrast in either light: each page is seen in both, one a language. */
const SIGHTS = {
  sv: { width: 320, colorScheme: 'light' },
  en: { width: 1280, colorScheme: 'dark' },
} as const;

/** Everything that is wrong with a page that should be in this language. */
export async function faults(page: Page, language: Language): Promise<string[]> {
  const found: string[] = [];
  if ((await page.locator('html').getAttribute('lang')) !== language) found.push('wrong language');
  if ((await page.locator('h1').count()) !== 1) found.push('not one heading');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { width, colorScheme } = SIGHTS[language];
  await page.setViewportSize({ width, height: 800 });
  await page.emulateMedia({ colorScheme });
  const wrong = await violations(page, language === 'sv' ? undefined : BY_SIGHT);
  found.push(...wrong.map((fault) => `${width} ${colorScheme}: ${fault}`));
  // 640 px is what a window of 1280 has left at 200 % (WCAG 1.4.4, 1.4.10).
  for (const width of [320, 640, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const wider = await tooWide(page);
    if (wider > 0) found.push(`${width}: scrolls ${wider} px sideways`);
  }
  return found;
}
