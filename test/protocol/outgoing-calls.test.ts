/** What the provider calls by itself: sign-out messages, and never an address inside its own walls. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type Running, startProcess } from '../rig/process.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';

let hemma: Hemma;
let guarded: Running;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  const port = String(await freePort());
  // A process, because the library's guard is silently off inside jest.
  guarded = await startProcess({
    ...hemma.env,
    HEMMA_PORT: port,
    HEMMA_ISSUER: `http://localhost:${port}`,
    HEMMA_ALLOW_LOOPBACK_CLIENTS: 'no',
  });
  party = await startRelyingParty({ hemma: { issuer: guarded.issuer, db: hemma.db } });
});
afterAll(async () => {
  await party.stop();
  await guarded.stop();
  await hemma.stop();
});

describe('a sign-out message', () => {
  test('SECURITY 85 trap: to an address of this very machine is not sent, is audited, and holds up nobody', async () => {
    const person = await newPerson(hemma, { twoStep: false });
    await person.signInTo(party);
    await person.visitor.visit(new URL('/session/end', guarded.issuer));
    expect((await person.visitor.submit({}, 'logout=yes')).step).toBe('signed-out');
    const failures = async () => {
      const { rows } = await hemma.db.query<{ detail: { application?: string } }>(
        "SELECT detail FROM audit WHERE event = 'sign-out.application-failed'",
      );
      return rows.map(({ detail }) => detail.application);
    };
    for (let wait = 0; wait < 100 && (await failures()).length === 0; wait++)
      await new Promise((done) => setTimeout(done, 50));
    expect(await failures()).toEqual([party.clientId]);
    expect(party.logoutTokens).toEqual([]);
  });
});
