/** RP-Initiated Logout OP and Back-Channel OP, module by module (OpenID Connect certification). */
import { generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { exchange } from '../rig/exchange.ts';
import type { Screen } from '../rig/visitor.ts';
import type { Person } from '../protocol/people.ts';
import { authorize, certify, type Module, type Op, signedIn, somebody, startOp } from './op.ts';

let op: Op;
beforeAll(async () => {
  op = await startOp();
});

interface Leaving {
  person: Person;
  hint: string;
  state: string;
  /** Goes to the end-session endpoint and confirms where a page asks. */
  leave: (parameters: Record<string, string>) => Promise<Screen>;
  /** What prompt=none says afterwards; undefined where the person is still signed in. */
  silently: () => Promise<string | undefined>;
}

async function aboutToLeave(): Promise<Leaving> {
  const person = await somebody(op);
  const { tokens } = await signedIn(op, 'query', person);
  return {
    person,
    hint: String(tokens['id_token']),
    state: 'a-state-of-ours',
    async leave(parameters) {
      const url = new URL(String(op.discovery['end_session_endpoint']));
      url.search = new URLSearchParams(parameters).toString();
      const screen = await person.visitor.visit(url);
      return screen.page.querySelector('form[action$="/session/end/confirm"]')
        ? person.visitor.submit({}, 'logout=yes')
        : screen;
    },
    async silently() {
      const { back } = await authorize(op, 'query', person, { parameters: { prompt: 'none' } });
      return back?.['error'];
    },
  };
}

const registered = () => op.client.description.postLogoutRedirectUris[0] ?? '';

/** Signed out, on a page of the provider's. */
const pageShown =
  (parameters: (leaving: Leaving) => Record<string, string>): Module =>
  async () => {
    const leaving = await aboutToLeave();
    const screen = await leaving.leave(parameters(leaving));
    expect([screen.url.origin, screen.status]).toEqual([op.hemma.issuer, 200]);
    expect(await leaving.silently()).toBe('login_required');
  };

/** Wherever it ends, it is not at the application. */
const notBack =
  (parameters: (leaving: Leaving) => Record<string, string> | Promise<Record<string, string>>): Module =>
  async () => {
    const leaving = await aboutToLeave();
    const { url, status } = await leaving.leave(await parameters(leaving));
    expect(url.origin).toBe(op.hemma.issuer);
    expect([200, 400]).toContain(status);
  };

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

const logout: Record<string, Module> = {
  'oidcc-rp-initiated-logout-discovery-endpoint-verification': ({ discovery }) => {
    expect(discovery['end_session_endpoint']).toMatch(/^https:\/\//);
    return Promise.resolve();
  },

  async 'oidcc-rp-initiated-logout'() {
    const { leave, silently, hint, state } = await aboutToLeave();
    const { url } = await leave({ id_token_hint: hint, post_logout_redirect_uri: registered(), state });
    expect(url.href).toBe(`${registered()}?state=${state}`);
    expect(await silently()).toBe('login_required');
  },

  async 'oidcc-rp-initiated-logout-no-state'() {
    const { leave, silently, hint } = await aboutToLeave();
    const { url } = await leave({ id_token_hint: hint, post_logout_redirect_uri: registered() });
    expect(url.href).toBe(registered());
    expect(await silently()).toBe('login_required');
  },

  'oidcc-rp-initiated-logout-no-params': pageShown(() => ({})),
  'oidcc-rp-initiated-logout-only-state': pageShown(({ state }) => ({ state })),
  'oidcc-rp-initiated-logout-no-post-logout-redirect-uri': pageShown(({ hint, state }) => ({
    id_token_hint: hint,
    state,
  })),

  'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri': notBack(({ hint, state }) => ({
    id_token_hint: hint,
    post_logout_redirect_uri: 'https://somewhere.example/bye',
    state,
  })),
  'oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri': notBack(({ hint, state }) => ({
    id_token_hint: hint,
    post_logout_redirect_uri: `${registered()}?foo=bar`,
    state,
  })),
  'oidcc-rp-initiated-logout-modified-id-token-hint': notBack(({ hint, state }) => ({
    id_token_hint: `${part({ alg: 'none' })}.${hint.split('.')[1]}.`,
    post_logout_redirect_uri: registered(),
    state,
  })),
  'oidcc-rp-initiated-logout-bad-id-token-hint': notBack(async ({ hint, state }) => {
    const { privateKey } = await generateKeyPair('RS256');
    const header = { ...decodeProtectedHeader(hint), alg: 'RS256' };
    return {
      id_token_hint: await new SignJWT(decodeJwt(hint)).setProtectedHeader(header).sign(privateKey),
      post_logout_redirect_uri: registered(),
      state,
    };
  }),
  'oidcc-rp-initiated-logout-no-id-token-hint': notBack(({ state }) => ({
    post_logout_redirect_uri: registered(),
    state,
  })),
};

const backChannel: Record<string, Module> = {
  'oidcc-backchannel-logout-discovery-endpoint-verification': ({ discovery }) => {
    expect(discovery).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      end_session_endpoint: expect.stringMatching(/^https:\/\//),
    });
    return Promise.resolve();
  },

  async 'oidcc-backchannel-rp-initiated-logout'() {
    const { leave, silently, hint, state } = await aboutToLeave();
    const before = op.client.logoutTokens.length;
    const { url } = await leave({ id_token_hint: hint, post_logout_redirect_uri: registered(), state });
    for (let turn = 0; turn < 100 && op.client.logoutTokens.length === before; turn += 1)
      await exchange(new URL(op.hemma.url('/health/live')));
    const { payload, protectedHeader } = await op.client.verify(op.client.logoutTokens[before] ?? '');
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' });
    expect(Object.keys(payload).toSorted()).toEqual([
      'aud',
      'events',
      'exp',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
    ]);
    expect(payload['events']).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
    expect([payload.sub, payload['sid']]).toEqual([decodeJwt(hint).sub, decodeJwt(hint)['sid']]);
    expect(url.href).toBe(`${registered()}?state=${state}`);
    expect(await silently()).toBe('login_required');
  },
};

const reports = [
  certify(
    'RP-Initiated Logout OP: oidcc-rp-initiated-logout-certification-test-plan',
    () => op,
    'query',
    logout,
  ),
  certify(
    'Back-Channel OP: oidcc-backchannel-rp-initiated-logout-certification-test-plan',
    () => op,
    'query',
    backChannel,
  ),
];
afterAll(async () => {
  for (const report of reports) report();
  await op.stop();
});
