/** "Forgotten your password?": who learns what, where the code goes, and what it opens (T32, T33 and SECURITY 37-47). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  proveBoth,
  proveMailbox,
  provePassword,
  tokenOn,
} from './people.ts';

const NEW = 'en helt annan sjö i maj';

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
const mailsTo = (address: string) => hemma.mails().filter(({ to }) => to === address);

async function atForgotten(browser = newVisitor()): Promise<Visitor> {
  await browser.visit((await party.begin()).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  expect(browser.screen.step).toBe('forgotten-password');
  return browser;
}

/** All mails that were asked for before have come: a later one has. */
async function mailsHaveCome(): Promise<void> {
  const email = `vakt${hemma.mails().length}@example.com`;
  await hemma.account({ email });
  await (await atForgotten()).submit({ email });
  await mailedCodeTo(hemma, email);
}

/** A screen without what differs between two sign-ins and two addresses anyway. */
const look = ({ status, body, headers, chain }: Screen, { screen }: Visitor, email: string) => ({
  status,
  chain: chain.map((one) => one.status),
  cookies: (headers['set-cookie'] ?? []).map((line) => line.split('=')[0]),
  headers: Object.keys(headers).toSorted(),
  body: body
    .replaceAll(screen.url.pathname.split('/')[2] ?? '', 'uid')
    .replaceAll(email, 'address')
    .replaceAll(/name="token" value="[^"]*"/g, '')
    // A pause has gone on for as long as the test took to come here.
    .replaceAll(/\d+ (sekunder|sekund)\b/g, 'SECONDS'),
});

test('T33 known, unknown, disabled and unused addresses look the same at every step', async () => {
  await person('kand');
  await hemma.account({ email: 'oanvand@example.com' });
  await person('avstangd');
  const off = await shellWith(hemma.env)(['accounts', 'disable', 'avstangd@example.com']);
  expect(off.code).toBe(0);
  const looks: Record<string, unknown[]> = {};
  for (const name of ['kand', 'okand', 'avstangd', 'oanvand']) {
    const email = `${name}@example.com`;
    const browser = await atForgotten();
    const seen = [look(await browser.submit({ email }), browser, email)];
    for (const code of ['', '0000', '0000 0000', 'abc', '0'.repeat(200)])
      seen.push(look(await browser.submit({ code }), browser, email));
    seen.push(look(await browser.submit({}, 'again=yes'), browser, email));
    travel(minutes(2));
    seen.push(look(await browser.submit({}, 'again=yes'), browser, email));
    seen.push(look(await browser.visit(pageOf(browser, '')), browser, email));
    looks[name] = seen;
  }
  for (const name of ['okand', 'avstangd', 'oanvand']) expect(looks[name]).toEqual(looks['kand']);
  await mailsHaveCome();
  expect(mailsTo('okand@example.com')).toEqual([]);
  expect(mailsTo('avstangd@example.com').filter(({ text }) => /\d{4} \d{4}/.test(text))).toEqual([]);
});

test('T32 the mailed code alone opens nothing: with a phone connected, the second factor comes first', async () => {
  const owner = await person('astrid');
  const thief = newVisitor();
  await proveMailbox(thief, hemma, (await party.begin()).url, owner.email);
  expect(thief.screen.step).toBe('totp');
  for (const step of ['new-password', 'enrollment', 're-enrollment', 'new-recovery-code', 'confirm', '']) {
    const form = { token: tokenOn(thief), password: NEW, code: '000000', choice: 'do', lastGroup: '0000' };
    for (const send of [
      () => thief.visit(pageOf(thief, step)),
      () => thief.post(pageOf(thief, step), form),
    ]) {
      const screen = await send();
      expect([step, ['totp', 'problem'].includes(screen.step ?? '')]).toEqual([step, true]);
      expect(keyOn(screen) + codeOn(screen)).toBe('');
      await thief.visit(pageOf(thief, ''));
    }
  }
  await proveBoth(newVisitor(), (await party.begin()).url, owner);
});

test('SECURITY 37 a new password leaves phone and recovery code as they were, and is told by mail', async () => {
  const owner = await person('bertil');
  const browser = newVisitor();
  await proveMailbox(browser, hemma, (await party.begin()).url, owner.email);
  nextStep();
  await browser.submit({ code: sixDigits(owner.key) });
  expect(browser.screen.step).toBe('new-password');
  await browser.submit({ password: NEW });
  expect(gotIn(browser)).toBe(true);
  await owner.browser.visit(hemma.url('/account'));
  expect(owner.browser.screen.step).toBe('password');
  await hemma.mail.mailTo(owner.email, /lösenord är ändrat/);
  const old = newVisitor();
  await provePassword(old, (await party.begin()).url, owner.email);
  expect([old.screen.step, old.screen.refusal]).toEqual(['password', 'wrong-password']);
  const check = newVisitor();
  await proveBoth(check, deedUrl(hemma, 'check_recovery_code'), owner, NEW);
  await check.submit({ code: owner.recoveryCode }, 'choice=do');
  expect(check.screen.url.pathname).toBe('/account');
});

