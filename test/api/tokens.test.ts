/** Row 73: who is let in to the interface for programs, and with what. RFC 6750, 8707 and 9470. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setClientEnabled } from '../../src/clients/clients.ts';
import { back, minutes, travel } from '../rig/clock.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { basic, basicOf, get, post } from '../protocol/requests.ts';
import {
  askToken,
  call,
  isProblem,
  machineToken,
  resourceOf,
  type Service,
  service,
  somebodyWith,
  tokenOf,
} from './callers.ts';

let hemma: Hemma;
let tool: RelyingParty;
let plain: RelyingParty;
let reader: Service;
let alma: Person;
let token: string;
const scopes = ['people:read', 'people:write', 'audit:read'];

beforeAll(async () => {
  hemma = await startHemma();
  tool = await startRelyingParty({
    hemma,
    description: {
      apiScopes: ['people:read', 'people:write', 'audit:read'],
      firstParty: false,
      consent: 'remembered',
    },
  });
  plain = await startRelyingParty({ hemma });
  reader = await service(hemma, 'reader', ['people:read']);
  alma = await somebodyWith(hemma, 'administrator');
  token = await tokenOf(hemma, tool, alma, scopes);
});
afterEach(back);
afterAll(async () => {
  await Promise.all([tool, plain].map((party) => party.stop()));
  await hemma.stop();
});

const challenge = (answer: { headers: Record<string, unknown> }) =>
  String(answer.headers['www-authenticate']);

describe('a token for the interface', () => {
  test('is given for its one resource to whom it is registered, and to nobody else', async () => {
    const good = await askToken(hemma, reader, { scope: 'people:read', resource: resourceOf(hemma) });
    expect(good).toMatchObject({ status: 200, json: { token_type: 'Bearer', scope: 'people:read' } });
    const other = { scope: 'people:read', resource: 'https://elsewhere.example/api' };
    expect((await askToken(hemma, reader, other)).json['error']).toBe('invalid_target');
    const beyond = { scope: 'people:read people:write', resource: resourceOf(hemma) };
    expect((await askToken(hemma, reader, beyond)).json['error']).toBe('invalid_scope');
    const none = await service(hemma, 'without', []);
    const asked = { scope: 'people:read', resource: resourceOf(hemma) };
    expect((await askToken(hemma, none, asked)).json['error']).toBe('invalid_target');
    // Without the resource there is no default one: an ordinary token, which opens nothing here.
    const ordinary = await askToken(hemma, reader, { scope: 'people:read' });
    expect(ordinary.json['scope']).toBeUndefined();
    const answer = await call(hemma, '/people', { token: String(ordinary.json['access_token']) });
    expect([answer.status, isProblem(answer, 'invalid-token')]).toEqual([401, true]);
  });

  test('asks for two steps and for consent in words', async () => {
    expect(alma.steps).toContain('consent');
    expect((await call(hemma, '/people', { token })).status).toBe(200);
    // The person finds it among the connected applications, and can take it back there.
    expect((await alma.visitor.visit(hemma.url('/account'))).text).toMatch(
      /läsa personer och grupper \(people:read\)|read people and groups \(people:read\)/,
    );
    const weak = await newPerson(hemma, { twoStep: false });
    const begun = await tool.begin({ scope: 'openid people:read', resource: resourceOf(hemma) });
    await weak.visitor.visit(begun.url);
    const screen = await weak.visitor.submit({
      email: weak.account.email,
      password: 'en stilla sjö i augusti',
    });
    expect(screen.step).toBe('enrollment');
  });

  test('is no token for userinfo, and introspection tells its own client of it alone', async () => {
    const me = await get(hemma.url('/me'), { authorization: `Bearer ${token}` });
    expect([me.status, me.json['error']]).toEqual([403, 'insufficient_scope']);
    const ask = (party: RelyingParty) => post(hemma.url('/token/introspection'), { token }, basicOf(party));
    expect((await ask(tool)).json).toMatchObject({
      active: true,
      aud: resourceOf(hemma),
      auth_time: expect.any(Number),
    });
    expect((await ask(plain)).json).toEqual({ active: false });
  });
});

describe('SECURITY 73: refused with 401 and a challenge is', () => {
  test('no token, anywhere but in the header, and no other scheme', async () => {
    const answers = [
      await call(hemma, '/people'),
      await call(hemma, `/people?access_token=${token}`),
      await call(hemma, '/people', { headers: { authorization: `Basic ${token}` } }),
      await call(hemma, '/people', {
        method: 'POST',
        body: `access_token=${token}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    ];
    for (const answer of answers) {
      expect([answer.status, isProblem(answer, 'no-token')]).toEqual([401, true]);
      expect(challenge(answer)).toBe('Bearer realm="Hemma"');
    }
  });

  test('an ordinary token, an ID token, one that was changed, and one of another issuer', async () => {
    const person = await newPerson(hemma);
    const { tokens } = await person.signInTo(plain);
    const foreign = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
      JSON.stringify({ iss: 'https://elsewhere.example', aud: resourceOf(hemma), scope: 'people:read' }),
    ).toString('base64url')}.`;
    for (const wrong of [
      tokens.access_token,
      tokens.id_token ?? '',
      `${token}x`,
      token.slice(1),
      foreign,
      'x',
    ]) {
      const answer = await call(hemma, '/people', { token: wrong });
      expect([wrong.slice(0, 9), answer.status, isProblem(answer, 'invalid-token')]).toEqual([
        wrong.slice(0, 9),
        401,
        true,
      ]);
      expect(challenge(answer)).toContain('error="invalid_token"');
    }
  });

  test('one that has expired', async () => {
    const short = await machineToken(hemma, reader, ['people:read']);
    travel(minutes(9));
    expect((await call(hemma, '/people', { token: short })).status).toBe(200);
    travel(minutes(2));
    expect((await call(hemma, '/people', { token: short })).status).toBe(401);
  });

  test('one that was taken back', async () => {
    const gone = await machineToken(hemma, reader, ['people:read']);
    await post(hemma.url('/token/revocation'), { token: gone }, basic(reader.id, reader.secret));
    expect((await call(hemma, '/people', { token: gone })).status).toBe(401);
  });

  test('one whose application is disabled, at once and also when it is enabled again', async () => {
    const own = await machineToken(hemma, reader, ['people:read']);
    await setClientEnabled(hemma.db, reader.id, false, {});
    expect((await call(hemma, '/people', { token: own })).status).toBe(401);
    await setClientEnabled(hemma.db, reader.id, true, {});
    expect((await call(hemma, '/people', { token: own })).status).toBe(401);
    const next = await machineToken(hemma, reader, ['people:read']);
    expect((await call(hemma, '/people', { token: next })).status).toBe(200);
  });

  test('one whose session ended, and one whose account was disabled', async () => {
    const bo = await somebodyWith(hemma, 'administrator');
    const his = await tokenOf(hemma, tool, bo, ['people:read']);
    expect((await call(hemma, '/people', { token: his })).status).toBe(200);
    await bo.visitor.visit(hemma.url('/session/end'));
    await bo.visitor.submit();
    expect((await call(hemma, '/people', { token: his })).status).toBe(401);
    const eva = await somebodyWith(hemma, 'administrator');
    const hers = await tokenOf(hemma, tool, eva, ['people:read']);
    await hemma.db.query('UPDATE accounts SET disabled_at = $2 WHERE id = $1', [eva.account.id, new Date()]);
    expect((await call(hemma, '/people', { token: hers })).status).toBe(401);
  });
});

describe('whoever is let in', () => {
  test('loses what was taken out of the description since the token was given', async () => {
    const one = await service(hemma, 'narrowed', ['people:read', 'audit:read']);
    const wide = await machineToken(hemma, one, ['people:read', 'audit:read']);
    expect((await call(hemma, '/audit', { token: wide })).status).toBe(200);
    await hemma.db.query(
      `UPDATE clients SET metadata = metadata || '{"apiScopes": ["people:read"]}' WHERE id = 'narrowed'`,
    );
    const answer = await call(hemma, '/audit', { token: wide });
    expect([answer.status, isProblem(answer, 'insufficient-scope')]).toEqual([403, true]);
    expect(challenge(answer)).toContain('error="insufficient_scope", scope="audit:read"');
  });

  test('is no operator any more where the role is gone', async () => {
    const eva = await somebodyWith(hemma, 'administrator');
    const hers = await tokenOf(hemma, tool, eva, ['people:read']);
    await hemma.db.query("UPDATE accounts SET role = 'person' WHERE id = $1", [eva.account.id]);
    expect(isProblem(await call(hemma, '/people', { token: hers }), 'not-allowed')).toBe(true);
  });

  test('signs in anew after ten minutes to change access, after an hour to do anything (RFC 9470)', async () => {
    const own = await somebodyWith(hemma, 'administrator');
    const his = await tokenOf(hemma, tool, own, scopes);
    const target = await hemma.account({ email: 'target@example.com' });
    const path = `/people/${target.id}/end-sessions`;
    expect((await call(hemma, path, { method: 'POST', token: his })).status).toBe(204);
    travel(minutes(11));
    expect((await call(hemma, '/people', { token: his })).status).toBe(200);
    const old = await call(hemma, path, { method: 'POST', token: his });
    expect([old.status, isProblem(old, 'sign-in-needed')]).toEqual([401, true]);
    expect(challenge(old)).toMatch(
      /error="insufficient_user_authentication", .*acr_values="urn:hemma:2", max_age="600"/,
    );
    const again = await tokenOf(hemma, tool, own, scopes, { max_age: '600', acr_values: 'urn:hemma:2' });
    expect((await call(hemma, path, { method: 'POST', token: again })).status).toBe(204);
    travel(minutes(58));
    // The session is kept alive by its browser; its age is what counts here.
    await own.visitor.visit(hemma.url('/account'));
    travel(minutes(4));
    const older = await call(hemma, '/people', { token: again });
    expect([older.status, older.json['code']].join()).toMatch(/^401,(sign-in-needed|invalid-token)$/);
  });

  test('is as old as the sign-in that it was given for, whatever its browser signs in to since', async () => {
    const own = await somebodyWith(hemma, 'administrator');
    const his = await tokenOf(hemma, tool, own, scopes);
    const target = await hemma.account({ email: 'bystander@example.com' });
    const deed = { method: 'POST', token: his };
    travel(minutes(11));
    const form = await own.signIn(hemma.url(`/admin/people/${target.id}/disable`));
    expect([form.url.pathname, form.status]).toEqual([`/admin/people/${target.id}/disable`, 200]);
    const answer = await call(hemma, `/people/${target.id}/end-sessions`, deed);
    expect([answer.status, isProblem(answer, 'sign-in-needed')]).toEqual([401, true]);
    expect((await call(hemma, '/people', { token: his })).status).toBe(200);
  });

  test('neither reads nor sets a cookie', async () => {
    const cookie = alma.visitor.cookies.headerFor(new URL(hemma.url('/'))) ?? '';
    const answer = await call(hemma, '/people', { headers: { cookie } });
    expect(answer.status).toBe(401);
    const good = await call(hemma, '/people', { token });
    expect([good.headers['set-cookie'], good.headers['cache-control']]).toEqual([undefined, 'no-store']);
    expect(good.headers['access-control-allow-origin']).toBeUndefined();
  });
});

test('a network that keeps coming without a token waits, and whoever has one does not', async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 101; at += 1)
    statuses.push((await call(hemma, '/people', { token: 'guess' })).status);
  expect(statuses).toContain(429);
  const held = await call(hemma, '/people', { token: 'guess' });
  expect([
    held.status,
    isProblem(held, 'too-many-requests'),
    Number(held.headers['retry-after']) > 0,
  ]).toEqual([429, true, true]);
  expect(
    (await call(hemma, '/people', { token: await machineToken(hemma, reader, ['people:read']) })).status,
  ).toBe(200);
});
