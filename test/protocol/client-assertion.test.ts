/** Applications that sign: each assertion once, for this provider, by their own key or secret, in its time. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import * as client from 'openid-client';
import { type ClientDescription, clientSchema } from '../../src/clients/schema.ts';
import { createSecret, removeSecret, listClientSecrets, secretsTopic } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { back, days, seconds, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { newPerson } from './people.ts';
import { newProver } from './proofs.ts';
import { basic, post } from './requests.ts';

const ways = ['private_key_jwt', 'client_secret_jwt'] as const;
type Way = (typeof ways)[number];

let hemma: Hemma;
type Signer = { id: string; alg: string; own: CryptoKey | Uint8Array; foreign: CryptoKey | Uint8Array };
const signers = {} as Record<Way, Signer>;

const service = (id: string, more: Partial<ClientDescription>) =>
  applyClient(hemma.db, clientSchema.parse({ id, name: id, type: 'service', scopes: [], ...more }));

async function secretFor(clientId: string, name = 'test', expiresAt?: Date): Promise<string> {
  const made = await createSecret(hemma.db, { clientId, name, expiresAt, vault: hemma.vault }, {});
  if ('refusal' in made) throw new Error(made.refusal);
  return made.secret;
}

beforeAll(async () => {
  hemma = await startHemma();
  const [pair, other] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig' }] };
  for (const id of ['signer', 'other']) await service(id, { jwks } as object);
  for (const id of ['sharer', 'other-sharer']) await service(id, { authMethod: 'client_secret_jwt' });
  signers.private_key_jwt = { id: 'signer', alg: 'ES256', own: pair.privateKey, foreign: other.privateKey };
  signers.client_secret_jwt = {
    id: 'sharer',
    alg: 'HS256',
    own: Buffer.from(await secretFor('sharer')),
    foreign: Buffer.from(await secretFor('other-sharer')),
  };
});
afterEach(back);
afterAll(() => hemma.stop());

const now = () => Math.floor(Date.now() / 1000);
const goodOf = (id: string) => ({
  iss: id,
  sub: id,
  aud: hemma.issuer,
  jti: randomUUID() as string,
  iat: now(),
  exp: now() + 60,
});
type Claims = ReturnType<typeof goodOf>;

const asserting = (assertion: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
});
const present = (assertion: string, more: Record<string, string> = {}) =>
  post(hemma.url('/token'), { grant_type: 'client_credentials', ...asserting(assertion), ...more });
const refused = { status: 401, json: { error: 'invalid_client' } };

describe.each(ways)('a client assertion (%s)', (way) => {
  const good = () => goodOf(signers[way].id);
  const sign = (claims: object, by = signers[way].own, alg = signers[way].alg) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(by);

  test('SECURITY 70 is taken once; a second time it is refused', async () => {
    const assertion = await sign(good());
    expect(await present(assertion)).toMatchObject({
      status: 200,
      json: { access_token: expect.any(String) },
    });
    expect(await present(assertion)).toMatchObject(refused);
    expect((await present(await sign(good()))).status).toBe(200);
    // Nor with a proof beside it that has its number, which says nothing of whose number it is.
    const { jti } = decodeJwt(assertion);
    const prover = await newProver();
    for (const path of ['/token', '/token/introspection']) {
      const dpop = await prover.prove('POST', hemma.url(path), { jti });
      const fields = { ...asserting(assertion), grant_type: 'client_credentials', token: 'x' };
      expect(await post(hemma.url(path), fields, { dpop })).toMatchObject(refused);
      const bare = await sign({ ...good(), jti: `${jti}${path}` });
      const other = await prover.prove('POST', hemma.url(path), { jti: `${jti}${path}` });
      await post(hemma.url(path), { ...fields, ...asserting(bare) }, { dpop: other });
      expect(await present(bare)).toMatchObject(refused);
    }
  });

  test('trap: clocks may differ by fifteen seconds and no more', async () => {
    expect((await present(await sign({ ...good(), exp: now() - 10 }))).status).toBe(200);
    expect(await present(await sign({ ...good(), exp: now() - 20 }))).toMatchObject(refused);
    expect((await present(await sign({ ...good(), nbf: now() + 10 }))).status).toBe(200);
    expect(await present(await sign({ ...good(), nbf: now() + 20 }))).toMatchObject(refused);
  });

  test.each([
    ['for another provider', (claims: Claims) => ({ ...claims, aud: 'https://other.example.com' })],
    ['for nobody', ({ aud: _aud, ...claims }: Claims) => claims],
    ['without an end', ({ exp: _exp, ...claims }: Claims) => claims],
    ['that is good for hours', (claims: Claims) => ({ ...claims, exp: now() + 3700 })],
    ['without a number', ({ jti: _jti, ...claims }: Claims) => claims],
    ['of another issuer', (claims: Claims) => ({ ...claims, iss: 'other' })],
    ['without an issuer', ({ iss: _iss, ...claims }: Claims) => claims],
  ])('%s is refused', async (_what, change) => {
    expect(await present(await sign(change(good())))).toMatchObject(refused);
  });

  test('by a foreign key, unsigned, or cut is refused', async () => {
    expect(await present(await sign(good(), signers[way].foreign))).toMatchObject(refused);
    expect((await present(new UnsecuredJWT(good()).encode())).status).toBe(401);
    const assertion = await sign(good());
    expect((await present(`${assertion.slice(0, -6)}AAAAAA`)).status).toBe(401);
    expect((await present(assertion.slice(0, -1))).status).toBe(401);
    for (const nonsense of ['x', 'a.b.c', '..', 'e30.e30.', '{}'])
      expect([400, 401]).toContain((await present(nonsense)).status);
  });

  test('does not speak for another application, nor beside a secret', async () => {
    expect((await present(await sign(good()), { client_id: 'other' })).status).toBe(400);
    expect((await present(await sign(good()), { client_secret: 'x' })).status).toBe(400);
    expect((await present(await sign(good()), { client_assertion_type: 'x' })).status).toBe(400);
  });

  test('is the only way in for an application that signs', async () => {
    const bare = { grant_type: 'client_credentials', client_id: signers[way].id };
    const { own } = signers[way];
    const secret = own instanceof Uint8Array ? Buffer.from(own).toString() : 'x';
    expect(await post(hemma.url('/token'), { ...bare, client_secret: secret })).toMatchObject(refused);
    expect(await post(hemma.url('/token'), bare)).toMatchObject(refused);
    const { client_id: id, ...fields } = bare;
    expect(await post(hemma.url('/token'), fields, basic(id, secret))).toMatchObject(refused);
  });
});

describe('a secret that an application signs with', () => {
  const signed = (id: string, secret: string | Uint8Array, alg = 'HS256') =>
    new SignJWT(goodOf(id))
      .setProtectedHeader({ alg })
      .sign(typeof secret === 'string' ? Buffer.from(secret) : secret);
  const status = async (id: string, secret: string) => (await present(await signed(id, secret))).status;

  test('has 256 bits; several work at once, each until it expires or is removed, and say when they were used', async () => {
    await service('several', { authMethod: 'client_secret_jwt' });
    const brief = await secretFor('several', 'brief', new Date(Date.now() + days(1)));
    // Secrets are listed by the time at which they were added.
    travel(1);
    const old = await secretFor('several', 'old');
    travel(1);
    const young = await secretFor('several', 'young');
    expect(Buffer.from(young, 'base64url')).toHaveLength(32);
    expect([await status('several', brief), await status('several', old)]).toEqual([200, 200]);
    const listed = await listClientSecrets(hemma.db, 'several');
    expect(listed.map(({ name, kept, lastUsedAt }) => [name, kept, lastUsedAt !== undefined])).toEqual([
      ['young', 'encrypted', false],
      ['old', 'encrypted', true],
      ['brief', 'encrypted', true],
    ]);
    await removeSecret(hemma.db, 'several', 'old', {});
    travel(days(1) + seconds(1));
    const left = [brief, old, young].map((secret) => status('several', secret));
    expect(await Promise.all(left)).toEqual([401, 401, 200]);
  });

  test('signs people in with openid-client, and asks, renews and takes back with it', async () => {
    const party = await startRelyingParty({
      hemma,
      description: { authMethod: 'client_secret_jwt', scopes: ['offline_access'] },
    });
    const person = await newPerson(hemma, { twoStep: false });
    const { tokens } = await person.signInTo(party, { scope: 'openid offline_access', prompt: 'consent' });
    const renewed = await party.refresh(tokens.refresh_token ?? '');
    const configuration = await party.configuration();
    expect((await client.tokenIntrospection(configuration, renewed.access_token)).active).toBe(true);
    await client.tokenRevocation(configuration, renewed.access_token);
    expect((await client.tokenIntrospection(configuration, renewed.access_token)).active).toBe(false);
    await party.stop();
  });

  test('signs by HS256 alone', async () => {
    const { own, id } = signers.client_secret_jwt;
    for (const alg of ['HS384', 'HS512'])
      expect(await present(await signed(id, own as Uint8Array, alg))).toMatchObject(refused);
    expect((await present(await signed(id, own as Uint8Array))).status).toBe(200);
  });

  test('opens nothing once the application proves itself otherwise, nor do others open it then', async () => {
    await service('changing', { authMethod: 'client_secret_jwt' });
    const readable = await secretFor('changing', 'readable');
    expect(await status('changing', readable)).toBe(200);
    await service('changing', { authMethod: 'secret' });
    const hashed = await secretFor('changing', 'hashed');
    const shown = async (secret: string) =>
      (await post(hemma.url('/token'), { grant_type: 'client_credentials' }, basic('changing', secret)))
        .status;
    expect([await shown(readable), await status('changing', readable), await shown(hashed)]).toEqual([
      401, 401, 200,
    ]);
    await service('changing', { authMethod: 'client_secret_jwt' });
    expect([await status('changing', hashed), await shown(hashed)]).toEqual([401, 401]);
    expect(await status('changing', readable)).toBe(200);
  });

  test('T10 cannot be had from a copy of the database, and a copied row opens no other application', async () => {
    await service('copied', { authMethod: 'client_secret_jwt' });
    const secret = await secretFor('copied');
    const { rows } = await hemma.db.query<{ sealed: Buffer; updated_at: Date; dump: string }>(
      `SELECT sealed, updated_at, row_to_json(c)::text || row_to_json(s)::text AS dump
       FROM clients c JOIN client_secrets s ON s.client_id = c.id WHERE c.id = 'copied'`,
    );
    const [{ sealed, updated_at: changed, dump }] = rows as [(typeof rows)[number]];
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
    expect(sealed.includes(secret)).toBe(false);
    // What the library believes to be the secret, and all that stands in the row.
    const guesses = [`hashed:copied:${changed.getTime()}`, sealed, sealed.toString('hex')];
    for (const guess of guesses) expect(await present(await signed('copied', guess))).toMatchObject(refused);
    await service('thief', { authMethod: 'client_secret_jwt' });
    const own = await secretFor('thief');
    await hemma.db.query("UPDATE client_secrets SET sealed = $1 WHERE client_id = 'copied'", [
      (
        await hemma.db.query<{ sealed: Buffer }>(
          "SELECT sealed FROM client_secrets WHERE client_id = 'thief'",
        )
      ).rows[0]?.sealed,
    ]);
    await hemma.db.announce(secretsTopic);
    expect((await present(await signed('copied', own))).status).toBe(500);
    expect(await status('thief', own)).toBe(200);
  });
});
