/** The library's own defaults that are wrong for this product (SECURITY 0.2), one test for each. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { addSecret, secretsTopic } from '../../src/clients/secrets.ts';
import { back, minutes, seconds, travel } from '../rig/clock.ts';
import { exchange } from '../rig/exchange.ts';
import { type Hemma, PASSWORD, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { newVisitor, type Visitor } from '../rig/visitor.ts';
import { newPerson } from './people.ts';
import { basic, basicOf, broughtBack, get, post } from './requests.ts';

let hemma: Hemma;
let web: RelyingParty;
beforeAll(async () => {
  hemma = await startHemma();
  web = await startRelyingParty({ hemma, description: { scopes: ['profile', 'email', 'offline_access'] } });
});
afterEach(back);
afterAll(async () => {
  await web.stop();
  await hemma.stop();
});
const newcomer = () => newPerson(hemma, { twoStep: false });
const isProblem = { step: 'problem', page: expect.anything() };

describe('the provider', () => {
  test('trap: has no development pages that sign anybody in', async () => {
    const visitor = newVisitor();
    const screen = await visitor.visit((await web.begin()).url);
    expect(screen.step).toBe('password');
    const address = screen.url.href.replace(/\/password$/, '');
    for (const fields of [
      { prompt: 'login', login: 'somebody', password: 'x' },
      { prompt: 'consent' },
    ] as Record<string, string>[]) {
      const answer = await visitor.post(address, fields);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    for (const path of ['/abort', '/login', '/submit', '/confirm'])
      expect((await visitor.visit(`${address}${path}`)).url.pathname).toMatch(/\/password$/);
  });

  test('trap: signs with keys and cookies of its own, not with those of the library', async () => {
    const { keys } = (await get(hemma.url('/jwks'))).json as { keys: { kid: string }[] };
    expect(keys.filter(({ kid }) => /CHANGE-ME|keystore/i.test(kid))).toEqual([]);
    const person = await newcomer();
    await person.signInTo(web);
    const names = person.visitor.cookies.all().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['hemma-session', 'hemma-session.sig']));
    person.visitor.cookies.plant(new URL(hemma.issuer), 'hemma-session.sig', 'A'.repeat(27));
    const screen = await person.visitor.visit((await web.begin({ prompt: 'none' })).url);
    expect(broughtBack(screen.url)['error']).toBe('login_required');
  });

  test.each([
    '/SESSION/END/CONFIRM',
    '/session/end/confirm/',
    '/Auth',
    '/auth/',
    '/DEVICE',
    '/Token',
    '/me/',
  ])(
    'trap: takes any spelling of an address, past the guards of the one that is written (%s)',
    async (path) => {
      const written = hemma.url(path.toLowerCase().replace(/\/$/, ''));
      expect((await post(written, {})).status).not.toBe(404);
      expect((await post(hemma.url(path), {})).status).toBe(404);
    },
  );

  test('trap: refuses a foreign Host header, and no address ever follows one', async () => {
    const answer = (path: string, headers: Record<string, string>) =>
      exchange(new URL(`http://127.0.0.1:${hemma.port}${path}`), { headers });
    const own = new URL(hemma.issuer).host;
    const path = '/.well-known/openid-configuration';
    for (const host of [
      'evil.example',
      `127.0.0.1:${hemma.port}`,
      'localhost',
      `${own}.evil.example`,
      `x@${own}`,
    ]) {
      const { status, body } = await answer(path, { host, accept: 'application/json' });
      expect(status).toBe(421);
      expect(body).not.toContain('evil.example');
    }
    for (const header of [
      'x-forwarded-host',
      'forwarded',
      'x-forwarded-proto',
      'x-original-host',
      'x-host',
    ]) {
      const value = header === 'forwarded' ? 'host=evil.example;proto=https' : 'evil.example';
      const { status, body } = await answer(path, { host: own, [header]: value });
      expect(status).toBe(200);
      expect(body).not.toContain('evil.example');
      expect(JSON.parse(body)).toMatchObject({ issuer: hemma.issuer, token_endpoint: hemma.url('/token') });
      const { headers } = await answer('/account', { host: own, [header]: value });
      expect(headers.location?.startsWith(`${hemma.issuer}/auth?`)).toBe(true);
    }
  });

  test('SECURITY 80, trap: gives no script of a foreign or opaque origin an answer, and /auth none at all', async () => {
    const begun = await web.begin();
    for (const origin of ['null', 'https://evil.example', new URL(web.redirectUri).origin]) {
      const auth = await get(begun.url, { origin });
      expect(auth.headers['access-control-allow-origin']).toBeUndefined();
      const fields = { grant_type: 'authorization_code', code: 'x', redirect_uri: web.redirectUri };
      const token = await post(hemma.url('/token'), fields, { ...basicOf(web), origin });
      expect(token.status).toBe(400);
      expect(token.headers['access-control-allow-origin']).toBeUndefined();
      expect(token.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });
});

describe('a request', () => {
  test('trap: of an application with a secret needs PKCE too', async () => {
    const { url } = await web.begin({ code_challenge: null, code_challenge_method: null });
    const { headers } = await get(url);
    expect(broughtBack(new URL(headers.location ?? ''))).toMatchObject({ error: 'invalid_request' });
    expect(headers.location).not.toContain('code=');
  });

  test('trap: without redirect_uri is refused, although only one is registered', async () => {
    const { url } = await web.begin({ redirect_uri: null });
    expect(await newVisitor().visit(url)).toMatchObject({ status: 400, step: 'problem' });
    const pushed = Object.fromEntries(new URL(url).searchParams);
    const answer = await post(hemma.url('/request'), pushed, basicOf(web));
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  test('trap: a refresh token of an application with a secret is rotated', async () => {
    const person = await newcomer();
    const asked = { scope: 'openid offline_access', prompt: 'consent' };
    const { tokens } = await person.signInTo(web, asked);
    const renewed = await web.refresh(tokens.refresh_token ?? '');
    expect(renewed.refresh_token).toEqual(expect.any(String));
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
  });

  test('trap: Basic credentials that are not what the standard says are refused', async () => {
    const fields = { grant_type: 'authorization_code', code: 'x', redirect_uri: web.redirectUri };
    const right = Buffer.from(`${web.clientId}:${web.clientSecret}`).toString('base64');
    for (const authorization of [
      `Basic ${right.replaceAll('=', '')}==x`,
      `Basic  ${right}`,
      `Basic ${right} x`,
      `Bearer ${right}`,
      'Basic',
      'Basic !!!',
      `Basic ${Buffer.from(web.clientId).toString('base64')}`,
      `Basic ${Buffer.from(`${web.clientId}:%E0%A4%A`).toString('base64')}`,
      `Basic ${Buffer.from(`${web.clientId}:${web.clientSecret}\u0000`).toString('base64')}`,
    ]) {
      const answer = await post(hemma.url('/token'), fields, { authorization });
      expect([400, 401]).toContain(answer.status);
      expect(['invalid_request', 'invalid_client']).toContain(answer.json['error']);
    }
  });
});

describe('an interaction', () => {
  test('trap: opens only at the address of its own cookie', async () => {
    const [mine, theirs] = [newVisitor(), newVisitor()];
    const one = await mine.visit((await web.begin()).url);
    const two = await theirs.visit((await web.begin()).url);
    expect(one.step).toBe('password');
    const cookieOf = ({ cookies }: Visitor) =>
      cookies.all().find(({ name }) => name.startsWith('hemma-signin-'));
    // My cookie, and the uid of mine as the library has it in a cookie: the library alone would open mine there.
    const thief = newVisitor();
    thief.cookies.plant(two.url, cookieOf(theirs)?.name ?? '', cookieOf(mine)?.value ?? '');
    thief.cookies.plant(two.url, 'hemma-interaction', one.url.pathname.split('/')[2] ?? '', two.url.pathname);
    expect(await thief.visit(two.url)).toMatchObject({ ...isProblem, status: 404 });
    const posted = await thief.post(
      two.url,
      { email: 'a@example.com', password: PASSWORD },
      {
        origin: hemma.issuer,
        'sec-fetch-site': 'same-origin',
      },
    );
    expect(posted).toMatchObject({ ...isProblem, status: 404 });
    expect(await newVisitor().visit(one.url)).toMatchObject({ ...isProblem, status: 404 });
  });

  test('trap: ends after thirty minutes', async () => {
    const [early, late] = [newVisitor(), newVisitor()];
    const first = await early.visit((await web.begin()).url);
    const second = await late.visit((await web.begin()).url);
    const kept = late.cookies.all();
    travel(minutes(29));
    expect((await early.visit(first.url)).step).toBe('password');
    travel(minutes(2));
    // A browser whose clock stands still would send its cookies on.
    const stubborn = newVisitor({ stolen: kept.map((cookie) => ({ ...cookie, expires: undefined })) });
    expect(await stubborn.visit(second.url)).toMatchObject({ ...isProblem, status: 404 });
  });
});

describe('client secrets', () => {
  const ask = (secret: string) =>
    post(
      hemma.url('/token'),
      {
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: web.redirectUri,
        code_verifier: 'x'.repeat(43),
      },
      basic(web.clientId, secret),
    );

  test('trap: several live at once, and one that ran out is dead', async () => {
    const second = (await addSecret(hemma.db, web.clientId, 'second')) ?? '';
    expect(second).not.toBe(web.clientSecret);
    for (const secret of [web.clientSecret, second])
      expect(await ask(secret)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    await hemma.db.query("UPDATE client_secrets SET expires_at = $1 WHERE name = 'second'", [
      new Date(Date.now() + 60_000),
    ]);
    await hemma.db.announce(secretsTopic);
    expect((await ask(second)).status).toBe(400);
    travel(seconds(61));
    expect(await ask(second)).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
    expect((await ask(web.clientSecret)).status).toBe(400);
  });

  test('trap: are kept as hashes, and what stands in the library’s field opens nothing', async () => {
    const { rows } = await hemma.db.query<{ dump: string }>(
      'SELECT row_to_json(c)::text || row_to_json(s)::text AS dump FROM clients c JOIN client_secrets s ON s.client_id = c.id',
    );
    const dump = rows.map(({ dump: row }) => row).join();
    expect(dump).toContain(web.clientId);
    expect(dump).not.toContain(web.clientSecret);
    const hex = Buffer.from(web.clientSecret).toString('hex');
    expect(dump).not.toContain(hex);
    const { rows: times } = await hemma.db.query<{ updated_at: Date; hash: Buffer }>(
      'SELECT updated_at, hash FROM clients JOIN client_secrets ON client_id = clients.id WHERE clients.id = $1',
      [web.clientId],
    );
    for (const { updated_at, hash } of times)
      for (const guess of [
        `hashed:${web.clientId}:${updated_at.getTime()}`,
        hash.toString('hex'),
        hash.toString('base64url'),
      ])
        expect((await ask(guess)).status).toBe(401);
  });
});
