/** A second address hears of everything that happens to an account, once it is proved, and opens nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { type Person, personAt, rowsOf } from './town.ts';

let hemma: Hemma;
let autopay: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});
afterEach(back);

const codeIn = async (address: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(address, /\d{4} \d{4}/)).text)?.[0] ?? '';

/** From My details to the page of the second address, with both factors. */
async function toSecondAddress({ visitor, email, key }: Person, link: string): Promise<Screen> {
  travel(minutes(1));
  await visitor.visit(hemma.url('/account'));
  at('password', await visitor.follow(link));
  at('totp', await typePassword(visitor, email));
  return at('new-email', await visitor.submit({ code: sixDigits(key) }));
}

async function addSecond(person: Person, second: string): Promise<Screen> {
  await toSecondAddress(person, 'Lägg till en extra adress');
  at('mailed-code', await person.visitor.submit({ email: second }));
  return at('account', await person.visitor.submit({ code: await codeIn(second) }));
}

test('an address gets notices once its code was typed, and My details shows it', async () => {
  const person = await personAt(hemma, autopay, 'astrid@example.com');
  await toSecondAddress(person, 'Lägg till en extra adress');
  await person.visitor.submit({ email: 'hemma@example.com' });
  for (const code of ['', '0000 0000']) {
    await person.visitor.submit({ code });
    expect([person.visitor.screen.step, person.visitor.screen.refusal]).toEqual([
      'mailed-code',
      'wrong-mailed-code',
    ]);
  }
  const screen = at('account', await person.visitor.submit({ code: await codeIn('hemma@example.com') }));
  expect(screen.text).toContain('hemma@example.com');
  expect(rowsOf(screen, 'events')[0] ?? screen.text).toMatch(
    /Extra adress för meddelanden ändrades|Inloggning/,
  );
  await hemma.mail.mailTo(person.email, /även till hemma@example\.com/);
});

test('what happens to the account is told to both addresses, in words without a code', async () => {
  const person = await personAt(hemma, autopay, 'bo@example.com');
  await addSecond(person, 'bos-andra@example.com');
  travel(minutes(1));
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  await typePassword(visitor, person.email);
  await visitor.submit({ code: person.recoveryCode });
  for (const address of [person.email, 'bos-andra@example.com']) {
    const { text } = await hemma.mail.mailTo(address, /skrev din engångskod/);
    expect(text).not.toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}/);
  }
});

test('no code goes there, and nobody signs in or gets a new password with it', async () => {
  const person = await personAt(hemma, autopay, 'cia@example.com');
  await addSecond(person, 'cias-andra@example.com');
  travel(minutes(2));
  const mailed = hemma.mails().filter(({ to }) => to === 'cias-andra@example.com').length;
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  await typePassword(visitor, 'cias-andra@example.com');
  expect([visitor.screen.step, visitor.screen.refusal]).toEqual(['password', 'wrong-password']);
  for (const email of ['cias-andra@example.com', person.email]) {
    await visitor.visit(visitor.screen.url.href.replace(/[^/]+$/, 'forgotten-password'));
    at('mailed-code', await visitor.submit({ email }));
    travel(minutes(2));
  }
  await codeIn(person.email);
  expect(hemma.mails().filter(({ to }) => to === 'cias-andra@example.com')).toHaveLength(mailed);
});

test('the second address that is replaced or removed hears of it, and then nothing more', async () => {
  const person = await personAt(hemma, autopay, 'dag@example.com');
  await addSecond(person, 'dags-andra@example.com');
  await toSecondAddress(person, 'Ändra den extra adressen');
  const screen = at('account', await person.visitor.submit({}, 'Ta bort den adressen'));
  expect(screen.text).not.toContain('dags-andra@example.com');
  await hemma.mail.mailTo('dags-andra@example.com', /bara till adressen som du loggar in med/);
  travel(minutes(1));
  const before = hemma.mails().filter(({ to }) => to === 'dags-andra@example.com').length;
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  await typePassword(visitor, person.email);
  await visitor.submit({ code: person.recoveryCode });
  await hemma.mail.mailTo(person.email, /skrev din engångskod/);
  expect(hemma.mails().filter(({ to }) => to === 'dags-andra@example.com')).toHaveLength(before);
});
