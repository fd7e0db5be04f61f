/** `hemma clients …`: applications as files, applied at will. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { at, signInFirst } from '../rig/ceremony.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import type { End } from '../rig/process.ts';
import { newVisitor } from '../rig/visitor.ts';
import { answered, type Shell, shellWith } from './shell.ts';

let hemma: Hemma;
let shell: Shell;
let folder: string;

beforeAll(async () => {
  hemma = await startHemma();
  shell = shellWith(hemma.env);
  folder = await mkdtemp(join(tmpdir(), 'hemma-clients-'));
});
afterAll(async () => {
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

async function apply(yaml: string): Promise<End> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  await writeFile(file, yaml);
  return shell(['clients', 'apply', '-f', file, '--json']);
}

const wages = `
id: wages
name: Löner
type: web
firstParty: true
redirectUris: [http://localhost:9/callback]
`;

describe('hemma clients apply', () => {
  test('makes an application that works at once, with a secret that is printed once', async () => {
    expect(answered(await apply(wages))).toEqual([{ id: 'wages', result: 'created' }]);
    const made = await shell(['clients', 'secret', 'wages', '--name', 'first', '--json']);
    const { secret } = answered(made) as { secret: string };
    expect(secret.length).toBeGreaterThanOrEqual(43);

    await hemma.account({ email: 'astrid@example.com' });
    const verifier = client.randomPKCECodeVerifier();
    const to = new URL('/auth', hemma.issuer);
    to.search = new URLSearchParams({
      client_id: 'wages',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: 'http://localhost:9/callback',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const visitor = newVisitor();
    at('password', await visitor.visit(to));
    expect(visitor.screen.text).toContain('Löner');
    // Nobody listens at the application's address: the way back is seen in the redirect.
    await expect(signInFirst(visitor, to.href, 'astrid@example.com')).rejects.toThrow('ECONNREFUSED');
    const back = new URL((await visitor.request(to)).headers.location ?? '');
    const answer = await exchange(new URL('/token', hemma.issuer), {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`wages:${secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        redirect_uri: 'http://localhost:9/callback',
        code_verifier: verifier,
      }).toString(),
    });
    expect([answer.status, Object.keys(JSON.parse(answer.body) as object)]).toEqual([
      200,
      expect.arrayContaining(['access_token', 'id_token']),
    ]);

    const listed = await shell(['clients', 'list', '--json']);
    expect(answered(listed)).toMatchObject([{ id: 'wages', name: 'Löner', enabled: true, secrets: 1 }]);
    expect(`${listed.stdout}${(await shell(['clients', 'list'])).stdout}`).not.toContain(secret);
    const { rows } = await hemma.db.query('SELECT * FROM client_secrets');
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test('again says unchanged, whatever the order and the blanks, and changed where something differs', async () => {
    const other = wages.replace('id: wages', 'id: times');
    expect(answered(await apply(other))).toEqual([{ id: 'times', result: 'created' }]);
    expect(answered(await apply(other))).toEqual([{ id: 'times', result: 'unchanged' }]);
    const turned = other.trim().split('\n').toReversed().join('\n\n');
    expect(answered(await apply(turned))).toEqual([{ id: 'times', result: 'unchanged' }]);
    expect(answered(await apply(other.replace('Löner', 'Tider')))).toEqual([
      { id: 'times', result: 'changed' },
    ]);
    const list = `- ${other.trim().replaceAll('\n', '\n  ')}\n- ${wages.replace('wages', 'stock').trim().replaceAll('\n', '\n  ')}\n`;
    expect(answered(await apply(list))).toEqual([
      { id: 'times', result: 'changed' },
      { id: 'stock', result: 'created' },
    ]);
    const json = join(folder, 'stock.json');
    await writeFile(
      json,
      JSON.stringify({
        id: 'stock',
        name: 'Löner',
        type: 'web',
        firstParty: true,
        redirectUris: ['http://localhost:9/callback'],
      }),
    );
    expect(answered(await shell(['clients', 'apply', '-f', json, '--json']))).toEqual([
      { id: 'stock', result: 'unchanged' },
    ]);
  });

  test('lists every fault of every application in the file, changes none of them and ends with 1', async () => {
    const end = await apply(`
- id: good
  name: Bra
  type: web
  redirectUris: [https://good.example.com/callback]
- id: Bad One
  name: ""
  type: website
  redirectUris: ["http://bad.example.com/callback", "https://bad.example.com/#top"]
  scopes: [everything]
  colour: red
- name: Utan id
  type: web
`);
    expect([end.code, end.stdout]).toEqual([1, '']);
    for (const place of [
      /\[1\]\.id/,
      /\[1\]\.name/,
      /\[1\]\.type/,
      /\[1\]\.redirectUris\[0\]/,
      /\[1\]\.redirectUris\[1\]/,
      /\[1\]\.scopes\[0\]/,
      /colour/,
      /\[2\]\.id/,
    ])
      expect(end.stderr).toMatch(place);
    const ids = (answered(await shell(['clients', 'list', '--json'])) as { id: string }[]).map(
      ({ id }) => id,
    );
    expect(ids).not.toContain('good');
  });

  test('refuses what the protocol could not use, before anybody meets it at a sign-in', async () => {
    const faulty = [
      'id: no-way-back\nname: X\ntype: web\n',
      'id: loop\nname: X\ntype: single-page\nredirectUris: []\n',
      'id: hemma-account\nname: X\ntype: web\nredirectUris: [https://x.example.com/]\n',
      'id: unkept\nname: "X\\0"\ntype: web\nredirectUris: [https://x.example.com/]\n',
      'id: with-keys\nname: X\ntype: web\nredirectUris: [https://x.example.com/]\njwks: { keys: [{ kty: EC }] }\n',
    ];
    const ends = await Promise.all(faulty.map(apply));
    expect(ends.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1]);
    for (const { stderr } of ends) expect(stderr).toMatch(/^\[0\]\./);
  });

  test('says in a sentence that a file is not there or no YAML', async () => {
    const [absent, broken, empty] = await Promise.all([
      shell(['clients', 'apply', '-f', join(folder, 'absent.yaml')]),
      apply('id: [unclosed\nname: "x'),
      apply(''),
    ]);
    for (const { code, stdout, stderr } of [absent, broken, empty]) {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr.trim()).not.toBe('');
      expect(stderr).not.toMatch(/^\s+at /m);
    }
    expect((await shell(['clients', 'apply'])).code).toBe(2);
  });
});

describe('hemma clients secret', () => {
  test('ends with 1 for an application that keeps none, and with 2 without a name', async () => {
    answered(
      await apply(
        'id: page\nname: Sida\ntype: single-page\nredirectUris: [https://page.example.com/callback]\n',
      ),
    );
    const [page, nobody, nameless] = await Promise.all([
      shell(['clients', 'secret', 'page', '--name', 'x']),
      shell(['clients', 'secret', 'nobody', '--name', 'x']),
      shell(['clients', 'secret', 'page']),
    ]);
    expect([page.code, nobody.code, nameless.code]).toEqual([1, 1, 2]);
    expect(page.stdout + nobody.stdout + nameless.stdout).toBe('');
  });
});
