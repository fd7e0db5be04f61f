/** The mails that tell an owner what a thief does: sent once, to the right address, in the person's language, without secrets. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';
import { gotIn, newPerson, nextStep, provePassword, recoveryCodeOn, signIn, keyOn } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

/** Every subject mailed to an address, once the outbox is empty. */
async function subjectsTo(email: string): Promise<string[]> {
  for (let wait = 0; wait < 200; wait++) {
    const { rows } = await hemma.db.query('SELECT 1 FROM mails WHERE delivered_at IS NULL LIMIT 1');
    if (rows.length === 0) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  return hemma.mails().flatMap((mail) => (mail.to === email ? [mail.subject] : []));
}

/** No mail to an address holds a secret, or a link to anywhere. */
function expectNoSecrets(email: string, secrets: readonly string[]): void {
  for (const mail of hemma.mails().filter(({ to }) => to === email)) {
    const all = `${mail.subject}\n${mail.text}\n${mail.html}`;
    for (const secret of [PASSWORD, ...secrets]) expect(all).not.toContain(secret);
    expect(all).not.toMatch(/https?:|(?<!\d)\d{6}(?!\d)/);
  }
}

test('R12 connecting a phone and saving a code are told once each, in the language of the account', async () => {
  const astrid = await newPerson(
    hemma,
    party,
    { email: 'astrid@example.com', locale: 'en' },
    { language: 'sv' },
  );
  expect((await subjectsTo(astrid.email)).toSorted()).toEqual([
    'A phone was connected to your account',
    'You have a new recovery code',
  ]);
  const bodil = await newPerson(
    hemma,
    party,
    { email: 'bodil@example.com', locale: 'sv' },
    { language: 'en' },
  );
  expect((await subjectsTo(bodil.email)).toSorted()).toEqual([
    'Du har en ny engångskod',
    'En telefon är kopplad till ditt konto',
  ]);
  const texts = hemma.mails().filter(({ to }) => to === bodil.email || to === astrid.email);
  for (const { text } of texts) {
    expect(text).toMatch(/Var det inte du\?|Was it not you\?/);
    // Day first and by the clock of a day, as on pages: 3 mars 2026 kl. 14:05, 3 March 2026 at 14:05.
    expect(text).toMatch(/\b\d{1,2} \p{L}+ \d{4} (kl\.|at) \d{2}:\d{2}\b/u);
  }
  expectNoSecrets(astrid.email, [astrid.key, astrid.recoveryCode]);
  expectNoSecrets(bodil.email, [bodil.key, bodil.recoveryCode]);
});

test('R12 every form of a first sign-in sent twice at once still tells each thing once', async () => {
  const { email } = await hemma.account({ email: 'cecilia@example.com' });
  const browser = newVisitor();
  const twice = async (fields: Record<string, string>) => {
    const { url, page } = browser.screen;
    const { action, body } = fillIn(page, url, fields);
    const ask = {
      method: 'POST',
      body: body.toString(),
      headers: { ...asForm, 'sec-fetch-site': 'same-origin' },
    };
    await Promise.all([
      browser.request(action, ask),
      browser.request(action, ask),
      browser.request(action, ask),
    ]);
    await browser.visit(url);
  };
  await browser.visit((await party.begin()).url);
  await twice({ email, password: PASSWORD });
  await twice({ code: sixDigits(keyOn(browser)) });
  await twice({ lastGroup: recoveryCodeOn(browser).slice(-4) });
  expect(gotIn(browser)).toBe(true);
  expect((await subjectsTo(email)).toSorted()).toEqual([
    'Du har en ny engångskod',
    'En telefon är kopplad till ditt konto',
  ]);
});

test('R12 the right password with wrong six digits is told at the third time, once', async () => {
  const doris = await newPerson(hemma, party, { email: 'doris@example.com' });
  const told = async () =>
    (await subjectsTo(doris.email)).filter((one) => one.startsWith('Någon har ditt lösenord'));
  nextStep();
  const thief = newVisitor();
  for (let guess = 1; guess <= 5; guess++) {
    await provePassword(thief, party, doris.email);
    await thief.submit({ code: wrongDigits(doris.key) });
    expect([guess, (await told()).length]).toEqual([guess, guess < 3 ? 0 : 1]);
  }
  expectNoSecrets(doris.email, [doris.key, doris.recoveryCode, wrongDigits(doris.key)]);
  // After the owner was there, a new thief is news again.
  travel(minutes(1));
  await signIn(doris.browser, party, doris, { prompt: 'login' });
  expect(gotIn(doris.browser)).toBe(true);
  nextStep();
  for (let guess = 1; guess <= 3; guess++) {
    await provePassword(thief, party, doris.email);
    await thief.submit({ code: wrongDigits(doris.key) });
  }
  expect(await told()).toHaveLength(2);
});

test('R12 the right password after five wrong ones is told, after four it is not', async () => {
  for (const [wrong, email] of [
    [4, 'elsa@example.com'],
    [5, 'fia@example.com'],
  ] as const) {
    await hemma.account({ email });
    const browser = newVisitor();
    await browser.visit((await party.begin()).url);
    for (let guess = 1; guess <= wrong; guess++) await browser.submit({ email, password: `wrong ${guess}` });
    await browser.submit({ email, password: PASSWORD });
    expect(browser.screen.step).toBe('enrollment');
    expect(await subjectsTo(email)).toEqual(wrong < 5 ? [] : ['Rätt lösenord efter flera felaktiga försök']);
    expectNoSecrets(email, ['wrong 1']);
  }
});

test('R12 a sign-in from a new browser is told, from the same one it is not, and names it in words of ours', async () => {
  const greta = await newPerson(hemma, party, { email: 'greta@example.com' });
  const told = async () =>
    (await subjectsTo(greta.email)).filter((one) => one === 'Inloggning från en ny enhet');
  await signIn(greta.browser, party, greta, { prompt: 'login' });
  expect(await told()).toHaveLength(0);
  const userAgent = 'Mozilla/5.0 (Windows NT 10.0) Firefox/140 <b>Visit https://evil.example</b>';
  const other = newVisitor({ userAgent });
  await signIn(other, party, greta);
  expect(await told()).toHaveLength(1);
  await signIn(other, party, greta, { prompt: 'login' });
  await signIn(greta.browser, party, greta, { prompt: 'login' });
  expect(await told()).toHaveLength(1);
  const mail = hemma.mails().find(({ to, subject }) => to === greta.email && /ny enhet/.test(subject));
  expect(mail?.text).toContain('Firefox, Windows');
  expect(mail?.text).not.toMatch(/evil|<b>/);
  expectNoSecrets(greta.email, [greta.key, greta.recoveryCode]);
});

test('R12 nothing is mailed about wrong passwords, to nobody and to no unknown address', async () => {
  const { email } = await hemma.account({ email: 'hilma@example.com' });
  const stranger = newVisitor();
  await stranger.visit((await party.begin()).url);
  for (const address of [email, 'nobody@example.com']) {
    for (let guess = 1; guess <= 11; guess++)
      await stranger.submit({ email: address, password: `wrong ${guess}` });
    expect(await subjectsTo(address)).toEqual([]);
  }
});
