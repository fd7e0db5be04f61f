/** Every deed that is done once is sent twice at the same time, to two processes: it is done once (T7). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fillIn } from '../rig/forms.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import type { AuditEventType } from '../../src/audit/audit-log.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  mailedCodeTo,
  newPerson,
  pageOf,
  proveByCode,
  proveMailbox,
  provePassword,
} from './people.ts';
import { hold, untilWaiting } from '../races/interleave.ts';
import { startTwo, type TwoProcesses } from '../races/two-processes.ts';
import { recorded } from './recorded.ts';

let two: TwoProcesses;
let party: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  party = await startRelyingParty({ hemma: two });
});
afterAll(async () => {
  await party.stop();
  await two.stop();
});

const person = (name: string, wanted: { name?: string } = {}) =>
  newPerson(two, party, `${name}@example.com`, wanted);

/** Presses the button three times at once, then once more; stands where the browser would, on the last answer. */
async function pressAgainAndAgain(visitor: Visitor, fields: Record<string, string>, button?: string) {
  const { page, url } = visitor.screen;
  const { action, body } = fillIn(page, url, fields, button);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  const send = () => visitor.request(action, { method: 'POST', body: body.toString(), headers });
  const answers = await Promise.all([send(), send(), send()]);
  answers.push(await send());
  for (const { status } of answers) expect(status).toBeLessThan(500);
  await visitor.visit(pageOf(visitor, ''));
}

async function doneOnce(id: string, event: AuditEventType, times = 1): Promise<void> {
  expect([event, await recorded(two, event, id)]).toEqual([event, times]);
}

test('T7 the last group of a new recovery code', async () => {
  const owner = await person('astrid');
  const visitor = newVisitor();
  await proveByCode(visitor, (await party.begin()).url, owner);
  await visitor.submit({}, 'phoneGone=no');
  await pressAgainAndAgain(visitor, { lastGroup: codeOn(visitor.screen).slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  await doneOnce(owner.id, 'recovery-code.spent');
  await doneOnce(owner.id, 'recovery-code.issued', 2);
});

test('T7 the six digits of a first phone', async () => {
  const { id, email } = await two.account({ email: 'bertil@example.com' });
  const visitor = newVisitor();
  await provePassword(visitor, (await party.begin()).url, email);
  await pressAgainAndAgain(visitor, { code: sixDigits(keyOn(visitor.screen)) });
  expect(visitor.screen.step).toBe('new-recovery-code');
  await doneOnce(id, 'authenticator.connected');
});

test('T7 the six digits of a phone that takes another’s place', async () => {
  const owner = await person('cecilia');
  const visitor = newVisitor();
  await proveByCode(visitor, (await party.begin()).url, owner);
  await visitor.submit({}, 'phoneGone=yes');
  await pressAgainAndAgain(visitor, { code: sixDigits(keyOn(visitor.screen)) });
  expect(visitor.screen.step).toBe('new-recovery-code');
  await doneOnce(owner.id, 'authenticator.replaced');
  await doneOnce(owner.id, 'recovery-code.spent');
});

test('T7 the button that deactivates two-step verification', async () => {
  const owner = await person('david');
  const visitor = newVisitor();
  await proveByCode(visitor, deedUrl(two, 'deactivate_two_step'), owner);
  await pressAgainAndAgain(visitor, {}, 'choice=do');
  expect(visitor.screen.url.pathname).toBe('/account');
  await doneOnce(owner.id, 'two-step.deactivated');
});

test('T7 a mailed code and the new password behind it', async () => {
  const owner = await person('eva');
  const visitor = newVisitor();
  await visitor.visit((await party.begin()).url);
  await visitor.visit(pageOf(visitor, 'forgotten-password'));
  await visitor.submit({ email: owner.email });
  await pressAgainAndAgain(visitor, { code: await mailedCodeTo(two, owner.email) });
  expect(visitor.screen.step).toBe('totp');
  await doneOnce(owner.id, 'mailed-code.right');
  await visitor.submit({ code: owner.recoveryCode });
  expect(visitor.screen.step).toBe('new-password');
  await pressAgainAndAgain(visitor, { password: 'en helt annan sjö' });
  expect(visitor.screen.step).toBe('recovery-code');
  await doneOnce(owner.id, 'password.changed');
});

test('T7 two new passwords at once: one of them is the password, and only one was ever said to be', async () => {
  const owner = await person('frida');
  const visitor = newVisitor();
  await proveMailbox(visitor, two, (await party.begin()).url, owner.email);
  await visitor.submit({ code: owner.recoveryCode });
  const page = visitor.screen;
  const tabs = [visitor, newVisitor({ stolen: visitor.cookies.all() })];
  for (const tab of tabs) tab.backTo(page);
  await Promise.all(tabs.map((tab, place) => tab.submit({ password: `en helt annan sjö ${place}` })));
  await doneOnce(owner.id, 'password.changed');
});

test('T7 the code at a new address, and the deletion of the account', async () => {
  const owner = await person('gunnar');
  const visitor = newVisitor();
  await provePassword(visitor, deedUrl(two, 'change_email'), owner.email);
  await visitor.submit({ code: sixDigits(owner.key, { step: 1 }) });
  await visitor.submit({ email: 'ny@example.com' });
  await pressAgainAndAgain(visitor, { code: await mailedCodeTo(two, 'ny@example.com') });
  expect(visitor.screen.url.pathname).toBe('/account');
  await doneOnce(owner.id, 'email.changed');
  const leaving = newVisitor();
  await proveByCode(leaving, deedUrl(two, 'delete_account'), { ...owner, email: 'ny@example.com' });
  await leaving.submit({}, 'phoneGone=no');
  await leaving.submit({ lastGroup: codeOn(leaving.screen).slice(-4) });
  await pressAgainAndAgain(leaving, { email: 'ny@example.com' }, 'choice=do');
  await doneOnce(owner.id, 'account.deleted');
});

test('T7 two accounts that prove the same new address at once: one has it, and the other hears nothing', async () => {
  const owners = [await person('hanna', { name: 'Hanna' }), await person('hugo', { name: 'Hugo' })];
  const tabs: Visitor[] = [];
  const codes: string[] = [];
  for (const owner of owners) {
    const tab = newVisitor();
    await provePassword(tab, deedUrl(two, 'change_email'), owner.email);
    await tab.submit({ code: sixDigits(owner.key, { step: 1 }) });
    await tab.submit({ email: 'samma@example.com' });
    codes.push(await mailedCodeTo(two, 'samma@example.com'));
    tabs.push(tab);
  }
  const held = await hold(two.databaseUrl, 'SELECT 1 FROM accounts FOR NO KEY UPDATE');
  const screens = tabs.map((tab, place) => tab.submit({ code: codes[place] ?? '' }));
  await untilWaiting(two.databaseUrl, 2);
  await held.release();
  for (const { status, step } of await Promise.all(screens))
    expect([step, status < 500]).toEqual([step, true]);
  expect(tabs.filter(({ screen }) => screen.url.pathname === '/account')).toHaveLength(1);
});
