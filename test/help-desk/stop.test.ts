/** The person's own way to stop a case, by a typed code out of any of our mails, in any browser. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Operator } from '../../src/users/operators.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { codeOn, keyOn, newPerson, pageOf, provePassword, standsAt } from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { atCodePage, codeMailedTo, type Desk, deskAt, stopCodeMailedTo, typeCode, typeStop } from './desk.ts';

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

test('a thief with the password opens a case, and the person stops it before anything is sent', async () => {
  const owner = await person('astrid');
  const thief = newVisitor();
  await provePassword(thief, (await party.begin()).url, owner.email);
  await thief.visit(pageOf(thief, 'help-desk'));
  await thief.submit({}, 'Öppna ett ärende');
  const waiting = await desk.caseOf(owner.id);
  const stopped = await typeStop(hemma, await stopCodeMailedTo(hemma, owner.email));
  expect([stopped.status, stopped.step]).toEqual([200, 'stopped']);
  expect(stopped.text).toContain('08-123 45 67');
  expect(await desk.caseOf(owner.id)).toBeUndefined();
  expect(waiting && (await desk.send(agent, waiting))).toBe('case-closed');
  await hemma.mail.mailTo(owner.email, /är stoppat/);
  expect(await recorded(hemma, 'help-desk.stopped', owner.id)).toBe(1);
});

test('a code that somebody has typed and is about to use dies at once', async () => {
  const owner = await person('bertil');
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  await desk.send(agent, waiting);
  const code = await codeMailedTo(hemma, owner.email);
  const thief = await atCodePage(party, owner.email);
  await typeCode(thief, code);
  const key = keyOn(thief.screen);
  const atNewPhone = thief.screen;
  await hemma.mail.mailTo(owner.email, /stop|stoppas/);
  const stopped = await typeStop(hemma, await stopCodeMailedTo(hemma, owner.email));
  expect(stopped.step).toBe('stopped');
  thief.backTo(atNewPhone);
  await thief.submit({ code: sixDigits(key) });
  expect(await standsAt(thief)).toBe('totp');
  await thief.submit({ code });
  expect(thief.screen.refusal).toBe('wrong-recovery-code');
  expect(await recorded(hemma, 'authenticator.replaced', owner.id)).toBe(0);
});

test('each mail about the case stops it; typed twice it is stopped all the same', async () => {
  const owner = await person('cecilia');
  await desk.codeFor(agent, owner);
  const [first, second] = [
    await stopCodeMailedTo(hemma, owner.email),
    await stopCodeMailedTo(hemma, owner.email),
  ];
  expect(first).not.toBe(second);
  expect((await typeStop(hemma, first.toLowerCase().replaceAll('-', ''))).step).toBe('stopped');
  for (const again of [first, second]) expect((await typeStop(hemma, again)).step).toBe('stopped');
  expect(await recorded(hemma, 'help-desk.stopped', owner.id)).toBe(1);
});

test('an old stop code stops no later case, and says that there is nothing to stop once the phone is replaced', async () => {
  const owner = await person('david');
  const code = await desk.codeFor(agent, owner);
  const old = await stopCodeMailedTo(hemma, owner.email);
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) });
  await visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) });
  const late = await typeStop(hemma, old);
  expect([late.status, late.refusal]).toEqual([422, 'nothing-to-stop']);
  travel(minutes(11));
  const next = await desk.codeFor(agent, owner);
  expect((await typeStop(hemma, old)).refusal).toBe('nothing-to-stop');
  const again = await atCodePage(party, owner.email);
  await typeCode(again, next);
  expect(again.screen.step).toBe('re-enrollment');
});

test('a GET changes nothing, whoever follows the link; a form from elsewhere is refused', async () => {
  const owner = await person('eva');
  await desk.open(agent, owner.id);
  const code = await stopCodeMailedTo(hemma, owner.email);
  const scanner = newVisitor();
  for (const query of ['', `?code=${code}`, `?code=${code}&submit=yes`]) {
    const { status } = await scanner.visit(hemma.url(`/help-desk/stop${query}`));
    expect(status).toBe(200);
  }
  await scanner.post(hemma.url('/help-desk/stop'), { code }, { 'sec-fetch-site': 'cross-site' });
  expect(scanner.screen.status).toBe(403);
  expect(await desk.caseOf(owner.id)).toBeDefined();
});

test('T33 a wrong code looks alike whoever has a case, speaks both languages, and soon has to wait', async () => {
  const owner = await person('frida');
  await desk.open(agent, owner.id);
  const right = await stopCodeMailedTo(hemma, owner.email);
  const visitor = newVisitor({ language: 'en' });
  const guesses = [
    '',
    'hello',
    '123456',
    'AAAA-BBBB-CCCC-DDDD',
    `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`,
  ];
  const looks = [];
  for (const guess of guesses) {
    const { status, body } = await typeStop(hemma, guess, visitor);
    looks.push(`${status} ${body}`);
  }
  expect(new Set(looks).size).toBe(1);
  expect(visitor.screen.page.querySelector('html')?.getAttribute('lang')).toBe('en');
  for (let guess = 0; guess < 20; guess++) await typeStop(hemma, 'AAAA-BBBB-CCCC-DDDD', visitor);
  expect([visitor.screen.status, visitor.screen.refusal]).toEqual([429, 'throttled']);
  expect(visitor.screen.headers['retry-after']).toBeDefined();
  travel(minutes(20));
  expect((await typeStop(hemma, right)).step).toBe('stopped');
});
