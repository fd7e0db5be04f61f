/** What an operator decides: documented where operators look, checked all at once, and safe in production. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readSettings, type Settings, settingsTable } from '../../config/settings.ts';

const root = resolve(import.meta.dirname, '../..');
const names = settingsTable.map(({ name }) => name);

/** The settings of `.env.example`: `# why` on the lines above `# NAME=default`. */
function example(): { name: string; fallback: string; why: string }[] {
  const paragraphs = readFileSync(join(root, '.env.example'), 'utf8').split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const lines = paragraph.trim().split('\n');
    const [, name = '', fallback = ''] = /^#? ?([A-Z_]+)=(.*)$/.exec(lines.at(-1) ?? '') ?? [];
    const why = lines.slice(0, -1).map((line) => line.replace(/^# /, ''));
    return name ? [{ name, fallback, why: why.join(' ') }] : [];
  });
}

/** The rows of the settings table in README.md. */
function readme(): { name: string; needed: boolean; fallback: string; why: string }[] {
  const [, section = ''] = readFileSync(join(root, 'README.md'), 'utf8').split(/^#+ Settings$/m);
  const rows = section.split(/^#/m)[0]?.match(/^\| `.*$/gm) ?? [];
  return rows.map((row) => {
    const [, setting = '', fallback = '', why = ''] = row.split('|').map((cell) => cell.trim());
    return {
      name: /`([A-Z_]+)`/.exec(setting)?.[1] ?? setting,
      needed: setting.includes('(needed)'),
      fallback: /^`(.*)`$/.exec(fallback)?.[1] ?? '',
      why,
    };
  });
}

const wanted = settingsTable.map(({ name, fallback, why }) => ({ name, fallback: fallback ?? '', why }));

describe('the settings in the books', () => {
  test('stand in .env.example with default and reason, all of them and nothing else, each once', () => {
    expect(example()).toEqual(wanted);
    const text = readFileSync(join(root, '.env.example'), 'utf8');
    const mentioned = text.match(/\b(HEMMA_[A-Z_]+|DATABASE_URL)(?==)/g) ?? [];
    expect(mentioned).toEqual(names);
    // Copied as it is, the file must change nothing.
    expect(text.match(/^[A-Z].*/gm)).toBeNull();
  });

  test('stand in the README with default and reason, all of them and nothing else, each once', () => {
    expect(readme().map(({ needed: _needed, ...row }) => row)).toEqual(wanted);
  });

  test('are marked in the README as needed in production if production does not start without them', () => {
    const { faults } = readSettings({ HEMMA_ISSUER: 'https://id.example.com' }) as { faults: string[] };
    const missing = names.filter((name) => faults.some((fault) => fault.startsWith(`${name} is missing`)));
    const needed = readme().flatMap((row) => (row.needed ? [row.name] : []));
    expect(needed.toSorted()).toEqual([...missing, 'HEMMA_ISSUER'].toSorted());
  });

  test('have a reason each, in a sentence', () => {
    for (const { why } of settingsTable) expect(why).toMatch(/^[A-ZÅÄÖ].{15,}\.$/);
  });
});

const key = 'A'.repeat(43);
const production = {
  HEMMA_ISSUER: 'https://id.example.com',
  HEMMA_SECRET_KEYS: key,
  DATABASE_URL: 'postgres://hemma:secret@db/hemma',
  HEMMA_SMTP_URL: 'smtps://user:secret@mail.example.com',
  HEMMA_MAIL_FROM: 'Hemma <no-reply@example.com>',
  HEMMA_HELP_DESK_CONTACT: '08-123 45 67',
};

function faultsOf(env: Record<string, string>): string[] {
  const read = readSettings(env);
  return 'faults' in read ? read.faults : [];
}
function settingsOf(env: Record<string, string>): Settings {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.settings;
}

describe('reading them', () => {
  test('needs nothing on a laptop, where an empty text means the default', () => {
    expect(settingsOf({})).toMatchObject({
      HEMMA_ISSUER: 'http://localhost:3000',
      HEMMA_PORT: 3000,
      development: true,
    });
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    expect(settingsOf(empty)).toEqual(settingsOf({}));
  });

  test('names every fault at once, by its setting, and repeats no value', () => {
    const broken = {
      HEMMA_ISSUER: 'not an address',
      HEMMA_PORT: '70000',
      HEMMA_DATABASE_POOL: '1',
      HEMMA_SECRET_KEYS: 'hunter2hunter2',
      DATABASE_URL: 'mysql://root:hunter3@db',
      HEMMA_DEFAULT_LOCALE: 'no',
      HEMMA_BRAND_ACCENT: '#ffff00',
      HEMMA_LOG_LEVEL: 'loud',
      HEMMA_AUDIT_DAYS: 'a year',
      HEMMA_TRUSTED_PROXIES: '10.0.0.0/8, my-proxy',
      HEMMA_BRAND_NAME: 'x'.repeat(41),
      HEMMA_ISUER: 'https://id.example.com',
    };
    const faults = faultsOf(broken);
    const about = Object.keys(broken).filter((name) => faults.some((fault) => fault.startsWith(name)));
    expect(about).toEqual(Object.keys(broken));
    expect(faults.join('\n')).not.toMatch(/hunter/);
  });

  test.each([
    ['a range that is too wide', '10.0.0.0/33'],
    ['half a range', '10.0.0.0/'],
    ['a name', 'localhost'],
  ])('says that a trusted proxy is no address where it is %s', (_what, proxies) => {
    expect(faultsOf({ HEMMA_TRUSTED_PROXIES: proxies }).join()).toContain('HEMMA_TRUSTED_PROXIES');
  });

  test.each([
    ['a name', 'office.example.com', 'addresses or ranges like 10.0.0.0/8, separated by commas'],
    ['a prefix that is too long', '192.0.2.0/33', 'addresses or ranges like 10.0.0.0/8'],
    ['every IPv4 address', '192.0.2.0/24, 0.0.0.0/0', 'a range ending in /0 would trust every address'],
    ['every IPv6 address', '::/0', 'a range ending in /0 would trust every address'],
  ])('rejects %s as a trusted network', (_what, networks, why) => {
    expect(faultsOf({ HEMMA_TRUSTED_NETWORKS: networks }).join()).toContain(`HEMMA_TRUSTED_NETWORKS: ${why}`);
  });

  test('reads trusted networks, and trusts none by default', () => {
    const networks = ' 192.0.2.0/24, 2001:db8:77::/48,198.51.100.7 ';
    expect(settingsOf({ HEMMA_TRUSTED_NETWORKS: networks }).HEMMA_TRUSTED_NETWORKS).toEqual([
      '192.0.2.0/24',
      '2001:db8:77::/48',
      '198.51.100.7',
    ]);
    expect(settingsOf({}).HEMMA_TRUSTED_NETWORKS).toEqual([]);
  });

  test.each(['0', '65', '1.5', '-1', 'many'])(
    'says how many processes may share a port, where %s may not',
    (count) => {
      expect(faultsOf({ HEMMA_WORKERS: count })).toEqual([
        'HEMMA_WORKERS: a number of processes from 1 to 64, or auto',
      ]);
    },
  );

  test('gives a frozen answer, lists included', () => {
    const settings = settingsOf({ ...production, HEMMA_TRUSTED_PROXIES: '10.0.0.1' });
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.HEMMA_SECRET_KEYS)).toBe(true);
    expect(Object.isFrozen(settings.HEMMA_TRUSTED_PROXIES)).toBe(true);
  });

  test('takes several secret keys, the newest first, with blanks between', () => {
    const other = 'B'.repeat(43);
    expect(settingsOf({ HEMMA_SECRET_KEYS: `${other}, ${key}` }).HEMMA_SECRET_KEYS).toEqual([other, key]);
  });

  test('writes the issuer without its last slash', () => {
    expect(settingsOf({ ...production, HEMMA_ISSUER: 'https://id.example.com/' }).HEMMA_ISSUER).toBe(
      'https://id.example.com',
    );
  });
});

