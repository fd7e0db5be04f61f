/** Switching two-step verification off, and on again: what it takes, and what is dead afterwards (T19, T20). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits, wrongDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  proveByCode,
  proveMailbox,
  provePassword,
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
const OFF = () => deedUrl(hemma, 'deactivate_two_step');

/** Presses the last button, from wherever the browser stands, with the token of the page in front of it. */
const pressAnyway = (browser: Visitor) =>
  browser.post(pageOf(browser, 'confirm'), { token: tokenOn(browser), choice: 'do' });

/** Two-step verification is still on: the phone is asked for, and opens. */
async function stillOn(owner: Person): Promise<void> {
  const again = newVisitor();
  await proveBoth(again, (await party.begin()).url, owner);
  expect(gotIn(again)).toBe(true);
}

test('SECURITY 7, T20 every wrong combination of password, digits and code stops before the last button', async () => {
  const owner = await person('astrid');
  const stranger = await person('annan');
  const attempts: Record<string, (browser: Visitor) => Promise<unknown>> = {
    'wrong password, right digits': async (browser) => {
      await provePassword(browser, OFF(), owner.email, 'fel lösenord helt');
      await browser.post(pageOf(browser, 'totp'), { token: tokenOn(browser), code: sixDigits(owner.key) });
    },
    'wrong password, right recovery code': async (browser) => {
      await provePassword(browser, OFF(), owner.email, 'fel lösenord helt');
      const form = { token: tokenOn(browser), code: owner.recoveryCode, phoneGone: 'yes' };
      await browser.post(pageOf(browser, 'recovery-code'), form);
    },
    'right password, wrong digits': async (browser) => {
      await provePassword(browser, OFF(), owner.email);
      await browser.submit({ code: wrongDigits(owner.key) });
    },
    'right password, replayed digits': async (browser) => {
      await proveBoth(newVisitor(), (await party.begin()).url, owner);
      await provePassword(browser, OFF(), owner.email);
      await browser.submit({ code: sixDigits(owner.key) });
    },
    'right password, wrong recovery code': async (browser) => {
      await provePassword(browser, OFF(), owner.email);
      await browser.submit({ code: '0000-0000-0000-0000-0000' });
    },
    'right password, another account’s digits': async (browser) => {
      await provePassword(browser, OFF(), owner.email);
      await browser.submit({ code: sixDigits(stranger.key) });
    },
    'right password, another account’s recovery code': async (browser) => {
      await provePassword(browser, OFF(), owner.email);
      await browser.submit({ code: stranger.recoveryCode });
    },
    'no password, a code from the mailbox': (browser) => proveMailbox(browser, hemma, OFF(), owner.email),
  };
  for (const [how, attempt] of Object.entries(attempts)) {
    nextStep(2);
    const browser = newVisitor();
    await attempt(browser);
    expect([how, ['password', 'totp'].includes(browser.screen.step ?? '')]).toEqual([how, true]);
    await pressAnyway(browser);
    expect([how, ['password', 'totp'].includes(browser.screen.step ?? '')]).toEqual([how, true]);
  }
  await stillOn(owner);
  expect(hemma.mails().filter(({ subject }) => subject.includes('avstängd'))).toEqual([]);
});

test('T20 password and digits proved in two sign-ins do not add up', async () => {
  const owner = await person('bertil');
  const [one, other] = [newVisitor(), newVisitor()];
  await proveBoth(one, OFF(), owner);
  expect(one.screen.step).toBe('confirm');
  await provePassword(other, OFF(), owner.email);
  // The token and the address of the sign-in that got there, with the cookies of the one that did not.
  await other.post(one.screen.url, { token: tokenOn(one), choice: 'do' });
  expect(other.screen.status).toBe(404);
  const half = newVisitor();
  await provePassword(half, OFF(), owner.email);
  await half.post(pageOf(half, 'confirm'), { token: tokenOn(one), choice: 'do' });
  expect(half.screen.step).not.toBe('confirm');
  await stillOn(owner);
});

test('T20 wrong digits are counted together with those of ordinary sign-ins', async () => {
  const owner = await person('cecilia');
  const refusals: (string | undefined)[] = [];
  for (const url of [OFF(), (await party.begin()).url, OFF(), deedUrl(hemma, 'step_up'), OFF(), OFF()]) {
    const browser = newVisitor();
    await provePassword(browser, url, owner.email);
    refusals.push((await browser.submit({ code: wrongDigits(owner.key) })).refusal);
  }
  expect(refusals).toEqual([...Array.from({ length: 5 }, () => 'wrong-code'), 'throttled']);
});

