/** Chromium over TLS: tabs, Back, reload, a double click and many last redirects, as honest users have them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import * as person from '../browser/person.ts';
import { enrollBy } from '../support/browser-user.ts';
import { type Origins, startOrigins } from '../support/origins.ts';
import { nextCode } from '../support/secure-provider.ts';

const slow = 180_000;
const way = { language: 'sv', scripts: 'with scripts' } as const;
type User = Awaited<ReturnType<typeof enrollBy>>;
let origins: Origins;
beforeAll(async () => {
  origins = await startOrigins();
}, slow);
afterEach(back);
afterAll(() => origins.stop());

const stepOf = (page: Page) => page.locator('main').getAttribute('data-step');

/** Goes on from the page in front to the client, with at most one more password. */
async function finish(page: Page, user: User): Promise<void> {
  if ((await stepOf(page)) === 'password') await person.typePassword(page, 'sv', user.email);
  await person.isAt(page, 'totp');
  await person.typeDigits(page, way, nextCode(user.key));
  await person.isAt(page, 'back');
  expect(new URL(page.url()).searchParams.get('code')).toBeTruthy();
}

async function atPassword(page: Page, parameters: Record<string, string> = {}): Promise<Page> {
  await page.goto(origins.begin(parameters).url);
  await person.isAt(page, 'password');
  return page;
}

const signInCookies = async (page: Page) =>
  (await page.context().cookies()).filter(({ name }) => name.includes('hemma-signin-'));

describe('an honest browser', () => {
  test(
    'finishes two sign-ins in two tabs, taken in turns',
    async () => {
      const user = await enrollBy(origins);
      const one = await atPassword(await origins.newBrowser());
      const other = await atPassword(await one.context().newPage());
      await person.typePassword(one, 'sv', user.email);
      await person.isAt(one, 'totp');
      await person.typePassword(other, 'sv', user.email);
      await person.isAt(other, 'totp');
      await finish(one, user);
      await finish(other, user);
      expect((await signInCookies(one)).length).toBe(0);
    },
    slow,
  );

  test(
    'goes Back to the password page, reloads it, and finishes',
    async () => {
      const user = await enrollBy(origins);
      const page = await atPassword(await origins.newBrowser());
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      await page.goBack();
      await page.waitForLoadState('load');
      await page.reload();
      await finish(page, user);
    },
    slow,
  );

  test(
    'submits the password page again after Back, and finishes',
    async () => {
      const user = await enrollBy(origins);
      const page = await atPassword(await origins.newBrowser());
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      await page.goBack();
      await page.waitForLoadState('load');
      if ((await stepOf(page)) === 'password') await person.typePassword(page, 'sv', user.email);
      await page.waitForLoadState('load');
      await finish(page, user);
    },
    slow,
  );

  test(
    'double-clicks the button of the password page, and finishes with at most one password more',
    async () => {
      const user = await enrollBy(origins);
      const page = await atPassword(await origins.newBrowser({ javaScript: false }));
      await page.locator('input[name=email]').fill(user.email);
      await page.locator('input[name=password]').fill('en stilla sjö i augusti');
      await page.locator('main form button[type=submit]').first().dblclick({ noWaitAfter: true });
      await page.locator('main[data-step=totp], main[data-step=password]:has([value=""])').first().waitFor();
      await page.waitForLoadState('load');
      if ((await stepOf(page)) === 'password') await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      await page.locator('input[name=code]').fill(nextCode(user.key));
      await page.locator('main form button[type=submit]').first().click();
      await person.isAt(page, 'back');
    },
    slow,
  );

  test(
    'reloads each page of a first sign-in, and finishes',
    async () => {
      const { email } = await origins.hemma.account({ email: 'reloads@users.example.com' });
      const page = await atPassword(await origins.newBrowser());
      await page.reload();
      await person.typePassword(page, 'sv', email);
      await person.isAt(page, 'enrollment');
      const key = await person.readKey(page, 'sv');
      await page.reload();
      await person.isAt(page, 'enrollment');
      expect(await person.readKey(page, 'sv')).toBe(key);
      await person.typeDigits(page, way, nextCode(key));
      await person.isAt(page, 'new-recovery-code');
      const code = await person.readCode(page);
      await page.reload();
      await person.isAt(page, 'new-recovery-code');
      expect(await person.readCode(page)).toBe(code);
      await person.typeLastGroup(page, 'sv', code.slice(-4));
      await person.isAt(page, 'back');
      expect((await signInCookies(page)).length).toBe(0);
    },
    slow,
  );

  test(
    'keeps at most 10 sign-in cookies, and the last of many tabs finishes',
    async () => {
      const user = await enrollBy(origins);
      const page = await origins.newBrowser();
      for (let count = 0; count < 13; count++) await atPassword(page);
      const kept = await signInCookies(page);
      expect(kept.length).toBeGreaterThan(1);
      expect(kept.length).toBeLessThanOrEqual(10);
      for (const { name, secure, httpOnly, sameSite, path, domain } of kept)
        expect([name.startsWith('__Host-'), secure, httpOnly, sameSite, path, domain]).toEqual([
          true,
          true,
          true,
          'Lax',
          '/',
          'login.hemma.test',
        ]);
      await finish(page, user);
    },
    slow,
  );

  test(
    'gets its code by form_post, and steps up afterwards',
    async () => {
      const user = await enrollBy(origins);
      const page = await atPassword(await origins.newBrowser(), { response_mode: 'form_post' });
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      await person.typeDigits(page, way, nextCode(user.key));
      await person.isAt(page, 'back');
      expect(await page.locator('main').getAttribute('data-posted')).toMatch(/(^|&)code=[\w-]+/);
      await atPassword(page, { prompt: 'login', acr_values: 'urn:hemma:2' });
      await finish(page, user);
    },
    slow,
  );

  test(
    'opens the last redirect in ten tabs at once, and has one session and no error',
    async () => {
      const user = await enrollBy(origins);
      const page = await atPassword(await origins.newBrowser({ bypassCSP: true }));
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      const uid = new URL(page.url()).pathname.split('/')[2] ?? '';
      // Sent by the page, and not followed: what ten clicks at once would be.
      await page.evaluate(async (code) => {
        const form = document.querySelector<HTMLFormElement>('main form:has([name=code])');
        const body = new URLSearchParams();
        for (const [name, value] of form ? new FormData(form) : [])
          if (typeof value === 'string') body.set(name, value);
        body.set('code', code);
        await fetch(location.href, { method: 'POST', body, redirect: 'manual' });
      }, nextCode(user.key));
      const tabs = await Promise.all(Array.from({ length: 10 }, () => page.context().newPage()));
      await Promise.all(tabs.map((tab) => tab.goto(origins.hemma.url(`/auth/${uid}`))));
      for (const tab of tabs) expect(['back', 'password', 'account']).toContain(await stepOf(tab));
      await page.goto(origins.hemma.url('/account'));
      await person.isAt(page, 'account');
      // The browser of the enrollment stopped before its own last redirect and has none.
      expect(await page.locator('[data-session]').count()).toBe(1);
    },
    slow,
  );
});
