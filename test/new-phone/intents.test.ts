/** An intent is a dangerous link: who may send it, whom it reaches, what it says, and what carries nothing out. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import * as people from './people.ts';
import type { Person, Town } from './people.ts';

let town: Town;
let stranger: RelyingParty;
beforeAll(async () => {
  const hemma = await startHemma();
  town = { hemma, autopay: await startRelyingParty({ hemma }) };
  const description = { name: 'Budget', firstParty: false, allowedIntents: ['step_up' as const] };
  stranger = await startRelyingParty({ hemma, description });
});
afterAll(async () => {
  await Promise.all([town.autopay.stop(), stranger.stop()]);
  await town.hemma.stop();
});
afterEach(back);

const own = (intent: string) => people.ceremonyUrl(town.hemma, intent);

/** The old phone and the code still open, and two-step verification is on. */
async function nothingChanged(person: Person): Promise<void> {
  expect(await people.digitsOpen(town, person, person.key)).toBe(true);
  expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
}

describe('an intent is refused', () => {
  const list = ['deactivate_two_step', 'activate_two_step', 'replace_authenticator', 'new_recovery_code'];
  const more = ['check_recovery_code', 'change_password', 'change_email', 'delete_account', 'step_up'];
  test.each([...list, ...more])('from an application that was not allowed it: %s', async (intent) => {
    const screen = at('back', await newVisitor().visit((await town.autopay.begin({ intent })).url));
    expect(screen.url.searchParams.get('error')).toBe('invalid_request');
    expect(screen.url.searchParams.get('code')).toBeNull();
  });

  test.each(['become_admin', 'deactivate_two_step ', 'DELETE_ACCOUNT', 'toString'])(
    'SECURITY 11 that is not on the list, whoever sends it: %j',
    async (intent) => {
      const { hemma, autopay } = town;
      const theirs = at('back', await newVisitor().visit((await autopay.begin({ intent })).url));
      expect(theirs.url.searchParams.get('error')).toBe('invalid_request');
      const ours = await newVisitor().visit(own(intent));
      expect(ours.step).toBe('problem');
      expect(hemma.logs()).not.toContain('a request failed');
    },
  );

  test('by an application that may send another one', async () => {
    const { url } = await stranger.begin({ intent: 'replace_authenticator' });
    const screen = at('back', await newVisitor().visit(url));
    expect(screen.url.searchParams.get('error')).toBe('invalid_request');
  });
});

describe('an intent of an application that asks for consent', () => {
  test('ends after both, and does not begin again', async () => {
    const person = await people.newPerson(town);
    const visitor = newVisitor();
    await people.toSixDigits(visitor, (await stranger.begin({ intent: 'step_up' })).url, person.email);
    at('consent', await visitor.submit({ code: people.nextDigits(person.key) }));
    const screen = at('back', await visitor.submit({}, 'choice=allow'));
    expect(screen.url.searchParams.get('code')).not.toBeNull();
  });
});

/** Every page names the deed; from the password on, the account as well. */
function names(screen: Screen, deed: string, email: string): Screen {
  expect(screen.page.querySelector('.deed')?.textContent).toContain(deed);
  expect(screen.body).toContain(email);
  return screen;
}

