/** The migrated database that is made once per run, and the copy of it that each test file gets. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { readSettings } from '../../config/settings.ts';
import { migrate } from '../../migrations/index.ts';
import { loadKeys } from '../../src/oidc/keys/keys.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';

const TEMPLATE = 'hemma_template';

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const databaseOf = (server: string, name: string): string =>
  Object.assign(new URL(server), { pathname: `/${name}` }).href;

/**
 * Makes the template on a server by the product's own migrations, with signing keys closed by `secretKey`: RSA keys
 * take long to find, and each test's provider needs some.
 */
export async function makeTemplate(server: string, secretKey: string): Promise<void> {
  await administer(server, `CREATE DATABASE ${TEMPLATE}`);
  const read = readSettings({ DATABASE_URL: databaseOf(server, TEMPLATE) });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    await loadKeys(db, createEncryption([secretKey]));
  } finally {
    await db.close();
  }
}

/** HEMMA_SECRET_KEYS of this test run: it opens the keys of every copy of the template. */
export function keyOfTheRun(): string {
  const key = process.env['RIG_SECRET_KEY'];
  if (!key)
    throw new Error('no secret key of this run: tests are started by `npm test`, whose globalSetup makes it');
  return key;
}

export interface DatabaseCopy {
  url: string;
  drop(): Promise<void>;
}

/** The server of this test run. */
export function serverOfTheRun(): string {
  const server = process.env['RIG_POSTGRES'];
  if (!server)
    throw new Error('no PostgreSQL runs: tests are started by `npm test`, whose globalSetup starts it');
  return server;
}

/** The same database by the server's socket, if it is on the server of this run. */
export function bySocket(url: string): string {
  const socket = process.env['RIG_POSTGRES_SOCKET'];
  if (!socket || url === '' || new URL(url).host !== new URL(serverOfTheRun()).host) return url;
  return databaseOf(socket, new URL(url).pathname.slice(1));
}

/** A database of one's own: `migrated` copies the template, otherwise it is empty. */
export async function newDatabase({
  migrated = true,
  server = serverOfTheRun(),
} = {}): Promise<DatabaseCopy> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  // Copied file by file: page by page through the log, as is the rule, costs twice as much.
  const copied = migrated ? `TEMPLATE ${TEMPLATE} STRATEGY FILE_COPY` : '';
  await administer(server, `CREATE DATABASE ${name} ${copied}`);
  return {
    url: databaseOf(server, name),
    drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}
