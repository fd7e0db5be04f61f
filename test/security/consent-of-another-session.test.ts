/** A question of consent belongs to the session that it was asked in: without that session it is neither shown nor answered. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { at, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import {
  type EnrolledUser,
  enrolledUser,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { isSessionCookie } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

/** A user at the question of consent. Their session cookie leaves the browser, as at its end (RFC 6265 §4.1.2); ours stays. */
async function asked(): Promise<{ user: EnrolledUser; browser: Visitor; question: Screen }> {
  const user = await enrolledUser(provider.hemma, provider.application);
  const browser = newVisitor();
  await browser.visit((await provider.thirdParty.begin()).url);
  await typePassword(browser, user.email);
  const question = at('consent', await browser.submit({ code: nextCode(user.key) }));
  for (const { name } of browser.cookies.all().filter(isSessionCookie)) browser.cookies.forget(name);
  return { user, browser, question };
}

const answersOf = async ({ id }: EnrolledUser): Promise<number> => {
  const { rows } = await provider.hemma.db.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM audit WHERE account_id = $1 AND event = 'consent.granted'",
    [id],
  );
  return rows[0]?.count ?? 0;
};

test(
  'is not shown and not granted in a browser that has no session any more',
  async () => {
    const { user, browser, question } = await asked();
    const again = await browser.visit(question.url);
    expect(again.text).not.toContain(user.email);
    browser.backTo(question);
    const screen = await browser.submit({}, 'choice=allow');
    expect(await answersOf(user)).toBe(0);
    expect(screen.step).not.toBe('problem');
  },
  slow,
);

test(
  'is not granted by another user who has signed in to that browser, and leads that user on',
  async () => {
    const { user, browser, question } = await asked();
    const other = await enrolledUser(provider.hemma, provider.application);
    await browser.visit((await provider.application.begin()).url);
    await typePassword(browser, other.email);
    at('back', await browser.submit({ code: nextCode(other.key) }));
    browser.backTo(question);
    const screen = await browser.submit({}, 'choice=allow');
    expect(await answersOf(user)).toBe(0);
    expect(screen.text).not.toContain(user.email);
  },
  slow,
);
