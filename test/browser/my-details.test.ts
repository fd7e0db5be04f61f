/** My details: what stands there is so, and the language that is chosen there is kept and used. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back, travelTo } from '../rig/clock.ts';
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

const sv: person.Way = { language: 'sv', scripts: 'with scripts' };
const language = (page: Page) => page.locator('html').getAttribute('lang');

/** From the menu of Autopay, signed in. */
async function openMyDetails(page: Page, way: person.Way): Promise<void> {
  await person.openMenu(page);
  await page.getByRole('link', { name: words[way.language].myDetails }).click();
  await person.isAt(page, 'account');
}

/** The day as the mails of Hemma and the pages of Autopay count it. */
const today = (locale: 'sv-SE' | 'en-GB') =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'Europe/Stockholm' }).format(new Date());

describe.each(person.twoWays)('My details, $language, $scripts', (way) => {
  const w = words[way.language];

  test('say who the person is, that two-step verification is on, and when the code was made', async () => {
    const email = `state-${way.language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email, 'Åsa Öhman');
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await openMyDetails(page, way);
    expect(await person.heading(page)).toBe(w.myDetails);
    const text = await person.said(page, 'main');
    const day = today(w.locale);
    for (const fact of ['Åsa Öhman', email, `${w.twoStepOn} ${day}`, `${w.codeMade} ${day}`]) {
      expect(text).toContain(fact);
    }
    expect(await page.locator('[data-device]').count()).toBe(0);
  });
});

test('an account without two-step verification reads that it is off and that no code is there', async () => {
  const email = 'one-step@example.com';
  await town.hemma.account({ email, twoStepRequired: false });
  const page = await person.browserOf(town, sv);
  await person.begin(page, town.autopay, 'sv');
  await person.typePassword(page, 'sv', email);
  await person.isSignedIn(page, 'sv');
  await openMyDetails(page, sv);
  const text = await person.said(page, 'main');
  expect(text).toContain('Tvåstegsverifiering är av');
  expect(text).toContain('Du har ingen engångskod');
});

test('a day is the day in Sweden, as in the mails, also in the last hour of the day elsewhere', async () => {
  travelTo(new Date('2027-01-14T23:20:00Z'));
  const key = await person.enrolled(town, 'midnight@example.com');
  const page = await person.browserOf(town, sv);
  await person.signIn(page, sv, { application: town.autopay, email: 'midnight@example.com', key });
  await openMyDetails(page, sv);
  expect(await person.said(page, '[data-two-step]')).toContain('sedan 15 januari 2027');
  const mail = await town.hemma.mail.mailTo('midnight@example.com', /kopplades till ditt konto/);
  expect(mail.text).toContain('15 januari 2027');
});

test('opened without a session they ask for a sign-in first, and then they open', async () => {
  const key = await person.enrolled(town, 'direct@example.com');
  const page = await person.browserOf(town, sv);
  await page.goto(town.hemma.url('/account'));
  await person.isAt(page, 'password');
  await person.typePassword(page, 'sv', 'direct@example.com');
  await person.isAt(page, 'totp');
  await person.typeDigits(page, sv, person.nextDigits(key));
  await person.isAt(page, 'account');
  expect(new URL(page.url()).origin).toBe(town.hemma.issuer);
});

describe.each(person.twoWays)('the language, $language, $scripts', (way) => {
  const other = way.language === 'sv' ? 'en' : 'sv';

  test('that is chosen is used at once, at the next sign-in and in mails', async () => {
    const email = `language-${way.language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await openMyDetails(page, way);
    await page.getByRole('combobox').selectOption(other);
    await page.getByRole('button', { name: way.language === 'sv' ? 'Spara språk' : 'Save language' }).click();
    await page.locator('[role=status]').waitFor();
    expect(await person.heading(page)).toBe(words[other].myDetails);
    expect(await page.getByRole('combobox').inputValue()).toBe(other);

    // Another browser, an application that asks for no language: as soon as it is known who is there.
    const next = await person.browserOf(town, way);
    await next.goto((await books.begin()).url);
    expect(await language(next)).toBe(way.language);
    await person.typePassword(next, way.language, email);
    await person.isAt(next, 'totp');
    expect(await language(next)).toBe(other);
    expect(await person.heading(next)).toBe(words[other].sixDigitsTitle);
    await person.typeDigits(next, { ...way, language: other }, person.nextDigits(key));
    await person.isAt(next, 'back');
    const mail = await town.hemma.mail.mailTo(email, other === 'sv' ? /ny enhet/ : /new device/);
    expect(mail.text).toContain(other === 'sv' ? 'Hej Astrid' : 'Hello Astrid');
  });
});
