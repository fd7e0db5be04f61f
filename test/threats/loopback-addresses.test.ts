/** Addresses of this machine are registered with a provider on `localhost` only, by every path. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findClientById } from '../../src/clients/clients.ts';
import { createInitialAccessToken } from '../../src/oidc/registration/initial-access-tokens.ts';
import { call, machineToken, service } from '../api/callers.ts';
import { type Shell, shellWith } from '../command-line/shell.ts';
import { type OperatorAtWork, operator, tokenOf } from '../console/town.ts';
import { exchange } from '../rig/exchange.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { newCertificate, startTls, type TlsFront } from '../rig/tls.ts';

let hemma: Hemma;
let front: TlsFront;
let machine: string;
let alma: OperatorAtWork;
let shell: Shell;
/** For the files that the command line reads. */
let folder: string;
const scopes = ['clients:read', 'clients:write'] as const;
beforeAll(async () => {
  const port = await freePort();
  const env = {
    HEMMA_ISSUER: `https://id.example.com:${port}`,
    HEMMA_MAIL_FROM: 'hemma@example.com',
    HEMMA_ALLOW_LOOPBACK_CLIENTS: 'no',
    HEMMA_TRUSTED_PROXIES: '127.0.0.1',
  };
  hemma = await startHemma({ env });
  front = await startTls(port, hemma.port, newCertificate(['id.example.com']));
  machine = await machineToken(hemma, await service(hemma, 'machine', scopes), scopes);
  alma = await operator(hemma, 'alma@hemma.example', 'administrator');
  shell = shellWith(hemma.env);
  folder = await mkdtemp(join(tmpdir(), 'hemma-clients-'));
}, 120_000);
afterAll(async () => {
  await front.stop();
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

const web = { name: 'Shop', type: 'web', redirectUris: ['https://shop.example/back'] };
let clients = 0;
const fresh = () => `shop-${(clients += 1)}`;

/** What is refused, by field, for a client whose redirects are elsewhere. */
const refused = [
  ['backchannelLogoutUri', 'http://localhost:9/x'],
  ['backchannelLogoutUri', 'https://localhost/x'],
  ['backchannelLogoutUri', 'https://127.0.0.1/x'],
  ['backchannelLogoutUri', 'https://[::1]/x'],
  ['backchannelLogoutUri', 'https://shop.localhost/x'],
  ['launchUrl', 'http://localhost:3000'],
  ['initiateLoginUri', 'https://localhost/start'],
  ['initiateLoginUri', 'https://127.0.0.2/start'],
] as const;

/** The fields that each path registers, and how it answers. */
async function byApi(description: { type?: string } & Record<string, unknown>): Promise<string[]> {
  const id = fresh();
  const made = await call(hemma, '/clients', {
    method: 'POST',
    token: machine,
    json: { id, ...web, ...description },
  });
  expect((await findClientById(hemma.db, id)) !== undefined).toBe(made.status === 201);
  const plain = fresh();
  await call(hemma, '/clients', {
    method: 'POST',
    token: machine,
    json: { id: plain, ...web, type: description.type ?? web.type },
  });
  const changed = await call(hemma, `/clients/${plain}`, {
    method: 'PUT',
    token: machine,
    json: { ...web, ...description },
    headers: { 'if-match': '*' },
  });
  const codes = ({ json }: typeof made) =>
    ((json['errors'] ?? []) as { code: string }[]).map(({ code }) => code);
  expect(codes(changed)).toEqual(codes(made));
  return codes(made);
}

async function byFile(description: object): Promise<string[]> {
  const id = fresh();
  const entry = { id, ...web, ...description };
  const applied = await call(hemma, '/clients/apply', { method: 'POST', token: machine, json: [entry] });
  const file = join(folder, `${id}.json`);
  await writeFile(file, JSON.stringify(entry));
  const { code, stderr } = await shell(['clients', 'apply', '-f', file]);
  expect(code === 0).toBe(applied.status === 200);
  expect((await findClientById(hemma.db, id)) !== undefined).toBe(code === 0);
  if (code !== 0) expect(stderr).toContain('means their own computer');
  return ((applied.json['errors'] ?? []) as { code: string }[]).map(({ code: one }) => one);
}

async function byConsole(description: Record<string, string>): Promise<string[]> {
  const id = fresh();
  const { visitor } = alma;
  await visitor.visit(hemma.url('/admin/clients/-/new/web'));
  await visitor.submit({ id, name: 'Shop', redirectUris: web.redirectUris[0] ?? '', ...description });
  expect((await findClientById(hemma.db, id)) !== undefined).toBe(visitor.screen.status === 200);
  return visitor.screen.page
    .querySelectorAll('#refusal [data-refusal]')
    .map((one) => one.getAttribute('data-refusal') ?? '');
}

describe('a provider that does not run on localhost', () => {
  test.each(refused)(
    'refuses %s %s from API, files, command line and console',
    async (field, address) => {
      expect(await byApi({ [field]: address })).toEqual(['address-loopback']);
      expect(await byFile({ [field]: address })).toEqual(['address-loopback']);
      expect(await byConsole({ [field]: address })).toEqual(['address-loopback']);
    },
    120_000,
  );

  test('refuses pages that browsers are sent to for signing out, and sectors, too', async () => {
    const front = { frontchannelLogoutUri: 'http://localhost:3000/bye' };
    const native = { type: 'native', redirectUris: ['http://localhost:3000/back'] };
    expect(await byApi({ ...native, ...front })).toEqual(['address-loopback']);
    expect(await byFile({ ...native, ...front })).toEqual(['address-loopback']);
    expect(await byApi({ subjectType: 'pairwise', sector: 'localhost' })).toEqual(['address-loopback']);
  });

  test('says so while an address is typed', async () => {
    const { visitor } = alma;
    await visitor.visit(hemma.url('/admin/clients/-/new/web'));
    const token = tokenOf(visitor.screen);
    const check = async (use: string, type: string, addresses: string) => {
      const answer = await visitor.post(hemma.url('/admin/clients/-/check-addresses'), {
        token,
        type,
        use,
        addresses,
      });
      return (JSON.parse(answer.body) as { lines: { code?: string }[] }).lines[0]?.code;
    };
    expect(await check('back-channel', 'web', 'https://localhost/x')).toBe('address-loopback');
    expect(await check('launch', 'native', 'http://127.0.0.1:8080')).toBeUndefined();
    expect(await check('redirect', 'native', 'http://127.0.0.1/back')).toBeUndefined();
  });

  test.each([
    ['backchannel_logout_uri', 'https://localhost/x'],
    ['client_uri', 'http://localhost:3000/'],
    ['initiate_login_uri', 'https://127.0.0.1/start'],
  ])('refuses %s %s of a client that registers itself', async (member, address) => {
    const made = await createInitialAccessToken(hemma.db, { name: fresh() }, {});
    if ('refusal' in made) throw new Error(made.refusal);
    const answer = await exchange(new URL(hemma.url('/reg')), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${made.token}` },
      body: JSON.stringify({ redirect_uris: web.redirectUris, [member]: address }),
    });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      expect.objectContaining({
        error: 'invalid_client_metadata',
        error_description: expect.stringContaining(member),
      }),
    ]);
  });

  test('lets native clients come back to the device of their user (RFC 8252 §7.3)', async () => {
    const native = {
      type: 'native',
      redirectUris: ['http://127.0.0.1/back', 'http://[::1]/back'],
      postLogoutRedirectUris: ['http://127.0.0.1/bye'],
      launchUrl: 'http://127.0.0.1:8080/',
    };
    expect(await byApi(native)).toEqual([]);
    expect(await byFile(native)).toEqual([]);
  });
});
