/** The recovery code of the first sign-in: keeping it, and the tab that was closed before it was kept. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { sixDigits } from '../rig/totp.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';

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

describe('keeping the recovery code', () => {
  test('with scripts it can be copied, downloaded and printed', async () => {
    const page = await person.atEnrolment(town, sv, 'keep@example.com');
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
    const page = await person.atEnrolment(town, sv, 'paper@example.com');
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
    const page = await person.atEnrolment(town, plain, 'plain@example.com');
    await person.typeDigits(page, plain, sixDigits(await person.readKey(page, 'sv')));
    await person.isAt(page, 'new-recovery-code');
    expect(await page.getByRole('button', { name: /Kopiera|Ladda ner|Skriv ut/ }).count()).toBe(0);
    expect(await person.said(page, '[data-without-script]')).toMatch(/kopiera den, eller skriv ut/);
  });
});

describe('closing the tab before the code is kept', () => {
  test.each(person.twoWays)(
    'later the password and six digits lead to a new code, $language, $scripts',
    async (way) => {
      const email = `later-${way.language}-${way.scripts.slice(0, 5).trim()}@example.com`;
      const page = await person.atEnrolment(town, way, email);
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
      await person.isSignedIn(later, way.language);
    },
  );
});
