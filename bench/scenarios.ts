/** What is measured: each operation done as an application or a person does it, and every answer looked at. */
import type { Browser, Line } from './browser.ts';
import { ask } from './browser.ts';
import type { Person } from './ceremony.ts';
import { authUrl, codeVerifier, signIn } from './ceremony.ts';
import type { Pockets } from './town.ts';
import { crowdDevice, emailOf, peopleWithPhones, resource, service, web } from './town.ts';

/** One connection's user at one target, and what they have from earlier. */
export interface User {
  number: number;
  /** How many there are of them. */
  among: number;
  line: Line;
  browser: Browser;
  pockets: Pockets;
  /** How many people of the crowd there are besides the town's, where there are any. */
  crowd: number | undefined;
  /** What browsers of the crowd are known by, as far as that has changed; all users' together. */
  devices: Map<number, string>;
  turn: number;
  /** Operations in this round. */
  done: number;
  tokens: Partial<Tokens>;
  /** Codes that wait to be exchanged. */
  codes: string[];
}

interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

export interface Scenario {
  name: string;
  /** Once for each user, before anything is measured. */
  begin?: (user: User) => Promise<void>;
  /** Before each round, until it answers false or the time is up. */
  stock?: (user: User) => Promise<void>;
  /** One operation; false where there is nothing left to do. */
  operation: (user: User) => Promise<boolean | void>;
}

const basic = ({ id, secret }: { id: string; secret: string }) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const authorizations = { web: basic(web), service: basic(service) };

const form = (authorization: string) => ({
  authorization,
  'content-type': 'application/x-www-form-urlencoded',
});

async function posted(
  { line, number }: User,
  path: string,
  client: keyof typeof authorizations,
  body: string,
): Promise<Partial<Tokens> & { active?: boolean }> {
  const answer = await ask(line, number, path, {
    method: 'POST',
    headers: form(authorizations[client]),
    body,
  });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
  return JSON.parse(answer.body) as Partial<Tokens> & { active?: boolean };
}

const isJwt = (token: string | undefined) => token?.split('.').length === 3;

function must(right: boolean | undefined, what: string): void {
  if (right !== true) throw new Error(`${what}: the answer is not what it must be`);
}

async function exchange(user: User, code: string): Promise<Partial<Tokens>> {
  const fields = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: web.redirectUri,
    code_verifier: codeVerifier,
  };
  const tokens = await posted(user, '/token', 'web', new URLSearchParams(fields).toString());
  must(Boolean(tokens.access_token) && isJwt(tokens.id_token), 'code exchange');
  return tokens;
}

/** A browser that was closed keeps the cookie that names it, so that a sign-in is an ordinary one. */
const deviceCookie = 'hemma-device';

async function journey(user: User, person: Person): Promise<void> {
  user.browser.close(deviceCookie);
  const code = await signIn(user.browser, authUrl(), person);
  await exchange(user, code);
}

/** Somebody else of the crowd each time, in the browser that they have always had; nobody comes twice at once. */
function nextOfCrowd({ turn, among, number, crowd = 1 }: User): number {
  return ((turn * among + number) * 7_919) % crowd;
}

/** Somebody signs in without the hash; answers the tokens. */
async function plainly(user: User, begin: string): Promise<Partial<Tokens>> {
  user.browser.close(deviceCookie);
  if (user.crowd === undefined)
    return exchange(user, await signIn(user.browser, begin, { email: emailOf('plain', user.number) }));
  const one = nextOfCrowd(user);
  user.turn += 1;
  user.browser.plant(deviceCookie, user.devices.get(one) ?? crowdDevice(one));
  const tokens = await exchange(user, await signIn(user.browser, begin, { email: emailOf('crowd', one) }));
  user.devices.set(one, user.browser.cookie(deviceCookie) ?? '');
  return tokens;
}

