/** What is measured: each operation done as an application or a person does it, and every answer looked at. */
import type { Browser, ConnectionPool } from './browser.ts';
import { sendRequest } from './browser.ts';
import type { BenchUser } from './ceremony.ts';
import { benchAuthorizationUrl, codeVerifier, runSignIn } from './ceremony.ts';
import type { CredentialsByEmail } from './town.ts';
import {
  populationDeviceToken,
  fixtureEmail,
  usersWithTotp,
  benchResource,
  serviceClient,
  webClient,
} from './town.ts';

/** One connection's user at one target, and what they have from earlier. */
export interface VirtualUser {
  number: number;
  /** How many there are of them. */
  among: number;
  line: ConnectionPool;
  browser: Browser;
  pockets: CredentialsByEmail;
  /** How many people of the crowd there are besides the town's, where there are any. */
  crowd: number | undefined;
  /** What browsers of the crowd are known by, as far as that has changed; all users' together. */
  devices: Map<number, string>;
  turn: number;
  /** Operations in this round. */
  done: number;
  tokens: Partial<TokenSet>;
  /** Codes that wait to be exchanged. */
  codes: string[];
}

interface TokenSet {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

export interface Scenario {
  name: string;
  /** Once for each user, before anything is measured. */
  begin?: (user: VirtualUser) => Promise<void>;
  /** Before each round, until it answers false or the time is up. */
  stock?: (user: VirtualUser) => Promise<void>;
  /** One operation; false where there is nothing left to do. */
  operation: (user: VirtualUser) => Promise<boolean | void>;
}

const basicAuthorization = ({ id, secret }: { id: string; secret: string }) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const authorizations = { web: basicAuthorization(webClient), service: basicAuthorization(serviceClient) };

const formHeaders = (authorization: string) => ({
  authorization,
  'content-type': 'application/x-www-form-urlencoded',
});

async function postForm(
  { line, number }: VirtualUser,
  path: string,
  client: keyof typeof authorizations,
  body: string,
): Promise<Partial<TokenSet> & { active?: boolean }> {
  const answer = await sendRequest(line, number, path, {
    method: 'POST',
    headers: formHeaders(authorizations[client]),
    body,
  });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
  return JSON.parse(answer.body) as Partial<TokenSet> & { active?: boolean };
}

const isJwt = (token: string | undefined) => token?.split('.').length === 3;

function assertResult(right: boolean | undefined, what: string): void {
  if (right !== true) throw new Error(`${what}: the answer is not what it must be`);
}

async function exchangeCode(user: VirtualUser, code: string): Promise<Partial<TokenSet>> {
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: webClient.redirectUri,
    code_verifier: codeVerifier,
  };
  const tokens = await postForm(user, '/token', 'web', new URLSearchParams(fields).toString());
  assertResult(Boolean(tokens.access_token) && isJwt(tokens.id_token), 'code exchange');
  return tokens;
}

/** A browser that was closed keeps the cookie that names it, so that a sign-in is an ordinary one. */
const deviceCookie = 'hemma-device';

async function runJourney(user: VirtualUser, person: BenchUser): Promise<void> {
  user.browser.close(deviceCookie);
  const code = await runSignIn(user.browser, benchAuthorizationUrl(), person);
  await exchangeCode(user, code);
}

/** Somebody else of the crowd each time, in the browser that they have always had; nobody comes twice at once. */
function nextPopulationUser({ turn, among, number, crowd = 1 }: VirtualUser): number {
  return ((turn * among + number) * 7_919) % crowd;
}

/** Somebody signs in without the hash; answers the tokens. */
async function signInPlainUser(user: VirtualUser, begin: string): Promise<Partial<TokenSet>> {
  user.browser.close(deviceCookie);
  if (user.crowd === undefined)
    return exchangeCode(
      user,
      await runSignIn(user.browser, begin, { email: fixtureEmail('plain', user.number) }),
    );
  const one = nextPopulationUser(user);
  user.turn += 1;
  user.browser.plant(deviceCookie, user.devices.get(one) ?? populationDeviceToken(one));
  const tokens = await exchangeCode(
    user,
    await runSignIn(user.browser, begin, { email: fixtureEmail('crowd', one) }),
  );
  user.devices.set(one, user.browser.cookie(deviceCookie) ?? '');
  return tokens;
}

