import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import * as client from 'openid-client';

import type { AutopaySettings } from './settings.ts';

export interface Provider {
  config: client.Configuration;
  /** The provider's public keys, fetched when first needed and again when a new one appears. */
  keys: JWTVerifyGetKey;
}

/** Gives the provider's description; rejects when the provider cannot be reached, and tries anew at the next call. */
export type FindProvider = () => Promise<Provider>;

const REQUEST_TIMEOUT_SECONDS = 5;
const RETRY_DELAY_MS = 5000;

/**
 * Discovery happens at the first need and not at start, so that this program starts while the provider is
 * down and heals alone. It is kept for a few seconds only: nobody is then sent to a provider that went
 * down since, and keys that were exchanged count at once. Callers at the same time share one request.
 */
export function createProviderFinder(settings: AutopaySettings, now: () => number = Date.now): FindProvider {
  let found: { provider: Promise<Provider>; at: number } | undefined;

  return async () => {
    if (!found || now() - found.at >= RETRY_DELAY_MS)
      found = { provider: discoverProvider(settings), at: now() };
    const requestedAt = found;
    try {
      return await requestedAt.provider;
    } catch (error) {
      if (found === requestedAt) found = undefined;
      throw error;
    }
  };
}

async function discoverProvider(settings: AutopaySettings): Promise<Provider> {
  // Settings allow plain http for this machine alone. ID tokens are verified by signature besides, which
  // OpenID Connect Core §3.1.3.7 leaves optional for tokens straight from the token endpoint.
  const insecure = settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  const config = await client.discovery(
    new URL(settings.issuer),
    settings.clientId,
    undefined,
    client.ClientSecretBasic(settings.clientSecret),
    { timeout: REQUEST_TIMEOUT_SECONDS, execute: [...insecure, client.enableNonRepudiationChecks] },
  );
  const { jwks_uri: jwksUri } = config.serverMetadata();
  if (!jwksUri) throw new Error('The provider names no jwks_uri.');
  const keys = createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: REQUEST_TIMEOUT_SECONDS * 1000 });
  return { config, keys };
}
