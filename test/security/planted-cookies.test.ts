/**
 * An attacker plants the cookies of an interaction of its own in the browser of a victim, who then uses genuine pages.
 * A sibling host can set every cookie but those with `__Host-`; on http://localhost, or in a browser that does not know the
 * prefix, it can set all of them.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { Cookie } from '../rig/cookies.ts';
import { fillIn } from '../rig/forms.ts';
import { PASSWORD } from '../rig/password.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { emailedCode } from '../support/moves.ts';
import { secondHolderGains } from '../support/second-holder.ts';
import {
  type EnrolledUser,
  enrolledUser,
  newUser,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import {
  accountOpenedBy,
  interactionCookies,
  pageUrl,
  plantable,
  uidOf,
} from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

type Reach = (cookies: readonly Cookie[], uid: string) => Cookie[];
/** What is planted, the page that the link to the interaction then leads to, and the one that its last redirect leads to. */
const reaches: [string, Reach, atLink: 'problem' | 'password', atEnd: 'problem' | 'other-account'][] = [
  ['what a sibling host can set', plantable, 'problem', 'problem'],
  ['every cookie', (cookies) => [...cookies], 'password', 'other-account'],
];

const plant = (victim: Visitor, cookies: readonly Cookie[]): void =>
  cookies.forEach(({ name, value, path }) =>
    victim.cookies.plant(new URL(provider.hemma.issuer), name, value, path),
  );

/** An attacker at the password page of a sign-in that it began, and the cookies that it plants. */
async function begunByAttacker(reach: Reach) {
  const attacker = newVisitor();
  at('password', await attacker.visit((await provider.application.begin()).url));
  const cookies = interactionCookies(attacker);
  const uid = uidOf(attacker);
  return { attacker, uid, url: attacker.screen.url, cookies, planted: reach(cookies, uid) };
}

const gains = (begun: Awaited<ReturnType<typeof begunByAttacker>>, email: string, atPasswordPage: boolean) =>
  secondHolderGains({
    issuer: provider.hemma.issuer,
    uid: begun.uid,
    cookies: begun.cookies,
    secrets: [email],
    atPasswordPage,
  });

/** The victim opens the link; where it is refused, the victim begins at the application. */
async function openLink(victim: Visitor, url: URL, leadsTo: 'problem' | 'password'): Promise<void> {
  at(leadsTo, await victim.visit(url));
  expect(victim.screen.status).toBeLessThan(500);
  if (leadsTo === 'problem') await victim.visit((await provider.application.begin()).url);
  at('password', victim.screen);
}

describe.each(reaches)('a planted interaction, with %s', (_name, reach, atLink) => {
  test(
    'gives the attacker nothing after the password, nor after the TOTP code',
    async () => {
      const user = await enrolledUser(provider.hemma, provider.application);
      const begun = await begunByAttacker(reach);
      const victim = newVisitor();
      plant(victim, begun.planted);
      await openLink(victim, begun.url, atLink);
      at('totp', await typePassword(victim, user.email));
      expect(await gains(begun, user.email, true)).toEqual([]);
      await victim.submit({ code: nextCode(user.key) });
      expect(await gains(begun, user.email, false)).toEqual([]);
    },
    slow,
  );

  test(
    'gives the attacker neither the key nor the recovery code of a first sign-in',
    async () => {
      const user = await newUser(provider.hemma);
      const begun = await begunByAttacker(reach);
      const victim = newVisitor();
      plant(victim, begun.planted);
      await openLink(victim, begun.url, atLink);
      at('enrollment', await typePassword(victim, user.email));
      expect(await gains(begun, user.email, true)).toEqual([]);
      await connectPhone(victim);
      expect(await gains(begun, user.email, false)).toEqual([]);
    },
    slow,
  );

  test(
    'gives the attacker nothing after the emailed code of a forgotten password',
    async () => {
      const user = await enrolledUser(provider.hemma, provider.application);
      const begun = await begunByAttacker(reach);
      const victim = newVisitor();
      plant(victim, begun.planted);
      await openLink(victim, begun.url, atLink);
      await victim.visit(pageUrl(victim, 'forgotten-password'));
      await victim.submit({ email: user.email });
      at('totp', await victim.submit({ code: await emailedCode(provider, user.email) }));
      expect(await gains(begun, user.email, true)).toEqual([]);
      at('new-password', await victim.submit({ code: nextCode(user.key) }));
      expect(await gains(begun, user.email, true)).toEqual([]);
    },
    slow,
  );

  test(
    'planted while the victim is signing in gives the attacker nothing',
    async () => {
      const user = await enrolledUser(provider.hemma, provider.application);
      const begun = await begunByAttacker(reach);
      const victim = newVisitor();
      await victim.visit((await provider.application.begin()).url);
      const own = uidOf(victim);
      // The paths of the library's cookies: those of the victim's interaction now name the attacker's.
      const moved = begun.planted.map((one) => ({ ...one, path: one.path.replace(begun.uid, own) }));
      plant(victim, moved);
      await victim.submit({ email: user.email, password: PASSWORD });
      expect(victim.screen.status).toBeLessThan(500);
      expect(await gains(begun, user.email, true)).toEqual([]);
    },
    slow,
  );
});

/** An attacker whose own sign-in is finished but for the library's last redirect. */
async function almostFinished(attacker: EnrolledUser) {
  const visitor = newVisitor();
  await visitor.visit((await provider.application.begin()).url);
  at('totp', await typePassword(visitor, attacker.email));
  const { action, body } = fillIn(visitor.screen.page, visitor.screen.url, { code: nextCode(attacker.key) });
  const answer = await visitor.request(action, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: body.toString(),
  });
  expect(answer.status).toBe(303);
  const resume = new URL(answer.headers.location ?? '', provider.hemma.issuer);
  return { resume, uid: resume.pathname.split('/')[2] ?? '', cookies: interactionCookies(visitor) };
}

/** No page of the library that posts a form by a script of its own. */
const postsItself = ({ screen }: Visitor) =>
  screen.step === undefined && screen.page.querySelector('form') !== null;

describe.each(reaches)(
  'the cookies of a finished sign-in, planted with %s',
  (_name, reach, _atLink, afterLastRedirect) => {
    test(
      'do not replace the session of a signed-in victim without a question',
      async () => {
        const victim = await enrolledUser(provider.hemma, provider.application);
        const attacker = await enrolledUser(provider.hemma, provider.application);
        const { resume, uid, cookies } = await almostFinished(attacker);
        const { visitor } = victim;
        plant(visitor, reach(cookies, uid));
        await visitor.visit(resume);
        expect(postsItself(visitor)).toBe(false);
        expect(visitor.screen.status).toBeLessThan(500);
        at(afterLastRedirect, visitor.screen);
        if (afterLastRedirect === 'other-account') expect(visitor.screen.text).toContain(victim.email);
        expect(await accountOpenedBy(provider.hemma, visitor.cookies.all())).toBe(victim.email);
      },
      slow,
    );
  },
);

test(
  'the library cookies of a finished sign-in, planted by a sibling host, do not sign a victim in as the attacker',
  async () => {
    const attacker = await enrolledUser(provider.hemma, provider.application);
    const { resume, uid, cookies } = await almostFinished(attacker);
    const victim = newVisitor();
    plant(victim, plantable(cookies, uid));
    await victim.visit(resume);
    expect(victim.screen.url.searchParams.has('code')).toBe(false);
    expect(victim.screen.status).toBeLessThan(500);
    expect(await accountOpenedBy(provider.hemma, victim.cookies.all())).toBeUndefined();
  },
  slow,
);
