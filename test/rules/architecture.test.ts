/** Holds DESIGN §3 and §4 over the whole tree, and shows on small wrong examples that each rule can refuse. */
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  circleRefusals,
  clockRefusals,
  idleTestRefusals,
  importRefusals,
  lengthRefusals,
  markupRefusals,
  nameRefusals,
  networkRefusals,
  tableRefusals,
  tablesOf,
} from './architecture.ts';
import { factsOf, readSources, type Source } from './sources.ts';

const root = resolve(import.meta.dirname, '../..');
const house = readSources(root, ['src', 'interactions', 'config', 'migrations', 'autopay', 'demo']);
const under = (...folders: string[]) =>
  house.filter(({ path }) => folders.includes(path.split('/')[0] ?? ''));
const migrations = under('migrations');
const tests = readSources(root, ['test', 'bench']);

describe('the house', () => {
  test('has something to judge', () => {
    expect(house.length).toBeGreaterThan(20);
    expect(tablesOf(migrations)).toContain('accounts');
  });

  test('every import goes down the layers', () => expect(importRefusals(house)).toEqual([]));
  test('no import closes a cycle', () => expect(circleRefusals(house)).toEqual([]));
  test('each table has one owner', () =>
    expect(
      tableRefusals(under('src', 'interactions', 'migrations').filter(owns), tablesOf(migrations)),
    ).toEqual([]));
  test('SQL never tells the time', () =>
    expect(clockRefusals(under('src', 'interactions', 'demo'))).toEqual([]));
  test('calls others through the guard of outgoing calls alone', () =>
    expect(networkRefusals(house.filter(({ path }) => !path.startsWith('autopay/')))).toEqual([]));
  test('only the faces make HTML', () => expect(markupRefusals(house)).toEqual([]));
  test('nothing is named after nothing', () => expect(nameRefusals([...house, ...tests])).toEqual([]));
  test('long files say why', () => expect(lengthRefusals([...house, ...tests])).toEqual([]));
  test('every test runs', () => expect(idleTestRefusals(tests)).toEqual([]));
});

/** The list of migrations owns the table of the steps taken; the steps themselves only make tables. */
function owns({ path }: Source): boolean {
  return !path.startsWith('migrations/') || path === 'migrations/index.ts';
}

const file = (path: string, text = ''): Source => ({ path, text });

describe('the import rule refuses', () => {
  test.each([
    ['an import from a higher layer', 'src/users/a.ts', '../oidc/b.ts', 'users is not above oidc'],
    ['an import from a folder of the same layer', 'src/users/a.ts', '../mfa/b.ts', 'users is not above mfa'],
    ['a type from a higher layer', 'src/db/a.ts', '../audit/b.ts', 'db is not above audit'],
    [
      'a face that imports a face',
      'interactions/sign-in/a.tsx',
      '../account/b.tsx',
      'faces never import one another',
    ],
    [
      'the admin API in a page',
      'interactions/console/a.tsx',
      '../../src/api/b.ts',
      'faces never import one another',
    ],
    ['Autopay that imports Hemma', 'autopay/a.ts', '../src/db/b.ts', 'autopay shares nothing with the rest'],
    [
      'Hemma that imports Autopay',
      'demo/start.ts',
      '../autopay/main.ts',
      'autopay shares nothing with the rest',
    ],
    ['wiring below the app', 'src/oidc/a.ts', '../app/app.ts', 'oidc is not above app'],
    ['a folder that is in no layer', 'src/main.ts', './things/a.ts', 'belongs to no layer'],
  ])('%s', (_what, from, to, why) => {
    const [refusal] = importRefusals([file(from, `// first line\nimport type { X } from '${to}';`)]);
    expect(refusal).toContain(`${from}:2 imports`);
    expect(refusal).toContain(why);
  });

  test('a file outside of the layers', () => {
    expect(importRefusals([file('src/things/a.ts')])).toEqual([
      expect.stringContaining('src/things/a.ts:1 belongs to no layer'),
    ]);
  });

  test('nothing that the layers allow', () => {
    const allowed = [
      file('src/main.ts', "import './app/boot.ts'; import { a } from './cli/cli.ts';"),
      file(
        'src/app/app.ts',
        "import { m } from '../../interactions/ui/dev-mail.tsx';\nimport { i } from '../../interactions/sign-in/index.ts';",
      ),
      file(
        'interactions/sign-in/index.ts',
        "import { l } from '../ui/layout.tsx';\nimport { p } from '../../src/users/passwords.ts';",
      ),
      file('src/mail/outbox.ts', "import type { Db } from '../db/database.ts';\nimport { z } from 'zod';"),
    ];
    expect(importRefusals(allowed)).toEqual([]);
  });
});

