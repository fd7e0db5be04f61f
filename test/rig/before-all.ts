/** Runs once before every test file: one real PostgreSQL with the migrated template, and a folder of the run. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHasher } from '../../src/crypto/argon2.ts';
import { PASSWORD } from './password.ts';
import { startPostgres } from './postgres.ts';
import { makeTemplate } from './template.ts';

export default async function beforeAll(): Promise<void> {
  const postgres = await startPostgres();
  // Workers inherit the environment; that is how jest lets them know anything.
  process.env['RIG_POSTGRES'] = postgres.url('postgres');
  process.env['RIG_POSTGRES_SOCKET'] = postgres.socketUrl('postgres');
  process.env['RIG_SECRET_KEY'] = randomBytes(32).toString('base64url');
  process.env['RIG_PASSWORD_HASH'] = await (await createHasher(1)).hash(PASSWORD);
  process.env['RIG_FOLDER'] = await mkdtemp(join(tmpdir(), 'hemma-test-'));
  Reflect.set(globalThis, 'rigPostgres', postgres);
  try {
    await makeTemplate(postgres.url('postgres'), process.env['RIG_SECRET_KEY']);
  } catch (fault) {
    await postgres.stop();
    throw fault;
  }
}
