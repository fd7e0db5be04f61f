/** J7, the simple half: Lön after Autopay without a question, and signing out of one signs out of both. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';
import { words } from './words.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown();
});
afterAll(() => town.stop());
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

describe.each(person.twoWays)('one sign-in for both, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('Lön asks nothing, one sign-out ends both, and the next sign-in asks everything again', async () => {
    const email = `sso-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.isSignedIn(page, language);

    const lon = await town.newTab(page);
    await lon.goto(town.lon);
    await lon.getByRole('link', { name: w.signIn, exact: true }).click();
    await person.isBackAt(lon, 'payslips');
    expect(await person.heading(lon)).toBe(w.payslips);
    await lon.getByText('Astrid Lind', { exact: true }).waitFor();

    await person.openMenu(page);
    await page.getByRole('button', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    expect(await person.heading(page)).toBe(w.signOutTitle);
    expect((await page.locator('main li').allInnerTexts()).sort()).toEqual(['Autopay', 'Lön']);
    await page.getByRole('button', { name: w.signOut, exact: true }).click();
    await person.isBackAt(page, 'signed-out');
    expect(await person.heading(page)).toBe(w.signedOutOf('Autopay'));

    await lon.reload();
    await person.isBackAt(lon, 'welcome');
    await lon.getByRole('link', { name: w.signIn, exact: true }).click();
    await person.isAt(lon, 'password');

    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.typePassword(page, language, email);
    await person.isAt(page, 'totp');
    await person.typeDigits(page, way, person.nextDigits(key));
    await person.isSignedIn(page, language);
  });
});

describe('thinking again', () => {
  const way: person.Way = { language: 'sv', scripts: 'without scripts' };
  const { language } = way;
  const w = words[language];

  test('whoever stays signed in is asked nothing at the next sign-in', async () => {
    const email = 'stay@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.openMenu(page);
    await page.getByRole('button', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    await page.getByRole('button', { name: w.stayHere }).click();
    // Autopay has ended its own session; Hemma's lives on.
    await person.isBackAt(page, 'signed-out');
    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.isSignedIn(page, language);
  });

  test('signing out under My details ends both too, and says so', async () => {
    const email = 'details@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.openMenu(page);
    await page.getByRole('link', { name: w.myDetails }).click();
    await person.isAt(page, 'account');
    await page.locator('main').getByRole('link', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    await page.getByRole('button', { name: w.signOut, exact: true }).click();
    await person.isAt(page, 'signed-out');
    expect(await person.heading(page)).toBe('Du är utloggad');
    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.isAt(page, 'password');
    await page.goto(town.autopay);
    await person.isBackAt(page, 'welcome');
  });
});
