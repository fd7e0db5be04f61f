/** Signing out waits for nobody, tells of each application how it is, and does not give up at once (SECURITY T30). */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { removeClient } from '../../src/clients/access.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { reserveDueMessages } from '../../src/sessions/logout-outbox.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { results, signOut, type Street, streetOf, until } from './street.ts';

let hemma: Hemma;
let street: Street;
const application: Street['application'] = (...what) => street.application(...what);
const signedInTo: Street['signedInTo'] = (...parties) => street.signedInTo(...parties);
beforeAll(async () => {
  hemma = await startHemma();
  street = streetOf(hemma);
});
afterEach(back);
afterAll(async () => {
  await street.stop();
  await hemma.stop();
});

describe('signing out of applications that are well, dead, slow or led elsewhere', () => {
  test('T30 is done at once and told as it is, and those that failed are tried again for an hour', async () => {
    const well = await application('Autopay');
    const ill = await application('Lön');
    const silent = await application('Tid');
    const elsewhere = await application('Resor');
    const plain = await application('Intranät', { backchannelLogoutUri: undefined });
    const dead = await application('Kassa', {
      backchannelLogoutUri: `http://localhost:${await freePort()}/gone`,
    });
    const reached = await application('Inside');
    const person = await signedInTo(well, ill, silent, elsewhere, plain, dead);
    ill.onLogout('with a fault');
    silent.onLogout('never');
    elsewhere.onLogout({ to: `${new URL(reached.redirectUri).origin}/backchannel-logout` });
    const started = performance.now();
    const screen = await signOut(hemma, person);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(screen).toMatchObject({ step: 'signed-out', heading: 'Du är utloggad' });
    expect(Object.keys(results(screen))).toEqual(['Autopay', 'Intranät', 'Kassa', 'Lön', 'Resor', 'Tid']);
    expect(screen.text).toContain('Logga in igen');

    const failing = 'svarade inte, försöker igen';
    const said = { Autopay: 'utloggad', Intranät: 'kan inte loggas ut härifrån', Kassa: failing };
    // Whatever answers, or is not there, is told while the one that hangs is still waited for: five seconds for that.
    await until(person, { ...said, Lön: failing, Resor: failing, Tid: 'loggas ut …' });
    await until(person, { ...said, Lön: failing, Resor: failing, Tid: failing });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(person.visitor.screen.page.querySelector('[data-again] a')).not.toBeNull();
    expect(person.visitor.screen.text).toContain('Vi försöker i en timme');
    expect(reached.logoutTokens).toEqual([]);

    ill.onLogout('well');
    travel(seconds(15));
    await until(person, { ...said, Lön: 'utloggad', Resor: failing, Tid: failing });
    expect(ill.logoutTokens).toHaveLength(2);
    const [first, second] = await Promise.all(ill.logoutTokens.map((token) => ill.verify(token)));
    expect(second?.payload.jti).not.toBe(first?.payload.jti);
    expect(second?.payload.iat).toBeGreaterThanOrEqual((first?.payload.iat ?? 0) + 15);

    silent.onLogout('with a fault');
    // A page that was left open: the cookie lives an hour, as long as the applications are tried.
    travel(minutes(59.5));
    await until(person, { ...said, Lön: 'utloggad', Resor: failing, Tid: failing });
    const { rows: due } = await hemma.db.query<{ last: Date; created_at: Date }>(
      'SELECT next_try_at AS last, created_at FROM logout_messages WHERE client_id = $1',
      [silent.clientId],
    );
    expect(due).toHaveLength(1);
    for (const { last, created_at: since } of due)
      expect(last.getTime()).toBeLessThanOrEqual(since.getTime() + minutes(60) + seconds(15));
  });

  test('T30 after an hour they are given up, and the audit says so', async () => {
    const dead = await application('Död');
    const person = await signedInTo(dead);
    dead.onLogout('with a fault');
    await signOut(hemma, person);
    await until(person, { Död: 'svarade inte, försöker igen' });
    await hemma.db.query(
      "UPDATE logout_messages SET created_at = created_at - interval '1 hour', next_try_at = $2 WHERE client_id = $1",
      [dead.clientId, new Date()],
    );
    const screen = await until(person, { Död: 'svarade inte' });
    expect(screen.text).toContain('Öppna Död och logga ut där också.');
    expect(screen.page.querySelector('[data-again]')).toBeNull();
    const { rows } = await hemma.db.query<{ account_id: string; detail: object }>(
      "SELECT account_id, detail FROM audit WHERE event = 'sign-out.application-failed' AND client_id = $1",
      [dead.clientId],
    );
    const reason = expect.stringContaining('503');
    expect(rows).toEqual([
      { account_id: person.account.id, detail: { application: dead.clientId, reason, tries: 2 } },
    ]);
  });

  test('T30 the pauses between tries grow, from ten seconds to ten minutes', async () => {
    const pauses: number[] = [];
    const undone = hemma.db.transaction(async (open) => {
      // Nobody else sees it: only what is committed is delivered.
      await open.query(
        `INSERT INTO logout_messages (id, client_id, account_id, session, sid, tries, created_at, next_try_at)
         VALUES ($1, 'nobody', $1, 'none', NULL, 0, $2, $2)`,
        [randomUUID(), new Date()],
      );
      for (let turn = 0; turn < 8; turn += 1) {
        await open.query("UPDATE logout_messages SET next_try_at = $1 WHERE client_id = 'nobody'", [
          new Date(),
        ]);
        const now = Date.now();
        await reserveDueMessages(open, { limit: 1000, except: [] });
        const { rows } = await open.query<{ at: Date }>(
          "SELECT next_try_at AS at FROM logout_messages WHERE client_id = 'nobody'",
        );
        pauses.push(Math.round(((rows[0]?.at.getTime() ?? 0) - now) / 1000));
      }
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600]);
  });

  test('one that hangs with ever so many messages holds up no other', async () => {
    const [hanging, quick] = [await application('Trög'), await application('Kvick')];
    const person = await signedInTo(quick);
    hanging.onLogout('never');
    await hemma.db.query(
      `INSERT INTO logout_messages (id, client_id, account_id, session, sid, tries, created_at, next_try_at)
       SELECT gen_random_uuid(), $1, $2, 'many', 'sid-' || n, 0, $3, $3 FROM generate_series(1, 500) AS n`,
      [hanging.clientId, person.account.id, new Date()],
    );
    for (let wait = 0; wait < 100 && hanging.logoutTokens.length < 10; wait++)
      await new Promise((done) => setTimeout(done, 50));
    await signOut(hemma, person);
    expect(await quick.told(1)).toHaveLength(1);
    expect(hanging.logoutTokens.length).toBeLessThan(100);
    await hemma.db.query('DELETE FROM logout_messages WHERE client_id = $1', [hanging.clientId]);
  });

  test('T34 one that is removed hears of the end, and of what it was not told before', async () => {
    const gone = await application('Borta');
    const [first, second] = [await signedInTo(gone), await signedInTo(gone)];
    gone.onLogout('with a fault');
    await signOut(hemma, first);
    await until(first, { Borta: 'svarade inte, försöker igen' });
    gone.onLogout('well');
    const since = gone.logoutTokens.length;
    await removeClient(hemma.db, gone.clientId, {});
    await gone.told(1, since);
    travel(seconds(15));
    await until(first, { Borta: 'utloggad' });
    const told = await Promise.all((await gone.told(2, since)).map((token) => gone.verify(token)));
    const subjects = told.map(({ payload }) => payload.sub);
    expect(new Set(subjects)).toEqual(new Set([first.account.id, second.account.id]));
  });
});
