/** A walk past every page of Hemma, Autopay and Lön in one language; `look` is called in front of each. */
import type { Page } from 'playwright-core';
import { days, minutes, travel } from '../rig/clock.ts';
import { newDevice } from '../protocol/devices.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { wrongDigits } from '../rig/totp.ts';
import * as person from './person.ts';
import type { Town } from './town.ts';
import { type Language, words } from './words.ts';

export type Look = (page: Page, name: string) => Promise<void>;

interface Walk {
  town: Town;
  language: Language;
  way: person.Way;
  look: Look;
}

const browser = ({ town, language }: Walk) => town.newPerson({ locale: words[language].locale });

/** From the welcome page to the payments, with every refusal on the way; answers the page and the phone's key. */
async function firstSignIn(walk: Walk, email: string): Promise<{ page: Page; key: string }> {
  const { town, language, way, look } = walk;
  await town.hemma.account({ email, name: 'Astrid Lind' });
  const page = await browser(walk);
  await page.goto(town.autopay);
  await look(page, 'autopay-welcome');
  await person.begin(page, town.autopay, language);
  await look(page, 'password');
  await person.typePassword(page, language, email, 'fel');
  await look(page, 'password-refused');
  await person.typePassword(page, language, email);
  await person.isAt(page, 'enrollment');
  await look(page, 'enrollment');
  const key = await person.readKey(page, language);
  await look(page, 'enrollment-key');
  await person.typeDigits(page, way, wrongDigits(key));
  await page.locator('[role=alert]').waitFor();
  await look(page, 'enrollment-refused');
  await person.typeDigits(page, way, person.nextDigits(key));
  await person.isAt(page, 'new-recovery-code');
  await look(page, 'new-recovery-code');
  const code = await person.readCode(page);
  await person.typeLastGroup(page, language, '----');
  await page.locator('[role=alert]').waitFor();
  await look(page, 'new-recovery-code-refused');
  await person.typeLastGroup(page, language, code.slice(-4));
  await person.isBackAt(page, 'payments');
  await page.locator('main form button').first().click();
  await page.locator('.done').waitFor();
  await look(page, 'autopay-payments');
  await person.openMenu(page);
  await look(page, 'autopay-menu');
  return { page, key };
}

/** Out, in again with the device remembered, My details, Lön, and out of everything. */
async function ordinaryDay(walk: Walk, page: Page, email: string, key: string): Promise<void> {
  const { town, language, way, look } = walk;
  const w = words[language];
  await page.goto(town.autopay);
  await person.signOut(page, language);
  await look(page, 'autopay-signed-out');
  await person.begin(page, town.autopay, language);
  await person.typePassword(page, language, email);
  await person.isAt(page, 'totp');
  await look(page, 'totp');
  await person.typeDigits(page, way, wrongDigits(key));
  await page.locator('[role=alert]').waitFor();
  await look(page, 'totp-refused');
  await page.getByLabel(w.remember).check();
  await person.typeDigits(page, way, person.nextDigits(key));
  await person.isBackAt(page, 'payments');
  await page.goto(town.hemma.url('/account'));
  await look(page, 'my-details');
  await page.locator('main form button').first().click();
  await page.locator('[role=status]').waitFor();
  await look(page, 'my-details-saved');
  await page.goto(town.lon);
  await look(page, 'lon-welcome');
  await page.getByRole('link', { name: w.signIn, exact: true }).click();
  await person.isBackAt(page, 'payslips');
  await look(page, 'lon-payslips');
  await page.goto(town.hemma.url('/session/end'));
  await person.isAt(page, 'sign-out');
  await look(page, 'sign-out');
  await page.getByRole('button', { name: w.signOut, exact: true }).click();
  await person.isAt(page, 'signed-out');
  await look(page, 'signed-out');
}

