/** Two tabs that replace the same phone, and a recovery code that chose a password before it opened a sign-in (T7). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, untilWaiting } from '../races/interleave.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  type Person,
  proveBoth,
  proveByCode,
  proveMailbox,
  provePassword,
  standsAt,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;
let database: string;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  database = hemma.env['DATABASE_URL'] ?? '';
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

async function movingTabs(owner: Person): Promise<Visitor[]> {
  const tabs = [newVisitor(), newVisitor()];
  for (const tab of tabs) {
    await proveBoth(tab, deedUrl(hemma, 'replace_authenticator'), owner);
    expect(tab.screen.step).toBe('re-enrollment');
  }
  return tabs;
}

/** One of the two phones is the account's: its tab goes on, the other one is at the password page, and what it showed opens nothing. */
async function onePhoneWon(owner: Person, tabs: readonly Visitor[], keys: readonly string[]): Promise<void> {
  expect(tabs.map(({ screen }) => String(screen.step)).toSorted()).toEqual(['new-recovery-code', 'password']);
  const winner = tabs.findIndex(({ screen }) => screen.step === 'new-recovery-code');
  for (const tab of tabs) {
    if (tab.screen.step === 'new-recovery-code')
      await tab.submit({ lastGroup: codeOn(tab.screen).slice(-4) });
  }
  const again = newVisitor();
  await proveBoth(again, (await party.begin()).url, { ...owner, key: keys[winner] ?? '' });
  expect(gotIn(again)).toBe(true);
  const other = newVisitor();
  await proveBoth(other, (await party.begin()).url, { ...owner, key: keys[1 - winner] ?? '' });
  expect([gotIn(other), other.screen.step]).toEqual([false, 'totp']);
}

test('T7 of two tabs that move to two phones, one after the other, the first wins', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  const tabs = await movingTabs(owner);
  const keys = tabs.map(({ screen }) => keyOn(screen));
  for (const [place, tab] of tabs.entries()) await tab.submit({ code: sixDigits(keys[place] ?? '') });
  await onePhoneWon(owner, tabs, keys);
});

test('T7 of two tabs that move to two phones at the same moment, one wins and nobody sees a fault', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  const tabs = await movingTabs(owner);
  const keys = tabs.map(({ screen }) => keyOn(screen));
  const held = await hold(database, 'SELECT 1 FROM recovery_codes FOR UPDATE');
  const sent = tabs.map((tab, place) => tab.submit({ code: sixDigits(keys[place] ?? '') }));
  await untilWaiting(database, 2);
  await held.release();
  for (const { status } of await Promise.all(sent)) expect(status).toBeLessThan(500);
  await onePhoneWon(owner, tabs, keys);
});

test('T7 a phone that was moved by its digits is not moved again by a recovery code typed before', async () => {
  const owner = await newPerson(hemma, party, 'cecilia@example.com');
  const byCode = newVisitor();
  await proveByCode(byCode, (await party.begin()).url, owner);
  await byCode.submit({}, 'phoneGone=yes');
  const byPhone = newVisitor();
  await proveBoth(byPhone, deedUrl(hemma, 'replace_authenticator'), owner);
  const tabs = [byPhone, byCode];
  const keys = tabs.map(({ screen }) => keyOn(screen));
  const held = await hold(database, 'SELECT 1 FROM recovery_codes FOR UPDATE');
  const sent = tabs.map((tab, place) => tab.submit({ code: sixDigits(keys[place] ?? '') }));
  await untilWaiting(database, 2);
  await held.release();
  for (const { status } of await Promise.all(sent)) expect(status).toBeLessThan(500);
  await onePhoneWon(owner, tabs, keys);
});

test('T7 whoever chose a new password by a recovery code and closed the lid is let in by it, once', async () => {
  const owner = await newPerson(hemma, party, 'eva@example.com');
  const first = newVisitor();
  await proveMailbox(first, hemma, (await party.begin()).url, owner.email);
  await first.submit({ code: owner.recoveryCode });
  await first.submit({ password: 'en helt annan sjö' });
  const second = newVisitor();
  await provePassword(second, (await party.begin()).url, owner.email, 'en helt annan sjö');
  await second.submit({ code: owner.recoveryCode });
  await second.submit({}, 'phoneGone=no');
  await second.submit({ lastGroup: codeOn(second.screen).slice(-4) });
  expect(gotIn(second)).toBe(true);
  await first.submit({}, 'phoneGone=no');
  expect(await standsAt(first)).toBe('password');
});
