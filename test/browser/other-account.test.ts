/** Somebody else signs in where a person is signed in already: one page asks before anything ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';
import { words } from './words.ts';

let town: Town;
let books: RelyingParty;
beforeAll(async () => {
  town = await startTown();
  books = await startRelyingParty({ hemma: town.hemma, description: { name: 'Bokslut' } });
});
afterAll(async () => {
  await books.stop();
  await town.stop();
});
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

/** Astrid is signed in to Autopay; Bokslut asks for a new sign-in, and Björn types his password. */
async function bjornComes(way: person.Way, then: 'goes-on' | 'stays') {
  const tag = `${way.language}-${way.scripts.slice(0, 5).trim()}-${then}`;
  const [astrid, bjorn] = [`astrid-${tag}@example.com`, `bjorn-${tag}@example.com`];
  const keyOfAstrid = await person.enrolled(town, astrid);
  const keyOfBjorn = await person.enrolled(town, bjorn, 'Björn Öst');
  const page: Page = await person.browserOf(town, way);
  await person.signIn(page, way, { application: town.autopay, email: astrid, key: keyOfAstrid });
  await person.isSignedIn(page, way.language);
  const begun = await books.begin({ prompt: 'login', ui_locales: way.language });
  await page.goto(begun.url);
  await person.isAt(page, 'password');
  expect(await page.getByLabel(words[way.language].email).inputValue()).toBe(astrid);
  await person.typePassword(page, way.language, bjorn);
  await person.isAt(page, 'other-account');
  return { page, begun, astrid, bjorn, keyOfAstrid, keyOfBjorn };
}

/** Without scripts a page may stand between that has to be pressed away; then it is one of the house's own. */
async function pressOn(page: Page, way: person.Way): Promise<void> {
  const next = page.locator('main[data-step]:not([data-step="totp"])');
  await next.waitFor();
  if ((await next.getAttribute('data-step')) === 'back') return;
  expect(await page.locator('html').getAttribute('lang')).toBe(way.language);
  await page.getByRole('button').first().click();
}

const buttons = {
  sv: { go: (who: string) => `Fortsätt som ${who}`, stay: (who: string) => `Stanna som ${who}` },
  en: { go: (who: string) => `Continue as ${who}`, stay: (who: string) => `Stay as ${who}` },
};

describe.each(person.twoWays)('another person at the same browser, $language, $scripts', (way) => {
  const b = buttons[way.language];

  test('is asked first; going on signs the first one out everywhere', async () => {
    const { page, begun, astrid, bjorn, keyOfBjorn } = await bjornComes(way, 'goes-on');
    const text = await person.said(page, 'main');
    expect(text).toContain(astrid);
    expect(text).toContain(bjorn);
    await page.getByRole('button', { name: b.go(bjorn) }).click();
    await person.isAt(page, 'totp');
    await person.typeDigits(page, way, person.nextDigits(keyOfBjorn));
    if (way.scripts === 'without scripts') await pressOn(page, way);
    await person.isAt(page, 'back');
    const tokens = await books.redeem(begun, page.url());
    const { payload } = await books.verify(tokens.id_token ?? '');
    expect(await books.userinfo(tokens.access_token, payload.sub ?? '')).toMatchObject({ email: bjorn });
    await page.goto(town.autopay);
    await person.isBackAt(page, 'welcome');
    await page.goto(town.hemma.url('/account'));
    await person.isAt(page, 'account');
    expect(await person.said(page, 'main')).toContain(bjorn);
  });
});

describe.each(person.twoWays)('staying, $language, $scripts', (way) => {
  const b = buttons[way.language];

  test('leaves the first one signed in, and the sign-in goes on as the first one', async () => {
    const { page, begun, astrid, keyOfAstrid } = await bjornComes(way, 'stays');
    await page.getByRole('button', { name: b.stay(astrid) }).click();
    // prompt=login asks anew, whoever it is.
    await person.isAt(page, 'password');
    expect(await page.getByLabel(words[way.language].email).inputValue()).toBe(astrid);
    await person.typePassword(page, way.language, astrid);
    await person.isAt(page, 'totp');
    await person.typeDigits(page, way, person.nextDigits(keyOfAstrid));
    await person.isAt(page, 'back');
    const tokens = await books.redeem(begun, page.url());
    const { payload } = await books.verify(tokens.id_token ?? '');
    expect(await books.userinfo(tokens.access_token, payload.sub ?? '')).toMatchObject({ email: astrid });
    await page.goto(town.autopay);
    await person.isSignedIn(page, way.language);
  });
});
