/** The embedded database in its folder: nothing is lost, and one process at a time has it. */
import { cp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answered } from '../command-line/shell.ts';
import { at, type Kept, signInFirst } from '../rig/ceremony.ts';
import { freePort } from '../rig/free-port.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { runToEnd, startProcess } from '../rig/process.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { type Embedded, startEmbedded } from './embedded.ts';

let here: Embedded;
beforeAll(async () => {
  here = await startEmbedded();
  // The folder is made once per run, by whoever is first, and that takes long on a busy machine.
}, 120_000);
afterAll(() => here.stop());

async function enrolled(email: string): Promise<{ visitor: Visitor } & Kept> {
  const create = ['accounts', 'create', '--email', email, '--name', 'Astrid Lind', '--json'];
  answered(await here.shell(create, PASSWORD));
  const visitor = newVisitor();
  return { visitor, ...(await signInFirst(visitor, (await here.autopay.begin()).url, email)) };
}

/** A silent sign-in (the session lives) and one with password and the next six digits (account and phone do). */
async function stillThere(email: string, { visitor, key }: { visitor: Visitor } & Kept): Promise<void> {
  const begun = await here.autopay.begin({ prompt: 'none' });
  const screen = at('back', await visitor.visit(begun.url));
  expect(screen.url.searchParams.get('error')).toBeNull();
  await here.autopay.redeem(begun, screen.url);
  const anew = newVisitor();
  await anew.visit((await here.autopay.begin()).url);
  at('totp', await anew.submit({ email, password: PASSWORD }));
  at('back', await anew.submit({ code: sixDigits(key, { step: 1 }) }));
}

describe('the embedded database', () => {
  test('keeps accounts, phones and sessions when the provider stops and starts again', async () => {
    const astrid = await enrolled('astrid@example.com');
    const end = await here.hemma.stop();
    expect([end.code, end.signal]).toEqual([0, null]);
    expect(await readdir(here.data)).not.toContain('lock');
    await here.startAgain();
    await stillThere('astrid@example.com', astrid);
  });

  test('keeps them when the provider is killed, and takes over the lock that the dead process left', async () => {
    const bertil = await enrolled('bertil@example.com');
    here.hemma.kill('SIGKILL');
    await here.hemma.ended;
    expect(await readdir(here.data)).toContain('lock');
    await here.startAgain();
    await stillThere('bertil@example.com', bertil);
  });

  test('refuses a second process in one sentence and goes on', async () => {
    const second = await runToEnd('src/main.js', { ...here.env, HEMMA_PORT: String(await freePort()) });
    expect(second.code).toBe(1);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toContain('in use by another process');
    expect(second.stderr).toContain(String(here.hemma.pid));
    at('password', await newVisitor().visit((await here.autopay.begin()).url));
  });

  test('lies in a folder, a lock and a socket that only their owner may open', async () => {
    const modeOf = async (name: string) => ((await stat(join(here.data, name))).mode & 0o777).toString(8);
    expect([await modeOf('.'), await modeOf('lock'), await modeOf('socket')]).toEqual(['700', '600', '600']);
  });
});

describe('a data folder', () => {
  test('may lie deep in the file system', async () => {
    await here.hemma.stop();
    const deep = join(
      here.around,
      'a-folder-with-a-long-name'.repeat(3),
      'another-one-inside-it'.repeat(3),
      'data',
    );
    await cp(here.data, deep, { recursive: true, filter: (name) => !name.endsWith('socket') });
    const end = await startProcess({ ...here.env, HEMMA_DATA: deep }).then(
      (running) => running.stop(),
      (fault: unknown) => String(fault),
    );
    await here.startAgain();
    expect(end).toMatchObject({ code: 0 });
  });
});
