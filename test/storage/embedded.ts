/** The provider as a real process on the embedded database, in a data folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { openDatabase } from '../../src/db/database.ts';
import { programWith, type Shell } from '../command-line/shell.ts';
import { newDataFolder } from '../rig/data-folder.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { startMailServer } from '../rig/mail.ts';
import { type Running, startProcess } from '../rig/process.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';

export interface Embedded {
  env: Record<string, string>;
  /** HEMMA_DATA, and a folder around it for whatever a test needs besides. */
  data: string;
  around: string;
  /** The process that runs now. */
  hemma: Running;
  autopay: RelyingParty;
  shell: Shell;
  /** Starts it again on the same data, after it has ended. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Registers the application through the socket of the running provider, as any guest of the folder may. */
async function registered(env: Record<string, string>, issuer: string): Promise<RelyingParty> {
  const read = readSettings(env);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const guest = await openDatabase(read.settings, true);
  try {
    return await startRelyingParty({ hemma: { issuer, db: guest } });
  } finally {
    await guest.close();
  }
}

export async function startEmbedded(): Promise<Embedded> {
  const around = await mkdtemp(join(tmpdir(), 'hemma-data-'));
  const mail = await startMailServer();
  const { DATABASE_URL: _none, ...others } = await settingsOfOne('', mail.url);
  const data = join(around, 'data');
  const env = { ...others, HEMMA_DATA: data };
  await newDataFolder(data);
  const hemma = await startProcess(env);
  const autopay = await registered(env, hemma.issuer);
  const here: Embedded = {
    env,
    data,
    around,
    hemma,
    autopay,
    shell: programWith(env),
    async startAgain() {
      await here.hemma.ended;
      here.hemma = await startProcess(env);
    },
    async stop() {
      await autopay.stop();
      await here.hemma.stop();
      await mail.stop();
      await rm(around, { recursive: true, force: true });
    },
  };
  return here;
}
