/** T31: the code from the help desk stands in the person's mail and nowhere else, whatever is asked of the house. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { codeOn, gotIn, keyOn, newPerson } from '../new-phone-threats/people.ts';
import { atCodePage, codeMailedTo, type Desk, deskAt, stopCodeMailedTo, typeCode } from './desk.ts';

let hemma: Hemma;
let party: RelyingParty;
let desk: Desk;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  desk = await deskAt(hemma);
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** Every value of every table, bytes as letters and as hex. */
async function dump(): Promise<string> {
  const { rows: tables } = await hemma.db.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await hemma.db.query(`SELECT * FROM "${name}"`);
    for (const value of rows.flatMap((row) => Object.values(row)))
      texts.push(
        Buffer.isBuffer(value)
          ? `${value.toString('latin1')} ${value.toString('hex')}`
          : JSON.stringify(value),
      );
  }
  return texts.join('\n').toLowerCase();
}

const disguises = (code: string) => [
  code,
  code.replaceAll('-', ''),
  code.replaceAll('-', ' '),
  Buffer.from(code).toString('hex'),
  Buffer.from(code).toString('base64url'),
  Buffer.from(code.replaceAll('-', '')).toString('base64url'),
];
const holds = (text: string, code: string) =>
  disguises(code).some((one) => text.toLowerCase().includes(one.toLowerCase()));

async function delivered(kind: string): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const { rows } = await hemma.db.query<{ left: number }>(
      'SELECT count(*)::int AS left FROM mails WHERE kind = $1 AND sealed_content IS NOT NULL',
      [kind],
    );
    if (rows[0]?.left === 0) return;
    await wait(25);
  }
  throw new Error(`mails of the kind ${kind} still wait`);
}

test('SECURITY 48, T31 no answer, table, outbox, audit or log keeps it, before or after it was used', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  const agent = await desk.operator('agent');
  hemma.mail.behave('refuse');
  const waiting = await desk.open(agent, owner.id);
  await desk.tick(agent, waiting);
  // Everything that the agent's deeds answer.
  const answers = JSON.stringify([
    await desk.send(agent, waiting),
    await desk.open(agent, owner.id),
    await desk.caseOf(owner.id),
  ]);
  const sealed = await dump();
  hemma.mail.behave('accept');
  await hemma.db.query('UPDATE mails SET next_try_at = $1 WHERE delivered_at IS NULL', [new Date()]);
  const code = await codeMailedTo(hemma, owner.email);
  const stop = [await stopCodeMailedTo(hemma, owner.email), await stopCodeMailedTo(hemma, owner.email)];
  for (const secret of [code, ...stop]) {
    expect(holds(answers, secret)).toBe(false);
    expect(holds(sealed, secret)).toBe(false);
  }
  await delivered('help-desk-code');
  const visitor = await atCodePage(party, owner.email);
  const screens = [await typeCode(visitor, code)];
  screens.push(await visitor.submit({ code: sixDigits(keyOn(visitor.screen)) }));
  screens.push(await visitor.submit({ lastGroup: codeOn(visitor.screen).slice(-4) }));
  expect(gotIn(visitor)).toBe(true);
  const after = await dump();
  for (const secret of [code, ...stop]) {
    expect(holds(after, secret)).toBe(false);
    expect(holds(hemma.logs(), secret)).toBe(false);
    for (const { body } of screens) expect(holds(body, secret)).toBe(false);
  }
  const { rows } = await hemma.db.query<{ hash: string }>(
    "SELECT hash FROM recovery_codes WHERE kind = 'help-desk' AND account_id = $1",
    [owner.id],
  );
  expect(rows.map(({ hash }) => hash.split('$').slice(1, 4))).toEqual([
    ['argon2id', 'v=19', 'm=19456,t=2,p=1'],
  ]);
});
