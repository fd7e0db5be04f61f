/** Requests that come between one another: each waits its turn, and nobody is answered with a fault. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from '../races/interleave.ts';
import {
  deedUrl,
  gotIn,
  mailedCodeTo,
  newPerson,
  nextStep,
  pageOf,
  type Person,
  proveBoth,
  provePassword,
} from './people.ts';
import { click, holdTurn } from './clicks.ts';

let hemma: Hemma;
let party: RelyingParty;
let database: string;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  database = hemma.env['DATABASE_URL'] ?? '';
});
afterEach(async () => {
  await releaseAll();
  back();
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

async function atDeletion(owner: Person): Promise<Visitor> {
  const tab = newVisitor();
  await proveBoth(tab, deedUrl(hemma, 'delete_account'), owner);
  expect(tab.screen.step).toBe('confirm');
  return tab;
}

const uidOf = (visitor: Visitor) => pageOf(visitor, '').split('/').at(-2) ?? '';

/** The account is deleted while a code of it is being taken elsewhere. */
async function deletedWhile(
  owner: Person,
  factor: string,
  take: (other: Visitor) => Promise<{ status: number }>,
) {
  const stranger = await hemma.account({ email: `inget-${owner.email}` });
  const tab = await atDeletion(owner);
  const other = newVisitor();
  nextStep();
  await provePassword(other, (await party.begin()).url, owner.email);
  const held = await hold(
    database,
    `INSERT INTO proofs (interaction, factor, account_id, at)
     VALUES ('${uidOf(other)}', '${factor}', '${stranger.id}', now())`,
  );
  const taken = take(other);
  await untilWaiting(database, 1);
  const deleted = click(tab, { email: owner.email }, 'choice=do');
  await untilWaiting(database, 2);
  await held.release();
  const statuses = [(await deleted).status, (await taken).status];
  for (const status of statuses) expect([statuses, status < 500]).toEqual([statuses, true]);
}

test('an account is deleted while six digits of it are taken', async () => {
  const owner = await person('astrid');
  await deletedWhile(owner, 'totp', (other) => click(other, { code: sixDigits(owner.key) }));
});

test('an account is deleted while its recovery code is taken', async () => {
  const owner = await person('bertil');
  await deletedWhile(owner, 'recovery-code', (other) => click(other, { code: owner.recoveryCode }));
});

test('an account is deleted while a new address of it waits to be written', async () => {
  const owner = await person('cecilia');
  const tab = await atDeletion(owner);
  const other = newVisitor();
  await proveBoth(other, deedUrl(hemma, 'change_email'), owner);
  await other.submit({ email: 'cecilias-nya@example.com' });
  const code = await mailedCodeTo(hemma, 'cecilias-nya@example.com');
  const held = await hold(
    database,
    `SELECT pg_advisory_xact_lock(hashtextextended('email:cecilias-nya@example.com', 0))`,
  );
  const changed = click(other, { code });
  await untilWaiting(database, 1);
  const deleted = click(tab, { email: owner.email }, 'choice=do');
  await untilWaiting(database, 2);
  await held.release();
  const statuses = [(await deleted).status, (await changed).status];
  for (const status of statuses) expect([statuses, status < 500]).toEqual([statuses, true]);
});

test('a new password waits for its turn while the account is deleted', async () => {
  const owner = await person('disa');
  const tab = await atDeletion(owner);
  const other = newVisitor();
  await proveBoth(other, deedUrl(hemma, 'change_password'), owner);
  const held = await holdTurn(database, owner.id);
  const deleted = click(tab, { email: owner.email }, 'choice=do');
  await untilWaiting(database, 1);
  const changed = click(other, { password: 'en helt annan sjö' });
  await untilWaiting(database, 2);
  await held.release();
  const statuses = [(await deleted).status, (await changed).status];
  for (const status of statuses) expect([statuses, status < 500]).toEqual([statuses, true]);
});

test('a person disconnects an application while a refresh token of it is used twice', async () => {
  const owner = await person('eva');
  const browser = newVisitor();
  const begun = await party.begin({ scope: 'openid email offline_access', prompt: 'consent' });
  await proveBoth(browser, begun.url, owner);
  await browser.submit({}, 'choice=allow');
  expect(gotIn(browser)).toBe(true);
  const tokens = await party.redeem(begun, browser.screen.url);
  await party.refresh(tokens.refresh_token ?? '');
  await browser.visit(hemma.url('/account'));
  const held = await hold(
    database,
    `SELECT 1 FROM oidc_records WHERE model = 'RefreshToken' AND account_id = '${owner.id}' FOR UPDATE`,
  );
  const again = party.refresh(tokens.refresh_token ?? '').catch((fault: { error?: string }) => fault.error);
  await untilWaiting(database, 1);
  const disconnected = click(browser, {}, `disconnect=${party.clientId}`);
  await untilWaiting(database, 2);
  await held.release();
  expect([(await disconnected).status, await again]).toEqual([303, 'invalid_grant']);
});
