/** T31: what the help desk gave or allowed does not outlive what it was given for: a role, an account's access, an operator. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Operator } from '../../src/users/operators.ts';
import { operator, type OperatorAtWork } from '../console/town.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { click, holdTurn } from '../new-phone-threats/clicks.ts';
import { deedUrl, mailedCodeTo, newPerson, proveBoth } from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { releaseAll, untilWaiting } from '../races/interleave.ts';
import { atCodePage, codeMailedTo, type Desk, deskAt, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;
let agent: Operator;
let chief: OperatorAtWork;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
  agent = await desk.operator('agent');
  chief = await operator(hemma, 'chief@example.com', 'administrator');
});
afterEach(async () => {
  await releaseAll();
  back();
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string, role: 'person' | 'help-desk' | 'administrator' = 'person') =>
  newPerson(hemma, party, `${name}@example.com`, { role });

/** The administrator changes an account in the console, just after a sign-in. */
async function inConsole(id: string, deed: string, fields: Record<string, string> = {}) {
  await chief.visitor.visit(hemma.url(`/admin/people/${id}/${deed}`));
  expect(chief.visitor.screen.step).toBe(deed);
  await chief.visitor.submit(fields);
  expect(chief.visitor.screen.step).toBe('person');
}

describe('T31 a code that one operator had sent is void', () => {
  test('once the person looks after others: a code to those takes two operators', async () => {
    const owner = await person('astrid');
    const code = await desk.codeFor(agent, owner);
    await inConsole(owner.id, 'role', { role: 'help-desk', email: owner.email });
    const thief = await atCodePage(party, owner.email);
    await typeCode(thief, code);
    expect([thief.screen.step, thief.screen.refusal]).toEqual(['recovery-code', 'wrong-recovery-code']);
  });

  test('once the account was disabled, also where it is enabled again within the hour', async () => {
    const owner = await person('bertil');
    const code = await desk.codeFor(agent, owner);
    await inConsole(owner.id, 'disable', { email: owner.email });
    await inConsole(owner.id, 'enable');
    const thief = await atCodePage(party, owner.email);
    await typeCode(thief, code);
    expect([thief.screen.step, thief.screen.refusal]).toEqual(['recovery-code', 'wrong-recovery-code']);
  });
});

test('T31 a code on its way to an address that is changed in the same moment is void', async () => {
  const owner = await person('hilda');
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  const { browser } = owner;
  await proveBoth(browser, deedUrl(hemma, 'change_email'), owner);
  await browser.submit({ email: 'hilda.ny@example.com' });
  const typed = await mailedCodeTo(hemma, 'hilda.ny@example.com');
  const database = hemma.env['DATABASE_URL'] ?? '';
  const held = await holdTurn(database, owner.id);
  const sent = desk.send(agent, waiting);
  await untilWaiting(database, 1);
  const changed = click(browser, { code: typed });
  await untilWaiting(database, 2);
  await held.release();
  expect([await sent, (await changed).status]).toEqual(['done', 303]);
  const thief = await atCodePage(party, 'hilda.ny@example.com');
  await typeCode(thief, await codeMailedTo(hemma, owner.email));
  expect(thief.screen.refusal).toBe('wrong-recovery-code');
});

describe('T31 two operators are two who still are operators', () => {
  test('whoever allowed a code and lost the role since has allowed nothing', async () => {
    const owner = await person('cecilia', 'help-desk');
    const [one, other] = [
      await desk.operator('c-1', 'administrator'),
      await desk.operator('c-2', 'administrator'),
    ];
    const waiting = await desk.open(one, owner.id);
    await desk.tick(one, waiting);
    expect(await desk.send(one, waiting)).toBe('approval-needed');
    expect(await desk.approve(other, waiting)).toBe('done');
    await inConsole(other.id, 'disable', { email: 'c-2@desk.example.com' });
    expect(await desk.send(one, waiting)).toBe('approval-needed');
    expect(await recorded(hemma, 'help-desk.code-sent', owner.id)).toBe(0);
    // Another one allows it, and it is sent.
    expect(await desk.approve({ ...one, id: chief.id }, waiting)).toBe('done');
    expect(await desk.send(one, waiting)).toBe('done');
  });

  test('what somebody asked for who may not ask any more is nothing that another one can allow', async () => {
    const owner = await person('david');
    const [one, other] = [await desk.operator('d-1'), await desk.operator('d-2')];
    const waiting = await desk.open(one, owner.id);
    await desk.tick(one, waiting);
    expect(await desk.askAnew(one, waiting)).toBe('done');
    await inConsole(one.id, 'role', { role: 'person', email: 'd-1@desk.example.com' });
    expect(await desk.approve(other, waiting)).toBe('nothing-to-approve');
    expect(await recorded(hemma, 'help-desk.invitation-sent', owner.id)).toBe(0);
    // Somebody else asks anew, and is not answered by the question that is void.
    expect(await desk.askAnew(other, waiting)).toBe('done');
    expect(await desk.approve(agent, waiting)).toBe('done');
  });

  test('an agent who asked about a person is no second hand once that person is an administrator', async () => {
    const owner = await person('eva');
    const one = await desk.operator('e-1');
    const waiting = await desk.open(one, owner.id);
    await desk.tick(one, waiting);
    expect(await desk.askAnew(one, waiting)).toBe('done');
    await inConsole(owner.id, 'role', { role: 'administrator', email: owner.email });
    expect(await desk.approve({ id: chief.id, role: 'administrator', group: undefined }, waiting)).toBe(
      'nothing-to-approve',
    );
    expect(await recorded(hemma, 'help-desk.invitation-sent', owner.id)).toBe(0);
  });
});

test('T31 an approval is for what stood on its page: pressed twice it allows nothing else', async () => {
  const owner = await person('frida', 'help-desk');
  const one = await desk.operator('f-1', 'administrator');
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  expect(await desk.send(one, waiting)).toBe('approval-needed');
  travel(minutes(1));
  expect(await desk.askAnew(one, waiting)).toBe('done');
  const { visitor } = chief;
  await visitor.visit(hemma.url(`/admin/cases/${waiting.id}/approve`));
  expect([visitor.screen.step, visitor.screen.text]).toEqual(['case-approve', expect.stringMatching(/kod/)]);
  const page = visitor.screen;
  await visitor.submit({}, 'Godkänn');
  expect(visitor.screen.step).toBe('case');
  visitor.backTo(page);
  await visitor.submit({}, 'Godkänn');
  expect(visitor.screen.refusal).toBe('nothing-to-approve');
  expect(await recorded(hemma, 'help-desk.invitation-sent', owner.id)).toBe(0);
  expect(await recorded(hemma, 'help-desk.approved', owner.id)).toBe(1);
});

test('T31 whoever tries to allow what they asked for themselves is turned away, and it is written down', async () => {
  const owner = await person('gun');
  const one = await desk.operator('g-1');
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  await desk.askAnew(one, waiting);
  expect(await desk.approve(one, waiting)).toBe('own-request');
  expect(await recorded(hemma, 'help-desk.refused', owner.id)).toBe(1);
});
