/** One code, many sign-ins; one case, many operators; two processes that share nothing but the database. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import type { Visitor } from '../rig/visitor.ts';
import { gotIn, keyOn, newPerson } from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { startTwo, type TwoProcesses } from '../races/two-processes.ts';
import { atCodePage, type Desk, deskAt, stopCodeMailedTo, typeCode, typeStop } from './desk.ts';

let two: TwoProcesses;
let party: RelyingParty;
let desk: Desk;

beforeAll(async () => {
  two = await startTwo();
  party = await startRelyingParty({ hemma: two });
  desk = await deskAt({ ...two, env: two.settings[0] });
});
afterAll(async () => {
  await party.stop();
  await two.stop();
});

const person = (name: string) => newPerson(two, party, `${name}@example.com`);

async function atCodePages(email: string, count: number): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  // One after the other: parallel right passwords would spend the password's own budget.
  for (let place = 0; place < count; place++) visitors.push(await atCodePage(party, email));
  return visitors;
}

test('T32 one code typed in eight sign-ins at once replaces one phone, once', async () => {
  const owner = await person('astrid');
  const code = await desk.codeFor(await desk.operator('agent'), owner);
  // Within the budget: a right code clears the count of those before it.
  const visitors = await atCodePages(owner.email, 8);
  await Promise.all(visitors.map((visitor) => typeCode(visitor, code)));
  const inside = visitors.filter(({ screen }) => screen.step === 're-enrollment');
  expect(inside.length).toBeGreaterThan(0);
  await Promise.all(inside.map((visitor) => visitor.submit({ code: sixDigits(keyOn(visitor.screen)) })));
  for (const { screen } of visitors) expect(screen.status).toBeLessThan(500);
  expect(visitors.filter(({ screen }) => screen.step === 'new-recovery-code')).toHaveLength(1);
  expect(visitors.filter(gotIn)).toHaveLength(0);
  expect(await recorded(two, 'help-desk-code.spent', owner.id)).toBe(1);
  expect(await recorded(two, 'authenticator.replaced', owner.id)).toBe(1);
});

test('T32 a new phone and a stop at the same moment: one of them happens, never both', async () => {
  for (const name of ['bertil', 'bodil', 'bosse']) {
    const owner = await person(name);
    const agent = await desk.operator(name);
    const code = await desk.codeFor(agent, owner);
    const stop = await stopCodeMailedTo(two, owner.email);
    const [visitor] = await atCodePages(owner.email, 1);
    if (!visitor) throw new Error('one person was to stand there');
    await typeCode(visitor, code);
    const [screen, stopped] = await Promise.all([
      visitor.submit({ code: sixDigits(keyOn(visitor.screen)) }),
      typeStop(two, stop),
    ]);
    const replaced = await recorded(two, 'authenticator.replaced', owner.id);
    expect(replaced + (await recorded(two, 'help-desk.stopped', owner.id))).toBe(1);
    expect(screen.step).toBe(replaced === 1 ? 'new-recovery-code' : 'totp');
    expect(stopped.step).toBe(replaced === 1 ? 'stop' : 'stopped');
  }
});

test('T31 five operators who press Send at once have one code sent', async () => {
  const owner = await person('cecilia');
  const agents = [];
  for (let place = 0; place < 5; place++) agents.push(await desk.operator(`c-${place}`));
  const [first] = agents;
  if (!first) throw new Error('operators were to be there');
  const waiting = await desk.open(first, owner.id);
  await desk.tick(first, waiting);
  const answers = await Promise.all(agents.map((agent) => desk.send(agent, waiting)));
  expect(answers.toSorted()).toEqual([...Array.from({ length: 4 }, () => 'code-just-sent'), 'done']);
  expect(await recorded(two, 'help-desk.code-sent', owner.id)).toBe(1);
});

test('an operator who sends to several people at once stays within the limit, and cases are opened once', async () => {
  const owner = await person('david');
  const agents = [await desk.operator('d-1'), await desk.operator('d-2'), await desk.operator('d-3')];
  const cases = await Promise.all(agents.map((agent) => desk.open(agent, owner.id)));
  expect(new Set(cases.map(({ id }) => id)).size).toBe(1);
  expect(await recorded(two, 'help-desk.case-opened', owner.id)).toBe(1);
});

test('T31 one approval is good for one code, and an account begins anew once', async () => {
  const chiefs = [];
  for (let place = 0; place < 4; place++) chiefs.push(await desk.operator(`e-${place}`, 'administrator'));
  const [one, other, ...rest] = chiefs;
  if (!one || !other) throw new Error('administrators were to be there');
  const owner = await newPerson(two, party, 'eva@example.com', { role: 'help-desk' });
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  expect(await desk.send(one, waiting)).toBe('approval-needed');
  const approvals = await Promise.all([other, ...rest].map((chief) => desk.approve(chief, waiting)));
  expect(approvals.filter((answer) => answer === 'done')).toHaveLength(1);
  const sent = await Promise.all([one, one, one].map((chief) => desk.send(chief, waiting)));
  expect(sent.filter((answer) => answer === 'done')).toHaveLength(1);

  const lost = await person('frida');
  const theirs = await desk.open(one, lost.id);
  await desk.tick(one, theirs);
  await desk.askAnew(one, theirs);
  const anew = await Promise.all([other, ...rest].map((chief) => desk.approve(chief, theirs)));
  expect(anew.filter((answer) => answer === 'done')).toHaveLength(1);
  expect(await recorded(two, 'help-desk.invitation-sent', lost.id)).toBe(1);
});
