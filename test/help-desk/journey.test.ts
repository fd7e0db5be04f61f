/** J5: phone and code are lost, and the help desk lets the right person in again without ever seeing a code. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import {
  codeOn,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  pageOf,
  provePassword,
} from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { atCodePage, codeMailedTo, type Desk, deskAt, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string, locale: 'sv' | 'en' = 'sv') =>
  newPerson(hemma, party, `${name}@example.com`, { locale });
const caseNumberOn = (visitor: ReturnType<typeof newVisitor>) =>
  visitor.screen.page.querySelector('[data-case-number]')?.getAttribute('data-case-number');

test('J5 from "I don\'t have my code" to a new phone, and back in Autopay with two factors', async () => {
  const owner = await person('astrid');
  nextStep();
  const visitor = newVisitor();
  const begun = await party.begin();
  await provePassword(visitor, begun.url, owner.email);
  await visitor.follow('Ny eller förlorad telefon?');
  await visitor.follow('Jag har inte kvar min engångskod');
  expect(visitor.screen.step).toBe('help-desk');
  await visitor.submit({}, 'Öppna ett ärende');
  const number = caseNumberOn(visitor);
  expect(number).toMatch(/^\d{3}-\d{4}$/);
  expect(visitor.screen.text).toContain('08-123 45 67');
  const told = await hemma.mail.mailTo(owner.email, /ärende/i);
  expect(told.text).toContain(number);

  const agent = await desk.operator('agent');
  const waiting = await desk.open(agent, owner.id);
  expect(waiting.number).toBe(number);
  expect(await desk.tick(agent, waiting, ['call-back', 'vouched-for'])).toBe('done');
  expect(await desk.send(agent, waiting)).toBe('done');
  const code = await codeMailedTo(hemma, owner.email);

  await visitor.follow('Jag har fått koden');
  expect(visitor.screen.text).toContain('Koden som supporten mejlade dig');
  await typeCode(visitor, code.toLowerCase().replaceAll('-', ' '));
  expect(visitor.screen.step).toBe('re-enrollment');
  const key = keyOn(visitor.screen);
  await visitor.submit({ code: sixDigits(key) });
  expect(visitor.screen.step).toBe('new-recovery-code');
  await visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  const tokens = await party.redeem(begun, visitor.screen.url);
  expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({
    sub: owner.id,
    acr: 'urn:hemma:2',
    amr: ['pwd', 'otp', 'mfa'],
  });
  expect(await desk.caseOf(owner.id)).toBeUndefined();
  expect(await recorded(hemma, 'help-desk-code.spent', owner.id)).toBe(1);

  nextStep();
  const later = newVisitor();
  await provePassword(later, (await party.begin()).url, owner.email);
  await later.submit({ code: sixDigits(owner.key) });
  expect(later.screen.refusal).toBe('wrong-code');
  await later.submit({ code: sixDigits(key) });
  expect(gotIn(later)).toBe(true);
});

test('J5 opening the page opens no case; opening one twice, or in another browser, is one case and one mail', async () => {
  const owner = await person('bertil');
  const visitor = newVisitor();
  await provePassword(visitor, (await party.begin()).url, owner.email);
  await visitor.visit(pageOf(visitor, 'help-desk'));
  expect(caseNumberOn(visitor)).toBeUndefined();
  expect(await desk.caseOf(owner.id)).toBeUndefined();
  const before = visitor.screen;
  await visitor.submit({}, 'Öppna ett ärende');
  const number = caseNumberOn(visitor);
  visitor.backTo(before);
  await visitor.submit({}, 'Öppna ett ärende');
  expect(caseNumberOn(visitor)).toBe(number);
  await visitor.visit(visitor.screen.url);
  expect(caseNumberOn(visitor)).toBe(number);

  const elsewhere = newVisitor({ language: 'en' });
  await provePassword(elsewhere, (await party.begin()).url, owner.email);
  await elsewhere.visit(pageOf(elsewhere, 'help-desk'));
  expect(caseNumberOn(elsewhere)).toBe(number);
  await hemma.mail.mailTo(owner.email, /ärende/i);
  expect(await recorded(hemma, 'help-desk.case-opened', owner.id)).toBe(1);
  const { rows } = await hemma.db.query(
    "SELECT 1 FROM mails WHERE kind = 'case-opened' AND account_id = $1",
    [owner.id],
  );
  expect(rows).toHaveLength(1);
});

test('J5 the code is taken among the six digits too, in another browser, fifty minutes later', async () => {
  const owner = await person('cecilia', 'en');
  const code = await desk.codeFor(await desk.operator('carl'), owner);
  travel(minutes(50));
  const visitor = newVisitor({ language: 'en' });
  await provePassword(visitor, (await party.begin()).url, owner.email);
  await visitor.submit({ code });
  expect(visitor.screen.step).toBe('re-enrollment');
  await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
  await visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  const { text } = await hemma.mail.mailTo(owner.email, /code from the help desk was used/i);
  expect(text).toContain('new phone');
});

test('J5 an authenticator that too many wrong codes switched off is replaced the same way', async () => {
  const owner = await person('david');
  await hemma.db.query('UPDATE authenticators SET disabled_at = $2 WHERE account_id = $1', [
    owner.id,
    new Date(),
  ]);
  const code = await desk.codeFor(await desk.operator('dora'), owner);
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  expect(visitor.screen.step).toBe('re-enrollment');
  await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
  expect(visitor.screen.step).toBe('new-recovery-code');
});

test('J5 an account opens three cases a day, and then waits', async () => {
  const owner = await person('eva');
  const agent = await desk.operator('erik');
  const visitor = newVisitor();
  await provePassword(visitor, (await party.begin()).url, owner.email);
  for (let turn = 0; turn < 3; turn++) {
    await visitor.visit(pageOf(visitor, 'help-desk'));
    await visitor.submit({}, 'Öppna ett ärende');
    const opened = await desk.caseOf(owner.id);
    expect(opened && (await desk.close(agent, opened))).toBe('done');
  }
  await visitor.visit(pageOf(visitor, 'help-desk'));
  await visitor.submit({}, 'Öppna ett ärende');
  expect([visitor.screen.status, visitor.screen.refusal]).toEqual([429, 'throttled']);
  expect(await desk.caseOf(owner.id)).toBeUndefined();
});

test('T33 nobody learns of cases or the help desk before the right password, nor by a mailed code in its place', async () => {
  const owner = await person('frida');
  const visitor = newVisitor();
  await visitor.visit((await party.begin()).url);
  await visitor.visit(pageOf(visitor, 'help-desk'));
  expect(visitor.screen.step).toBe('password');
  expect(visitor.screen.body).not.toContain('08-123 45 67');
  await visitor.visit(pageOf(visitor, 'forgotten-password'));
  await visitor.submit({ email: owner.email });
  const { text } = await hemma.mail.mailTo(owner.email, /\d{4} \d{4}/);
  await visitor.submit({ code: /\d{4} \d{4}/.exec(text)?.[0] ?? '' });
  expect(visitor.screen.step).toBe('totp');
  await visitor.visit(pageOf(visitor, 'help-desk'));
  expect(visitor.screen.step).toBe('totp');
  expect(await desk.caseOf(owner.id)).toBeUndefined();
});
