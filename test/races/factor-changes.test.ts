/**
 * A factor changes at the moment at which a sign-in, a session or a token that rests on the password goes on. The order
 * is forced by a transaction of the test that locks what both requests need.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { click, holdTurn } from '../new-phone-threats/clicks.ts';
import { sendAndHold } from '../new-phone-threats/held.ts';
import {
  deedUrl,
  gotIn,
  keyOn,
  newPerson,
  nextStep,
  pageOf,
  proveBoth,
  provePassword,
  standsAt,
} from '../new-phone-threats/people.ts';
import { recorded } from '../new-phone-threats/recorded.ts';
import { at } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { Answer } from '../rig/exchange.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';

const deadline = 180_000;

let hemma: Hemma;
let party: RelyingParty;
let offline: RelyingParty;
let database: string;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
  offline = await startRelyingParty({
    hemma,
    description: {
      name: 'Tv:n',
      firstParty: false,
      consent: 'remembered',
      scopes: ['profile', 'email', 'offline_access'],
    },
  });
  database = hemma.env['DATABASE_URL'] ?? '';
});
afterEach(async () => {
  await releaseAll();
  back();
});
afterAll(async () => {
  for (const app of [party, offline]) await app.stop();
  await hemma.stop();
});

const passwordOnly = async (name: string) => {
  const { id, email } = await hemma.account({ email: `${name}@example.com`, twoStepRequired: false });
  return { id, email };
};

/** The owner in front of the QR code; `activate` types the digits and does not tick the box. */
async function atEnrollment(email: string) {
  const owner = newVisitor();
  await provePassword(owner, deedUrl(hemma, 'activate_two_step'), email);
  const code = sixDigits(keyOn(at('enrollment', owner.screen)));
  owner.screen.page.querySelector('input[name=endOtherSessions]')?.removeAttribute('checked');
  return { owner, activate: () => click(owner, { code }) };
}

async function held(email: string) {
  const browser = newVisitor();
  await browser.visit((await party.begin()).url);
  return { browser, rest: await sendAndHold(browser, { email, password: PASSWORD }) };
}

async function signedIn(email: string, app = party): Promise<Visitor> {
  const browser = newVisitor();
  await provePassword(browser, (await app.begin()).url, email);
  return browser;
}

async function hasSession(browser: Visitor): Promise<boolean> {
  await browser.visit((await party.begin({ prompt: 'none' })).url);
  return gotIn(browser);
}

