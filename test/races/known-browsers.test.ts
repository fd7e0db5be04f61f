/**
 * Sign-ins that are finished at one moment, in one browser or in several: each gets to where it goes, each browser is
 * noted once, and what is to be told is told once. A sign-in that is finished is finished anew by asking for it again.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { click, holdTurn } from '../new-phone-threats/clicks.ts';
import { newPerson, nextStep, pageOf, type Person, provePassword } from '../new-phone-threats/people.ts';
import { sha256 } from '../../src/crypto/encryption.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';

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

/** Signs in anew up to the end and follows nothing; answers where the finished sign-in is asked for again. */
async function finished(visitor: Visitor, { email, key }: Person, fields = {}): Promise<string> {
  nextStep();
  await provePassword(visitor, (await party.begin({ prompt: 'login' })).url, email);
  const { status } = await click(visitor, { code: sixDigits(key), ...fields });
  expect(status).toBe(303);
  return pageOf(visitor, '');
}

/** Asks both at once: each has read what there was before either of them wrote. */
async function bothAtOnce(
  held: { release(): Promise<void> },
  one: () => Promise<{ status: number }>,
  two = one,
) {
  const first = one();
  await untilWaiting(database, 1);
  const second = two();
  await untilWaiting(database, 2);
  await held.release();
  return [(await first).status, (await second).status];
}

const devicesOf = async ({ id }: Person) =>
  (await hemma.db.query<{ id: string }>('SELECT id FROM devices WHERE account_id = $1', [id])).rows;
const told = async ({ id }: Person, kind: string) =>
  (await hemma.db.query('SELECT 1 FROM mails WHERE account_id = $1 AND kind = $2', [id, kind])).count;

test('two tabs of a browser that the account knows', async () => {
  const owner = await person('astrid');
  const { browser } = owner;
  const pages = [await finished(browser, owner), await finished(browser, owner)] as const;
  const both = await bothAtOnce(
    await holdTurn(database, owner.id),
    () => browser.request(pages[0]),
    () => browser.request(pages[1]),
  );
  expect(both).toEqual([303, 303]);
  expect(await devicesOf(owner)).toHaveLength(1);
  expect(await told(owner, 'new-device')).toBe(0);
});

test('two accounts that share a browser', async () => {
  const [one, other] = [await person('bertil'), await person('cecilia')];
  const tab = newVisitor();
  const pages = [await finished(tab, one), await finished(tab, other)] as const;
  await tab.request(pages[0]);
  const ids = `('${one.id}', '${other.id}')`;
  const rows = await hold(database, `SELECT 1 FROM devices WHERE account_id IN ${ids} FOR UPDATE`);
  const both = await bothAtOnce(
    rows,
    () => tab.request(pages[0]),
    () => tab.request(pages[1]),
  );
  expect(both).toEqual([303, 303]);
  expect([(await devicesOf(one)).length, (await devicesOf(other)).length]).toEqual([2, 2]);
});

test('a sign-in whose answer was lost is finished again, by the browser as it was before', async () => {
  const owner = await person('disa');
  const { browser } = owner;
  const page = await finished(browser, owner);
  // Another sign-in of the browser meets an account that does not know it, since the answer of the first is on its way.
  const lost = 'UPDATE devices SET token_hash = sha256(token_hash) WHERE account_id = $1 RETURNING id';
  const [kept] = (await hemma.db.query<{ id: string }>(lost, [owner.id])).rows;
  await finished(browser, owner);
  const arrived = 'UPDATE devices SET token_hash = $2 WHERE id = $1';
  const held = browser.cookies.all().find(({ name }) => name.startsWith('hemma-signin-'));
  await hemma.db.query(arrived, [kept?.id, sha256(hemma.vault.mac('device', held?.value ?? ''))]);
  expect((await browser.request(page)).status).toBe(303);
  expect(await devicesOf(owner)).toEqual([{ id: kept?.id }]);
});

test('two browsers that are both the first: whichever comes second is told', async () => {
  const owner = await person('eva');
  const tabs = [newVisitor(), newVisitor()] as const;
  const pages = [await finished(tabs[0], owner), await finished(tabs[1], owner)] as const;
  await hemma.db.query('DELETE FROM devices WHERE account_id = $1', [owner.id]);
  await hemma.db.query('DELETE FROM mails WHERE account_id = $1', [owner.id]);
  const both = await bothAtOnce(
    await holdTurn(database, owner.id),
    () => tabs[0].request(pages[0]),
    () => tabs[1].request(pages[1]),
  );
  expect(both).toEqual([303, 303]);
  expect(await devicesOf(owner)).toHaveLength(2);
  expect(await told(owner, 'new-device')).toBe(1);
});

test('one new browser that is finished twice at once, and is to be remembered', async () => {
  const owner = await person('frida');
  const tab = newVisitor();
  const page = await finished(tab, owner, { rememberDevice: 'yes' });
  const known = await devicesOf(owner);
  await hemma.db.query('DELETE FROM devices WHERE account_id = $1 AND remembered_until IS NOT NULL', [
    owner.id,
  ]);
  await hemma.db.query('DELETE FROM mails WHERE account_id = $1', [owner.id]);
  const both = await bothAtOnce(await holdTurn(database, owner.id), () => tab.request(page));
  expect(both).toEqual([303, 303]);
  expect(await devicesOf(owner)).toHaveLength(known.length);
  expect(await told(owner, 'new-device')).toBe(1);
  const { rows } = await hemma.db.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM devices WHERE id::text = detail->>'device') AS there FROM audit
     WHERE account_id = $1 AND event = 'device.remembered' ORDER BY id DESC LIMIT 2`,
    [owner.id],
  );
  expect(rows).toEqual([{ there: true }, { there: true }]);
});

test('a right password after many wrong ones is told once, however often it is sent', async () => {
  const owner = await person('gunilla');
  const tab = newVisitor();
  await tab.visit((await party.begin()).url);
  for (let time = 0; time < 5; time += 1) await tab.submit({ email: owner.email, password: 'fel' });
  const right = () => click(tab, { email: owner.email, password: PASSWORD });
  expect(await bothAtOnce(await holdTurn(database, owner.id), right)).toEqual([303, 303]);
  expect(await told(owner, 'success-after-failures')).toBe(1);
});

test('a right password that waits while somebody guesses is told as well', async () => {
  const owner = await person('hanna');
  const [tab, guesser] = [newVisitor(), newVisitor()];
  for (const visitor of [tab, guesser]) await visitor.visit((await party.begin()).url);
  const turn = await holdTurn(database, owner.id);
  const right = click(tab, { email: owner.email, password: PASSWORD });
  await untilWaiting(database, 1);
  for (let time = 0; time < 8; time += 1) await guesser.submit({ email: owner.email, password: 'fel' });
  await turn.release();
  expect((await right).status).toBe(303);
  expect(await told(owner, 'success-after-failures')).toBe(1);
});
