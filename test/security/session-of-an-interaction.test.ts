/**
 * What an interaction was begun for, and what the session that it began in may do, stay with that user and with browsers that
 * have that session.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { Cookie } from '../rig/cookies.ts';
import { newVisitor, type Screen } from '../rig/visitor.ts';
import { submitWithoutFollowing } from '../support/parallel-finish.ts';
import {
  enrolledUser,
  intentUrl,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { interactionCookies, uidOf } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

test(
  'an action that one user began is not offered to the user who took the place of that session',
  async () => {
    const { hemma, application } = provider;
    const [first, second] = [await enrolledUser(hemma, application), await enrolledUser(hemma, application)];
    const browser = first.visitor;
    await browser.visit(intentUrl(hemma, 'delete_account'));
    const uid = uidOf(browser);
    at('other-account', await typePassword(browser, second.email));
    await browser.submit({}, 'choice=switch');
    // The last redirect is not followed: Back, or another tab.
    await submitWithoutFollowing(browser, { code: nextCode(second.key) });
    expect((await browser.visit(hemma.url(`/interaction/${uid}/`))).step).not.toBe('confirm');
  },
  slow,
);

/** Signs in with the password in a browser without a session, which has `cookies` or begins a sign-in. */
async function withPassword(email: string, url: string, cookies: readonly Cookie[]): Promise<Screen> {
  const thief = newVisitor({ stolen: cookies });
  at('password', await thief.visit(url));
  return typePassword(thief, email);
}

test(
  'the ten minutes in which a session may enroll again are not for a holder of an earlier sign-in cookie without it',
  async () => {
    const { hemma, application } = provider;
    const user = await enrolledUser(hemma, application);
    await hemma.db.query('UPDATE accounts SET two_step_required = false WHERE id = $1', [user.id]);
    const { visitor: owner, email } = user;
    await owner.visit(intentUrl(hemma, 'deactivate_two_step'));
    await typePassword(owner, email);
    await owner.submit({ code: nextCode(user.key) });
    at('account', await owner.submit({}, 'choice=do'));
    const url = intentUrl(hemma, 'activate_two_step');
    // Someone who knows the password has to read the mail first.
    at('mailed-code', await withPassword(email, url, []));
    await owner.visit(url);
    const page = hemma.url(`/interaction/${uidOf(owner)}/password`);
    const copies = interactionCookies(owner);
    at('enrollment', await typePassword(owner, email));
    expect((await withPassword(email, page, copies)).step).toBe('mailed-code');
  },
  slow,
);
