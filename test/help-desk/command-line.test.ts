/** `hemma help-desk …`: what the help desk does, from a shell, in the name of an operator and with no code in sight. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { answered, type Shell, shellWith } from '../command-line/shell.ts';
import { newPerson } from '../new-phone-threats/people.ts';
import { atCodePage, codeMailedTo, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let shell: Shell;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  shell = shellWith(hemma.env);
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const desk = (...words: string[]) => shell(['help-desk', ...words, '--json']);

test('send-code opens the case, ticks and sends; cases lists it and close ends it, and no code is ever printed', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  await hemma.account({ email: 'agent@example.com', role: 'help-desk' });
  const by = ['--operator', 'agent@example.com'];
  const checks = ['--check', 'call-back', '--check', 'vouched-for'];
  const sent = await desk('send-code', '--email', owner.email, ...checks, ...by);
  const { case: number } = answered(sent) as { case: string };
  const code = await codeMailedTo(hemma, owner.email);
  const listed = await desk('cases', ...by);
  expect(answered(listed)).toEqual([
    expect.objectContaining({ number, email: owner.email, checks: ['call-back', 'vouched-for'] }),
  ]);
  const again = await desk('send-code', '--email', owner.email, ...checks, ...by);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('code-just-sent')]);
  const visitor = await atCodePage(party, owner.email);
  await typeCode(visitor, code);
  expect(visitor.screen.step).toBe('re-enrollment');
  const closed = await desk('close', number, ...by);
  expect(answered(closed)).toEqual({ case: number, closed: true });
  for (const { stdout, stderr } of [sent, listed, again, closed]) {
    expect(stdout + stderr).not.toContain(code);
    expect(stdout + stderr).not.toMatch(/\b(?:[0-9A-Z]{4}-){3,}/);
  }
});

test('approve and begin-anew take two operators', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  for (const name of ['one', 'other'])
    await hemma.account({ email: `${name}@example.com`, role: 'help-desk' });
  const checks = ['--check', 'id-document'];
  const one = ['--operator', 'one@example.com'];
  const sent = await desk('send-code', '--email', owner.email, ...checks, ...one);
  const { case: number } = answered(sent) as { case: string };
  expect(answered(await desk('begin-anew', number, ...one))).toEqual({ case: number, asked: true });
  const alone = await desk('approve', number, ...one);
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('own-request')]);
  const both = await desk('approve', number, '--operator', 'other@example.com');
  expect(answered(both)).toEqual({ case: number, approved: true });
  await hemma.mail.mailTo(owner.email, /Börja om/);
});

test('ends with 1 where the operator may not, and with 2 where the words are off', async () => {
  await hemma.account({ email: 'cecilia@example.com' });
  await hemma.account({ email: 'chief@example.com', role: 'administrator' });
  await hemma.account({ email: 'carl@example.com', role: 'help-desk' });
  const check = ['--check', 'call-back'];
  const refused = await Promise.all([
    desk('cases', '--operator', 'cecilia@example.com'),
    desk('send-code', '--email', 'chief@example.com', ...check, '--operator', 'carl@example.com'),
    desk('send-code', '--email', 'carl@example.com', ...check, '--operator', 'carl@example.com'),
    desk('send-code', '--email', 'nobody@example.com', ...check, '--operator', 'carl@example.com'),
    desk('close', '000-0000', '--operator', 'carl@example.com'),
  ]);
  for (const { code, stdout } of refused) expect([code, stdout]).toEqual([1, '']);
  const wrong = await Promise.all([
    desk('cases'),
    desk('send-code', '--email', 'cecilia@example.com', '--operator', 'carl@example.com'),
    desk('send-code', '--email', 'cecilia@example.com', '--check', 'voice', '--operator', 'carl@example.com'),
    desk('close', '--operator', 'carl@example.com'),
  ]);
  for (const { code, stderr } of wrong) {
    expect(code).toBe(2);
    expect(stderr).toContain('help-desk send-code');
  }
});
