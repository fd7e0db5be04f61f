/** Clients that nobody here wrote, on Node.js: the program of docs/connect/node.md as it is printed, and openid-client with a key. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { createGroup } from '../../src/users/groups.ts';
import { publicJwksSchema } from '../../src/clients/keys.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import { applyConfig, validateConfig } from '../../src/oidc/config-as-code/apply.ts';
import { newPerson } from '../protocol/people.ts';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { startRelyingParty } from '../rig/relying-party.ts';
import { until } from '../storage/until.ts';
import { filesOf, guides, programOf, registrationOf } from './guide.ts';

let hemma: Hemma;
beforeAll(async () => {
  hemma = await startHemma();
});
afterAll(() => hemma.stop());

describe('the program of the guide', () => {
  let program: ChildProcess;
  let app: string;
  let said = '';
  beforeAll(async () => {
    app = `http://localhost:${await freePort()}`;
    const here = { hemma: hemma.issuer, app };
    const registered = await registrationOf('node', here);
    await applyClient(hemma.db, registered);
    const secret = (await addSecret(hemma.db, registered.id, 'test')) ?? '';
    // As if it stood in a file beside node_modules.
    program = spawn(process.execPath, ['--input-type=module'], {
      cwd: resolve(import.meta.dirname, '../..'),
      env: { PATH: process.env['PATH'] ?? '', HEMMA_CLIENT_SECRET: secret },
    });
    program.stdin?.end(await programOf('node', 'app.mjs', here));
    for (const stream of [program.stdout, program.stderr])
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const answers = () =>
      fetch(app).then(
        () => true,
        () => program.exitCode !== null,
      );
    await until(`the program answers: ${said}`, answers, 20_000);
  });
  afterAll(() => void program.kill());

  test('signs in, signs out, steps up, and hears of a sign-out elsewhere', async () => {
    const person = await newPerson(hemma);
    const { visitor } = person;
    expect((await person.signIn(`${app}/sign-in`)).text).toContain('Hello Astrid Lind!');
    await visitor.submit({}, 'Sign out');
    expect(visitor.screen.step).toBe('sign-out');
    const out = await visitor.submit({}, 'logout=yes');
    expect(out.url.href).toBe(`${app}/`);
    expect(out.text).toContain('Sign in');

    await person.signIn(`${app}/sign-in`, { remember: true });
    await visitor.submit({}, 'Sign out');
    await visitor.submit({}, 'logout=yes');
    // The device is remembered by now: the password is enough to come in, and not to pay.
    await person.signIn(`${app}/sign-in`);
    expect(person.steps).toEqual(['password']);
    expect((await person.signIn(`${app}/pay`)).text).toBe('Paid.');
    expect(person.steps).toEqual(['password', 'totp']);

    await visitor.visit(hemma.url('/session/end'));
    await visitor.submit({}, 'logout=yes');
    expect(visitor.screen.step).toBe('signed-out');
    const gone = async () => (await visitor.visit(app)).text.includes('Sign in');
    await until('the application has heard', gone, 5_000);
    expect(said).toBe('');
  });

  test.each([
    ['a sign-out message of somebody else', 'POST', '/back-channel-logout', 400],
    ['an answer that it did not ask for', 'GET', '/callback?code=somebody-elses&state=unheard-of', 200],
  ])('is not moved by %s', async (_what, method, path, status) => {
    const body = method === 'POST' ? new URLSearchParams({ logout_token: 'e30.e30.e30' }) : undefined;
    const answer = await fetch(`${app}${path}`, { method, ...(body ? { body } : {}) });
    expect(answer.status).toBe(status);
    if (status === 200) expect(await answer.text()).toContain('Sign in');
  });
});

test('with a key of its own: PAR, sign-in, userinfo, rotation, and revocation', async () => {
  const pair = await generateKeyPair('ES256');
  const party = await startRelyingParty({
    hemma,
    description: {
      scopes: ['profile', 'email', 'offline_access'],
      signingAlg: 'ES256',
      parRequired: true,
      authMethod: 'private_key_jwt',
      jwks: publicJwksSchema.parse({
        keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig', kid: 'own' }],
      }),
    },
  });
  const config = await client.discovery(
    new URL(hemma.issuer),
    party.clientId,
    { id_token_signed_response_alg: 'ES256' },
    client.PrivateKeyJwt({ key: pair.privateKey, kid: 'own' }),
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  );
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: party.redirectUri,
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
  const person = await newPerson(hemma, { twoStep: false });
  const came = await person.signIn(url.href);
  const tokens = await client.authorizationCodeGrant(config, came.url, {
    pkceCodeVerifier,
    idTokenExpected: true,
  });
  const subject = tokens.claims()?.sub ?? '';
  const me = (token: string) => client.fetchUserInfo(config, token, subject);
  expect(await me(tokens.access_token)).toMatchObject({ email: person.account.email });
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(renewed.claims()?.sub).toBe(subject);
  expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
  await client.tokenRevocation(config, renewed.refresh_token ?? '');
  await expect(me(renewed.access_token)).rejects.toMatchObject({ code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' });
  await party.stop();
});

test('every guide registers an application that is taken as it stands', async () => {
  const here = { hemma: hemma.issuer, app: 'http://localhost:8080' };
  const registered = await Promise.all((await guides()).map((guide) => registrationOf(guide, here)));
  expect(registered.length).toBeGreaterThanOrEqual(8);
  expect(new Set(registered.map(({ id }) => id)).size).toBe(registered.length);
});

test('every file of the reference of applications is taken as it is printed', async () => {
  await createGroup(hemma.db, 'Payroll', {});
  const [fields, ...others] = await filesOf('applications');
  const results: unknown[] = [];
  // All fields at once name an API and a scope that the files after it make.
  for (const given of [...others, fields]) {
    const read = await validateConfig(hemma.db, hemma.issuer, given);
    if ('faults' in read) throw new Error(JSON.stringify(read.faults));
    results.push(...(await applyConfig(hemma.db, read, {})).map(({ id, result }) => [id, result]));
  }
  expect(results).toEqual([
    ['https://orders.example.com/api', 'created'],
    ['claim department', 'created'],
    ['claim roles', 'created'],
    ['wages', 'created'],
  ]);
});
