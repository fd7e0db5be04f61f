/** The embedded database's data folder, made once per run: its first start takes several seconds of computing. */
import { cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { migrate } from '../../migrations/index.ts';
import { loadKeys } from '../../src/oidc/keys.ts';
import { openDatabase } from '../../src/platform/database.ts';
import { vaultOf } from '../../src/platform/secrets.ts';
import { keyOfTheRun } from './template.ts';

async function make(folder: string): Promise<void> {
  const read = readSettings({ HEMMA_DATA: folder });
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const db = await openDatabase(read.settings);
  try {
    await migrate(db);
    await loadKeys(db, vaultOf([keyOfTheRun()]));
  } finally {
    await db.close();
  }
}

/** Puts a migrated data folder with keys at `folder`, as a provider leaves it that has stopped. */
export async function newDataFolder(folder: string): Promise<void> {
  const run = process.env['RIG_FOLDER'];
  if (!run) throw new Error('no folder of this run: tests are started by `npm test`');
  const template = join(run, 'data-folder');
  const there = await stat(template).catch(() => undefined);
  if (!there) {
    const mine = await mkdtemp(join(run, 'filling-'));
    await make(join(mine, 'data'));
    // A rename is all or nothing; of two workers that meet here, the second throws his away.
    await rename(join(mine, 'data'), template).catch(() => undefined);
    await rm(mine, { recursive: true, force: true });
  }
  await cp(template, folder, { recursive: true });
}
