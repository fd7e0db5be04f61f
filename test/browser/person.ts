/** What people do on the pages, step by step, in either language and with or without scripts. */
import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import * as ceremony from '../rig/ceremony.ts';
import { seconds, travelTo } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import type { Town } from './town.ts';
import { type Language, words } from './words.ts';

export interface Way {
  language: Language;
  scripts: 'with scripts' | 'without scripts';
}

/** Everybody who must get through: both languages, with JavaScript and without. */
export const everyWay: Way[] = [
  { language: 'sv', scripts: 'with scripts' },
  { language: 'sv', scripts: 'without scripts' },
  { language: 'en', scripts: 'with scripts' },
  { language: 'en', scripts: 'without scripts' },
];

/** One of each, where the page is the same for all and only its parts are tried. */
export const twoWays: Way[] = [
  { language: 'sv', scripts: 'with scripts' },
  { language: 'en', scripts: 'without scripts' },
];

/** A browser as this person has it. */
export const browserOf = (town: Town, { language, scripts }: Way): Promise<Page> =>
  town.newPerson({ locale: words[language].locale, javaScript: scripts === 'with scripts' });

/** Waits until the page in front of the person is this step of Hemma's, and its scripts are there. */
export async function isAt(page: Page, step: string): Promise<void> {
  await page.locator(`main[data-step="${step}"]`).waitFor();
  await page.waitForLoadState('load');
}

/** Waits until the page in front of the person is this page of Autopay or Lön. */
export const isBackAt = (page: Page, name: string): Promise<void> =>
  page.locator(`main[data-page="${name}"]`).waitFor();

/** The words of an element, with white space folded. */
export const said = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().innerText()).replaceAll(/\s+/g, ' ').trim();

export const heading = (page: Page): Promise<string> => said(page, 'h1');
export const alert = (page: Page): Promise<string> => said(page, 'main [role=alert]');

/** Goes to the moment when the phone shows a new code: the whole of its half minute is left for what follows. */
function waitForNextCode(): void {
  travelTo(new Date((Math.floor(Date.now() / seconds(30)) + 1) * seconds(30)));
}

/** The digits that the phone shows next; no code is ever shown twice. */
export function nextDigits(key: string): string {
  waitForNextCode();
  return sixDigits(key);
}

/** From the start page of an application to the e-mail and password page. */
export async function begin(page: Page, application: string, language: Language): Promise<void> {
  await page.goto(application);
  await page.getByRole('link', { name: words[language].signIn, exact: true }).click();
  await isAt(page, 'password');
}

export async function typePassword(
  page: Page,
  language: Language,
  email: string,
  password = PASSWORD,
): Promise<void> {
  const w = words[language];
  await page.getByLabel(w.email).fill(email);
  await page.getByLabel(w.password, { exact: true }).fill(password);
  await page.getByRole('button', { name: w.signIn, exact: true }).click();
}

/** Types six digits the way a person does: with scripts the sixth sends them, without a button does. */
export async function typeDigits(page: Page, { language, scripts }: Way, digits: string): Promise<void> {
  const w = words[language];
  const field = page.locator('input[name=code]');
  // Digits that are there before the page's script are for the button to send; here the script is meant.
  await page.waitForLoadState('load');
  await field.fill('');
  await field.pressSequentially(digits);
  if (scripts === 'with scripts') return;
  await page.getByRole('button', { name: new RegExp(`^(${w.signIn}|${w.connect})$`) }).click();
}

/** The key as text, from behind "I can't scan". */
export async function readKey(page: Page, language: Language): Promise<string> {
  const key = page.locator('[data-key]');
  if (!(await key.isVisible())) await page.getByText(words[language].cannotScan).click();
  return (await key.innerText()).trim();
}

/** The recovery code as it is read from the page. */
export const readCode = async (page: Page): Promise<string> =>
  (await page.locator('.recovery-code').innerText()).replaceAll(/\s/g, '');

export async function typeLastGroup(page: Page, language: Language, lastGroup: string): Promise<void> {
  const w = words[language];
  await page.getByLabel(w.lastGroup).fill(lastGroup);
  await page.getByRole('button', { name: w.saved }).click();
}

/** An ordinary sign-in from an application's start page, up to where the six digits were taken. */
export async function signIn(
  page: Page,
  way: Way,
  { application, email, key }: { application: string; email: string; key: string },
): Promise<void> {
  await begin(page, application, way.language);
  await typePassword(page, way.language, email);
  await isAt(page, 'totp');
  await typeDigits(page, way, nextDigits(key));
  await page.locator('main[data-page]').waitFor();
}

/** The menu under the person's name, at the top right of Autopay. */
export async function openMenu(page: Page): Promise<void> {
  await page.locator('.menu > summary').click();
}

/** Signs out of an application: its menu, and the question that Hemma asks once. */
export async function signOut(page: Page, language: Language): Promise<void> {
  const w = words[language];
  await openMenu(page);
  await page.getByRole('button', { name: w.signOut }).click();
  await isAt(page, 'sign-out');
  await page.getByRole('button', { name: w.signOut, exact: true }).click();
  await isBackAt(page, 'signed-out');
}

/** A new account, and its person on the enrolment page. */
export async function atEnrolment(town: Town, way: Way, email: string): Promise<Page> {
  await town.hemma.account({ email });
  const page = await browserOf(town, way);
  await begin(page, town.autopay, way.language);
  await typePassword(page, way.language, email);
  await isAt(page, 'enrollment');
  return page;
}

/** The person is in Autopay, and it says so: its own page, with the name at the top right. */
export async function isSignedIn(page: Page, language: Language, name = 'Astrid Lind'): Promise<void> {
  await isBackAt(page, 'payments');
  expect(await heading(page)).toBe(words[language].payments);
  const place = await page.getByText(name, { exact: true }).boundingBox();
  expect(place?.y).toBeLessThan(64);
  expect((place?.x ?? 0) + (place?.width ?? 0)).toBeGreaterThan((page.viewportSize()?.width ?? 0) * 0.8);
}

/** Somebody who has connected a phone already, elsewhere and earlier; answers the phone's key. */
export async function enrolled(town: Town, email: string, name = 'Astrid Lind'): Promise<string> {
  await town.hemma.account({ email, name });
  waitForNextCode();
  const visitor = newVisitor();
  await visitor.visit(`${town.autopay}/sign-in`);
  await ceremony.typePassword(visitor, email);
  const { key } = await ceremony.connectPhone(visitor);
  expect(visitor.screen.url.origin).toBe(town.autopay);
  return key;
}