/** Signs in once, so that there is a session, with tokens that can be renewed. */
async function createSession(user: VirtualUser): Promise<void> {
  if (user.tokens.refresh_token) return;
  const begin = benchAuthorizationUrl({ scope: 'openid profile email offline_access', prompt: 'consent' });
  user.tokens = await signInPlainUser(user, begin);
  assertResult(user.tokens.refresh_token !== undefined, 'sign-in for a refresh token');
}

const silentSignIn = (virtualUser: VirtualUser) =>
  runSignIn(virtualUser.browser, benchAuthorizationUrl({ prompt: 'none' }), {
    email: `user ${virtualUser.number}`,
  });

const opaqueBody = 'grant_type=client_credentials';
const jwtBody = new URLSearchParams({
  grant_type: 'client_credentials',
  resource: benchResource.id,
  scope: benchResource.scope,
}).toString();

async function fetchOk({ line, number }: VirtualUser, path: string, what: string): Promise<void> {
  const { status, body } = await sendRequest(line, number, path);
  assertResult(status === 200 && body.includes(what), path);
}

export const clientCredentialsJwt: Scenario = {
  name: 'client-credentials-jwt',
  async operation(user) {
    assertResult(
      isJwt((await postForm(user, '/token', 'service', jwtBody)).access_token),
      'JWT client credentials',
    );
  },
};

export const passwordJourney: Scenario = {
  name: 'sign-in',
  operation: (user) => runJourney(user, { email: fixtureEmail('hashed', user.number) }),
};

export const scenarios: readonly Scenario[] = [
  {
    name: 'client-credentials',
    async operation(user) {
      const { access_token: token } = await postForm(user, '/token', 'service', opaqueBody);
      assertResult(token !== undefined && !isJwt(token), 'client credentials');
    },
  },
  clientCredentialsJwt,
  {
    name: 'refresh',
    begin: createSession,
    async operation(user) {
      const token = encodeURIComponent(user.tokens.refresh_token ?? '');
      const next = await postForm(user, '/token', 'web', `grant_type=refresh_token&refresh_token=${token}`);
      assertResult(
        next.refresh_token !== undefined && next.refresh_token !== user.tokens.refresh_token,
        'refresh',
      );
      user.tokens = next;
    },
  },
  {
    name: 'introspection',
    begin: createSession,
    async operation(user) {
      const body = `token=${user.tokens.access_token}`;
      assertResult((await postForm(user, '/token/introspection', 'web', body)).active, 'introspection');
    },
  },
  {
    name: 'userinfo',
    begin: createSession,
    async operation({ line, number, tokens }) {
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      const { status, body } = await sendRequest(line, number, '/me', { headers });
      assertResult(status === 200 && body.includes('"sub"') && body.includes('"email"'), 'userinfo');
    },
  },
  {
    name: 'code-exchange',
    begin: createSession,
    async stock(user) {
      user.codes.push(await silentSignIn(user));
    },
    async operation(user) {
      const code = user.codes.pop();
      if (code === undefined) return false;
      await exchangeCode(user, code);
      return true;
    },
  },
  {
    name: 'silent-sso',
    begin: createSession,
    async operation(user) {
      await exchangeCode(user, await silentSignIn(user));
    },
  },
  {
    name: 'code-journey',
    async operation(user) {
      await signInPlainUser(user, benchAuthorizationUrl());
    },
  },
  passwordJourney,
  {
    name: 'sign-in-totp',
    // Each phone once in a round: its digits are good once.
    async operation(user) {
      const share = Math.floor(usersWithTotp / user.among);
      if (user.done >= share) return false;
      const email = fixtureEmail('phone', user.number * share + user.done);
      const credentials = user.pockets[email];
      await runJourney(user, { email, ...(credentials ? { kept: credentials } : {}) });
      return true;
    },
  },
  {
    name: 'recovery',
    async operation(user) {
      const email = fixtureEmail('recovery', user.number);
      const credentials = user.pockets[email];
      const person: BenchUser = { email, newPhone: true, ...(credentials ? { kept: credentials } : {}) };
      await runJourney(user, person);
      if (person.kept) user.pockets[email] = person.kept;
    },
  },
  { name: 'discovery', operation: (user) => fetchOk(user, '/.well-known/openid-configuration', '"issuer"') },
  { name: 'jwks', operation: (user) => fetchOk(user, '/jwks', '"keys"') },
];
