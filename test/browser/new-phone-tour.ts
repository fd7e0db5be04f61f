/** A walk past the pages of the day with a new phone, of forgotten things, and of every deed of My details. */
import type { Page } from 'playwright-core';
import { emailThrottleSubject } from '../../src/users/profile.ts';
import { countAttempt } from '../../src/security/throttle.ts';
import { minutes, travel } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { sixDigits } from '../rig/totp.ts';
import * as person from './person.ts';
import type { Town } from './town.ts';
import { type Language, words } from './words.ts';
import type { Look } from './tour.ts';

interface Walk {
  town: Town;
  language: Language;
  email: string;
  page: Page;
  look: Look;
}

interface Phone {
  key: string;
  code: string;
}

const press = (page: Page, button: string) => page.locator(`main button[${button}]`).first().click();
const submit = (page: Page) => page.locator('main form button[type=submit]').first().click();

const ceremony = ({ town, language }: Walk, intent: string) => {
  const url = new URL(town.hemma.url('/auth'));
  url.search = new URLSearchParams({
    client_id: 'hemma-account',
    response_type: 'none',
    scope: 'openid',
    redirect_uri: town.hemma.url('/account'),
    prompt: 'login',
    ui_locales: language,
    intent,
  }).toString();
  return url.href;
};

/** Connects the phone of the page with the QR code, and keeps the recovery code. */
async function connect({ page, language }: Walk, name: 'enrollment' | 're-enrollment'): Promise<Phone> {
  await person.isAt(page, name);
  const key = await person.readKey(page, language);
  await page.locator('input[name=code]').fill(person.nextDigits(key));
  await person.isAt(page, 'new-recovery-code');
  const code = await person.readCode(page);
  await person.typeLastGroup(page, language, code.slice(-4));
  return { key, code };
}

/** The password, then the six digits of the phone. */
async function prove({ page, language, email }: Walk, { key }: Phone): Promise<void> {
  await person.isAt(page, 'password');
  await person.typePassword(page, language, email);
  await person.isAt(page, 'totp');
  await page.locator('input[name=code]').fill(person.nextDigits(key));
}

/** J3 with every page and refusal on the way; answers the new phone. */
async function newPhone(walk: Walk, old: Phone): Promise<Phone> {
  const { page, town, language, email, look } = walk;
  await person.begin(page, town.autopay, language);
  await person.typePassword(page, language, email);
  await person.isAt(page, 'totp');
  const totp = page.url();
  await page.goto(totp.replace(/totp$/, 'another-way'));
  await look(page, 'another-way');
  await page.goto(totp.replace(/totp$/, 'recovery-code'));
  await look(page, 'recovery-code');
  await page.locator('input[name=code]').fill('AAAA-BBBB');
  await press(page, 'value=yes');
  await page.locator('[role=alert]').waitFor();
  await look(page, 'recovery-code-refused');
  await page.goto(totp);
  await page.locator('input[name=code]').fill(old.code);
  await submit(page);
  await person.isAt(page, 'recovery-code');
  await look(page, 'recovery-code-phone');
  await press(page, 'value=yes');
  await person.isAt(page, 're-enrollment');
  await look(page, 're-enrollment');
  await page.locator('input[name=code]').fill('000000');
  await page.locator('[role=alert]').waitFor();
  await look(page, 're-enrollment-refused');
  const phone = await connect(walk, 're-enrollment');
  await person.isBackAt(page, 'payments');
  return phone;
}

/** The last page of each deed of My details, left by its own way out. */
async function deeds(walk: Walk, phone: Phone): Promise<void> {
  const { page, look } = walk;
  const last = {
    deactivate_two_step: 'confirm',
    check_recovery_code: 'confirm',
    delete_account: 'confirm',
    replace_authenticator: 're-enrollment',
    change_password: 'new-password',
    change_email: 'new-email',
    change_notice_email: 'new-email',
  };
  for (const [intent, step] of Object.entries(last)) {
    await page.goto(ceremony(walk, intent));
    await look(page, `${intent}-password`);
    await prove(walk, phone);
    await person.isAt(page, step);
    await look(page, `${intent}-${step}`);
    await press(page, 'value=decline');
    await person.isAt(page, 'account');
  }
}

