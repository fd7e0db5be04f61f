/** "Sign out everywhere else" in My details also ends the sign-ins that would open another session (ASVS 7.4.5). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sendAndHold } from '../new-phone-threats/held.ts';
import { gotIn, provePassword, standsAt } from '../new-phone-threats/people.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';

const deadline = 120_000;
const endOthers = 'Logga ut överallt annars';

let hemma: Hemma;
let party: RelyingParty;
/** Asks for consent. */
let asking: RelyingParty;
/** Requires MFA. */
let strict: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  asking = await startRelyingParty({
    hemma,
    description: { name: 'Tv:n', firstParty: false, consent: 'remembered' },
  });
  strict = await startRelyingParty({ hemma, description: { name: 'Lön' } });
}, deadline);
afterAll(async () => {
  for (const app of [party, asking, strict]) await app.stop();
  await hemma.stop();
});

async function signedIn(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await party.begin()).url, email);
  expect(gotIn(browser)).toBe(true);
  return browser;
}

/** A sign-in that is finished but for the last redirect, which is not followed yet. */
async function held(email: string) {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  return { browser, rest: await sendAndHold(browser, { email, password: PASSWORD }) };
}

/** A sign-in that waits for a consent, which no answer has come to. */
async function atConsent(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await asking.begin()).url, email);
  expect(browser.screen.step).toBe('consent');
  return browser;
}

/** A sign-in in which the password is verified and the second factor is asked for. */
async function halfWay(email: string): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await strict.begin({ acr_values: 'urn:hemma:2' })).url, email);
  expect(browser.screen.step).toBe('enrollment');
  return browser;
}

async function hasSession(browser: Visitor): Promise<boolean> {
  await browser.visit((await party.begin({ prompt: 'none' })).url);
  return gotIn(browser);
}

async function getsInBy({ browser, rest }: Awaited<ReturnType<typeof held>>): Promise<boolean> {
  await browser.visit(rest);
  return gotIn(browser) || hasSession(browser);
}

const passwordOnly = (name: string) =>
  hemma.account({ email: `${name}@example.com`, twoStepRequired: false });

async function signOutElsewhere(owner: Visitor): Promise<void> {
  await owner.visit(hemma.url('/account'));
  const done = await owner.submit({}, endOthers);
  expect(done.text).toContain('Du är utloggad överallt annars.');
}

test(
  'signing out everywhere else ends sign-ins that are half-way or finished and not followed',
  async () => {
    const { email } = await passwordOnly('astrid');
    const session = await signedIn(email);
    const finished = await held(email);
    const half = await halfWay(email);
    const owner = await signedIn(email);
    await signOutElsewhere(owner);
    expect({
      session: await hasSession(session),
      finished: await getsInBy(finished),
      half: (await standsAt(half)) !== 'password',
      owner: await hasSession(owner),
    }).toEqual({ session: false, finished: false, half: false, owner: true });
  },
  deadline,
);

test(
  'signing out everywhere else ends a sign-in that waits for a consent',
  async () => {
    const { email } = await passwordOnly('bertil');
    const waiting = await atConsent(email);
    const owner = await signedIn(email);
    await signOutElsewhere(owner);
    await waiting.submit({}, 'choice=allow');
    expect(gotIn(waiting)).toBe(false);
    expect(await hasSession(waiting)).toBe(false);
  },
  deadline,
);

test(
  'signing out everywhere else leaves the sign-ins of another user alone',
  async () => {
    const other = await held((await passwordOnly('cecilia')).email);
    const { email } = await passwordOnly('david');
    await signedIn(email);
    await signOutElsewhere(await signedIn(email));
    expect(await getsInBy(other)).toBe(true);
  },
  deadline,
);
