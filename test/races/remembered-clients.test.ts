/** What processes keep of applications is what the database says: at once where they hear of a change, soon where not. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { removeClient } from '../../src/clients/access.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret, removeSecret, secretsTopic } from '../../src/clients/secrets.ts';
import { applyClient, setClientEnabled } from '../../src/clients/clients.ts';
import type { Database } from '../../src/db/database.ts';
import { createDatabaseCache } from '../../src/db/remembered.ts';
import { basic, post } from '../protocol/requests.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';

let one: Hemma;
let other: Hemma;
beforeAll(async () => {
  one = await startHemma();
  other = await startHemma({ beside: one.env });
});
afterEach(() => void jest.restoreAllMocks());
afterAll(async () => {
  await other.stop();
  await one.stop();
});

const service = (id: string, more: Record<string, unknown> = {}) =>
  applyClient(one.db, clientSchema.parse({ id, name: id, type: 'service', ...more }));

const secretOf = async (id: string, name = 'first') => (await addSecret(one.db, id, name)) ?? '';

/** What each of the two processes says to a client with that secret. */
const asked = async (id: string, secret: string) => {
  const all = [one, other].map(({ port }) =>
    post(
      `http://127.0.0.1:${port}/token`,
      { grant_type: 'client_credentials' },
      {
        ...basic(id, secret),
        host: new URL(one.issuer).host,
      },
    ),
  );
  return (await Promise.all(all)).map(({ status }) => status);
};

/** Soon, and long before what is kept is given up by itself. */
async function soon(id: string, secret: string, wanted: number): Promise<void> {
  const until = performance.now() + 2_000;
  for (;;) {
    const [mine, theirs] = await asked(id, secret);
    // The process that changed it knows at once.
    expect(mine).toBe(wanted);
    if (theirs === wanted) return;
    if (performance.now() > until) throw new Error(`the other process still answers ${theirs}`);
  }
}

describe('an application that both processes have just served', () => {
  test('is refused by both with a secret that one of them removed, and served with one that it added', async () => {
    await service('secrets');
    const first = await secretOf('secrets');
    expect(await asked('secrets', first)).toEqual([200, 200]);
    const second = await secretOf('secrets', 'second');
    await soon('secrets', second, 200);
    await removeSecret(one.db, 'secrets', 'first', {});
    await soon('secrets', first, 401);
    expect(await asked('secrets', second)).toEqual([200, 200]);
  });

  test('is refused by both once one of them switched it off, and served again', async () => {
    await service('brake');
    const secret = await secretOf('brake');
    expect(await asked('brake', secret)).toEqual([200, 200]);
    await setClientEnabled(one.db, 'brake', false, {});
    await soon('brake', secret, 401);
    await setClientEnabled(one.db, 'brake', true, {});
    await soon('brake', secret, 200);
  });

  test('that is made anew under its name is not opened by what opened the one before', async () => {
    await service('again');
    const before = await secretOf('again');
    expect(await asked('again', before)).toEqual([200, 200]);
    await removeClient(one.db, 'again', {});
    await service('again');
    await soon('again', before, 401);
  });

  test('is refused within five seconds also where the word of a change is lost', async () => {
    await service('unheard');
    const secret = await secretOf('unheard');
    expect(await asked('unheard', secret)).toEqual([200, 200]);
    await one.db.query("DELETE FROM client_secrets WHERE client_id = 'unheard'");
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 5_000);
    expect(await asked('unheard', secret)).toEqual([401, 401]);
  });
});

describe('what is kept', () => {
  const hearing = () => {
    let said = () => {};
    const db = { hear: (_topic: unknown, hear: () => void) => ((said = hear), { stop: async () => {} }) };
    return { db: db as unknown as Database, say: () => said() };
  };

  test('is not what was being read while it changed', async () => {
    const { db, say } = hearing();
    let answer = (_value: string) => {};
    const kept = createDatabaseCache(db, secretsTopic, () => new Promise<string>((done) => (answer = done)));
    const early = kept.of('a');
    say();
    answer('before');
    expect(await early).toBe('before');
    const late = kept.of('a');
    answer('after');
    expect(await late).toBe('after');
    expect(await kept.of('a')).toBe('after');
  });

  test('is nothing of what is not there, and nothing of a fault', async () => {
    const { db } = hearing();
    const found: (() => string | undefined)[] = [
      () => undefined,
      () => {
        throw new Error('the database is away');
      },
      () => 'there',
    ];
    const kept = createDatabaseCache(db, secretsTopic, async () => found.shift()?.());
    expect(await kept.of('a')).toBeUndefined();
    await expect(kept.of('a')).rejects.toThrow('away');
    expect([await kept.of('a'), await kept.of('a')]).toEqual(['there', 'there']);
  });
});
