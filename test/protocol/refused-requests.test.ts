/**
 * A refusal is told three times: to the application by the standard's code, to the person in words, and to whoever looks
 * after the application by its cause, with no secret and nobody's name in it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { en } from '../../src/i18n/en.ts';
import { discardMail } from '../../src/mail/outbox.ts';
import { sv } from '../../src/i18n/sv.ts';
import { clientSchema } from '../../src/clients/schema.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { recordClientError, listClientErrors, pruneClientErrors } from '../../src/oidc/client-errors.ts';
import { disableUser } from '../../src/users/search.ts';
import { back, days, minutes, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor } from '../rig/visitor.ts';
import { newPerson, type Person } from './people.ts';
import { basic, basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let autopay: RelyingParty;
let lon: RelyingParty;
let person: Person;
let renewable = '';
beforeAll(async () => {
  hemma = await startHemma();
  autopay = await startRelyingParty({ hemma, description: { scopes: ['profile', 'offline_access'] } });
  lon = await startRelyingParty({ hemma, description: { name: 'Lön', parRequired: true } });
  const keys = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), alg: 'ES256', use: 'sig' }] };
  const page = { id: 'page', name: 'Sida', type: 'single-page', redirectUris: ['https://page.example/back'] };
  const signer = { id: 'signer', name: 'Robot', type: 'service', scopes: [], jwks };
  for (const one of [page, signer]) await applyClient(hemma.db, clientSchema.parse(one));
  person = await newPerson(hemma, { twoStep: false });
  const asked = { scope: 'openid offline_access', prompt: 'consent' };
  renewable = (await person.signInTo(autopay, asked)).tokens.refresh_token ?? '';
});
afterEach(back);
afterAll(async () => {
  await Promise.all([autopay.stop(), lon.stop()]);
  await hemma.stop();
});

/** What the application heard: at its own address, or as a program. */
type Heard = string | undefined;

/** A request to sign in, changed; answers what Autopay hears, or the page that the person sees instead. */
const ask = async (parameters: Record<string, string | null>, party = autopay): Promise<Heard> => {
  const screen = await person.visitor.visit((await party.begin({ scope: 'openid', ...parameters })).url);
  return (
    broughtBack(screen.url)['error'] ??
    new URLSearchParams(screen.url.hash.slice(1)).get('error') ??
    screen.page.querySelector('[data-problem]')?.getAttribute('data-problem')
  );
};
const heard = ({ json }: { json: Record<string, unknown> }): Heard => String(json['error']);
const token = async (fields: Record<string, string>, headers: Record<string, string> = basicOf(autopay)) =>
  heard(await post(hemma.url('/token'), fields, headers));

/** A code that the person came back with, as the application redeems it. */
async function code(): Promise<Record<string, string>> {
  const begun = await autopay.begin({ scope: 'openid', prompt: 'none' });
  const { url } = await person.visitor.visit(begun.url);
  return {
    grant_type: 'authorization_code',
    code: broughtBack(url)['code'] ?? '',
    redirect_uri: autopay.redirectUri,
    code_verifier: begun.verifier,
  };
}
const renew = { grant_type: 'refresh_token' };
const twice = async (fields: Record<string, string>) => {
  await token(fields);
  return token(fields);
};
const signOut = async (parameters: Record<string, string>) => {
  const screen = await newVisitor().visit(
    hemma.url(`/session/end?${new URLSearchParams(parameters).toString()}`),
  );
  return screen.page.querySelector('[data-problem]')?.getAttribute('data-problem') ?? undefined;
};
const assertion = async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'signer', sub: 'signer', aud: hemma.issuer, jti: 'one', iat: now, exp: now + 60 };
  return {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey),
  };
};
const evil = 'https://evil.example/';
const unchallenged = { code_challenge: null, code_challenge_method: null };
const guess = 'a-secret-that-somebody-guesses';
const unreachable = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:hemma:3' } } });

/** A request to push, a secret that is guessed about a token, and a script that calls from another site. */
const push = async (redirect_uri: string) => {
  const { url } = await autopay.begin({ scope: 'openid', redirect_uri });
  return heard(
    await post(hemma.url('/request'), Object.fromEntries(new URL(url).searchParams), basicOf(autopay)),
  );
};
const guessAt = async (path: string) =>
  heard(await post(hemma.url(path), { token: guess }, basic(autopay.clientId, guess)));
const callFromElsewhere = async () => {
  const fields = { ...renew, refresh_token: 'x', client_id: 'page' };
  return heard(await post(hemma.url('/token'), fields, { origin: evil }));
};
const anyCode = { grant_type: 'authorization_code', code: 'x' };
const over = { request_uri: 'urn:ietf:params:oauth:request_uri:x', redirect_uri: null };

