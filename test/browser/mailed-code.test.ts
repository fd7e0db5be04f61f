/** The first phone comes later than seven days after the invitation: a code mailed to the person opens the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back, days, minutes, seconds, travel } from '../rig/clock.ts';
import type { Mail } from '../rig/mail.ts';
import { sixDigits } from '../rig/totp.ts';
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

/** Eight days after the invitation, right password. */
async function comesLate(way: person.Way, email: string): Promise<Page> {
  await town.hemma.account({ email, locale: way.language });
  travel(days(8));
  const page = await person.browserOf(town, way);
  await person.begin(page, town.autopay, way.language);
  await person.typePassword(page, way.language, email);
  await person.isAt(page, 'mailed-code');
  return page;
}

/** The code in the next mail that brings one, as it is written there. */
const codeIn = (mail: Mail) => /\d{4} \d{4}/.exec(mail.text)?.[0] ?? '';
const mailedCode = async (email: string) => codeIn(await town.hemma.mail.mailTo(email, /\d{4} \d{4}/));

/** Another code, if one comes within three seconds. */
async function newCode(email: string): Promise<string | undefined> {
  const received = () => town.hemma.mails().filter(({ to }) => to === email);
  for (let wait = 0; wait < 30 && received().length < 2; wait++) {
    await new Promise((done) => setTimeout(done, 100));
  }
  return received().length < 2 ? undefined : mailedCode(email);
}

async function typeCode(page: Page, way: person.Way, code: string): Promise<void> {
  const w = words[way.language];
  await page.getByLabel(w.mailField).fill(code);
  await page.getByRole('button', { name: w.goOn }).click();
}

const wrong = (code: string) => (code.startsWith('0') ? '1111 1111' : '0000 0000');

async function alertSays(page: Page, text: string | RegExp): Promise<void> {
  await page.locator('main [role=alert]').filter({ hasText: text }).waitFor();
}

describe.each(person.twoWays)('after the seven days, $language, $scripts', (way) => {
  const w = words[way.language];

  test('the code from the mail leads to the QR code and on to Autopay', async () => {
    const email = `late-${way.language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const page = await comesLate(way, email);
    expect(await person.heading(page)).toBe(w.mailTitle);
    expect(await person.said(page, 'main .lead')).toContain('l•••@example.com');
    const code = await mailedCode(email);
    await typeCode(page, way, wrong(code));
    await alertSays(page, way.language === 'sv' ? 'Koden stämmer inte.' : "That code isn't right.");
    await typeCode(page, way, code);
    await person.isAt(page, 'enrollment');
    await person.typeDigits(page, way, sixDigits(await person.readKey(page, way.language)));
    await person.isAt(page, 'new-recovery-code');
    await person.typeLastGroup(page, way.language, (await person.readCode(page)).slice(-4));
    await person.isSignedIn(page, way.language);
  });
});

describe('the mailed code', () => {
  test('is sent once: reloading the page sends no other', async () => {
    const email = 'reload@example.com';
    const page = await comesLate(sv, email);
    const code = await mailedCode(email);
    await page.reload();
    await person.isAt(page, 'mailed-code');
    await typeCode(page, sv, code);
    await person.isAt(page, 'enrollment');
    expect(town.hemma.mails().filter(({ to }) => to === email)).toHaveLength(1);
  });

  test.each(person.twoWays)(
    'can be sent again after a minute, and then the old one is dead, $language, $scripts',
    async (way) => {
      const w = words[way.language];
      const email = `resend-${way.language}@example.com`;
      const page = await comesLate(way, email);
      const first = await mailedCode(email);
      await page.getByRole('button', { name: w.mailAgain }).click();
      await alertSays(page, /\d+ (sekunder|seconds)/);
      travel(seconds(61));
      await page.getByRole('button', { name: w.mailAgain }).click();
      await page.locator('[role=status]').waitFor();
      const second = await mailedCode(email);
      expect(second).not.toBe(first);
      await typeCode(page, way, first);
      await alertSays(page, way.language === 'sv' ? 'Koden stämmer inte.' : "That code isn't right.");
      await typeCode(page, way, second.replace(' ', ''));
      await person.isAt(page, 'enrollment');
    },
  );

  test('works for ten minutes; after that the page says so and sends a new one', async () => {
    const email = 'expired@example.com';
    const page = await comesLate(sv, email);
    const late = await mailedCode(email);
    travel(minutes(10) + seconds(1));
    await typeCode(page, sv, late);
    await alertSays(page, 'Den koden gäller inte längre. Skicka en ny och försök igen.');
    await page.getByRole('button', { name: 'Skicka en ny kod' }).click();
    await page.locator('[role=status]').waitFor();
    await typeCode(page, sv, await mailedCode(email));
    await person.isAt(page, 'enrollment');
  });

  test('comes anew when the tab was closed and the person begins again at once', async () => {
    const email = 'closed@example.com';
    const page = await comesLate(sv, email);
    const sent = await mailedCode(email);
    await page.close();
    const later = await town.newTab(page);
    await person.begin(later, town.autopay, 'sv');
    await person.typePassword(later, 'sv', email);
    await person.isAt(later, 'mailed-code');
    // Nothing was done too often: the page must not blame, and the latest code in the mailbox must work.
    expect(await later.locator('main [role=alert]').count()).toBe(0);
    await typeCode(later, sv, (await newCode(email)) ?? sent);
    await person.isAt(later, 'enrollment');
  });
});
