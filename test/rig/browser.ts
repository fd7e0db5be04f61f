/**
 * A real Chromium: for what needs scripts, eyes or a screen reader. One per test file, a fresh context per person.
 * When a test fails, every page that is open is photographed into coverage/screenshots.
 */
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumIn } from './chromium.ts';
import { onFailure } from './on-failure.ts';

export interface PersonOptions {
  locale?: 'sv-SE' | 'en-GB';
  javaScript?: boolean;
  colorScheme?: 'light' | 'dark';
  /** CSS pixels; 320 is the narrowest phone that must work. */
  width?: number;
  reducedMotion?: boolean;
  /** Lets a test run scripts on pages that allow none. */
  bypassCSP?: boolean;
}

export interface Chromium {
  /** A new person with cookies of their own; the page is where they sit. */
  newPerson(options?: PersonOptions): Promise<Page>;
  stop(): Promise<void>;
}

const screenshots = resolve(import.meta.dirname, '../../coverage/screenshots');

async function photograph(contexts: readonly BrowserContext[], test: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  const name = test.replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 120);
  const pages = contexts.flatMap((context) => context.pages());
  const shots = pages.map((page, index) =>
    page.screenshot({ path: join(screenshots, `${name}-${index + 1}.png`), fullPage: true, timeout: 5_000 }),
  );
  // A page that cannot be photographed must not hide why the test failed.
  await Promise.allSettled(shots);
}

/** Starts the browser for one test file, with further arguments; call `stop` in `afterAll`. */
export async function startChromium(more: readonly string[] = []): Promise<Chromium> {
  const folder = process.env['RIG_FOLDER'];
  if (!folder) throw new Error('no folder of this run: tests are started by `npm test`');
  const executablePath = await chromiumIn(folder);
  const own = await mkdtemp(join(folder, 'browser-'));
  // None of the package's own `args`: they switch web security off, which is half of what is tested here. Few processes
  // are not that: the rules of origins hold in one as in many, and starting them is most of what a browser costs.
  const few = ['--renderer-process-limit=1', '--disable-site-isolation-trials', '--in-process-gpu'];
  // A frame is kept from one page of a site to its next, which halves what going there costs. The first name is what
  // playwright asks for itself: the last list of features counts alone.
  const keepFrames = '--enable-features=CDPScreenshotNewSurface,RenderDocument:level/crashed-frame';
  const args = [...few, keepFrames, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...more];
  const browser: Browser = await chromium.launch({ executablePath, args, env: { TMPDIR: own, HOME: own } });
  const forget = onFailure((test) => photograph(browser.contexts(), test));
  return {
    async newPerson({
      locale = 'sv-SE',
      javaScript = true,
      colorScheme = 'light',
      width = 1024,
      reducedMotion = false,
      bypassCSP = false,
    } = {}) {
      const context = await browser.newContext({
        locale,
        javaScriptEnabled: javaScript,
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
        bypassCSP,
      });
      context.setDefaultTimeout(10_000);
      return context.newPage();
    },
    async stop() {
      forget();
      await browser.close();
      await rm(own, { recursive: true, force: true });
    },
  };
}
