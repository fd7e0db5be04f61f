/** J2: an ordinary morning. Password, six digits, Autopay; by mouse, by paste or by the keyboard alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
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

/** Copies a text somewhere else and pastes it where the cursor is, by the keyboard. */
async function paste(page: Page, text: string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await page.keyboard.press('Control+V');
}

describe.each(person.everyWay)('an ordinary sign-in, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('asks for password and six digits, takes mistakes in words, and leads to Autopay', async () => {
    const email = `day-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await atSixDigits(way, email);
    expect(await person.heading(page)).toBe(w.sixDigitsTitle);
    expect(await person.said(page, 'main .lead')).toContain(email);
    expect(await person.said(page, '#code-help')).toBe(w.sixDigitsHelp);
    const field = page.getByLabel(w.sixDigits);
    expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
    expect(await field.getAttribute('maxlength')).toBeNull();
    // These connected the phone, so they are spent.
    await person.typeDigits(page, way, sixDigits(key));
    await page.locator('[data-refusal]').waitFor();
    expect(await person.alert(page)).toBe(w.usedDigits);
    await person.typeDigits(page, way, wrongDigits(key));
    await page.getByText(w.wrongDigits).waitFor();
    await person.typeDigits(page, way, person.nextDigits(key));
    await person.isSignedIn(page, language);
  });
});

describe('the six digits', () => {
  test('pasted with a blank between them they send themselves', async () => {
    const key = await person.enrolled(town, 'paste@example.com');
    const page = await atSixDigits(sv, 'paste@example.com');
    const digits = person.nextDigits(key);
    await paste(page, `${digits.slice(0, 3)} ${digits.slice(3)}`);
    await person.isSignedIn(page, 'sv');
  });

  test('without scripts they are pasted and sent by the button, blank and all', async () => {
    const plain: person.Way = { language: 'sv', scripts: 'without scripts' };
    const key = await person.enrolled(town, 'plain@example.com');
    const page = await atSixDigits(plain, 'plain@example.com');
    const digits = person.nextDigits(key);
    // What a paste does to the field; a page without scripts cannot reach the clipboard for the test.
    await page.keyboard.insertText(` ${digits.slice(0, 3)} ${digits.slice(3)} `);
    await person.isAt(page, 'totp');
    await page.getByRole('button', { name: 'Logga in' }).click();
    await person.isSignedIn(page, 'sv');
  });

  test('five of them are not sent by themselves, and the page says what is missing', async () => {
    const key = await person.enrolled(town, 'five@example.com');
    const page = await atSixDigits(sv, 'five@example.com');
    const digits = person.nextDigits(key);
    await page.getByLabel('Sex siffror').pressSequentially(digits.slice(0, 5));
    await page.getByRole('button', { name: 'Logga in' }).click();
    await page.locator('[data-refusal]').waitFor();
    expect(await person.alert(page)).toBe('Koden är sex siffror. Skriv alla sex.');
    await person.typeDigits(page, sv, digits);
    await person.isSignedIn(page, 'sv');
  });

  test('after a reload and after Back the page asks for them again, and takes them', async () => {
    const key = await person.enrolled(town, 'again@example.com');
    const page = await atSixDigits(sv, 'again@example.com');
    await page.reload();
    await person.isAt(page, 'totp');
    await page.goBack();
    await person.isAt(page, 'totp');
    await person.typeDigits(page, sv, person.nextDigits(key));
    await person.isSignedIn(page, 'sv');
  });
});

describe('the keyboard alone', () => {
  test('leads through the whole sign-in and into the menu, and one always sees where one is', async () => {
    const email = 'keyboard@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, sv);
    await page.goto(town.autopay);
    const focused = () =>
      page.evaluate<string>(
        `(() => { const { outlineStyle, boxShadow, outlineWidth } = getComputedStyle(document.activeElement);
          const seen = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
          return (seen ? '' : 'unseen ') + document.activeElement.textContent.trim(); })()`,
      );
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 20; presses++) {
        await page.keyboard.press('Tab');
        const now = await focused();
        expect(now).not.toMatch(/^unseen/);
        if (now === text) return;
      }
      throw new Error(`Tab never reached ${text}`);
    };
    await tabTo('Logga in');
    await page.keyboard.press('Enter');
    await person.isAt(page, 'password');
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await person.isAt(page, 'totp');
    await page.keyboard.type(person.nextDigits(key));
    await person.isSignedIn(page, 'sv');
    await tabTo('Astrid Lind');
    await page.keyboard.press('Enter');
    await tabTo('Mina uppgifter');
    await page.keyboard.press('Enter');
    await person.isAt(page, 'account');
    await tabTo('Spara språk');
  });
});
