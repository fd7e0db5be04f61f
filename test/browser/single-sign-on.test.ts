/** J7, the simple half: Lön after Autopay without a question, and signing out of one signs out of both. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { applyClient } from '../../src/clients/clients.ts';
import { newPerson } from '../protocol/people.ts';
import { back, seconds, travel } from '../rig/clock.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';
import { words } from './words.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown();
});
afterAll(() => town.stop());
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

describe.each(person.twoWays)('one sign-in for both, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('Lön asks nothing, one sign-out ends both, and the next sign-in asks everything again', async () => {
    const email = `sso-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.isSignedIn(page, language);

    const lon = await town.newTab(page);
    await lon.goto(town.lon);
    await lon.getByRole('link', { name: w.signIn, exact: true }).click();
    await person.isBackAt(lon, 'payslips');
    expect(await person.heading(lon)).toBe(w.payslips);
    await lon.getByText('Astrid Lind', { exact: true }).waitFor();

    await person.openMenu(page);
    await page.getByRole('button', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    expect(await person.heading(page)).toBe(w.signOutTitle);
    expect((await page.locator('main li').allInnerTexts()).sort()).toEqual(['Autopay', 'Lön']);
    await page.getByRole('button', { name: w.signOut, exact: true }).click();
    await person.isBackAt(page, 'signed-out');
    expect(await person.heading(page)).toBe(w.signedOutOf('Autopay'));

    await lon.reload();
    await person.isBackAt(lon, 'welcome');
    await lon.getByRole('link', { name: w.signIn, exact: true }).click();
    await person.isAt(lon, 'password');

    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.typePassword(page, language, email);
    await person.isAt(page, 'totp');
    await person.typeDigits(page, way, person.nextDigits(key));
    await person.isSignedIn(page, language);
  });
});

describe('the page after signing out', () => {
  test('follows applications that did not answer by itself, and asks nobody else', async () => {
    const lon = await startRelyingParty({ hemma: town.hemma, description: { name: 'Lön' } });
    const { visitor, ...somebody } = await newPerson(town.hemma, { twoStep: false });
    await somebody.signInTo(lon);
    lon.onLogout('with a fault');
    const page = await town.newPerson();
    const url = `${town.hemma.issuer}/`;
    await page.context().addCookies(visitor.cookies.all().map(({ name, value }) => ({ name, value, url })));
    await page.goto(town.hemma.url('/session/end'));
    await page.getByRole('button', { name: 'Logga ut', exact: true }).click();
    await person.isAt(page, 'signed-out');
    await page.getByText('Lön: svarade inte, försöker igen').waitFor();
    expect(await page.locator('[data-again]').isHidden()).toBe(true);
    lon.onLogout('well');
    travel(seconds(15));
    await page.getByText('Lön: utloggad').waitFor();
    expect(await page.getByRole('status').innerText()).toContain('Du kan stänga webbläsaren nu.');
    await lon.stop();
  });

  test('opens the page of an application that has nothing else, and goes on by itself', async () => {
    const old = await startRelyingParty({ hemma: town.hemma, description: { name: 'Gammal' } });
    const { origin } = new URL(old.redirectUri);
    const { backchannelLogoutUri: _none, ...description } = old.description;
    await applyClient(town.hemma.db, { ...description, frontchannelLogoutUri: `${origin}/bye` });
    const { visitor, ...somebody } = await newPerson(town.hemma, { twoStep: false });
    await somebody.signInTo(old);
    const page = await town.newPerson();
    const url = `${town.hemma.issuer}/`;
    await page.context().addCookies(visitor.cookies.all().map(({ name, value }) => ({ name, value, url })));
    const opened = page.waitForResponse((one) => one.url().startsWith(`${origin}/bye?iss=`));
    const asked = { client_id: old.clientId, post_logout_redirect_uri: `${origin}/signed-out` };
    await page.goto(town.hemma.url(`/session/end?${new URLSearchParams(asked).toString()}`));
    await page.getByRole('button', { name: 'Logga ut', exact: true }).click();
    expect((await opened).status()).toBe(200);
    await page.waitForURL(`${origin}/signed-out`);
    await old.stop();
  });
});

describe('thinking again', () => {
  const way: person.Way = { language: 'sv', scripts: 'without scripts' };
  const { language } = way;
  const w = words[language];

  test('whoever stays signed in is asked nothing at the next sign-in', async () => {
    const email = 'stay@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.openMenu(page);
    await page.getByRole('button', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    await page.getByRole('button', { name: w.stayHere }).click();
    // Autopay has ended its own session; Hemma's lives on.
    await person.isBackAt(page, 'signed-out');
    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.isSignedIn(page, language);
  });

  test('signing out under My details ends both too, and says so', async () => {
    const email = 'details@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    await person.signIn(page, way, { application: town.autopay, email, key });
    await person.openMenu(page);
    await page.getByRole('link', { name: w.myDetails }).click();
    await person.isAt(page, 'account');
    await page.locator('main').getByRole('link', { name: w.signOut }).click();
    await person.isAt(page, 'sign-out');
    await page.getByRole('button', { name: w.signOut, exact: true }).click();
    await person.isAt(page, 'signed-out');
    expect(await person.heading(page)).toBe('Du är utloggad');
    await page.getByRole('link', { name: w.signInAgain }).click();
    await person.isAt(page, 'password');
    await page.goto(town.autopay);
    await person.isBackAt(page, 'welcome');
  });
});
