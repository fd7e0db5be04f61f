/** The command line as such: help, words that are none, settings that are off, six digits, migrations. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../rig/free-port.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { type DatabaseCopy, newDatabase } from '../rig/template.ts';
import { sixDigits } from '../rig/totp.ts';
import { answered, programWith, type Shell, shellWith } from './shell.ts';

let database: DatabaseCopy;
let env: Record<string, string>;
let shell: Shell;

beforeAll(async () => {
  database = await newDatabase();
  env = await settingsOfOne(database.url, 'smtp://127.0.0.1:9');
  shell = shellWith(env);
});
afterAll(() => database.drop());

test('as a program ends with 0, 1 or 2, and answers on standard output alone', async () => {
  const program = programWith(env);
  const ends = await Promise.all([
    program(['accounts', 'list', '--json']),
    program(['accounts', 'disable', 'nobody@example.com']),
    program(['fly']),
  ]);
  expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual([
    [0, '[]\n'],
    [1, ''],
    [2, ''],
  ]);
  expect(ends.map(({ stderr }) => stderr !== '')).toEqual([false, true, true]);
});

describe('hemma', () => {
  test('without a word, or with --help, says what it can and ends with 0', async () => {
    const ends = await Promise.all([shell([]), shell(['--help']), shell(['accounts', '-h'])]);
    for (const { code, stdout, stderr } of ends) {
      expect([code, stderr]).toEqual([0, '']);
      for (const command of [
        'accounts create',
        'accounts list',
        'accounts disable|enable',
        'clients apply',
        'clients list',
        'clients secret',
        'audit',
        'totp',
        'migrate',
      ])
        expect(stdout).toContain(command);
    }
  });

  test.each([
    ['fly'],
    ['accounts'],
    ['accounts fly'],
    ['clients'],
    ['constructor'],
    ['toString'],
    ['__proto__'],
  ])('ends with 2 and the help for %s, and tells nothing of its settings', async (words) => {
    const { code, stdout, stderr } = await shell([...words.split(' '), '--json']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('there is no command');
    for (const secret of [env['HEMMA_SECRET_KEYS'] ?? 'none', new URL(database.url).password])
      expect(`${stdout}${stderr}`).not.toContain(secret);
  });

  test('names every setting that is off and ends with 1', async () => {
    const { code, stdout, stderr } = await shellWith({ ...env, HEMMA_PORT: 'x', HEMMA_ISUER: 'y' })([
      'accounts',
      'list',
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/HEMMA_PORT/);
    expect(stderr).toMatch(/HEMMA_ISUER/);
  });

  test('says in a sentence that the database does not answer, without its password', async () => {
    const port = await freePort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const away = `postgres://hemma:hunter2@${host}:${port}/hemma`;
      const { code, stdout, stderr } = await shellWith({ ...env, DATABASE_URL: away })(['accounts', 'list']);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/database|ECONNREFUSED/i);
      expect(stderr).not.toContain('hunter2');
    }
  });
});

describe('hemma migrate', () => {
  test('brings an empty database to the newest shape and has nothing to do the second time', async () => {
    const empty = await newDatabase({ migrated: false });
    const there = shellWith({ ...env, DATABASE_URL: empty.url });
    const { applied } = answered(await there(['migrate', '--json'])) as { applied: string[] };
    expect(applied[0]).toBe('0001-first-light');
    expect(answered(await there(['migrate', '--json']))).toEqual({ applied: [] });
    expect(answered(await there(['accounts', 'list', '--json']))).toEqual([]);
    await empty.drop();
  });
});

describe('hemma totp', () => {
  const key = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

  /** The digits of the step in which the command ran, whichever that was. */
  async function right(words: readonly string[]): Promise<void> {
    const before = sixDigits(key);
    const end = await shell(words);
    const shown = words.includes('--json') ? (JSON.parse(end.stdout) as string) : end.stdout.trim();
    expect([before, sixDigits(key)]).toContain(shown);
    expect([end.code, end.stderr]).toEqual([0, '']);
  }

  test('shows the six digits of a key, as text and as JSON, without any database', async () => {
    const alone = shellWith({ ...env, DATABASE_URL: 'postgres://127.0.0.1:9/none' });
    await right(['totp', key]);
    await right(['totp', key, '--json']);
    expect((await alone(['totp', key])).code).toBe(0);
  });

  test('takes the key as the page shows it: in groups of four, and in small letters', async () => {
    await right(['totp', ...(key.match(/.{4}/g) ?? [])]);
    await right(['totp', (key.match(/.{4}/g) ?? []).join(' ')]);
    await right(['totp', key.toLowerCase()]);
  });

  test('ends with 2 without a key and refuses one that is none in a sentence', async () => {
    expect((await shell(['totp'])).code).toBe(2);
    for (const wrong of ['GEZDGNBV', '!!!!', '0189'.repeat(8)]) {
      const { code, stdout, stderr } = await shell(['totp', wrong]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});
