import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';

/**
 * The keys that encrypt what the database keeps secret. On http://localhost they are made on first start and kept
 * beside the data; anywhere else the settings must name them.
 */
export function loadSecretKeys(settings: Settings): readonly string[] {
  if (settings.HEMMA_SECRET_KEYS) return settings.HEMMA_SECRET_KEYS;
  const file = join(settings.HEMMA_DATA, 'secret-keys');
  mkdirSync(settings.HEMMA_DATA, { recursive: true, mode: 0o700 });
  try {
    // Exclusive creation: of two processes that start together one makes the key and the other reads it.
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
  }
  return readFileSync(file, 'utf8').trim().split(',');
}
