/** How long a session lives (NIST SP 800-63B-4 §2.2.3): an hour of silence, ten hours in all. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from './people.ts';
import { get } from './requests.ts';

let hemma: Hemma;
let web: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  web = await startRelyingParty({ hemma });
});
afterEach(back);
afterAll(async () => {
  await web.stop();
  await hemma.stop();
});
const newcomer = () => newPerson(hemma, { twoStep: false });

describe('a session', () => {
  const lives = async (person: Person) => {
    const screen = await person.visitor.visit((await web.begin({ prompt: 'none' })).url);
    return screen.url.searchParams.has('code');
  };

  test('trap: runs out after an hour of silence', async () => {
    const [busy, idle] = [await newcomer(), await newcomer()];
    await busy.signInTo(web);
    await idle.signInTo(web);
    travel(minutes(59));
    expect(await lives(busy)).toBe(true);
    travel(minutes(2));
    expect(await lives(idle)).toBe(false);
    expect(await lives(busy)).toBe(true);
  });

  test('trap: is kept from running idle by the account page too', async () => {
    const person = await newcomer();
    await person.signInTo(web);
    travel(minutes(50));
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('account');
    travel(minutes(50));
    expect(await lives(person)).toBe(true);
  });

  test('trap: ends ten hours after the sign-in, however busy', async () => {
    const person = await newcomer();
    await person.signInTo(web);
    for (let half = 0; half < 19; half++) {
      travel(minutes(30));
      expect(await lives(person)).toBe(true);
    }
    travel(minutes(29));
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('account');
    // The library forgives clocks fifteen seconds.
    travel(minutes(1) + seconds(20));
    expect(await lives(person)).toBe(false);
    expect((await person.visitor.visit(hemma.url('/account'))).step).toBe('password');
  });

  test('trap: is not drawn out past its ten hours by being used all the time', async () => {
    const person = await newcomer();
    await person.signInTo(web);
    for (let half = 0; half < 19; half++) {
      travel(minutes(30));
      expect(await lives(person)).toBe(true);
    }
    travel(minutes(29) + seconds(55));
    let alive = true;
    for (let turn = 0; turn < 10 && alive; turn++) {
      alive = await lives(person);
      travel(seconds(10));
    }
    expect(alive).toBe(false);
  });

  test('trap: that ran out takes its access tokens with it', async () => {
    const person = await newcomer();
    await person.signInTo(web);
    travel(minutes(50));
    const { tokens } = await person.signInTo(web, { prompt: 'none' });
    travel(minutes(59));
    const bearer = { authorization: `Bearer ${tokens.access_token}` };
    expect((await get(hemma.url('/me'), bearer)).status).toBe(200);
    person.visitor.cookies.forget();
    travel(minutes(2));
    expect((await get(hemma.url('/me'), bearer)).status).toBe(401);
  });
});