/** Lets two requests wait for the same lock, in that order, and then go on. */
async function inOrder(
  lock: () => ReturnType<typeof hold>,
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<void> {
  const locked = await lock();
  const one = first();
  await untilWaiting(database, 1);
  const other = second();
  await untilWaiting(database, 2);
  await locked.release();
  await Promise.all([one, other]);
}

const rows = (model: string, accountId: string) => () =>
  hold(
    database,
    `SELECT 1 FROM oidc_records WHERE model = '${model}' AND account_id = '${accountId}' FOR UPDATE`,
  );

const answers = { sent: [] as Answer[] };
const keep = async (answer: Promise<Answer>) => void answers.sent.push(await answer);
afterEach(() => {
  for (const { status } of answers.sent.splice(0)) expect(status).toBeLessThan(500);
});

describe.each(['first', 'second'])('MFA is activated, and comes %s;', (place) => {
  const ordered = (activate: () => Promise<unknown>, other: () => Promise<unknown>) =>
    place === 'first' ? ([activate, other] as const) : ([other, activate] as const);

  test('a sign-in that is being finished with the password opens no session', async () => {
    const { id, email } = await passwordOnly(`astrid-${place}`);
    const { activate } = await atEnrollment(email);
    const thief = await held(email);
    // Asked for again it is finished again, by what was read before it waited.
    await inOrder(
      () => holdTurn(database, id),
      ...ordered(
        () => keep(activate()),
        () => keep(thief.browser.request(pageOf(thief.browser, ''))),
      ),
    );
    expect(await recorded(hemma, 'authenticator.connected', id)).toBe(1);
    await thief.browser.visit(thief.rest);
    expect([gotIn(thief.browser), await hasSession(thief.browser)]).toEqual([false, false]);
  });

  test('a finished sign-in whose last redirect is being followed leaves no session', async () => {
    const { id, email } = await passwordOnly(`bertil-${place}`);
    const { activate } = await atEnrollment(email);
    const thief = await held(email);
    await inOrder(
      rows('Interaction', id),
      ...ordered(
        () => keep(activate()),
        () => keep(thief.browser.request(thief.rest)),
      ),
    );
    expect(await recorded(hemma, 'authenticator.connected', id)).toBe(1);
    expect(await hasSession(thief.browser)).toBe(false);
  });

  test('a session that is being moved to a new identifier ends', async () => {
    const { id, email } = await passwordOnly(`cecilia-${place}`);
    const thief = await signedIn(email);
    await thief.visit((await offline.begin({ prompt: 'consent' })).url);
    const rest = await sendAndHold(thief, {}, 'choice=allow');
    const { activate } = await atEnrollment(email);
    await inOrder(
      rows('Session', id),
      ...ordered(
        () => keep(activate()),
        () => keep(thief.request(rest)),
      ),
    );
    expect(await recorded(hemma, 'authenticator.connected', id)).toBe(1);
    expect(await hasSession(thief)).toBe(false);
  });

  test('a refresh token that is being renewed ends with its successor', async () => {
    const { id, email } = await passwordOnly(`david-${place}`);
    const thief = newVisitor();
    const begun = await offline.begin({ scope: 'openid offline_access', prompt: 'consent' });
    await provePassword(thief, begun.url, email);
    await thief.submit({}, 'choice=allow');
    const tokens = await offline.redeem(begun, thief.screen.url);
    const { activate } = await atEnrollment(email);
    const successors: string[] = [];
    await inOrder(
      rows('RefreshToken', id),
      ...ordered(
        () => keep(activate()),
        () =>
          offline.refresh(tokens.refresh_token ?? '').then(
            (renewed) => successors.push(renewed.refresh_token ?? ''),
            () => undefined,
          ),
      ),
    );
    expect(successors).toHaveLength(place === 'first' ? 0 : 1);
    for (const token of [...successors, tokens.refresh_token ?? ''])
      await expect(offline.refresh(token)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('a code that is being redeemed leaves no token', async () => {
    const { id, email } = await passwordOnly(`eva-${place}`);
    const thief = newVisitor();
    const begun = await offline.begin({ scope: 'openid offline_access', prompt: 'consent' });
    await provePassword(thief, begun.url, email);
    await thief.submit({}, 'choice=allow');
    const { url } = thief.screen;
    const { activate } = await atEnrollment(email);
    const given: { refresh: string; access: string }[] = [];
    await inOrder(
      rows('AuthorizationCode', id),
      ...ordered(
        () => keep(activate()),
        () =>
          offline.redeem(begun, url).then(
            ({ refresh_token: refresh = '', access_token: access }) => given.push({ refresh, access }),
            () => undefined,
          ),
      ),
    );
    expect(given).toHaveLength(place === 'first' ? 0 : 1);
    for (const { refresh, access } of given) {
      await expect(offline.refresh(refresh)).rejects.toMatchObject({ error: 'invalid_grant' });
      await expect(offline.userinfo(access, id)).rejects.toThrow();
    }
  });
});

test(
  'ten finished sign-ins are followed while MFA is activated, and none of them has a session afterwards',
  async () => {
    const { id, email } = await passwordOnly('frida');
    const thieves: Awaited<ReturnType<typeof held>>[] = [];
    while (thieves.length < 10) thieves.push(await held(email));
    const { owner, activate } = await atEnrollment(email);
    const follow = thieves.map(({ browser, rest }) => browser.request(rest));
    const statuses = (await Promise.all([activate(), ...follow])).map(({ status }) => status);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    expect(await recorded(hemma, 'authenticator.connected', id)).toBe(1);
    const alive = await Promise.all(thieves.map(({ browser }) => hasSession(browser)));
    expect(alive.filter(Boolean)).toHaveLength(0);
    expect(await standsAt(owner)).toBe('new-recovery-code');
  },
  deadline,
);

test('a trusted device stands in for no digits when the phone is replaced while its password is verified', async () => {
  const owner = await newPerson(hemma, party, 'gunilla@example.com');
  const trusted = newVisitor();
  nextStep();
  await provePassword(trusted, (await party.begin()).url, owner.email);
  await trusted.submit({ code: sixDigits(owner.key), rememberDevice: 'yes' });
  const thief = newVisitor({
    stolen: trusted.cookies.all().filter(({ name }) => name.endsWith('hemma-device')),
  });
  await provePassword(thief, (await party.begin()).url, owner.email, 'inte det rätta');
  await proveBoth(owner.browser, deedUrl(hemma, 'replace_authenticator'), owner);
  const digits = sixDigits(keyOn(owner.browser.screen));
  const locked = await hold(database, "SELECT 1 FROM attempts WHERE factor = 'password' FOR UPDATE");
  const sent = thief.submit({ email: owner.email, password: PASSWORD });
  await untilWaiting(database, 1);
  await owner.browser.submit({ code: digits });
  expect(await recorded(hemma, 'authenticator.replaced', owner.id)).toBe(1);
  await locked.release();
  await sent;
  expect([gotIn(thief), thief.screen.step]).toEqual([false, 'totp']);
});
