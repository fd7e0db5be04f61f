/** J3: a new phone in seven screens, with one password and no account page, from Autopay back to Autopay. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { connectNewPhone, newKeyOnPage, nextDigits } from './people.ts';
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

const press = (page: Page, words: string) => page.getByRole('link', { name: words, exact: true }).click();
const pressButton = (page: Page, words: string) =>
  page.getByRole('button', { name: words, exact: true }).click();

/** Keeps the address of every page that the browser shows from now on; redirects show none. */
function countScreens(page: Page): string[] {
  const screens: string[] = [];
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame()) screens.push(new URL(frame.url()).pathname.split('/').at(-1) ?? '');
  });
  return screens;
}

async function typeAddressAndPassword(page: Page, email: string): Promise<void> {
  await page.getByLabel('E-postadress').fill(email);
  await page.getByLabel('Lösenord', { exact: true }).fill(PASSWORD);
  await pressButton(page, 'Logga in');
}

/** From the QR code to the application. */
async function connect(page: Page): Promise<void> {
  await isAt(page, 're-enrollment');
  await page
    .getByLabel('Skriv de sex siffrorna som appen visar')
    .pressSequentially(sixDigits(await scanned(page)));
  await isAt(page, 'new-recovery-code');
  await page.getByLabel('Skriv de fyra sista tecknen').fill((await readCode(page)).slice(-4));
  await pressButton(page, 'Jag har sparat koden');
}

const deepLink = () => `${town.autopay}/sign-in?returnTo=${encodeURIComponent('/?from=mail')}`;

describe('a new phone, in the browser', () => {
  test('takes at most seven screens, one password and no account page, and the link that began it is kept', async () => {
    const email = 'seven@example.com';
    const { recoveryCode } = await enrolled(town, email);
    const page = await town.newPerson();
    const screens = countScreens(page);
    await page.goto(deepLink());
    await typeAddressAndPassword(page, email);
    await isAt(page, 'totp');
    await press(page, 'Ny eller förlorad telefon?');
    await isAt(page, 'recovery-code');
    await page.getByLabel('Engångskod').fill(recoveryCode.toLowerCase().replaceAll('-', ' '));
    await pressButton(page, 'Ja, koppla en ny');
    await connect(page);
    await isAtAutopay(page, 'payments');
    expect(page.url()).toBe(`${town.autopay}/?from=mail`);
    expect(screens).toEqual(['password', 'totp', 'recovery-code', 're-enrollment', 'new-recovery-code', '']);
  });

  test('begins on the password page too, also where the device is remembered', async () => {
    const email = 'remembered@example.com';
    const { key, recoveryCode } = await enrolled(town, email);
    const page = await town.newPerson();
    await page.goto(`${town.autopay}/sign-in`);
    await typeAddressAndPassword(page, email);
    await page.getByLabel('Kom ihåg den här enheten i 30 dagar').check();
    await page.getByLabel('Sex siffror').pressSequentially(nextDigits(key));
    await isAtAutopay(page, 'payments');
    // Ten hours later both sessions are over; the device is remembered all the same.
    travel(minutes(600));
    const screens = countScreens(page);
    await page.goto(deepLink());
    await isAt(page, 'password');
    await press(page, 'Ny eller förlorad telefon?');
    await page.getByText('Lösenordet först. Sedan kopplar vi din nya telefon.').waitFor();
    await typeAddressAndPassword(page, email);
    await isAt(page, 'totp');
    await press(page, 'Ny eller förlorad telefon?');
    await page.getByLabel('Engångskod').fill(recoveryCode);
    await pressButton(page, 'Ja, koppla en ny');
    await connect(page);
    await isAtAutopay(page, 'payments');
    expect(screens.length).toBeLessThanOrEqual(7);
    // The old phone's remembered devices went with it.
    await page.context().clearCookies({ name: /session/ });
    await page.goto(`${town.autopay}/sign-in`);
    await typeAddressAndPassword(page, email);
    await isAt(page, 'totp');
  });

  test('takes the code in the field of the six digits, and then asks only whether the phone is gone', async () => {
    const email = 'pasted@example.com';
    const { recoveryCode } = await enrolled(town, email);
    const page = await town.newPerson();
    const screens = countScreens(page);
    await page.goto(`${town.autopay}/sign-in`);
    await typeAddressAndPassword(page, email);
    await isAt(page, 'totp');
    await page.getByLabel('Sex siffror').fill(recoveryCode);
    await pressButton(page, 'Logga in');
    await isAt(page, 'recovery-code');
    expect(await page.locator('h1').innerText()).toBe('Är telefonen borta för gott?');
    expect(await page.locator('main input:visible').count()).toBe(0);
    await pressButton(page, 'Ja, koppla en ny');
    await connect(page);
    await isAtAutopay(page, 'payments');
    expect(screens.length).toBeLessThanOrEqual(7);
  });

  test('takes a code that is typed letter by letter, also one that begins with six digits', async () => {
    const email = 'typed@example.com';
    await enrolled(town, email);
    const page = await town.newPerson();
    await page.goto(`${town.autopay}/sign-in`);
    await typeAddressAndPassword(page, email);
    await isAt(page, 'totp');
    await page.getByLabel('Sex siffror').pressSequentially('1234-56AB-CDEF-GHJK-MNPQ');
    await pressButton(page, 'Logga in');
    await page.locator('[data-refusal="wrong-recovery-code"]').waitFor();
  });
});

