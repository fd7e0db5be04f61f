/** A second holder of an interaction's cookies at the worst moments: while a factor is verified, and before the last redirect. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { Cookie } from '../rig/cookies.ts';
import { PASSWORD } from '../rig/password.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { firstFactorOf, journeys, walk } from '../support/journeys.ts';
import type { Run } from '../support/moves.ts';
import { submitWithoutFollowing } from '../support/parallel-finish.ts';
import { secondHolderGains } from '../support/second-holder.ts';
import {
  enrolledUser,
  newUser,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { accountOpenedBy, interactionCookies, uidOf } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

const begun = async () => {
  const visitor = newVisitor();
  at('password', await visitor.visit((await provider.application.begin()).url));
  return { visitor, uid: uidOf(visitor), cookies: interactionCookies(visitor) };
};

/** A browser with copies, on the same page as the one that they were taken from. */
function holderOf(cookies: readonly Cookie[], screen: Screen): Visitor {
  const visitor = newVisitor({ stolen: cookies });
  visitor.backTo(screen);
  return visitor;
}

/** The last form of a journey, before the library's redirect is followed; `held` are the copies of before the first factor. */
async function beforeLastRedirect(name: string) {
  const journey = journeys.find((one) => one.name === name);
  if (!journey) throw new Error(`no journey is called ${name}`);
  const run: Run = await journey.begin(provider);
  const first = firstFactorOf(journey);
  await walk(run, journey, 0, first);
  const held = { uid: uidOf(run.visitor), cookies: interactionCookies(run.visitor) };
  await walk(run, journey, first, journey.moves.length - 1);
  at('totp', run.visitor.screen);
  const fields = { code: nextCode(run.user?.key ?? '') };
  const { answer, next } = await submitWithoutFollowing(run.visitor, fields);
  expect([answer.status, next.pathname.split('/')[2]]).toEqual([303, held.uid]);
  return { run, journey, held, next };
}

describe('before the last redirect', () => {
  test.each(['J2 ordinary sign-in', 'device flow', 'no access'])(
    'of the journey "%s" a second holder who asks for it first gains nothing, and the user goes on',
    async (name) => {
      const { run, journey, held, next } = await beforeLastRedirect(name);
      const target = { ...held, issuer: provider.hemma.issuer, secrets: [run.email] };
      expect(await secondHolderGains({ ...target, atPasswordPage: true })).toEqual([]);
      at(journey.end, await run.visitor.visit(next));
      expect(await accountOpenedBy(provider.hemma, run.visitor.cookies.all())).toBe(run.email);
    },
    slow,
  );
});

test(
  'a second holder who asks for the pages all the time sees nothing while the password is verified',
  async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    for (let round = 0; round < 5; round++) {
      const { visitor, uid, cookies } = await begun();
      const state = { done: false };
      const sending = visitor
        .submit({ email: user.email, password: PASSWORD })
        .finally(() => (state.done = true));
      const seen: Screen[] = [];
      while (!state.done) {
        const pages = ['', 'totp', 'password'].map((page) =>
          newVisitor({ stolen: cookies }).visit(provider.hemma.url(`/interaction/${uid}/${page}`)),
        );
        seen.push(...(await Promise.all(pages)));
      }
      at('totp', await sending);
      expect(new Set(seen.map(({ step }) => step))).toEqual(new Set(['password']));
      expect(seen.filter(({ body }) => body.includes(user.email))).toEqual([]);
    }
  },
  slow,
);

test(
  'two holders who verify passwords of different users at once each see their own user or the password page',
  async () => {
    for (let round = 0; round < 8; round++) {
      const [one, other] = [await newUser(provider.hemma), await newUser(provider.hemma)];
      const { visitor, uid, cookies } = await begun();
      const browsers = [holderOf(cookies, visitor.screen), holderOf(cookies, visitor.screen)];
      const users = [one, other];
      await Promise.all(
        browsers.map((browser, place) =>
          browser.submit({ email: users[place]?.email ?? '', password: PASSWORD }),
        ),
      );
      // What each has in front, and what a reload of the interaction shows then.
      const shown = browsers.map(({ screen }) => [screen]);
      for (const [place, browser] of browsers.entries())
        shown[place]?.push(await browser.visit(provider.hemma.url(`/interaction/${uid}/`)));
      shown.forEach((screens, place) => {
        for (const screen of screens) {
          expect(['password', 'enrollment', 'problem']).toContain(screen.step);
          expect(screen.body).not.toContain(users[1 - place]?.email);
        }
      });
      const keys = shown
        .map(([screen]) => /data-key="([^"]+)"/.exec(screen?.body ?? '')?.[1])
        .filter(Boolean);
      expect(new Set(keys).size).toBe(keys.length);
    }
  },
  slow,
);
