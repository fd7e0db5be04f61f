/**
 * A sign-in that is proved to the end, but whose last redirect the thief does not follow yet: what the owner ends
 * meanwhile is ended for it, too (DESIGN §5 Sessions, SECURITY 55).
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { back } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { sendAndHold } from './held.ts';
import {
  codeOn,
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  type Person,
  proveBoth,
  provePassword,
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

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

/** The thief has seen the password and six digits once, and typed them before the owner did. */
async function heldBy(owner: Person) {
  const thief = newVisitor();
  nextStep();
  await provePassword(thief, (await party.begin()).url, owner.email);
  const rest = await sendAndHold(thief, { code: sixDigits(owner.key) });
  return { thief, rest };
}

async function newPassword(owner: Person): Promise<void> {
  await proveBoth(owner.browser, deedUrl(hemma, 'change_password'), owner);
  await owner.browser.submit({ password: 'en helt annan sjö i maj' });
  expect(owner.browser.screen.url.pathname).toBe('/account');
}

async function newPhone(owner: Person): Promise<void> {
  await proveBoth(owner.browser, deedUrl(hemma, 'replace_authenticator'), owner);
  await owner.browser.submit({ code: sixDigits(keyOn(owner.browser.screen)), endOtherSessions: 'yes' });
  await owner.browser.submit({ lastGroup: codeOn(owner.browser.screen).slice(-4) });
  expect(owner.browser.screen.url.pathname).toBe('/account');
}

async function switchedOff(owner: Person): Promise<void> {
  await proveBoth(owner.browser, deedUrl(hemma, 'deactivate_two_step'), owner);
  await owner.browser.submit({ endOtherSessions: 'yes' }, 'choice=do');
  expect(owner.browser.screen.url.pathname).toBe('/account');
}

async function gone(owner: Person): Promise<void> {
  await proveBoth(owner.browser, deedUrl(hemma, 'delete_account'), owner);
  await owner.browser.submit({ email: owner.email }, 'choice=do');
}

const byShell = (deed: string) => async (owner: Person) => {
  const { code } = await shellWith(hemma.env)(['accounts', deed, owner.email]);
  expect(code).toBe(0);
};

test.each<[string, (owner: Person) => Promise<void>]>([
  ['changed the password', newPassword],
  ['moved to a new phone and signed out everywhere else', newPhone],
  ['deactivated two-step verification and signed out everywhere else', switchedOff],
  ['deleted the account', gone],
])('T14 a sign-in held back until the owner %s opens no session', async (_what, deed) => {
  const owner = await person(deed.name.toLowerCase());
  const { thief, rest } = await heldBy(owner);
  await deed(owner);
  await thief.visit(rest);
  expect(gotIn(thief)).toBe(false);
  await thief.visit(hemma.url('/account'));
  expect(thief.screen.url.pathname).not.toBe('/account');
});

test('T34 a sign-in held back until the account was disabled opens nothing, also when it is enabled again', async () => {
  const owner = await person('astrid');
  const { thief, rest } = await heldBy(owner);
  const half = newVisitor();
  await provePassword(half, (await party.begin()).url, owner.email);
  await byShell('disable')(owner);
  await half.visit(half.screen.url);
  expect(half.screen.step).toBe('password');
  await byShell('enable')(owner);
  await thief.visit(rest);
  expect(gotIn(thief)).toBe(false);
  await half.visit(half.screen.url);
  expect(half.screen.step).toBe('password');
});

test('SECURITY 55 a password that was proved before it was changed is no longer half a sign-in', async () => {
  const owner = await person('bertil');
  const thief = newVisitor();
  await provePassword(thief, (await party.begin()).url, owner.email, PASSWORD);
  await newPassword(owner);
  nextStep();
  await thief.submit({ code: sixDigits(owner.key) });
  expect(gotIn(thief)).toBe(false);
});
