/** "Try another way" and every other page, with every form, for a thief who has proved the password (T11). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { tryAll } from './every-page.ts';
import {
  deedUrl,
  gotIn,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  provePassword,
  standsAt,
  tokenOn,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;
let thief: Person;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  thief = await newPerson(hemma, party, 'tjuv@example.com');
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

type Arrange = (browser: Visitor, url: string, email: string) => Promise<unknown>;

const withPassword: Arrange = (browser, url, email) => provePassword(browser, url, email, PASSWORD);

const situations: [string, string[], Arrange][] = [
  ['the password is proved', ['totp'], withPassword],
  [
    'the chooser was opened, a way chosen, and left again',
    ['totp'],
    async (browser, url, email) => {
      await withPassword(browser, url, email);
      const six = browser.screen;
      await browser.follow('Prova ett annat sätt');
      expect(browser.screen.step).toBe('another-way');
      await browser.visit(pageOf(browser, 'recovery-code'));
      expect(browser.screen.step).toBe('recovery-code');
      browser.backTo(six);
    },
  ],
  [
    'the chooser is in front',
    ['totp'],
    async (browser, url, email) => {
      await withPassword(browser, url, email);
      const token = tokenOn(browser);
      await browser.post(pageOf(browser, 'another-way'), { token, method: 'recovery-code', choice: 'do' });
      await browser.visit(pageOf(browser, 'recovery-code'));
    },
  ],
];

test.each(situations)(
  'SECURITY 1, 8, T11 %s: no form sent to any page leads past %s',
  async (name, stays, arrange) => {
    const owner = await newPerson(hemma, party, `${name.replaceAll(/[^a-z]/g, '')}@example.com`);
    const browser = newVisitor();
    await arrange(browser, (await party.begin()).url, owner.email);
    expect(tokenOn(browser)).not.toBe('');
    await tryAll(browser, owner.email, thief, stays);
  },
);

test('SECURITY 1, T11 no phone is connected and the window is closed: no form leads past the mailed code', async () => {
  const { email } = await hemma.account({ email: 'ingen@example.com' });
  travel(days(8));
  const browser = newVisitor();
  await provePassword(browser, (await party.begin()).url, email);
  await tryAll(browser, email, thief, ['mailed-code']);
});

test('SECURITY 9 what one tab has proved the other tab of the same browser asks for itself', async () => {
  const owner = await newPerson(hemma, party, 'flikar@example.com');
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'deactivate_two_step'), owner);
  const proved = browser.screen;
  expect(proved.step).toBe('confirm');
  await browser.visit((await party.begin({ prompt: 'login' })).url);
  for (const step of ['totp', 'confirm', '']) {
    await browser.visit(pageOf(browser, step));
    expect([step, browser.screen.step]).toEqual([step, 'password']);
  }
  await browser.submit({ email: owner.email, password: PASSWORD });
  const second = browser.screen;
  expect(second.step).toBe('totp');
  for (const step of ['confirm', '']) {
    await browser.visit(pageOf(browser, step));
    expect([step, browser.screen.step]).toEqual([step, 'totp']);
  }
  // The first tab goes on to its end and is signed in: the other one asks all the same.
  browser.backTo(proved);
  await browser.submit({}, 'choice=decline');
  expect(browser.screen.url.pathname).toBe('/account');
  browser.backTo(second);
  expect(await standsAt(browser)).toBe('totp');
  await browser.visit(`${hemma.issuer}/auth/${second.url.pathname.split('/')[2]}`);
  expect(gotIn(browser)).toBe(false);
});

test('SECURITY 9 of two tabs at the six digits each needs digits of its own', async () => {
  const owner = await newPerson(hemma, party, 'siffror@example.com');
  const browser = newVisitor();
  const tabs: Visitor['screen'][] = [];
  for (let tab = 0; tab < 2; tab++)
    tabs.push(await provePassword(browser, (await party.begin({ prompt: 'login' })).url, owner.email));
  const [one, other] = tabs;
  if (!one || !other) throw new Error('two tabs were to be open');
  nextStep();
  browser.backTo(one);
  await browser.submit({ code: sixDigits(owner.key) });
  expect(gotIn(browser)).toBe(true);
  browser.backTo(other);
  expect(await standsAt(browser)).toBe('totp');
  await browser.submit({ code: sixDigits(owner.key) });
  expect([browser.screen.step, browser.screen.refusal]).toEqual(['totp', 'used-code']);
  nextStep();
  await browser.submit({ code: sixDigits(owner.key) });
  expect(gotIn(browser)).toBe(true);
});
