/** A mail server that takes the call and says nothing (T39) takes nobody's time but its own. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { signInFirst } from '../rig/ceremony.ts';
import { back, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type MailServer, startMailServer } from '../rig/mail.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { type Door, startDoor } from './door.ts';
import { until } from './until.ts';

let mail: MailServer;
let door: Door;
let hemma: Hemma;
let autopay: RelyingParty;

beforeAll(async () => {
  mail = await startMailServer();
  door = await startDoor({ host: '127.0.0.1', port: Number(new URL(mail.url).port) });
  hemma = await startHemma({ env: { HEMMA_SMTP_URL: `smtp://127.0.0.1:${door.port}` } });
  autopay = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
  await door.stop();
  await mail.stop();
});
afterEach(back);

const signIn = async (email: string) => {
  await hemma.account({ email });
  await signInFirst(newVisitor(), (await autopay.begin()).url, email);
};

test('T39 a mail server that hangs is given up in time: what comes after leaves, and what hung comes once', async () => {
  door.silence();
  await signIn('astrid@example.com');
  await until('the server was called', () => door.unanswered() > 0, 10_000);
  await signIn('bertil@example.com');
  const called = door.unanswered();
  // Half a minute is when the mails that hang are due again: by then their calls must have ended.
  await until('the server was called anew for the other mails', () => door.unanswered() > called, 20_000);
  door.open();
  travel(seconds(31));
  const to = (address: string) => mail.mails.filter((one) => one.to === address).length;
  await until('all mails came', () => to('astrid@example.com') + to('bertil@example.com') >= 4, 10_000);
  expect([to('astrid@example.com'), to('bertil@example.com')]).toEqual([2, 2]);
});
