/**
 * What the certification's tests need of a provider: it answers over TLS as in production, two applications that send
 * no PKCE are registered, and somebody can sign in. Requests are written here by hand, as the tests' own client does.
 */
import { randomBytes } from 'node:crypto';
import { test } from '@jest/globals';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { freePort } from '../rig/free-port.ts';
import { type Hemma, startHemma } from '../rig/hemma.ts';
import { type RelyingParty, startRelyingParty } from '../rig/relying-party.ts';
import { startTls } from '../rig/tls.ts';
import type { Screen } from '../rig/visitor.ts';
import { newPerson, type Person } from '../protocol/people.ts';
import { basicOf, get, post, type Told } from '../protocol/requests.ts';

/** How an answer comes back: in the address, or in a form that sends itself. */
export type Mode = 'query' | 'form_post';

export interface Op {
  hemma: Hemma;
  discovery: Record<string, unknown>;
  client: RelyingParty;
  client2: RelyingParty;
  stop(): Promise<void>;
}

/** Starts the provider behind TLS, with the settings that production demands. */
export async function startOp(): Promise<Op> {
  const port = await freePort();
  const hemma = await startHemma({
    env: {
      HEMMA_ISSUER: `https://localhost:${port}`,
      HEMMA_TRUSTED_PROXIES: '127.0.0.1',
      HEMMA_MAIL_FROM: 'hemma@example.com',
    },
  });
  const tls = await startTls(port, hemma.port);
  const description = {
    pkceOptional: true,
    // What the certification asks for; our own default is another.
    signingAlg: 'RS256' as const,
    scopes: ['profile' as const, 'email' as const, 'offline_access' as const],
  };
  const client = await startRelyingParty({ hemma, description });
  const client2 = await startRelyingParty({ hemma, description: { ...description, name: 'Lön' } });
  return {
    hemma,
    discovery: (await get(hemma.url('/.well-known/openid-configuration'))).json,
    client,
    client2,
    async stop() {
      await Promise.all([client.stop(), client2.stop()]);
      await hemma.stop();
      await tls.stop();
    },
  };
}

/** Somebody who can sign in, in a browser of their own. */
export const somebody = (op: Op): Promise<Person> => newPerson(op.hemma, { twoStep: false });

export interface Request {
  client?: RelyingParty;
  /** Parameters besides, or instead of, the usual ones; null leaves one out. */
  parameters?: Record<string, string | null>;
  /** Sends it as a form. */
  post?: boolean;
}

/** What came back to the application, or the page where the person stands instead. */
export interface Outcome {
  back: Record<string, string> | undefined;
  screen: Screen;
  nonce: string;
  state: string;
}

export function authorizationUrl(op: Op, mode: Mode, { client = op.client, parameters = {} }: Request) {
  const [nonce, state] = [randomBytes(9).toString('base64url'), randomBytes(9).toString('base64url')];
  const usual = {
    client_id: client.clientId,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    scope: 'openid',
    state,
    nonce,
    ...(mode === 'form_post' ? { response_mode: 'form_post' } : {}),
  };
  const url = new URL(String(op.discovery['authorization_endpoint']));
  for (const [name, value] of Object.entries({ ...usual, ...parameters }))
    if (value !== null) url.searchParams.set(name, value);
  return { url, nonce, state };
}

/** The answer in the form of a page, where its form leads to the application. */
function sentByForm(screen: Screen, client: RelyingParty): Record<string, string> | undefined {
  const form = screen.page.querySelector('form[method=post]');
  if (form?.getAttribute('action') !== client.redirectUri) return undefined;
  const inputs = form.querySelectorAll('input[type=hidden]');
  return Object.fromEntries(
    inputs.map((one) => [one.getAttribute('name') ?? '', one.getAttribute('value') ?? '']),
  );
}

/** The answer in the address, where the person stands at the application. */
const sentByAddress = ({ url }: Screen, client: RelyingParty): Record<string, string> | undefined =>
  url.href.startsWith(client.redirectUri) ? Object.fromEntries(url.searchParams) : undefined;

/** Sends the person to sign in; they answer every page that there is. */
export async function authorize(op: Op, mode: Mode, person: Person, request: Request = {}): Promise<Outcome> {
  const { client = op.client } = request;
  const { url, nonce, state } = authorizationUrl(op, mode, request);
  const fields = Object.fromEntries(url.searchParams);
  if (request.post) url.search = '';
  const screen = request.post
    ? await person.answer(await person.visitor.post(url, fields))
    : await person.signIn(url.href);
  const read = fields['response_mode'] === 'form_post' ? sentByForm : sentByAddress;
  return { back: read(screen, client), screen, nonce, state };
}

export interface Redemption {
  client?: RelyingParty;
  bySecretPost?: boolean;
  /** Add to the request or replace. */
  fields?: Record<string, string>;
}

/** Redeems a code, or asks the token endpoint for something else. */
export function redeem(
  op: Op,
  code: string | undefined,
  { client = op.client, bySecretPost = false, fields = {} }: Redemption = {},
): Promise<Told> {
  const proof = { client_id: client.clientId, client_secret: client.clientSecret };
  return post(
    String(op.discovery['token_endpoint']),
    {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: client.redirectUri,
      ...(bySecretPost ? proof : {}),
      ...fields,
    },
    bySecretPost ? {} : basicOf(client),
  );
}

export interface IdClaims extends JWTPayload {
  nonce?: string;
  acr?: string;
  auth_time?: number;
  at_hash?: string;
  sid?: string;
}

/** The claims of an ID token whose signature, issuer, audience and times are right; throws where one is not. */
export async function idToken(op: Op, token: unknown, client = op.client) {
  const keys = createRemoteJWKSet(new URL(String(op.discovery['jwks_uri'])));
  const { payload, protectedHeader } = await jwtVerify<IdClaims>(String(token), keys, {
    issuer: op.hemma.issuer,
    audience: client.clientId,
    requiredClaims: ['iat', 'exp', 'sub'],
  });
  return { claims: payload, header: protectedHeader };
}

/** A whole sign-in: from the link to the tokens. */
export async function signedIn(op: Op, mode: Mode, person: Person, request: Request = {}) {
  const outcome = await authorize(op, mode, person, request);
  const answer = await redeem(op, outcome.back?.['code'], { client: request.client ?? op.client });
  if (answer.status !== 200)
    throw new Error(`no tokens but ${answer.status} ${answer.body}; ${outcome.screen.text}`);
  return { ...outcome, tokens: answer.json, ...(await idToken(op, answer.json['id_token'], request.client)) };
}

/** The userinfo endpoint, asked by the header. */
export const userinfo = (op: Op, token: unknown): Promise<Told> =>
  get(String(op.discovery['userinfo_endpoint']), { authorization: `Bearer ${String(token)}` });

/** A module of the certification, under its own name; `assert` throws where the provider does not conform. */
export type Module = (op: Op, mode: Mode) => Promise<void>;

/** Makes each module a test, and prints what came of them once all have run. */
export function certify(plan: string, op: () => Op, mode: Mode, modules: Record<string, Module>): () => void {
  const results = new Map(Object.keys(modules).map((name) => [name, 'failed']));
  for (const [name, assert] of Object.entries(modules)) {
    test(name, async () => {
      await assert(op(), mode);
      results.set(name, 'passed');
    });
  }
  return () => {
    const width = Math.max(...[...results.keys()].map((name) => name.length));
    const lines = [...results].map(([name, result]) => `  ${name.padEnd(width)}  ${result}`);
    process.stdout.write(`${plan}\n${lines.join('\n')}\n`);
  };
}
