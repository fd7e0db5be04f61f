import * as client from 'openid-client';

import type { PendingSignIn } from './pending-sign-ins.ts';
import { describeProviderError, toSignInFailure, UNREACHABLE } from './provider-faults.ts';
import type { SignedInUser } from './sessions.ts';
import type { SignInFailure } from './sign-in-failures.tsx';
import type { AutopayContext } from './visit.ts';

export type AuthorizationResult = { ok: true; person: SignedInUser } | { ok: false; failure: SignInFailure };

/**
 * Exchanges the code that the person came back with for their claims.
 * @param search the query of the callback, with its question mark
 */
export async function handleAuthorizationResponse(
  site: AutopayContext,
  search: string,
  pending: PendingSignIn,
): Promise<AuthorizationResult> {
  const provider = await site.findProvider().catch((error: unknown) => {
    site.log(`provider unreachable: ${describeProviderError(error)}`);
    return undefined;
  });
  if (!provider) return { ok: false, failure: UNREACHABLE };
  const { config } = provider;
  let tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>;
  try {
    const callbackUrl = new URL(`${site.settings.origin}/callback${search}`);
    tokens = await client.authorizationCodeGrant(config, callbackUrl, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    });
  } catch (error) {
    site.log(`sign-in failed: ${describeProviderError(error)}`);
    return { ok: false, failure: toSignInFailure(error) };
  }
  return { ok: true, person: await verifiedUser(site, config, tokens) };
}

async function verifiedUser(
  site: AutopayContext,
  config: client.Configuration,
  tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>,
): Promise<SignedInUser> {
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined) throw new Error('The provider gave no ID token.');
  const userInfoClaims = await fetchMissingClaims(site, config, tokens.access_token, claims);
  const email = stringOrUndefined(claims['email']) ?? stringOrUndefined(userInfoClaims['email']);
  return {
    sub: claims.sub,
    name:
      stringOrUndefined(claims['name']) ?? stringOrUndefined(userInfoClaims['name']) ?? email ?? claims.sub,
    email,
    sid: stringOrUndefined(claims['sid']),
    idToken: tokens.id_token,
    acr: stringOrUndefined(claims['acr']),
    amr: Array.isArray(claims['amr']) ? claims['amr'].filter((method) => typeof method === 'string') : [],
    authTime: claims.auth_time,
  };
}

/** Name and address from userinfo where the ID token lacks them. Without userinfo the person still gets in. */
async function fetchMissingClaims(
  site: AutopayContext,
  config: client.Configuration,
  accessToken: string,
  claims: client.IDToken,
): Promise<Partial<client.UserInfoResponse>> {
  if (stringOrUndefined(claims['name']) !== undefined && stringOrUndefined(claims['email']) !== undefined)
    return {};
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  try {
    return await client.fetchUserInfo(config, accessToken, claims.sub);
  } catch (error) {
    site.log(`userinfo failed: ${describeProviderError(error)}`);
    return {};
  }
}

function stringOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
