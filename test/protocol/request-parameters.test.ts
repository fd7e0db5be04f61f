/** What an application may wish for in its request: language, address, claims, response mode, pushed requests. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, type JWTPayload } from 'jose';
import { back, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { newPerson } from './people.ts';
import { basic, basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let stranger: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma });
  stranger = await startRelyingParty({ hemma, description: { name: 'Elsewhere', firstParty: false } });
});
afterEach(back);
afterAll(async () => {
  await Promise.all([autopay.stop(), stranger.stop()]);
  await hemma.stop();
});
const newcomer = () => newPerson(hemma, { twoStep: false });

describe('ui_locales', () => {
  test.each([
    ['en', 'sv', 'en'],
    ['sv', 'en', 'sv'],
    ['fi en-GB sv', 'sv', 'en'],
    ['fi', 'sv', 'sv'],
    ['../../etc', 'en', 'en'],
  ])('%s in a browser that speaks %s shows the pages in %s', async (ui_locales, language, shown) => {
    const visitor = newVisitor({ language });
    const screen = await visitor.visit((await autopay.begin({ ui_locales })).url);
    expect(screen.page.querySelector('html')?.getAttribute('lang')).toBe(shown);
  });
});

describe('login_hint', () => {
  test('stands in the field, as text, and can be changed', async () => {
    const visitor = newVisitor();
    for (const hint of ['anna@example.com', '"><script>alert(1)</script>', `' onfocus='alert(1)`]) {
      const screen = await visitor.visit((await autopay.begin({ login_hint: hint })).url);
      const field = screen.page.querySelector('input[name=email]');
      expect(field?.getAttribute('value')).toBe(hint);
      expect(field?.hasAttribute('readonly')).toBe(false);
      expect(screen.page.querySelectorAll('main script')).toEqual([]);
      expect(field?.hasAttribute('onfocus')).toBe(false);
    }
  });

  test('says nothing about whether there is such an account', async () => {
    const person = await newcomer();
    const see = async (login_hint: string) => {
      const { text, status } = await newVisitor().visit((await autopay.begin({ login_hint })).url);
      return { text, status };
    };
    expect(await see(person.account.email)).toEqual(await see('nobody@example.com'));
  });
});

describe('the claims parameter', () => {
  test('puts single claims where they were asked for', async () => {
    const claims = { id_token: { email: null }, userinfo: { name: { essential: true } } };
    const person = await newcomer();
    const asked = { scope: 'openid', claims: JSON.stringify(claims) };
    const signedIn = await person.signInTo(autopay, asked);
    expect(signedIn.claims).toMatchObject({ email: person.account.email });
    expect(signedIn.claims).not.toHaveProperty('name');
    const told = await autopay.userinfo(signedIn.tokens.access_token, person.account.id);
    expect(told).toEqual({ sub: person.account.id, name: person.account.name });
  });

  test('of somebody else than who signs in gives no token (sub)', async () => {
    const [one, other] = [await newcomer(), await newcomer()];
    await one.signInTo(autopay);
    const claims = JSON.stringify({ id_token: { sub: { value: other.account.id } } });
    const screen = await one.signIn((await autopay.begin({ claims, prompt: 'none' })).url);
    expect(broughtBack(screen.url)['error']).toBe('login_required');
  });

  test.each(['{', '[]', '"x"', 'null', '{}', '{"id_token":[]}', '{"userinfo":"x"}', '['.repeat(3000)])(
    'that is %.20s is an error for the application',
    async (claims) => {
      const { headers, status } = await get((await autopay.begin({ claims })).url);
      expect(status).toBe(303);
      expect(broughtBack(new URL(headers.location ?? ''))['error']).toBe('invalid_request');
    },
  );
});

describe('an application of somebody else', () => {
  test('is allowed by the person first, and not asked about again', async () => {
    const person = await newcomer();
    await person.signInTo(stranger);
    expect(person.steps).toEqual(['password', 'consent']);
    await person.signInTo(stranger);
    expect(person.steps).toEqual([]);
    const begun = await stranger.begin({ prompt: 'consent' });
    const refused = await person.signIn(begun.url, { consent: 'deny' });
    expect(broughtBack(refused.url)).toMatchObject({ error: 'access_denied', state: begun.state });
  });

  test('keeps the time of the sign-in when the person takes a while to allow it', async () => {
    const person = await newcomer();
    const begun = await stranger.begin({ prompt: 'login' });
    const { visitor } = person;
    await visitor.visit(begun.url);
    const at = Date.now() / 1000;
    await visitor.submit({ email: person.account.email, password: 'en stilla sjö i augusti' });
    expect(visitor.screen.step).toBe('consent');
    travel(seconds(100));
    const screen = await visitor.submit({}, 'choice=allow');
    const tokens = await stranger.redeem(begun, screen.url);
    const { auth_time } = decodeJwt<JWTPayload & { auth_time: number }>(tokens.id_token ?? '');
    expect(Math.abs(auth_time - at)).toBeLessThan(5);
  });
});

describe('response_mode', () => {
  test('form_post brings the code in a form that is sent by itself', async () => {
    const person = await newcomer();
    const begun = await autopay.begin({ response_mode: 'form_post' });
    const screen = await person.signIn(begun.url);
    const form = screen.page.querySelector('form');
    expect(form?.getAttribute('action')).toBe(autopay.redirectUri);
    expect(form?.querySelector('input[name=state]')?.getAttribute('value')).toBe(begun.state);
    expect(form?.querySelector('input[name=code]')?.getAttribute('value')).toMatch(/./);
    expect(screen.headers['content-security-policy']).toMatch(/script-src [^;]*'sha256-/);
    expect(screen.headers['cache-control']).toContain('no-store');
  });
});

describe('a pushed request', () => {
  const push = async (party: RelyingParty, more: Record<string, string> = {}) => {
    const begun = await party.begin();
    const fields = { ...Object.fromEntries(new URL(begun.url).searchParams), ...more };
    const answer = await post(hemma.url('/request'), fields, basicOf(party));
    const uri = String(answer.json['request_uri']);
    const start = (clientId = party.clientId) =>
      hemma.url(`/auth?${new URLSearchParams({ client_id: clientId, request_uri: uri }).toString()}`);
    return { begun, answer, start };
  };
  const oneError = async (url: string) => {
    const answer = await exchange(new URL(url), { headers: { accept: 'application/json' } });
    const { location } = answer.headers;
    if (location?.includes('/interaction/')) return 'a sign-in';
    return location ? new URL(location).searchParams.get('error') : answer.body;
  };

  test('signs in, and is used up by that', async () => {
    const { begun, answer, start } = await push(autopay);
    expect(answer).toMatchObject({ status: 201, json: { expires_in: 60 } });
    const person = await newcomer();
    const screen = await person.signIn(start());
    expect((await autopay.redeem(begun, screen.url)).id_token).toEqual(expect.any(String));
    const again = await person.visitor.request(start());
    expect(again.headers.location ?? '').not.toContain('code=');
    expect(`${again.headers.location ?? ''}${again.body}`).toMatch(/invalid_request_uri|data-step="problem"/);
  });

  test('expires after sixty seconds', async () => {
    const { start } = await push(autopay);
    travel(seconds(65));
    expect(await oneError(start())).toContain('invalid_request_uri');
  });

  test('belongs to the application that pushed it', async () => {
    const { start } = await push(autopay);
    expect(await oneError(start(stranger.clientId))).toMatch(/invalid_request/);
  });

  test('is not changed by what stands beside it in the address', async () => {
    const { start, begun } = await push(autopay);
    const person = await newcomer();
    const beside = `${start()}&state=other&redirect_uri=${encodeURIComponent('https://evil.example/')}&scope=openid`;
    const screen = await person.signIn(beside);
    expect(screen.url.href.startsWith(autopay.redirectUri)).toBe(true);
    expect(broughtBack(screen.url)['state']).toBe(begun.state);
  });

  test('needs the secret, a challenge, and an address of one of ours', async () => {
    const { begun } = await push(autopay);
    const fields = Object.fromEntries(new URL(begun.url).searchParams);
    expect((await post(hemma.url('/request'), fields)).status).toBe(401);
    expect((await post(hemma.url('/request'), fields, basic(autopay.clientId, 'wrong'))).status).toBe(401);
    const { code_challenge: _challenge, ...without } = fields;
    const unproved = await post(hemma.url('/request'), without, basicOf(autopay));
    expect(unproved).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    const nested = { ...fields, request_uri: 'urn:ietf:params:oauth:request_uri:x' };
    expect((await post(hemma.url('/request'), nested, basicOf(autopay))).status).toBe(400);
    const made = 'urn:ietf:params:oauth:request_uri:made-up';
    const query = new URLSearchParams({ client_id: autopay.clientId, request_uri: made }).toString();
    expect(await oneError(hemma.url(`/auth?${query}`))).toContain('invalid_request_uri');
  });
});
