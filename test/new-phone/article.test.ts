/** J4: the article, word for word, in Swedish, in a real browser, with the real Autopay. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { newVisitor } from '../rig/visitor.ts';
import { nextDigits } from './people.ts';
import { enrolled, isAt, isAtAutopay, readCode, scanned, startTown, type Town } from './town.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown();
});
afterAll(() => town.stop());
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

const email = 'astrid@example.com';

/** Presses what the article names, by the words that the article has for it. */
const press = (page: Page, words: string) => page.getByRole('link', { name: words, exact: true }).click();
const pressButton = (page: Page, words: string) =>
  page.getByRole('button', { name: words, exact: true }).click();

async function typeAddressAndPassword(page: Page): Promise<void> {
  await isAt(page, 'password');
  await page.getByLabel('E-postadress').fill(email);
  await page.getByLabel('Lösenord', { exact: true }).fill(PASSWORD);
  await pressButton(page, 'Logga in');
}

/** "tänk på att spara den nya koden som kommer upp på skärmen" */
async function keepTheNewCode(page: Page): Promise<string> {
  await isAt(page, 'new-recovery-code');
  const code = await readCode(page);
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
  await page.getByLabel('Skriv de fyra sista tecknen').fill(code.slice(-4));
  await pressButton(page, 'Jag har sparat koden');
  return code;
}

/** Whether a code still opens a sign-in, tried elsewhere. */
async function opens(code: string): Promise<boolean> {
  const visitor = newVisitor();
  await visitor.visit(`${town.autopay}/sign-in`);
  at('totp', await typePassword(visitor, email));
  return (await visitor.submit({ code })).step === 'recovery-code' && visitor.screen.refusal === undefined;
}

/** 1-2: in by code instead of the phone. */
async function signInByCode(page: Page, code: string): Promise<string> {
  await page.goto(town.autopay);
  await press(page, 'Logga in');
  await typeAddressAndPassword(page);
  await isAt(page, 'totp');
  await press(page, 'Prova ett annat sätt');
  await isAt(page, 'another-way');
  await press(page, 'Skriv in en engångskod');
  await isAt(page, 'recovery-code');
  await page.getByLabel('Engångskod').fill(code);
  await pressButton(page, 'Nej, jag har den bara inte här');
  const next = await keepTheNewCode(page);
  await isAtAutopay(page, 'payments');
  return next;
}

/** 3, up to "efter att man har inaktiverat tvåstegsverifieringen". */
async function deactivate(page: Page, code: string): Promise<void> {
  const name = page.locator('.menu > summary');
  const place = await name.boundingBox();
  expect(place?.y).toBeLessThan(64);
  expect((place?.x ?? 0) + (place?.width ?? 0)).toBeGreaterThan(1024 * 0.8);
  expect(await name.innerText()).toContain('Astrid Lind');
  await name.click();
  await press(page, 'Mina uppgifter');
  await isAt(page, 'account');
  await press(page, 'Inaktivera tvåstegsverifiering');
  await typeAddressAndPassword(page);
  await isAt(page, 'totp');
  await press(page, 'Förlorat min telefon');
  await press(page, 'Skriv in en engångskod');
  await page.getByLabel('Engångskod').fill(code);
  await pressButton(page, 'Fortsätt');
  await isAt(page, 'confirm');
  expect(await page.locator('main').innerText()).toContain(email);
  await pressButton(page, 'Inaktivera tvåstegsverifiering');
  await isAt(page, 'account');
  await page.getByText('Tvåstegsverifiering är av', { exact: true }).waitFor();
}

/** 3, the rest: "Aktivera tvåstegsverifiering", QR code, six digits. */
async function activate(page: Page): Promise<{ key: string; code: string }> {
  await press(page, 'Aktivera tvåstegsverifiering');
  await typeAddressAndPassword(page);
  await isAt(page, 'enrollment');
  await page.getByRole('img', { name: `QR-kod för ${email}` }).waitFor();
  const key = await scanned(page);
  // With scripts the sixth digit sends them.
  await page.getByLabel('Skriv de sex siffrorna som appen visar').pressSequentially(nextDigits(key));
  const code = await keepTheNewCode(page);
  await isAt(page, 'account');
  await page.getByText(/^Tvåstegsverifiering är på, sedan/).waitFor();
  return { key, code };
}

/** 4: "logga ut helt" and "sedan prova att logga in igen". */
async function signOutAndIn(page: Page, key: string): Promise<void> {
  await page.goto(town.autopay);
  await page.locator('.menu > summary').click();
  await pressButton(page, 'Logga ut');
  await isAt(page, 'sign-out');
  await pressButton(page, 'Logga ut');
  await isAtAutopay(page, 'signed-out');
  await press(page, 'Logga in igen');
  await typeAddressAndPassword(page);
  await isAt(page, 'totp');
  await page.getByLabel('Sex siffror').pressSequentially(nextDigits(key));
  await isAtAutopay(page, 'payments');
}

test('SECURITY 14 everything in the article can be done as it says, and every code works once', async () => {
  const kept = await enrolled(town, email);
  const page = await town.newPerson();
  const second = await signInByCode(page, kept.recoveryCode);
  expect(await opens(kept.recoveryCode)).toBe(false);
  await deactivate(page, second);
  const { key, code } = await activate(page);
  expect(key).not.toBe(kept.key);
  expect(await opens(second)).toBe(false);
  expect(await opens(code)).toBe(true);
  await signOutAndIn(page, key);
});
