/** An application that signs people in by the provider: openid-client for the protocol, jose for the tokens. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify, type JWTVerifyResult } from 'jose';
import * as client from 'openid-client';
import { type ClientDescription, clientSchema } from '../../src/clients/schema.ts';
import { addSecret } from '../../src/clients/secrets.ts';
import { applyClient } from '../../src/clients/clients.ts';
import type { Db } from '../../src/db/database.ts';
import type { Encryption } from '../../src/crypto/encryption.ts';

export interface RelyingPartyOptions {
  /** The provider (`startBenchHemma`) that it registers with. */
  hemma: { issuer: string; db: Db; vault?: Encryption };
  /** Otherwise than a first-party web application called Autopay. */
  description?: Partial<ClientDescription>;
}

/** A sign-in that has begun: where to send the person, and what to check when they come back. */
export interface Begun {
  url: string;
  state: string;
  nonce: string;
  verifier: string;
}

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

export interface RelyingParty {
  redirectUri: string;
  clientId: string;
  clientSecret: string;
  description: ClientDescription;
  /** openid-client's own configuration, for what this rig does not wrap. */
  configuration(): Promise<client.Configuration>;
  /** Begins a sign-in with PKCE, state and nonce; `parameters` add to the request or replace (null: leave out). */
  begin(parameters?: Record<string, string | null>): Promise<Begun>;
  /** Redeems the code that the person came back with. */
  redeem(begun: Begun, cameBackTo: string | URL, maxAge?: number): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Tokens>;
  /** Verifies an ID token, JWT access token or logout token by the provider's published keys. */
  verify<Payload = JWTPayload>(token: string, audience?: string): Promise<JWTVerifyResult<Payload>>;
  userinfo(accessToken: string, subject: string): Promise<client.UserInfoResponse>;
  /** Where the provider takes a person who signs out. */
  endSessionUrl(parameters: Record<string, string>): Promise<string>;
  /** Bodies posted to `backchannel_logout_uri`, oldest first. */
  logoutTokens: string[];
  /** Those that came after the first `since`, as soon as they are `count`; after five seconds what there is by then. */
  told(count: number, since?: number): Promise<string[]>;
  /** How it answers sign-out messages from now on: well, with a fault, by sending them on to an address, or never. */
  onLogout(manner: LogoutManner): void;
  stop(): Promise<void>;
}

export type LogoutManner = 'well' | 'with a fault' | 'never' | { to: string };

/** The application's own two addresses: where people come back to, and where sign-out messages go. */
async function listen(logoutTokens: string[]) {
  let manner: LogoutManner = 'well';
  const answer = (response: ServerResponse, told: boolean) => {
    if (told && manner === 'never') return;
    if (told && typeof manner === 'object') {
      response.writeHead(302, { location: manner.to }).end();
      return;
    }
    const page =
      '<!doctype html><html lang="en"><title>Back</title><main data-step="back"><h1>Back</h1></main></html>';
    response
      .writeHead(told && manner === 'with a fault' ? 503 : 200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
      })
      .end(page);
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const token = new URLSearchParams(body).get('logout_token');
      if (token) logoutTokens.push(token);
      answer(response, token !== null);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { origin, stop, onLogout: (next: LogoutManner) => void (manner = next) };
}

/** Registers the application by the product's own functions and answers what it was told. */
async function register(origin: string, { hemma, description = {} }: RelyingPartyOptions) {
  const described = clientSchema.parse({
    id: `app-${randomBytes(4).toString('hex')}`,
    name: 'Autopay',
    type: 'web',
    firstParty: true,
    redirectUris: [`${origin}/back`],
    postLogoutRedirectUris: [`${origin}/signed-out`],
    backchannelLogoutUri: `${origin}/backchannel-logout`,
    launchUrl: origin,
    ...description,
  });
  await applyClient(hemma.db, described);
  const clientSecret = (await addSecret(hemma.db, described.id, 'test', undefined, hemma.vault)) ?? '';
  return { clientId: described.id, clientSecret, description: described };
}

/** Starts the application, whose people come back to `redirectUri`, and registers it. */
export async function startRelyingParty(options: RelyingPartyOptions): Promise<RelyingParty> {
  const { issuer } = options.hemma;
  const logoutTokens: string[] = [];
  const { origin, stop, onLogout } = await listen(logoutTokens);
  const registered = await register(origin, options);
  const { clientId, clientSecret } = registered;
  const redirectUri = registered.description.redirectUris[0] ?? '';
  const signs = registered.description.authMethod === 'client_secret_jwt';
  const bySecret = signs ? client.ClientSecretJwt : client.ClientSecretBasic;
  const authenticate = clientSecret ? bySecret(clientSecret) : client.None();
  const execute = [client.allowInsecureRequests];
  let discovered: Promise<client.Configuration> | undefined;
  const configuration = () =>
    (discovered ??= client.discovery(new URL(issuer), clientId, undefined, authenticate, { execute }));
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  return {
    ...registered,
    redirectUri,
    configuration,
    logoutTokens,
    onLogout,
    stop,
    async told(count, since = 0) {
      for (let wait = 0; wait < 100 && logoutTokens.length < since + count; wait++)
        await new Promise((done) => setTimeout(done, 50));
      return logoutTokens.slice(since);
    },
    async begin(parameters = {}) {
      const [state, nonce, verifier] = [
        client.randomState(),
        client.randomNonce(),
        client.randomPKCECodeVerifier(),
      ];
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      for (const [name, value] of Object.entries(parameters)) {
        if (value === null) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
      }
      return { url: url.href, state, nonce, verifier };
    },
    async redeem({ state, nonce, verifier }, cameBackTo, maxAge) {
      return client.authorizationCodeGrant(await configuration(), new URL(cameBackTo), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
        ...(maxAge === undefined ? {} : { maxAge }),
      });
    },
    refresh: async (refreshToken) => client.refreshTokenGrant(await configuration(), refreshToken),
    async verify<Payload>(token: string, audience = clientId) {
      const { jwks_uri: address = '' } = (await configuration()).serverMetadata();
      keys ??= createRemoteJWKSet(new URL(address), { cooldownDuration: 0 });
      return jwtVerify<Payload>(token, keys, { issuer, audience });
    },
    userinfo: async (accessToken, subject) =>
      client.fetchUserInfo(await configuration(), accessToken, subject),
    endSessionUrl: async (parameters) => client.buildEndSessionUrl(await configuration(), parameters).href,
  };
}
