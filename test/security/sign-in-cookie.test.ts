/** The cookie that binds an interaction to the browser: its attributes, when it is set, replaced and cleared. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { at, connectPhone, typePassword } from '../rig/ceremony.ts';
import { back } from '../rig/clock.ts';
import type { Cookie } from '../rig/cookies.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { basicOf } from '../protocol/requests.ts';
import { newDevice } from '../protocol/devices.ts';
import { emailedCode } from '../support/moves.ts';
import {
  enrolledUser,
  newUser,
  nextCode,
  type SecureProvider,
  startSecureProvider,
} from '../support/secure-provider.ts';
import { pageUrl, signInCookies } from '../support/sign-in-cookies.ts';

const slow = 180_000;
let provider: SecureProvider;
let development: Hemma;
let developmentClient: RelyingParty;
beforeAll(async () => {
  provider = await startSecureProvider();
  development = await startHemma();
  developmentClient = await startRelyingParty({ hemma: development });
}, slow);
afterEach(back);
afterAll(async () => {
  await developmentClient.stop();
  await development.stop();
  await provider.stop();
});

/** Bits of a random value that is written in hex, base64 or base64url. */
const bitsOf = (value: string) =>
  /^[0-9a-f]+$/.test(value) ? value.length * 4 : Math.floor(value.replaceAll(/[^\w+/-]/g, '').length * 6);

/** The only sign-in cookie of a browser. */
function theCookie(visitor: Visitor): Cookie {
  const found = signInCookies(visitor);
  expect(found.map(({ name }) => name)).toHaveLength(1);
  return found[0] as Cookie;
}

const begun = async (): Promise<Visitor> => {
  const visitor = newVisitor();
  at('password', await visitor.visit((await provider.application.begin()).url));
  return visitor;
};

/** A pushed authorization request (RFC 9126), opened in a new browser. */
async function pushed(): Promise<Visitor> {
  const { application, hemma } = provider;
  const { searchParams } = new URL((await application.begin()).url);
  const answer = await exchange(new URL(hemma.url('/request')), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...basicOf(application) },
    body: searchParams.toString(),
  });
  const { request_uri: uri } = JSON.parse(answer.body) as { request_uri: string };
  const url = new URL(hemma.url('/auth'));
  url.search = new URLSearchParams({ client_id: application.clientId, request_uri: uri }).toString();
  const visitor = newVisitor();
  await visitor.visit(url);
  return visitor;
}

/** A cross-site POST of the authorization request (OpenID Connect Core §3.1.2.1). */
async function posted(): Promise<Visitor> {
  const url = new URL((await provider.application.begin()).url);
  const fields = Object.fromEntries(url.searchParams);
  url.search = '';
  const visitor = newVisitor();
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://foreign.test' };
  await visitor.post(url, fields, headers);
  return visitor;
}

async function onDevice(): Promise<Visitor> {
  const { code } = await newDevice(provider.hemma, provider.application);
  const visitor = newVisitor();
  await visitor.visit(provider.hemma.url('/device'));
  await visitor.submit({ user_code: code });
  await visitor.submit({}, 'confirm=yes');
  return visitor;
}

