/**
 * Interaction fixation: a second holder of an interaction's cookies, as they were before the first factor was verified,
 * tries each page of each journey. The same with what a sibling host can plant: every cookie without `__Host-`.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { stepNames } from '../../interactions/sign-in/index.ts';
import { at } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import { firstFactorOf, type Journey, journeys, walk } from '../support/journeys.ts';
import type { Run } from '../support/moves.ts';
import { finishingDevice, finishingSignIn } from '../support/parallel-finish.ts';
import { gainsOnResume, secondHolderGains, signInWithCopies, triedPages } from '../support/second-holder.ts';
import { type SecureProvider, startSecureProvider } from '../support/secure-provider.ts';
import { accountOpenedBy, interactionCookies, plantable, uidOf } from '../support/sign-in-cookies.ts';

const slow = 240_000;
let provider: SecureProvider;
beforeAll(async () => {
  provider = await startSecureProvider();
}, slow);
afterEach(back);
afterAll(() => provider.stop());

/** Each page behind the first factor, and its place among the moves. */
const pagesOf = (journey: Journey): [page: string, place: number][] =>
  journey.moves
    .map(({ page }, place): [string, number] => [page, place])
    .filter(([, place]) => place > firstFactorOf(journey));

/** Addresses that an attacker must not learn; a page of a browser that is signed in shows its own. */
const secretsOf = (journey: Journey, { email, other }: Run) =>
  journey.signedIn ? [] : [email, ...(other ? [other.email] : [])];

async function upTo(journey: Journey, place: number) {
  const { issuer } = provider.hemma;
  const run = await journey.begin(provider);
  const first = firstFactorOf(journey);
  await walk(run, journey, 0, first);
  const held = { uid: uidOf(run.visitor), cookies: interactionCookies(run.visitor) };
  await walk(run, journey, first, place);
  return { run, held: { issuer, ...held, secrets: secretsOf(journey, run) } };
}

describe.each(journeys)('$name: a second holder of the cookies', (journey) => {
  test.each(pagesOf(journey))(
    'gains nothing while the user is at %s, and the user goes on',
    async (page, place) => {
      const { run, held } = await upTo(journey, place);
      const { visitor } = run;
      at(page, visitor.screen);
      const current = uidOf(visitor);
      const atPasswordPage = current === held.uid;
      expect(await secondHolderGains({ ...held, atPasswordPage })).toEqual([]);
      if (!atPasswordPage)
        expect(await secondHolderGains({ ...held, uid: current, atPasswordPage })).toEqual([]);
      const planted = plantable(interactionCookies(visitor), current);
      const sibling = { ...held, uid: current, cookies: planted, atPasswordPage: false };
      expect(await secondHolderGains(sibling)).toEqual([]);
      at(journey.end, await walk(run, journey, place));
    },
    slow,
  );

  test(
    'gains nothing after the end',
    async () => {
      const { run, held } = await upTo(journey, journey.moves.length);
      at(journey.end, run.visitor.screen);
      expect(await secondHolderGains({ ...held, atPasswordPage: false })).toEqual([]);
      const opened = await accountOpenedBy(provider.hemma, run.visitor.cookies.all());
      expect(opened).toContain('@users.example.com');
    },
    slow,
  );

  test(
    'is at the password page, where a password of its own leads to nothing of the user',
    async () => {
      const first = firstFactorOf(journey);
      const { run, held } = await upTo(journey, first + 1);
      const attacker = await provider.hemma.account({ email: `attacker-${held.uid}@example.net` });
      const thief = await signInWithCopies(held, attacker.email);
      if (!journey.signedIn) expect(thief.screen.body).not.toContain(run.email);
      // The user's browser is not carried on as the attacker, and one more password is the most that it costs.
      const { visitor } = run;
      const screen = await visitor.visit(`${held.issuer}/interaction/${held.uid}/`);
      expect(screen.body).not.toContain(attacker.email);
      // The page behind the first factor may show a key to its user, and no page shows more than it has to.
      const showsKey = journey.moves[first + 1]?.page === 'enrollment';
      expect(screen.body).not.toMatch(showsKey ? /data-recovery-code=/ : /otpauth:|data-recovery-code=/);
      at(journey.end, await walk(run, journey, screen.step === 'password' ? 0 : first + 1));
    },
    slow,
  );
});

test('every page of a sign-in is tried', () => {
  expect([...triedPages].toSorted()).toEqual([...stepNames].toSorted());
});

// The same attack with the cookies of the browser that verified the factors: what it finds, it can find.
describe('with the cookies of the current holder, the attack finds', () => {
  const current = ({ visitor }: Pick<Run, 'visitor'>, uid: string) => ({
    issuer: provider.hemma.issuer,
    uid,
    cookies: interactionCookies(visitor),
    atPasswordPage: false,
  });

  test.each(['enrollment', 'new-recovery-code'])(
    'the page %s, and the key or code on it',
    async (page) => {
      const journey = journeys.find(({ name }) => name === 'J1 first sign-in');
      if (!journey) throw new Error('there is no first sign-in');
      const run = await journey.begin(provider);
      await walk(
        run,
        journey,
        0,
        journey.moves.findIndex((move) => move.page === page),
      );
      at(page, run.visitor.screen);
      const found = await secondHolderGains({
        ...current(run, uidOf(run.visitor)),
        secrets: [run.email],
        atPasswordPage: true,
      });
      const { pathname } = run.visitor.screen.url;
      const shown = ['', page].flatMap((one) => [
        `GET ${one || '/'} led to ${page} (200 ${pathname})`,
        `GET ${one || '/'} showed a key or a code`,
        `GET ${one || '/'} showed the address of the victim`,
      ]);
      expect(found).toEqual(expect.arrayContaining(shown));
    },
    slow,
  );

  test.each([
    ['auth', finishingSignIn, ['gave a code', 'gave a session of']],
    ['device', finishingDevice, ['led to device-allowed', 'gave a session of']],
  ] as const)(
    'what the resume path /%s gives',
    async (path, finish, gains) => {
      const { visitor, resume, user } = await finish(provider.hemma, provider.application);
      const uid = resume.pathname.split('/')[2] ?? '';
      const found = await gainsOnResume(current({ visitor }, uid), [path]);
      for (const gain of gains)
        expect(found).toContainEqual(expect.stringContaining(`GET ${path}/<uid> ${gain}`));
      expect(found.join()).toContain(user.email);
    },
    slow,
  );
});
