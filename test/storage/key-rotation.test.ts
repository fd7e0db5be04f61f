/** HEMMA_SECRET_KEYS: a new key goes first, what is used is sealed anew, and then the old key can go. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { readSettings } from '../../config/settings.ts';
import { type Hemma, startServer } from '../../src/app/server.ts';
import { openWith } from '../races/two-processes.ts';
import { at, signIn, signInFirst, typePassword } from '../rig/ceremony.ts';
import { back, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { freePort } from '../rig/free-port.ts';
import { PASSWORD, settingsOfOne } from '../rig/hemma.ts';
import { type MailServer, startMailServer } from '../rig/mail.ts';
import { runToEnd } from '../rig/process.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { type DatabaseCopy, keyOfTheRun, newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { createUser } from '../../src/users/users.ts';
import { createHasher } from '../../src/crypto/argon2.ts';

let mail: MailServer;
let database: DatabaseCopy;
let env: Record<string, string>;
let hemma: Hemma;
let autopay: RelyingParty;
const lines: string[] = [];

const newKey = () => randomBytes(32).toString('base64url');
const [old, fresh] = [keyOfTheRun(), newKey()];

async function startWith(keys: string): Promise<void> {
  const read = readSettings({ ...env, HEMMA_SECRET_KEYS: keys });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  hemma = await startServer(read.settings, { write: (line) => void lines.push(line) });
}

beforeAll(async () => {
  mail = await startMailServer();
  database = await newDatabase();
  env = await settingsOfOne(database.url, mail.url);
  await startWith(old);
  autopay = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
  await mail.stop();
  await database.drop();
});

async function enrolled(email: string) {
  const made = await createUser(hemma.db, await createHasher(1), 'Hemma', {
    email,
    name: 'Astrid Lind',
    password: PASSWORD,
  });
  expect(made).toHaveProperty('account');
  const visitor = newVisitor();
  return { visitor, ...(await signInFirst(visitor, (await autopay.begin()).url, email)) };
}

const published = async () => (await exchange(new URL('/jwks', hemma.issuer))).body;

test('a new secret key goes first, and the old one can be dropped for whatever was used since', async () => {
  const astrid = await enrolled('astrid@example.com');
  const bertil = await enrolled('bertil@example.com');
  const jwks = await published();
  // A form that stands open in a browser while the key changes.
  const inTheMiddle = newVisitor();
  await inTheMiddle.visit((await autopay.begin()).url);
  at('totp', await typePassword(inTheMiddle, 'astrid@example.com'));
  await hemma.stop();

  await startWith(`${fresh},${old}`);
  expect(await published()).toBe(jwks);
  at('back', await astrid.visitor.visit((await autopay.begin({ prompt: 'none' })).url));
  at('back', await inTheMiddle.submit({ code: sixDigits(astrid.key, { step: 1 }) }));
  await hemma.stop();

  await startWith(fresh);
  expect(await published()).toBe(jwks);
  const silent = at('back', await astrid.visitor.visit((await autopay.begin({ prompt: 'none' })).url));
  expect(silent.url.searchParams.get('error')).toBeNull();
  travel(seconds(60));
  await signIn(newVisitor(), (await autopay.begin()).url, 'astrid@example.com', astrid.key);

  // Whoever has not signed in since is told something that leads on, and is not let in by anything less.
  const left = newVisitor();
  await left.visit((await autopay.begin()).url);
  await typePassword(left, 'bertil@example.com');
  const screen = await left.submit({ code: sixDigits(bertil.key) });
  expect(screen.step).not.toBe('back');
  expect(screen.status).toBeLessThan(500);
});

test('a database whose keys no secret key opens refuses to start in a sentence that names the setting', async () => {
  const strange = { ...env, HEMMA_PORT: String(await freePort()), HEMMA_SECRET_KEYS: newKey() };
  const { code, stderr } = await runToEnd('src/main.js', strange);
  expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
  expect(stderr).toContain('HEMMA_SECRET_KEYS');
  const db = await openWith(env);
  expect((await db.query('SELECT 1 FROM keys')).count).toBe(5);
  await db.close();
});
