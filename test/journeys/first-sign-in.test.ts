/** J1: somebody comes to Autopay for the first time, with a new phone in the hand and the password alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { scan, sixDigits, wrongDigits } from '../rig/totp.ts';
import * as person from './person.ts';
import { squaresOf, squaresOnPage } from './qr-code.ts';
import { startTown, type Town } from './town.ts';
import { type Language, words } from './words.ts';

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
const CODE = /^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/;

/** A new account and its person on the enrolment page. */
async function atEnrolment(way: person.Way, email: string): Promise<Page> {
  await town.hemma.account({ email });
  const page = await person.browserOf(town, way);
  await person.begin(page, town.autopay, way.language);
  await person.typePassword(page, way.language, email);
  await person.isAt(page, 'enrollment');
  return page;
}

async function readLink(page: Page, language: Language) {
  return (await page.getByRole('link', { name: words[language].openApp }).getAttribute('href')) ?? '';
}

async function isSignedIn(page: Page, language: Language, name = 'Astrid Lind'): Promise<void> {
  await person.isBackAt(page, 'payments');
  expect(new URL(page.url()).origin).toBe(town.autopay);
  expect(await person.heading(page)).toBe(words[language].payments);
  const menu = page.getByText(name, { exact: true });
  const [place, width] = [await menu.boundingBox(), page.viewportSize()?.width ?? 0];
  // At the top, and to the right.
  expect(place?.y).toBeLessThan(64);
  expect((place?.x ?? 0) + (place?.width ?? 0)).toBeGreaterThan(width * 0.8);
}

