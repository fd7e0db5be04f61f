/** J2: "Remember this device for 30 days", and forgetting it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back, days, seconds, travel } from '../rig/clock.ts';
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

const sv: person.Way = { language: 'sv', scripts: 'with scripts' };

async function atSixDigits(way: person.Way, email: string): Promise<Page> {
  const page = await person.browserOf(town, way);
  await person.begin(page, town.autopay, way.language);
  await person.typePassword(page, way.language, email);
  await person.isAt(page, 'totp');
  return page;
}

describe.each(person.twoWays)('a remembered device, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('skips the six digits, until it is forgotten under My details', async () => {
    const email = `device-${language}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await atSixDigits(way, email);
    await page.getByLabel(w.remember).check();
    await person.typeDigits(page, way, person.nextDigits(key));
    await person.isSignedIn(page, language);

    await person.signOut(page, language);
    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.typePassword(page, language, email);
    await person.isSignedIn(page, language);

    await person.openMenu(page);
    await page.getByRole('link', { name: w.myDetails }).click();
    await person.isAt(page, 'account');
    expect(await page.locator('[data-device]').count()).toBe(1);
    expect(await person.said(page, '[data-device]')).toContain('Chrome, Linux');
    await page.getByRole('button', { name: w.forget }).click();
    await page.locator('[data-device]').waitFor({ state: 'detached' });

    await page.goto(town.autopay);
    await person.signOut(page, language);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.isSignedIn(page, language);
  });
});

describe('remembering', () => {
  test('lasts thirty days and no longer', async () => {
    const email = 'month@example.com';
    const key = await person.enrolled(town, email);
    const page = await atSixDigits(sv, email);
    await page.getByLabel('Kom ihåg den här enheten i 30 dagar').check();
    await person.typeDigits(page, sv, person.nextDigits(key));
    await person.isSignedIn(page, 'sv');
    travel(days(30) - seconds(60));
    await page.goto(`${town.autopay}/sign-in`);
    await person.typePassword(page, 'sv', email);
    await person.isSignedIn(page, 'sv');
    travel(days(1));
    await page.goto(`${town.autopay}/sign-in`);
    await person.typePassword(page, 'sv', email);
    await person.isAt(page, 'totp');
  });
});
