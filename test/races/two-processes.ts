/** Two real processes on one database and the same secret keys, behind one address, as an operator runs them. */
import { readSettings } from '../../config/settings.ts';
import { type User, createUser, type NewUser } from '../../src/users/users.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { createHasher } from '../../src/crypto/argon2.ts';
import { freePort } from '../rig/free-port.ts';
import { PASSWORD, settingsOfOne } from '../rig/hemma.ts';
import { type MailServer, startMailServer } from '../rig/mail.ts';
import { type Running, startProcess } from '../rig/process.ts';
import { newDatabase } from '../rig/template.ts';
import { type Balancer, startBalancer } from './balancer.ts';

export interface TwoProcesses {
  issuer: string;
  /** The test's own handle, to arrange what no page can. */
  db: Database;
  databaseUrl: string;
  mail: MailServer;
  processes: [Running, Running];
  balancer: Balancer;
  /** Each process's own settings, for one that takes its place. */
  settings: [Record<string, string>, Record<string, string>];
  url(path: string): string;
  account(wanted: Partial<NewUser> & { email: string }): Promise<User>;
  stop(): Promise<void>;
}

export async function openWith(env: Record<string, string>): Promise<Database> {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return openDatabase(read.settings);
}

const makeAccount = async (db: Database, wanted: Partial<NewUser> & { email: string }) => {
  const made = await createUser(db, await createHasher(1), 'Hemma', {
    name: 'Astrid Lind',
    password: PASSWORD,
    ...wanted,
  });
  if ('refusal' in made) throw new Error(`no account for ${wanted.email}: ${made.refusal}`);
  return made.account;
};

/** Starts them for one test file, both at once; `migrated: false` gives them an empty database. */
export async function startTwo({
  migrated = true,
  env = {},
}: { migrated?: boolean; env?: Record<string, string> } = {}): Promise<TwoProcesses> {
  const mail = await startMailServer();
  const database = await newDatabase({ migrated });
  const ports = [await freePort(), await freePort()] as const;
  const balancer = await startBalancer(ports);
  const issuer = `http://localhost:${balancer.port}`;
  const shared = { ...(await settingsOfOne(database.url, mail.url)), HEMMA_ISSUER: issuer, ...env };
  const settings: TwoProcesses['settings'] = [
    { ...shared, HEMMA_PORT: String(ports[0]) },
    { ...shared, HEMMA_PORT: String(ports[1]) },
  ];
  const processes = await Promise.all([startProcess(settings[0]), startProcess(settings[1])]);
  const db = await openWith(settings[0]);
  return {
    issuer,
    db,
    databaseUrl: database.url,
    mail,
    processes,
    balancer,
    settings,
    url: (path) => new URL(path, issuer).href,
    account: (wanted) => makeAccount(db, wanted),
    async stop() {
      await Promise.all(processes.map((one) => one.stop()));
      await db.close();
      await balancer.stop();
      await mail.stop();
      await database.drop();
    },
  };
}
