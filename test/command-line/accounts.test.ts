/** `hemma accounts …` and `hemma audit`: what an operator does with people, from a shell. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { at, signInFirst, typePassword } from '../rig/ceremony.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { answered, type Shell, shellWith } from './shell.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let shell: Shell;

beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  shell = shellWith(hemma.env);
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

const create = (email: string, ...more: string[]) => [
  'accounts',
  'create',
  '--email',
  email,
  '--name',
  'Åsa Öst',
  ...more,
];

interface Shown {
  id: string;
  email: string;
  name: string;
  role: string;
  disabled: boolean;
}

describe('hemma accounts create', () => {
  test('makes a person who signs in at once, and prints all but the password', async () => {
    const end = await shell(create(' Astrid@Example.com ', '--locale', 'en', '--json'), `${PASSWORD}\n`);
    const made = answered(end) as Shown;
    expect(made).toEqual({
      id: made.id,
      email: 'astrid@example.com',
      name: 'Åsa Öst',
      role: 'person',
      disabled: false,
    });
    expect(made.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(`${end.stdout}${end.stderr}`).not.toContain(PASSWORD);
    const visitor = newVisitor({ language: 'sv' });
    await signInFirst(visitor, (await autopay.begin()).url, 'astrid@example.com');
    expect(
      (await visitor.visit(hemma.url('/account'))).page.querySelector('html')?.getAttribute('lang'),
    ).toBe('en');
  });

  test('says what is wrong in one sentence and ends with 1, making nothing', async () => {
    await hemma.account({ email: 'taken@example.com' });
    const refused: [string[], string, RegExp][] = [
      [create('Taken@Example.com'), PASSWORD, /email-taken/],
      [create('no-address'), PASSWORD, /malformed-email/],
      [create('short@example.com'), 'kort', /password-too-short/],
      [create('common@example.com'), 'password1', /password-too-common/],
      [create('empty@example.com'), '', /password-too-short/],
    ];
    const ends = await Promise.all(refused.map(([words, input]) => shell(words, input)));
    for (const [place, { code, stdout, stderr }] of ends.entries()) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(refused[place]?.[2] ?? /never/);
    }
    const all = answered(await shell(['accounts', 'list', '--json'])) as Shown[];
    expect(all.map(({ email }) => email)).not.toEqual(expect.arrayContaining(['short@example.com']));
  });

  test('ends with 2 and the help where the words are off', async () => {
    const wrong = [
      ['accounts', 'create', '--name', 'Åsa'],
      ['accounts', 'create', '--email', 'a@example.com'],
      create('a@example.com', '--role', 'king'),
      create('a@example.com', '--locale', 'fi'),
      create('a@example.com', '--colour', 'red'),
    ];
    for (const { code, stdout, stderr } of await Promise.all(wrong.map((words) => shell(words, PASSWORD)))) {
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('accounts create --email');
    }
  });
});

describe('hemma accounts list, disable and enable', () => {
  test('list every account, a line or an object each, and no secret of any', async () => {
    await hemma.account({ email: 'bertil@example.com', role: 'help-desk' });
    const { key, recoveryCode } = await signInFirst(
      newVisitor(),
      (await autopay.begin()).url,
      'bertil@example.com',
    );
    const [lines, json] = await Promise.all([
      shell(['accounts', 'list']),
      shell(['accounts', 'list', '--json']),
    ]);
    const all = answered(json) as Shown[];
    expect(all.find(({ email }) => email === 'bertil@example.com')).toMatchObject({
      role: 'help-desk',
      disabled: false,
    });
    expect(all.map(({ email }) => email)).toEqual(all.map(({ email }) => email).toSorted());
    expect(lines.stdout.trim().split('\n')).toHaveLength(all.length);
    expect(lines.stdout).toContain('email=bertil@example.com');
    for (const secret of ['argon2', key, recoveryCode, PASSWORD])
      expect(lines.stdout + json.stdout).not.toContain(secret);
  });

  test('T34 disable ends session and tokens at once, enable lets the person in again', async () => {
    await hemma.account({ email: 'cecilia@example.com' });
    const visitor = newVisitor();
    const { key } = await signInFirst(visitor, (await autopay.begin()).url, 'cecilia@example.com');
    const begun = await autopay.begin();
    const tokens = await autopay.redeem(begun, (await visitor.visit(begun.url)).url);
    const disabled = answered(await shell(['accounts', 'disable', 'Cecilia@Example.com', '--json'])) as Shown;
    expect(disabled).toMatchObject({ email: 'cecilia@example.com', disabled: true });
    await hemma.mail.mailTo('cecilia@example.com', /avstängt/);
    await expect(autopay.userinfo(tokens.access_token, disabled.id)).rejects.toThrow();
    at('password', await visitor.visit(hemma.url('/account')));
    expect((await typePassword(visitor, 'cecilia@example.com')).refusal).toBe('wrong-password');
    // Twice is once.
    expect((await shell(['accounts', 'disable', 'cecilia@example.com'])).code).toBe(0);

    expect(answered(await shell(['accounts', 'enable', 'cecilia@example.com', '--json']))).toMatchObject({
      disabled: false,
    });
    const again = newVisitor();
    await again.visit((await autopay.begin()).url);
    at('totp', await typePassword(again, 'cecilia@example.com'));
    at('back', await again.submit({ code: sixDigits(key, { step: 1 }) }));
  });

  test('end with 1 for an address that nobody has, and with 2 without one', async () => {
    const [nobody, none] = await Promise.all([
      shell(['accounts', 'disable', 'nobody@example.com']),
      shell(['accounts', 'enable']),
    ]);
    expect([nobody.code, nobody.stdout, nobody.stderr]).toEqual([
      1,
      '',
      'there is no account with that address\n',
    ]);
    expect([none.code, none.stdout]).toEqual([2, '']);
  });
});

describe('hemma audit', () => {
  test('shows the newest first, by event and by account, and no secret', async () => {
    await hemma.account({ email: 'david@example.com' });
    await hemma.account({ email: 'eva@example.com' });
    const { key, recoveryCode } = await signInFirst(
      newVisitor(),
      (await autopay.begin()).url,
      'david@example.com',
    );
    await signInFirst(newVisitor(), (await autopay.begin()).url, 'eva@example.com');
    const end = await shell(['audit', '--account', 'David@Example.com', '--json']);
    const rows = answered(end) as { id: number; at: string; event: string; account_id: string }[];
    expect(rows.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        'account.created',
        'password.right',
        'authenticator.connected',
        'sign-in.finished',
      ]),
    );
    expect(new Set(rows.map(({ account_id }) => account_id)).size).toBe(1);
    expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).toSorted((a, b) => b - a));
    for (const secret of [key, recoveryCode, PASSWORD]) expect(end.stdout).not.toContain(secret);
    const filtered = answered(
      await shell(['audit', '--event', 'sign-in.finished', '--limit', '1', '--json']),
    );
    expect(filtered).toMatchObject([{ event: 'sign-in.finished' }]);
    // Nobody in it is an operator who did anything to anybody.
    expect(answered(await shell(['audit', '--operator', 'eva@example.com', '--json']))).toEqual([]);
  });

  test('ends with 2 for a limit or an event that is none, with 1 for an unknown account', async () => {
    const calls = [
      ['audit', '--limit', '0'],
      ['audit', '--limit', 'many'],
      ['audit', '--event', 'sign-in.finish'],
      ['audit', '--account', 'nobody@example.com'],
      ['audit', '--operator', 'nobody@example.com'],
    ];
    const ends = await Promise.all(calls.map((words) => shell(words)));
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2, 1, 1]);
    for (const { stdout } of ends) expect(stdout).toBe('');
  });
});

test('what the shell does to a person is in the audit like anything else', async () => {
  await shell(create('frida@example.com'), PASSWORD);
  await shell(['accounts', 'disable', 'frida@example.com']);
  await shell(['accounts', 'enable', 'frida@example.com']);
  const rows = answered(await shell(['audit', '--account', 'frida@example.com', '--json'])) as {
    event: string;
  }[];
  expect(rows.map(({ event }) => event)).toEqual(['account.enabled', 'account.disabled', 'account.created']);
});
