/** The look for everybody sees what is wrong, on each page that a tab goes to. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { violations } from '../axe.ts';
import { type Chromium, startChromium } from '../browser.ts';

let chromium: Chromium;
beforeAll(async () => {
  chromium = await startChromium();
});
afterAll(() => chromium.stop());

const page = (attributes: string, grey: string) =>
  `data:text/html,<!doctype html><html ${attributes}><title>T</title><main><h1>H</h1><p style="color:%23${grey}">Words</p></main>`;

test('what is wrong is told on the first page of a tab and on its next, and nothing of a page that is right', async () => {
  const tab = await chromium.newPerson();
  await tab.goto(page('', 'ddd'));
  expect(await violations(tab)).toEqual(['color-contrast p', 'html-has-lang html']);
  await tab.goto(page('lang=en', 'eee'));
  expect(await violations(tab)).toEqual(['color-contrast p']);
  expect(await violations(tab, ['html-has-lang'])).toEqual([]);
  await tab.goto(page('lang=en', '111'));
  expect(await violations(tab)).toEqual([]);
});
