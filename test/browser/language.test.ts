/** In which language a page speaks: the application's wish, the account, the browser, and then Swedish. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import * as ceremony from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';
import { words } from './words.ts';

let town: Town;
let books: RelyingParty;
beforeAll(async () => {
  town = await startTown();
  books = await startRelyingParty({ hemma: town.hemma });
});
afterAll(async () => {
  await books.stop();
  await town.stop();
});
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

const speaks = (page: Page) => page.locator('html').getAttribute('lang');

/** The language of the password page for a browser's wish and an application's. */
async function first(acceptLanguage: string, uiLocales: string | null) {
  const { page } = await newVisitor({ language: acceptLanguage }).visit(
    (await books.begin({ ui_locales: uiLocales })).url,
  );
  return page.querySelector('html')?.getAttribute('lang');
}

describe('before anybody is known', () => {
  test.each([
    // Accept-Language, ui_locales, the page
    ['en-GB,en;q=0.9', 'sv', 'sv'],
    ['sv-SE,sv;q=0.9', 'en', 'en'],
    ['sv-SE', 'fr en-US sv', 'en'],
    ['en-GB', 'fr de', 'en'],
    ['en-GB,en;q=0.9', null, 'en'],
    ['sv-SE,sv;q=0.9,en;q=0.8', null, 'sv'],
    ['en;q=0.5, sv;q=0.9', null, 'sv'],
    ['fr-FR,fr;q=0.9,en;q=0.5', null, 'en'],
    ['fr-FR,fr;q=0.9', null, 'sv'],
    ['nb-NO,nb;q=0.9,en;q=0.8', null, 'sv'],
    ['*', null, 'sv'],
    ['', null, 'sv'],
    ['x-klingon,,;q=,%%%', '%%% ,,', 'sv'],
  ])('a browser that says "%s" and an application that says %s get %s', async (browser, wish, page) => {
    expect(await first(browser, wish)).toBe(page);
  });
});

describe('once somebody is known', () => {
  test.each([
    ['sv', null, 'sv'],
    ['en', null, 'en'],
    ['en', 'sv', 'sv'],
    ['sv', 'en', 'en'],
  ] as const)('an account in %s, asked for in %s, reads %s', async (locale, wish, page) => {
    const email = `known-${locale}-${wish ?? 'none'}@example.com`;
    await town.hemma.account({ email, locale });
    const visitor = newVisitor({ language: locale === 'sv' ? 'en-GB' : 'sv-SE' });
    await visitor.visit((await books.begin({ ui_locales: wish })).url);
    const screen = ceremony.at('enrollment', await ceremony.typePassword(visitor, email));
    expect(screen.page.querySelector('html')?.getAttribute('lang')).toBe(page);
  });
});

test.each(person.twoWays)(
  'the link at the foot changes the page and the ones after it, $language, $scripts',
  async (way) => {
    const other = way.language === 'sv' ? 'en' : 'sv';
    const email = `foot-${way.language}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.begin(page, town.autopay, way.language);
    await page.getByRole('link', { name: other === 'en' ? 'In English' : 'På svenska' }).click();
    await page.locator(`html[lang="${other}"]`).waitFor();
    await person.typePassword(page, other, email);
    await person.isAt(page, 'totp');
    expect(await speaks(page)).toBe(other);
    expect(await person.heading(page)).toBe(words[other].sixDigitsTitle);
    await person.typeDigits(page, { ...way, language: other }, person.nextDigits(key));
    await person.isSignedIn(page, way.language);
  },
);

test.each(['sv', 'en'] as const)('Autopay hands its own language on, %s', async (language) => {
  const other = language === 'sv' ? 'en-GB' : 'sv-SE';
  const page = await town.newPerson({ locale: other });
  await page.goto(`${town.autopay}/?ui_locales=${language}`);
  await page.getByRole('link', { name: words[language].signIn, exact: true }).click();
  await person.isAt(page, 'password');
  expect(await speaks(page)).toBe(language);
});
