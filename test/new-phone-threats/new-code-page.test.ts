/** The page with the new recovery code: who sees it, how often, and where the code is left behind (T8). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  newPerson,
  pageOf,
  type Person,
  proveBoth,
  proveByCode,
  provePassword,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** By the old code to the page with the new one; the phone is only not at hand. */
async function atNewCode(owner: Person): Promise<Visitor> {
  const visitor = newVisitor();
  await proveByCode(visitor, (await party.begin()).url, owner);
  await visitor.submit({}, 'phoneGone=no');
  expect(visitor.screen.step).toBe('new-recovery-code');
  return visitor;
}

/** Every table, as a thief of a backup reads it. */
async function everythingStored(): Promise<string> {
  const { rows: tables } = await hemma.db.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const dumps = await Promise.all(
    tables.map(({ name }) => hemma.db.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)),
  );
  return dumps.flatMap(({ rows }) => rows.map(({ row }) => row)).join('\n');
}

const spellings = (code: string) => [code, code.replaceAll('-', ''), code.toLowerCase()];

test('T8 a reload and a second tab show the same code; nobody else is shown any', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  const visitor = await atNewCode(owner);
  const code = codeOn(visitor.screen);
  const { url } = visitor.screen;
  const tabs = [1, 2, 3].map(() => newVisitor({ stolen: visitor.cookies.all() }));
  await Promise.all(tabs.map((tab) => tab.visit(url)));
  for (const { screen } of tabs) expect(codeOn(screen)).toBe(code);
  const stranger = newVisitor();
  await stranger.visit(url);
  expect([stranger.screen.status, codeOn(stranger.screen)]).toEqual([404, '']);
  const other = newVisitor();
  await provePassword(other, (await party.begin()).url, owner.email);
  await other.visit(pageOf(other, 'new-recovery-code'));
  expect([other.screen.step, codeOn(other.screen)]).toEqual(['totp', '']);
});

test('T8 once its last group was typed, neither Back nor reload nor another tab shows the code again', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  const visitor = await atNewCode(owner);
  const shown = visitor.screen;
  const tab = newVisitor({ stolen: visitor.cookies.all() });
  await visitor.submit({ lastGroup: codeOn(shown).slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  for (const browser of [visitor, tab]) {
    for (const address of [shown.url.href, shown.url.href.replace('new-recovery-code', '')]) {
      await browser.visit(address);
      expect(browser.screen.body).not.toContain(codeOn(shown));
    }
  }
  visitor.backTo(shown);
  await visitor.submit({ lastGroup: codeOn(shown).slice(-4) });
  expect([visitor.screen.status, codeOn(visitor.screen)]).toEqual([404, '']);
});

test('SECURITY 35, 36, T8 the old code is dead and the new one lives from the last group on, not before', async () => {
  const owner = await newPerson(hemma, party, 'cecilia@example.com');
  const visitor = await atNewCode(owner);
  const pending = codeOn(visitor.screen);
  const early = newVisitor();
  await proveByCode(early, (await party.begin()).url, { ...owner, recoveryCode: pending });
  expect([early.screen.step, early.screen.refusal]).toEqual(['totp', 'wrong-recovery-code']);
  for (const wrong of ['', '0000', owner.recoveryCode.slice(-4), pending.slice(0, 4), owner.recoveryCode]) {
    await visitor.submit({ lastGroup: wrong });
    expect([wrong, visitor.screen.step, visitor.screen.status]).toEqual([wrong, 'new-recovery-code', 422]);
    expect(codeOn(visitor.screen)).toBe(pending);
  }
  await visitor.submit({ lastGroup: pending.slice(-4) });
  expect(gotIn(visitor)).toBe(true);
  for (const [recoveryCode, step] of [
    [owner.recoveryCode, 'totp'],
    [pending, 'recovery-code'],
  ] as const) {
    const later = newVisitor();
    await proveByCode(later, (await party.begin()).url, { ...owner, recoveryCode });
    expect(later.screen.step).toBe(step);
  }
});

test('SECURITY 34, T8 the page is kept by no cache, and the code stands in no address, cookie, log, mail or table', async () => {
  const owner = await newPerson(hemma, party, 'david@example.com');
  const visitor = await atNewCode(owner);
  const code = codeOn(visitor.screen);
  expect(visitor.screen.headers['cache-control']).toBe('no-store');
  const waiting = await everythingStored();
  const typed = await visitor.submit({ lastGroup: 'fel' });
  expect(typed.headers['cache-control']).toBe('no-store');
  await visitor.submit({ lastGroup: code.slice(-4) });
  await hemma.mail.mailTo(owner.email, /Du har en ny engångskod/);
  const mails = hemma.mails().map(({ subject, text, html }) => subject + text + html);
  const left = {
    addresses: visitor.screen.chain.map(({ url }) => url).join('\n') + visitor.screen.url.href,
    cookies: JSON.stringify(visitor.cookies.all()),
    logs: hemma.logs(),
    mails: mails.join('\n'),
    'tables before': waiting,
    'tables after': await everythingStored(),
  };
  for (const [place, text] of Object.entries(left)) {
    const found = [...spellings(code), ...spellings(owner.recoveryCode)].filter((one) => text.includes(one));
    expect([place, found]).toEqual([place, []]);
  }
});

test('T8 a code that nobody confirmed is shown by no later sign-in, which makes one of its own', async () => {
  const owner = await newPerson(hemma, party, 'eva@example.com');
  const shown: string[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const visitor = newVisitor();
    await proveBoth(visitor, deedUrl(hemma, 'new_recovery_code'), owner);
    shown.push(codeOn(visitor.screen));
  }
  expect(new Set([...shown, owner.recoveryCode]).size).toBe(3);
  const still = newVisitor();
  await proveByCode(still, (await party.begin()).url, owner);
  expect(still.screen.step).toBe('recovery-code');
});