/** What goes wrong; where, what the application (or the person, by the kind of page) is told, and the administrator. */
const rows: [what: string, where: string, does: () => Promise<Heard>][] = [
  [
    'an unregistered address',
    'authorization redirect-address redirect-address',
    () => ask({ redirect_uri: evil }),
  ],
  [
    'a level that nobody reaches',
    'authorization unmet_authentication_requirements level',
    () => ask({ claims: unreachable }),
  ],
  ['a scope too many', 'authorization invalid_scope scope', () => ask({ scope: 'openid email' })],
  ['no challenge', 'authorization invalid_request challenge', () => ask(unchallenged)],
  ['a request that is not pushed', 'authorization invalid_request pushed-needed', () => ask({}, lon)],
  ['a pushed request that is over', 'authorization request-over pushed-over', () => ask(over)],
  ['an intent', 'authorization invalid_request not-registered', () => ask({ intent: 'step_up' })],
  [
    'a flow of old',
    'authorization unsupported_response_type not-offered',
    () => ask({ response_type: 'token' }),
  ],
  ['prompts that exclude', 'authorization invalid_request parameters', () => ask({ prompt: 'none login' })],
  ['a hint that is no token', 'authorization invalid_request hint', () => ask({ id_token_hint: 'x' })],
  ['an unknown resource', 'authorization invalid_target resource', () => ask({ resource: evil })],
  ['an unregistered address', 'pushed-request invalid_request redirect-address', () => push(evil)],
  ['another secret', 'token invalid_client secret', () => token(anyCode, basic(autopay.clientId, guess))],
  [
    'no secret',
    'token invalid_client authentication',
    () => token({ ...anyCode, client_id: autopay.clientId }, {}),
  ],
  ["somebody else's key", 'token invalid_client assertion', async () => token(await assertion(), {})],
  [
    'a refresh token twice',
    'token invalid_grant renewal-used',
    () => twice({ ...renew, refresh_token: renewable }),
  ],
  [
    'an unknown refresh token',
    'token invalid_grant renewal-over',
    () => token({ ...renew, refresh_token: guess }),
  ],
  ['an unknown code', 'token invalid_grant code-over', async () => token({ ...(await code()), code: guess })],
  ['a code twice', 'token invalid_grant code-used', async () => twice(await code())],
  [
    'another verifier',
    'token invalid_grant verifier',
    async () => token({ ...(await code()), code_verifier: 'x'.repeat(43) }),
  ],
  [
    'another address at the end',
    'token invalid_grant code-address',
    async () => token({ ...(await code()), redirect_uri: evil }),
  ],
  ["another's code", 'token invalid_grant other-application', async () => token(await code(), basicOf(lon))],
  [
    'a grant too many',
    'token invalid_request not-registered',
    () => token({ grant_type: 'client_credentials' }),
  ],
  ['a grant of old', 'token unsupported_grant_type not-offered', () => token({ grant_type: 'password' })],
  ['a script of another site', 'token invalid_request origin', () => callFromElsewhere()],
  ['another secret', 'introspection invalid_client secret', () => guessAt('/token/introspection')],
  ['another secret', 'revocation invalid_client secret', () => guessAt('/token/revocation')],
  [
    'an unregistered address',
    'sign-out sign-out sign-out-address',
    () => signOut({ client_id: autopay.clientId, post_logout_redirect_uri: evil }),
  ],
];

const everybody = () => [autopay.clientId, lon.clientId, 'page', 'signer'];
const listed = async () =>
  (await Promise.all(everybody().map((id) => listClientErrors(hemma.db, id)))).flat();

