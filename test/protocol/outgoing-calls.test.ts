/** What the provider calls: sign-out messages, and never an address of a private network or of this machine. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { holdTimers } from '../rig/clock.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { startListener } from '../support/listeners.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type Running, startProcess } from '../rig/process.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';

let hemma: Hemma;
let settings: Record<string, string>;
let guarded: Running;
let party: RelyingParty;
beforeAll(async () => {
  // It shares its database and delivers nothing: only the process that is looked at does.
  const timers = holdTimers();
  hemma = await startHemma();
  timers.release();
  const port = String(await freePort());
  settings = {
    ...hemma.env,
    HEMMA_PORT: port,
    HEMMA_ISSUER: `http://localhost:${port}`,
    HEMMA_ALLOW_LOOPBACK_CLIENTS: 'no',
  };
  guarded = await startProcess(settings);
  party = await startRelyingParty({ hemma: { issuer: guarded.issuer, db: hemma.db } });
});
afterAll(async () => {
  await party.stop();
  await guarded.stop();
  await hemma.stop();
});

async function message(wanted: 'failure' | 'outcome') {
  for (let wait = 0; wait < 200; wait++) {
    const { rows } = await hemma.db.query<{ failure: string | null; outcome: string | null }>(
      'SELECT failure, outcome FROM logout_messages',
    );
    if (rows[0]?.[wanted]) return rows[0];
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`no message has any ${wanted}`);
}

const dueNow = () => hemma.db.query('UPDATE logout_messages SET next_try_at = $1', [new Date()]);

test('opens no connection to this machine, however its address is written', async () => {
  const listener = await startListener();
  const hosts = ['127.0.0.1', 'localhost', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0'];
  const parties = await Promise.all(
    hosts.map(() => startRelyingParty({ hemma: { issuer: guarded.issuer, db: hemma.db } })),
  );
  try {
    const person = await newPerson(hemma, { twoStep: false });
    for (const one of parties) await person.signInTo(one);
    for (const [at, { description }] of parties.entries()) {
      // As a row of an older version: registration refuses most of them.
      const backchannelLogoutUri = `https://${hosts[at]}:${listener.port}/back-channel`;
      await applyClient(hemma.db, { ...description, backchannelLogoutUri });
    }
    await person.visitor.visit(new URL('/session/end', guarded.issuer));
    await person.visitor.submit({}, 'logout=yes');
    const failed = async () =>
      (
        await hemma.db.query<{ failure: string }>(
          'SELECT failure FROM logout_messages WHERE failure IS NOT NULL',
        )
      ).rows.map(({ failure }) => failure);
    for (let wait = 0; wait < 2000 && (await failed()).length < hosts.length; wait++)
      await new Promise((done) => setTimeout(done, 50));
    expect(await failed()).toEqual(hosts.map(() => expect.stringContaining('special-use')));
    expect([listener.accepted(), listener.received()]).toEqual([0, 0]);
  } finally {
    await hemma.db.query('DELETE FROM logout_messages');
    await Promise.all(parties.map((one) => one.stop()));
    await listener.stop();
  }
}, 120_000);

test('SECURITY 85 trap: T30 a sign-out message to this very machine is not sent, and waits for a process that may and lives', async () => {
  const person = await newPerson(hemma, { twoStep: false });
  await person.signInTo(party);
  await person.visitor.visit(new URL('/session/end', guarded.issuer));
  expect((await person.visitor.submit({}, 'logout=yes')).step).toBe('signed-out');
  expect((await message('failure')).failure).toContain('special-use');
  expect((await person.visitor.visit(person.visitor.screen.url)).text).toContain(
    'Autopay: svarade inte, försöker igen',
  );
  expect(party.logoutTokens).toEqual([]);
  // Killed as by a power cut, and up again with the setting that lets it: nothing was lost.
  guarded.kill('SIGKILL');
  await guarded.ended;
  await dueNow();
  guarded = await startProcess({ ...settings, HEMMA_ALLOW_LOOPBACK_CLIENTS: 'yes' });
  expect((await message('outcome')).outcome).toBe('signed-out');
  expect(await party.told(1)).toHaveLength(1);
  expect((await person.visitor.visit(person.visitor.screen.url)).text).toContain('Autopay: utloggad');
});
