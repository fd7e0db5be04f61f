/** T34: however a session ends, the message to its applications is written with it. The ways of a page: see told.test. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  reserveDueMessages,
  settleLogoutMessage,
  pruneLogoutMessages,
} from '../../src/sessions/logout-outbox.ts';
import { endExpiredSessions, endSessions } from '../../src/sessions/records.ts';
import { shellWith } from '../command-line/shell.ts';
import { newPerson, type Person, type SignedIn } from '../protocol/people.ts';
import { openWith } from '../races/two-processes.ts';
import { back, days, holdTimers, hours, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let person: Person;
let there: SignedIn;
beforeAll(async () => {
  // This provider's chores wait for ever, so that no session runs out but by the test.
  const timers = holdTimers();
  hemma = await startHemma();
  timers.release();
  autopay = await startRelyingParty({ hemma });
});
beforeEach(async () => {
  person = await newPerson(hemma, { twoStep: false });
  there = await person.signInTo(autopay);
});
afterEach(back);
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

async function waiting(): Promise<unknown[]> {
  const { rows } = await hemma.db.query<{ sid: string }>(
    'SELECT sid FROM logout_messages WHERE account_id = $1',
    [person.account.id],
  );
  return rows.map(({ sid }) => sid);
}

const shell = (...words: string[]) => shellWith(hemma.env)(words);

const commands: Record<string, (email: string) => Promise<{ code: number | null }>> = {
  'an account is disabled from a shell': (email) => shell('accounts', 'disable', email),
  'a role is given from a shell': (email) => shell('accounts', 'role', email, '--role', 'help-desk'),
};
test.each(Object.keys(commands))('T34 %s: the message waits for whoever delivers', async (how) => {
  expect((await commands[how]?.(person.account.email))?.code).toBe(0);
  expect(await waiting()).toEqual([there.claims.sid]);
});

test('T34 a client that is removed from a shell: it is still told', async () => {
  const gone = await startRelyingParty({ hemma, description: { name: 'Borta' } });
  const { claims } = await person.signInTo(gone);
  expect((await shell('clients', 'delete', gone.clientId, '--confirm', gone.clientId)).code).toBe(0);
  expect(await waiting()).toEqual([claims.sid]);
  await gone.stop();
});

test('an idle hour ends a session, and not a minute before', async () => {
  travel(minutes(58));
  expect(await endExpiredSessions(hemma.db, 100)).toBe(0);
  travel(minutes(3));
  expect(await endExpiredSessions(hemma.db, 100)).toBeGreaterThan(0);
  expect(await waiting()).toEqual([there.claims.sid]);
  expect(await endExpiredSessions(hemma.db, 100)).toBe(0);
});

test('ten hours end a session that is in use all day', async () => {
  for (let turn = 0; turn < 13; turn++) {
    travel(minutes(45));
    await person.visitor.visit(hemma.url('/account'));
    await endExpiredSessions(hemma.db, 100);
    expect([turn, await waiting()]).toEqual([turn, []]);
  }
  travel(hours(0.5));
  await endExpiredSessions(hemma.db, 100);
  expect(await waiting()).toEqual([there.claims.sid]);
});

test('a batch of those that ran out is bounded, and those that lock one another out leave it to the other', async () => {
  for (let more = 0; more < 3; more++) await person.elsewhere().signInTo(autopay);
  travel(minutes(61));
  expect(await endExpiredSessions(hemma.db, 2)).toBe(2);
  const both = await Promise.all([1, 2].map(() => endExpiredSessions(hemma.db, 100)));
  expect(both.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(2);
  const sids = await waiting();
  expect(new Set(sids).size).toBe(sids.length);
  expect(sids).toHaveLength(4);
});

test('whoever signs in as somebody else in the same browser: the first one’s applications are told', async () => {
  const { email } = (await newPerson(hemma, { twoStep: false })).account;
  await person.visitor.visit((await autopay.begin({ prompt: 'login' })).url);
  await person.visitor.submit({ email, password: 'en stilla sjö i augusti' });
  expect(person.visitor.screen.step).toBe('other-account');
  expect((await person.visitor.submit({}, 'choice=switch')).step).toBe('back');
  expect(await waiting()).toEqual([there.claims.sid]);
});

test('signing in anew in the same session ends nothing, and nobody is told', async () => {
  await person.signIn((await autopay.begin({ prompt: 'login' })).url);
  expect(await waiting()).toEqual([]);
});

test('messages go seven days after they were settled, and none that still waits', async () => {
  // A handle of another process: nobody here hears that something was put out, so nobody delivers it.
  const db = await openWith(hemma.env);
  await db.transaction((open) => endSessions(open, person.account.id, { except: undefined }));
  const sweepNow = () => pruneLogoutMessages(db, new Date(Date.now() - days(7)), 100);
  travel(days(8));
  await sweepNow();
  expect(await waiting()).toEqual([there.claims.sid]);
  for (const { id } of await reserveDueMessages(db, { limit: 100, except: [] }))
    await settleLogoutMessage(db, id, 'signed-out');
  travel(days(6));
  await sweepNow();
  expect(await waiting()).toEqual([there.claims.sid]);
  travel(days(2));
  await sweepNow();
  expect(await waiting()).toEqual([]);
  await db.close();
});

test('a session whose message cannot be written does not end, and the person is told so', async () => {
  const { visitor } = person;
  await visitor.visit(hemma.url('/session/end'));
  await hemma.db.query(
    `CREATE FUNCTION falls() RETURNS trigger LANGUAGE plpgsql AS $body$
     BEGIN RAISE EXCEPTION 'it falls'; END $body$`,
  );
  await hemma.db.query(
    'CREATE TRIGGER falls BEFORE INSERT ON logout_messages FOR EACH ROW EXECUTE FUNCTION falls()',
  );
  expect(await visitor.submit({}, 'logout=yes')).toMatchObject({ step: 'problem', status: 500 });
  await hemma.db.query('DROP TRIGGER falls ON logout_messages');
  expect((await visitor.visit(hemma.url('/session/end/success'))).step).toBe('still-signed-in');
});