/** Signs in once, so that there is a session, with tokens that can be renewed. */
async function signedIn(user: User): Promise<void> {
  if (user.tokens.refresh_token) return;
  const begin = authUrl({ scope: 'openid profile email offline_access', prompt: 'consent' });
  user.tokens = await plainly(user, begin);
  must(user.tokens.refresh_token !== undefined, 'sign-in for a refresh token');
}

const silently = (user: User) =>
  signIn(user.browser, authUrl({ prompt: 'none' }), { email: `user ${user.number}` });

const opaqueBody = 'grant_type=client_credentials';
const jwtBody = new URLSearchParams({
  grant_type: 'client_credentials',
  resource: resource.id,
  scope: resource.scope,
}).toString();

async function fetched({ line, number }: User, path: string, what: string): Promise<void> {
  const { status, body } = await ask(line, number, path);
  must(status === 200 && body.includes(what), path);
}

export const clientCredentialsJwt: Scenario = {
  name: 'client-credentials-jwt',
  async operation(user) {
    must(isJwt((await posted(user, '/token', 'service', jwtBody)).access_token), 'JWT client credentials');
  },
};

export const passwordJourney: Scenario = {
  name: 'sign-in',
  operation: (user) => journey(user, { email: emailOf('hashed', user.number) }),
};

export const scenarios: readonly Scenario[] = [
  {
    name: 'client-credentials',
    async operation(user) {
      const { access_token: token } = await posted(user, '/token', 'service', opaqueBody);
      must(token !== undefined && !isJwt(token), 'client credentials');
    },
  },
  clientCredentialsJwt,
  {
    name: 'refresh',
    begin: signedIn,
    async operation(user) {
      const token = encodeURIComponent(user.tokens.refresh_token ?? '');
      const next = await posted(user, '/token', 'web', `grant_type=refresh_token&refresh_token=${token}`);
      must(next.refresh_token !== undefined && next.refresh_token !== user.tokens.refresh_token, 'refresh');
      user.tokens = next;
    },
  },
  {
    name: 'introspection',
    begin: signedIn,
    async operation(user) {
      const body = `token=${user.tokens.access_token}`;
      must((await posted(user, '/token/introspection', 'web', body)).active, 'introspection');
    },
  },
  {
    name: 'userinfo',
    begin: signedIn,
    async operation({ line, number, tokens }) {
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      const { status, body } = await ask(line, number, '/me', { headers });
      must(status === 200 && body.includes('"sub"') && body.includes('"email"'), 'userinfo');
    },
  },
  {
    name: 'code-exchange',
    begin: signedIn,
    async stock(user) {
      user.codes.push(await silently(user));
    },
    async operation(user) {
      const code = user.codes.pop();
      if (code === undefined) return false;
      await exchange(user, code);
      return true;
    },
  },
  {
    name: 'silent-sso',
    begin: signedIn,
    async operation(user) {
      await exchange(user, await silently(user));
    },
  },
  {
    name: 'code-journey',
    async operation(user) {
      await plainly(user, authUrl());
    },
  },
  passwordJourney,
  {
    name: 'sign-in-totp',
    // Each phone once in a round: its digits are good once.
    async operation(user) {
      const share = Math.floor(peopleWithPhones / user.among);
      if (user.done >= share) return false;
      const email = emailOf('phone', user.number * share + user.done);
      const kept = user.pockets[email];
      await journey(user, { email, ...(kept ? { kept } : {}) });
      return true;
    },
  },
  {
    name: 'recovery',
    async operation(user) {
      const email = emailOf('recovery', user.number);
      const kept = user.pockets[email];
      const person: Person = { email, newPhone: true, ...(kept ? { kept } : {}) };
      await journey(user, person);
      if (person.kept) user.pockets[email] = person.kept;
    },
  },
  { name: 'discovery', operation: (user) => fetched(user, '/.well-known/openid-configuration', '"issuer"') },
  { name: 'jwks', operation: (user) => fetched(user, '/jwks', '"keys"') },
];
