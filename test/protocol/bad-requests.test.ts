/** Nonsense in authorization requests, straight and pushed: an error, never a failure, never a look inside. */
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
import { basicOf, get, post } from './requests.ts';

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

/** A right request, and the wishes that may stand beside it. */
const right = () => ({
  client_id: party.clientId,
  response_type: 'code',
  redirect_uri: party.redirectUri,
  scope: 'openid',
  state: 's',
  nonce: 'n',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
});
const wishes = [
  'prompt',
  'max_age',
  'ui_locales',
  'login_hint',
  'acr_values',
  'claims',
  'claims_locales',
  'id_token_hint',
  'response_mode',
  'display',
  'request',
  'request_uri',
  'registration',
  'resource',
  'dpop_jkt',
  'intent',
];

const straight = (): Endpoint => ({ url: new URL('/auth', hemma.issuer), method: 'GET', fields: right() });
const pushed = (): Endpoint => ({
  url: new URL('/request', hemma.issuer),
  method: 'POST',
  fields: right(),
  headers: basicOf(party),
});

describe.each([
  ['a request', straight],
  ['a pushed request', pushed],
])('%s', (_name, endpoint) => {
  test('bears nonsense in each field that it needs', async () => {
    expect(await faultsOf(badFields(endpoint()))).toEqual([]);
  });

  test.each(wishes)('bears nonsense as %s', async (wish) => {
    expect(await faultsOf(badFields(endpoint(), [wish]))).toEqual([]);
  });

  test('bears bad headers, methods and bodies of every kind', async () => {
    expect(await faultsOf(badRequests(endpoint().url, endpoint().headers))).toEqual([]);
  });

  test('is refused with a number that finds the line in the log', async () => {
    const wrong = { ...endpoint(), fields: { ...right(), redirect_uri: 'https://evil.example/' } };
    expect(await faultsOf(inEveryForm(wrong), withoutReference)).toEqual([]);
  });
});

describe('a pushed request with nonsense in it', () => {
  test('is nonsense when it is used, and no failure', async () => {
    for (const value of ['\0', 'a\0b', '\\u0000', '{"a":"\\ud800"}']) {
      for (const name of ['state', 'nonce', 'login_hint', 'ui_locales', 'acr_values']) {
        const answer = await post(hemma.url('/request'), { ...right(), [name]: value }, basicOf(party));
        const query = { client_id: party.clientId, request_uri: String(answer.json['request_uri']) };
        const used = await get(hemma.url(`/auth?${new URLSearchParams(query).toString()}`));
        expect([name, value, used.status >= 500]).toEqual([name, value, false]);
      }
    }
  });
});
