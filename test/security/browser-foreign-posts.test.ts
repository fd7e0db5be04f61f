/**
 * Chromium, with forms that a sibling host and a foreign site post to the provider by themselves. A sibling host is the same
 * site, so that SameSite=Lax cookies go with its forms; what refuses them is the origin.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { back } from '../rig/clock.ts';
import { PASSWORD } from '../rig/password.ts';
import * as person from '../browser/person.ts';
import { enrollBy } from '../support/browser-user.ts';
import { type Origins, startOrigins } from '../support/origins.ts';
import { nextCode } from '../support/secure-provider.ts';
import { beginAsAttacker, postFrom } from '../support/sibling.ts';

const slow = 180_000;
const way = { language: 'sv', scripts: 'with scripts' } as const;
let origins: Origins;
beforeAll(async () => {
  origins = await startOrigins();
}, slow);
afterEach(back);
afterAll(() => origins.stop());

const hosts = [
  ['a sibling host', () => origins.sibling],
  ['a foreign site', () => origins.foreign],
] as const;

const uidIn = (page: Page) => new URL(page.url()).pathname.split('/')[2] ?? '';
const pageOf = (uid: string, page: string) => origins.hemma.url(`/interaction/${uid}/${page}`);
const tokenIn = (page: Page) => page.locator('main input[name=token]').first().getAttribute('value');

async function signedInAs(page: Page): Promise<string | undefined> {
  await page.goto(origins.hemma.url('/account'));
  if ((await page.locator('main').getAttribute('data-step')) !== 'account') return undefined;
  return (await person.said(page, 'main')).match(/[\w-]+@users\.example\.com/)?.[0];
}

async function finish(page: Page, user: { email: string; key: string }): Promise<void> {
  if ((await page.locator('main').getAttribute('data-step')) === 'password')
    await person.typePassword(page, 'sv', user.email);
  await person.isAt(page, 'totp');
  await person.typeDigits(page, way, nextCode(user.key));
  await person.isAt(page, 'back');
  expect(await signedInAs(page)).toBe(user.email);
}

describe.each(hosts)('a form that %s posts by itself', (_name, host) => {
  let user: Awaited<ReturnType<typeof enrollBy>>;
  let attacker: Awaited<ReturnType<typeof enrollBy>>;
  let page: Page;
  beforeEach(async () => {
    user = await enrollBy(origins);
    attacker = await enrollBy(origins);
    page = await origins.newBrowser();
    await page.goto(origins.begin().url);
    await person.isAt(page, 'password');
  }, slow);

  test(
    "with the attacker's password is refused in the victim's interaction, who goes on",
    async () => {
      const at = page.url();
      const token = (await tokenIn(page)) ?? '';
      const fields = { email: attacker.email, password: PASSWORD, token };
      await postFrom(page, host(), pageOf(uidIn(page), 'password'), fields);
      expect(await person.said(page, 'body')).not.toContain(attacker.email);
      await page.goto(at);
      await finish(page, user);
    },
    slow,
  );

  test(
    "to the attacker's own interaction does not sign the victim in as the attacker",
    async () => {
      const begun = await beginAsAttacker(origins);
      const token = begun.visitor.screen.page.querySelector('main input[name=token]')?.getAttribute('value');
      const fields = { email: attacker.email, password: PASSWORD, token: token ?? '' };
      await postFrom(page, host(), pageOf(begun.uid, 'password'), fields);
      await page.goto(origins.hemma.url(`/auth/${begun.uid}`));
      expect(await signedInAs(page)).toBeUndefined();
    },
    slow,
  );

  test(
    'with a TOTP code, a recovery code or a button changes nothing behind the password',
    async () => {
      const uid = uidIn(page);
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      const at = page.url();
      const token = (await tokenIn(page)) ?? '';
      for (const [step, fields] of [
        ['totp', { code: '000000', rememberDevice: 'yes' }],
        ['recovery-code', { code: user.recoveryCode, phoneGone: 'yes' }],
        ['help-desk', {}],
        ['password', { email: attacker.email, password: PASSWORD }],
      ] as const) {
        await postFrom(page, host(), pageOf(uid, step), { ...fields, token });
        expect(await person.said(page, 'body')).not.toContain(user.email);
      }
      await page.goto(at);
      await person.isAt(page, 'totp');
      await finish(page, user);
    },
    slow,
  );

  test(
    'to the sign-out, or a link to the last redirect of an interaction, leaves the victim signed in',
    async () => {
      const uid = uidIn(page);
      await finish(page, user);
      await postFrom(page, host(), origins.hemma.url('/session/end/confirm'), { logout: 'yes' });
      expect(await signedInAs(page)).toBe(user.email);
      for (const path of [`/auth/${uid}`, `/device/${uid}`, `/interaction/${uid}`]) {
        await postFrom(page, host(), origins.hemma.url(path), {});
        await page.goto(`${host()}/`);
        await page.evaluate((to) => void (location.href = to), origins.hemma.url(path));
        await page.waitForURL((url) => url.origin !== host());
        expect(await signedInAs(page)).toBe(user.email);
      }
    },
    slow,
  );

  test(
    'with an authorization request begins a sign-in, which the user finishes',
    async () => {
      const { url } = origins.begin();
      const fields = Object.fromEntries(new URL(url).searchParams);
      await postFrom(page, host(), origins.hemma.url('/auth'), fields);
      await person.isAt(page, 'password');
      await finish(page, user);
    },
    slow,
  );
});
