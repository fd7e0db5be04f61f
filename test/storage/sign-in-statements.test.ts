/**
 * What each request of a sign-in asks of the database: statements and journeys, counted, so that they cannot creep up.
 * BEGIN and COMMIT are statements; what goes together is one journey.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../src/db/database.ts';
import { back, travel } from '../rig/clock.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let plain: Person;
let withPhone: Person;

beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_LOG_LEVEL: 'silent', HEMMA_SMTP_URL: '' } });
  autopay = await startRelyingParty({ hemma });
  plain = await newPerson(hemma, { twoStep: false });
  withPhone = await newPerson(hemma, {});
  // Applications are known by now, as they are to a process that is at work.
  await plain.elsewhere().signInTo(autopay);
  await withPhone.signInTo(autopay);
});
afterEach(back);
afterAll(async () => {
  await autopay.stop();
  await hemma.stop();
});

/** Of each request the fewest of several turns: what the process does besides, every second, is not the request's. */
type Counts = Record<string, [statements: number, journeys: number]>;

const nameOf = ({ pathname }: URL) => pathname.replace(/[\w-]{43}/, ':uid');

/** What somebody does on a page: types into its form, which may be what stands on it, or goes to another page. */
type Step = Record<string, string> | ((page: string) => Record<string, string>) | { goTo: string };
const isLink = (step: Step): step is { goTo: string } => 'goTo' in step;

/** Goes through one sign-in request by request. `steps` is what is done on its pages, in order. */
async function walk(steps: readonly Step[], counts: Counts, visitor = newVisitor()): Promise<void> {
  const { tally } = hemma.db as Database;
  const counted = async <T>(request: string, work: () => Promise<T>): Promise<T> => {
    const before = { ...tally };
    const result = await work();
    const statements = tally.statements - before.statements;
    const journeys = tally.roundTrips - before.roundTrips;
    const [few, short] = counts[request] ?? [Infinity, Infinity];
    counts[request] = [Math.min(statements, few), Math.min(journeys, short)];
    return result;
  };
  const left = [...steps];
  const begun = await autopay.begin();
  let url = new URL(begun.url);
  let answer = await counted('GET /auth', () => visitor.request(url));
  while (!url.href.startsWith(autopay.redirectUri)) {
    const { location } = answer.headers;
    if (location !== undefined) {
      url = new URL(location, url);
      if (url.href.startsWith(autopay.redirectUri)) break;
      answer = await counted(`GET ${nameOf(url)}`, () => visitor.request(url));
      continue;
    }
    const token = /name="token" value="([^"]+)"/.exec(answer.body)?.[1] ?? '';
    const step = left.shift();
    if (!step) throw new Error(`nothing to type at ${url.href}: ${answer.status}`);
    if (isLink(step)) {
      url = new URL(step.goTo, url);
      answer = await counted(`GET ${nameOf(url)}`, () => visitor.request(url));
      continue;
    }
    const form = typeof step === 'function' ? step(answer.body) : step;
    answer = await counted(`POST ${nameOf(url)}`, () =>
      visitor.request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ ...form, token }).toString(),
      }),
    );
  }
  await counted('POST /token', () => autopay.redeem(begun, url));
}

async function countsOf(turn: () => Promise<Step[]>): Promise<Counts> {
  const counts: Counts = {};
  for (let time = 0; time < 10; time += 1) await walk(await turn(), counts);
  return counts;
}

test('a sign-in with a password, from a browser that is new here', async () => {
  const { email } = plain.account;
  expect(await countsOf(async () => [{ email, password: PASSWORD }])).toEqual({
    'GET /auth': [1, 1],
    'GET /interaction/:uid/password': [2, 2],
    'POST /interaction/:uid/password': [10, 9],
    'GET /auth/:uid': [2, 2],
    'POST /token': [2, 2],
  });
});

test('a sign-in with a password, from a browser that the account knows', async () => {
  const { email } = plain.account;
  const counts: Counts = {};
  let visitor = newVisitor();
  const typed = [{ email, password: PASSWORD }];
  await walk(typed, {}, visitor);
  for (let time = 0; time < 10; time += 1) {
    visitor = newVisitor({ stolen: visitor.cookies.all().filter(({ name }) => name.endsWith('device')) });
    await walk(typed, counts, visitor);
  }
  expect(counts).toEqual({
    'GET /auth': [1, 1],
    'GET /interaction/:uid/password': [2, 2],
    'POST /interaction/:uid/password': [7, 7],
    'GET /auth/:uid': [2, 2],
    'POST /token': [2, 2],
  });
});

test('a sign-in in two steps', async () => {
  const { email } = withPhone.account;
  const key = withPhone.phone.key ?? '';
  const typed = async () => {
    travel(30_000);
    return [{ email, password: PASSWORD }, { code: sixDigits(key) }];
  };
  expect(await countsOf(typed)).toEqual({
    'GET /auth': [1, 1],
    'GET /interaction/:uid/password': [2, 2],
    'POST /interaction/:uid/password': [6, 6],
    'GET /interaction/:uid/totp': [2, 2],
    'POST /interaction/:uid/totp': [10, 9],
    'GET /auth/:uid': [2, 2],
    'POST /token': [2, 2],
  });
});

/** What a page carries for scripts and tests under that name. */
const carried = (name: string, page: string) => new RegExp(`data-${name}="([^"]+)"`).exec(page)?.[1] ?? '';

test('a new phone, in seven screens', async () => {
  const { email } = withPhone.account;
  const { phone } = withPhone;
  const steps = async (): Promise<Step[]> => [
    { email, password: PASSWORD },
    { goTo: 'another-way' },
    { goTo: 'recovery-code' },
    { code: phone.recoveryCode ?? '', phoneGone: 'yes' },
    (page) => {
      phone.key = carried('key', page);
      return { code: sixDigits(phone.key) };
    },
    (page) => {
      phone.recoveryCode = carried('recovery-code', page);
      return { lastGroup: phone.recoveryCode.slice(-4) };
    },
  ];
  expect(await countsOf(steps)).toEqual({
    'GET /auth': [1, 1],
    'GET /interaction/:uid/password': [2, 2],
    'POST /interaction/:uid/password': [6, 6],
    'GET /interaction/:uid/totp': [2, 2],
    'GET /interaction/:uid/another-way': [2, 2],
    'GET /interaction/:uid/recovery-code': [3, 3],
    'POST /interaction/:uid/recovery-code': [15, 9],
    'GET /interaction/:uid/re-enrollment': [3, 3],
    'POST /interaction/:uid/re-enrollment': [25, 16],
    'GET /interaction/:uid/new-recovery-code': [3, 3],
    'POST /interaction/:uid/new-recovery-code': [23, 13],
    'GET /auth/:uid': [2, 2],
    'POST /token': [2, 2],
  });
});