test('SECURITY 38, T32 the code works in the browser that asked and in no other, once', async () => {
  const owner = await person('cecilia');
  const asked = await atForgotten();
  await asked.submit({ email: owner.email });
  const code = await mailedCodeTo(hemma, owner.email);
  const other = await atForgotten();
  await other.submit({ email: 'okand2@example.com' });
  await other.submit({ code });
  expect([other.screen.step, other.screen.refusal]).toEqual(['mailed-code', 'wrong-mailed-code']);
  const stranger = newVisitor();
  await stranger.visit(asked.screen.url);
  expect(stranger.screen.status).toBe(404);
  const page = asked.screen;
  await asked.submit({ code });
  expect(asked.screen.step).toBe('totp');
  asked.backTo(page);
  await asked.submit({ code });
  expect(asked.screen.step).toBe('totp');
  const again = await atForgotten();
  await again.submit({ email: owner.email });
  await again.submit({ code });
  expect(again.screen.refusal).toBe('wrong-mailed-code');
});

test('SECURITY 39 the code dies after ten minutes, and when a newer one was asked for', async () => {
  const owner = await person('david');
  const asked = await atForgotten();
  await asked.submit({ email: owner.email });
  const first = await mailedCodeTo(hemma, owner.email);
  travel(minutes(2));
  await asked.submit({}, 'again=yes');
  const second = await mailedCodeTo(hemma, owner.email);
  await asked.submit({ code: first });
  expect(asked.screen.refusal).toBe('wrong-mailed-code');
  travel(minutes(11));
  await asked.submit({ code: second });
  expect([asked.screen.step, asked.screen.refusal]).toEqual(['mailed-code', 'expired-mailed-code']);
});

test('T9 guesses of a mailed code are throttled, and the right one waits with them', async () => {
  const owner = await person('eva');
  const asked = await atForgotten();
  await asked.submit({ email: owner.email });
  const code = await mailedCodeTo(hemma, owner.email);
  for (let turn = 0; turn < 5; turn++) {
    await asked.submit({ code: '0000 0000' });
    expect(asked.screen.refusal).toBe('wrong-mailed-code');
  }
  await asked.submit({ code });
  expect([asked.screen.status, asked.screen.refusal]).toEqual([429, 'throttled']);
});

test('SECURITY 42 lists, commas and lines of addresses reach nobody but whose address was typed alone', async () => {
  const owner = await person('frida');
  const evil = 'ond@example.com';
  const tricks: (string | string[])[] = [
    [owner.email, evil],
    `${owner.email},${evil}`,
    `${owner.email};${evil}`,
    `${owner.email} ${evil}`,
    `${owner.email}\r\nBcc: ${evil}`,
    `${owner.email}\n${evil}`,
    `${owner.email}\0${evil}`,
    `${owner.email}%0a${evil}`,
    `<${evil}> ${owner.email}`,
    `"${owner.email}" <${evil}>`,
    `${owner.email}@example.org`,
  ];
  for (const email of tricks) {
    const browser = await atForgotten();
    await browser.submit({ email });
    expect([email, browser.screen.status < 500]).toEqual([email, true]);
    // A field that our form does not have, in the spelling of other programs.
    await browser.post(pageOf(browser, 'forgotten-password'), {
      token: tokenOn(browser),
      'email[]': [owner.email, evil],
      'user[email][]': evil,
    });
    expect(browser.screen.status).toBeLessThan(500);
  }
  await mailsHaveCome();
  expect(mailsTo(owner.email).filter(({ text }) => /\d{4} \d{4}/.test(text))).toEqual([]);
  expect(hemma.mails().filter(({ to }) => to.includes('ond@'))).toEqual([]);
  await (await atForgotten()).submit({ email: `  ${owner.email.toUpperCase()} ` });
  const { to } = await hemma.mail.mailTo(owner.email, /nytt lösenord/);
  expect(to).toBe(owner.email);
});

test('SECURITY 43 no header of the request reaches the mail', async () => {
  const owner = await person('gunnar');
  const evil = 'evil.example';
  const headers = {
    'x-forwarded-host': evil,
    'x-forwarded-proto': 'ftp',
    forwarded: `host=${evil};proto=ftp`,
    'x-original-host': evil,
  };
  const browser = await atForgotten(newVisitor({ headers, userAgent: `Mozilla ${evil}` }));
  await browser.submit({ email: owner.email });
  const mail = await hemma.mail.mailTo(owner.email, /nytt lösenord/);
  expect(mail.subject + mail.text + mail.html + JSON.stringify([...mail.headers])).not.toContain(evil);
  const action = pageOf(browser, 'forgotten-password');
  const asked = await browser.request(action, { headers: { host: evil } });
  expect(asked.status).toBe(421);
});

test('SECURITY 40 a code for one address proves nothing of the address that is typed afterwards', async () => {
  const [owner, thief] = [await person('hanna'), await person('tjuv')];
  const browser = await atForgotten();
  await browser.submit({ email: thief.email });
  const code = await mailedCodeTo(hemma, thief.email);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email: owner.email });
  await browser.visit(pageOf(browser, 'mailed-code'));
  await browser.submit({ code });
  expect(browser.screen.text).not.toContain(owner.email);
  nextStep();
  await browser.submit({ code: sixDigits(thief.key) });
  await browser.post(pageOf(browser, 'new-password'), {
    token: tokenOn(browser),
    username: owner.email,
    email: owner.email,
    password: NEW,
  });
  const again = newVisitor();
  await provePassword(again, (await party.begin()).url, owner.email, PASSWORD);
  expect(again.screen.step).toBe('totp');
});
