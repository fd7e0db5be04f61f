/** T29: signing out is asked about, and ends what it should and nothing else. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person, type SignedIn } from './people.ts';
import { basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
let person: Person;
let there: SignedIn;
let elsewhere: SignedIn;
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({
    hemma,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
  lon = await startRelyingParty({ hemma, description: { name: 'Lön' } });
});
beforeEach(async () => {
  person = await newPerson(hemma, { twoStep: false });
  there = await person.signInTo(autopay);
  elsewhere = await person.signInTo(lon);
});
afterEach(back);
afterAll(async () => {
  await Promise.all([autopay.stop(), lon.stop()]);
  await hemma.stop();
});

const hint = () => there.tokens.id_token ?? '';
const end = (parameters: Record<string, string> = {}) =>
  hemma.url(`/session/end?${new URLSearchParams(parameters).toString()}`);
const registered = () => autopay.description.postLogoutRedirectUris[0] ?? '';
const signOut = () => person.visitor.submit({}, 'logout=yes');
const me = (token: string) => get(hemma.url('/me'), { authorization: `Bearer ${token}` });

async function isSignedIn(): Promise<boolean> {
  const screen = await person.visitor.visit((await autopay.begin({ prompt: 'none' })).url);
  const { code, error } = broughtBack(screen.url);
  if (code === undefined) expect(error).toBe('login_required');
  return code !== undefined;
}

describe('a link to sign out', () => {
  test('trap: T29 only asks, with a hint and without, from this site and from another', async () => {
    const links = [{}, { id_token_hint: hint() }, { client_id: autopay.clientId }];
    for (const parameters of links) {
      const screen = await person.visitor.visit(end(parameters));
      expect(screen).toMatchObject({ step: 'sign-out', status: 200 });
      expect(screen.text).toContain('Autopay');
      expect(screen.text).toContain('Lön');
      // No script of the page may send the form by itself: that would be a sign-out by link.
      expect(screen.page.querySelectorAll('script:not([src]), meta[http-equiv]:not([charset])')).toEqual([]);
      expect(screen.headers['content-security-policy']).not.toContain('sha256-');
      expect(await isSignedIn()).toBe(true);
    }
  });

  test('T29 a form of another site signs nobody out', async () => {
    await person.visitor.visit(end());
    const foreign = { xsrf: 'guessed', logout: 'yes' };
    const answer = await person.visitor.post(hemma.url('/session/end/confirm'), foreign, {
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
    });
    expect(answer.status).toBe(403);
    expect(await isSignedIn()).toBe(true);
  });

  test('T29 staying signed in keeps the session', async () => {
    await person.visitor.visit(end());
    await person.visitor.submit({}, 'Fortsätt vara inloggad här');
    expect(await isSignedIn()).toBe(true);
  });

  const hints = {
    'no token at all': () => 'nonsense',
    unsigned: () =>
      new UnsecuredJWT({ sub: person.account.id })
        .setIssuer(hemma.issuer)
        .setAudience(autopay.clientId)
        .encode(),
    'signed by somebody else': () =>
      new SignJWT({ sub: person.account.id })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(hemma.issuer)
        .setAudience(autopay.clientId)
        .sign(new TextEncoder().encode(autopay.clientSecret)),
    'of another provider': () =>
      new SignJWT({ sub: person.account.id })
        .setProtectedHeader({ alg: 'RS256', kid: 'theirs' })
        .setIssuer('https://elsewhere.example')
        .setAudience(autopay.clientId)
        .sign(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    'with a changed signature': () => `${hint().slice(0, -8)}AAAAAAAA`,
    'of no application of ours': () => new UnsecuredJWT({}).setAudience('nobody').encode(),
    'without an application': () => new UnsecuredJWT({}).encode(),
  };
  test.each(Object.entries(hints))(
    'T29 a hint that is %s is refused and ends nothing',
    async (_how, make) => {
      const parameters = { id_token_hint: await make(), post_logout_redirect_uri: registered() };
      const screen = await person.visitor.visit(end(parameters));
      expect(screen).toMatchObject({ step: 'problem', status: 400 });
      expect(screen.url.origin).toBe(hemma.issuer);
      expect(await isSignedIn()).toBe(true);
    },
  );

  test('a form of an application that asks to sign out is the same question, whatever its cookies', async () => {
    await person.visitor.visit(autopay.redirectUri);
    const fields = { id_token_hint: hint(), post_logout_redirect_uri: registered(), state: 'å&ä' };
    const screen = await person.visitor.post(hemma.url('/session/end'), fields);
    expect(screen).toMatchObject({ step: 'sign-out', status: 200 });
    expect(screen.chain.map(({ method, status }) => [method, status])).toEqual([
      ['POST', 303],
      ['GET', 200],
    ]);
    expect(await isSignedIn()).toBe(true);
    person.visitor.backTo(screen);
    expect(broughtBack((await signOut()).url)).toEqual({ state: 'å&ä' });
    expect(await isSignedIn()).toBe(false);
  });

  test.each([{}, { state: 'alone' }, { logout_hint: 'astrid@example.com' }, { id_token_hint: '' }])(
    'asked with %j only, it asks once and shows its own page',
    async (parameters) => {
      expect((await person.visitor.visit(end(parameters))).step).toBe('sign-out');
      const screen = await signOut();
      expect(screen).toMatchObject({ step: 'signed-out', url: { search: '' } });
      expect(await isSignedIn()).toBe(false);
    },
  );

  test('the hint of a session that is over, and of another person, asks about the session that is here', async () => {
    const other = await newPerson(hemma, { twoStep: false });
    await other.signInTo(autopay);
    const asked = { id_token_hint: hint(), post_logout_redirect_uri: registered() };
    expect((await other.visitor.visit(end(asked))).step).toBe('sign-out');
    expect(await isSignedIn()).toBe(true);
    // With no session at all nothing is asked; the way back is the registered one.
    const nobody = person.elsewhere().visitor;
    await nobody.visit(end(asked));
    if (nobody.screen.step === undefined) await nobody.submit();
    expect(nobody.screen.url.href.startsWith(registered())).toBe(true);
  });

  test('T29 the hint of one application does not speak for another', async () => {
    const screen = await person.visitor.visit(end({ id_token_hint: hint(), client_id: lon.clientId }));
    expect(screen.status).toBe(400);
  });

  test('T29 an address that is not registered, or is changed a little, is never gone to', async () => {
    const wrong = [
      `${registered()}/`,
      `${registered()}?x=1`,
      `${registered()}#x`,
      autopay.redirectUri,
      lon.description.postLogoutRedirectUris[0] ?? '',
      'https://evil.example/',
      'javascript:alert(1)',
    ];
    for (const post_logout_redirect_uri of wrong) {
      const screen = await person.visitor.visit(end({ id_token_hint: hint(), post_logout_redirect_uri }));
      expect(screen).toMatchObject({ step: 'problem', status: 400 });
    }
    await person.visitor.visit(end({ post_logout_redirect_uri: 'https://evil.example/' }));
    expect((await signOut()).step).toBe('signed-out');
  });
});

describe('signing out', () => {
  test('T29 ends the session: prompt=none is answered with login_required, the old cookie is dead', async () => {
    const stolen = person.visitor.cookies.all();
    await person.visitor.visit(end());
    expect((await signOut()).step).toBe('signed-out');
    expect(await isSignedIn()).toBe(false);
    for (const { name, value } of stolen) person.visitor.cookies.plant(new URL(hemma.issuer), name, value);
    expect(await isSignedIn()).toBe(false);
  });

  test('T29 goes back to the registered address with the state', async () => {
    const asked = { id_token_hint: hint(), post_logout_redirect_uri: registered(), state: 'åter' };
    await person.visitor.visit(end(asked));
    const screen = await signOut();
    expect(screen.url.href.startsWith(registered())).toBe(true);
    expect(broughtBack(screen.url)).toEqual({ state: 'åter' });
  });

  test('T29 takes a hint whose own hour is over, as long as the session lives', async () => {
    for (let turn = 0; turn < 2; turn++) {
      travel(minutes(40));
      expect(await isSignedIn()).toBe(true);
    }
    const asked = { id_token_hint: hint(), post_logout_redirect_uri: registered() };
    expect((await person.visitor.visit(end(asked))).step).toBe('sign-out');
    expect((await signOut()).url.href.startsWith(registered())).toBe(true);
  });

  test('T29 ends the tokens of every application, except what was allowed while away', async () => {
    const asked = { scope: 'openid profile offline_access', prompt: 'consent' };
    const other = person.elsewhere();
    const { tokens: away } = await other.signInTo(autopay, asked);
    await person.visitor.visit(end());
    await signOut();
    for (const { tokens } of [there, elsewhere]) expect((await me(tokens.access_token)).status).toBe(401);
    const use = { grant_type: 'refresh_token', refresh_token: away.refresh_token ?? '' };
    expect((await post(hemma.url('/token'), use, basicOf(autopay))).status).toBe(200);
  });

  test('T29 keeps the tokens with offline_access of this very session', async () => {
    const { tokens } = await person.signInTo(autopay, { scope: 'openid offline_access', prompt: 'consent' });
    await person.visitor.visit(end());
    await signOut();
    const use = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    expect((await post(hemma.url('/token'), use, basicOf(autopay))).status).toBe(200);
  });

  test('leaves the same person alone at another computer', async () => {
    const { tokens } = await person.elsewhere().signInTo(autopay);
    await person.visitor.visit(end());
    await signOut();
    expect((await me(tokens.access_token)).status).toBe(200);
  });
});
