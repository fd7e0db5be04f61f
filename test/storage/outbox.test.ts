/** Mails outlive a mail server that is down (T39): they wait in the outbox and leave later, once, or are given up for good. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { getMailOutboxStats } from '../../src/mail/outbox.ts';
import { signInFirst } from '../rig/ceremony.ts';
import { back, hours, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
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

const noneWaits = async () => (await getMailOutboxStats(hemma.db)).oldest === undefined;
const subjectsTo = (address: string) =>
  hemma
    .mails()
    .filter(({ to }) => to === address)
    .map(({ subject }) => subject)
    .toSorted();

const signIn = async (email: string) => {
  const account = await hemma.account({ email });
  await signInFirst(newVisitor(), (await autopay.begin()).url, email);
  return account;
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

describe('an address that the mail server does not know', () => {
  const refusalsOf = async (accountId: string) =>
    (
      await hemma.db.query<{ detail: { kind: string; answer: string } }>(
        "SELECT detail FROM audit WHERE event = 'mail.refused' AND account_id = $1",
        [accountId],
      )
    ).rows.map(({ detail }) => detail);
  const told = () =>
    `${hemma.logs()}${beside.logs()}`.split('\n').filter((line) => line.includes('refuses the address'));
  const counted = async () => {
    const texts = [hemma, beside].map(async ({ port }) => {
      const { body } = await exchange(new URL('/metrics', `http://localhost:${port}`));
      return Number(/^hemma_events_total\{event="mail\.refused"\} (\d+)$/m.exec(body)?.[1] ?? 0);
    });
    return (await Promise.all(texts)).reduce((sum, one) => sum + one, 0);
  };

  test('R88 gets no mail: each is given up at once, with a word in log, audit and metrics, and no address', async () => {
    hemma.mail.behave('know nobody');
    const failed = failedTurns();
    const { id } = await signIn('erik@example.com');
    await until('both mails were given up', async () => (await refusalsOf(id)).length === 2, 10_000);
    const { rows } = await hemma.db.query('SELECT 1 FROM mails WHERE sealed_content IS NOT NULL');
    expect([rows, await getMailOutboxStats(hemma.db)]).toEqual([
      [],
      { due: 0, retried: 0, oldest: undefined },
    ]);
    const refusals = await refusalsOf(id);
    expect(new Set(refusals.map(({ kind }) => kind)).size).toBe(2);
    expect(refusals.map(({ answer }) => answer)).toEqual(['550 5.1.1', '550 5.1.1']);

    // Two hours later both processes have delivered other mails, and nobody has come back to these.
    hemma.mail.behave('accept');
    travel(hours(2));
    await signIn('frida@example.com');
    await until('the other mails came', () => subjectsTo('frida@example.com').length === 2, 10_000);
    expect(subjectsTo('erik@example.com')).toEqual([]);
    expect([await refusalsOf(id), await counted(), failedTurns()]).toEqual([refusals, 2, failed]);
    expect(told()).toHaveLength(2);
    for (const line of told()) expect(line).toMatch(/"level":"warn".*"answer":"550 5\.1\.1"/);
    expect(`${hemma.logs()}${beside.logs()}`).not.toContain('erik@example.com');
  });

  test('T39 is not one that it does not relay to: those mails wait', async () => {
    hemma.mail.behave('relay nowhere');
    const before = failedTurns();
    const { id } = await signIn('gustav@example.com');
    await untilTried('gustav@example.com', 1, before);
    expect(await refusalsOf(id)).toEqual([]);
    expect(`${hemma.logs()}${beside.logs()}`).toContain('the mail server answered 554 5.7.1 to RCPT TO');
    hemma.mail.behave('accept');
    travel(seconds(31));
    await until('both mails came', () => subjectsTo('gustav@example.com').length === 2, 10_000);
  });
});
