/** The embedded database and real PostgreSQL are one storage: the same journey is answered the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { newDataFolder } from '../rig/data-folder.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { walk } from './one-journey.ts';

async function toldBy(env: Record<string, string>): Promise<[string, unknown][]> {
  const hemma: Hemma = await startHemma({ env });
  try {
    return await walk(hemma);
  } finally {
    await hemma.stop();
  }
}

test('SECURITY 14 a journey with every one-time deed done twice is answered the same on both', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hemma-both-'));
  await newDataFolder(join(folder, 'data'));
  const [postgres, embedded] = [
    await toldBy({}),
    await toldBy({ DATABASE_URL: '', HEMMA_DATA: join(folder, 'data') }),
  ];
  await rm(folder, { recursive: true, force: true });
  expect(embedded).toEqual(postgres);
  // And it is the right journey, not twice the same wrong one.
  expect(Object.fromEntries(postgres)).toMatchObject({
    'with the digits that connected the phone': '422 totp used-code',
    'with the next ones': '200 back taken',
    'signed in by the first': '200 back taken',
    'signed in by the second': '200 back taken',
    'the third code': '200 recovery-code taken',
    'the spent code before the third': '422 totp wrong-recovery-code',
    'a code': { status: 200, error: undefined },
    'its refresh token': { status: 200, error: undefined },
    'the old refresh token': [400, 'invalid_grant'],
    'the family': ['invalid_grant', 401],
    'the code again': 'invalid_grant',
    silently: 'login_required',
    'told the application': 1,
  });
});
