/** J5, the last resort: password and phone are lost together, and two operators invite the person anew. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  mailedCodeTo,
  newPerson,
  pageOf,
  proveBoth,
  proveByCode,
  provePassword,
  standsAt,
} from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { type Desk, deskAt, stopCodeMailedTo, typeStop } from './desk.ts';

const NEW = 'en helt annan sjö i maj';

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

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);
/** A case that is ticked, and two operators. */
async function ready(name: string) {
  const owner = await person(name);
  const [one, other] = [await desk.operator(`${name}-1`), await desk.operator(`${name}-2`)];
  const waiting = await desk.open(one, owner.id);
  await desk.tick(one, waiting);
  return { owner, one, other, waiting };
}

test('one asks, another approves, and the person begins anew: by a typed code, a password and a phone', async () => {
  const { owner, one, other, waiting } = await ready('astrid');
  expect(await desk.askAnew(one, waiting)).toBe('done');
  // Asked is not done: everything works as before.
  const before = newVisitor();
  await proveByCode(before, (await party.begin()).url, owner);
  expect(before.screen.step).toBe('recovery-code');
  expect(await desk.approve(one, waiting)).toBe('own-request');
  expect(await desk.approve(other, waiting)).toBe('done');

  const { text } = await hemma.mail.mailTo(owner.email, /Börja om/);
  expect([...text.matchAll(/https?:\S+/g)].map(([link]) => link)).toEqual([hemma.url('/account')]);
  expect(text).not.toMatch(/\b\d{4} \d{4}\b|[0-9A-Z]{4}-[0-9A-Z]{4}/);
  await before.visit(pageOf(before, ''));
  expect(before.screen.step).toBe('password');
  const thief = newVisitor();
  await provePassword(thief, (await party.begin()).url, owner.email);
  expect(thief.screen.refusal).toBe('wrong-password');
  await owner.browser.visit(hemma.url('/account'));
  expect(owner.browser.screen.step).toBe('password');

  const visitor = newVisitor();
  await visitor.visit(hemma.url('/account'));
  await visitor.follow('Glömt lösenordet?');
  await visitor.submit({ email: owner.email });
  await visitor.submit({ code: await mailedCodeTo(hemma, owner.email) });
  expect(visitor.screen.step).toBe('new-password');
  await visitor.submit({ password: NEW });
  expect(visitor.screen.step).toBe('enrollment');
  const key = keyOn(visitor.screen);
  expect(key).not.toBe(owner.key);
  await visitor.submit({ code: sixDigits(key) });
  await visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) });
  expect(visitor.screen.step).toBe('account');
  const again = newVisitor();
  await proveBoth(again, (await party.begin()).url, { email: owner.email, key }, NEW);
  expect(gotIn(again)).toBe(true);
  expect(await recorded(hemma, 'help-desk.invitation-sent', owner.id)).toBe(1);
  expect(await desk.caseOf(owner.id)).toBeUndefined();
});

test('the password alone connects no phone afterwards: the mailbox is asked each time', async () => {
  const { owner, one, other, waiting } = await ready('bertil');
  await desk.askAnew(one, waiting);
  await desk.approve(other, waiting);
  const visitor = newVisitor();
  await visitor.visit((await party.begin()).url);
  await visitor.visit(pageOf(visitor, 'forgotten-password'));
  await visitor.submit({ email: owner.email });
  await visitor.submit({ code: await mailedCodeTo(hemma, owner.email) });
  await visitor.submit({ password: NEW });
  expect(visitor.screen.step).toBe('enrollment');
  const thief = newVisitor();
  await provePassword(thief, (await party.begin()).url, owner.email, NEW);
  expect(await standsAt(thief)).toBe('mailed-code');
});

test('nobody approves what was not asked, what is a day old, or their own account', async () => {
  const { owner, one, other, waiting } = await ready('cecilia');
  expect(await desk.approve(other, waiting)).toBe('nothing-to-approve');
  await desk.askAnew(one, waiting);
  travel(hours(25));
  expect(await desk.approve(other, waiting)).toBe('nothing-to-approve');
  expect(await desk.askAnew(one, waiting)).toBe('done');
  expect(await desk.approve({ id: owner.id, role: 'help-desk', group: undefined }, waiting)).toBe(
    'own-account',
  );
  expect(await desk.approve(other, waiting)).toBe('done');
  expect(await desk.approve(other, waiting)).toBe('case-closed');
  expect(await recorded(hemma, 'help-desk.invitation-sent', owner.id)).toBe(1);
});

test('not without ticks, nor for 72 hours after the address was changed, also where that happens in between', async () => {
  const owner = await person('david');
  const [one, other] = [await desk.operator('dan'), await desk.operator('dora')];
  const waiting = await desk.open(one, owner.id);
  expect(await desk.askAnew(one, waiting)).toBe('no-checks');
  await desk.tick(one, waiting);
  expect(await desk.askAnew(one, waiting)).toBe('done');
  await proveBoth(owner.browser, deedUrl(hemma, 'change_email'), owner, PASSWORD);
  await owner.browser.submit({ email: 'david.ny@example.com' });
  await owner.browser.submit({ code: await mailedCodeTo(hemma, 'david.ny@example.com') });
  expect(await desk.approve(other, waiting)).toBe('changed-recently');
  expect(await desk.askAnew(one, waiting)).toBe('changed-recently');
  travel(hours(73));
  expect(await desk.askAnew(one, waiting)).toBe('done');
  expect(await desk.approve(other, waiting)).toBe('done');
});

test('the person hears of it before it happens, and stops it with the code of that mail', async () => {
  const { owner, one, other, waiting } = await ready('eva');
  await stopCodeMailedTo(hemma, owner.email);
  expect(await desk.askAnew(one, waiting)).toBe('done');
  expect(await desk.askAnew(one, waiting)).toBe('done');
  const stop = await stopCodeMailedTo(hemma, owner.email);
  expect((await typeStop(hemma, stop)).step).toBe('stopped');
  expect(await desk.approve(other, waiting)).toBe('case-closed');
  const visitor = newVisitor();
  await proveByCode(visitor, (await party.begin()).url, owner);
  expect(visitor.screen.step).toBe('recovery-code');
  const { rows } = await hemma.db.query(
    "SELECT 1 FROM mails WHERE kind = 'begin-anew-asked' AND account_id = $1",
    [owner.id],
  );
  expect(rows).toHaveLength(1);
});
