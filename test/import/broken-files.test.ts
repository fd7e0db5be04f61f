/** Files that are cut, of another spelling or made to do harm. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
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

test('bytes that are no UTF-8 refuse their row and no other', async () => {
  const file = Buffer.concat([
    Buffer.from('email,name\na1@example.com,Åsa\na2@example.com,'),
    Buffer.from('Åsa', 'latin1'),
    Buffer.from('\na3@example.com,Öst\n'),
  ]);
  const end = await importer.take(file);
  expect([told(end), end.summary.created]).toEqual([['3: not-utf8'], 2]);
  expect((await stored(hemma.db, 'a3@example.com'))?.name).toBe('Öst');
  const utf16 = await importer.take(Buffer.from('\uFEFFemail,name\nb@example.com,B\n', 'utf16le'));
  expect([utf16.code, utf16.stdout]).toEqual([1, '']);
  expect(utf16.stderr).toContain('not-utf8');
});

test('half a letter in JSON refuses its row and no other', async () => {
  const end = await importer.take(
    '{"email":"h1@example.com","name":"\\ud800"}\n{"email":"h2@example.com","name":"\\u0000"}\n{"email":"h3@example.com","name":"Ok"}\n',
  );
  expect([told(end), end.summary.created]).toEqual([['1: not-utf8', '2: control-character'], 1]);
});

describe('a file that was cut in the middle', () => {
  test('of CSV: the last row is told and not guessed at, wherever the cut is', async () => {
    const whole = csv(
      ['email', 'name', 'password_hash'],
      ['c1@example.com', 'Ett', bcrypt],
      ['c2@example.com', 'Två', bcrypt],
    );
    for (const lost of [1, 2, 30, 60, 70]) {
      const end = await importer.take(whole.slice(0, -lost), '--dry-run');
      expect([lost, end.code, told(end), end.summary.created]).toEqual([lost, 1, ['3: cut-off'], 1]);
    }
  });

  test('of JSON, a list or an object a line: the same', async () => {
    const people = ['{"email":"d1@example.com","name":"Ett"}', '{"email":"d2@example.com","name":"Två"}'];
    const list = `[${people.join(',\n')}]`;
    const lines = people.join('\n');
    for (const cut of [
      list.slice(0, -1),
      list.slice(0, -5),
      list.slice(0, -20),
      lines.slice(0, -1),
      lines.slice(0, -9),
    ]) {
      const end = await importer.take(cut, '--dry-run');
      expect([cut, end.code, told(end), end.summary.created]).toEqual([cut, 1, ['2: cut-off'], 1]);
    }
    // Whole without a last line break: the bracket ends it.
    expect((await importer.take(lines, '--dry-run')).summary).toMatchObject({ created: 2, refused: 0 });
  });
});

test.each([
  ['nothing', '', 'empty-file'],
  ['blanks', ' \n\n', 'empty-file'],
  ['a column that nobody knows', 'email,name,pasword_hash\nx@example.com,X,y\n', 'unknown-column'],
  ['a column twice', 'email,name,Name\nx@example.com,X,y\n', 'repeated-column'],
  ['no column of names', 'email\nx@example.com\n', 'missing-column'],
])('%s: nothing goes in, and the reason is told', async (_what, content, code) => {
  const end = await importer.take(content);
  expect([end.code, end.stdout]).toEqual([1, '']);
  expect(end.stderr).toContain(`nothing was imported: ${code}.`);
  expect(await stored(hemma.db, 'x@example.com')).toBeUndefined();
});

test('what spreadsheets write is read: a mark at the beginning, semicolons, CRLF, quotes, blank lines', async () => {
  const file =
    '\uFEFFemail;name;groups\r\n"s1@example.com";"Ek, ""Bo""; d.y.";\r\n\r\ns2@example.com;Två;\r\n';
  const end = await importer.take(file);
  expect([end.code, end.summary]).toMatchObject([0, { rows: 2, created: 2 }]);
  expect((await stored(hemma.db, 's1@example.com'))?.name).toBe('Ek, "Bo"; d.y.');
});

test('JSON is read as a list and as lines, with fields of other kinds told by their row', async () => {
  const people = [
    { email: 'j1@example.com', name: 'a, b] } " \\ å', groups: [], locale: null, two_step_required: false },
    { email: 'j2@example.com', name: 5 },
    { email: 'j3@example.com', name: 'X', shoe_size: 43 },
    { email: 'j4@example.com', name: 'X', two_step_required: 'constructor' },
    { email: 'j5@example.com', name: 'X', groups: { a: 1 } },
    { email: 'j6@example.com', name: 'X', password_hash: [] },
    ['j7@example.com', 'X'],
    null,
    'j8@example.com',
    { email: 'j9@example.com', name: 'X' },
  ];
  const refused = [
    '2: malformed-value',
    '3: unknown-field',
    '4: malformed-value',
    '5: malformed-value',
    '6: malformed-hash',
    '7: malformed-row',
    '8: malformed-row',
    '9: malformed-row',
  ];
  const dry = await importer.take(people.map((one) => `${JSON.stringify(one)}\n`).join(''), '--dry-run');
  expect(told(dry)).toEqual(refused);
  const end = await importer.take(JSON.stringify(people, null, 2));
  expect([told(end), end.summary.created]).toEqual([refused, 2]);
  expect(await stored(hemma.db, 'j1@example.com')).toMatchObject({
    name: 'a, b] } " \\ å',
    two_step_required: false,
  });
  const odd = await importer.take(
    '{"__proto__":{"role":"administrator"},"email":"k@example.com","name":"K"}\n',
  );
  expect(told(odd)).toEqual(['1: unknown-field']);
});

describe('a quoted cell that goes on over lines', () => {
  // Whoever put line breaks into their name in the old system would have written a row of their own.
  const planted = 'evil@example.com,Evil';
  test.each([
    ['refuses its row, and no line of it is a row', `"Ett\n${planted}\n."`, '2: control-character', 1],
    [
      'costs no more where it is too long to be read',
      `"${'x'.repeat(3_000_000)}\n${planted}\n."`,
      '2: row-too-long',
      1,
    ],
    ['takes the rest of the file with it where it is never closed', `"Ett\n${planted}`, '2: cut-off', 0],
  ])('%s', async (_what, cell, refused, created) => {
    const end = await importer.take(
      `email,name\nq1@example.com,${cell}\nq2@example.com,Bo Ek\n`,
      '--dry-run',
    );
    expect([told(end), end.summary.created]).toEqual([[refused], created]);
  });
});

test('ends with 2 where the words are off, with 1 where there is no such file', async () => {
  const ends = await Promise.all([
    importer.shell(['accounts', 'import']),
    importer.shell(['accounts', 'import', 'x.csv', '--format', 'xml']),
    importer.shell(['accounts', 'export', '--format', 'xml']),
    importer.shell(['accounts', 'import', '/nowhere/accounts.csv']),
    importer.shell(['accounts', 'import', '/']),
  ]);
  expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual([
    [2, ''],
    [2, ''],
    [2, ''],
    [1, ''],
    [1, ''],
  ]);
});

test('standard input is a file too', async () => {
  const end = await importer.shell(['accounts', 'import', '-', '--json'], 'email,name\nin@example.com,In\n');
  expect(JSON.parse(end.stdout)).toMatchObject({ created: 1 });
});
