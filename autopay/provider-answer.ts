import * as client from 'openid-client';

import type { PendingSignIn } from './pending-sign-ins.ts';
import { describeFault, explainFault, UNREACHABLE } from './provider-faults.ts';
import type { SignedIn } from './sessions.ts';
import type { SignInFailure } from './sign-in-failures.tsx';
import type { Site } from './visit.ts';

export type Answer = { ok: true; person: SignedIn } | { ok: false; failure: SignInFailure };

/**
 * Exchanges the code that the person came back with for their claims.
 * @param search the query of the callback, with its question mark
 */
export async function readAnswer(site: Site, search: string, pending: PendingSignIn): Promise<Answer> {
  const provider = await site.findProvider().catch((error: unknown) => {
    site.log(`provider unreachable: ${describeFault(error)}`);
    return undefined;
  });
  if (!provider) return { ok: false, failure: UNREACHABLE };
  const { config } = provider;
  let tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
  try {
    const cameBackTo = new URL(`${site.settings.origin}/callback${search}`);
    tokens = await client.authorizationCodeGrant(config, cameBackTo, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    });
  } catch (error) {
    site.log(`sign-in failed: ${describeFault(error)}`);
    return { ok: false, failure: explainFault(error) };
  }
  return { ok: true, person: await personOf(site, config, tokens) };
}

async function personOf(
  site: Site,
  config: client.Configuration,
  tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>,
): Promise<SignedIn> {
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined) throw new Error('The provider gave no ID token.');
  const more = await missingClaims(site, config, tokens.access_token, claims);
  const email = text(claims['email']) ?? text(more['email']);
  return {
    sub: claims.sub,
    name: text(claims['name']) ?? text(more['name']) ?? email ?? claims.sub,
    email,
    sid: text(claims['sid']),
    idToken: tokens.id_token,
    acr: text(claims['acr']),
    amr: Array.isArray(claims['amr']) ? claims['amr'].filter((method) => typeof method === 'string') : [],
    authTime: claims.auth_time,
  };
}

/** Name and address from userinfo where the ID token lacks them. Without userinfo the person still gets in. */
async function missingClaims(
  site: Site,
  config: client.Configuration,
  accessToken: string,
  claims: client.IDToken,
): Promise<Partial<client.UserInfoResponse>> {
  if (text(claims['name']) !== undefined && text(claims['email']) !== undefined) return {};
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await client.fetchUserInfo(config, accessToken, claims.sub);
  } catch (error) {
    site.log(`userinfo failed: ${describeFault(error)}`);
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
