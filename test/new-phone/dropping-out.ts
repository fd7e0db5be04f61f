/** The ways of dropping out of a journey, each tried after every form of it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { at } from '../rig/ceremony.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import type { Screen, Visitor } from '../rig/visitor.ts';
import { getsIn, type Lives, whatLives } from './afterwards.ts';
import type { Fields } from '../rig/forms.ts';
import { type Journey, type Trip, walk } from './journeys.ts';
import { codeOpens, newPerson, sendAndLose, type Town } from './people.ts';

/** How far a journey had come, and what opens a sign-in there. */
export interface Point {
  sent: number;
  where: string;
  lives: Lives;
}

interface Course {
  journey: Journey;
  /** The page that it ends on. */
  end: 'back' | 'account';
  /** What lives after each of its forms; the last point is the end. */
  points: readonly Point[];
}

async function after(town: Town, journey: Journey, sent: number): Promise<Trip> {
  const trip = await journey.begin(town, await newPerson(town));
  await walk(trip, journey.moves, sent);
  return trip;
}

/** The form that comes next, filled in but not sent. */
async function nextForm(trip: Trip, { moves }: Journey, sent: number) {
  const move = moves[sent];
  if (!move) throw new Error('the journey is over');
  const { fields, button } = await move.answer(trip);
  return { fields, button, page: trip.visitor.screen };
}

/** What a page shows that must not change under the person's hands. */
const secretsOf = ({ page }: Screen) => [
  page.querySelector('a[href^="otpauth:"]')?.getAttribute('href'),
  page.querySelector('[data-recovery-code]')?.getAttribute('data-recovery-code'),
];

/**
 * The response to the first factor brought the cookie that holds the sign-in from then on. Where it was lost, the password
 * is typed once more, and the journey goes on from there.
 */
async function atPasswordAgain(visitor: Visitor, fields: Fields): Promise<Screen> {
  return at('password', await visitor.submit(fields));
}

/** Tests of one journey. `town` is asked when a test runs: it is built before the first. */
export function dropsOut(town: () => Town, { journey, end, points }: Course): void {
  const { moves, name } = journey;
  const pageAfter = (sent: number) => moves[sent]?.page ?? end;
  const underWay = points.slice(0, -1);
  afterEach(back);

  test.each(points)(`${name}, $where: closing the tab leaves a way in`, async ({ sent, lives }) => {
    const trip = await after(town(), journey, sent);
    expect(await whatLives(trip)).toEqual(lives);
    await getsIn(trip, lives);
  });

  test.each(points)(`${name}, $where: a lost answer loses nothing`, async ({ sent }) => {
    const trip = await after(town(), journey, sent - 1);
    const { fields, button, page } = await nextForm(trip, journey, sent - 1);
    await sendAndLose(trip.visitor, fields, button);
    const { url } = page.step === 'password' ? await atPasswordAgain(trip.visitor, fields) : page;
    const again = at(pageAfter(sent), await trip.visitor.submit(fields, button));
    if (sent === moves.length) return;
    const reloaded = at(pageAfter(sent), await trip.visitor.visit(url));
    expect(secretsOf(reloaded)).toEqual(secretsOf(again));
    at(end, await walk(trip, moves.slice(sent)));
    expect(await codeOpens(town(), trip.person, trip.person.recoveryCode)).toBe(false);
  });

  describe.each(underWay)(`${name}, $where`, ({ sent, lives }) => {
    test('reloading and going back show the same page, the same key and the same code', async () => {
      const trip = await after(town(), journey, 0);
      const seen = [trip.visitor.screen];
      for (const move of moves.slice(0, sent)) seen.push(await walk(trip, [move]));
      const here = trip.visitor.screen;
      for (const { url } of seen.toReversed()) {
        const again = at(pageAfter(sent), await trip.visitor.visit(url));
        expect(secretsOf(again)).toEqual(secretsOf(here));
      }
      at(end, await walk(trip, moves.slice(sent)));
    });

    test('half an hour later the page takes nothing more, and there is a way in', async () => {
      const trip = await after(town(), journey, sent);
      const { fields, button } = await nextForm(trip, journey, sent);
      travel(minutes(31));
      expect(at('problem', await trip.visitor.submit(fields, button)).status).toBe(404);
      await getsIn(trip, lives);
    });

    test('a second tab gets in, and the page of the first one takes nothing away', async () => {
      const trip = await after(town(), journey, sent);
      const { fields, button, page } = await nextForm(trip, journey, sent);
      const kept = await getsIn(trip, lives, trip.visitor);
      trip.visitor.backTo(page);
      expect((await trip.visitor.submit(fields, button)).status).toBeLessThan(500);
      const { newKey: _key, newCode: _code, ...now } = { ...trip, person: { ...trip.person, ...kept } };
      expect((await whatLives(now)).oldPhone).toBe(true);
    });
  });
}
