/** T38: settings that are missing or unsafe keep the provider from starting, and all of them are told at once. */
import { describe, expect, test } from '@jest/globals';
import { aKey, boot, bootProgram, refusal } from './boot.ts';

/** Everything that a real installation has. */
const production = (): Record<string, string> => ({
  HEMMA_ISSUER: 'https://id.example.com',
  HEMMA_SECRET_KEYS: aKey(),
  HEMMA_SMTP_URL: 'smtp://127.0.0.1:1',
  HEMMA_MAIL_FROM: 'Hemma <no-reply@example.com>',
  HEMMA_HELP_DESK_CONTACT: '08-123 45 67',
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
});
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(production()).filter(([name]) => !names.includes(name)));

describe('settings', () => {
  test('T38 everything that is missing is listed at once', async () => {
    const said = refusal(await bootProgram({ HEMMA_ISSUER: 'http://id.example.com' }));
    for (const name of [
      'HEMMA_ISSUER',
      'HEMMA_SECRET_KEYS',
      'HEMMA_SMTP_URL',
      'HEMMA_MAIL_FROM',
      'HEMMA_HELP_DESK_CONTACT',
      'DATABASE_URL',
    ])
      expect(said.split('\n').filter((line) => line.startsWith(`  - ${name} `))).toHaveLength(1);
  });

  test('T38 a missing one is listed beside one that cannot be read', async () => {
    const said = refusal(
      await boot({ ...without('HEMMA_SMTP_URL'), HEMMA_PORT: 'x', HEMMA_SECRET_KEY: aKey() }),
    );
    for (const name of ['HEMMA_SMTP_URL', 'HEMMA_PORT', 'HEMMA_SECRET_KEY'])
      expect(said).toContain(`- ${name}`);
  });

  test.each(['HEMMA_SECRET_KEYS', 'DATABASE_URL'])('T38 %s alone missing is named alone', async (name) => {
    const said = refusal(await boot(without(name)));
    expect(said.match(/^ {2}- .*$/gm)).toEqual([expect.stringMatching(`- ${name} is missing: .+\\.$`)]);
  });

  test.each([
    ['by number', 'http://127.0.0.1:3000'],
    ['that begins like localhost', 'http://localhost.evil.example'],
    ['with a path', 'https://id.example.com/sso'],
    ['with a query', 'https://id.example.com/?x=1'],
    ['with a password', 'https://a:b@id.example.com'],
  ])('T38 an issuer %s is refused by name', async (_what, HEMMA_ISSUER) => {
    expect(refusal(await boot({ ...production(), HEMMA_ISSUER }))).toContain('  - HEMMA_ISSUER');
  });

  test.each([
    [
      'values that cannot be read',
      {
        HEMMA_PORT: '70000',
        HEMMA_SECRET_KEYS: 'too-short-to-be-a-key',
        DATABASE_URL: 'mysql://localhost/x',
        HEMMA_SMTP_URL: 'https://mail.example.com',
        HEMMA_BRAND_ACCENT: '#ffffff',
      },
    ],
    ['misspelt names', { HEMMA_SECRET_KEY: aKey(), HEMMA_TRUSTED_PROXY: '10.0.0.1', HEMMA_: 'x' }],
    [
      'what is for trying out only',
      { HEMMA_DEMO: 'yes', HEMMA_DEMO_CLIENT_SECRET: 'x'.repeat(40), HEMMA_ALLOW_LOOPBACK_CLIENTS: 'yes' },
    ],
    ['proxies that are none', { HEMMA_TRUSTED_PROXIES: '10.0.0.0/8, the-proxy' }],
    ['ranges that are none', { HEMMA_TRUSTED_PROXIES: '10.0.0.0/99' }],
    ['files that are not there', { HEMMA_BRAND_LOGO: '/nowhere/logo.svg' }],
  ] as [string, Record<string, string>][])(
    'T38 %s are refused by name, never by secret',
    async (_what, env) => {
      const said = refusal(await boot({ ...production(), ...env }));
      for (const [name, value] of Object.entries(env)) {
        expect(said.split('\n').filter((line) => line.startsWith(`  - ${name}`))).not.toEqual([]);
        if (name.includes('SECRET')) expect(said).not.toContain(value);
      }
    },
  );
});
