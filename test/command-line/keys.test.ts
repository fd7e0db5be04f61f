/** `hemma keys`: the signing keys from a shell. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listPublishedKeys } from '../../src/oidc/keys/rotation.ts';
import { loadKeys, listSigningKeys } from '../../src/oidc/keys/keys.ts';
import { findAuditEvents } from '../../src/audit/audit-log.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import { openWith } from '../races/two-processes.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { type DatabaseCopy, keyOfTheRun, newDatabase } from '../rig/template.ts';
import { answered, type Shell, shellWith } from './shell.ts';

interface Key {
  kid: string;
  type: string;
  algorithms: string;
  state: string;
  signs: string;
  retires: string | null;
  gone: string | null;
}

let database: DatabaseCopy;
let env: Record<string, string>;
let shell: Shell;

beforeAll(async () => {
  database = await newDatabase();
  env = await settingsOfOne(database.url, 'smtp://127.0.0.1:9');
  shell = shellWith(env);
});
afterAll(() => database.drop());

const list = async () => answered(await shell(['keys', 'list', '--json'])) as Key[];

test('keys list names the keys, what they sign and until when, and nothing of their private halves', async () => {
  const keys = await list();
  expect(keys.map(({ type, algorithms, state }) => `${type}: ${algorithms}, ${state}`).toSorted()).toEqual([
    'EC: ES256, signing',
    'OKP: EdDSA, signing',
    'RSA: RS256 PS256, signing',
  ]);
  const inWords = await shell(['keys', 'list']);
  expect(inWords.stdout.split('\n')).toHaveLength(4);
  expect(Object.keys(keys[0] ?? {})).toEqual([
    'kid',
    'type',
    'algorithms',
    'state',
    'created',
    'signs',
    'retires',
    'gone',
  ]);
});

test('keys rotate three times at once makes one new key of each type, and says so to the others', async () => {
  const before = await list();
  const asked = Date.now();
  const ends = await Promise.all([1, 2, 3].map(() => shell(['keys', 'rotate', '--json'])));
  expect(ends.map(({ code }) => String(code)).toSorted()).toEqual(['0', '1', '1']);
  for (const { code, stderr } of ends) if (code === 1) expect(stderr).toContain('published already');
  const made = JSON.parse(ends.find(({ code }) => code === 0)?.stdout ?? '[]') as Key[];
  expect(made.map(({ type, state }) => `${type} ${state}`).toSorted()).toEqual([
    'EC pending',
    'OKP pending',
    'RSA pending',
  ]);
  const after = await list();
  expect(after).toHaveLength(6);
  for (const old of before) {
    const one = after.find(({ kid }) => kid === old.kid);
    const next = made.find(({ type }) => type === old.type);
    expect([one?.state, one?.retires]).toEqual(['signing', next?.signs]);
    const lead = new Date(one?.retires ?? '').getTime() - asked;
    expect(Math.round(lead / 3_600_000)).toBe(24);
    const kept = new Date(one?.gone ?? '').getTime() - new Date(one?.retires ?? '').getTime();
    expect(kept / 3_600_000).toBe(12);
  }
  expect((await shell(['keys', 'rotate'])).code).toBe(1);
});

test('keys rotate --now twice at once exchanges pending and signing keys alike, once', async () => {
  const before = await list();
  const ends = await Promise.all([1, 2].map(() => shell(['keys', 'rotate', '--now', '--json'])));
  expect(ends.map(({ code }) => String(code)).toSorted()).toEqual(['0', '1']);
  const after = await list();
  expect(after).toHaveLength(9);
  for (const { kid } of before) {
    const gone = after.find((one) => one.kid === kid)?.gone ?? '';
    expect(new Date(gone).getTime() - Date.now()).toBeLessThanOrEqual(20_000);
  }
  const db = await openWith(env);
  const told = await findAuditEvents(db, { limit: 5, events: ['keys.rotated', 'keys.withdrawn'] });
  await db.close();
  expect(told.map(({ event }) => event)).toEqual(['keys.withdrawn', 'keys.rotated']);
});

test('a shell with another HEMMA_SECRET_KEYS is refused in a sentence and makes nothing', async () => {
  const before = await list();
  const foreign = shellWith({ ...env, HEMMA_SECRET_KEYS: randomBytes(32).toString('base64url') });
  const { code, stdout, stderr } = await foreign(['keys', 'rotate', '--now']);
  expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1]);
  expect(stderr).toContain('HEMMA_SECRET_KEYS');
  expect(await list()).toEqual(before);
});

test('a type that an older version did not make is made by those that start, once', async () => {
  const db = await openWith(env);
  const edwards = (await list()).flatMap(({ type, kid }) => (type === 'OKP' ? [kid] : []));
  await db.query('DELETE FROM keys WHERE id = ANY($1)', [edwards]);
  const vault = createEncryption([keyOfTheRun()]);
  // It wrote down one algorithm for RSA, and no moments.
  const made = (await listSigningKeys(db, vault)).find((key) => key.jwk.kty === 'RSA' && !key.retiresAt);
  const old = vault.seal(JSON.stringify({ ...made?.jwk, alg: 'RS256' }), `key:${made?.id ?? ''}`);
  await db.query('UPDATE keys SET sealed = $2, signs_at = NULL, created_at = $3 WHERE id = $1', [
    made?.id,
    old,
    new Date(Date.now() - 1000),
  ]);
  await Promise.all([loadKeys(db, vault), loadKeys(db, vault), loadKeys(db, vault)]);
  const rsa = listPublishedKeys(await listSigningKeys(db, vault), new Date()).find(
    ({ kid }) => kid === made?.id,
  );
  await db.close();
  expect(rsa).toMatchObject({ kty: 'RSA', use: 'sig' });
  expect(rsa).not.toHaveProperty('alg');
  expect((await list()).filter(({ type }) => type === 'OKP').map(({ state }) => state)).toEqual(['signing']);
});
