/** People who come with the password of another system: it opens one sign-in in the old form, and ours from then on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Importer, importerWith, stored, told } from './files.ts';
import { refused, vectors } from './vectors.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let importer: Importer;

const kinds = Object.keys(vectors);
const emailOf = (kind: string) => `${kind.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}@example.com`;
const line = (value: object) => `${JSON.stringify(value)}\n`;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  importer = await importerWith(hemma.env);
  const people = kinds.map((kind) =>
    line({ email: emailOf(kind), name: kind, password_hash: vectors[kind] }),
  );
  const { code, stderr } = await importer.take(people.join(''));
  if (code !== 0) throw new Error(stderr);
});
afterAll(async () => {
  await importer.stop();
  await autopay.stop();
  await hemma.stop();
});

async function typed(email: string, password: string) {
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  return { visitor, screen: await typePassword(visitor, email, password) };
}

test.each(kinds)(
  '%s: a wrong password stays wrong, the right one opens, and argon2id stands there after',
  async (kind) => {
    const email = emailOf(kind);
    const before = (await stored(hemma.db, email))?.password_hash;
    expect((await typed(email, `${PASSWORD}.`)).screen.refusal).toBe('wrong-password');
    expect((await stored(hemma.db, email))?.password_hash).toBe(before);
    // Without an invitation's window the mailbox is asked before a phone is connected.
    at('mailed-code', (await typed(email, PASSWORD)).screen);
    const after = (await stored(hemma.db, email))?.password_hash;
    expect(after).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    at('mailed-code', (await typed(email, PASSWORD)).screen);
    expect((await stored(hemma.db, email))?.password_hash).toBe(after);
  },
);

test('the first sign-in in two browsers at once lets both in, and the hash is made anew once', async () => {
  const password_hash = vectors['bcrypt $2a'];
  await importer.take(line({ email: 'twice@example.com', name: 'Två', password_hash }));
  const both = await Promise.all([
    typed('twice@example.com', PASSWORD),
    typed('twice@example.com', PASSWORD),
  ]);
  for (const { screen } of both) at('mailed-code', screen);
  expect((await stored(hemma.db, 'twice@example.com'))?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456/);
});

test('an imported person comes all the way to the application, by the mailbox and a phone', async () => {
  const [kind = ''] = kinds;
  const { visitor } = await typed(emailOf(kind), PASSWORD);
  const mails = hemma.mails().filter(({ to }) => to === emailOf(kind)).length;
  let code = '';
  for (let turn = 0; turn <= mails && visitor.screen.step === 'mailed-code'; turn += 1) {
    const mail = await hemma.mail.mailTo(emailOf(kind), /\d{4} \d{4}/);
    code = /\d{4} \d{4}/.exec(mail.text)?.[0] ?? '';
    await visitor.submit({ code });
  }
  at('enrollment', visitor.screen);
  await connectPhone(visitor);
  at('back', visitor.screen);
});

test('R5 a hash that is broken, unknown or too dear to verify is refused by its row, and no part of it is repeated', async () => {
  const hashes = Object.keys(refused);
  const people = hashes.map((hash, place) =>
    line({ email: `no-${place}@example.com`, name: 'X', password_hash: hash }),
  );
  const end = await importer.take(people.join(''));
  expect(end.code).toBe(1);
  expect(told(end)).toEqual(hashes.map((hash, place) => `${place + 1}: ${refused[hash]}`));
  expect(end.summary.created).toBe(0);
  const rows = await hemma.db.query('SELECT detail FROM audit');
  for (const hash of hashes)
    for (const part of hash.split('$').filter(({ length }) => length > 9))
      expect(end.stdout + end.stderr + JSON.stringify(rows)).not.toContain(part);
});

test('an address that nobody has is refused with the password of the hash that stands in for it, too', async () => {
  const strangers = Array.from({ length: 6 }, (_, place) => `stranger-${place}@example.com`);
  for (const email of strangers) expect((await typed(email, PASSWORD)).screen.refusal).toBe('wrong-password');
  const { rows } = await hemma.db.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM audit WHERE event = 'password.wrong' AND account_id IS NULL",
  );
  expect(rows[0]?.n).toBe(strangers.length);
});
