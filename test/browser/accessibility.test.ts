/** Every page of Hemma, Autopay and Lön, for everybody: WCAG 2.2 AA by axe, on a phone and a desk, by day and night. */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { tour } from './tour.ts';
import { startTown, type Town } from './town.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown({ env: { HEMMA_SMTP_URL: '' } });
});
afterAll(() => town.stop());
afterEach(back);

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Violation {
  id: string;
  nodes: { target: readonly unknown[] }[];
}

const named = (violations: readonly Violation[]) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target.join(' ')}`));

/** The first look brings axe into the page; no page of ours has frames, so the simple mode sees everything. */
async function firstLook(page: Page): Promise<string[]> {
  return named((await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode(true).analyze()).violations);
}

/** Every further look uses the axe that is there: the same rules, a tenth of the time. */
async function nextLook(page: Page): Promise<string[]> {
  const options = { runOnly: { type: 'tag', values: TAGS }, resultTypes: ['violations'] };
  const looked = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${JSON.stringify(options)})`,
  );
  return named(looked.violations);
}

/** Pixels that a page is wider than its window. */
const tooWide = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Everything that is wrong with a page, whatever the window and the light. */
async function faults(page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.emulateMedia({ reducedMotion: 'reduce' });
  let look = firstLook;
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await look(page)).map((fault) => `${width} ${colorScheme}: ${fault}`));
      look = nextLook;
    }
  }
  // 640 px is what a window of 1280 has left at 200 % (WCAG 1.4.4, 1.4.10).
  for (const width of [320, 640, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const wider = await tooWide(page);
    if (wider > 0) found.push(`${width}: scrolls ${wider} px sideways`);
  }
  return found;
}

test.each(['sv', 'en'] as const)(
  'every page serves everybody, on any screen, in any light, in its own language: %s',
  async (language) => {
    const found: string[] = [];
    const seen: string[] = [];
    await tour(town, language, async (page, name) => {
      seen.push(name);
      if ((await page.locator('html').getAttribute('lang')) !== language)
        found.push(`${name}: wrong language`);
      if ((await page.locator('h1').count()) !== 1) found.push(`${name}: not one heading`);
      found.push(...(await faults(page)).map((fault) => `${name} ${fault}`));
    });
    expect(found).toEqual([]);
    expect(seen.length).toBeGreaterThan(25);
    expect(town.complaints()).toEqual([]);
  },
  90_000,
);
