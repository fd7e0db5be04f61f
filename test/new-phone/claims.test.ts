/** What an application is told of how somebody signed in, after each change of phone, code and two-step verification. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { startHemma } from '../rig/hemma.ts';
import { type Begun, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import * as people from './people.ts';
import type { Town } from './people.ts';

let town: Town;
beforeAll(async () => {
  const hemma = await startHemma();
  const description = { allowedIntents: ['replace_authenticator' as const, 'step_up' as const] };
  town = { hemma, autopay: await startRelyingParty({ hemma, description }) };
});
afterAll(async () => {
  await town.autopay.stop();
  await town.hemma.stop();
});
afterEach(back);

interface Told {
  acr?: string;
  amr?: string[];
  auth_time?: number;
}

/** What the ID token of the sign-in that ended here says. */
async function told(begun: Begun, visitor: Visitor): Promise<Told> {
  const { id_token: token = '' } = await town.autopay.redeem(begun, at('back', visitor.screen).url);
  const { acr, amr, auth_time } = (await town.autopay.verify<Told>(token)).payload;
  return { ...(acr && { acr }), ...(amr && { amr }), ...(auth_time && { auth_time }) };
}

/** Single sign-on: what the application hears of the session without a question to the person. */
async function toldSilently(visitor: Visitor): Promise<Told> {
  const begun = await town.autopay.begin({ prompt: 'none' });
  await visitor.visit(begun.url);
  return told(begun, visitor);
}

const byCode = { acr: 'urn:hemma:2', amr: ['pwd', 'rc', 'mfa'] };
const byPhone = { acr: 'urn:hemma:2', amr: ['pwd', 'otp', 'mfa'] };
const byPassword = { acr: 'urn:hemma:1', amr: ['pwd'] };

describe('recovering', () => {
  test('by the code alone says so, in this token and in the session', async () => {
    const person = await people.newPerson(town);
    const [visitor, begun] = [newVisitor(), await town.autopay.begin()];
    await people.toSixDigits(visitor, begun.url, person.email);
    await visitor.submit({ code: person.recoveryCode });
    const page = await visitor.submit({}, 'phoneGone=no');
    await visitor.submit({ lastGroup: recoveryCodeOnPage(page).slice(-4) });
    expect(await told(begun, visitor)).toMatchObject(byCode);
    expect(await toldSilently(visitor)).toMatchObject(byCode);
  });

  test('with a new phone says that its digits were proved', async () => {
    const person = await people.newPerson(town);
    const [visitor, begun] = [newVisitor(), await town.autopay.begin()];
    await people.recover(visitor, begun.url, person);
    expect(await told(begun, visitor)).toMatchObject(byPhone);
    expect(await toldSilently(visitor)).toMatchObject(byPhone);
  });

  test('inside a step-up satisfies it, freshly (J8)', async () => {
    const person = await people.newPerson(town);
    const { visitor } = person;
    travel(minutes(6));
    const begun = await town.autopay.begin({ acr_values: 'urn:hemma:2', max_age: '300' });
    at('password', await visitor.visit(begun.url));
    at('totp', await typePassword(visitor, person.email));
    expect(visitor.screen.page.querySelector('input[name=rememberDevice]')).toBeNull();
    at('recovery-code', await visitor.follow('Ny eller förlorad telefon?'));
    at('re-enrollment', await visitor.submit({ code: person.recoveryCode }, 'phoneGone=yes'));
    await people.connectNewPhone(visitor);
    const claims = await told(begun, visitor);
    expect(claims).toMatchObject(byPhone);
    expect(Date.now() / 1000 - (claims.auth_time ?? 0)).toBeLessThan(60);
  });
});

describe('moving to a new phone with the old one in the hand (J6)', () => {
  test('asks password and old digits, then the new phone; the old one and its code are dead', async () => {
    const person = await people.newPerson(town);
    const { visitor, email } = person;
    const before = await toldSilently(visitor);
    travel(minutes(2));
    const begun = await town.autopay.begin({ intent: 'replace_authenticator' });
    at('password', await visitor.visit(begun.url));
    at('totp', await typePassword(visitor, email));
    at('re-enrollment', await visitor.submit({ code: people.nextDigits(person.key) }));
    const kept = await people.connectNewPhone(visitor);
    const claims = await told(begun, visitor);
    expect(claims).toMatchObject(byPhone);
    expect(claims.auth_time).toBeGreaterThan(before.auth_time ?? Infinity);
    expect(await people.digitsOpen(town, person, person.key)).toBe(false);
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(false);
    expect(await people.digitsOpen(town, person, kept.key)).toBe(true);
    expect(await people.codeOpens(town, person, kept.recoveryCode)).toBe(true);
  });

  test('is the first phone of somebody who has none yet, with one ceremony only', async () => {
    const email = 'none-yet@example.com';
    await town.hemma.account({ email });
    const [visitor, begun] = [newVisitor(), await town.autopay.begin({ intent: 'replace_authenticator' })];
    await visitor.visit(begun.url);
    at('enrollment', await typePassword(visitor, email));
    await people.connectNewPhone(visitor);
    expect(await told(begun, visitor)).toMatchObject(byPhone);
  });
});

describe('the intent step_up', () => {
  test('SECURITY 11, 54 asks for both factors anew, a remembered device or not, and tells the new time', async () => {
    const person = await people.newPerson(town);
    const { visitor, email } = person;
    const remembering = await town.autopay.begin({ prompt: 'login' });
    await people.toSixDigits(visitor, remembering.url, email);
    await visitor.submit({ rememberDevice: 'yes', code: people.nextDigits(person.key) });
    const before = await told(remembering, visitor);
    travel(minutes(1));
    const begun = await town.autopay.begin({ intent: 'step_up' });
    at('password', await visitor.visit(begun.url));
    at('totp', await typePassword(visitor, email));
    await visitor.submit({ code: people.nextDigits(person.key) });
    const claims = await told(begun, visitor);
    expect(claims).toMatchObject(byPhone);
    expect(claims.auth_time).toBeGreaterThan(before.auth_time ?? Infinity);
  });
});

describe('deactivating', () => {
  /** Up to the page whose button names the deed. */
  async function toDeactivate(person: people.Person): Promise<Visitor> {
    const { visitor, email, key } = person;
    await people.toSixDigits(visitor, people.ceremonyUrl(town.hemma, 'deactivate_two_step'), email);
    at('confirm', await visitor.submit({ code: people.nextDigits(key) }));
    return visitor;
  }

  test('makes the session weaker: it says password and no more', async () => {
    const person = await people.newPerson(town);
    expect(await toldSilently(person.visitor)).toMatchObject(byPhone);
    const visitor = await toDeactivate(person);
    at('account', await visitor.submit({}, 'choice=do'));
    expect(await toldSilently(visitor)).toMatchObject(byPassword);
    const begun = await town.autopay.begin({ acr_values: 'urn:hemma:2' });
    at('password', await visitor.visit(begun.url));
  });

  test('does so also where its answer was lost on the way back', async () => {
    const person = await people.newPerson(town);
    const visitor = await toDeactivate(person);
    await people.sendAndLose(visitor, {}, 'choice=do');
    expect(await toldSilently(visitor)).toMatchObject(byPassword);
  });

  test('declined, it leaves everything as it was', async () => {
    const person = await people.newPerson(town);
    const visitor = await toDeactivate(person);
    const screen = at('account', await visitor.submit({}, 'choice=decline'));
    expect(screen.page.querySelector('[data-two-step]')?.getAttribute('data-two-step')).toBe('on');
    expect(await toldSilently(visitor)).toMatchObject(byPhone);
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
  });
});
