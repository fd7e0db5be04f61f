/** Every algorithm that an application may choose, from its description to a signature that jose verifies. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { signingAlgs } from '../../src/clients/schema.ts';
import { back } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { until } from '../storage/until.ts';
import { newPerson, type Person } from './people.ts';
import { get } from './requests.ts';

let hemma: Hemma;
let bo: Person;
beforeAll(async () => {
  hemma = await startHemma();
  bo = await newPerson(hemma, { twoStep: false });
});
afterEach(back);
afterAll(() => hemma.stop());

const published = async () =>
  (await get(hemma.url('/jwks'))).json as unknown as JSONWebKeySet & { keys: Record<string, string>[] };

describe('an application', () => {
  test.each([
    ['RS256', 'RSA'],
    ['PS256', 'RSA'],
    ['ES256', 'EC'],
    ['EdDSA', 'OKP'],
  ] as const)('that chose %s gets ID tokens and sign-out messages signed by the %s key', async (alg, kty) => {
    const party = await startRelyingParty({ hemma, description: { signingAlg: alg } });
    const { tokens } = await bo.signInTo(party);
    // openid-client has compared at_hash by then; this is the signature.
    const { protectedHeader } = await party.verify(tokens.id_token ?? '');
    const keys = await published();
    const mine = keys.keys.find(({ kid }) => kid === protectedHeader.kid);
    expect([protectedHeader.alg, mine?.['kty'], mine?.['use']]).toEqual([alg, kty, 'sig']);

    const out = bo.elsewhere();
    await out.signIn((await party.begin()).url);
    await out.visitor.visit(hemma.url('/session/end'));
    await out.visitor.submit({}, 'logout=yes');
    await until('the application is told', () => party.logoutTokens.length > 0, 5_000);
    const told = await jwtVerify(party.logoutTokens[0] ?? '', createLocalJWKSet(keys), {
      issuer: hemma.issuer,
      audience: party.clientId,
      typ: 'logout+jwt',
    });
    expect(told.protectedHeader).toMatchObject({ alg, kid: protectedHeader.kid });
    await party.stop();
  });
});

describe('the published keys', () => {
  test('are one of each type, of 128 bits of strength, and fit every algorithm that discovery names', async () => {
    const { json } = await get(hemma.url('/.well-known/openid-configuration'));
    expect((json['id_token_signing_alg_values_supported'] as string[]).toSorted()).toEqual(
      signingAlgs.toSorted(),
    );
    const { keys } = await published();
    expect(keys.map(({ kty, crv, alg }) => [kty, crv, alg].join(' ')).toSorted()).toEqual([
      'EC P-256 ES256',
      'OKP Ed25519 EdDSA',
      // It serves two algorithms, so it names none.
      'RSA  ',
    ]);
  });

  test('may be kept for minutes by whatever stands between', async () => {
    expect((await get(hemma.url('/jwks'))).headers['cache-control']).toBe('public, max-age=300');
  });
});
