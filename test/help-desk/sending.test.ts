/** T31: who may have a code sent to whom, when, and how often; every refusal is written down. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import { back, days, hours, minutes, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import {
  deedUrl,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  proveBoth,
  proveMailbox,
} from '../new-phone-threats/people.ts';
import { codeMailedTo, type Desk, deskAt } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;

beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_HELP_DESK_DAILY_CODES: '4' } });
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string, role: 'person' | 'help-desk' | 'administrator' = 'person') =>
  newPerson(hemma, party, `${name}@example.com`, { role });
const reasons = async (accountId: string) =>
  (await findAuditEvents(hemma.db, { event: 'help-desk.refused', accountId, limit: 100 })).map(
    ({ detail }) => detail.reason,
  );

test('T31 nothing is sent before it is ticked how the person was made sure of, and only ways that the house knows', async () => {
  const owner = await person('astrid');
  const agent = await desk.operator('anna');
  const waiting = await desk.open(agent, owner.id);
  expect(await desk.send(agent, waiting)).toBe('no-checks');
  expect(await desk.tick(agent, waiting, ['nice-voice'])).toBe('unknown-check');
  expect(await desk.send(agent, waiting)).toBe('no-checks');
  expect(await desk.tick(agent, waiting)).toBe('done');
  expect(await desk.send(agent, waiting)).toBe('done');
  expect(await reasons(owner.id)).toEqual(['no-checks', 'no-checks']);
  const [sent] = await findAuditEvents(hemma.db, {
    event: 'help-desk.code-sent',
    accountId: owner.id,
    limit: 9,
  });
  expect(sent).toMatchObject({ actor: agent.id, detail: { case: waiting.number, checks: 'call-back' } });
});

test('SECURITY 48, T31 it goes to the sign-in address and nowhere else, with a notice that carries no code', async () => {
  const owner = await person('bertil');
  const agent = await desk.operator('bo');
  const code = await desk.codeFor(agent, owner);
  await hemma.mail.mailTo(owner.email, /har skickat en kod till dig/);
  const carrying = hemma.mails().filter(({ text, subject }) => `${subject}${text}`.includes(code));
  expect(carrying.map(({ to }) => to)).toEqual([owner.email]);
  for (const { text } of hemma.mails())
    for (const [link] of text.matchAll(/https?:\S+/g)) expect(link).toBe(hemma.url('/help-desk/stop'));
});

test('T31 one in ten minutes and three in a day for an account, whoever sends', async () => {
  const owner = await person('cecilia');
  const [one, other] = [await desk.operator('carl'), await desk.operator('cajsa')];
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  expect(await desk.send(one, waiting)).toBe('done');
  expect(await desk.send(other, waiting)).toBe('code-just-sent');
  travel(minutes(9));
  expect(await desk.send(other, waiting)).toBe('code-just-sent');
  travel(minutes(2));
  expect(await desk.send(other, waiting)).toBe('done');
  travel(minutes(11));
  expect(await desk.send(one, waiting)).toBe('done');
  travel(minutes(11));
  // A new case is no way around it.
  await desk.close(one, waiting);
  const next = await desk.open(other, owner.id);
  await desk.tick(other, next);
  expect(await desk.send(other, next)).toBe('too-many-codes');
  travel(hours(24));
  expect(await desk.send(other, next)).toBe('done');
});

test('T31 an operator has so many sent in a day as the setting says', async () => {
  const agent = await desk.operator('david');
  const people = [];
  for (const name of ['dag', 'disa', 'doris', 'drott', 'dina']) people.push(await person(name));
  const answers = [];
  for (const { id } of people) {
    const waiting = await desk.open(agent, id);
    await desk.tick(agent, waiting);
    answers.push(await desk.send(agent, waiting));
  }
  expect(answers).toEqual(['done', 'done', 'done', 'done', 'operator-limit']);
});

test('T31 nobody helps themselves, their like or an administrator; a person opens no case for anybody', async () => {
  const agent = await desk.operator('erik');
  const colleague = await person('elsa', 'help-desk');
  const chief = await person('ebba', 'administrator');
  expect(await desk.opens(agent, agent.id)).toBe('own-account');
  expect(await desk.opens(agent, colleague.id)).toBe('not-there');
  expect(await desk.opens(agent, chief.id)).toBe('not-there');
  const owner = await person('egil');
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  const nobody = { id: colleague.id, role: 'help-desk' as const, group: undefined };
  await hemma.db.query("UPDATE accounts SET role = 'person' WHERE id = $1", [colleague.id]);
  // What the page still believes does not count: the role of this moment does.
  expect(await desk.send(nobody, waiting)).toBe('not-there');
  expect(await desk.tick(nobody, waiting)).toBe('not-there');
  expect(await desk.send(agent, { id: '00000000-0000-4000-8000-000000000000' })).toBe('not-there');
});

test('T31 a code to somebody with a role takes two administrators, each time', async () => {
  const owner = await person('frida', 'help-desk');
  const [one, other] = [
    await desk.operator('fredrik', 'administrator'),
    await desk.operator('fanny', 'administrator'),
  ];
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  expect(await desk.send(one, waiting)).toBe('approval-needed');
  expect(await desk.approve(one, waiting)).toBe('own-request');
  expect(await desk.send(one, waiting)).toBe('approval-needed');
  expect(await desk.approve(await desk.operator('finn'), waiting)).toBe('not-there');
  expect(await desk.approve(other, waiting)).toBe('done');
  expect(await desk.approve(other, waiting)).toBe('nothing-to-approve');
  // Whoever approved does not send as well.
  expect(await desk.send(other, waiting)).toBe('approval-needed');
  expect(await desk.send(one, waiting)).toBe('done');
  await codeMailedTo(hemma, owner.email);
  travel(minutes(11));
  expect(await desk.send(one, waiting)).toBe('approval-needed');
});

test('T31 an approval that is a day old is none', async () => {
  const owner = await person('gunnar', 'administrator');
  const [one, other] = [
    await desk.operator('gerd', 'administrator'),
    await desk.operator('gosta', 'administrator'),
  ];
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  await desk.send(one, waiting);
  expect(await desk.approve(other, waiting)).toBe('done');
  travel(hours(25));
  expect(await desk.send(one, waiting)).toBe('approval-needed');
});

test('T31 no code goes to a disabled account, an unverified address, or one without a phone', async () => {
  const agent = await desk.operator('hilda');
  const owner = await person('hans');
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  await hemma.db.query('UPDATE accounts SET disabled_at = $2 WHERE id = $1', [owner.id, new Date()]);
  expect(await desk.send(agent, waiting)).toBe('account-disabled');
  await hemma.db.query('UPDATE accounts SET disabled_at = NULL, email_verified_at = NULL WHERE id = $1', [
    owner.id,
  ]);
  expect(await desk.send(agent, waiting)).toBe('address-not-verified');
  const { id } = await hemma.account({ email: 'hedvig@example.com' });
  const phoneless = await desk.open(agent, id);
  await desk.tick(agent, phoneless);
  expect(await desk.send(agent, phoneless)).toBe('no-phone-to-replace');
});

test('T31 for 72 hours after a change of address no code is sent, neither to the new one nor to the old', async () => {
  const owner = await person('ivar');
  const agent = await desk.operator('ines');
  await proveBoth(owner.browser, deedUrl(hemma, 'change_email'), owner);
  await owner.browser.submit({ email: 'ivar.ny@example.com' });
  await owner.browser.submit({ code: await mailedCodeTo(hemma, 'ivar.ny@example.com') });
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  expect(await desk.send(agent, waiting)).toBe('changed-recently');
  travel(hours(71));
  expect(await desk.send(agent, waiting)).toBe('changed-recently');
  travel(hours(2));
  expect(await desk.send(agent, waiting)).toBe('done');
  expect((await hemma.mail.mailTo('ivar.ny@example.com', /koppla en ny telefon/)).to).toBe(
    'ivar.ny@example.com',
  );
});

test('T31 for 72 hours after a password was reset by mail no code is sent; a change by whoever knew it is no matter', async () => {
  const [owner, other] = [await person('jonas'), await person('julia')];
  const agent = await desk.operator('jenny');
  const visitor = newVisitor();
  await proveMailbox(visitor, hemma, (await party.begin()).url, owner.email);
  nextStep();
  await visitor.visit(pageOf(visitor, 'totp'));
  await visitor.submit({ code: sixDigits(owner.key) });
  await visitor.submit({ password: 'en helt annan sjö i maj' });
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  expect(await desk.send(agent, waiting)).toBe('changed-recently');
  travel(hours(73));
  expect(await desk.send(agent, waiting)).toBe('done');

  await proveBoth(other.browser, deedUrl(hemma, 'change_password'), other, PASSWORD);
  await other.browser.submit({ password: 'en tredje sjö i juni' });
  const theirs = await desk.open(agent, other.id);
  await desk.tick(agent, theirs);
  expect(await desk.send(agent, theirs)).toBe('done');
});

test('a closed case takes no ticks, notes or codes, and closing it ends the code that is out', async () => {
  const owner = await person('karin');
  const agent = await desk.operator('kalle');
  const code = await desk.codeFor(agent, owner);
  const waiting = await desk.caseOf(owner.id);
  if (!waiting) throw new Error('the case was to be open');
  expect(await desk.note(agent, waiting, '  ')).toBe('missing-note');
  expect(await desk.note(agent, waiting, 'Ringde tillbaka <b>nu</b>')).toBe('done');
  // What is too long is cut, also where that is in the middle of a character.
  expect(await desk.note(agent, waiting, `${'a'.repeat(1999)}😀`)).toBe('done');
  expect(await desk.close(agent, waiting)).toBe('done');
  const answers = [
    await desk.tick(agent, waiting),
    await desk.note(agent, waiting, 'mer'),
    await desk.send(agent, waiting),
    await desk.close(agent, waiting),
  ];
  expect(answers).toEqual(Array.from({ length: 4 }, () => 'case-closed'));
  const visitor = newVisitor();
  await visitor.visit((await party.begin()).url);
  await visitor.submit({ email: owner.email, password: PASSWORD });
  await visitor.submit({ code });
  expect(visitor.screen.refusal).toBe('wrong-recovery-code');
  await hemma.mail.mailTo(owner.email, /är stängt/);
});

test('a case that nobody touches for fourteen days closes by itself, and its person is told', async () => {
  const [owner, other] = [await person('lena'), await person('lars')];
  const agent = await desk.operator('lotta');
  const [left, cared] = [await desk.open(agent, owner.id), await desk.open(agent, other.id)];
  await desk.tick(agent, left);
  await desk.send(agent, left);
  travel(days(13));
  await desk.sweep();
  expect(await desk.caseOf(owner.id)).toBeDefined();
  expect(await desk.note(agent, cared, 'Ringer igen i morgon.')).toBe('done');
  travel(days(2));
  await desk.sweep();
  expect(await desk.caseOf(owner.id)).toBeUndefined();
  expect(await desk.caseOf(other.id)).toBeDefined();
  expect((await hemma.mail.mailTo(owner.email, /är stängt/)).text).toContain('på 14 dagar');
  const [closed] = await findAuditEvents(hemma.db, {
    event: 'help-desk.case-closed',
    accountId: owner.id,
    limit: 9,
  });
  expect(closed).toMatchObject({ actor: null, detail: { case: left.number, outcome: 'left-alone' } });
  expect(await desk.open(agent, owner.id)).not.toMatchObject({ id: left.id });
});
