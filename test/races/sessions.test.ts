/**
 * One session, several tabs, two processes: nobody undoes what another did. The order is forced by a transaction
 * of the test that holds what both requests need.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, signInFirst, typePassword } from '../rig/ceremony.ts';
import type { Answer } from '../rig/exchange.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { hold, releaseAll, untilWaiting } from './interleave.ts';
import { startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
let autopay: RelyingParty;
let wages: RelyingParty;
let times: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  autopay = await startRelyingParty({ hemma: two });
  wages = await startRelyingParty({ hemma: two, description: { name: 'Lön' } });
  times = await startRelyingParty({ hemma: two, description: { name: 'Tid' } });
});
afterEach(releaseAll);
afterAll(async () => {
  for (const app of [autopay, wages, times]) await app.stop();
  await two.stop();
});

async function signedIn(email: string): Promise<{ visitor: Visitor; key: string }> {
  await two.account({ email });
  const visitor = newVisitor();
  const { key } = await signInFirst(visitor, (await autopay.begin()).url, email);
  return { visitor, key };
}

const sessionRow = "SELECT 1 FROM oidc_records WHERE model = 'Session' FOR UPDATE";

/** What the application hears: a code, or why there is none. */
function heard({ status, headers, body }: Answer): string {
  const back = headers.location ? new URL(headers.location, two.issuer).searchParams : undefined;
  if (back?.has('code')) return 'code';
  return back?.get('error') ?? body.match(/"error":"([^"]+)"/)?.[1] ?? `${status}`;
}

const silently = async (visitor: Visitor, app: RelyingParty) =>
  heard(await visitor.request((await app.begin({ prompt: 'none' })).url));

async function toSignOut(visitor: Visitor): Promise<void> {
  at('sign-out', await visitor.visit(two.url('/session/end')));
}

describe('signing out in one tab', () => {
  test('is not undone by My details in another, which read the session before', async () => {
    const { visitor } = await signedIn('astrid@example.com');
    await toSignOut(visitor);
    const held = await hold(two.databaseUrl, 'LOCK TABLE devices IN ACCESS EXCLUSIVE MODE');
    const details = visitor.request(two.url('/account'));
    await untilWaiting(two.databaseUrl, 1);
    const stolen = newVisitor({ stolen: visitor.cookies.all() });
    at('signed-out', await visitor.submit({}, 'logout=yes'));
    await held.release();
    await details;
    // The very cookie that the session had, too: it is ended on the server.
    for (const anybody of [visitor, stolen]) {
      expect(await silently(anybody, autopay)).toBe('login_required');
      at('password', await anybody.visit(two.url('/account')));
    }
  });

  test('hands out nothing to an application whose request read the session before', async () => {
    const { visitor } = await signedIn('bertil@example.com');
    await toSignOut(visitor);
    const tab = newVisitor({ stolen: visitor.cookies.all() });
    const { url } = await wages.begin();
    const held = await hold(two.databaseUrl, sessionRow);
    const signingOut = visitor.submit({}, 'logout=yes');
    await untilWaiting(two.databaseUrl, 1);
    const asking = tab.request(url, { headers: { accept: 'application/json' } });
    await untilWaiting(two.databaseUrl, 2);
    await held.release();
    at('signed-out', await signingOut);
    const answer = await asking;
    expect([answer.status, heard(answer)]).toEqual([409, 'session-ended']);
    expect(answer.headers['set-cookie'] ?? []).toEqual([]);
    expect(await silently(tab, wages)).toBe('login_required');
  });

  test('twice at once ends the session once and never in a fault', async () => {
    const { visitor } = await signedIn('cecilia@example.com');
    await toSignOut(visitor);
    const tab = newVisitor({ stolen: visitor.cookies.all() });
    tab.backTo(visitor.screen);
    const held = await hold(two.databaseUrl, sessionRow);
    const sent = [visitor.submit({}, 'logout=yes'), tab.submit({}, 'logout=yes')];
    await untilWaiting(two.databaseUrl, 2);
    await held.release();
    for (const screen of await Promise.all(sent)) expect(screen.status).toBeLessThan(500);
    expect(await silently(tab, autopay)).toBe('login_required');
  });
});

describe('two tabs of one session', () => {
  test('begin two applications at once and neither forgets the other', async () => {
    const { visitor } = await signedIn('david@example.com');
    const urls = [(await wages.begin()).url, (await times.begin()).url];
    const held = await hold(two.databaseUrl, sessionRow);
    const asked = urls.map((url) => visitor.request(url));
    await untilWaiting(two.databaseUrl, 2);
    await held.release();
    expect((await Promise.all(asked)).map(heard)).toEqual(['code', 'code']);
    await toSignOut(visitor);
    for (const name of ['Autopay', 'Lön', 'Tid']) expect(visitor.screen.text).toContain(name);
    const apps = [autopay, wages, times];
    const before = apps.map(({ logoutTokens }) => logoutTokens.length);
    at('signed-out', await visitor.submit({}, 'logout=yes'));
    // Either process delivers, and never both.
    for (const [at, app] of apps.entries()) expect(await app.told(1, before[at])).toHaveLength(1);
  });

  test('an application that came while the other tab signed in anew is not lost', async () => {
    const { visitor, key } = await signedIn('eva@example.com');
    await visitor.visit((await autopay.begin({ prompt: 'login' })).url);
    at('totp', await typePassword(visitor, 'eva@example.com'));
    const { url } = await times.begin();
    const held = await hold(two.databaseUrl, sessionRow);
    // A jar of its own: which of two answers reaches a browser last is not what is asked here.
    const tab = newVisitor({ stolen: visitor.cookies.all() }).request(url);
    await untilWaiting(two.databaseUrl, 1);
    const anew = visitor.submit({ code: sixDigits(key, { step: 1 }) });
    await untilWaiting(two.databaseUrl, 2);
    await held.release();
    expect(heard(await tab)).toBe('code');
    at('back', await anew);
    await toSignOut(visitor);
    for (const name of ['Autopay', 'Tid']) expect(visitor.screen.text).toContain(name);
  });

  test('a disabled account is signed out of all of them, on both processes', async () => {
    const { visitor } = await signedIn('frida@example.com');
    await two.db.query("UPDATE accounts SET disabled_at = now() WHERE email = 'frida@example.com'");
    for (const place of [0, 1]) {
      two.balancer.only(place);
      expect(await silently(visitor, wages)).toBe('login_required');
    }
    two.balancer.only(undefined);
  });
});
