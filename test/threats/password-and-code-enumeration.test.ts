/** A throttled password together with an emailed code does not tell who has an account, nor which half was wrong. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { shellWith } from '../command-line/shell.ts';
import { back, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Screen, type Visitor } from '../rig/visitor.ts';
import { gotIn, nextStep } from './sign-in.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma({ env: { HEMMA_TRUSTED_PROXIES: '127.0.0.1' } });
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});
beforeEach(() => nextStep());
afterEach(back);

let networks = 0;
/** A new browser in a network of its own. */
function stranger(): Visitor {
  networks += 1;
  const address = `198.18.${Math.floor(networks / 250)}.${1 + (networks % 250)}`;
  return newVisitor({ headers: { 'x-forwarded-for': address } });
}

const codeTo = async (email: string) =>
  /\d{4} \d{4}/.exec((await hemma.mail.mailTo(email, /\d{4} \d{4}/)).text)?.[0] ?? '';
const wrong = (code: string) => (code.startsWith('1') ? '2222 2222' : '1111 1111');

/** Spends the password's budget, which then pauses for half a minute; answers a browser on the page that says so. */
async function throttled(email: string): Promise<Visitor> {
  const browser = stranger();
  await browser.visit((await party.begin()).url);
  for (let guess = 1; guess <= 11; guess++) await browser.submit({ email, password: `wrong ${guess}` });
  expect(browser.screen).toMatchObject({ status: 429, step: 'password', refusal: 'throttled' });
  return browser;
}

const account = (email: string) => hemma.account({ email, twoStepRequired: false });

const tokenOf = ({ screen }: Visitor) => ({
  token: screen.page.querySelector('[name=token]')?.getAttribute('value') ?? '',
});

/** A screen without what differs between two sign-ins and two addresses anyway. */
const look = ({ status, body, headers }: Screen, { screen }: Visitor, email: string) => ({
  status,
  headers: Object.keys(headers).toSorted(),
  body: body
    .replaceAll(screen.url.pathname.split('/')[2] ?? '', 'uid')
    .replaceAll(email, 'address')
    .replaceAll(/name="token" value="[^"]*"/g, '')
    .replaceAll(/\d+ (sekunder|sekund)\b/g, 'SECONDS'),
});

test('known, unknown and disabled addresses look the same at every step (T33)', async () => {
  await account('known-1@example.com');
  await account('disab-1@example.com');
  await shellWith(hemma.env)(['accounts', 'disable', 'disab-1@example.com']);
  const courses: unknown[] = [];
  for (const email of ['known-1@example.com', 'unkno-1@example.com', 'disab-1@example.com']) {
    const browser = await throttled(email);
    const course = [look(browser.screen, browser, email)];
    const then = (screen: Screen) => void course.push(look(screen, browser, email));
    then(await browser.submit({}, 'Mejla mig en kod'));
    const page = browser.screen;
    then(await browser.submit({}, 'Skicka en ny kod'));
    for (let pair = 1; pair <= 6; pair++) {
      browser.backTo(page);
      then(await browser.submit({ password: PASSWORD, code: '1111 1111' }));
    }
    for (let time = 1; time <= 4; time++) {
      travel(seconds(61));
      browser.backTo(page);
      then(await browser.submit({}, 'Skicka en ny kod'));
    }
    courses.push(course);
    back();
  }
  expect(courses[1]).toEqual(courses[0]);
  expect(courses[2]).toEqual(courses[0]);
}, 120_000);

/** Slow hashes that the provider has begun to compute so far. */
async function hashesBegun(): Promise<number> {
  const { body } = await exchange(new URL(hemma.url('/metrics')));
  return Number(/^hemma_hash_wait_seconds_count (\d+)$/m.exec(body)?.[1]);
}

// Counted, not timed: hashes are what takes long, and a busy machine makes every other figure unreliable.
test('verifies two hashes for an unknown address, and whichever half is wrong (T33)', async () => {
  const counts: Record<string, number> = {};
  for (const kind of ['unknown', 'password', 'code', 'both', 'none']) {
    const email = `${kind}@example.com`;
    if (kind !== 'unknown') await account(email);
    const browser = stranger();
    await browser.visit((await party.begin()).url);
    await browser.visit(new URL('password-and-code', browser.screen.url));
    await browser.post(browser.screen.url, { ...tokenOf(browser), email, send: 'yes' });
    const code = kind === 'unknown' ? '1111 1111' : await codeTo(email);
    const before = await hashesBegun();
    const right = kind === 'none';
    await browser.submit({
      password: right || kind === 'code' ? PASSWORD : 'not this',
      code: right || kind === 'password' ? code : wrong(code),
    });
    expect([kind, gotIn(browser)]).toEqual([kind, right]);
    counts[kind] = (await hashesBegun()) - before;
  }
  expect(counts).toEqual({ unknown: 2, password: 2, code: 2, both: 2, none: 2 });
});
