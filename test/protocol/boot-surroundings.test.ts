/** T38: what the provider finds around it at start, and what its two health addresses say. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keysTopic } from '../../src/oidc/keys/keys.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import { newDataFolder } from '../rig/data-folder.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startProcess } from '../rig/process.ts';
import { until } from '../storage/until.ts';
import { aKey, boot, bootProgram, sentence } from './boot.ts';
import { get } from './requests.ts';

let hemma: Hemma;
let folder: string;
beforeAll(async () => {
  hemma = await startHemma();
  folder = await mkdtemp(join(tmpdir(), 'hemma-boot-'));
});
afterAll(async () => {
  await hemma.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('what the provider finds at start', () => {
  const beside = () => ({ ...hemma.env, HEMMA_LOG_LEVEL: 'silent' });

  test('SECURITY 12, T38 secret keys that do not open the existing database', async () => {
    const port = String(await freePort());
    const said = sentence(await boot({ ...beside(), HEMMA_PORT: port, HEMMA_SECRET_KEYS: aKey() }));
    expect(said).toContain('HEMMA_SECRET_KEYS');
  });

  test('T38 a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const said = sentence(await bootProgram({ ...beside(), HEMMA_PORT: String(port) }));
    server.close();
    expect(said).toContain(String(port));
    expect(said).toContain('HEMMA_PORT');
  });

  test.each([
    ['a database server that does not answer', { port: '1' }],
    ['a database that does not exist', { pathname: '/nothing_here' }],
    ['a database user that does not exist', { username: 'nobody_here', password: 'secret-of-nobody' }],
    ['a database host that does not exist', { hostname: 'no-such-host.invalid' }],
  ])('T38 %s', async (_what, change) => {
    const { href } = Object.assign(new URL(hemma.env['DATABASE_URL'] ?? ''), change);
    const port = String(await freePort());
    const said = sentence(await boot({ ...beside(), HEMMA_PORT: port, DATABASE_URL: href }));
    expect(said).toMatch(/database/i);
    expect(said).not.toContain('secret-of-nobody');
  });

  test('T38 a data folder that cannot be made or written', async () => {
    const [file, closed] = [join(folder, 'a-file'), join(folder, 'closed')];
    await writeFile(file, '');
    await mkdir(closed, { mode: 0o500 });
    // To root no folder is closed.
    const unusable = process.getuid?.() === 0 ? [file] : [file, closed, join(closed, 'data')];
    for (const data of [...unusable, join(file, 'data')]) {
      const env = { ...beside(), DATABASE_URL: '', HEMMA_PORT: String(await freePort()), HEMMA_DATA: data };
      expect(sentence(await boot(env))).toContain('data folder');
    }
  });

  test('T38 a data folder that another process uses; the first goes on undisturbed', async () => {
    const port = String(await freePort());
    const own = {
      ...beside(),
      DATABASE_URL: '',
      HEMMA_DATA: join(folder, 'data'),
      HEMMA_PORT: port,
      HEMMA_ISSUER: `http://localhost:${port}`,
    };
    await newDataFolder(own.HEMMA_DATA);
    const first = await startProcess(own);
    try {
      const said = sentence(await boot({ ...own, HEMMA_PORT: String(await freePort()) }));
      expect(said).toContain('in use by another process');
      expect((await get(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
    } finally {
      expect((await first.stop()).code).toBe(0);
    }
    // The folder is made once per run, by whoever is first, and that takes long on a busy machine.
  }, 120_000);
});

describe('health', () => {
  test('T38 ready is not alive: a database of an older shape or away is told by ready alone, and a newer one is served', async () => {
    const both = async () => {
      const [live, ready] = [await get(hemma.url('/health/live')), await get(hemma.url('/health/ready'))];
      return [live.status, ready.status];
    };
    expect(await both()).toEqual([200, 200]);
    await hemma.db.query('ALTER TABLE migrations RENAME TO migrations_away');
    try {
      expect(await both()).toEqual([200, 503]);
    } finally {
      await hemma.db.query('ALTER TABLE migrations_away RENAME TO migrations');
    }
    const { rows } = await hemma.db.query<{ name: string; applied_at: Date }>(
      'DELETE FROM migrations RETURNING *',
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(await both()).toEqual([200, 503]);
    for (const { name, applied_at } of rows)
      await hemma.db.query('INSERT INTO migrations (name, applied_at) VALUES ($1, $2)', [name, applied_at]);
    expect(await both()).toEqual([200, 200]);
    // A newer one, which a later version has begun to make beside it, is none of its business.
    await hemma.db.query(
      "INSERT INTO migrations (name, applied_at) VALUES ('9999-of-a-later-version', now())",
    );
    expect(await both()).toEqual([200, 200]);
    await hemma.db.query("DELETE FROM migrations WHERE name = '9999-of-a-later-version'");
  });

  test('keys that this process cannot open are told by ready alone, and end with them', async () => {
    const foreign = createEncryption([randomBytes(32).toString('base64url')]).seal('{}', 'key:foreign');
    const ready = () => get(hemma.url('/health/ready'));
    await hemma.db.query(
      "INSERT INTO keys (id, kind, sealed, created_at, signs_at) VALUES ('foreign', 'signing', $1, $2, $2)",
      [foreign, new Date(Date.now() + 60_000)],
    );
    await hemma.db.announce(keysTopic);
    await until('it is not ready', async () => (await ready()).status === 503, 8_000);
    expect((await ready()).json).toEqual({ status: 'not ready', lacks: 'keys' });
    expect((await get(hemma.url('/health/live'))).status).toBe(200);
    await hemma.db.query("DELETE FROM keys WHERE id = 'foreign'");
    await hemma.db.announce(keysTopic);
    await until('it is ready again', async () => (await ready()).status === 200, 8_000);
  });

  test('T38 tells nobody more than that', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const { json } = await get(hemma.url(path));
      expect(Object.keys(json)).toEqual(['status']);
    }
  });
});
