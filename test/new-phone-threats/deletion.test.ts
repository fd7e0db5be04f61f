/** Deleting an account: it takes everything, ends everything, and its identifier never comes back (T34, SECURITY 63). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { deedUrl, gotIn, newPerson, pageOf, type Person, proveBoth, provePassword } from './people.ts';

let hemma: Hemma;
let party: RelyingParty;

beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
});
afterEach(back);
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

const person = (name: string) => newPerson(hemma, party, `${name}@example.com`);

async function deleteAccount(owner: Person) {
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'delete_account'), owner);
  expect(browser.screen.step).toBe('confirm');
  await browser.submit({ email: owner.email }, 'choice=do');
  expect(browser.screen.step).toBe('account-deleted');
  return browser;
}

/** Signs in and allows the application to act while the person is away. */
async function offlineTokens(owner: Person) {
  const browser = newVisitor();
  const begun = await party.begin({ scope: 'openid email offline_access', prompt: 'consent' });
  await proveBoth(browser, begun.url, owner);
  await browser.submit({}, 'choice=allow');
  expect(gotIn(browser)).toBe(true);
  return { browser, tokens: await party.redeem(begun, browser.screen.url) };
}

test('T20 nothing is deleted by a link, by another address, or by cancelling', async () => {
  const owner = await person('astrid');
  const browser = newVisitor();
  await proveBoth(browser, deedUrl(hemma, 'delete_account'), owner);
  const page = browser.screen;
  await browser.visit(`${page.url.href}?choice=do&email=${owner.email}`);
  for (const email of ['', 'annan@example.com', `${owner.email},x@example.com`]) {
    await browser.submit({ email }, 'choice=do');
    expect([email, browser.screen.step, browser.screen.refusal]).toEqual([email, 'confirm', 'wrong-email']);
  }
  await browser.submit({}, 'choice=decline');
  expect(browser.screen.url.pathname).toBe('/account');
  const again = newVisitor();
  await proveBoth(again, (await party.begin()).url, owner);
  expect(gotIn(again)).toBe(true);
});

test('T34 sessions, codes and tokens of a deleted account are dead at once, offline ones too', async () => {
  const owner = await person('bertil');
  const { browser, tokens } = await offlineTokens(owner);
  const begun = await party.begin();
  await browser.visit(begun.url);
  expect(gotIn(browser)).toBe(true);
  const back = browser.screen.url;
  await deleteAccount(owner);
  await browser.visit(hemma.url('/account'));
  expect(browser.screen.step).toBe('password');
  await browser.visit((await party.begin({ prompt: 'none' })).url);
  expect(browser.screen.url.searchParams.get('error')).toBe('login_required');
  await expect(party.redeem(begun, back)).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect(party.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect(party.userinfo(tokens.access_token, owner.id)).rejects.toMatchObject({ status: 401 });
  for (const token of [tokens.access_token, tokens.refresh_token ?? '']) {
    const { active } = await client.tokenIntrospection(await party.configuration(), token);
    expect(active).toBe(false);
  }
});

test('T34 applications that the person was signed in to are told that the session is over', async () => {
  const owner = await person('cecilia');
  const before = party.logoutTokens.length;
  await deleteAccount(owner);
  const told = await Promise.all((await party.told(1, before)).map((token) => party.verify(token)));
  expect(told.map(({ payload }) => payload.sub)).toContain(owner.id);
});

test('SECURITY 63 whoever registers the address again is somebody else', async () => {
  const owner = await person('david');
  const { tokens } = await offlineTokens(owner);
  const half = newVisitor();
  await provePassword(half, (await party.begin()).url, owner.email);
  const goodbye = await deleteAccount(owner);
  expect(goodbye.screen.headers['cache-control']).toBe('no-store');
  await hemma.mail.mailTo(owner.email, /konto är borttaget/);
  const next = await person('david');
  expect(next.id).not.toBe(owner.id);
  // What the first one had proved, kept and been given is nothing to the second.
  await half.submit({ code: sixDigits(next.key, { step: 1 }) });
  expect([gotIn(half), half.screen.step]).toEqual([false, 'password']);
  await goodbye.visit(pageOf(half, ''));
  expect(goodbye.screen.status).toBe(404);
  await expect(party.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  const old = newVisitor();
  await proveBoth(old, (await party.begin()).url, { ...next, key: owner.key });
  expect([old.screen.step, old.screen.refusal]).toEqual(['totp', 'wrong-code']);
});

test('SECURITY 63 no session, grant, code or token of a deleted account is kept', async () => {
  const owner = await person('eva');
  await offlineTokens(owner);
  await deleteAccount(owner);
  await hemma.mail.mailTo(owner.email, /konto är borttaget/);
  const { rows } = await hemma.db.query<{ model: string }>(
    'SELECT model FROM oidc_records WHERE payload::text LIKE $1',
    [`%${owner.id}%`],
  );
  expect(rows.map(({ model }) => model).filter((model) => model !== 'Interaction')).toEqual([]);
});
