/** Whoever thinks better of it: a deed is left where it is, the sign-in goes on, and nothing has changed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, recoveryCodeOnPage, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import * as people from './people.ts';
import type { Town } from './people.ts';

let town: Town;
beforeAll(async () => {
  const hemma = await startHemma();
  town = {
    hemma,
    autopay: await startRelyingParty({ hemma, description: { allowedIntents: ['replace_authenticator'] } }),
  };
});
afterAll(async () => {
  await town.autopay.stop();
  await town.hemma.stop();
});
afterEach(back);

describe('"Avbryt"', () => {
  const pages = {
    replace_authenticator: 're-enrollment',
    change_password: 'new-password',
    change_email: 'new-email',
    change_notice_email: 'new-email',
    deactivate_two_step: 'confirm',
    check_recovery_code: 'confirm',
    delete_account: 'confirm',
  };
  test.each(Object.entries(pages))('leaves %s at its last page and changes nothing', async (intent, page) => {
    const person = await people.newPerson(town);
    const visitor = newVisitor();
    await people.toSixDigits(visitor, people.ceremonyUrl(town.hemma, intent), person.email);
    at(page, await visitor.submit({ code: people.nextDigits(person.key) }));
    const screen = at('account', await visitor.submit({}, 'Avbryt'));
    expect(screen.url.href).toBe(town.hemma.url('/account'));
    expect(await people.digitsOpen(town, person, person.key)).toBe(true);
    expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(true);
  });

  test('of an application’s own link goes back to it, signed in, with the old phone', async () => {
    const person = await people.newPerson(town);
    const visitor = newVisitor();
    const begun = await town.autopay.begin({ intent: 'replace_authenticator' });
    await people.toSixDigits(visitor, begun.url, person.email);
    at('re-enrollment', await visitor.submit({ code: people.nextDigits(person.key) }));
    at('back', await visitor.submit({}, 'Avbryt'));
    expect((await town.autopay.redeem(begun, visitor.screen.url)).claims()?.sub).toBe(person.id);
    expect(await people.digitsOpen(town, person, person.key)).toBe(true);
  });

  test('is not offered where the sign-in itself needs the page, nor taken there', async () => {
    const { email } = await town.hemma.account({ email: 'ny@example.com' });
    const visitor = newVisitor();
    await visitor.visit(people.ceremonyUrl(town.hemma, 'activate_two_step'));
    const screen = at('enrollment', await typePassword(visitor, email));
    expect(screen.page.querySelector('button[value=decline]')).toBeNull();
    const token = screen.page.querySelector('input[name=token]')?.getAttribute('value') ?? '';
    at('enrollment', await visitor.post(screen.url, { token, choice: 'decline' }));
  });
});

test('the phone that was gone is found: it stays, the code is spent, and a new one is kept', async () => {
  const person = await people.newPerson(town);
  const visitor = newVisitor();
  const begun = await town.autopay.begin();
  await people.toSixDigits(visitor, begun.url, person.email);
  await visitor.submit({ code: person.recoveryCode });
  const key = people.newKeyOnPage(at('re-enrollment', await visitor.submit({}, 'phoneGone=yes')));
  const recoveryCode = recoveryCodeOnPage(await visitor.submit({}, 'Jag hittade den gamla telefonen'));
  at('back', await visitor.submit({ lastGroup: recoveryCode.slice(-4) }));
  expect(await people.digitsOpen(town, person, person.key)).toBe(true);
  expect(await people.digitsOpen(town, person, key)).toBe(false);
  expect(await people.codeOpens(town, person, person.recoveryCode)).toBe(false);
  expect(await people.codeOpens(town, person, recoveryCode)).toBe(true);
});

test('found and gone again: the last answer counts', async () => {
  const person = await people.newPerson(town);
  const visitor = newVisitor();
  await people.toSixDigits(visitor, (await town.autopay.begin()).url, person.email);
  await visitor.submit({ code: person.recoveryCode });
  const gone = at('re-enrollment', await visitor.submit({}, 'phoneGone=yes'));
  at('new-recovery-code', await visitor.submit({}, 'phoneGone=no'));
  // In a second tab the page of the new phone still stands; it is no longer open.
  visitor.backTo(gone);
  at('new-recovery-code', await visitor.submit({ code: sixDigits(people.newKeyOnPage(gone)) }));
  expect(await people.digitsOpen(town, person, person.key)).toBe(true);
});

test('a code that another window took over is asked for again in words', async () => {
  const person = await people.newPerson(town);
  const [first, second] = [newVisitor(), newVisitor()];
  for (const visitor of [first, second]) {
    await people.toSixDigits(visitor, (await town.autopay.begin()).url, person.email);
    at('recovery-code', await visitor.submit({ code: person.recoveryCode }));
  }
  await first.submit({}, 'phoneGone=no');
  const url = first.screen.url.href.replace(/[^/]+$/, 'recovery-code');
  at('recovery-code', await first.visit(url));
  await first.submit({}, 'phoneGone=no');
  expect([first.screen.status, first.screen.refusal]).toEqual([422, 'missing-recovery-code']);
});
