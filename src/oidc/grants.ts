import type { AccessToken, Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { Db } from '../db/database.ts';
import { getConsentMode } from '../clients/metadata.ts';
import { findConsent } from '../sessions/records.ts';

/** What this request asks for of resource servers and the interface for programs, by their names. */
const getRequestedResources = (oidc: KoaContextWithOIDC['oidc']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(oidc.resourceServers ?? {}).flatMap(([resource, { scopes }]) => {
      const asked = [...oidc.requestParamScopes].filter((scope) => scopes.has(scope));
      return asked.length > 0 ? [[resource, asked.join(' ')]] : [];
    }),
  );

/** Whether a grant lacks something that this request asks for. */
function lacksRequestedAccess(grant: Grant, { oidc }: KoaContextWithOIDC): boolean {
  const scopes = new Set(grant.getOIDCScopeEncountered().split(' '));
  const claims = new Set(grant.getOIDCClaimsEncountered());
  return (
    [...oidc.requestParamOIDCScopes].some((scope) => !scopes.has(scope)) ||
    [...oidc.requestParamClaims].some((claim) => !claims.has(claim)) ||
    Object.entries(getRequestedResources(oidc)).some(([resource, asked]) => {
      const known = new Set(grant.getResourceScopeEncountered(resource).split(' '));
      return asked.split(' ').some((scope) => !known.has(scope));
    })
  );
}

/**
 * The grant of this session and client: tokens hang on it and end with it, so that signing out in one browser leaves
 * another's alone. What a person allowed once is written into each new one; a first-party client needs no asking.
 */
export function createGrantLoader(db: Db): Configuration['loadExistingGrant'] {
  return async (ctx) => {
    const { oidc } = ctx;
    const { client, session, account, provider } = oidc;
    if (!client || !account) return undefined;
    const known =
      (oidc.result?.consent as { grantId?: string } | undefined)?.grantId ??
      session?.grantIdFor(client.clientId);
    const found = known ? await provider.Grant.find(known) : undefined;
    const mine =
      found?.accountId === account.accountId && found.clientId === client.clientId ? found : undefined;
    const mode = getConsentMode(client);
    // Asked every time: only the answer that was given in this very sign-in counts.
    if (mode === 'ask' && !oidc.result?.consent) return undefined;
    if (mine && !(mode === 'none' && lacksRequestedAccess(mine, ctx))) return mine;
    const allowed =
      mode === 'none'
        ? {
            scope: [...oidc.requestParamOIDCScopes].join(' '),
            claims: [...oidc.requestParamClaims],
            resources: getRequestedResources(oidc),
            seconds: undefined,
          }
        : await findConsent(db, account.accountId, client.clientId);
    if (!allowed) return undefined;
    const grant = mine ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    grant.addOIDCScope(allowed.scope);
    grant.addOIDCClaims(allowed.claims);
    for (const [resource, scopes] of Object.entries(allowed.resources))
      grant.addResourceScope(resource, scopes);
    // A yes grows no younger by being written into another session.
    if (allowed.seconds !== undefined) (grant as { expiresIn?: number }).expiresIn = allowed.seconds;
    await grant.save();
    return grant;
  };
}

/** A token for a resource says which sign-in it was given for (RFC 9068 §2.2.1, RFC 9470 §6.2), however often it is renewed. */
export const addSignInClaims: Configuration['extraTokenClaims'] = ({ oidc }, { kind, aud }) => {
  if (kind !== 'AccessToken' || aud === undefined) return undefined;
  const { AuthorizationCode: code, RefreshToken: renewed, DeviceCode: typed } = oidc.entities;
  const { authTime, acr, amr } = renewed ?? code ?? typed ?? {};
  return { auth_time: authTime, acr, amr };
};

/** When two factors were proved for such a token; long ago where it does not say. */
export const getSignInTime = ({ extra }: Pick<AccessToken, 'extra'>): Date =>
  new Date(Number(extra?.auth_time ?? 0) * 1000);
