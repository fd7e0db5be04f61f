/** Consent: an application from outside asks for a person's details, and the person decides once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back, days, travel } from '../rig/clock.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import * as person from './person.ts';
import { startTown, type Town } from './town.ts';
import { words } from './words.ts';

let town: Town;
let club: RelyingParty;
beforeAll(async () => {
  town = await startTown();
  const description = { name: 'Bokklubben', firstParty: false };
  club = await startRelyingParty({ hemma: town.hemma, description });
});
afterAll(async () => {
  await club.stop();
  await town.stop();
});
afterEach(() => {
  back();
  expect(town.complaints()).toEqual([]);
});

const sv: person.Way = { language: 'sv', scripts: 'with scripts' };

/** Follows a link of the club's, up to the six digits taken. */
async function come(page: Page, way: person.Way, key: string, email: string, scope = 'openid profile email') {
  const begun = await club.begin({ ui_locales: way.language, scope });
  await page.goto(begun.url);
  await person.typePassword(page, way.language, email);
  await person.isAt(page, 'totp');
  await person.typeDigits(page, way, person.nextDigits(key));
  return begun;
}

const asked = (page: Page) => page.locator('main li').allInnerTexts();

/** The club's own sign-out, answered with yes. */
async function leave(page: Page): Promise<void> {
  await page.goto(await club.endSessionUrl({ client_id: club.clientId, ui_locales: 'sv' }));
  await person.isAt(page, 'sign-out');
  await page.getByRole('button', { name: 'Logga ut', exact: true }).click();
  await person.isAt(page, 'signed-out');
}

describe.each(person.twoWays)('asking, $language, $scripts', (way) => {
  const { language } = way;
  const w = words[language];

  test('names the application, what it wants, how long and whose it is; yes leads there', async () => {
    const email = `asks-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    const begun = await come(page, way, key, email);
    await person.isAt(page, 'consent');
    const text = await person.said(page, 'main');
    for (const fact of ['Bokklubben', '30', email, w.myDetails]) expect(text).toContain(fact);
    expect(await asked(page)).toEqual(
      language === 'sv'
        ? ['se ditt namn och ditt språk', 'se din e-postadress']
        : ['see your name and your language', 'see your email address'],
    );
    await page.reload();
    await person.isAt(page, 'consent');
    await page.getByRole('button', { name: w.allow, exact: true }).click();
    await person.isAt(page, 'back');
    const tokens = await club.redeem(begun, page.url());
    const { payload } = await club.verify(tokens.id_token ?? '');
    const details = await club.userinfo(tokens.access_token, payload.sub ?? '');
    expect(details).toMatchObject({ email, name: 'Astrid Lind' });
  });

  test('no leads back to the application, which learns nothing but the no', async () => {
    const email = `denies-${language}-${way.scripts.slice(0, 5).trim()}@example.com`;
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, way);
    const begun = await come(page, way, key, email);
    await person.isAt(page, 'consent');
    await page.getByRole('button', { name: w.deny, exact: true }).click();
    await person.isAt(page, 'back');
    const query = new URL(page.url()).searchParams;
    expect(query.get('error')).toBe('access_denied');
    expect(query.get('state')).toBe(begun.state);
    expect(query.get('code')).toBeNull();
    // A no is not remembered as a yes: the next visit asks again.
    await page.goto((await club.begin({ ui_locales: language })).url);
    await person.isAt(page, 'consent');
  });
});

describe('a yes', () => {
  test('is remembered at the next sign-in and after signing out, until its thirty days have passed', async () => {
    const email = 'yes@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, sv);
    await come(page, sv, key, email);
    await page.getByRole('button', { name: 'Tillåt', exact: true }).click();
    await person.isAt(page, 'back');
    const again = await club.begin();
    await page.goto(again.url);
    await person.isAt(page, 'back');
    expect(new URL(page.url()).searchParams.get('state')).toBe(again.state);

    await leave(page);
    await come(page, sv, key, email);
    await person.isAt(page, 'back');
    await leave(page);
    travel(days(31));
    await come(page, sv, key, email);
    await person.isAt(page, 'consent');
  });

  test('stands under My details, where the page says that it can be withdrawn', async () => {
    const email = 'withdraw@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, sv);
    await come(page, sv, key, email);
    await page.getByRole('button', { name: 'Tillåt', exact: true }).click();
    await person.isAt(page, 'back');
    await page.goto(town.hemma.url('/account'));
    await person.isAt(page, 'account');
    expect(await person.said(page, 'main')).toContain('Bokklubben');
  });

  test('holds for what it was given for: a new wish is asked about, and it alone', async () => {
    const email = 'more@example.com';
    const key = await person.enrolled(town, email);
    const page = await person.browserOf(town, sv);
    await come(page, sv, key, email, 'openid profile');
    await person.isAt(page, 'consent');
    expect(await asked(page)).toEqual(['se ditt namn och ditt språk']);
    await page.getByRole('button', { name: 'Tillåt', exact: true }).click();
    await person.isAt(page, 'back');
    await page.goto((await club.begin({ scope: 'openid profile email' })).url);
    await person.isAt(page, 'consent');
    expect(await asked(page)).toEqual(['se din e-postadress']);
  });

  test('of one person is not a yes of another in the same browser', async () => {
    const [one, other] = ['one@example.com', 'other@example.com'];
    const keys = [await person.enrolled(town, one), await person.enrolled(town, other)] as const;
    const page = await person.browserOf(town, sv);
    await come(page, sv, keys[0], one);
    await page.getByRole('button', { name: 'Tillåt', exact: true }).click();
    await person.isAt(page, 'back');
    await leave(page);
    await come(page, sv, keys[1], other);
    await person.isAt(page, 'consent');
    expect(await person.said(page, 'main')).toContain(other);
  });
});
