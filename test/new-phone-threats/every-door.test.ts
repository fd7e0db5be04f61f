/** Every page with every form, for a thief who has proved nothing yet or the mailbox alone (T11). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { tryAll } from './every-page.ts';
import { deedUrl, gotIn, newPerson, pageOf, type Person, proveMailbox, tokenOn } from './people.ts';

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

const situations: [string, string[], Arrange][] = [
  ['nothing is proved', ['password', 'mailed-code'], (browser, url) => browser.visit(url)],
  [
    'a code for a forgotten password is under way',
    ['mailed-code'],
    async (browser, url, email) => {
      await browser.visit(url);
      await browser.visit(pageOf(browser, 'forgotten-password'));
      await browser.submit({ email });
    },
  ],
  ['the mailbox is proved', ['totp'], (browser, url, email) => proveMailbox(browser, hemma, url, email)],
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

test('SECURITY 1, 7, 38, T32 the code for a forgotten password is not taken where six digits are asked, nor the other way about', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  await browser.visit(pageOf(browser, 'forgotten-password'));
  await browser.submit({ email: owner.email });
  for (const code of [sixDigits(owner.key, { step: 1 }), owner.recoveryCode]) {
    await browser.submit({ code });
    expect([browser.screen.step, browser.screen.refusal]).toEqual(['mailed-code', 'wrong-mailed-code']);
  }
  const mail = await hemma.mail.mailTo(owner.email, /\d{4} \d{4}/);
  const code = /\d{4} \d{4}/.exec(mail.text)?.[0] ?? '';
  await browser.submit({ code });
  expect(browser.screen.step).toBe('totp');
  for (const again of [code, code.slice(0, 7), code.replace(' ', '').slice(0, 6)]) {
    await browser.submit({ code: again });
    expect([again, browser.screen.step, browser.screen.status]).toEqual([again, 'totp', 422]);
  }
});

test('SECURITY 11, T11 an intent that is nobody’s, doubled or another client’s is refused before any page', async () => {
  const owner = await newPerson(hemma, party, 'cecilia@example.com');
  for (const intent of ['', 'finish', 'DELETE_ACCOUNT', 'delete_account ', '__proto__', 'constructor']) {
    await owner.browser.visit(deedUrl(hemma, intent || 'x').replace(/intent=.*$/, `intent=${intent}`));
    expect([intent, owner.browser.screen.step === 'confirm', gotIn(owner.browser)]).toEqual([
      intent,
      false,
      false,
    ]);
  }
  await owner.browser.visit(`${deedUrl(hemma, 'step_up')}&intent=delete_account`);
  expect(owner.browser.screen.url.pathname).toBe('/account');
  expect(owner.browser.screen.chain.some(({ url }) => url.includes('error=invalid_request'))).toBe(true);
  for (const intent of ['deactivate_two_step', 'delete_account', 'change_email', 'replace_authenticator']) {
    const { url } = await party.begin({ intent });
    await owner.browser.visit(url);
    expect([intent, owner.browser.screen.url.searchParams.get('error')]).toEqual([intent, 'invalid_request']);
  }
});
