/** What may be used once is used once, on two processes that share nothing but the database (T1, T27, T28, T40). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { at, signInFirst } from '../rig/ceremony.ts';
import { type Answer, exchange } from '../rig/exchange.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { sixDigits } from '../rig/totp.ts';
import { newVisitor } from '../rig/visitor.ts';
import { atSixDigits } from './six-digits.ts';
import { startTwo, type TwoProcesses } from './two-processes.ts';

let two: TwoProcesses;
let autopay: RelyingParty;

beforeAll(async () => {
  two = await startTwo();
  autopay = await startRelyingParty({
    hemma: two,
    description: { scopes: ['profile', 'email', 'offline_access'] },
  });
});
afterAll(async () => {
  await autopay.stop();
  await two.stop();
});

const atOnce = <T>(count: number, deed: (place: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_none, place) => deed(place)));

/** Posts to an endpoint of the protocol as the application does. */
function ask(path: string, fields: Record<string, string>): Promise<Answer> {
  const basic = Buffer.from(`${autopay.clientId}:${encodeURIComponent(autopay.clientSecret)}`);
  return exchange(new URL(path, two.issuer), {
    method: 'POST',
    headers: {
      authorization: `Basic ${basic.toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: new URLSearchParams(fields).toString(),
  });
}

const said = (answer: Answer) => JSON.parse(answer.body) as Record<string, string>;
const userinfo = (token: string) =>
  exchange(new URL('/me', two.issuer), { headers: { authorization: `Bearer ${token}` } });

/** A person who is signed in, and what redeems the code that they came back with. */
async function codeOf(email: string, scope = 'openid'): Promise<Record<string, string>> {
  await two.account({ email });
  const visitor = newVisitor();
  await signInFirst(visitor, (await autopay.begin()).url, email);
  const prompt = scope.includes('offline_access') ? 'consent' : null;
  const begun = await autopay.begin({ scope, prompt });
  let screen = await visitor.visit(begun.url);
  if (prompt) screen = await (at('consent', screen), visitor.submit({}, 'choice=allow'));
  at('back', screen);
  return {
    grant_type: 'authorization_code',
    code: screen.url.searchParams.get('code') ?? '',
    redirect_uri: autopay.redirectUri,
    code_verifier: begun.verifier,
  };
}

const both = () => [...two.balancer.taken];
const servedByBothSince = (before: number[]) =>
  two.balancer.taken.every((count, place) => count - (before[place] ?? 0) >= 5);

describe('twenty requests at once, spread over two processes', () => {
  test('T27 redeem one code once; the losers get invalid_grant and nothing of the grant lives on', async () => {
    const redeem = await codeOf('astrid@example.com', 'openid offline_access');
    const before = both();
    const answers = await atOnce(20, () => ask('/token', redeem));
    expect(servedByBothSince(before)).toBe(true);
    const won = answers.filter(({ status }) => status === 200).map(said);
    const lost = answers.filter(({ status }) => status !== 200);
    expect(won).toHaveLength(1);
    expect(lost.map((answer) => [answer.status, said(answer)['error']])).toEqual(
      Array.from({ length: 19 }, () => [400, 'invalid_grant']),
    );
    expect((await userinfo(won[0]?.['access_token'] ?? '')).status).toBe(401);
    const refresh = { grant_type: 'refresh_token', refresh_token: won[0]?.['refresh_token'] ?? '' };
    expect(refresh.refresh_token).not.toBe('');
    expect(said(await ask('/token', refresh))['error']).toBe('invalid_grant');
  });

  test('T28 rotate one refresh token once, and the family ends with its second use', async () => {
    const redeem = await codeOf('bertil@example.com', 'openid offline_access');
    const first = said(await ask('/token', redeem));
    const refresh = { grant_type: 'refresh_token', refresh_token: first['refresh_token'] ?? '' };
    const answers = await atOnce(20, () => ask('/token', refresh));
    const won = answers.filter(({ status }) => status === 200).map(said);
    expect(won).toHaveLength(1);
    expect(
      answers.filter((answer) => answer.status === 400 && said(answer)['error'] === 'invalid_grant'),
    ).toHaveLength(19);
    const next = { grant_type: 'refresh_token', refresh_token: won[0]?.['refresh_token'] ?? '' };
    expect(said(await ask('/token', next))['error']).toBe('invalid_grant');
    for (const token of [first['access_token'], won[0]?.['access_token']])
      expect((await userinfo(token ?? '')).status).toBe(401);
  });

  test('answer one pushed authorization request once; the losers get invalid_request_uri', async () => {
    await two.account({ email: 'cecilia@example.com' });
    const visitor = newVisitor();
    await signInFirst(visitor, (await autopay.begin()).url, 'cecilia@example.com');
    const wanted = new URL((await autopay.begin()).url).searchParams;
    const pushed = await ask('/request', Object.fromEntries(wanted));
    expect(pushed.status).toBe(201);
    const to = new URL('/auth', two.issuer);
    to.search = new URLSearchParams({
      client_id: autopay.clientId,
      request_uri: said(pushed)['request_uri'] ?? '',
    }).toString();
    const answers = await atOnce(20, () => visitor.request(to, { headers: { accept: 'application/json' } }));
    const outcomes = answers.map(({ headers, body }) => {
      const back = headers.location ? new URL(headers.location).searchParams : undefined;
      if (back?.get('code')) return 'code';
      return back?.get('error') ?? (JSON.parse(body) as { error: string }).error;
    });
    expect(outcomes.toSorted()).toEqual(['code', ...Array.from({ length: 19 }, () => 'invalid_request_uri')]);
  });
});

describe('what a program signs for one request, sent twenty times at once over two processes', () => {
  const fields = { grant_type: 'client_credentials' };
  const post = (more: Record<string, string>, headers: Record<string, string> = {}) =>
    exchange(new URL('/token', two.issuer), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ ...fields, ...more }).toString(),
    });
  const described = (id: string, more: object) =>
    applyClient(two.db, clientSchema.parse({ id, name: id, type: 'service', ...more }));
  const outcomes = (answers: Answer[]) =>
    answers.map((one) => said(one)['error'] ?? String(one.status)).toSorted();
  const iat = () => Math.floor(Date.now() / 1000);

  test('SECURITY 70 an assertion lets in once', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    await described('signer', { jwks: { keys: [await exportJWK(publicKey)] } });
    const claims = { iss: 'signer', sub: 'signer', aud: two.issuer, jti: 'once', exp: iat() + 60 };
    const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const signed = { client_assertion_type: type, client_assertion: assertion };
    const answers = await atOnce(20, () => post(signed));
    expect(outcomes(answers)).toEqual(['200', ...Array.from({ length: 19 }, () => 'invalid_client')]);
  });

  test('SECURITY 70 a proof (DPoP) binds one token, with a nonce that both processes take', async () => {
    await described('prover', {});
    const secret = (await addSecret(two.db, 'prover', 'test')) ?? '';
    const authorization = `Basic ${Buffer.from(`prover:${secret}`).toString('base64')}`;
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(publicKey) };
    const proof = (more: object) =>
      new SignJWT({ jti: 'once', htm: 'POST', htu: `${two.issuer}/token`, iat: iat(), ...more })
        .setProtectedHeader(header)
        .sign(privateKey);
    const { headers } = await post({}, { authorization, dpop: await proof({}) });
    const dpop = await proof({ nonce: headers['dpop-nonce'] });
    const before = both();
    const answers = await atOnce(20, () => post({}, { authorization, dpop }));
    expect(servedByBothSince(before)).toBe(true);
    expect(outcomes(answers)).toEqual(['200', ...Array.from({ length: 19 }, () => 'invalid_dpop_proof')]);
  });
});

describe('six digits sent from many sign-ins at once, over two processes', () => {
  test('T1 open exactly one of them; the others hear that the digits were used, or to wait', async () => {
    await two.account({ email: 'david@example.com' });
    const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, 'david@example.com');
    const visitors = await atSixDigits(autopay, 'david@example.com', 20);
    const code = sixDigits(key, { step: 1 });
    const screens = await Promise.all(visitors.map((visitor) => visitor.submit({ code })));
    const refused = screens.filter(({ step }) => step === 'totp');
    expect(screens.filter(({ step }) => step === 'back')).toHaveLength(1);
    expect(refused).toHaveLength(19);
    for (const { refusal } of refused) expect(['used-code', 'throttled']).toContain(refusal);
  });

  test('T1 within the budget every loser hears that the digits were used', async () => {
    await two.account({ email: 'eva@example.com' });
    const { key } = await signInFirst(newVisitor(), (await autopay.begin()).url, 'eva@example.com');
    const visitors = await atSixDigits(autopay, 'eva@example.com', 4);
    const code = sixDigits(key, { step: 1 });
    const screens = await Promise.all(visitors.map((visitor) => visitor.submit({ code })));
    expect(screens.map(({ step, refusal }) => refusal ?? String(step)).toSorted()).toEqual([
      'back',
      'used-code',
      'used-code',
      'used-code',
    ]);
  });
});
