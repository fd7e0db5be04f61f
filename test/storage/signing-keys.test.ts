/** A signing key's life by the clock (T40): published, signing, retired, gone; the same after a restart in each state. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { readSettings } from '../../config/settings.ts';
import { createUser } from '../../src/users/users.ts';
import { keysTopic } from '../../src/oidc/keys/keys.ts';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import { createHasher } from '../../src/crypto/argon2.ts';
import { type Hemma, startServer } from '../../src/app/server.ts';
import { answered, shellWith } from '../command-line/shell.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { back, days, holdTimers, hours, minutes, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { PASSWORD, settingsOfOne } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty, type Tokens } from '../rig/relying-party.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';
import { newVisitor } from '../rig/visitor.ts';
import { until } from './until.ts';

let database: DatabaseCopy;
let env: Record<string, string>;
let hemma: Hemma;
let autopay: RelyingParty;

async function begin(): Promise<void> {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  hemma = await startServer(read.settings, { write: () => undefined });
}

beforeAll(async () => {
  database = await newDatabase();
  env = await settingsOfOne(database.url, 'smtp://127.0.0.1:9');
  // Until it is started again this process hears of new keys and never looks for any itself.
  const timers = holdTimers();
  await begin();
  timers.release();
  autopay = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  const person = {
    email: 'astrid@example.com',
    name: 'Astrid Lind',
    password: PASSWORD,
    twoStepRequired: false,
  };
  expect(await createUser(hemma.db, await createHasher(1), 'Hemma', person)).toHaveProperty('account');
});
afterEach(back);
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
  await database.drop();
});

const published = async () =>
  JSON.parse((await exchange(new URL('/jwks', hemma.issuer))).body) as JSONWebKeySet;
const kids = async () => (await published()).keys.map(({ kid = '' }) => kid).toSorted();

/** The keys that every ID token is signed by, for the types that this application does not use, too. */
async function signIn(): Promise<Tokens> {
  const begun = await autopay.begin({ scope: 'openid offline_access', prompt: 'consent' });
  const visitor = newVisitor();
  await visitor.visit(begun.url);
  let screen = await typePassword(visitor, 'astrid@example.com');
  if (screen.step === 'consent') screen = await visitor.submit({}, 'choice=allow');
  return autopay.redeem(begun, at('back', screen).url);
}

const idToken = async () => (await signIn()).id_token ?? '';
const signedBy = (token: string) => decodeProtectedHeader(token).kid ?? '';

/** As an application does that has read the keys once and reads them never again. */
const verifies = (token: string, keys: JSONWebKeySet) =>
  jwtVerify(token, createLocalJWKSet(keys), { issuer: hemma.issuer, audience: autopay.clientId }).then(
    () => 'right',
    (fault: { code?: string }) => fault.code,
  );

/** Which key signs, and which are published. */
const seen = async () => ({ signs: signedBy(await idToken()), keys: await kids() });

/** The clock went on; the process looks by itself every two seconds, and at once where something is said. */
const look = () => hemma.db.announce(keysTopic);

async function restarted(): Promise<void> {
  const before = await seen();
  await hemma.stop();
  await begin();
  expect(await seen()).toEqual(before);
}

const rows = async () => (await hemma.db.query("SELECT 1 FROM keys WHERE kind = 'signing'")).count;
const told = async () =>
  (await findAuditEvents(hemma.db, { limit: 10, events: ['keys.rotated', 'keys.withdrawn', 'keys.removed'] }))
    .map(({ event }) => event)
    .toReversed();

test('a process whose connection was ended hears again, with nobody looking meanwhile', async () => {
  const listening =
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";
  const hears = async () => (await hemma.db.query<{ pid: number }>(listening)).rows[0]?.pid;
  await until('it hears', async () => (await hears()) !== undefined, 5_000);
  const first = await hears();
  await hemma.db.query('SELECT pg_terminate_backend($1)', [first]);
  await until('it hears again', async () => ![undefined, first].includes(await hears()), 8_000);
});

describe('keys that were stolen', () => {
  test('T40 are withdrawn with all that came of them, and new ones are published before they sign', async () => {
    const shell = shellWith(env);
    const before = await kids();
    const { refresh_token: refreshToken = '', id_token: stolen = '' } = await signIn();
    const end = await shell(['keys', 'rotate', '--now', '--json']);
    expect(end.stderr).toContain('HEMMA_SECRET_KEYS');
    const made = (answered(end) as { kid: string; state: string }[]).map(({ kid, state }) => {
      expect(state).toBe('pending');
      return kid;
    });
    expect(made).toHaveLength(3);
    await until('they are published', async () => (await kids()).length === before.length + 3, 6_000);
    expect(signedBy(await idToken())).toBe(signedBy(stolen));
    const cached = await published();
    await restarted();

    travel(seconds(10));
    await look();
    await until('they sign', async () => made.includes(signedBy(await idToken())), 6_000);
    expect(await verifies(await idToken(), cached)).toBe('right');
    await restarted();

    travel(seconds(10));
    await until('the stolen ones are gone', async () => (await rows()) === 3, 6_000);
    expect(await kids()).toEqual(made.toSorted());
    expect(await verifies(stolen, await published())).toBe('ERR_JWKS_NO_MATCHING_KEY');
    const refreshed = await autopay.refresh(refreshToken);
    expect(await verifies(refreshed.id_token ?? '', await published())).toBe('right');
    expect(await told()).toEqual(['keys.withdrawn', 'keys.removed']);
  });
});

describe('after ninety days', () => {
  test('T40 a new key is published a day ahead, signs, and the old one stays until nobody can need it', async () => {
    const first = await seen();
    expect(first.keys).toHaveLength(3);
    travel(days(89) - minutes(5));
    await look();
    expect(await kids()).toEqual(first.keys);

    travel(minutes(6));
    await until('new keys are published', async () => (await kids()).length === 6, 6_000);
    const cached = await published();
    travel(hours(24) - minutes(5));
    await look();
    const last = await idToken();
    expect(signedBy(last)).toBe(first.signs);
    await restarted();

    travel(minutes(6));
    await look();
    await until('the new key signs', async () => signedBy(await idToken()) !== first.signs, 6_000);
    // Whoever read the keys at any time of that day knows it by now.
    expect(await verifies(await idToken(), cached)).toBe('right');
    await restarted();
    travel(minutes(50));
    expect(await verifies(last, await published())).toBe('right');

    travel(hours(9));
    await look();
    const hint = await exchange(new URL(`/session/end?id_token_hint=${last}`, hemma.issuer));
    expect(hint.status).toBe(200);

    travel(hours(2.2));
    await until('the old keys are gone', async () => (await rows()) === 3, 6_000);
    expect(await kids()).toEqual(
      cached.keys
        .map(({ kid = '' }) => kid)
        .filter((kid) => !first.keys.includes(kid))
        .toSorted(),
    );
    expect((await told()).slice(-2)).toEqual(['keys.rotated', 'keys.removed']);
    await restarted();
  });
});