describe('every page on the way names the deed and the account', () => {
  test('when two-step verification is switched off by code and on again', async () => {
    const person = await people.newPerson(town);
    const { visitor, email } = person;
    const off = 'Inaktivera tvåstegsverifiering';
    await visitor.visit(town.hemma.url('/account'));
    names(at('password', await visitor.follow(off)), off, email);
    names(at('totp', await typePassword(visitor, email)), off, email);
    names(at('another-way', await visitor.follow('Förlorat min telefon')), off, email);
    names(at('recovery-code', await visitor.follow('Skriv in en engångskod')), off, email);
    const last = names(at('confirm', await visitor.submit({ code: person.recoveryCode })), off, email);
    expect(last.page.querySelector('main form button')?.textContent).toBe(off);
    at('account', await visitor.submit({}, off));
    const on = 'Aktivera tvåstegsverifiering';
    names(at('password', await visitor.follow(on)), on, email);
    names(at('enrollment', await typePassword(visitor, email)), on, email);
  });

  test.each([
    ['replace_authenticator', 'Flytta till en ny telefon', 're-enrollment'],
    ['new_recovery_code', 'Skapa en ny engångskod', 'new-recovery-code'],
    ['check_recovery_code', 'Kontrollera din engångskod', 'confirm'],
  ])('of %s', async (intent, deed, page) => {
    const person = await people.newPerson(town);
    const { visitor, email } = person;
    names(at('password', await visitor.visit(own(intent))), deed, email);
    names(at('totp', await typePassword(visitor, email)), deed, email);
    names(at(page, await visitor.submit({ code: people.nextDigits(person.key) })), deed, email);
  });
});

describe('a link that reaches another account', () => {
  test.each(['deactivate_two_step', 'replace_authenticator', 'new_recovery_code', 'delete_account'])(
    'than the one that is signed in carries nothing out: %s',
    async (intent) => {
      const [here, other] = [await people.newPerson(town), await people.newPerson(town)];
      await here.visitor.visit(own(intent));
      at('other-account', await typePassword(here.visitor, other.email));
      at('totp', await here.visitor.submit({}, 'choice=switch'));
      const between = await here.visitor.submit({ code: people.nextDigits(other.key) });
      // Without scripts a page stands here that ends the other session.
      const screen = between.step === undefined ? await here.visitor.submit() : between;
      // What the person signed in for is over; they are simply signed in.
      expect(at('account', screen).text).toContain(other.email);
      await nothingChanged(other);
      await nothingChanged(here);
    },
  );
});

describe('the recovery code from My details', () => {
  test('SECURITY 36 a new one is shown after both factors, and the old one lives until it was typed back', async () => {
    const person = await people.newPerson(town);
    const { visitor } = person;
    await people.toSixDigits(visitor, own('new_recovery_code'), person.email);
    const page = await visitor.submit({ code: people.nextDigits(person.key) });
    const code = recoveryCodeOnPage(page);
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
    expect((await visitor.submit({ lastGroup: '----' })).refusal).toBe('wrong-last-group');
    at('account', await visitor.submit({ lastGroup: code.slice(-4) }));
    await town.hemma.mail.mailTo(person.email, /ny engångskod/);
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(false);
    expect(await people.codeOpens(town, person, code)).toBe(true);
  });

  test('checking it spends nothing and says when it was', async () => {
    const person = await people.newPerson(town);
    const { visitor } = person;
    await people.toSixDigits(visitor, own('check_recovery_code'), person.email);
    at('confirm', await visitor.submit({ code: people.nextDigits(person.key) }));
    const screen = at('account', await visitor.submit({ code: person.recoveryCode.toLowerCase() }));
    expect(screen.text).toContain('Du kontrollerade den');
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
  });

  test('checking is throttled together with using it', async () => {
    const person = await people.newPerson(town);
    const { visitor } = person;
    await people.toSixDigits(visitor, own('check_recovery_code'), person.email);
    at('confirm', await visitor.submit({ code: people.nextDigits(person.key) }));
    const wrong = person.recoveryCode.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    for (let tries = 0; tries < 5; tries++)
      expect((await visitor.submit({ code: wrong })).refusal).toBe('wrong-recovery-code');
    expect((await visitor.submit({ code: person.recoveryCode })).status).toBe(429);
    const elsewhere = newVisitor();
    await people.toSixDigits(elsewhere, (await town.autopay.begin()).url, person.email);
    expect((await elsewhere.submit({ code: person.recoveryCode })).refusal).toBe('throttled');
    travel(minutes(1));
    at('account', await visitor.submit({ code: person.recoveryCode }));
  });
});