/** The pages that are rarer: another account, consent, a mailed code, no two-step verification. */
async function rareDays(walk: Walk, page: Page, email: string, key: string): Promise<void> {
  const { town, language, way, look } = walk;
  const club = await startRelyingParty({
    hemma: town.hemma,
    description: { name: 'Bokklubben', firstParty: false, deviceFlow: true },
  });
  try {
    const single = `single-${language}@example.com`;
    await town.hemma.account({ email: single, twoStepRequired: false });
    await person.begin(page, town.autopay, language);
    await person.typePassword(page, language, single);
    await person.isBackAt(page, 'payments');
    await page.goto(town.hemma.url('/account'));
    await look(page, 'my-details-one-step');
    await page.goto((await club.begin({ prompt: 'login', ui_locales: language })).url);
    await person.typePassword(page, language, email);
    await person.isAt(page, 'other-account');
    await look(page, 'other-account');
    const other = await browser(walk);
    await other.goto((await club.begin({ ui_locales: language })).url);
    await person.typePassword(other, language, email);
    await person.isAt(other, 'totp');
    await person.typeDigits(other, way, person.nextDigits(key));
    await person.isAt(other, 'consent');
    await look(other, 'consent');
    await other.getByRole('button', { name: words[language].deny, exact: true }).click();
    await person.isAt(other, 'back');
    await devices(walk, other, club);
  } finally {
    await club.stop();
  }
}

/** Two devices of an application: one is let in by the code in its link, the other is not. */
async function devices({ town, look }: Walk, page: Page, club: RelyingParty): Promise<void> {
  const [wanted, stranger] = [await newDevice(town.hemma, club), await newDevice(town.hemma, club)];
  const press = () => page.locator('main form button').first().click();
  await page.goto(town.hemma.url('/device'));
  await look(page, 'device');
  await page.locator('[name=user_code]').fill('BCDF GHJK');
  await press();
  await page.locator('[role=alert]').waitFor();
  await look(page, 'device-refused');
  await page.goto(wanted.link);
  await press();
  await person.isAt(page, 'device-confirm');
  await look(page, 'device-confirm');
  await press();
  await person.isAt(page, 'consent');
  await press();
  await person.isAt(page, 'device-allowed');
  await look(page, 'device-allowed');
  await page.goto(stranger.link);
  await press();
  await page.locator('button[name=abort]').click();
  await person.isAt(page, 'device-not-allowed');
  await look(page, 'device-not-allowed');
}

async function problems(walk: Walk): Promise<void> {
  const { town, language, look } = walk;
  const email = `late-${language}@example.com`;
  await town.hemma.account({ email, locale: language });
  travel(days(8));
  const page = await browser(walk);
  await person.begin(page, town.autopay, language);
  await person.typePassword(page, language, email);
  await person.isAt(page, 'mailed-code');
  await look(page, 'mailed-code');
  await page.getByRole('button', { name: words[language].mailAgain }).click();
  await page.locator('[role=alert]').waitFor();
  await look(page, 'mailed-code-throttled');
  travel(minutes(31));
  await page.reload();
  await person.isAt(page, 'problem');
  await look(page, 'problem-expired');
  await page.goto(town.hemma.url('/nowhere'));
  await look(page, 'problem-not-found');
  await page.goto(town.hemma.url('/auth?client_id=nobody'));
  await look(page, 'problem-unknown-application');
  await page.goto(town.hemma.url('/session/end?id_token_hint=x'));
  await look(page, 'problem-sign-out');
  await page.goto(`${town.autopay}/nowhere`);
  await look(page, 'autopay-not-found');
  await page.goto(`${town.autopay}/callback?error=access_denied&state=x`);
  await look(page, 'autopay-problem');
  await page.goto(town.hemma.url('/dev/mail'));
  await person.isAt(page, 'dev-mail');
  await look(page, 'dev-mail');
}

/** The town must show its mails on the page (`HEMMA_SMTP_URL` empty). Travels in time: put the clock back after. */
export async function tour(town: Town, language: Language, look: Look): Promise<void> {
  const walk: Walk = { town, language, way: { language, scripts: 'with scripts' }, look };
  const email = `astrid.lind-${language}@example.com`;
  const { page, key } = await firstSignIn(walk, email);
  await ordinaryDay(walk, page, email, key);
  await rareDays(walk, page, email, key);
  await problems(walk);
}
