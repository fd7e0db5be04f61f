/** Finding out who has an account: every answer to a wrong sign-in looks, weighs and takes the same. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Answer } from '../rig/exchange.ts';
import { fillIn } from '../rig/forms.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { shellWith } from '../command-line/shell.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { asForm } from './hostile.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma });
  for (const email of ['known-1@example.com', 'known-2@example.com', 'known-3@example.com']) {
    await hemma.account({ email, locale: 'en' });
  }
  await hemma.account({ email: 'disab-1@example.com' });
  await hemma.account({ email: 'disab-2@example.com' });
  for (const email of ['disab-1@example.com', 'disab-2@example.com']) {
    await shellWith(hemma.env)(['accounts', 'disable', email]);
  }
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

async function stranger(parameters: Record<string, string> = {}): Promise<Visitor> {
  const visitor = newVisitor();
  await visitor.visit((await party.begin(parameters)).url);
  return visitor;
}

let address = 0;
/** One wrong sign-in, from an address of its own so that strangers do not spend one another's budget. */
function attempt(visitor: Visitor, email: string, password: string): Promise<Answer> {
  const { action, body } = fillIn(visitor.screen.page, visitor.screen.url, { email, password });
  address += 1;
  const headers = {
    ...asForm,
    'sec-fetch-site': 'same-origin',
    'x-forwarded-for': `198.18.${Math.floor(address / 250)}.${1 + (address % 250)}`,
  };
  return visitor.request(action, { method: 'POST', body: body.toString(), headers });
}

/** What can be compared: everything but the time of day, the request's number and what the stranger sent. */
function looks(visitor: Visitor, { status, headers, body }: Answer, email: string) {
  const { date: _date, 'x-request-id': _number, 'set-cookie': cookies = [], ...rest } = headers;
  const token = visitor.screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '?';
  const uid = visitor.screen.url.pathname.split('/')[2] ?? '?';
  const words = body.replaceAll(email, 'EMAIL').replaceAll(token, 'TOKEN').replaceAll(uid, 'UID');
  const names = cookies.map((line) => line.replace(/=[^;]*/, ''));
  // All addresses here are of one length, and so must the answers be.
  return { status, headers: rest, cookies: names, words, length: body.length };
}

/** The strangers' views of several sign-ins, which must all be the first one. */
async function expectAlike(tries: readonly (readonly [string, string])[], status: number): Promise<void> {
  const seen = [];
  for (const [email, password] of tries) {
    const visitor = await stranger();
    seen.push(looks(visitor, await attempt(visitor, email, password), email));
  }
  expect(seen[0]?.status).toBe(status);
  for (const [place, one] of seen.entries())
    expect([tries[place]?.[0], one]).toEqual([tries[place]?.[0], seen[0]]);
}

test('T33 unknown, known and disabled accounts are refused alike, a disabled one with its right password too', async () => {
  await expectAlike(
    [
      ['known-1@example.com', 'not this'],
      ['unkno-1@example.com', 'not this'],
      ['disab-1@example.com', 'not this'],
      ['disab-1@example.com', PASSWORD],
      ['unkno-1@example.com', PASSWORD],
    ],
    422,
  );
});

test('T33 the budgets of unknown, known and disabled accounts run out alike, and say the same', async () => {
  const people = ['known-2@example.com', 'unkno-2@example.com', 'disab-2@example.com'];
  const courses: number[][] = [];
  for (const email of people) {
    const visitor = await stranger();
    const course: number[] = [];
    for (let guess = 1; guess <= 11; guess++) {
      course.push((await attempt(visitor, email, `wrong ${guess}`)).status);
    }
    courses.push(course);
  }
  expect(courses[0]).toEqual([...Array.from({ length: 10 }, () => 422), 429]);
  expect(courses[1]).toEqual(courses[0]);
  expect(courses[2]).toEqual(courses[0]);
  const seen = [];
  for (const email of people) {
    const visitor = await stranger();
    const answer = await attempt(visitor, email, PASSWORD);
    const seconds = answer.headers['retry-after'] ?? '?';
    expect(Number(seconds)).toBeGreaterThan(0);
    // The pauses began one after another, so that what is left of them differs by what the test took.
    const { headers, words, ...same } = looks(visitor, answer, email);
    const { 'retry-after': _seconds, 'content-length': _length, ...others } = headers;
    seen.push({
      ...same,
      length: undefined,
      headers: others,
      words: words.replaceAll(/\d+ (sekunder|sekund)/g, 'SECONDS'),
    });
  }
  expect(seen[0]?.status).toBe(429);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).toEqual(seen[0]);
});

test('T33 a hint of who signs in, in a request or its language, tells nothing about an account', async () => {
  const views = [];
  for (const email of ['known-1@example.com', 'unkno-1@example.com', 'disab-1@example.com']) {
    const visitor = await stranger({ login_hint: email });
    views.push(looks(visitor, visitor.screen, email));
    const { url } = await party.begin({ login_hint: email, prompt: 'none' });
    const silent = await newVisitor().request(url);
    expect(new URL(silent.headers.location ?? '').searchParams.get('error')).toBe('login_required');
  }
  expect(views[1]).toEqual(views[0]);
  expect(views[2]).toEqual(views[0]);
});

const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;

test('T33 a wrong password takes an unknown account as much work as a known or disabled one', async () => {
  const kinds = {
    known: 'known-3@example.com',
    unknown: 'unkno-3@example.com',
    disabled: 'disab-1@example.com',
  };
  const visitor = await stranger();
  const samples: Record<string, number[]> = { known: [], unknown: [], disabled: [], empty: [] };
  for (let round = 0; round < 17; round++) {
    // The budget would end the work after ten; what a success would do is done here by hand.
    await hemma.db.query('DELETE FROM attempts');
    for (const [kind, email] of Object.entries(kinds)) {
      samples[kind]?.push((await attempt(visitor, email, 'not this password')).took);
    }
    // What the same request takes without the hash, as the measure of what the hash takes.
    samples['empty']?.push((await attempt(visitor, kinds.known, '')).took);
  }
  // The first two rounds warm up.
  const times = Object.fromEntries(
    Object.entries(samples).map(([kind, all]) => [kind, median(all.slice(2))]),
  );
  const { known = 0, unknown = 0, disabled = 0, empty = 0 } = times;
  expect(known).toBeGreaterThan(empty * 1.5);
  for (const one of [unknown, disabled]) {
    expect(one / known).toBeGreaterThan(0.5);
    expect(one / known).toBeLessThan(1.5);
  }
});
