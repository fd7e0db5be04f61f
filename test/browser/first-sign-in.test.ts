/** J1: somebody comes to Autopay for the first time, with a phone in the hand and the password alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { scan, sixDigits, wrongDigits } from '../rig/totp.ts';
import * as person from './person.ts';
import { squaresOf, squaresOnPage } from './qr-code.ts';
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
const CODE = /^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/;

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
    const link = (await page.getByRole('link', { name: w.openApp }).getAttribute('href')) ?? '';
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
    await person.isSignedIn(page, language);
  });
});

describe.each(person.twoWays)('mistakes at the first sign-in, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('a wrong code and a wrong last group are said in words, and nothing on the page changes', async () => {
    const page = await person.atEnrolment(
      town,
      way,
      `wrong-${language}-${way.scripts.slice(0, 5).trim()}@example.com`,
    );
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
    await person.isSignedIn(page, language);
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
    await person.isSignedIn(page, 'sv');
  });

  test('Back from Autopay shows no code any more, but says where the person stands and leads on', async () => {
    const page = await person.atEnrolment(town, sv, 'after@example.com');
    await person.typeDigits(page, sv, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    const code = await person.readCode(page);
    await person.typeLastGroup(page, 'sv', code.slice(-4));
    await person.isSignedIn(page, 'sv');
    await page.goBack();
    await page.locator('main[data-step]').waitFor();
    expect(await page.content()).not.toContain(code);
    expect(await person.said(page, 'main')).toMatch(/redan klar|redan inloggad/);
    // LOOK: "you see at once where you are, what is asked, and the way on".
    expect(await page.locator('main a[href]').count()).toBeGreaterThan(0);
  });
});
