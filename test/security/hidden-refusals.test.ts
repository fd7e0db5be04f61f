/** One attacker with many IPv6 networks must not hide, in the same minute, who is refused elsewhere and where (R86). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { exchange } from '../rig/exchange.ts';

const slow = 180_000;
let hemma: Hemma;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
}, slow);
afterAll(() => hemma.stop());

const attempts = async () => {
  const { rows } = await hemma.db.query<{ actor: string; route: string; count: number }>(
    'SELECT actor, route, count FROM refused_attempts',
  );
  return rows;
};

/** Until this process has added so many attempts to the database. */
async function added(total: number): Promise<void> {
  for (let turn = 0; turn < 2400; turn += 1) {
    const sum = (await attempts()).reduce((before, { count }) => before + count, 0);
    if (sum >= total) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${total} attempts were not counted`);
}

test(
  'forged tokens are recorded with their network and route next to a hundred networks of one /48 at another route',
  async () => {
    const networks = 105;
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' };
    const noise = new URL(hemma.url('/session/end/confirm'));
    for (let number = 0; number < networks; number += 1)
      await exchange(noise, {
        method: 'POST',
        body: 'a=b',
        headers: { ...form, 'x-forwarded-for': `2a00:1:1:${number.toString(16)}::1` },
      });
    await added(networks);
    const headers = { authorization: 'Bearer forged', 'x-forwarded-for': '198.18.0.9' };
    await exchange(new URL(hemma.url('/api/users')), { headers });
    await added(networks + 1);
    expect((await attempts()).map(({ actor }) => actor)).toContain('network:198.18.0.9');
  },
  slow,
);
