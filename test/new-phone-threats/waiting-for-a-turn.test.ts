/**
 * A deed that was judged, then waited for its turn, and comes after the owner's countermove (T7): what was proved is
 * void by then, or the authenticator gone, and so is the deed.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from '../races/interleave.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  proveByCode,
  provePassword,
} from './people.ts';
import { recorded } from './recorded.ts';
import { click, holdTurn } from './clicks.ts';

let hemma: Hemma;
let party: RelyingParty;
let database: string;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  database = hemma.env['DATABASE_URL'] ?? '';
});
afterEach(async () => {
  await releaseAll();
  back();
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

/** Both have been let in by their progress; the owner's is carried out first. */
async function ownerFirst(
  owner: Person,
  first: () => Promise<unknown>,
  second: () => Promise<{ status: number }>,
) {
  const held = await holdTurn(database, owner.id);
  const one = first();
  await untilWaiting(database, 1);
  const other = second();
  await untilWaiting(database, 2);
  await held.release();
  await one;
  const { status } = await other;
  expect(status).toBeLessThan(500);
  return status;
}

async function withNewCode(owner: Person): Promise<{ visitor: Visitor; code: string }> {
  const visitor = newVisitor();
  await proveBoth(visitor, deedUrl(hemma, 'new_recovery_code'), owner);
  expect(visitor.screen.step).toBe('new-recovery-code');
  return { visitor, code: codeOn(visitor.screen) };
}

test('T7 a new recovery code that waits while two-step verification is deactivated does not live', async () => {
  const owner = await person('astrid');
  const thief = await withNewCode(owner);
  const tab = owner.browser;
  await proveBoth(tab, deedUrl(hemma, 'deactivate_two_step'), owner);
  expect(tab.screen.step).toBe('confirm');
  await ownerFirst(
    owner,
    () => click(tab, {}, 'choice=do'),
    () => click(thief.visitor, { lastGroup: thief.code.slice(-4) }),
  );
  // The owner connects a phone again, and gets a code of their own.
  await tab.visit(pageOf(tab, ''));
  await provePassword(tab, deedUrl(hemma, 'activate_two_step'), owner.email);
  const key = keyOn(tab.screen);
  await tab.submit({ code: sixDigits(key) });
  expect(tab.screen.step).toBe('new-recovery-code');
});

test('T7 a new recovery code by the digits of the old phone does not live once the phone was replaced', async () => {
  const owner = await person('bertil');
  const thief = await withNewCode(owner);
  const tab = newVisitor();
  await proveByCode(tab, (await party.begin()).url, owner);
  await tab.submit({}, 'phoneGone=yes');
  const key = keyOn(tab.screen);
  await ownerFirst(
    owner,
    () => click(tab, { code: sixDigits(key) }),
    () => click(thief.visitor, { lastGroup: thief.code.slice(-4) }),
  );
  const again = newVisitor();
  await proveByCode(again, (await party.begin()).url, { ...owner, recoveryCode: thief.code });
  expect([again.screen.step, again.screen.refusal]).toEqual(['totp', 'wrong-recovery-code']);
  await tab.visit(pageOf(tab, ''));
  expect(tab.screen.step).toBe('new-recovery-code');
});

test('T7 what was proved with the old password deactivates nothing once the password was changed', async () => {
  const owner = await person('cecilia');
  const thief = newVisitor();
  await proveBoth(thief, deedUrl(hemma, 'deactivate_two_step'), owner);
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'change_password'), owner);
  expect(tab.screen.step).toBe('new-password');
  await ownerFirst(
    owner,
    () => click(tab, { password: 'en helt annan sjö' }),
    () => click(thief, {}, 'choice=do'),
  );
  expect(await recorded(hemma, 'password.changed', owner.id)).toBe(1);
  expect(await recorded(hemma, 'two-step.deactivated', owner.id)).toBe(0);
});

test('T7 what was proved with the old password deletes nothing once the password was changed', async () => {
  const owner = await person('disa');
  const thief = newVisitor();
  await proveBoth(thief, deedUrl(hemma, 'delete_account'), owner);
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'change_password'), owner);
  const refused = await ownerFirst(
    owner,
    () => click(tab, { password: 'en helt annan sjö' }),
    () => click(thief, { email: owner.email }, 'choice=do'),
  );
  expect(await recorded(hemma, 'account.deleted', owner.id)).toBe(0);
  // Nor is it said to be: the page of the password asks anew.
  expect(refused).toBe(303);
});

test('T7 the old password proves nothing when the new one is chosen while it is being looked at', async () => {
  const owner = await person('eva');
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'change_password'), owner);
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const held = await hold(database, 'SELECT 1 FROM sliding_budgets FOR UPDATE');
  const sent = click(thief, { email: owner.email, password: 'en stilla sjö i augusti' });
  await untilWaiting(database, 1);
  await tab.submit({ password: 'en helt annan sjö' });
  expect(await recorded(hemma, 'password.changed', owner.id)).toBe(1);
  await held.release();
  await sent;
  expect((await thief.visit(pageOf(thief, ''))).step).toBe('password');
});

test('T7 a sign-in that is being finished with the old password opens no session once it was changed', async () => {
  const owner = await person('frida');
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'change_password'), owner);
  const thief = newVisitor();
  nextStep();
  await provePassword(thief, (await party.begin()).url, owner.email);
  // Finished and not followed yet; asked for again it is finished again, by what was read before it waited.
  const { headers } = await click(thief, { code: sixDigits(owner.key) });
  await ownerFirst(
    owner,
    () => click(tab, { password: 'en helt annan sjö' }),
    () => thief.request(pageOf(thief, '')),
  );
  expect(await recorded(hemma, 'password.changed', owner.id)).toBe(1);
  await thief.visit(new URL(headers.location ?? '', hemma.issuer));
  expect(gotIn(thief)).toBe(false);
});

test('T7 the old password proves nothing when it waits for its turn behind the change of the password', async () => {
  const owner = await person('gunilla');
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'change_password'), owner);
  const thief = newVisitor();
  await thief.visit((await party.begin()).url);
  const refused = await ownerFirst(
    owner,
    () => click(tab, { password: 'en helt annan sjö' }),
    () => click(thief, { email: owner.email, password: 'en stilla sjö i augusti' }),
  );
  expect(await recorded(hemma, 'password.changed', owner.id)).toBe(1);
  expect(refused).toBe(422);
  expect((await thief.visit(pageOf(thief, ''))).step).toBe('password');
});

test('T7 the digits of the old phone prove nothing when they wait for their turn behind the new one', async () => {
  const owner = await person('hanna');
  const tab = newVisitor();
  await proveByCode(tab, (await party.begin()).url, owner);
  await tab.submit({}, 'phoneGone=yes');
  const key = keyOn(tab.screen);
  nextStep();
  const thief = newVisitor();
  await provePassword(thief, (await party.begin()).url, owner.email);
  const refused = await ownerFirst(
    owner,
    () => click(tab, { code: sixDigits(key) }),
    () => click(thief, { code: sixDigits(owner.key) }),
  );
  expect(await recorded(hemma, 'authenticator.replaced', owner.id)).toBe(1);
  expect(refused).toBe(303);
  expect((await thief.visit(pageOf(thief, ''))).step).toBe('password');
});
