/** How long a session lives (NIST SP 800-63B-4 §2.2.3): an hour of silence, ten hours in all; and how long a factor is fresh. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { back, days, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import * as people from '../new-phone-threats/people.ts';
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

describe('a second factor', () => {
  const download = async (browser: Visitor) => {
    await browser.visit(hemma.url('/account'));
    const answer = await browser.submit({}, 'Ladda ner mina uppgifter');
    return answer.headers['content-disposition'] ? 'the file' : answer.step;
  };

  test('SECURITY 54 is not what a remembered device stands in for, however fresh the sign-in', async () => {
    const owner = await people.newPerson(hemma, web, 'minns@example.com');
    const remembered = newVisitor();
    people.nextStep();
    await people.provePassword(remembered, (await web.begin()).url, owner.email);
    await remembered.submit({ code: sixDigits(owner.key), rememberDevice: 'yes' });
    const device = remembered.cookies.all().filter(({ name }) => name.endsWith('hemma-device'));
    const browser = newVisitor({ stolen: device });
    await people.provePassword(browser, (await web.begin()).url, owner.email);
    expect(people.gotIn(browser)).toBe(true);
    expect(await download(browser)).toBe('password');
    expect((await browser.submit({ email: owner.email, password: PASSWORD })).step).toBe('totp');
    const stepUp = { prompt: 'none', acr_values: 'urn:hemma:2', max_age: '600' };
    await browser.visit((await web.begin(stepUp)).url);
    expect(browser.screen.url.searchParams.get('error')).toBe('login_required');
    expect(await download(remembered)).toBe('the file');
  });

  test('SECURITY 54 is not what a mailed code stands in for', async () => {
    const email = 'glomt@example.com';
    await hemma.account({ email, twoStepRequired: false });
    travel(days(8));
    const browser = newVisitor();
    await people.proveMailbox(browser, hemma, (await web.begin()).url, email);
    await browser.submit({ password: 'en helt annan sjö i maj' });
    expect(people.gotIn(browser)).toBe(true);
    await browser.visit((await web.begin({ prompt: 'none', acr_values: 'urn:hemma:2' })).url);
    expect(browser.screen.url.searchParams.get('error')).toBe('login_required');
    expect(await download(browser)).toBe('password');
  });

  test('SECURITY 54 has its own age: a password chosen long after the digits makes them no fresher', async () => {
    const owner = await people.newPerson(hemma, web, 'sent@example.com');
    const browser = newVisitor();
    const begun = await web.begin();
    await people.proveMailbox(browser, hemma, begun.url, owner.email);
    people.nextStep();
    await browser.submit({ code: sixDigits(owner.key) });
    const digitsAt = Date.now() / 1000;
    travel(minutes(20));
    await browser.submit({ password: 'en helt annan sjö i maj' });
    expect(people.gotIn(browser)).toBe(true);
    const { id_token: token = '' } = await web.redeem(begun, browser.screen.url);
    const { auth_time } = decodeJwt<{ auth_time: number }>(token);
    expect(Math.abs(auth_time - digitsAt)).toBeLessThan(5);
    expect(await download(browser)).toBe('password');
  });
});
