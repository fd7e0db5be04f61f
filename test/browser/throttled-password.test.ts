/** A stranger has guessed at the password: the owner gets in by an emailed code, on a narrow phone, without scripts, too. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { emailThrottleSubject } from '../../src/users/profile.ts';
import { countAttempt } from '../../src/security/throttle.ts';
import { back } from '../rig/clock.ts';
import { PASSWORD } from '../rig/hemma.ts';
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

const phrases = {
  sv: {
    throttled: 'För många försök. Försök igen om',
    offer:
      'Vill du inte vänta? Med en kod som vi mejlar dig, tillsammans med ditt lösenord, kommer du in direkt.',
    send: 'Mejla mig en kod',
    title: 'Skriv lösenordet och koden',
    refused:
      'Det stämmer inte. Kontrollera adressen, lösenordet och koden i det senaste mejlet, eller be om en ny kod.',
    mail: 'Din kod för att logga in',
  },
  en: {
    throttled: 'Too many attempts. Try again in',
    offer: "Don't want to wait? A code from your email and your password get you in right away.",
    send: 'Email me a code',
    title: 'Enter your password and the code',
    refused:
      "That doesn't match. Check the address, the password and the code in the latest email, or send a new code.",
    mail: 'Your code for signing in',
  },
};

test.each(person.everyWay)(
  'offers a code and takes it together with the password, $language, $scripts',
  async (way) => {
    const w = words[way.language];
    const t = phrases[way.language];
    const email = `astrid.${way.language}.${way.scripts.replaceAll(' ', '-')}@example.com`;
    await town.hemma.account({ email, locale: way.language, twoStepRequired: false });
    for (let guess = 0; guess < 10; guess++)
      await countAttempt(town.hemma.db, emailThrottleSubject(email), 'password');
    const page = await person.browserOf(town, way);
    await page.setViewportSize({ width: 320, height: 640 });
    await person.begin(page, town.autopay, way.language);
    await person.typePassword(page, way.language, email);
    await page.locator('[data-refusal=throttled]').waitFor();
    expect(await person.alert(page)).toContain(t.throttled);
    expect(await person.said(page, 'main section.aside')).toContain(t.offer);
    await page.getByRole('button', { name: t.send }).click();
    await person.isAt(page, 'password-and-code');
    expect(await person.heading(page)).toBe(t.title);
    // The address came along; what is typed next is the password.
    expect(await page.getByLabel(w.email).inputValue()).toBe(email);
    const mail = await town.hemma.mail.mailTo(email, new RegExp(t.mail));
    const code = /\d{4} \d{4}/.exec(mail.text)?.[0] ?? '';
    await page.getByLabel(w.password, { exact: true }).fill('not the password');
    await page.getByLabel(w.mailField).fill(code);
    await page.getByRole('button', { name: w.signIn, exact: true }).click();
    await page.locator('[data-refusal=wrong-password-or-code]').waitFor();
    expect(await person.alert(page)).toBe(t.refused);
    await page.getByLabel(w.password, { exact: true }).fill(PASSWORD);
    await page.getByLabel(w.mailField).fill(code);
    await page.getByRole('button', { name: w.signIn, exact: true }).click();
    await person.isBackAt(page, 'payments');
  },
  120_000,
);
