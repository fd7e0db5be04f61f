/** The provider as real processes: two on one database, stopped by a signal, refused by its settings, embedded. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../free-port.ts';
import { settingsOfOne } from '../hemma.ts';
import { type MailServer, startMailServer } from '../mail.ts';
import { type Running, runToEnd, startProcess } from '../process.ts';
import { type DatabaseCopy, newDatabase } from '../template.ts';
import { newVisitor } from '../visitor.ts';

describe('the provider as a process', () => {
  let mail: MailServer;
  let database: DatabaseCopy;
  const running: Running[] = [];
  beforeAll(async () => {
    mail = await startMailServer();
    database = await newDatabase({ migrated: false });
  });
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()));
    await database.drop();
    await mail.stop();
  });

  test('two of them start together on one empty database, and each ends well at SIGTERM', async () => {
    const one = await settingsOfOne(database.url, mail.url);
    const other = { ...one, HEMMA_PORT: String(await freePort()) };
    running.push(...(await Promise.all([startProcess(one), startProcess(other)])));
    const published = await Promise.all(
      [one, other].map(async ({ HEMMA_PORT }) => {
        const { host } = new URL(one['HEMMA_ISSUER'] ?? '');
        return (await newVisitor().request(`http://127.0.0.1:${HEMMA_PORT}/jwks`, { headers: { host } }))
          .body;
      }),
    );
    expect(published[0]).toContain('"keys"');
    expect(published[1]).toBe(published[0]);
    const ends = await Promise.all(running.map((process) => process.stop()));
    expect(ends.map(({ code, signal }) => ({ code, signal }))).toEqual(
      Array.from({ length: 2 }, () => ({ code: 0, signal: null })),
    );
  });

  test('is ready on the embedded database, in a folder that was not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hemma-data-'));
    const port = String(await freePort());
    const process = await startProcess({
      HEMMA_ISSUER: `http://localhost:${port}`,
      HEMMA_PORT: port,
      HEMMA_DATA: join(folder, 'data'),
      HEMMA_LOG_LEVEL: 'warn',
    });
    expect((await newVisitor().visit(`${process.issuer}/.well-known/openid-configuration`)).body).toContain(
      process.issuer,
    );
    expect(await process.stop()).toMatchObject({ code: 0 });
    await rm(folder, { recursive: true, force: true });
  });

  test('refuses settings that a real installation must not have, all at once', async () => {
    const end = await runToEnd('src/main.js', { HEMMA_ISSUER: 'http://id.example.com', HEMMA_MISSPELT: 'x' });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('HEMMA_MISSPELT');
    const real = await runToEnd('src/main.js', { HEMMA_ISSUER: 'http://id.example.com' });
    expect(real.code).toBe(1);
    for (const name of ['HEMMA_ISSUER', 'HEMMA_SECRET_KEYS', 'DATABASE_URL', 'HEMMA_SMTP_URL']) {
      expect(real.stderr).toContain(name);
    }
  });
});
