/** The outbox of two processes: every mail leaves once, and a mail server that hangs holds nobody (T39, T40). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/accounts.ts';
import { deviceWelcomed } from '../../src/accounts/devices.ts';
import { postOf } from '../../src/mail/outbox.ts';
import { writeAtOnce } from '../../src/platform/effects.ts';
import { vaultOf } from '../../src/platform/secrets.ts';
import { freePort } from '../rig/free-port.ts';
import { settingsOfOne } from '../rig/hemma.ts';
import { startProcess } from '../rig/process.ts';
import { newDatabase } from '../rig/template.ts';
import { startDoor } from '../storage/door.ts';
import { until } from '../storage/until.ts';
import { openWith, startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
beforeAll(async () => {
  two = await startTwo();
});
afterAll(() => two.stop());

/** The post office of a process with these settings. */
const officeOf = (env: Record<string, string>) =>
  postOf(vaultOf((env['HEMMA_SECRET_KEYS'] ?? '').split(',')), {
    brand: 'Hemma',
    helpDesk: '08-123 45 67',
    issuer: env['HEMMA_ISSUER'] ?? '',
    defaultLocale: 'sv',
  });

/** Puts mails with numbered subjects into the outbox, as the deeds of many people would at one moment. */
async function fill(env: Record<string, string>, from: number, count: number): Promise<void> {
  const post = officeOf(env);
  const to = {
    id: '00000000-0000-4000-8000-000000000000',
    email: 'astrid@example.com',
    name: 'Astrid',
    locale: undefined,
  };
  const db = await openWith(env);
  await db.transaction(async (open) => {
    for (let number = from; number < from + count; number++)
      await post(open, to, 'new-device', () => ({ subject: `Brev ${number}`, text: 'Hej' }));
  });
  await db.close();
}

const arrivalOf = (account: Account, { next, hasDevices }: { next: string; hasDevices: boolean }) =>
  deviceWelcomed(officeOf(two.settings[0]), account, {
    known: undefined,
    hasDevices,
    token: undefined,
    next,
    remember: false,
    origin: { address: '192.0.2.1', request: 'r', userAgent: '' },
  });

const numbers = (count: number) => Array.from({ length: count }, (_none, number) => `Brev ${number}`);

describe('mails that wait while two processes deliver', () => {
  test('leave once each, whichever process takes them', async () => {
    await fill(two.settings[0], 0, 24);
    await until('the mails came', () => two.mail.mails.length >= 24, 15_000);
    // Whoever had taken one of them twice would have sent it before the last of all.
    await fill(two.settings[0], 24, 1);
    await two.mail.mailTo('astrid@example.com', /Brev 24/);
    const received = two.mail.mails.map(({ subject }) => subject);
    expect(received.toSorted()).toEqual(numbers(25).toSorted());
    const { rows } = await two.db.query('SELECT 1 FROM mails WHERE sealed_content IS NOT NULL');
    expect(rows).toEqual([]);
  });
});

describe('a sign-in from a new browser', () => {
  test('that two requests finish by what both had read is told once, and notes one browser', async () => {
    const { db } = two;
    const account = await two.account({ email: 'berit@example.com' });
    const { effects: before } = arrivalOf(account, { next: 'the browser before', hasDevices: false });
    await writeAtOnce(db, before);
    const arrivals = [1, 2].map(() => arrivalOf(account, { next: 'the new browser', hasDevices: true }));
    await Promise.all(arrivals.map(({ effects }) => writeAtOnce(db, effects)));
    const { rows: devices } = await db.query('SELECT 1 FROM devices WHERE account_id = $1', [account.id]);
    const { rows: told } = await db.query('SELECT 1 FROM mails WHERE account_id = $1', [account.id]);
    expect([devices.length, told.length]).toEqual([2, 1]);
  });
});

describe('a mail server that takes the call and says nothing', () => {
  test('T39 does not keep a process from stopping within twelve seconds', async () => {
    const silent = await startDoor({ host: '127.0.0.1', port: 9 });
    silent.silence();
    const database = await newDatabase();
    const port = String(await freePort());
    const env = {
      ...(await settingsOfOne(database.url, `smtp://127.0.0.1:${silent.port}`)),
      HEMMA_PORT: port,
    };
    const hemma = await startProcess(env);
    await fill(env, 0, 1);
    await until('the mail server was called', () => silent.unanswered() > 0, 10_000);
    const told = performance.now();
    const end = await hemma.stop();
    const took = performance.now() - told;
    await silent.stop();
    await database.drop();
    expect([end.code, end.signal]).toEqual([0, null]);
    expect(took).toBeLessThan(12_000);
  });
});
