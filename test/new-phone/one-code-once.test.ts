/** A recovery code belongs to the last sign-in that entered it, for as long as it lives, and completes one thing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { shortWay, type Trip, walk } from './journeys.ts';
import * as people from './people.ts';
import type { Person, Town } from './people.ts';

let town: Town;
beforeAll(async () => {
  const hemma = await startHemma();
  town = { hemma, autopay: await startRelyingParty({ hemma }) };
});
afterAll(async () => {
  await town.autopay.stop();
  await town.hemma.stop();
});
afterEach(back);

/** The second factor is to be proved anew: by six digits, or by a code that is typed again. */
function isAskedAgain({ step, page }: Screen): void {
  expect(['totp', 'recovery-code']).toContain(step);
  expect(page.querySelectorAll('main input[name=code]')).toHaveLength(1);
}

const begun = async () => (await town.autopay.begin()).url;

/** Somebody in a new browser who has typed the password and the code, and is asked about the phone. */
async function askedAboutThePhone(person: Person): Promise<Visitor> {
  const visitor = newVisitor();
  await people.toSixDigits(visitor, await begun(), person.email);
  at('recovery-code', await visitor.submit({ code: person.recoveryCode }));
  return visitor;
}

/** A ceremony of the account pages, up to behind the six digits of the phone. */
async function ceremony({ visitor, email }: Person, intent: string, key: string): Promise<Visitor> {
  await visitor.visit(people.ceremonyUrl(town.hemma, intent));
  at('totp', await typePassword(visitor, email));
  await visitor.submit({ code: people.nextDigits(key) });
  return visitor;
}

describe('a code that two sign-ins enter', () => {
  test('belongs to the later one; the earlier is sent back to the second factor, then to the password', async () => {
    const person = await people.newPerson(town);
    const earlier = await askedAboutThePhone(person);
    const page = at('re-enrollment', await earlier.submit({}, 'phoneGone=yes'));
    const later = await askedAboutThePhone(person);
    at('totp', await earlier.submit({ code: sixDigits(people.newKeyOnPage(page)) }));
    expect(await people.digitsOpen(town, person, people.newKeyOnPage(page))).toBe(false);
    at('re-enrollment', await later.submit({}, 'phoneGone=yes'));
    await people.connectNewPhone(later);
    at('back', later.screen);
    at('password', await earlier.submit({ code: person.recoveryCode }));
  });

  test('is taken back by entering it again, and then the other one is sent back', async () => {
    const person = await people.newPerson(town);
    const one = await askedAboutThePhone(person);
    const other = await askedAboutThePhone(person);
    isAskedAgain(await one.submit({}, 'phoneGone=yes'));
    at('new-recovery-code', await one.submit({ code: person.recoveryCode }, 'phoneGone=no'));
    isAskedAgain(await other.submit({}, 'phoneGone=no'));
    await one.submit({ lastGroup: recoveryCodeOnPage(one.screen).slice(-4) });
    at('back', one.screen);
  });

  test('lets the phone, should it turn up, finish the one that lost it', async () => {
    const person = await people.newPerson(town);
    const one = await askedAboutThePhone(person);
    await askedAboutThePhone(person);
    isAskedAgain(await one.submit({}, 'phoneGone=yes'));
    at('totp', await one.visit(new URL('totp', one.screen.url)));
    at('back', await one.submit({ code: people.nextDigits(person.key) }));
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
  });
});

/** What an owner with the phone in the hand does on being told that somebody has used the code. */
const deeds: Record<string, (person: Person) => Promise<void>> = {
  'a new recovery code': async (person) => {
    const owner = await ceremony(person, 'new_recovery_code', person.key);
    const code = recoveryCodeOnPage(owner.screen);
    at('account', await owner.submit({ lastGroup: code.slice(-4) }));
  },
  'another phone': async (person) => {
    const owner = await ceremony(person, 'replace_authenticator', person.key);
    await people.connectNewPhone(owner);
    at('account', owner.screen);
  },
  'deactivating and activating': async (person) => {
    const owner = await ceremony(person, 'deactivate_two_step', person.key);
    at('account', await owner.submit({}, 'choice=do'));
    await owner.follow('Aktivera tvåstegsverifiering');
    at('enrollment', await typePassword(owner, person.email));
    await people.connectNewPhone(owner);
    at('account', owner.screen);
  },
};

describe.each(Object.entries(deeds))('a code that died by %s', (_name, deed) => {
  test.each(['yes', 'no'])(
    'ends a sign-in that had entered it before (phone gone: %s)',
    async (phoneGone) => {
      const person = await people.newPerson(town);
      const thief = await askedAboutThePhone(person);
      await deed(person);
      at('password', await thief.submit({}, `phoneGone=${phoneGone}`));
    },
  );
});

describe('a code that has replaced a phone', () => {
  test('replaces no second one, also where that sign-in is still open', async () => {
    const person = await people.newPerson(town);
    const trip: Trip = await shortWay.begin(town, person);
    at('new-recovery-code', await walk(trip, shortWay.moves, 4));
    // Elsewhere, with the new phone: on to yet another one.
    const now = { ...person, key: trip.newKey ?? '' };
    await people.connectNewPhone(await ceremony(now, 'replace_authenticator', now.key));
    at('account', person.visitor.screen);
    at('password', await trip.visitor.visit(trip.visitor.screen.url));
  });
});

describe('two tabs that both show a new code', () => {
  test('the code whose last group is typed back first is active, and the other sign-in starts again', async () => {
    const person = await people.newPerson(town);
    const trip = await shortWay.begin(town, person);
    const first = await walk(trip, shortWay.moves, 4);
    const { visitor, newKey = '' } = trip;
    await people.toSixDigits(visitor, await begun(), person.email);
    const second = await visitor.submit({ code: people.nextDigits(newKey) });
    at('back', await visitor.submit({ lastGroup: recoveryCodeOnPage(second).slice(-4) }));
    visitor.backTo(first);
    at('password', await visitor.submit({ lastGroup: recoveryCodeOnPage(first).slice(-4) }));
    expect(await people.codeOpens(town, person, recoveryCodeOnPage(second))).toBe(true);
    expect(await people.codeOpens(town, person, recoveryCodeOnPage(first))).toBe(false);
  });
});
