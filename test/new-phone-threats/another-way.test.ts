/** "Try another way" and every other page, with every form, for a thief who has proved the password (T11). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, days, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { tryAll } from './every-page.ts';
import { newPerson, pageOf, type Person, provePassword, tokenOn } from './people.ts';

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

test.each(situations)('T11 %s: no form sent to any page leads past %s', async (name, stays, arrange) => {
  const owner = await newPerson(hemma, party, `${name.replaceAll(/[^a-z]/g, '')}@example.com`);
  const browser = newVisitor();
  await arrange(browser, (await party.begin()).url, owner.email);
  expect(tokenOn(browser)).not.toBe('');
  await tryAll(browser, owner.email, thief, stays);
});

test('T11 no phone is connected and the window is closed: no form leads past the mailed code', async () => {
  const { email } = await hemma.account({ email: 'ingen@example.com' });
  travel(days(8));
  const browser = newVisitor();
  await provePassword(browser, (await party.begin()).url, email);
  await tryAll(browser, email, thief, ['mailed-code']);
});