describe.each(person.everyWay)('the first sign-in, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('leads from Autopay over password, phone and recovery code back to Autopay', async () => {
    const email = `first-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    await town.hemma.account({ email });
    const page = await person.browserOf(town, way);
    await person.begin(page, town.autopay, language);
    expect(await person.heading(page)).toBe(w.signInTitle);
    expect(await person.said(page, '.lead')).toBe(w.continueTo('Autopay'));
    await person.typePassword(page, language, email, 'fel lösenord helt och hållet');
    expect(await person.alert(page)).toBe(w.wrongPair);
    expect(await page.getByLabel(w.email).inputValue()).toBe(email);
    expect(await page.getByLabel(w.password, { exact: true }).inputValue()).toBe('');
    await person.typePassword(page, language, email);

    await person.isAt(page, 'enrollment');
    expect(await person.heading(page)).toBe(w.enrolTitle);
    const key = await person.readKey(page, language);
    const link = await readLink(page, language);
    expect(scan(link)).toEqual({ key: key.replaceAll(' ', ''), issuer: 'Hemma', account: email });
    // 160 bits are 32 letters of base32 (RFC 4226 R6), shown in groups of four.
    expect(key).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    expect(await squaresOnPage(page)).toEqual(squaresOf(link));
    await page.getByLabel(w.typeDigits).click();
    await person.typeDigits(page, way, sixDigits(key));

    await person.isAt(page, 'new-recovery-code');
    expect(await person.heading(page)).toBe(w.newCodeTitle);
    expect(await person.said(page, '.lead')).toBe(w.newCodeHelp);
    const code = await person.readCode(page);
    expect(code).toMatch(CODE);
    await person.typeLastGroup(page, language, code.slice(-4).toLowerCase());
    await isSignedIn(page, language);
  });

  test('a wrong code and a wrong last group are said in words, and nothing on the page changes', async () => {
    const page = await atEnrolment(way, `wrong-${language}-${way.scripts.slice(0, 5).trim()}@example.com`);
    const key = await person.readKey(page, language);
    await person.typeDigits(page, way, wrongDigits(key));
    await page.locator('[role=alert]').waitFor();
    expect(await person.alert(page)).toBe(w.wrongDigits);
    expect(await person.readKey(page, language)).toBe(key);
    expect(await page.locator('input[name=code]').inputValue()).toBe('');
    await person.typeDigits(page, way, sixDigits(key));

    await person.isAt(page, 'new-recovery-code');
    const code = await person.readCode(page);
    await person.typeLastGroup(page, language, code.startsWith('0000') ? '1111' : '0000');
    await page.locator('[role=alert]').waitFor();
    expect(await person.alert(page)).toBe(w.wrongLastGroup);
    expect(await person.readCode(page)).toBe(code);
    await person.typeLastGroup(page, language, code.slice(-4));
    await isSignedIn(page, language);
  });
});

describe('reloading and going back', () => {
  test('each page stays what it was, with the same key and the same recovery code', async () => {
    const email = 'back@example.com';
    await town.hemma.account({ email });
    const page = await person.browserOf(town, sv);
    await person.begin(page, town.autopay, 'sv');
    await page.reload();
    await person.isAt(page, 'password');
    await page.goBack();
    await person.isBackAt(page, 'welcome');
    await page.goForward();
    await person.isAt(page, 'password');
    await person.typePassword(page, 'sv', email);

    await person.isAt(page, 'enrollment');
    const key = await person.readKey(page, 'sv');
    await page.reload();
    expect(await person.readKey(page, 'sv')).toBe(key);
    await page.goBack();
    await person.isAt(page, 'enrollment');
    expect(await person.readKey(page, 'sv')).toBe(key);
    await person.typeDigits(page, sv, sixDigits(key));

    await person.isAt(page, 'new-recovery-code');
    const code = await person.readCode(page);
    await page.reload();
    expect(await person.readCode(page)).toBe(code);
    await page.goBack();
    await person.isAt(page, 'new-recovery-code');
    expect(await person.readCode(page)).toBe(code);
    await person.typeLastGroup(page, 'sv', code.slice(-4));
    await isSignedIn(page, 'sv');
  });

  test('Back from Autopay shows no code any more, but says where the person stands and leads on', async () => {
    const page = await atEnrolment(sv, 'after@example.com');
    await person.typeDigits(page, sv, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    const code = await person.readCode(page);
    await person.typeLastGroup(page, 'sv', code.slice(-4));
    await isSignedIn(page, 'sv');
    await page.goBack();
    await page.locator('main[data-step]').waitFor();
    expect(await page.content()).not.toContain(code);
    expect(await person.said(page, 'main')).toMatch(/redan klar|redan inloggad/);
    // LOOK: "you see at once where you are, what is asked, and the way on".
    expect(await page.locator('main a[href]').count()).toBeGreaterThan(0);
  });
});

describe('keeping the recovery code', () => {
  test('with scripts it can be copied, downloaded and printed', async () => {
    const page = await atEnrolment(sv, 'keep@example.com');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await person.typeDigits(page, sv, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    const code = await person.readCode(page);
    await page.getByRole('button', { name: 'Kopiera' }).click();
    await page.getByRole('button', { name: 'Kopierad' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(code);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Ladda ner' }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toBe('engangskod.txt');
    const chunks = await (await file.createReadStream()).toArray();
    const text = Buffer.concat(chunks as Buffer[]).toString('utf8');
    expect(text).toContain(code);
    expect(text).toContain('keep@example.com');
    await page.evaluate('window.print = () => { document.title = "printed" }');
    await page.getByRole('button', { name: 'Skriv ut' }).click();
    expect(await page.title()).toBe('printed');
  });

  test('on paper stand the code and whose it is, and none of the buttons', async () => {
    const page = await atEnrolment(sv, 'paper@example.com');
    await person.typeDigits(page, sv, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    await page.emulateMedia({ media: 'print' });
    const paper = await page.locator('body').innerText();
    expect(paper.replaceAll(/\s/g, '')).toContain(await person.readCode(page));
    expect(paper).toContain('paper@example.com');
    expect(await page.locator('button:visible').count()).toBe(0);
  });

  test('without scripts the page says how to keep it, and shows no button that would do nothing', async () => {
    const plain: person.Way = { language: 'sv', scripts: 'without scripts' };
    const page = await atEnrolment(plain, 'plain@example.com');
    await person.typeDigits(page, plain, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    expect(await page.getByRole('button', { name: /Kopiera|Ladda ner|Skriv ut/ }).count()).toBe(0);
    expect(await person.said(page, '[data-without-script]')).toMatch(/kopiera den, eller skriv ut/);
  });
});

describe('closing the tab before the code is kept', () => {
  test.each(person.everyWay)(
    'later the password and six digits lead to a new code, $language, $scripts',
    async (way) => {
      const email = `later-${way.language}-${way.scripts.slice(0, 5).trim()}@example.com`;
      const page = await atEnrolment(way, email);
      const key = await person.readKey(page, way.language);
      await person.typeDigits(page, way, sixDigits(key));
      await person.isAt(page, 'new-recovery-code');
      const lost = await person.readCode(page);
      await page.close();

      const later = await town.newTab(page);
      await person.begin(later, town.autopay, way.language);
      await person.typePassword(later, way.language, email);
      await person.isAt(later, 'totp');
      await person.typeDigits(later, way, person.nextDigits(key));
      await person.isAt(later, 'new-recovery-code');
      const code = await person.readCode(later);
      expect(code).toMatch(CODE);
      expect(code).not.toBe(lost);
      // The code of the tab that was closed is not what this page asks for.
      await person.typeLastGroup(later, way.language, lost.slice(-4));
      await later.locator('[role=alert]').waitFor();
      await person.typeLastGroup(later, way.language, code.slice(-4));
      await isSignedIn(later, way.language);
    },
  );
});
