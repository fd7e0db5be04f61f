/** Changing the address: proved before it counts, told to the old one, and silent about other people's (SECURITY 42-47). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import {
  deedUrl,
  gotIn,
  mailedCodeTo,
  newPerson,
  pageOf,
  type Person,
  proveBoth,
  provePassword,
  standsAt,
  tokenOn,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

async function atNewEmail(owner: Person): Promise<Visitor> {
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'change_email'), owner);
  expect(browser.screen.step).toBe('new-email');
  return browser;
}

async function signsIn(owner: Person, email = owner.email): Promise<boolean> {
  const browser = newVisitor();
  await provePassword(browser, (await party.begin()).url, email);
  if (browser.screen.step !== 'totp') return false;
  await proveBoth(browser, (await party.begin()).url, { ...owner, email });
  return gotIn(browser);
}

test('R33 the address changes when the code that was mailed to it is typed, and the old one is told', async () => {
  const owner = await person('astrid');
  const browser = await atNewEmail(owner);
  await browser.submit({ email: 'Ny.Astrid@example.com' });
  expect(browser.screen.step).toBe('mailed-code');
  for (const code of ['', '0000 0000', owner.recoveryCode]) {
    await browser.submit({ code });
    expect([code, browser.screen.step, browser.screen.status]).toEqual([code, 'mailed-code', 422]);
  }
  expect(await signsIn(owner)).toBe(true);
  await browser.submit({ code: await mailedCodeTo(hemma, 'ny.astrid@example.com') });
  expect(browser.screen.url.pathname).toBe('/account');
  const told = await hemma.mail.mailTo(owner.email, /e-postadress är ändrad/);
  expect(told.text).toContain('ny.astrid@example.com');
  expect(await signsIn(owner)).toBe(false);
  expect(await signsIn(owner, 'ny.astrid@example.com')).toBe(true);
});

test('SECURITY 47 the code belongs to this address, this account and this sign-in', async () => {
  const [owner, thief] = [await person('bertil'), await person('tjuv')];
  const theirs = await atNewEmail(thief);
  await theirs.submit({ email: 'ny-tjuv@example.com' });
  const foreign = await mailedCodeTo(hemma, 'ny-tjuv@example.com');
  const browser = await atNewEmail(owner);
  await browser.submit({ email: 'ny-bertil@example.com' });
  await browser.submit({ code: foreign });
  expect(browser.screen.refusal).toBe('wrong-mailed-code');
  const first = await mailedCodeTo(hemma, 'ny-bertil@example.com');
  // Another address afterwards: the code of the first one proves nothing of the second.
  travel(minutes(2));
  await browser.visit(pageOf(browser, 'new-email'));
  await browser.submit({ email: 'annan-bertil@example.com' });
  await browser.submit({ code: first });
  expect(browser.screen.refusal).toBe('wrong-mailed-code');
  expect(await signsIn(owner)).toBe(true);
});

test('T33 an address that another account has looks like any other, and changes nothing', async () => {
  const [owner, other] = [await person('cecilia'), await person('upptagen')];
  const looks = [];
  for (const email of ['ledig@example.com', other.email]) {
    const browser = await atNewEmail(owner);
    const { status, step, body, headers } = await browser.submit({ email });
    const uid = browser.screen.url.pathname.split('/')[2] ?? '';
    const plain = body
      .replaceAll(uid, 'uid')
      .replaceAll(/name="token" value="[^"]*"/g, '')
      .replaceAll(/\w•••@example\.com/g, 'address');
    looks.push({ status, step, plain, headers: Object.keys(headers).toSorted() });
  }
  expect(looks[1]).toEqual(looks[0]);
  // The first one's code, so that the next mail to come is the second one's.
  await mailedCodeTo(hemma, other.email);
  const browser = await atNewEmail(owner);
  travel(minutes(2));
  await browser.submit({ email: other.email });
  await browser.submit({ code: await mailedCodeTo(hemma, other.email) });
  // Whoever reads the mail there may know that it is taken; nothing else is told, and nothing has changed.
  expect([browser.screen.step, browser.screen.refusal]).toEqual(['new-email', 'email-taken']);
  expect(browser.screen.text).not.toContain(other.id);
  await browser.submit({ email: owner.email });
  expect([browser.screen.status, browser.screen.refusal]).toEqual([422, 'same-email']);
  const codes = hemma.mails().filter(({ to }) => to === other.email);
  expect(codes.every(({ text }) => !text.includes(owner.email))).toBe(true);
  expect(await signsIn(owner)).toBe(true);
  expect(await signsIn(other)).toBe(true);
  expect(hemma.mails().filter(({ subject }) => subject.includes('e-postadress är ändrad'))).toHaveLength(1);
});

test('SECURITY 42, 46 lists, lines, look-alikes and empty addresses are refused, and nothing is mailed', async () => {
  const owner = await person('david');
  const browser = await atNewEmail(owner);
  const page = browser.screen;
  const before = hemma.mails().length;
  const tricks = [
    '',
    ' ',
    'a@b',
    'ond@example.com,david2@example.com',
    'ond@example.com david2@example.com',
    'david2@example.com\r\nBcc: ond@example.com',
    'david2@example.com\nond@example.com',
    '<ond@example.com>',
    '"x" <ond@example.com>',
    'ond@exаmple.com',
    'ond＠@example.com',
    'ond@example.com@example.org',
    `${'a'.repeat(65)}@example.com`,
    `ond@${'a.'.repeat(200)}com`,
  ];
  for (const email of tricks) {
    browser.backTo(page);
    await browser.submit({ email });
    expect([email, browser.screen.status, browser.screen.step]).toEqual([email, 422, 'new-email']);
  }
  browser.backTo(page);
  await browser.submit({ email: ['ond@example.com', 'david2@example.com'] });
  expect(browser.screen.status).toBe(400);
  await hemma.mail.mailTo(owner.email, /Du har en ny engångskod/);
  expect(
    hemma
      .mails()
      .slice(before)
      .filter(({ subject }) => subject.includes('Bekräfta')),
  ).toEqual([]);
});

test('R51 a code at the new address is good for ten minutes, and not after the deed was declined by leaving', async () => {
  const owner = await person('eva');
  const browser = await atNewEmail(owner);
  await browser.submit({ email: 'ny-eva@example.com' });
  const code = await mailedCodeTo(hemma, 'ny-eva@example.com');
  const page = browser.screen;
  travel(minutes(11));
  await browser.submit({ code });
  expect(browser.screen.refusal).toBe('expired-mailed-code');
  browser.backTo(page);
  travel(minutes(25));
  await browser.post(page.url, { token: tokenOn(browser), code });
  expect(browser.screen.status).toBe(404);
  expect(await signsIn(owner)).toBe(true);
});

/** Whoever reads an address, on the way to a new password for its account. */
async function readerOf(email: string) {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email });
  return { browser, code: await mailedCodeTo(hemma, email) };
}

test('SECURITY 47, T32 a code that went to the old address proves nothing once the account has another', async () => {
  const email = 'frida@example.com';
  await hemma.account({ email, twoStepRequired: false });
  const [late, early] = [await readerOf(email), await readerOf(email)];
  await early.browser.submit({ code: early.code });
  expect(early.browser.screen.step).toBe('new-password');
  const owner = newVisitor();
  await provePassword(owner, deedUrl(hemma, 'change_email'), email);
  await owner.submit({ email: 'ny-frida@example.com' });
  await owner.submit({ code: await mailedCodeTo(hemma, 'ny-frida@example.com') });
  expect(owner.screen.url.pathname).toBe('/account');
  await late.browser.submit({ code: late.code });
  for (const { browser } of [late, early]) {
    await browser.post(pageOf(browser, 'new-password'), {
      token: tokenOn(browser),
      password: 'tjuvens sjö i maj',
    });
    expect(['password', 'mailed-code']).toContain(await standsAt(browser));
  }
  await provePassword(owner, deedUrl(hemma, 'step_up'), 'ny-frida@example.com');
  expect(owner.screen.step).toBe('enrollment');
});
