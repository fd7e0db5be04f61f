/**
 * The modules of `oidcc-basic-certification-test-plan`, which the Form Post plan runs once more in its own mode. Longer
 * than other files, since it is a plan that others wrote: split, nobody could hold it against theirs.
 */
import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { back, seconds, travel } from '../rig/clock.ts';
import { get, post } from '../protocol/requests.ts';
import type { Person } from '../protocol/people.ts';
import {
  authorizationUrl,
  authorize,
  idToken,
  type Mode,
  type Module,
  type Op,
  redeem,
  signedIn,
  somebody,
  userinfo,
} from './op.ts';

/** Left half of the SHA-256 of a token (OpenID Connect Core §3.1.3.6). */
const leftHalf = (token: unknown) =>
  createHash('sha256').update(String(token)).digest().subarray(0, 16).toString('base64url');

/** Not redirected to the application: a page says what is wrong. */
async function pageInstead(op: Op, mode: Mode, parameters: Record<string, string | null>): Promise<void> {
  const person = await somebody(op);
  const { back: came, screen } = await authorize(op, mode, person, { parameters });
  expect([came, screen.status]).toEqual([undefined, 400]);
  expect(screen.url.origin).toBe(op.hemma.issuer);
}

/** Came back with that error, its state and the issuer (RFC 9207), and no code. */
async function errorBack(
  op: Op,
  mode: Mode,
  errors: string | readonly string[],
  parameters: Record<string, string | null>,
  person?: Person,
): Promise<void> {
  const { back: came, state } = await authorize(op, mode, person ?? (await somebody(op)), { parameters });
  expect([errors].flat()).toContain(came?.['error']);
  expect(came).toMatchObject({ state, iss: op.hemma.issuer });
  expect(came).not.toHaveProperty('code');
}

/** Signs in with these parameters and expects nothing else than tokens. */
const accepted =
  (parameters: Record<string, string | null>): Module =>
  async (op, mode) => {
    const { back: came, state, nonce, claims } = await signedIn(op, mode, await somebody(op), { parameters });
    expect(came).toMatchObject({ state, iss: op.hemma.issuer });
    expect(claims.nonce).toBe(nonce);
  };

/** The claims of a scope come from the userinfo endpoint, in the types of Core §5.1. */
const scope =
  (name: string, claims: Record<string, unknown>): Module =>
  async (op, mode) => {
    const person = await somebody(op);
    const { tokens, claims: id } = await signedIn(op, mode, person, {
      parameters: { scope: `openid ${name}` },
    });
    const { status, json } = await userinfo(op, tokens['access_token']);
    expect(status).toBe(200);
    expect(json).toMatchObject({ sub: id.sub, ...claims });
    for (const claim of Object.keys(claims)) expect(id).not.toHaveProperty(claim);
  };

const profile = { name: expect.any(String) };
const email = { email: expect.stringContaining('@'), email_verified: expect.any(Boolean) };

async function askedUserinfo(
  op: Op,
  mode: Mode,
  ask: (url: string, token: string) => ReturnType<typeof get>,
) {
  const { tokens, claims } = await signedIn(op, mode, await somebody(op));
  const url = String(op.discovery['userinfo_endpoint']);
  const { status, json } = await ask(url, String(tokens['access_token']));
  expect([status, json['sub']]).toEqual([200, claims.sub]);
}

/** Two sign-ins of one person in one browser, some time apart. */
async function twice(
  op: Op,
  mode: Mode,
  apart: number,
  parameters: (first: Awaited<ReturnType<typeof signedIn>>) => Record<string, string>,
) {
  const person = await somebody(op);
  try {
    const first = await signedIn(op, mode, person, { parameters: { max_age: '15000' } });
    travel(seconds(apart));
    const second = await signedIn(op, mode, person, { parameters: parameters(first) });
    expect(second.claims.sub).toBe(first.claims.sub);
    return { first: first.claims, second: second.claims, steps: person.steps };
  } finally {
    back();
  }
}

/** A code once more: refused, and what it was exchanged for the first time is dead. */
const reused =
  (after: number): Module =>
  async (op, mode) => {
    const { back: came } = await authorize(op, mode, await somebody(op));
    const { json } = await redeem(op, came?.['code']);
    try {
      travel(seconds(after));
      expect(await redeem(op, came?.['code'])).toMatchObject({
        status: 400,
        json: { error: 'invalid_grant' },
      });
      expect((await userinfo(op, json['access_token'])).status).toBe(401);
    } finally {
      back();
    }
  };

