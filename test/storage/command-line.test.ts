/** The command line beside the embedded database: through the running provider's socket, or alone. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answered } from '../command-line/shell.ts';
import { at, signInFirst } from '../rig/ceremony.ts';
import { basicOf, post } from '../protocol/requests.ts';
import { exchange } from '../rig/exchange.ts';
import { PASSWORD } from '../rig/hemma.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Embedded, startEmbedded } from './embedded.ts';
import { until } from './until.ts';

let here: Embedded;
beforeAll(async () => {
  here = await startEmbedded();
  // The folder is made once per run, by whoever is first, and that takes long on a busy machine.
}, 120_000);
afterAll(() => here.stop());

describe('the command line on the embedded database', () => {
  const emails = async () =>
    (answered(await here.shell(['accounts', 'list', '--json'])) as { email: string }[]).map(
      (one) => one.email,
    );
  const create = (email: string) => [
    'accounts',
    'create',
    '--email',
    email,
    '--name',
    'Cecilia Ås',
    '--json',
  ];

  test('works while the provider runs, and the provider knows at once', async () => {
    answered(await here.shell(create('cecilia@example.com'), PASSWORD));
    const visitor = newVisitor();
    await signInFirst(visitor, (await here.autopay.begin()).url, 'cecilia@example.com');
    const again = await here.shell(create('Cecilia@Example.com'), PASSWORD);
    expect([again.code, again.stderr.trim()]).toEqual([1, 'the account was not made: email-taken']);
    answered(await here.shell(['accounts', 'disable', 'cecilia@example.com', '--json']));
    at('password', await visitor.visit(`${here.hemma.issuer}/account`));
  });

  test('three at once while the provider runs do not mix their answers', async () => {
    const ends = await Promise.all(
      [1, 2, 3].map((n) => here.shell(create(`person${n}@example.com`), PASSWORD)),
    );
    expect(ends.map((end) => (answered(end) as { email: string }).email)).toEqual(
      [1, 2, 3].map((n) => `person${n}@example.com`),
    );
    expect(await emails()).toEqual(expect.arrayContaining([1, 2, 3].map((n) => `person${n}@example.com`)));
  });

  test('makes new signing keys while the provider runs, and it publishes them at once', async () => {
    answered(await here.shell(['keys', 'rotate', '--json']));
    const keys = async () =>
      (JSON.parse((await exchange(new URL('/jwks', here.hemma.issuer))).body) as { keys: object[] }).keys;
    await until('they are published', async () => (await keys()).length === 6, 5_000);
  });

  test('switches an application off while the provider runs, which had just served it and refuses it at once', async () => {
    const { clientId } = here.autopay;
    const asked = async () => {
      const fields = { grant_type: 'refresh_token', refresh_token: 'nobody-s' };
      const { json } = await post(`${here.hemma.issuer}/token`, fields, basicOf(here.autopay));
      return json['error'];
    };
    for (const [command, wanted] of [
      ['disable', 'invalid_client'],
      ['enable', 'invalid_grant'],
    ] as const) {
      expect(await asked()).not.toBe(wanted);
      expect((await here.shell(['clients', command, clientId])).code).toBe(0);
      // Well within the time after which it would look again by itself.
      await until(`it is ${command}d`, async () => (await asked()) === wanted, 1_500);
    }
  });

  test('works when the provider does not run, and leaves the folder to it', async () => {
    await here.hemma.stop();
    answered(await here.shell(create('david@example.com'), PASSWORD));
    expect(await emails()).toContain('david@example.com');
    expect(await readdir(here.data)).not.toContain('lock');
    await here.startAgain();
    expect(await emails()).toContain('david@example.com');
  });

  test('two at once without the provider both work, or one says in a sentence that the folder is in use', async () => {
    await here.hemma.stop();
    const ends = await Promise.all([1, 2].map(() => here.shell(['accounts', 'list', '--json'])));
    expect(ends.map(({ code }) => code)).toContain(0);
    for (const { code, stderr } of ends)
      if (code !== 0) expect(stderr).toMatch(/^[^\n]*(in use|already uses)[^\n]*\n$/);
    await here.startAgain();
  });
});
