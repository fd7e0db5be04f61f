/** J5 in the browser: a person, an agent and a second agent without scripts, over real SMTP; every page for everybody. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { violations } from '../rig/axe.ts';
import { back } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { connectPhone, typePassword } from '../rig/ceremony.ts';
import { nextDigits } from '../new-phone/people.ts';
import { enrolled, isAt, isAtAutopay, readCode, scanned, startTown, type Town } from '../new-phone/town.ts';
import { codeMailedTo, stopCodeMailedTo } from './desk.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown();
});
afterAll(() => town.stop());
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

const press = (page: Page, words: string) => page.getByRole('link', { name: words, exact: true }).click();
const pressButton = (page: Page, words: string) =>
  page.getByRole('button', { name: words, exact: true }).click();

/** What is wrong with a page, by axe and on the narrowest phone: nothing. */
async function isForEverybody(page: Page): Promise<void> {
  const size = page.viewportSize() ?? { width: 1024, height: 800 };
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.setViewportSize({ width: 320, height: 800 });
  const named = await violations(page);
  const wider = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  await page.setViewportSize(size);
  expect([page.url(), named, wider]).toEqual([page.url(), [], 0]);
}

/** An operator in a browser of their own, at the queue. */
async function atDesk(email: string, javaScript = true): Promise<Page> {
  await town.hemma.account({ email, role: 'help-desk' });
  const visitor = newVisitor();
  await visitor.visit(town.hemma.url('/admin/cases'));
  await typePassword(visitor, email);
  const { key } = await connectPhone(visitor);
  const page = await town.newPerson({ javaScript });
  await page.goto(town.hemma.url('/admin/cases'));
  await page.getByLabel('E-postadress').fill(email);
  await page.getByLabel('Lösenord', { exact: true }).fill(PASSWORD);
  await pressButton(page, 'Logga in');
  await page.getByLabel('Sex siffror').fill(nextDigits(key));
  if (!javaScript) await pressButton(page, 'Logga in');
  await isAt(page, 'cases');
  return page;
}

/** The person's part up to the case's number. */
async function openCase(email: string): Promise<{ page: Page; number: string }> {
  const page = await town.newPerson();
  await page.goto(`${town.autopay}/sign-in`);
  await page.getByLabel('E-postadress').fill(email);
  await page.getByLabel('Lösenord', { exact: true }).fill(PASSWORD);
  await pressButton(page, 'Logga in');
  await press(page, 'Ny eller förlorad telefon?');
  await press(page, 'Jag har inte kvar min engångskod');
  await isAt(page, 'help-desk');
  await isForEverybody(page);
  await pressButton(page, 'Öppna ett ärende');
  const number = (await page.locator('[data-case-number]').innerText()).trim();
  await isForEverybody(page);
  return { page, number };
}

test('J5 a person opens a case, an agent ticks and sends, and the person is in with a new phone', async () => {
  const email = 'astrid@example.com';
  await enrolled(town, email);
  const { page, number } = await openCase(email);
  const agent = await atDesk('agent@example.com');
  await isForEverybody(agent);
  await press(agent, number);
  await agent.getByLabel('Uppringd på ett nummer som vi redan hade').check();
  await pressButton(agent, 'Spara kryssen');
  await agent.getByLabel('Ny anteckning').fill('Ringde upp på växelns nummer.');
  await pressButton(agent, 'Spara anteckningen');
  await isForEverybody(agent);
  await press(agent, 'Skicka koden');
  await isForEverybody(agent);
  await pressButton(agent, 'Skicka koden');
  await agent.locator('[data-state=sent]').waitFor();
  const code = await codeMailedTo(town.hemma, email);

  await press(page, 'Jag har fått koden');
  await page.getByLabel('Engångskod').fill(code);
  await pressButton(page, 'Ja, koppla en ny');
  await isAt(page, 're-enrollment');
  await page
    .getByLabel('Skriv de sex siffrorna som appen visar')
    .pressSequentially(sixDigits(await scanned(page)));
  await isAt(page, 'new-recovery-code');
  await page.getByLabel('Skriv de fyra sista tecknen').fill((await readCode(page)).slice(-4));
  await pressButton(page, 'Jag har sparat koden');
  await isAtAutopay(page, 'payments');
  await agent.reload();
  await agent.locator('[data-state=new-phone]').waitFor();
});

test('J5 two agents, one of them without scripts, reset an account; and a person stops a case', async () => {
  const email = 'bertil@example.com';
  await enrolled(town, email);
  const { number } = await openCase(email);
  const [one, other] = [await atDesk('one@example.com'), await atDesk('other@example.com', false)];
  await press(one, number);
  await one.getByLabel('Legitimation visad').check();
  await pressButton(one, 'Spara kryssen');
  await press(one, 'Be om att få nollställa kontot');
  await isForEverybody(one);
  await pressButton(one, 'Be om att få nollställa kontot');
  await one.locator('[data-state=approval]').waitFor();
  await other.reload();
  await press(other, number);
  await press(other, 'Godkänn');
  await pressButton(other, 'Godkänn');
  await other.locator('[data-state=invited-anew]').waitFor();
  await town.hemma.mail.mailTo(email, /Börja om/);

  const second = 'cecilia@example.com';
  await enrolled(town, second);
  await openCase(second);
  const stopper = await town.newPerson({ javaScript: false });
  await stopper.goto(town.hemma.url('/help-desk/stop'));
  await stopper.getByLabel('Stoppkod').fill(await stopCodeMailedTo(town.hemma, second));
  await pressButton(stopper, 'Stoppa ärendet');
  await isAt(stopper, 'stopped');
  const looked = await town.newPerson();
  await looked.goto(town.hemma.url('/help-desk/stop'));
  await isForEverybody(looked);
});