const unsecured = (claims: Record<string, unknown>) =>
  [{ alg: 'none' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
    .concat('.');

export const basic: Record<string, Module> = {
  async 'oidcc-server'(op, mode) {
    const { back: came, nonce, tokens, claims, header } = await signedIn(op, mode, await somebody(op));
    // 128 bits at the least (RFC 6749 §10.10).
    expect(came?.['code']).toMatch(/^[\w-]{22,}$/);
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: expect.any(Number) });
    expect(claims.nonce).toBe(nonce);
    // Optional in this flow; where it is there it is right.
    expect([undefined, leftHalf(tokens['access_token'])]).toContain(claims.at_hash);
    for (const unasked of ['name', 'email', 'locale']) expect(claims).not.toHaveProperty(unasked);
    expect(header).toMatchObject({ alg: 'RS256', kid: expect.any(String) });
    expect((await userinfo(op, tokens['access_token'])).json['sub']).toBe(claims.sub);
  },

  async 'oidcc-response-type-missing'(op, mode) {
    const { back: came, screen } = await authorize(op, mode, await somebody(op), {
      parameters: { response_type: null },
    });
    if (came) expect(['unsupported_response_type', 'invalid_request']).toContain(came['error']);
    else expect(screen.status).toBe(400);
  },

  async 'oidcc-idtoken-signature'(op, mode) {
    const { header } = await signedIn(op, mode, await somebody(op));
    const { keys } = (await get(String(op.discovery['jwks_uri']))).json as { keys: { kid: string }[] };
    expect(header.alg).toBe('RS256');
    expect(keys.map(({ kid }) => kid)).toContain(header.kid);
  },

  'oidcc-idtoken-unsigned': (op) => {
    expect(op.discovery['id_token_signing_alg_values_supported']).not.toContain('none');
    return Promise.resolve();
  },

  'oidcc-userinfo-get': (op, mode) =>
    askedUserinfo(op, mode, (url, token) => get(url, { authorization: `Bearer ${token}` })),
  'oidcc-userinfo-post-header': (op, mode) =>
    askedUserinfo(op, mode, (url, token) => post(url, {}, { authorization: `Bearer ${token}` })),
  'oidcc-userinfo-post-body': (op, mode) =>
    askedUserinfo(op, mode, (url, token) => post(url, { access_token: token })),

  async 'oidcc-ensure-request-without-nonce-succeeds-for-code-flow'(op, mode) {
    const { claims } = await signedIn(op, mode, await somebody(op), { parameters: { nonce: null } });
    expect(claims).not.toHaveProperty('nonce');
  },

  'oidcc-scope-profile': scope('profile', profile),
  'oidcc-scope-email': scope('email', email),
  'oidcc-scope-address': scope('address', {}),
  'oidcc-scope-phone': scope('phone', {}),
  'oidcc-scope-all': scope('profile email address phone', { ...profile, ...email }),

  async 'oidcc-alternate-happy-flow'(op, mode) {
    const person = await somebody(op);
    const { url, nonce, state } = authorizationUrl(op, mode, {
      parameters: { scope: 'email openid profile' },
    });
    url.search = new URLSearchParams([...url.searchParams].toReversed()).toString();
    const screen = await person.signIn(url.href);
    const inputs = screen.page.querySelectorAll('form input[type=hidden]');
    const came =
      mode === 'query'
        ? Object.fromEntries(screen.url.searchParams)
        : Object.fromEntries(inputs.map((one) => [one.getAttribute('name'), one.getAttribute('value')]));
    expect(came['state']).toBe(state);
    const { json } = await redeem(op, came['code'] ?? undefined);
    expect((await idToken(op, json['id_token'])).claims.nonce).toBe(nonce);
  },

  'oidcc-display-page': accepted({ display: 'page' }),
  'oidcc-display-popup': accepted({ display: 'popup' }),

  async 'oidcc-prompt-login'(op, mode) {
    const { first, second, steps } = await twice(op, mode, 3, () => ({ prompt: 'login' }));
    expect(steps).toContain('password');
    expect(second.auth_time).toBeGreaterThan(first.auth_time ?? Infinity);
  },

  'oidcc-prompt-none-not-logged-in': (op, mode) =>
    errorBack(op, mode, ['login_required', 'interaction_required'], { prompt: 'none' }),

  async 'oidcc-prompt-none-logged-in'(op, mode) {
    const { first, second, steps } = await twice(op, mode, 3, () => ({ prompt: 'none' }));
    expect(steps).toEqual([]);
    expect(second.auth_time ?? first.auth_time).toBe(first.auth_time);
  },

  async 'oidcc-max-age-1'(op, mode) {
    const { first, second, steps } = await twice(op, mode, 3, () => ({ max_age: '1' }));
    expect(steps).toContain('password');
    expect(second.auth_time).toBeGreaterThan(first.auth_time ?? Infinity);
  },

  async 'oidcc-max-age-10000'(op, mode) {
    const { first, second, steps } = await twice(op, mode, 3, () => ({ max_age: '10000' }));
    expect([steps, second.auth_time]).toEqual([[], first.auth_time]);
  },

  'oidcc-ensure-request-with-unknown-parameter-succeeds': accepted({ extra: 'foobar' }),

  async 'oidcc-id-token-hint'(op, mode) {
    const { steps } = await twice(op, mode, 3, ({ tokens }) => ({
      prompt: 'none',
      id_token_hint: String(tokens['id_token']),
    }));
    expect(steps).toEqual([]);
  },

  async 'oidcc-login-hint'(op, mode) {
    const { url } = authorizationUrl(op, mode, { parameters: { login_hint: 'buffy@example.com' } });
    const page = await (await somebody(op)).visitor.visit(url);
    expect(page.page.querySelector('input[name=email]')?.getAttribute('value')).toBe('buffy@example.com');
    await accepted({ login_hint: 'buffy@example.com' })(op, mode);
  },

  async 'oidcc-ui-locales'(op, mode) {
    const { url } = authorizationUrl(op, mode, { parameters: { ui_locales: 'en' } });
    const { page } = await (await somebody(op)).visitor.visit(url);
    expect(page.querySelector('html')?.getAttribute('lang')).toBe('en');
    await accepted({ ui_locales: 'se sv en' })(op, mode);
  },

  'oidcc-claims-locales': accepted({ claims_locales: 'se' }),

  async 'oidcc-ensure-request-with-acr-values-succeeds'(op, mode) {
    const supported = op.discovery['acr_values_supported'] as string[];
    const parameters = { acr_values: supported.join(' ') };
    const { claims } = await signedIn(op, mode, await somebody(op), { parameters });
    expect(supported).toContain(claims.acr);
  },

  'oidcc-codereuse': reused(0),
  'oidcc-codereuse-30seconds': reused(30),

  'oidcc-ensure-registered-redirect-uri': (op, mode) =>
    pageInstead(op, mode, { redirect_uri: 'https://somewhere.example/back' }),

  async 'oidcc-ensure-post-request-succeeds'(op, mode) {
    const { claims, nonce } = await signedIn(op, mode, await somebody(op), { post: true });
    expect(claims.nonce).toBe(nonce);
  },

  async 'oidcc-server-client-secret-post'(op, mode) {
    const { back: came } = await authorize(op, mode, await somebody(op));
    const { status, json } = await redeem(op, came?.['code'], { bySecretPost: true });
    expect(status).toBe(200);
    await idToken(op, json['id_token']);
  },

  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': (op, mode) =>
    errorBack(op, mode, 'request_uri_not_supported', {
      request_uri: 'https://somewhere.example/request.jwt',
    }),

  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': (op, mode) =>
    errorBack(op, mode, 'request_not_supported', {
      request: unsecured({ client_id: op.client.clientId, response_type: 'code', scope: 'openid' }),
    }),

  async 'oidcc-claims-essential'(op, mode) {
    const parameters = {
      scope: 'openid profile',
      claims: JSON.stringify({ userinfo: { name: { essential: true } } }),
    };
    const { tokens } = await signedIn(op, mode, await somebody(op), { parameters });
    expect((await userinfo(op, tokens['access_token'])).json).toMatchObject(profile);
  },

  'oidcc-ensure-request-object-with-redirect-uri': (op, mode) =>
    errorBack(op, mode, 'request_not_supported', {
      request: unsecured({ redirect_uri: 'https://somewhere.example/back' }),
    }),

  async 'oidcc-refresh-token'(op, mode) {
    const parameters = { scope: 'openid offline_access', prompt: 'consent' };
    const { tokens, claims } = await signedIn(op, mode, await somebody(op), { parameters });
    const fields = { grant_type: 'refresh_token', refresh_token: String(tokens['refresh_token']) };
    const foreign = await redeem(op, undefined, { client: op.client2, fields });
    expect(foreign).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    const { status, json } = await redeem(op, undefined, { fields });
    expect(status).toBe(200);
    const again = (await idToken(op, json['id_token'])).claims;
    expect(again).toMatchObject({ sub: claims.sub, aud: claims.aud, auth_time: claims.auth_time });
    expect((await userinfo(op, json['access_token'])).json['sub']).toBe(claims.sub);
  },

  async 'oidcc-ensure-request-with-valid-pkce-succeeds'(op, mode) {
    const verifier = 'x'.repeat(50);
    const parameters = {
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    const { back: came } = await authorize(op, mode, await somebody(op), { parameters });
    expect((await redeem(op, came?.['code'], { fields: { code_verifier: verifier } })).status).toBe(200);
  },
};
