/** What a thief, a stranger's mailbox and a hurry can do with the second address. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from '../races/interleave.ts';
import {
  deedUrl,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  provePassword,
  tokenOn,
} from './people.ts';
import { sixDigits } from '../rig/totp.ts';
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

async function noticeEmailOf({ id }: Person): Promise<string | null | undefined> {
  const { rows } = await hemma.db.query<{ notice_email: string | null }>(
    'SELECT notice_email FROM accounts WHERE id = $1',
    [id],
  );
  return rows[0]?.notice_email;
}

async function atSecondAddress(owner: Person): Promise<Visitor> {
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'change_notice_email'), owner);
  expect(browser.screen.step).toBe('new-email');
  return browser;
}

async function addSecond(owner: Person, second: string): Promise<void> {
  const browser = await atSecondAddress(owner);
  await browser.submit({ email: second });
  await browser.submit({ code: await mailedCodeTo(hemma, second) });
  expect(await noticeEmailOf(owner)).toBe(second);
}

for (const intent of ['change_notice_email', 'change_email']) {
  test(`R35 a code that one account asked for gives another none of its address (${intent})`, async () => {
    const thief = await person(`tjuv-${intent.length}`);
    const owner = await person(`offer-${intent.length}`);
    const mallory = `mallory-${intent.length}@example.com`;
    // On a shared computer: the thief asks for a code, then voids what was proved here by a new password elsewhere.
    const shared = newVisitor();
    await proveBoth(shared, deedUrl(hemma, intent), thief);
    await shared.submit({ email: mallory });
    const code = await mailedCodeTo(hemma, mallory);
    const elsewhere = newVisitor();
    await proveBoth(elsewhere, deedUrl(hemma, 'change_password'), thief);
    await elsewhere.submit({ password: 'en helt annan sjö' });
    // The owner finds an ordinary page of the password, and signs in.
    expect((await shared.visit(pageOf(shared, ''))).step).toBe('password');
    nextStep();
    await shared.submit({ email: owner.email, password: PASSWORD });
    await shared.submit({ code: sixDigits(owner.key) });
    await shared.post(pageOf(shared, 'mailed-code'), { token: tokenOn(shared), code });
    const { rows } = await hemma.db.query('SELECT email, notice_email FROM accounts WHERE id = $1', [
      owner.id,
    ]);
    expect(rows).toEqual([{ email: owner.email, notice_email: null }]);
  });
}

test('R20 one sign-in sends one code at a time, however many strangers’ addresses are typed at once', async () => {
  const thief = await person('astrid');
  const browser = await atSecondAddress(thief);
  const held = await hold(database, 'LOCK TABLE mailed_codes IN SHARE ROW EXCLUSIVE MODE');
  const sent = Array.from({ length: 6 }, (_none, place) =>
    click(browser, { email: `frammande-${place}@example.org` }),
  );
  // The account's own budget has let three of them come as far as this.
  await untilWaiting(database, 3);
  await held.release();
  const answers = await Promise.all(sent);
  expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
});

test('R20 an account that writes to one stranger after another is asked to wait, whatever sign-in it comes from', async () => {
  const thief = await person('bertil');
  const asked: number[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const browser = await atSecondAddress(thief);
    await browser.submit({ email: `okand-${turn}@example.org` });
    asked.push(browser.screen.status);
  }
  expect(asked).toContain(429);
});

test('R38 the address that was there until then hears of it, also when two tabs change it at once', async () => {
  const owner = await person('cecilia');
  await addSecond(owner, 'forsta@example.com');
  const tabs = [await atSecondAddress(owner), await atSecondAddress(owner)] as const;
  await tabs[0].submit({ email: 'andra@example.com' });
  const code = await mailedCodeTo(hemma, 'andra@example.com');
  // Both have read the account and wait for their turn; the one that changes it comes first.
  const held = await holdTurn(database, owner.id);
  const changed = click(tabs[0], { code });
  await untilWaiting(database, 1);
  const removed = click(tabs[1], {}, 'choice=remove');
  await untilWaiting(database, 2);
  await held.release();
  await Promise.all([changed, removed]);
  expect(await noticeEmailOf(owner)).toBe(null);
  await hemma.mail.mailTo('andra@example.com', /bara till adressen som du loggar in med/);
});

test('nothing is removed, recorded or told where there is no second address', async () => {
  const owner = await person('disa');
  const browser = await atSecondAddress(owner);
  await browser.post(pageOf(browser, 'new-email'), { token: tokenOn(browser), choice: 'remove' });
  expect(await recorded(hemma, 'notice-email.removed', owner.id)).toBe(0);
});

test('R34 a second address that becomes the one to sign in with is no second address any more', async () => {
  const owner = await person('eva');
  await addSecond(owner, 'evas-andra@example.com');
  travel(minutes(2));
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'change_email'), owner);
  await browser.submit({ email: 'evas-andra@example.com' });
  await browser.submit({ code: await mailedCodeTo(hemma, 'evas-andra@example.com') });
  expect(browser.screen.url.pathname).toBe('/account');
  expect(await noticeEmailOf(owner)).toBe(null);
});

test('a recovery code leads to no page that cannot be left: an application’s wish to replace is declined', async () => {
  const owner = await person('frida');
  const browser = newVisitor();
  await provePassword(browser, deedUrl(hemma, 'replace_authenticator'), owner.email);
  await browser.visit(pageOf(browser, 'recovery-code'));
  await browser.submit({ code: owner.recoveryCode }, 'phoneGone=yes');
  expect(browser.screen.step).toBe('re-enrollment');
  const ways = browser.screen.page
    .querySelectorAll('main button')
    .map((one) => one.getAttribute('name') ?? '');
  expect(ways.some((name) => name === 'choice' || name === 'phoneGone')).toBe(true);
});