/** A second address is proved, and stands in My details beside everything else. */
async function secondAddress(walk: Walk, phone: Phone): Promise<void> {
  const { page, town, email, look } = walk;
  const second = `second.${email}`;
  await page.goto(ceremony(walk, 'change_notice_email'));
  await prove(walk, phone);
  await person.isAt(page, 'new-email');
  await page.locator('input[name=email]').fill('nobody');
  await submit(page);
  await page.locator('[role=alert]').waitFor();
  await look(page, 'notice-email-refused');
  await page.locator('input[name=email]').fill(second);
  await submit(page);
  await person.isAt(page, 'mailed-code');
  await look(page, 'notice-email-code');
  const { text } = await town.hemma.mail.mailTo(second, /\d{4} \d{4}/);
  await page.locator('input[name=code]').fill(/\d{4} \d{4}/.exec(text)?.[0] ?? '');
  await submit(page);
  await person.isAt(page, 'account');
  await look(page, 'my-details-full');
  await page.goto(ceremony(walk, 'change_notice_email'));
  await prove(walk, phone);
  await person.isAt(page, 'new-email');
  await look(page, 'notice-email-there');
}

/** The password is forgotten: the address, the code, the phone, the new password. */
async function forgotten(walk: Walk, phone: Phone): Promise<void> {
  const { page, town, language, email, look } = walk;
  await page.context().clearCookies();
  await person.begin(page, town.autopay, language);
  await page.goto(page.url().replace(/password$/, 'forgotten-password'));
  await look(page, 'forgotten-password');
  await page.locator('input[name=email]').fill(email);
  await submit(page);
  await person.isAt(page, 'mailed-code');
  await look(page, 'forgotten-password-code');
  const { text } = await town.hemma.mail.mailTo(email, /\d{4} \d{4}/);
  await page.locator('input[name=code]').fill(/\d{4} \d{4}/.exec(text)?.[0] ?? '');
  await submit(page);
  await person.isAt(page, 'totp');
  travel(minutes(1));
  await page.locator('input[name=code]').fill(sixDigits(phone.key));
  await person.isAt(page, 'new-password');
  await look(page, 'forgotten-password-new');
  await page.locator('input[name=password]').fill('kort');
  await submit(page);
  await page.locator('[role=alert]').waitFor();
  await look(page, 'new-password-refused');
}

/** The password is throttled: the page that offers a code, and the one on which both are typed. */
async function throttled(walk: Walk): Promise<void> {
  const { page, town, language, email, look } = walk;
  await page.context().clearCookies();
  for (let guess = 0; guess < 10; guess++)
    await countAttempt(town.hemma.db, emailThrottleSubject(email), 'password');
  await person.begin(page, town.autopay, language);
  await person.typePassword(page, language, email);
  await page.locator('[data-refusal=throttled]').waitFor();
  await look(page, 'password-throttled');
  await press(page, 'name=send');
  await person.isAt(page, 'password-and-code');
  await look(page, 'password-and-code');
  await press(page, 'name=send');
  await page.locator('[data-refusal=just-sent]').waitFor();
  await look(page, 'password-and-code-just-sent');
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('input[name=code]').fill('0000 0000');
  await submit(page);
  await page.locator('[data-refusal=wrong-password-or-code]').waitFor();
  await look(page, 'password-and-code-refused');
}

/** The town must have a mail server. Travels in time: put the clock back after. */
export async function newPhoneTour(town: Town, language: Language, look: Look): Promise<void> {
  const email = `nina.ny-${language}@example.com`;
  await town.hemma.account({ email, name: 'Nina Ny', locale: language });
  const page = await town.newPerson({ locale: words[language].locale });
  const walk: Walk = { town, language, email, page, look };
  await person.begin(page, town.autopay, language);
  await person.typePassword(page, language, email);
  const old = await connect(walk, 'enrollment');
  await person.isBackAt(page, 'payments');
  await page.context().clearCookies();
  const phone = await newPhone(walk, old);
  await deeds(walk, phone);
  await secondAddress(walk, phone);
  await forgotten(walk, phone);
  await throttled(walk);
}
