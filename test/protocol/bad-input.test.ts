/** Nonsense of every kind, at every endpoint: refused with a number, never a failure, never a look inside. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import {
  badFields,
  badRequests,
  type Endpoint,
  faultsOf,
  inEveryForm,
  withoutReference,
} from './bad-input.ts';
import { basicOf } from './requests.ts';

let hemma: Hemma;
let party: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  party = await startRelyingParty({ hemma });
});
afterAll(async () => {
  await party.stop();
  await hemma.stop();
});

type Described = Omit<Endpoint, 'url'> & { path: string };

const posted = (path: string, fields: Record<string, string>, headers = basicOf(party)): Described => ({
  method: 'POST',
  path,
  fields,
  headers,
});
const viaForm = (path: string, fields: Record<string, string>): Described => ({
  method: 'POST',
  path,
  fields,
});
const asked = (path: string, fields: Record<string, string>): Described => ({ method: 'GET', path, fields });
const token = { token: 'x', token_type_hint: 'access_token' };

/** Once the application is there: what it would send. */
const endpoints: Record<string, () => Described> = {
  'the token endpoint, for a code': () =>
    posted('/token', {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: party.redirectUri,
      code_verifier: 'x'.repeat(43),
    }),
  'the token endpoint, for a refresh': () =>
    posted('/token', { grant_type: 'refresh_token', refresh_token: 'x', scope: 'openid' }),
  'the token endpoint, with an assertion': () =>
    viaForm('/token', {
      grant_type: 'client_credentials',
      client_id: party.clientId,
      client_assertion: 'a.b.c',
      client_assertion_type: 'x',
    }),
  'the token endpoint, with a secret in the form': () =>
    viaForm('/token', { grant_type: 'client_credentials', client_id: party.clientId, client_secret: 'x' }),
  introspection: () => posted('/token/introspection', token),
  revocation: () => posted('/token/revocation', token),
  'userinfo by GET': () => ({ ...asked('/me', { scope: 'openid' }), headers: { authorization: 'Bearer x' } }),
  'userinfo by POST': () => viaForm('/me', { access_token: 'x', scope: 'openid' }),
  'signing out': () =>
    asked('/session/end', {
      id_token_hint: 'x',
      post_logout_redirect_uri: 'https://x.example/',
      client_id: party.clientId,
      state: 's',
      ui_locales: 'sv',
    }),
  'confirming to sign out': () => viaForm('/session/end/confirm', { xsrf: 'x', logout: 'yes' }),
  discovery: () => asked('/.well-known/openid-configuration', { x: 'y' }),
  'the keys': () => asked('/jwks', { x: 'y' }),
};

describe.each(Object.entries(endpoints))('%s', (_name, described) => {
  const endpoint = (): Endpoint => {
    const { path, ...rest } = described();
    return { ...rest, url: new URL(path, hemma.issuer) };
  };

  test('bears bad fields of every kind', async () => {
    expect(await faultsOf(badFields(endpoint()))).toEqual([]);
  });

  test('bears bad headers, methods and bodies of every kind', async () => {
    expect(await faultsOf(badRequests(endpoint().url, endpoint().headers))).toEqual([]);
  });

  test('refuses with a number that finds the line in the log', async () => {
    expect(await faultsOf(inEveryForm(endpoint()), withoutReference)).toEqual([]);
  });
});