describe('a new phone, without scripts', () => {
  test('takes at most seven screens, one password and no account page, and the link that began it is kept', async () => {
    const email = 'plain@example.com';
    const { recoveryCode } = await enrolled(town, email);
    const visitor = newVisitor();
    const screens: Screen[] = [await visitor.visit(deepLink())];
    screens.push(at('totp', await typePassword(visitor, email)));
    screens.push(at('recovery-code', await visitor.follow('Ny eller förlorad telefon?')));
    screens.push(await visitor.submit({ code: recoveryCode }, 'Ja, koppla en ny'));
    const key = newKeyOnPage(visitor.screen);
    screens.push(await visitor.submit({ code: sixDigits(key) }, 'Koppla telefonen'));
    const lastGroup = recoveryCodeOnPage(visitor.screen).slice(-4);
    screens.push(await visitor.submit({ lastGroup }, 'Jag har sparat koden'));
    expect(visitor.screen.url.href).toBe(`${town.autopay}/?from=mail`);
    expect(visitor.screen.heading).toBe('Betalningar att godkänna');
    expect(screens.length).toBeLessThanOrEqual(7);
    expect(screens.filter(({ step }) => step === 'password')).toHaveLength(1);
    expect(screens.filter(({ step }) => step === 'account')).toHaveLength(0);
  });

  test('inside the approval of a payment, the payment is approved at the end (J8)', async () => {
    const email = 'approves@example.com';
    const { key, recoveryCode } = await enrolled(town, email);
    const visitor = newVisitor();
    await visitor.visit(`${town.autopay}/sign-in`);
    await typePassword(visitor, email);
    await visitor.submit({ code: nextDigits(key) });
    const waiting = visitor.screen.page.querySelectorAll('[data-payment] form').length;
    travel(minutes(6));
    const approve = visitor.screen.page.querySelector('[data-payment] form button');
    at('password', await visitor.submit({}, approve?.textContent.replaceAll(/\s+/g, ' ').trim()));
    at('totp', await typePassword(visitor, email));
    await visitor.follow('Ny eller förlorad telefon?');
    await visitor.submit({ code: recoveryCode }, 'Ja, koppla en ny');
    await connectNewPhone(visitor);
    expect(visitor.screen.heading).toBe('Betalningar att godkänna');
    expect(visitor.screen.page.querySelectorAll('[data-payment] form')).toHaveLength(waiting - 1);
  });
});
