/** Chromium, with a sibling host that plants cookies before, during and after the password. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { at, typePassword as typePasswordAsVisitor } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { newVisitor } from '../rig/visitor.ts';
import * as person from '../browser/person.ts';
import { enrollBy } from '../support/browser-user.ts';
import { type Origins, startOrigins } from '../support/origins.ts';
import { submitWithoutFollowing } from '../support/parallel-finish.ts';
import { nextCode } from '../support/secure-provider.ts';
import { attackerGains, beginAsAttacker, plantFromSibling } from '../support/sibling.ts';
import { interactionCookies } from '../support/sign-in-cookies.ts';

const slow = 180_000;
const way = { language: 'sv', scripts: 'with scripts' } as const;
let origins: Origins;
beforeAll(async () => {
  origins = await startOrigins();
}, slow);
afterEach(back);
afterAll(() => origins.stop());

const stepOf = (page: Page) => page.locator('main').getAttribute('data-step');

async function typeBoth(page: Page, { email, key }: { email: string; key: string }): Promise<void> {
  await person.typePassword(page, 'sv', email);
  await person.isAt(page, 'totp');
  await person.typeDigits(page, way, nextCode(key));
}

/** The user whose account area the browser shows; undefined where it asks for a password. */
async function signedInAs(page: Page): Promise<string | undefined> {
  await page.goto(origins.hemma.url('/account'));
  if ((await stepOf(page)) !== 'account') return undefined;
  return (await person.said(page, 'main')).match(/[\w-]+@users\.example\.com/)?.[0];
}

const uidIn = (page: Page) => new URL(page.url()).pathname.split('/')[2] ?? '';

describe('cookies of an interaction that an attacker began', () => {
  test(
    'planted before the victim opens its link give the attacker nothing at any step',
    async () => {
      const user = await enrollBy(origins);
      const begun = await beginAsAttacker(origins);
      const page = await origins.newBrowser();
      await plantFromSibling(page, origins, begun);
      await page.goto(begun.url);
      if ((await stepOf(page)) === 'problem') await page.goto(origins.begin().url);
      await person.isAt(page, 'password');
      await person.typePassword(page, 'sv', user.email);
      await person.isAt(page, 'totp');
      expect(await attackerGains(origins, begun, [user.email], true)).toEqual([]);
      await person.typeDigits(page, way, nextCode(user.key));
      await person.isAt(page, 'back');
      expect(await attackerGains(origins, begun, [user.email], false)).toEqual([]);
      expect(await signedInAs(page)).toBe(user.email);
    },
    slow,
  );

  test(
    'planted before a first sign-in show the attacker neither key nor recovery code',
    async () => {
      const { email } = await origins.hemma.account({ email: 'newcomer@users.example.com' });
      const begun = await beginAsAttacker(origins);
      const page = await origins.newBrowser();
      await plantFromSibling(page, origins, begun);
      await page.goto(begun.url);
      if ((await stepOf(page)) === 'problem') await page.goto(origins.begin().url);
      await person.typePassword(page, 'sv', email);
      await person.isAt(page, 'enrollment');
      expect(await attackerGains(origins, begun, [email], true)).toEqual([]);
      await person.typeDigits(page, way, nextCode(await person.readKey(page, 'sv')));
      await person.isAt(page, 'new-recovery-code');
      expect(await attackerGains(origins, begun, [email], true)).toEqual([]);
      await person.typeLastGroup(page, 'sv', (await person.readCode(page)).slice(-4));
      await person.isAt(page, 'back');
      expect(await attackerGains(origins, begun, [email], false)).toEqual([]);
    },
    slow,
  );

  test.each([['password'], ['totp']] as const)(
    'planted over the paths of a victim who is at %s give the attacker nothing, and the victim goes on',
    async (place) => {
      const user = await enrollBy(origins);
      const begun = await beginAsAttacker(origins);
      const page = await origins.newBrowser();
      await page.goto(origins.begin().url);
      await person.isAt(page, 'password');
      if (place === 'totp') {
        await person.typePassword(page, 'sv', user.email);
        await person.isAt(page, 'totp');
      }
      await plantFromSibling(page, origins, begun, uidIn(page));
      await plantFromSibling(page, origins, begun);
      if (place === 'password') await typeBoth(page, user);
      else await person.typeDigits(page, way, nextCode(user.key));
      await person.isAt(page, 'back');
      expect(await attackerGains(origins, begun, [user.email], true)).toEqual([]);
      expect(await signedInAs(page)).toBe(user.email);
    },
    slow,
  );
});

/** A sign-in of the attacker that lacks the library's last redirect. */
async function almostFinished() {
  const attacker = await enrollBy(origins);
  const visitor = newVisitor();
  await visitor.visit(origins.begin().url);
  at('totp', await typePasswordAsVisitor(visitor, attacker.email));
  const { next } = await submitWithoutFollowing(visitor, { code: nextCode(attacker.key) });
  const uid = next.pathname.split('/')[2] ?? '';
  return { attacker, resume: next.href, uid, cookies: interactionCookies(visitor) };
}

describe('cookies of a sign-in that an attacker has finished, planted by a sibling host', () => {
  test(
    'leave a signed-in victim signed in, and no page posts itself',
    async () => {
      const user = await enrollBy(origins);
      const page = await origins.newBrowser();
      await page.goto(origins.begin().url);
      await typeBoth(page, user);
      await person.isAt(page, 'back');
      const finished = await almostFinished();
      await plantFromSibling(page, origins, finished);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
      await page.goto(finished.resume);
      await page.waitForLoadState('networkidle');
      expect(asked.filter((request) => request.startsWith('POST'))).toEqual([]);
      expect(await signedInAs(page)).toBe(user.email);
    },
    slow,
  );

  test(
    'do not sign an anonymous victim in as the attacker',
    async () => {
      const page = await origins.newBrowser();
      const finished = await almostFinished();
      await plantFromSibling(page, origins, finished);
      await page.goto(finished.resume);
      await page.waitForLoadState('networkidle');
      expect(await signedInAs(page)).toBeUndefined();
    },
    slow,
  );
});

test(
  'a sibling host that pushes the cookies of the provider out of the browser costs a fresh start at most',
  async () => {
    const user = await enrollBy(origins);
    const begun = await beginAsAttacker(origins);
    const page = await origins.newBrowser();
    await page.goto(origins.begin().url);
    await person.typePassword(page, 'sv', user.email);
    await person.isAt(page, 'totp');
    const tab = await page.context().newPage();
    for (let from = 0; from < 200; from += 40) {
      const url = new URL('/set', origins.sibling);
      for (let count = from; count < from + 40; count++)
        url.searchParams.append('line', `x${count}=1; Domain=hemma.test; Path=/; Secure`);
      await tab.goto(url.href);
    }
    await tab.close();
    await plantFromSibling(page, origins, begun, uidIn(page));
    const answer = await page.reload();
    expect(answer?.status()).toBeLessThan(500);
    expect(await attackerGains(origins, begun, [user.email], true)).toEqual([]);
    await page.goto(origins.begin().url);
    await person.isAt(page, 'password');
    await typeBoth(page, user);
    await person.isAt(page, 'back');
    expect(await signedInAs(page)).toBe(user.email);
  },
  slow,
);
