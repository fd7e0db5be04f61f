/** A recovery code that was taken out of use opens nothing, however far somebody had come with it (T7, T19). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  type Person,
  provePassword,
  proveBoth,
  proveByCode,
  standsAt,
} from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

/** Somebody with the stolen password and code, on the page that asks whether the phone is gone. */
async function thiefWithCode(owner: Person) {
  const thief = newVisitor();
  await proveByCode(thief, (await party.begin()).url, owner);
  expect(thief.screen.step).toBe('recovery-code');
  return thief;
}

/** The owner, warned by the mail, makes a new recovery code with the phone. */
async function newCodeOf(owner: Person): Promise<string> {
  await proveBoth(owner.browser, deedUrl(hemma, 'new_recovery_code'), owner);
  const code = codeOn(owner.browser.screen);
  await owner.browser.submit({ lastGroup: code.slice(-4) });
  expect(owner.browser.screen.url.pathname).toBe('/account');
  return code;
}

/** The owner's phone and the code that should live both still open the account. */
async function stillTheOwners(owner: Person, key: string, recoveryCode: string) {
  const again = newVisitor();
  await proveBoth(again, (await party.begin()).url, { email: owner.email, key });
  expect(gotIn(again)).toBe(true);
  const other = newVisitor();
  await proveByCode(other, (await party.begin()).url, { email: owner.email, recoveryCode });
  expect([other.screen.step, other.screen.refusal]).toEqual(['recovery-code', undefined]);
}

test('T7 a code that the owner replaced meanwhile signs nobody in, also where it was typed before', async () => {
  const owner = await newPerson(hemma, party, 'astrid@example.com');
  const thief = await thiefWithCode(owner);
  const code = await newCodeOf(owner);
  await thief.submit({}, 'phoneGone=no');
  expect(await standsAt(thief)).toBe('password');
  await stillTheOwners(owner, owner.key, code);
});

test('T7 a code that the owner replaced meanwhile replaces no phone, also where the QR code was shown before', async () => {
  const owner = await newPerson(hemma, party, 'bertil@example.com');
  const thief = await thiefWithCode(owner);
  await thief.submit({}, 'phoneGone=yes');
  const key = keyOn(thief.screen);
  expect(key).not.toBe('');
  const code = await newCodeOf(owner);
  await thief.submit({ code: sixDigits(key) });
  expect(await standsAt(thief)).toBe('password');
  await stillTheOwners(owner, owner.key, code);
});

test('T7 a code whose owner moved to a new phone meanwhile takes that phone away from nobody', async () => {
  const owner = await newPerson(hemma, party, 'cecilia@example.com');
  const thief = await thiefWithCode(owner);
  await thief.submit({}, 'phoneGone=yes');
  const stolen = keyOn(thief.screen);
  await proveBoth(owner.browser, deedUrl(hemma, 'replace_authenticator'), owner);
  const key = keyOn(owner.browser.screen);
  await owner.browser.submit({ code: sixDigits(key) });
  const code = codeOn(owner.browser.screen);
  await owner.browser.submit({ lastGroup: code.slice(-4) });
  await thief.submit({ code: sixDigits(stolen) });
  expect(await standsAt(thief)).toBe('password');
  await stillTheOwners(owner, key, code);
});

test('T7 a code that fifty wrong ones ended opens nothing where it was typed before', async () => {
  const owner = await newPerson(hemma, party, 'david@example.com');
  const thief = await thiefWithCode(owner);
  // The right code cleared the count; what follows is the last of fifty in a row, without the hours between them.
  await hemma.db.query(
    "INSERT INTO attempts (subject, factor, failures, updated_at) VALUES ($1, 'recovery-code', 49, $2)",
    [`account:${owner.id}`, new Date()],
  );
  const guesser = newVisitor();
  await provePassword(guesser, (await party.begin()).url, owner.email);
  await guesser.submit({ code: '0000-0000-0000-0000-0000' });
  await hemma.mail.mailTo(owner.email, /engångskod gäller inte längre/);
  await thief.submit({}, 'phoneGone=no');
  expect(await standsAt(thief)).toBe('totp');
});

test('T19 a code typed before deactivation and re-activation opens nothing after them', async () => {
  const owner = await newPerson(hemma, party, 'eva@example.com');
  const thief = await thiefWithCode(owner);
  await thief.submit({}, 'phoneGone=yes');
  const stolen = keyOn(thief.screen);
  await proveBoth(owner.browser, deedUrl(hemma, 'deactivate_two_step'), owner);
  await owner.browser.submit({}, 'choice=do');
  await provePassword(owner.browser, deedUrl(hemma, 'activate_two_step'), owner.email);
  const key = keyOn(owner.browser.screen);
  nextStep();
  await owner.browser.submit({ code: sixDigits(key) });
  const code = codeOn(owner.browser.screen);
  await owner.browser.submit({ lastGroup: code.slice(-4) });
  await thief.submit({ code: sixDigits(stolen) });
  expect(await standsAt(thief)).toBe('password');
  await stillTheOwners(owner, key, code);
});
