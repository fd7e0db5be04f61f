/** The outbox of two processes: every mail leaves once, and a mail server that hangs holds nobody (T39, T40). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deliverDueMails, createMailEnqueuer } from '../../src/mail/outbox.ts';
import { createEncryption } from '../../src/crypto/encryption.ts';
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

/** Puts mails with numbered subjects into the outbox, as the deeds of many people would at one moment. */
async function fill(env: Record<string, string>, from: number, count: number): Promise<void> {
  const enqueueMail = createMailEnqueuer(createEncryption((env['HEMMA_SECRET_KEYS'] ?? '').split(',')), {
    brand: 'Hemma',
    helpDesk: '08-123 45 67',
    issuer: env['HEMMA_ISSUER'] ?? '',
    defaultLocale: 'sv',
  });
  const to = {
    id: '00000000-0000-4000-8000-000000000000',
    email: 'astrid@example.com',
    name: 'Astrid',
    locale: undefined,
  };
  const db = await openWith(env);
  await db.transaction(async (tx) => {
    for (let number = from; number < from + count; number++)
      await enqueueMail(tx, to, 'new-device', () => ({ subject: `Brev ${number}`, text: 'Hej' }));
  });
  await db.close();
}

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

describe('an address that is refused for good', () => {
  test('to two processes at once, since the first took long: the mail is given up once', async () => {
    const database = await newDatabase();
    const env: Record<string, string> = await settingsOfOne(database.url, two.mail.url);
    const vault = createEncryption((env['HEMMA_SECRET_KEYS'] ?? '').split(','));
    const [one, other] = [await openWith(env), await openWith(env)];
    await fill(env, 0, 1);
    const heard: string[] = [];
    const hear = (kind: string) => void heard.push(kind);
    const refusal = { answer: '550 5.1.1' };
    let deliveredByOther = 0;
    await deliverDueMails(
      one,
      vault,
      async () => {
        await other.query('UPDATE mails SET next_try_at = $1', [new Date()]);
        deliveredByOther = await deliverDueMails(other, vault, () => Promise.resolve(refusal), hear);
        return refusal;
      },
      hear,
    );
    const { rows: told } = await one.query(
      "SELECT account_id, detail FROM audit WHERE event = 'mail.refused'",
    );
    await one.close();
    await other.close();
    await database.drop();
    expect([deliveredByOther, heard]).toEqual([1, ['new-device']]);
    expect(told).toEqual([
      {
        account_id: '00000000-0000-4000-8000-000000000000',
        detail: { kind: 'new-device', answer: '550 5.1.1' },
      },
    ]);
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
