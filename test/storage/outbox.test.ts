/** Mails outlive a mail server that is down (T39): they wait in the outbox and leave later, once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { signInFirst } from '../rig/ceremony.ts';
import { back, hours, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { until } from './until.ts';

let hemma: Hemma;
let beside: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  beside = await startHemma({ beside: hemma.env });
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await beside.stop();
  await hemma.stop();
});
afterEach(() => {
  back();
  hemma.mail.behave('accept');
});

const failedTurns = () => `${hemma.logs()}${beside.logs()}`.split('"chore":"mail"').length;

interface Waiting {
  tries: number;
  next_try_at: Date;
}

/**
 * Waits until every mail to an address was tried so often and each of those tries has ended in vain: a turn of the
 * outbox marks the mails that it takes with one time, and says once in the log that it failed.
 */
async function untilTried(address: string, tries: number, before: number): Promise<void> {
  const ended = async () => {
    const { rows } = await hemma.db.query<Waiting>(
      'SELECT tries, next_try_at FROM mails WHERE recipient = $1',
      [address],
    );
    const turns = new Set(rows.map((row) => row.next_try_at.getTime())).size;
    return rows.every((row) => row.tries === tries) && failedTurns() - before >= turns;
  };
  await until(`all mails were tried ${tries} times`, ended, 10_000);
}

const noneWaits = async () =>
  (await hemma.db.query('SELECT 1 FROM mails WHERE delivered_at IS NULL')).count === 0;
const subjectsTo = (address: string) =>
  hemma
    .mails()
    .filter(({ to }) => to === address)
    .map(({ subject }) => subject)
    .toSorted();

const signIn = async (email: string) => {
  await hemma.account({ email });
  await signInFirst(newVisitor(), (await autopay.begin()).url, email);
};

describe('a mail server that is down', () => {
  test('T39 is not noticed by the person; the mails come later, each of them once', async () => {
    hemma.mail.behave('refuse');
    const before = failedTurns();
    await signIn('astrid@example.com');
    await untilTried('astrid@example.com', 1, before);
    hemma.mail.behave('accept');
    expect(subjectsTo('astrid@example.com')).toEqual([]);
    travel(seconds(31));
    await until('both mails came', noneWaits, 10_000);
    expect(new Set(subjectsTo('astrid@example.com')).size).toBe(2);

    // Two hours later nothing comes again, though both processes have delivered other mails since.
    travel(hours(2));
    await signIn('bertil@example.com');
    await until('the other mails came', noneWaits, 10_000);
    expect(subjectsTo('bertil@example.com')).toHaveLength(2);
    expect(subjectsTo('astrid@example.com')).toHaveLength(2);
    const { rows } = await hemma.db.query('SELECT 1 FROM mails WHERE sealed_content IS NOT NULL');
    expect(rows).toEqual([]);
  });

  test('T39 is asked with growing pauses, not each second', async () => {
    hemma.mail.behave('refuse');
    let before = failedTurns();
    await signIn('cecilia@example.com');
    await untilTried('cecilia@example.com', 1, before);
    before = failedTurns();
    travel(seconds(31));
    await untilTried('cecilia@example.com', 2, before);
    hemma.mail.behave('accept');
    // The next pause is twice as long: half a minute later is too early.
    travel(seconds(31));
    await signIn('david@example.com');
    await until('later mails came', () => subjectsTo('david@example.com').length === 2, 10_000);
    expect(subjectsTo('cecilia@example.com')).toEqual([]);
    travel(seconds(31));
    await until('they came in the end', noneWaits, 10_000);
    expect(subjectsTo('cecilia@example.com')).toHaveLength(2);
  });
});

test('R88 an address that the mail server does not know: the log has the number of its answer, and not the address', async () => {
  hemma.mail.behave('know nobody');
  const before = failedTurns();
  await signIn('erik@example.com');
  await untilTried('erik@example.com', 1, before);
  const logs = `${hemma.logs()}${beside.logs()}`;
  expect(logs).toContain('the mail server answered 550 5.1.1 to RCPT TO');
  expect(logs).not.toContain('erik@example.com');
});
