/** T32: the code from the help desk needs the password beside it, works once, and leads to a new phone and nowhere else. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Operator } from '../../src/users/operators.ts';
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
  proveBoth,
  proveMailbox,
  provePassword,
  standsAt,
} from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { atCodePage, type Desk, deskAt, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;
let agent: Operator;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
  agent = await desk.operator('agent');
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

test('T32 beside a mailed code in place of the password it opens nothing, and stays good', async () => {
  const owner = await person('astrid');
  const code = await desk.codeFor(agent, owner);
  const thief = newVisitor();
  await proveMailbox(thief, hemma, (await party.begin()).url, owner.email);
  expect(thief.screen.step).toBe('totp');
  await thief.submit({ code });
  expect([thief.screen.step, thief.screen.refusal]).toEqual(['totp', 'help-desk-code-needs-password']);
  for (const step of ['re-enrollment', 'new-password', 'new-recovery-code', 'enrollment']) {
    await thief.visit(pageOf(thief, step));
    expect([step, thief.screen.step]).toEqual([step, 'totp']);
  }
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  expect(visitor.screen.step).toBe('re-enrollment');
});

test('T32 it ends with a new saved code, without which the sign-in does not end', async () => {
  const owner = await person('bertil');
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, await desk.codeFor(agent, owner));
  await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
  expect(await standsAt(visitor)).toBe('new-recovery-code');
  const saved = codeOn(visitor.screen);
  await visitor.submit({ lastGroup: saved.slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  const later = await atCodePage(party, owner.email);
  await typeCode(later, saved);
  expect(later.screen.step).toBe('re-enrollment');
});

test('T32 used once, it is dead; half used, it is not', async () => {
  const owner = await person('cecilia');
  const code = await desk.codeFor(agent, owner);
  const first = await atCodePage(party, owner.email);
  await typeCode(first, code);
  const second = await atCodePage(party, owner.email);
  await typeCode(second, code);
  expect(second.screen.step).toBe('re-enrollment');
  // The later sign-in took it over: the earlier one is asked again.
  expect(await standsAt(first)).toBe('totp');
  await second.submit({ code: sixDigits(keyOn(second.screen)) });
  expect(second.screen.step).toBe('new-recovery-code');
  const third = await atCodePage(party, owner.email);
  await typeCode(third, code);
  expect(third.screen.refusal).toBe('wrong-recovery-code');
});

test('T31 the saved code is void from the moment that another was sent, also where it was typed and waits', async () => {
  const owner = await person('david');
  const waiting = newVisitor();
  await provePassword(waiting, (await party.begin()).url, owner.email);
  await waiting.submit({ code: owner.recoveryCode });
  expect(waiting.screen.step).toBe('recovery-code');
  const code = await desk.codeFor(agent, owner);
  expect(await standsAt(waiting)).toBe('totp');
  const late = await atCodePage(party, owner.email);
  await typeCode(late, owner.recoveryCode);
  expect(late.screen.refusal).toBe('wrong-recovery-code');
  await typeCode(late, code);
  expect(late.screen.step).toBe('re-enrollment');
});

test('T31 it dies when a newer one is sent, and when the person finds the phone and saves a new code', async () => {
  const owner = await person('eva');
  const first = await desk.codeFor(agent, owner);
  travel(minutes(11));
  const second = await desk.codeFor(agent, owner);
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, first);
  expect(visitor.screen.refusal).toBe('wrong-recovery-code');

  nextStep();
  const withPhone = newVisitor();
  await proveBoth(withPhone, (await party.begin()).url, owner);
  expect(withPhone.screen.step).toBe('new-recovery-code');
  await withPhone.submit({ lastGroup: codeOn(withPhone.screen).slice(-4) });
  expect(gotIn(withPhone)).toBe(true);
  await visitor.visit(pageOf(visitor, ''));
  expect(visitor.screen.step).toBe('password');
  const again = await atCodePage(party, owner.email);
  await typeCode(again, second);
  expect(again.screen.refusal).toBe('wrong-recovery-code');
});

test('SECURITY 41, T31 it is refused after an hour at its use, and says why to whoever has it', async () => {
  const owner = await person('frida');
  const code = await desk.codeFor(agent, owner);
  const early = await atCodePage(party, owner.email);
  travel(minutes(59));
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  expect(visitor.screen.step).toBe('re-enrollment');
  travel(minutes(2));
  await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
  expect([visitor.screen.step, visitor.screen.refusal]).toEqual(['re-enrollment', 'expired-help-desk-code']);
  expect(await recorded(hemma, 'authenticator.replaced', owner.id)).toBe(0);
  expect(early.screen.step).toBe('recovery-code');
  const late = await atCodePage(party, owner.email);
  await typeCode(late, code);
  expect(late.screen.refusal).toBe('expired-help-desk-code');
  nextStep();
  const withPhone = newVisitor();
  await proveBoth(withPhone, (await party.begin()).url, owner);
  expect(withPhone.screen.step).toBe('new-recovery-code');
});

test('T32 guessed codes share the budget of a saved one', async () => {
  const owner = await person('gun');
  const code = await desk.codeFor(agent, owner);
  const visitor = await atCodePage(party, owner.email);
  for (let guess = 0; guess < 5; guess++) await typeCode(visitor, 'AAAA-BBBB-CCCC-DDDD-EEEE');
  await typeCode(visitor, code);
  expect([visitor.screen.status, visitor.screen.refusal]).toEqual([429, 'throttled']);
  travel(minutes(2));
  await typeCode(visitor, code);
  expect(visitor.screen.step).toBe('re-enrollment');
});
