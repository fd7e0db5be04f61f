/**
 * Another user signs in to a browser that has a session: one page asks first and names the session that it replaces, as it is
 * at that moment. The library's page that posts itself by a script never appears.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { RelyingParty } from '../rig/relying-party.ts';
import type { Screen, Visitor } from '../rig/visitor.ts';
import { newVisitor } from '../rig/visitor.ts';
import { submitWithoutFollowing } from '../support/parallel-finish.ts';
import {
  type EnrolledUser,
  enrolledUser,
  intentUrl,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { accountOpenedBy, isSessionCookie } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
let application: RelyingParty;
beforeAll(async () => {
  provider = await startSecureProvider();
  application = provider.application;
}, slow);
afterEach(back);
afterAll(() => provider.stop());

const user = (): Promise<EnrolledUser> => enrolledUser(provider.hemma, application);
const openedBy = ({ cookies }: Visitor) => accountOpenedBy(provider.hemma, cookies.all());
const sessionOf = ({ cookies }: Visitor) => cookies.all().filter(isSessionCookie);

/** A page of the provider. The library's own page has no step and posts itself. */
function ours(screen: Screen): Screen {
  expect([screen.step === undefined, screen.status < 500]).toEqual([false, true]);
  expect(screen.body).not.toContain('end_session_confirm');
  return screen;
}

/** Two tabs are one browser: the page of either may be in front. */
const tab = (browser: Visitor, screen: Screen) => browser.backTo(screen);

/** The question names both users, and the one whose session it would replace first. */
function asks(screen: Screen, current: EnrolledUser, next: EnrolledUser): void {
  at('other-account', ours(screen));
  expect(screen.text).toContain(current.email);
  expect(screen.text).toContain(next.email);
}

/** Signs in on the pages from the password on; answers where that led. */
async function verifyBoth(browser: Visitor, { email, key }: EnrolledUser): Promise<Screen> {
  await typePassword(browser, email);
  return browser.screen.step === 'totp' ? browser.submit({ code: nextCode(key) }) : browser.screen;
}

/** From the question on, as the user who wants to switch. */
async function switchTo(browser: Visitor, { key }: EnrolledUser): Promise<Screen> {
  await browser.submit({}, 'choice=switch');
  return browser.screen.step === 'totp' ? browser.submit({ code: nextCode(key) }) : browser.screen;
}

/** A tab at the password page, begun without a session; then `first` signs in in another tab. */
async function signedInSince(first: EnrolledUser) {
  const browser = newVisitor();
  const waiting = await browser.visit((await application.begin()).url);
  at('password', waiting);
  await browser.visit((await application.begin()).url);
  at('back', await verifyBoth(browser, first));
  return { browser, waiting };
}

test(
  'asks when another user has signed in since the interaction began, and names that session',
  async () => {
    const [first, second] = [await user(), await user()];
    const { browser, waiting } = await signedInSince(first);
    const replaced = sessionOf(browser);
    tab(browser, waiting);
    asks(await verifyBoth(browser, second), first, second);
    expect(await openedBy(browser)).toBe(first.email);
    at('back', ours(await switchTo(browser, second)));
    expect(await openedBy(browser)).toBe(second.email);
    expect(await accountOpenedBy(provider.hemma, replaced)).toBeUndefined();
  },
  slow,
);

test(
  'keeps the session of a user who stays, and gives the application no code of the other user',
  async () => {
    const [first, second] = [await user(), await user()];
    const { browser, waiting } = await signedInSince(first);
    tab(browser, waiting);
    asks(await verifyBoth(browser, second), first, second);
    ours(await browser.submit({}, 'choice=stay'));
    expect(await openedBy(browser)).toBe(first.email);
    expect(browser.screen.body).not.toContain(second.email);
  },
  slow,
);

test(
  'asks at the last redirect when another user has signed in after the last factor was verified',
  async () => {
    const [first, second] = [await user(), await user()];
    const browser = newVisitor();
    await browser.visit((await application.begin()).url);
    at('totp', await typePassword(browser, second.email));
    const { next: resume } = await submitWithoutFollowing(browser, { code: nextCode(second.key) });
    await browser.visit((await application.begin()).url);
    at('back', await verifyBoth(browser, first));
    asks(await browser.visit(resume), first, second);
    expect(await openedBy(browser)).toBe(first.email);
    at('back', ours(await switchTo(browser, second)));
    expect(await openedBy(browser)).toBe(second.email);
  },
  slow,
);

test(
  'does not replace another session than the one that was named without a second question',
  async () => {
    const [first, second, third] = [await user(), await user(), await user()];
    const browser = first.visitor;
    await browser.visit((await application.begin({ prompt: 'login' })).url);
    await typePassword(browser, second.email);
    asks(browser.screen, first, second);
    const waiting = await browser.submit({}, 'choice=switch');
    at('totp', waiting);
    await replaceSession(browser, third);
    tab(browser, waiting);
    await browser.submit({ code: nextCode(second.key) });
    // What was verified ended with the session that it was to replace: it begins again, and asks about the one that is there.
    at('password', ours(browser.screen));
    await verifyBoth(browser, second);
    asks(browser.screen, third, second);
    expect(await openedBy(browser)).toBe(third.email);
  },
  slow,
);

/** The session of the browser ends, and another user signs in, both in a second tab. */
async function replaceSession(browser: Visitor, by: EnrolledUser): Promise<void> {
  await browser.visit(provider.hemma.url('/session/end'));
  await browser.submit({}, 'logout=yes');
  await browser.visit((await application.begin()).url);
  at('back', await verifyBoth(browser, by));
}

test.each(['after the answer', 'while the question is open'] as const)(
  'asks again when another session has come %s, and names that one',
  async (when) => {
    const [first, second, third] = [await user(), await user(), await user()];
    const { browser, waiting } = await signedInSince(first);
    tab(browser, waiting);
    await typePassword(browser, second.email);
    asks(browser.screen, first, second);
    const question = when === 'after the answer' ? await browser.submit({}, 'choice=switch') : browser.screen;
    await replaceSession(browser, third);
    tab(browser, question);
    if (when === 'after the answer') await browser.submit({ code: nextCode(second.key) });
    else await browser.submit({}, 'choice=switch');
    asks(browser.screen, third, second);
    expect(await openedBy(browser)).toBe(third.email);
    at('back', ours(await switchTo(browser, second)));
    expect(await openedBy(browser)).toBe(second.email);
  },
  slow,
);

test(
  'asks nothing when the same user has signed in again',
  async () => {
    const first = await user();
    const { browser, waiting } = await signedInSince(first);
    tab(browser, waiting);
    at('back', ours(await verifyBoth(browser, first)));
    expect(await openedBy(browser)).toBe(first.email);
  },
  slow,
);

test(
  'asks in an action of the account area that another user verifies, and carries out nothing for either',
  async () => {
    const [first, second] = [await user(), await user()];
    const browser = first.visitor;
    await browser.visit(intentUrl(provider.hemma, 'deactivate_two_step'));
    await typePassword(browser, second.email);
    asks(browser.screen, first, second);
    const screen = ours(await switchTo(browser, second));
    expect(screen.step).not.toBe('confirm');
    expect(await openedBy(browser)).toBe(second.email);
    for (const { email, key } of [first, second]) {
      const other = newVisitor();
      await other.visit((await application.begin()).url);
      at('totp', await typePassword(other, email));
      at('back', await other.submit({ code: nextCode(key) }));
    }
  },
  slow,
);