describe('the cookie of an interaction', () => {
  test.each([
    ['GET /auth', begun],
    ['a cross-site POST of /auth', posted],
    ['a pushed authorization request', pushed],
    ['the device flow', onDevice],
  ])('is set by %s: __Host-, 256 bits, HttpOnly, SameSite=Lax, whole site', async (_how, begin) => {
    const visitor = await begin();
    at('password', visitor.screen);
    const { name, value, attributes } = theCookie(visitor);
    expect(name).toMatch(/^__Host-hemma-signin-[\w-]{4,}$/);
    expect(bitsOf(value)).toBeGreaterThanOrEqual(256);
    expect(attributes).toMatchObject({ path: '/', httponly: '', secure: '' });
    expect(attributes['samesite']?.toLowerCase()).toBe('lax');
    expect(attributes).not.toHaveProperty('domain');
  });

  test('has no prefix and is not Secure on http://localhost', async () => {
    const visitor = newVisitor();
    at('password', await visitor.visit((await developmentClient.begin()).url));
    const { name, attributes } = theCookie(visitor);
    expect(name).toMatch(/^hemma-signin-[\w-]{4,}$/);
    expect(attributes).toMatchObject({ path: '/', httponly: '' });
    expect(attributes).not.toHaveProperty('secure');
  });

  test('is another for each interaction, in name and value', async () => {
    const visitor = await begun();
    const first = theCookie(visitor);
    await visitor.visit((await provider.application.begin()).url);
    const [one, other] = signInCookies(visitor);
    expect(signInCookies(visitor).length).toBe(2);
    expect(one?.value === first.value).toBe(true);
    expect([other?.name, other?.value]).not.toEqual([one?.name, one?.value]);
    expect(other?.name).not.toBe(one?.name);
  });

  test('is new for the consent that follows a sign-in', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = newVisitor();
    await visitor.visit((await provider.thirdParty.begin()).url);
    await typePassword(visitor, user.email);
    const before = theCookie(visitor);
    at('consent', await visitor.submit({ code: nextCode(user.key) }));
    expect(theCookie(visitor).name).not.toBe(before.name);
    at('back', await visitor.submit({}, 'choice=allow'));
    expect(signInCookies(visitor).length).toBe(0);
  });

  test('has another value after the correct password, under the same name, and not after a wrong one', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = await begun();
    const first = theCookie(visitor);
    await visitor.submit({ email: user.email, password: 'not the password' });
    at('password', visitor.screen);
    expect(theCookie(visitor).value).toBe(first.value);
    at('totp', await typePassword(visitor, user.email));
    const second = theCookie(visitor);
    expect(second.name).toBe(first.name);
    expect(second.value).not.toBe(first.value);
    expect(bitsOf(second.value)).toBeGreaterThanOrEqual(256);
  });

  test('has another value after the emailed code of a forgotten password', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = await begun();
    await visitor.visit(pageUrl(visitor, 'forgotten-password'));
    await visitor.submit({ email: user.email });
    const first = theCookie(visitor);
    at('totp', await visitor.submit({ code: await emailedCode(provider, user.email) }));
    expect(theCookie(visitor)).toMatchObject({ name: first.name });
    expect(theCookie(visitor).value).not.toBe(first.value);
  });

  test('is cleared at the end of a sign-in', async () => {
    const user = await newUser(provider.hemma);
    const visitor = await begun();
    theCookie(visitor);
    await typePassword(visitor, user.email);
    await connectPhone(visitor);
    at('back', visitor.screen);
    expect(signInCookies(visitor).length).toBe(0);
  });

  test('is kept for at most 10 interactions, and the newest of them work', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = await begun();
    const oldest = visitor.screen.url;
    for (let count = 0; count < 12; count++) await visitor.visit((await provider.application.begin()).url);
    expect(signInCookies(visitor).length).toBeGreaterThan(1);
    expect(signInCookies(visitor).length).toBeLessThanOrEqual(10);
    at('totp', await typePassword(visitor, user.email));
    at('back', await visitor.submit({ code: nextCode(user.key) }));
    // The sign-in that was left behind is over or begins afresh; it is no fault.
    expect((await visitor.visit(oldest)).status).toBeLessThan(500);
  });

  test('binds the form token: one of before the password is refused after it', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = await begun();
    const tokenIn = () => visitor.screen.page.querySelector('main input[name=token]')?.getAttribute('value');
    const before = tokenIn() ?? '';
    at('totp', await typePassword(visitor, user.email));
    expect(tokenIn()).not.toBe(before);
    const code = nextCode(user.key);
    const refused = await visitor.submit({ code, token: before });
    expect([refused.step, refused.status, refused.refusal]).toEqual(['totp', 403, 'form-expired']);
    at('back', await visitor.submit({ code }));
  });

  test('is stored as a hash alone and is never logged', async () => {
    const user = await enrolledUser(provider.hemma, provider.application);
    const visitor = await begun();
    const values = [theCookie(visitor).value];
    await typePassword(visitor, user.email);
    values.push(theCookie(visitor).value);
    const { hemma } = provider;
    const { rows } = await hemma.db.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
    );
    for (const { name } of rows) {
      const { rows: hits } = await hemma.db.query(
        `SELECT 1 FROM "${name}" AS stored WHERE stored::text LIKE ANY($1)`,
        [values.map((value) => `%${value}%`)],
      );
      expect([name, hits.length]).toEqual([name, 0]);
    }
    for (const value of values) expect(hemma.logs()).not.toContain(value);
  });
});
