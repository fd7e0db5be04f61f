/**
 * Anonymous requests that are refused before anything is verified: what they leave is bounded, in the audit
 * log, which is append-only, and in what a sign-in keeps (R86).
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { exchange } from '../rig/exchange.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { uidOf } from '../support/sign-in-cookies.ts';

const slow = 180_000;
const requests = 100;
/** One event per actor, route and minute, with room for a minute that ends in between. */
const mostEvents = 10;
let hemma: Hemma;
let client: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  client = await startRelyingParty({ hemma });
}, slow);
afterAll(async () => {
  await client.stop();
  await hemma.stop();
});

async function atPassword() {
  const visitor = newVisitor();
  await visitor.visit((await client.begin()).url);
  const uid = uidOf(visitor);
  const token = visitor.screen.page.querySelector('main input[name=token]')?.getAttribute('value') ?? '';
  const post = (page: string, fields: Record<string, string>) =>
    visitor.post(hemma.url(`/interaction/${uid}/${page}`), { token, ...fields });
  return { uid, post };
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const floods: [string, () => Promise<() => Promise<unknown>>][] = [
  [
    'pairs of password and code where no code was asked for',
    async () => {
      const { post } = await atPassword();
      return () => post('password-and-code', { email: 'a@example.org', password: 'x', code: 'none' });
    },
  ],
  [
    'passwords that are throttled',
    async () => {
      const { post } = await atPassword();
      const send = () => post('password', { email: 'b@example.org', password: 'x' });
      for (let count = 0; count < 10; count += 1) await send();
      return send;
    },
  ],
  [
    'authorization requests of a client that does not exist',
    () => Promise.resolve(() => exchange(new URL(hemma.url('/auth?client_id=none&response_type=code')))),
  ],
  [
    'token requests of a client that does not exist',
    () =>
      Promise.resolve(() =>
        exchange(new URL(hemma.url('/token')), {
          method: 'POST',
          headers: form,
          body: 'grant_type=authorization_code&client_id=none&code=forged',
        }),
      ),
  ],
];

const audited = async () => {
  const { rows } = await hemma.db.query<{ count: number }>('SELECT count(*)::int AS count FROM audit');
  return rows[0]?.count ?? 0;
};

test.each(floods)(
  '%s leave a bounded number of audit events',
  async (_what, begin) => {
    const send = await begin();
    const before = await audited();
    for (let count = 0; count < requests; count += 1) await send();
    // What is written behind an answer is there after a tenth of a second; more could only add to it.
    expect((await audited()) - before).toBeLessThanOrEqual(mostEvents);
  },
  slow,
);

test(
  'requests for codes that are refused add nothing to what the sign-in keeps',
  async () => {
    const { uid, post } = await atPassword();
    for (let count = 0; count < requests; count += 1)
      await post('forgotten-password', { email: `${'x'.repeat(200)}${count}@example.org` });
    const { rows } = await hemma.db.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM sign_in_choices WHERE interaction = $1',
      [uid],
    );
    expect(rows[0]?.count).toBeLessThanOrEqual(mostEvents);
  },
  slow,
);
