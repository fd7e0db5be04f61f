/** Keys rotate under load on two processes (T40): no token is refused, and nobody ever meets an unknown `kid`. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { propagationMs, publishAheadMs, retiredKeyMs } from '../../src/oidc/keys/rotation.ts';
import { keysTopic } from '../../src/oidc/keys/keys.ts';
import { shellWith } from '../command-line/shell.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { exchange } from '../rig/exchange.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { until } from '../storage/until.ts';
import { startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
let autopay: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  autopay = await startRelyingParty({
    hemma: two,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
});
afterAll(async () => {
  await autopay.stop();
  await two.stop();
});

/** What was published by one process at a moment. */
interface Sample {
  at: number;
  kids: string[];
}

const samples: [Sample[], Sample[]] = [[], []];

async function sample(place: 0 | 1): Promise<string[]> {
  const asked = performance.now();
  const { host } = new URL(two.issuer);
  const url = new URL(`http://127.0.0.1:${two.settings[place]['HEMMA_PORT'] ?? ''}/jwks`);
  const { keys } = JSON.parse((await exchange(url, { headers: { host } })).body) as {
    keys: { kid: string }[];
  };
  const kids = keys.map(({ kid }) => kid);
  samples[place].push({ at: asked, kids });
  return kids;
}

/** A day of the keys' lives in a moment: the processes have clocks of their own, so the keys' moments come closer. */
const pass = (milliseconds: number) =>
  two.db.query(
    `UPDATE keys SET signs_at = signs_at - $1::bigint * interval '1 millisecond',
       retires_at = retires_at - $1::bigint * interval '1 millisecond',
       gone_at = gone_at - $1::bigint * interval '1 millisecond' WHERE kind = 'signing'`,
    [milliseconds],
  );

/** Has both processes look at the clock now, which they do every two seconds anyway. */
const looking = (holds: () => boolean | Promise<boolean>) => async () => {
  await two.db.announce(keysTopic);
  return holds();
};

const day = 24 * 3_600_000;

/** Milliseconds that an application keeps the keys that it read; it never looks again for one that it does not know. */
const kept = 600;

test('T40 two processes rotate under load, and every token of either is verified with keys read before', async () => {
  await two.account({ email: 'astrid@example.com', twoStepRequired: false });
  const readings = [1, 2, 3].map(() =>
    createRemoteJWKSet(new URL(two.url('/jwks')), { cacheMaxAge: kept, cooldownDuration: Infinity }),
  );
  const issued: { at: number; kid: string }[] = [];
  const refused: string[] = [];
  const enough = new AbortController();

  const load = async (keys: ReturnType<typeof createRemoteJWKSet>) => {
    const begun = await autopay.begin({ scope: 'openid offline_access', prompt: 'consent' });
    const visitor = newVisitor();
    await visitor.visit(begun.url);
    let screen = await typePassword(visitor, 'astrid@example.com');
    if (screen.step === 'consent') screen = await visitor.submit({}, 'choice=allow');
    let tokens = await autopay.redeem(begun, at('back', screen).url);
    while (!enough.signal.aborted) {
      const token = tokens.id_token ?? '';
      issued.push({ at: performance.now(), kid: decodeProtectedHeader(token).kid ?? '' });
      const audience = { issuer: two.issuer, audience: autopay.clientId };
      await jwtVerify(token, keys, audience).catch((fault: Error) => refused.push(fault.message));
      tokens = await autopay.refresh(tokens.refresh_token ?? '');
    }
  };
  const watch = async (place: 0 | 1) => {
    while (!enough.signal.aborted) {
      await sample(place);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const under = Promise.all([...readings.map(load), watch(0), watch(1)]);
  const both = (count: number) => async () =>
    (await Promise.all([sample(0), sample(1)])).every(({ length }) => length === count);
  const signers = () => new Set(issued.map(({ kid }) => kid));
  /** Whether so many keys have signed, and both processes sign by the newest: each answers every other request or so. */
  const settled = (count: number) => () =>
    signers().size === count && new Set(issued.slice(-20).map(({ kid }) => kid)).size === 1;

  await until('tokens are signed', () => issued.length > 10, 8_000);
  // Both find that the ninety days are nearly over, and one of them makes the new keys.
  await pass(89 * day);
  await until('both publish the new keys', both(6), 8_000);
  await pass(publishAheadMs - 2 * kept);
  await until('both sign by the new key', looking(settled(2)), 15_000);
  await pass(retiredKeyMs - 1_500);
  await until('both have withdrawn the old keys', looking(both(3)), 8_000);

  // Keys that were stolen are exchanged from a shell: both publish the new ones at once, and sign ten seconds later.
  const told = performance.now();
  expect((await shellWith(two.settings[1])(['keys', 'rotate', '--now'])).code).toBe(0);
  await until('both publish the newest keys', both(6), 8_000);
  expect(performance.now() - told).toBeLessThan(propagationMs);
  await pass(propagationMs - 2 * kept);
  await until('both sign by the newest key', looking(settled(3)), 15_000);
  await pass(propagationMs - 1_000);
  await until('both have withdrawn all others', looking(both(3)), 8_000);
  const more = issued.length + 20;
  await until('and go on signing', () => issued.length > more, 8_000);
  enough.abort();
  await under;

  expect(refused).toEqual([]);
  expect(signers().size).toBe(3);
  for (const { at: moment, kid } of issued) {
    for (const place of samples) {
      const fits = place.filter((one) => Math.abs(one.at - moment) < kept);
      expect(fits.length).toBeGreaterThan(0);
      expect(fits.filter(({ kids }) => !kids.includes(kid))).toEqual([]);
    }
  }
});
