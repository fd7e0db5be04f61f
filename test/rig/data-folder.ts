/** The embedded database's data folder, made once per run: its first start takes several seconds of computing. */
import { cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readSettings } from '../../config/settings.ts';
import { migrate } from '../../migrations/index.ts';
import { loadKeys } from '../../src/oidc/keys/keys.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
import { keyOfTheRun } from './template.ts';

async function make(folder: string): Promise<void> {
  const read = readSettings({ HEMMA_DATA: folder });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    await loadKeys(db, createEncryption([keyOfTheRun()]));
  } finally {
    await db.close();
  }
}

/** Whether something could be done. */
const done = (deed: Promise<unknown>) =>
  deed.then(
    () => true,
    () => false,
  );
const exists = (path: string) => done(stat(path));

/** Makes the template, unless another worker is about it: then a moment passes. */
async function makeInTurn(run: string, template: string): Promise<void> {
  const turn = `${template}.turn`;
  if (!(await done(mkdir(turn)))) {
    await wait(100);
    return;
  }
  try {
    if (await exists(template)) return;
    const mine = await mkdtemp(join(run, 'filling-'));
    await make(join(mine, 'data'));
    // A rename is all or nothing: nobody copies half a folder.
    await rename(join(mine, 'data'), template);
    await rm(mine, { recursive: true });
  } finally {
    await rm(turn, { recursive: true });
  }
}

/** Puts a migrated data folder with keys at `folder`, as a provider leaves it that has stopped. */
export async function newDataFolder(folder: string): Promise<void> {
  const run = process.env['RIG_FOLDER'];
  if (!run) throw new Error('no folder of this run: tests are started by `npm test`');
  const template = join(run, 'data-folder');
  for (let attempt = 0; !(await exists(template)); attempt++) {
    if (attempt > 900) throw new Error('no other worker has made the data folder in a minute and a half');
    await makeInTurn(run, template);
  }
  await cp(template, folder, { recursive: true });
}
