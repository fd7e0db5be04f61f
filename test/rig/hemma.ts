/** The provider in this very process, on its own port, database copy and mail server: what most tests use. */
import { readSettings } from '../../config/settings.ts';
import { type User, createUser, type NewUser } from '../../src/users/users.ts';
import type { Db } from '../../src/db/database.ts';
import { type Hasher, createHasher } from '../../src/crypto/argon2.ts';
import type { Encryption } from '../../src/crypto/encryption.ts';
import { startServer } from '../../src/app/server.ts';
import { freePort } from './free-port.ts';
import { keepAlive } from './kept-alive.ts';
import { type Mail, type MailServer, startMailServer } from './mail.ts';
import { PASSWORD } from './password.ts';
import { bySocket, keyOfTheRun, newDatabase } from './template.ts';

export { PASSWORD };

export interface HemmaOptions {
  /** Hashes each account's password with a salt of its own, as the product does; else `PASSWORD` has one hash in a run. */
  ownSalts?: boolean;
  /** More settings, or others than the rig's; an empty text takes one away. */
  env?: Record<string, string>;
  /** Settings of another provider (`hemma.env`) whose database and keys this one shares, as a second process would. */
  beside?: Record<string, string>;
}

export interface Hemma {
  issuer: string;
  port: number;
  db: Db;
  vault: Encryption;
  /** All that was logged so far, at the level `debug`. */
  logs(): string;
  /** Every setting that it was started with, for a second process or a restart on the same data. */
  env: Record<string, string>;
  url(path: string): string;
  mail: MailServer;
  /** Everything mailed so far, as it arrived. Wait for one with `mail.mailTo(address)`: delivery takes a moment. */
  mails(): Mail[];
  /** An account with `PASSWORD`, verified address and open enrolment, made by the product's own function. */
  account(wanted: Partial<NewUser> & { email: string }): Promise<User>;
  stop(): Promise<void>;
}

/** The settings of a provider of a test: one that a person could have on a laptop. */
export async function settingsOfOne(databaseUrl: string, smtpUrl: string): Promise<Record<string, string>> {
  const port = await freePort();
  return {
    HEMMA_ISSUER: `http://localhost:${port}`,
    HEMMA_PORT: String(port),
    HEMMA_HOST: '127.0.0.1',
    HEMMA_SECRET_KEYS: keyOfTheRun(),
    HEMMA_SMTP_URL: smtpUrl,
    HEMMA_HELP_DESK_CONTACT: '08-123 45 67',
    HEMMA_ALLOW_LOOPBACK_CLIENTS: 'yes',
    // Nobody is turned away for the machine's being busy with other tests.
    HEMMA_HASH_WAIT: '20',
    HEMMA_LOG_LEVEL: 'debug',
    DATABASE_URL: databaseUrl,
  };
}

/** Hashes as the product does, but `PASSWORD` once per run: a thousand accounts have it. */
async function hasherOfTheRun(): Promise<Hasher> {
  const real = await createHasher(1);
  const ready = process.env['RIG_PASSWORD_HASH'];
  return { ...real, hash: async (secret) => (secret === PASSWORD && ready) || real.hash(secret) };
}

/** Starts a provider for one test file; call `stop` in `afterAll`. */
export async function startHemma({ env = {}, beside, ownSalts = false }: HemmaOptions = {}): Promise<Hemma> {
  const mail = await startMailServer();
  const database = beside ? undefined : await newDatabase();
  const own = await settingsOfOne(database?.url ?? '', mail.url);
  const all: Record<string, string> = { ...own, ...beside, HEMMA_PORT: own['HEMMA_PORT'] ?? '', ...env };
  const end = async () => {
    await mail.stop();
    await database?.drop();
  };
  try {
    const read = readSettings({ ...all, DATABASE_URL: bySocket(all['DATABASE_URL'] ?? '') });
    if ('faults' in read) throw new Error(`the provider refuses its settings:\n${read.faults.join('\n')}`);
    const lines: string[] = [];
    const provider = await startServer(read.settings, { write: (line) => void lines.push(line) });
    const { issuer, port, db, vault: encryption } = provider;
    const hasher = await (ownSalts ? createHasher(1) : hasherOfTheRun());
    const letGo = keepAlive(port);
    return {
      issuer,
      port,
      db,
      vault: encryption,
      logs: () => lines.join(''),
      env: all,
      mail,
      url: (path) => new URL(path, issuer).href,
      mails: () => [...mail.mails],
      async account(wanted) {
        const made = await createUser(db, hasher, read.settings.HEMMA_BRAND_NAME, {
          name: 'Astrid Lind',
          password: PASSWORD,
          ...wanted,
        });
        if ('refusal' in made) throw new Error(`no account for ${wanted.email}: ${made.refusal}`);
        return made.account;
      },
      async stop() {
        letGo();
        await provider.stop();
        await end();
      },
    };
  } catch (fault) {
    await end();
    throw fault;
  }
}