test('T20 seeing the last page, cancelling it or opening its address changes nothing', async () => {
  const owner = await person('david');
  const browser = newVisitor();
  await proveBoth(browser, OFF(), owner);
  const page = browser.screen;
  await browser.visit(`${page.url.href}?choice=do&token=${tokenOn(browser)}`);
  expect(browser.screen.step).toBe('confirm');
  await browser.submit({}, 'choice=decline');
  expect(browser.screen.url.pathname).toBe('/account');
  browser.backTo(page);
  await browser.submit({}, 'choice=do');
  expect(browser.screen.status).toBe(404);
  await stillOn(owner);
});

test('SECURITY 55, T20 afterwards the owner has a mail, other sessions are over, and the recovery code is dead', async () => {
  const owner = await person('eva');
  const elsewhere = newVisitor();
  await proveBoth(elsewhere, hemma.url('/account'), owner);
  expect(elsewhere.screen.url.pathname).toBe('/account');
  await proveBoth(owner.browser, OFF(), owner);
  await owner.browser.submit({}, 'choice=do');
  await hemma.mail.mailTo(owner.email, /Tvåstegsverifieringen är avstängd/);
  await elsewhere.visit(hemma.url('/account'));
  expect(elsewhere.screen.step).toBe('password');
  const later = newVisitor();
  await provePassword(later, (await party.begin()).url, owner.email);
  expect(later.screen.step).toBe('mailed-code');
  for (const code of [sixDigits(owner.key, { step: 1 }), owner.recoveryCode]) {
    for (const step of ['totp', 'recovery-code']) {
      await later.post(pageOf(later, step), { token: tokenOn(later), code, phoneGone: 'no' });
      expect([step, later.screen.step]).toEqual([step, 'mailed-code']);
    }
  }
});

test('T19 re-activation gives a new secret and a new code; the old phone and the old code are refused', async () => {
  const owner = await person('frida');
  await proveBoth(owner.browser, OFF(), owner);
  await owner.browser.submit({}, 'choice=do');
  await provePassword(owner.browser, deedUrl(hemma, 'activate_two_step'), owner.email);
  const key = keyOn(owner.browser.screen);
  expect([key.length > 0, key === owner.key]).toEqual([true, false]);
  nextStep();
  await owner.browser.submit({ code: sixDigits(owner.key) });
  expect(owner.browser.screen.step).toBe('enrollment');
  await owner.browser.submit({ code: sixDigits(key) });
  const recoveryCode = codeOn(owner.browser.screen);
  expect([recoveryCode.length, recoveryCode === owner.recoveryCode]).toEqual([24, false]);
  await owner.browser.submit({ lastGroup: recoveryCode.slice(-4) });
  expect(owner.browser.screen.url.pathname).toBe('/account');
  const old = newVisitor();
  await proveBoth(old, (await party.begin()).url, owner);
  expect([old.screen.step, old.screen.refusal]).toEqual(['totp', 'wrong-code']);
  await old.submit({ code: owner.recoveryCode });
  expect([old.screen.step, old.screen.refusal]).toEqual(['totp', 'wrong-recovery-code']);
  await stillOn({ ...owner, key });
});

test('T19 a browser that was remembered before the deactivation is asked for the new phone after it', async () => {
  const owner = await person('gunnar');
  nextStep();
  const remembered = newVisitor();
  await provePassword(remembered, (await party.begin()).url, owner.email);
  await remembered.submit({ code: sixDigits(owner.key), rememberDevice: 'yes' });
  await provePassword(remembered, OFF(), owner.email, PASSWORD);
  nextStep();
  // Ticked on the way to the deed, too: remembering belongs to the phone that is about to go.
  await remembered.submit({ code: sixDigits(owner.key), rememberDevice: 'yes' });
  await remembered.submit({}, 'choice=do');
  await provePassword(remembered, deedUrl(hemma, 'activate_two_step'), owner.email);
  nextStep();
  await remembered.submit({ code: sixDigits(keyOn(remembered.screen)) });
  await remembered.submit({ lastGroup: codeOn(remembered.screen).slice(-4) });
  travel(hours(11));
  await provePassword(remembered, (await party.begin()).url, owner.email);
  expect(remembered.screen.step).toBe('totp');
});

test('T20 a recovery code and the password deactivate in one sign-in, and the code is spent by it', async () => {
  const owner = await person('hanna');
  const browser = newVisitor();
  await proveByCode(browser, OFF(), owner);
  expect(browser.screen.step).toBe('confirm');
  // Whoever cancels keeps two-step verification, and has spent nothing yet: the sign-in asks what became of the phone.
  await browser.submit({}, 'choice=decline');
  expect(browser.screen.step).toBe('recovery-code');
  const deed = newVisitor();
  await proveByCode(deed, OFF(), owner);
  await deed.submit({}, 'choice=do');
  expect(deed.screen.url.pathname).toBe('/account');
  await hemma.mail.mailTo(owner.email, /Tvåstegsverifieringen är avstängd/);
});
