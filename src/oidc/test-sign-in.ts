import { request } from 'node:http';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Settings } from '../../config/settings.ts';
import { generateToken, sha256 } from '../crypto/encryption.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { toTestSignInId, testSignInPath } from '../clients/metadata.ts';

/** Milliseconds that a trial may take from its beginning to its end. */
export const testSignInMs = 30 * 60_000;

/**
 * The ticket of a trial, kept in a cookie of the administrator's browser: whoever comes back in another one, or with
 * another's answer, has no trial. Verifier and nonce are derived from it and kept nowhere.
 */
export function createTestTicket(encryption: Encryption, clientId: string): string {
  const body = `${clientId}.${Date.now() + testSignInMs}.${generateToken()}`;
  return `${body}.${encryption.mac('trial', body)}`;
}

/** What a ticket says, while it lasts; undefined for anything that is none of ours. */
export function parseTestTicket(encryption: Encryption, ticket: string | undefined) {
  const parts = (ticket ?? '').split('.');
  const [clientId, expires, state, mac] = parts;
  if (parts.length !== 4 || !clientId || !expires || !state || !mac) return undefined;
  if (!encryption.macMatches('trial', parts.slice(0, 3).join('.'), mac)) return undefined;
  return Number(expires) > Date.now() ? { clientId, state } : undefined;
}

/** The address that a trial begins at: an authorization request by the rules of the client that is tried. */
export function buildTestSignInUrl(
  encryption: Encryption,
  issuer: string,
  ticket: { clientId: string; state: string },
  { scopes, anew }: { scopes: readonly string[]; anew: boolean },
): string {
  const verifier = encryption.mac('trial verifier', ticket.state);
  const query = new URLSearchParams({
    client_id: toTestSignInId(ticket.clientId),
    response_type: 'code',
    redirect_uri: `${issuer}${testSignInPath}`,
    // Nothing is renewed after a trial.
    scope: ['openid', ...scopes.filter((scope) => scope !== 'offline_access')].join(' '),
    state: ticket.state,
    nonce: encryption.mac('trial nonce', ticket.state),
    code_challenge: sha256(verifier).toString('base64url'),
    code_challenge_method: 'S256',
    ...(anew ? { prompt: 'login' } : {}),
  });
  return `${issuer}/auth?${query.toString()}`;
}

/** Every address that listens has one of its own machine. */
const toLocalHost = (host: string): string => ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[host] ?? host;

/** Asks this very process over its own door, as an application would: nothing is taken a short way. */
function requestSelf(
  settings: Settings,
  path: string,
  { body, bearer }: { body?: URLSearchParams; bearer?: string } = {},
): Promise<Record<string, unknown>> {
  const { HEMMA_HOST: host, HEMMA_PORT: port, HEMMA_ISSUER: issuer } = settings;
  return new Promise((answer, failed) => {
    const outgoing = request(
      {
        host: toLocalHost(host),
        port,
        path,
        method: body ? 'POST' : 'GET',
        agent: false,
        timeout: 5_000,
        headers: {
          host: new URL(issuer).host,
          accept: 'application/json',
          ...(body ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () => {
          try {
            answer(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
          } catch {
            failed(new Error('the provider answered itself with something else than JSON'));
          }
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('the provider did not answer itself')));
    outgoing.on('error', failed);
    outgoing.end(body?.toString());
  });
}

/** What a trial brought back, as the application would have got it. */
export interface TestSignInResult {
  header: { alg: string; kid?: string | undefined };
  claims: JWTPayload;
  userinfo: Record<string, unknown>;
  seconds: number;
}

/** Redeems the code of a trial and verifies the ID token by the published keys; `used`: the code is good no more. */
export async function redeemTestSignIn(
  encryption: Encryption,
  settings: Settings,
  { clientId, state }: { clientId: string; state: string },
  code: string,
): Promise<TestSignInResult | 'used'> {
  const { HEMMA_ISSUER: issuer } = settings;
  const tokens = await requestSelf(settings, '/token', {
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: toTestSignInId(clientId),
      redirect_uri: `${issuer}${testSignInPath}`,
      code,
      code_verifier: encryption.mac('trial verifier', state),
    }),
  });
  const { id_token: idToken, access_token: bearer, expires_in: seconds } = tokens;
  if (typeof idToken !== 'string' || typeof bearer !== 'string') return 'used';
  const keys = createLocalJWKSet((await requestSelf(settings, '/jwks')) as unknown as JSONWebKeySet);
  const verified = await jwtVerify(idToken, keys, { issuer, audience: toTestSignInId(clientId) });
  if (verified.payload.nonce !== encryption.mac('trial nonce', state)) return 'used';
  const { alg, kid } = verified.protectedHeader;
  return {
    header: { alg, kid },
    claims: verified.payload,
    userinfo: await requestSelf(settings, '/me', { bearer }),
    seconds: Number(seconds),
  };
}
