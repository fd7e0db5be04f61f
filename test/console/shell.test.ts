/** The same deeds from a shell, and what the first start of a production says. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answered, type Shell, shellWith } from '../command-line/shell.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startProcess } from '../rig/process.ts';
import { newDatabase } from '../rig/template.ts';

let hemma: Hemma;
let shell: Shell;
beforeAll(async () => {
  hemma = await startHemma();
  shell = shellWith(hemma.env);
});
afterAll(() => hemma.stop());

const said = async (...words: string[]) => answered(await shell([...words, '--json']));

describe('from a shell', () => {
  test('groups are made, filled and emptied', async () => {
    expect(await said('groups', 'create', 'Norrlands', 'Bageri')).toMatchObject({ name: 'Norrlands Bageri' });
    await hemma.account({ email: 'nora@example.com' });
    await said('groups', 'add', 'nora@example.com', '--group', 'norrlands bageri');
    expect(await said('groups', 'list')).toMatchObject([{ name: 'Norrlands Bageri', members: 1 }]);
    await said('groups', 'remove', 'nora@example.com', '--group', 'Norrlands Bageri');
    expect(await said('groups', 'list')).toMatchObject([{ members: 0 }]);
    await said('groups', 'create', 'Kort');
    expect(await said('groups', 'rename', 'kort', '--name', 'Kortare')).toMatchObject({ name: 'Kortare' });
    expect(await said('groups', 'delete', 'kortare', '--confirm', 'Kortare')).toEqual({ removed: 'Kortare' });
  });

  test('people are invited into a group, and roles limited to it', async () => {
    const bakery = ['--group', 'Norrlands Bageri'];
    await said('accounts', 'invite', '--email', 'nils@example.com', '--name', 'Nils', ...bakery);
    expect((await hemma.mail.mailTo('nils@example.com', /inbjuden/)).text).toContain(hemma.url('/account'));
    expect(await said('groups', 'list')).toMatchObject([{ members: 1 }]);
    const role = await said('accounts', 'role', 'nora@example.com', '--role', 'help-desk', ...bakery);
    expect(role).toMatchObject({ role: 'help-desk', group: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  test.each([
    [['groups', 'create', 'NORRLANDS  bageri'], 1],
    [['groups', 'add', 'nobody@example.com', '--group', 'Norrlands Bageri'], 1],
    [['groups', 'add', 'nora@example.com', '--group', 'Nowhere'], 1],
    [['groups', 'create'], 2],
    [['groups', 'delete', 'Norrlands Bageri'], 1],
    [['groups', 'delete', 'Norrlands Bageri', '--confirm', 'Norrlands Bageri'], 1],
    [['accounts', 'role', 'nora@example.com', '--role', 'king'], 2],
    [['accounts', 'role', 'nora@example.com'], 2],
    [['accounts', 'invite', '--email', 'nora@example.com', '--name', 'N'], 1],
    [['accounts', 'invite', '--name', 'N'], 2],
  ])('%j ends with %d', async (words, code) => {
    const end = await shell(words);
    expect([end.code, end.stdout]).toEqual([code, '']);
    expect(end.stderr).not.toMatch(/^\s+at /m);
  });
});

test('the first start of an empty production prints a token once; the next start prints none', async () => {
  const database = await newDatabase({ migrated: false });
  const port = await freePort();
  const env = {
    HEMMA_ISSUER: 'https://id.example.com',
    HEMMA_PORT: String(port),
    HEMMA_HOST: '127.0.0.1',
    HEMMA_SECRET_KEYS: randomBytes(32).toString('base64url'),
    HEMMA_SMTP_URL: 'smtp://127.0.0.1:9',
    HEMMA_MAIL_FROM: 'hemma@example.com',
    HEMMA_HELP_DESK_CONTACT: '08-123 45 67',
    DATABASE_URL: database.url,
  };
  const outputs: string[] = [];
  for (let turn = 0; turn < 2; turn += 1) {
    const running = await startProcess(env);
    const { stdout } = await running.stop();
    outputs.push(stdout);
  }
  expect(outputs[0]).toMatch(/https:\/\/id\.example\.com\/admin\/bootstrap[^]*: [\w-]{43}\n/);
  expect(outputs[1]).not.toMatch(/bootstrap/);
  await database.drop();
});