describe('what is refused', () => {
  test.each(rows)('%s: %s', async (_what, where, does) => {
    const [endpoint, told, cause] = where.split(' ');
    await hemma.db.query('DELETE FROM refused_requests');
    expect(await does()).toBe(told);
    const [found, ...more] = await listed();
    expect(found).toMatchObject({ cause, endpoint, times: 1, error: expect.stringMatching(/^[a-z_]+$/) });
    expect(found?.detail).toMatch(/[a-z]/);
    expect(more).toEqual([]);
    const all = JSON.stringify(found);
    for (const secret of [guess, renewable, autopay.clientSecret, person.account.id, person.account.email])
      expect(all).not.toContain(secret);
  });

  test('is not listed where it is the course of things, nor for the pages of the house', async () => {
    await hemma.db.query('DELETE FROM refused_requests');
    const nobody = newVisitor();
    const { url } = await nobody.visit((await autopay.begin({ scope: 'openid', prompt: 'none' })).url);
    expect(broughtBack(url)['error']).toBe('login_required');
    await nobody.visit(
      hemma.url(
        '/auth?client_id=hemma-account&redirect_uri=https://evil.example/&response_type=none&scope=openid',
      ),
    );
    expect((await hemma.db.query('SELECT 1 FROM refused_requests')).count).toBe(0);
  });

  test('says nothing of what a parser read, nor of whose account it was', async () => {
    await hemma.db.query('DELETE FROM refused_requests');
    expect(await ask({ claims: `{"${person.account.email}` })).toBe('invalid_request');
    const held = await code();
    const nothing = () => Promise.resolve();
    const aftermath = { endEverything: nothing, voidHelpDeskCode: () => Promise.resolve(false) };
    await disableUser(hemma.db, discardMail, aftermath, { target: person.account.id, by: 'shell' });
    expect(await token(held)).toBe('invalid_grant');
    const found = await listClientErrors(hemma.db, autopay.clientId);
    expect(found.map(({ cause }) => cause).toSorted()).toEqual(['account', 'parameters']);
    expect(JSON.stringify(found)).not.toMatch(
      new RegExp(`${person.account.id}|${person.account.email.slice(0, 6)}`),
    );
  });
});

test('a flood writes once a second and ten lines a minute, and what is old goes', async () => {
  await hemma.db.query('DELETE FROM refused_requests');
  const note = (detail: string) =>
    recordClientError(hemma.db, 'page', { endpoint: 'token', error: 'invalid_grant', detail });
  const lines = async () =>
    (await listClientErrors(hemma.db, 'page')).map(({ detail, times }) => [detail, times]);
  await Promise.all(Array.from({ length: 20 }, () => note('the same')));
  expect(await lines()).toEqual([['the same', 1]]);
  travel(seconds(2));
  await note('the same');
  expect(await lines()).toEqual([['the same', 2]]);
  for (let at = 0; at < 20; at++) await note(`number ${at}`);
  expect(await lines()).toHaveLength(10);
  travel(minutes(2));
  await note('after it\u202e\0');
  expect((await lines())[0]).toEqual(['after it\ufffd\ufffd', 1]);
  expect(await lines()).toHaveLength(10);
  await recordClientError(hemma.db, 'nobody', { endpoint: 'token', error: 'x', detail: 'x' }).catch(
    () => undefined,
  );
  travel(days(90));
  expect(await pruneClientErrors(hemma.db, new Date(Date.now() - days(89)), 5)).toBe(5);
  expect(await pruneClientErrors(hemma.db, new Date(Date.now() - days(91)), 500)).toBe(0);
});

/** Where nobody can be sent back, the person is told what to do, in either language, and programs get the code. */
const pages: [path: string, code: string, kind: keyof typeof sv.problem.kinds][] = [
  ['/auth?client_id=nobody', 'invalid_client', 'unknown-application'],
  [
    `/auth?client_id=page&redirect_uri=${evil}&response_type=code&scope=openid`,
    'invalid_redirect_uri',
    'redirect-address',
  ],
  [`/auth?client_id=page&request_uri=${over.request_uri}`, 'invalid_request_uri', 'request-over'],
  ['/auth', 'invalid_request', 'bad-request'],
  ['/auth?client_id=page&redirect_uri=x&redirect_uri=y', 'invalid_request', 'bad-request'],
  ['/session/end?id_token_hint=x', 'invalid_request', 'sign-out'],
  [`/session/end?client_id=nobody`, 'invalid_client', 'sign-out'],
  ['/interaction/gone/password', 'sign-in-ended', 'no-cookies'],
];
test.each(pages)(
  '%s is told to programs as %s and to people on a page of its own: %s',
  async (path, code, kind) => {
    for (const [language, words] of Object.entries({ sv, en })) {
      const screen = await newVisitor({ language }).visit(hemma.url(path));
      const { title, help } = words.problem.kinds[kind];
      expect(screen).toMatchObject({ step: 'problem', heading: title, text: expect.stringContaining(help) });
      expect(screen.page.querySelector('[data-reference]')).not.toBeNull();
    }
    const { json } = await get(hemma.url(path), { accept: 'application/json' });
    expect(json).toMatchObject({ error: code, reference: expect.stringMatching(/^[0-9a-f]{12}$/) });
  },
);

test('whoever cannot be signed out as the application wanted signs out here', async () => {
  const other = await newPerson(hemma, { twoStep: false });
  await other.signInTo(autopay, { scope: 'openid' });
  await other.visitor.visit(hemma.url('/session/end?id_token_hint=x'));
  expect((await other.visitor.follow('Logga ut här')).step).toBe('sign-out');
  expect((await other.visitor.submit({}, 'logout=yes')).step).toBe('signed-out');
});
