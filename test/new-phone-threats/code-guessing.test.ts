/** Guessing recovery codes (T9): one budget for an account, one answer for every wrong code, an end after fifty. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back, hours, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import {
  codeOn,
  gotIn,
  newPerson,
  pageOf,
  type Person,
  proveBoth,
  proveByCode,
  provePassword,
} from './people.ts';

const WRONG = '0000-0000-0000-0000-0000';

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

async function guess(owner: Person, recoveryCode = WRONG): Promise<Screen> {
  const guesser = newVisitor();
  return proveByCode(guesser, (await party.begin()).url, { ...owner, recoveryCode });
}

/** Wrong guesses, each in a sign-in of its own and late enough that no pause is left. */
async function guessOften(owner: Person, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    travel(hours(1.1));
    const { step, refusal } = await guess(owner);
    expect([turn, step, refusal]).toEqual([turn, 'totp', 'wrong-recovery-code']);
  }
}

/** A screen without what differs between two sign-ins anyway. */
const look = ({ status, body, headers }: Screen, { screen }: Visitor) => ({
  status,
  headers: Object.keys(headers).toSorted(),
  body: body.replaceAll(screen.url.pathname.split('/')[2] ?? '', 'uid').replaceAll(/value="[^"]*"/g, ''),
});

test.each(['recovery-code', 'totp'])(
  'SECURITY 33, T9 the answer is the same whichever part of the code was right, on the page %s',
  async (page) => {
    const owner = await newPerson(hemma, party, `astrid-${page}@example.com`);
    const groups = owner.recoveryCode.split('-');
    const zero = '0000';
    const lastOf = (group = '') => group.slice(0, 3) + (group.endsWith('0') ? '1' : '0');
    const guesses = [
      WRONG,
      [groups[0], zero, zero, zero, zero].join('-'),
      [zero, zero, zero, zero, groups[4]].join('-'),
      [...groups.slice(0, 4), lastOf(groups[4])].join('-'),
    ];
    const looks = [];
    for (const recoveryCode of guesses) {
      const guesser = newVisitor();
      await provePassword(guesser, (await party.begin()).url, owner.email);
      await guesser.visit(pageOf(guesser, page));
      const button = page === 'totp' ? undefined : 'phoneGone=yes';
      looks.push(look(await guesser.submit({ code: recoveryCode }, button), guesser));
    }
    for (const one of looks) expect(one).toEqual(looks[0]);
    expect(looks[0]?.status).toBe(422);
  },
);

test('T9 five wrong codes from five browsers pause the code for all of them, on both pages that take one', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  for (let turn = 0; turn < 5; turn++) expect((await guess(owner)).refusal).toBe('wrong-recovery-code');
  const right = await guess(owner, owner.recoveryCode);
  expect([right.status, right.refusal, right.step]).toEqual([429, 'throttled', 'totp']);
  expect(Number(right.headers['retry-after'])).toBeGreaterThan(0);
  const other = newVisitor({ userAgent: 'Another/1.0', headers: { 'x-forwarded-for': '203.0.113.9' } });
  await provePassword(other, (await party.begin()).url, owner.email);
  await other.visit(pageOf(other, 'recovery-code'));
  await other.submit({ code: owner.recoveryCode }, 'phoneGone=yes');
  expect([other.screen.status, other.screen.refusal]).toEqual([429, 'throttled']);
  // The phone has a budget of its own, and using it forgives the code nothing.
  const withPhone = newVisitor();
  await proveBoth(withPhone, (await party.begin()).url, owner);
  expect(gotIn(withPhone)).toBe(true);
  expect((await guess(owner, owner.recoveryCode)).refusal).toBe('throttled');
  travel(31_000);
  expect((await guess(owner, owner.recoveryCode)).step).toBe('recovery-code');
});

test('T9 twenty guesses at once are not looked at beyond the budget', async () => {
  const owner = await newPerson(hemma, party, 'cecilia@example.com');
  const guessers: Visitor[] = [];
  for (let place = 0; place < 20; place++) {
    const guesser = newVisitor();
    await provePassword(guesser, (await party.begin()).url, owner.email);
    guessers.push(guesser);
  }
  const screens = await Promise.all(guessers.map((guesser) => guesser.submit({ code: WRONG })));
  expect(screens.filter(({ refusal }) => refusal === 'wrong-recovery-code').length).toBeLessThanOrEqual(5);
  expect(screens.every(({ step }) => step === 'totp')).toBe(true);
});

test('T9 the fiftieth wrong code in a row ends the code and tells the owner; the next one has an end, too', async () => {
  const owner = await newPerson(hemma, party, 'david@example.com');
  await guessOften(owner, 10);
  // The wrong codes between the tenth and the forty-ninth, without the hours between them.
  await hemma.db.query("UPDATE attempts SET failures = 49 WHERE subject = $1 AND factor = 'recovery-code'", [
    `account:${owner.id}`,
  ]);
  expect((await guess(owner, owner.recoveryCode)).refusal).toBe('throttled');
  await guessOften(owner, 1);
  await hemma.mail.mailTo(owner.email, /engångskod gäller inte längre/);
  travel(hours(1.1));
  const dead = await guess(owner, owner.recoveryCode);
  expect([dead.step, dead.refusal]).toEqual(['totp', 'wrong-recovery-code']);
  // The phone still works, and its sign-in shows a code that takes the dead one's place.
  const withPhone = newVisitor();
  await proveBoth(withPhone, (await party.begin()).url, owner);
  expect(withPhone.screen.step).toBe('new-recovery-code');
  const recoveryCode = codeOn(withPhone.screen);
  await withPhone.submit({ lastGroup: recoveryCode.slice(-4) });
  expect(gotIn(withPhone)).toBe(true);
  await guessOften(owner, 50);
  await hemma.mail.mailTo(owner.email, /engångskod gäller inte längre/);
  travel(hours(1.1));
  expect((await guess(owner, recoveryCode)).refusal).toBe('wrong-recovery-code');
});

test('T9 the code ends also when the fiftieth guess itself came to no answer', async () => {
  const owner = await newPerson(hemma, party, 'eva@example.com');
  // Counted in its own committed statement, and then its request was cut off.
  await hemma.db.query(
    "INSERT INTO attempts (subject, factor, failures, updated_at) VALUES ($1, 'recovery-code', 50, $2)",
    [`account:${owner.id}`, new Date()],
  );
  expect((await guess(owner)).refusal).toBe('wrong-recovery-code');
  await hemma.mail.mailTo(owner.email, /engångskod gäller inte längre/);
});
