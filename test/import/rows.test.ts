/** What goes in and what does not, row by row. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findAttributes } from '../../src/users/attributes.ts';
import { defineCustomClaim } from '../../src/oidc/claims/custom-claims.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { answered } from '../command-line/shell.ts';
import { csv, type Importer, importerWith, stored, told } from './files.ts';

let hemma: Hemma;
let importer: Importer;

beforeAll(async () => {
  hemma = await startHemma();
  importer = await importerWith(hemma.env);
});
afterAll(async () => {
  await importer.stop();
  await hemma.stop();
});

const bcrypt = '$2b$10$abcdefghijklmnopqrstuuwPNdRqY8e6.2MWaEx4H26.2qi1bo4f6';
const eventsOf = async (id: string) => {
  const { rows } = await hemma.db.query<{ event: string }>(
    'SELECT event FROM audit WHERE account_id = $1 ORDER BY id',
    [id],
  );
  return rows.map(({ event }) => event);
};

test('a row without a hash waits for an invitation, one with a hash is as its columns say; nobody gets a role', async () => {
  const end = await importer.take(
    csv(
      ['Email', 'NAME', 'locale', 'role', 'two_step_required', 'email_verified', 'disabled', 'password_hash'],
      [' Astrid@Example.com ', 'Astrid Lind', 'en', 'person', '', '', '', ''],
      ['bertil@example.com', 'Bertil Ek', 'nb-NO', '', 'nej', 'yes', '', bcrypt],
      ['cecilia@example.com', 'Cecilia', '', '', 'true', '', 'true', bcrypt],
      ['david@example.com', 'David', '', 'administrator', '', '', '', bcrypt],
    ),
  );
  expect(end.summary).toMatchObject({ rows: 4, created: 3, existing: 0, refused: 1, dryRun: false });
  expect(end.summary.refusals).toEqual([{ row: 5, code: 'privileged-account', field: 'role' }]);
  expect(end.stderr).toContain('row 5, role: privileged-account. Only people are imported.');
  const closed = { role: 'person', open: false };
  const astrid = await stored(hemma.db, 'astrid@example.com');
  expect(astrid).toMatchObject({
    ...closed,
    name: 'Astrid Lind',
    locale: 'en',
    two_step_required: true,
    verified: true,
    invited: true,
    disabled: false,
  });
  // The hash of a password that nobody knows, not of an empty one or the address.
  expect(astrid?.password_hash).toMatch(/^\$argon2id\$/);
  expect(await stored(hemma.db, 'bertil@example.com')).toMatchObject({
    ...closed,
    locale: 'sv',
    two_step_required: false,
    verified: true,
    invited: false,
    password_hash: bcrypt,
  });
  expect(await stored(hemma.db, 'cecilia@example.com')).toMatchObject({
    ...closed,
    locale: null,
    two_step_required: true,
    verified: false,
    invited: false,
    disabled: true,
  });
  expect(await stored(hemma.db, 'david@example.com')).toBeUndefined();
  expect(await eventsOf(astrid?.id ?? '')).toEqual(['account.created']);
  expect(hemma.mails()).toEqual([]);
});

test('each bad row is told by its number and its reason, and the rest goes in', async () => {
  const [long, longer] = ['x'.repeat(200), 'x'.repeat(256)];
  const lines = [
    ['email', 'name', 'locale', 'two_step_required'],
    ['e1@example.com', long, '', ''],
    ['e2@example.com', longer, '', ''],
    [`${'x'.repeat(244)}@example.com`, 'Long', '', ''],
    ['no address', 'X', '', ''],
    ['a@b.example,c@d.example', 'X', '', ''],
    ['', 'X', '', ''],
    ['e3@example.com', ' ', '', ''],
    ['e4@example.com', 'X', 'fi', ''],
    ['e5@example.com', 'X', '', 'maybe'],
    ['e6@example.com', 'X\u0000Y', '', ''],
    ['e7@example.com', 'X\u001bY', '', ''],
    ['е8@example.com', 'The first letter is Cyrillic', '', ''],
    ['e9@example.com', '"closed" too early', '', ''],
    ['e10@example.com', 'x'.repeat(20_000), '', ''],
    ['e11@example.com', 'Sist', 'sv', 'constructor'],
    ['e12@example.com', 'Sist', 'sv', 'true'],
  ];
  const end = await importer.take(csv(...lines));
  expect(end.code).toBe(1);
  expect(told(end)).toEqual([
    '3: name-too-long',
    '4: malformed-email',
    '5: malformed-email',
    '6: wrong-columns',
    '7: missing-email',
    '8: missing-name',
    '9: unknown-locale',
    '10: malformed-value',
    '11: control-character',
    '12: control-character',
    '13: malformed-email',
    '14: malformed-row',
    '15: row-too-long',
    '16: malformed-value',
  ]);
  expect(end.summary).toMatchObject({ rows: 16, created: 2, refused: 14 });
  expect((await stored(hemma.db, 'e1@example.com'))?.name).toBe(long);
  expect((await stored(hemma.db, 'e12@example.com'))?.name).toBe('Sist');
});

test('an address that somebody has is left untouched, and one that comes twice goes in once', async () => {
  await hemma.account({ email: 'taken@example.com', name: 'Den Första' });
  const before = await stored(hemma.db, 'taken@example.com');
  const file = csv(
    ['email', 'name', 'password_hash'],
    ['Taken@Example.com', 'Tjuv', bcrypt],
    ['twice@example.com', 'Ett', ''],
    ['TWICE@example.com', 'Två', bcrypt],
  );
  const end = await importer.take(file);
  expect(end.summary).toMatchObject({ created: 1, existing: 1, refused: 1 });
  expect(told(end)).toEqual(['2: email-taken', '4: repeated-email']);
  expect(await stored(hemma.db, 'taken@example.com')).toEqual(before);
  expect((await stored(hemma.db, 'twice@example.com'))?.name).toBe('Ett');
  // The same file without its fault, once more: nothing to do is no failure.
  const again = await importer.take(file.split('\n').slice(0, 3).join('\n') + '\n');
  expect([again.code, again.summary]).toMatchObject([0, { created: 0, existing: 2, refused: 0 }]);
});

describe('groups', () => {
  test('are those that are there; others refuse their row, or are made where that is asked for', async () => {
    answered(await importer.shell(['groups', 'create', 'Nord AB', '--json']));
    const file = csv(
      ['email', 'name', 'groups'],
      ['n1@example.com', 'X', 'Nord AB'],
      ['n2@example.com', 'X', 'nord ab|Syd AB'],
    );
    const first = await importer.take(file);
    expect(first.summary).toMatchObject({
      created: 1,
      refusals: [{ row: 3, code: 'no-such-group', field: 'groups' }],
    });
    const second = await importer.take(file, '--create-groups');
    expect([second.code, second.summary]).toMatchObject([0, { created: 1, existing: 1 }]);
    const listed = answered(await importer.shell(['groups', 'list', '--json']));
    expect(listed).toMatchObject([
      { name: 'Nord AB', members: 2 },
      { name: 'Syd AB', members: 1 },
    ]);
    const { id = '' } = (await stored(hemma.db, 'n2@example.com')) ?? {};
    expect(await eventsOf(id)).toEqual(['account.created', 'group.member-added', 'group.member-added']);
  });
});

test('a dry run tells the same and writes nothing', async () => {
  const counted = async () => {
    const tables = ['accounts', 'audit', 'groups', 'group_members', 'mails'];
    const counts = tables.map((table) => hemma.db.query(`SELECT count(*) AS n FROM ${table}`));
    return (await Promise.all(counts)).map(({ rows }) => rows[0]);
  };
  await hemma.account({ email: 'there@example.com' });
  const file = csv(
    ['email', 'name', 'groups'],
    ['there@example.com', 'X', ''],
    ['new1@example.com', 'X', 'Väst AB'],
    ['new1@example.com', 'X', ''],
    ['no', 'X', ''],
  );
  const before = await counted();
  const words = ['--create-groups', '--invite'];
  const dry = await importer.take(file, ...words, '--dry-run');
  expect(await counted()).toEqual(before);
  const wet = await importer.take(file, ...words);
  expect(dry.code).toBe(1);
  expect(dry.summary).toEqual({ ...wet.summary, dryRun: true });
  expect(told(dry)).toEqual(['2: email-taken', '4: repeated-email', '5: malformed-email']);
  const mail = await hemma.mail.mailTo('new1@example.com');
  expect(mail.text).toContain('new1@example.com');
});

test('the import is in the audit, once and with its counts, and no value of a row is', async () => {
  await importer.take(
    csv(['email', 'name', 'password_hash'], ['f1@example.com', 'Frida', bcrypt], ['f2', 'Filip', '']),
  );
  const { rows } = await hemma.db.query<{ detail: object }>(
    "SELECT detail FROM audit WHERE event = 'accounts.imported' ORDER BY id DESC LIMIT 1",
  );
  expect(rows[0]?.detail).toEqual({ rows: 2, created: 1, existing: 0, refused: 1, stopped: false });
  const all = JSON.stringify((await hemma.db.query('SELECT * FROM audit')).rows);
  for (const value of ['Frida', 'f1@example.com', bcrypt, PASSWORD]) expect(all).not.toContain(value);
});

describe('attributes', () => {
  test('are JSON by the names of claims that are there, and a row with any other is refused', async () => {
    const claim = { scope: 'staff', label: { sv: 'x', en: 'x' } };
    await defineCustomClaim(hemma.db, { ...claim, name: 'unit', multi: false }, {});
    await defineCustomClaim(hemma.db, { ...claim, name: 'duties', multi: true }, {});
    const row = (email: string, attributes: unknown) => ({ email, name: 'X', attributes });
    const rows = [
      row('at1@example.com', { unit: ' Lagret ', duties: ['a', 'b', 'a'] }),
      row('at2@example.com', { unit: ['a', 'b'] }),
      row('at3@example.com', { shoe: '42' }),
      row('at4@example.com', { unit: 'x'.repeat(1001) }),
      row('at5@example.com', ['unit']),
      row('at6@example.com', { unit: 'a\nb' }),
      row('at7@example.com', { duties: Array.from({ length: 51 }, (_, at) => `d${at}`) }),
      row('at8@example.com', {}),
    ];
    const end = await importer.take(JSON.stringify(rows));
    expect(told(end)).toEqual([
      '2: attribute-single',
      '3: attribute-unknown',
      '4: attribute-too-long',
      '5: malformed-value',
      '6: attribute-malformed',
      '7: attributes-too-many',
    ]);
    const { id = '' } = (await stored(hemma.db, 'at1@example.com')) ?? {};
    expect(await findAttributes(hemma.db, id)).toEqual({ unit: ['Lagret'], duties: ['a', 'b'] });
    expect(await eventsOf(id)).toEqual(['account.created', 'account.attributes-changed']);
    const cells = `email,name,attributes\nat9@example.com,X,"{""unit"":""Kontoret""}"\nat10@example.com,X,{\n`;
    expect(told(await importer.take(cells))).toEqual(['3: malformed-value']);
  });
});