describe('T38 production', () => {
  test('is every issuer but http://localhost, and starts with all that it needs', () => {
    expect(settingsOf(production).development).toBe(false);
    expect(settingsOf({ HEMMA_ISSUER: 'http://localhost:4000' }).development).toBe(true);
    for (const issuer of [
      'https://localhost',
      'http://localhost.example.com',
      'http://127.0.0.1:3000',
      'http://localhost:3000/x',
    ])
      expect(faultsOf({ HEMMA_ISSUER: issuer })).not.toEqual([]);
  });

  test('names everything that is missing at once', () => {
    const missing = Object.keys(production).filter((name) => name !== 'HEMMA_ISSUER');
    const faults = faultsOf({ HEMMA_ISSUER: production.HEMMA_ISSUER });
    expect(missing.filter((name) => faults.some((fault) => fault.startsWith(`${name} is missing`)))).toEqual(
      missing,
    );
    for (const name of missing)
      expect(faultsOf({ ...production, [name]: '' }).map((fault) => fault.split(' ')[0])).toEqual([name]);
  });

  test.each([
    ['http', 'http://id.example.com'],
    ['a path', 'https://example.com/id'],
    ['a query', 'https://id.example.com?tenant=1'],
    ['a fragment', 'https://id.example.com#top'],
    ['a name and password', 'https://user:secret@id.example.com'],
  ])('refuses an issuer with %s (OpenID Connect Discovery §3)', (_what, issuer) => {
    expect(faultsOf({ ...production, HEMMA_ISSUER: issuer }).join()).toContain('HEMMA_ISSUER');
  });

  test.each([
    ['HEMMA_DEMO', 'yes'],
    ['HEMMA_DEMO_CLIENT_SECRET', 's'.repeat(40)],
    ['HEMMA_ALLOW_LOOPBACK_CLIENTS', 'yes'],
  ])('refuses %s, which is for trying out', (name, value) => {
    expect(faultsOf({ ...production, [name]: value }).map((fault) => fault.split(' ')[0])).toEqual([name]);
    expect(faultsOf({ [name]: value })).toEqual([]);
  });
});