test('imports are seen in every spelling, and not in comments', () => {
  const text = [
    'import { a,',
    "  b } from './one.ts';",
    "export { c } from './two.ts';",
    "import './three.ts';",
    "const d = await import('./four.ts');",
    "let e: import('./five.ts').E;",
    'const odd = /[`\'"]/;',
    "// import './six.ts';",
    "/* import './seven.ts'; */",
    'export const word = "from";',
  ].join('\n');
  const seen = factsOf(file('a.ts', text)).imports.map(({ specifier, line }) => `${specifier} ${line}`);
  expect(seen.sort()).toEqual(['./five.ts 6', './four.ts 5', './one.ts 1', './three.ts 4', './two.ts 3']);
});

test('a circle is told with its whole way', () => {
  const circle = [
    file('src/db/a.ts', "import './b.ts';"),
    file('src/db/b.ts', "\nimport { C } from './c.ts';"),
    file('src/db/c.ts', "import { a } from './a.ts';"),
  ];
  expect(circleRefusals(circle)).toEqual([
    'src/db/c.ts:1 closes a circle: src/db/a.ts → src/db/b.ts → src/db/c.ts → src/db/a.ts',
  ]);
});

describe('tables', () => {
  const step = file(
    'migrations/0001.ts',
    "schema.createTable('accounts', make).raw('CREATE TABLE IF NOT EXISTS audit (id int)')",
  );
  const owner = file('src/accounts/accounts.ts', 'db.query(`SELECT * FROM accounts WHERE id = $1`)');
  const ledger = file('src/audit/audit-log.ts', "db.query('INSERT INTO audit VALUES ($1)')");

  test('are read from the migrations', () => expect(tablesOf([step])).toEqual(['accounts', 'audit']));
  test('with one owner each are fine, and words in prose or paths are not SQL', () => {
    const prose = file(
      'src/cli.ts',
      "// from accounts\nwrite('accounts'); write('see accounts'); import('./accounts/accounts.ts');",
    );
    expect(tableRefusals([owner, ledger, prose], tablesOf([step]))).toEqual([]);
  });
  test.each([
    ['joined', '\ndb.query(`SELECT 1 FROM sessions JOIN accounts ON true`)'],
    ['written', "\ndb.query('update accounts set name = $1')"],
    ['built', "\nsql('accounts').where({ id })"],
  ])('%s by a second file are refused', (_how, text) => {
    const [refusal] = tableRefusals([owner, ledger, file('src/oidc/claims.ts', text)], ['accounts']);
    expect(refusal).toContain('src/accounts/accounts.ts:1, src/oidc/claims.ts:2');
  });
  test('that nobody owns are refused', () =>
    expect(tableRefusals([owner], ['audit'])).toEqual(['table audit: no file owns it']));
});

describe('the small rules refuse', () => {
  test.each(['SELECT now()', 'SET at = CURRENT_TIMESTAMP', 'clock_timestamp() > at'])(
    'SQL that says %s',
    (statement) => {
      expect(clockRefusals([file('src/a.ts', `\n\`${statement}\``)])).toEqual([
        expect.stringContaining('src/a.ts:2 '),
      ]);
      expect(clockRefusals([file('src/a.ts', 'const at = Date.now();')])).toEqual([]);
    },
  );
  test.each([
    "import { request } from 'node:https';",
    "import { connect } from 'net';",
    "import { lookup } from 'node:dns/promises';",
    "const { Agent } = await import('undici');",
    "await fetch('https://app.example');",
    "const keys = createRemoteJWKSet(new URL('https://app.example/jwks'));",
  ])('a connection past the guard: %s', (text) => {
    expect(networkRefusals([file('src/oidc/a.ts', `\n${text}`)])).toEqual([
      expect.stringContaining('src/oidc/a.ts:2 uses '),
    ]);
    expect(networkRefusals([file('src/http/egress.ts', text)])).toEqual([]);
    expect(networkRefusals([file('src/oidc/a.ts', "import type { Server } from 'node:http';")])).toEqual([]);
  });
  test('pages outside the faces', () => expect(markupRefusals([file('src/oidc/page.tsx')])).toHaveLength(1));
  test.each(['src/utils/a.ts', 'src/helpers.ts', 'test/common/a.ts', 'autopay/shared/b.ts'])(
    'the name of %s',
    (path) => expect(nameRefusals([file(path)])).toHaveLength(1),
  );
  test('301 lines without a word about it', () => {
    const long = 'x\n'.repeat(301);
    expect(lengthRefusals([file('src/a.ts', long)])).toEqual([expect.stringContaining('has 301 lines')]);
    expect(lengthRefusals([file('src/a.ts', `/** Longer than usual: one table. */\n${long}`)])).toEqual([]);
  });
  test('idle tests, and only those', () => {
    const idle = ['test.skip', 'it.only', 'describe.only', 'test.todo']
      .map((call) => `${call}('x');`)
      .join('\n');
    expect(idleTestRefusals([file('test/a.test.ts', idle)])).toHaveLength(4);
    expect(
      idleTestRefusals([file('test/a.test.ts', "test('test.skip is refused', run); // it.only")]),
    ).toEqual([]);
  });
});
