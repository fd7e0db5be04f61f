import type { Client, Configuration } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { locales } from '../i18n/phrases.ts';
import { createCookieSigner } from '../http/request-info.ts';
import { acrValues } from '../sessions/assurance.ts';
import { enlargeClientCache } from './library-clients.ts';
import { buildClaims, getRequestedClaims } from './claims/claims.ts';
import { claimsOfScopes } from '../users/claim-scopes.ts';
import { canUseClient } from '../clients/access.ts';
import {
  checkAssertionLifetime,
  holdToRegistration,
  verifySecretJwtAssertions,
} from './client-assertions.ts';
import type { LifetimeName } from '../clients/schema.ts';
import { maxServiceTokenSeconds, signingAlgs } from '../clients/schema.ts';
import {
  getAccountClientMetadata,
  getAdminClientMetadata,
  getAllowedGroups,
  getClientLifetime,
  isCorsOriginAllowed,
  customClientMetadata,
  isPkceRequired,
  toTestSignInMetadata,
  getTestedClientId,
} from '../clients/metadata.ts';
import { findMatchingSecret, recordSecretUse } from '../clients/secrets.ts';
import { getCookieNames } from './cookie-names.ts';
import { deviceCodeSeconds, guardUserCodes, enforcePollingInterval } from './device-flow.ts';
import { reportReplayedProofs } from './dpop.ts';
import { createGrantLoader } from './grants.ts';
import { checkIntent } from './intents.ts';
import { buildFeatures } from './features.ts';
import type { ProviderDependencies } from './provider-dependencies.ts';
import { bindInteraction } from './interactions/binding.ts';
import { listPublishedKeys } from './keys/rotation.ts';
import type { ProviderKeys } from './keys/keys.ts';
import { createSafeFetch } from '../http/safe-fetch.ts';
import { accountClientId, adminClientId } from '../../config/built-in-clients.ts';
import { createInteractionPolicy } from './policy.ts';
import { recheckRedirects } from './recheck-redirects.ts';
import { getRegistrationEndpoint } from './registration/registration.ts';
import { getResourceLifetime, addTokenClaims } from './resource-access.ts';
import { interactionSeconds, remainingSessionSeconds } from '../sessions/session-limits.ts';
import { configureSubjects } from './subjects.ts';
import { reportReusedCodes } from './used-codes.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A client may choose less than everybody has, never more, and so may the resource that a token is for. */
const limitLifetime =
  (most: number, name: LifetimeName) =>
  (_ctx: unknown, token: unknown, client: Client | undefined): number =>
    Math.min(most, getClientLifetime(client, name) ?? most, getResourceLifetime(token) ?? most);

/** Lifetimes in seconds. A session's is the smaller of its idle time and what is left of its day. */
const ttl: Configuration['ttl'] = {
  AuthorizationCode: minute,
  AccessToken: limitLifetime(hour, 'accessToken'),
  DeviceCode: deviceCodeSeconds,
  ClientCredentials: limitLifetime(maxServiceTokenSeconds, 'accessToken'),
  IdToken: limitLifetime(hour, 'idToken'),
  Interaction: interactionSeconds,
  Grant: 30 * day,
  PushedAuthorizationRequest: minute,
  // A rotated token inherits what is left, so that a family of them ends on its day (ASVS 10.4.8).
  RefreshToken: (ctx, _token, client) =>
    Math.min(
      ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? 30 * day,
      getClientLifetime(client, 'refreshToken') ?? 30 * day,
    ),
  Session: (_ctx, session) => remainingSessionSeconds((session as { loginTs?: number }).loginTs),
};

function buildCookieOptions(settings: Settings, keys: ProviderKeys): Configuration['cookies'] {
  const secure = !settings.development;
  const options = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, secure } as const;
  return {
    names: getCookieNames(settings),
    keys: createCookieSigner(keys.cookies),
    long: { ...options, path: '/' },
    // They never reach a browser: see interactions/cookies.ts.
    short: { ...options, signed: false },
  };
}

function buildConfiguration(dependencies: ProviderDependencies): Configuration {
  const { db, settings, keys, work: unitOfWork, pages, book: claimCache, tracing } = dependencies;
  return {
    adapter: (name: string) =>
      name === 'Client' ? createClientAdapter(dependencies) : unitOfWork.adapter(name),
    acrValues,
    allowOmittingSingleRegisteredRedirectUri: false,
    assertJwtClientAuthClaimsAndHeader: checkAssertionLifetime,
    claims: Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, names]) => [scope, [...names]])),
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'client_secret_jwt',
      'none',
    ],
    clientBasedCORS: (_ctx, origin, client) => isCorsOriginAllowed(client, origin),
    cookies: buildCookieOptions(settings, keys),
    discovery: {
      ui_locales_supported: locales,
      claim_types_supported: ['normal'],
      // Not the library's but ours: see signed-out.tsx.
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      registration_endpoint: getRegistrationEndpoint(settings.HEMMA_ISSUER),
    },
    enabledJWA: { idTokenSigningAlgValues: [...signingAlgs] },
    extraClientMetadata: { properties: customClientMetadata },
    extraParams: { intent: checkIntent },
    extraTokenClaims: addTokenClaims,
    features: buildFeatures(dependencies),
    fetch: createSafeFetch(settings, tracing),
    async findAccount(ctx, id, token) {
      const account = await unitOfWork.account(id);
      if (!account || account.disabledAt) return undefined;
      // Whoever left the groups of an application is refused with what they still hold, too.
      const { client } = ctx.oidc;
      if (token && !(await canUseClient(db, client, id))) return undefined;
      const registered = client?.scope ?? '';
      // An application that may no longer renew renews nothing that it was given before.
      if (token?.kind === 'RefreshToken' && !registered.split(' ').includes('offline_access'))
        return undefined;
      const listener = { scopes: registered.split(' '), groups: getAllowedGroups(client) };
      return {
        accountId: account.id,
        claims: (_use, scope, asked) =>
          buildClaims(
            db,
            claimCache.known(),
            account,
            listener,
            getRequestedClaims(claimCache.known(), scope, asked),
          ),
      };
    },
    interactions: {
      policy: createInteractionPolicy(db),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    jwks: { keys: listPublishedKeys(keys.signing, new Date()) },
    loadExistingGrant: createGrantLoader(db),
    pkce: { required: (_ctx, client) => isPkceRequired(client) },
    renderError: (ctx, out, fault) =>
      pages.problem(
        ctx,
        out.error,
        fault instanceof Error && 'error_description' in fault ? String(fault.error_description) : undefined,
      ),
    responseTypes: ['code', 'none'],
    // Signing out ends tokens; what the person allowed stays allowed until they withdraw it or it runs out.
    revokeGrantPolicy: (ctx) => ctx.oidc.route !== 'end_session_confirm',
    rotateRefreshToken: () => true,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    ...configureSubjects(keys.pairwise),
    ttl,
  };
}

function createClientAdapter({
  settings,
  work: unitOfWork,
  book: claimCache,
  clients: clientCache,
}: ProviderDependencies) {
  return {
    ...unitOfWork.adapter('Client'),
    find: (id: string) => {
      if (id === accountClientId) return Promise.resolve(getAccountClientMetadata(settings.HEMMA_ISSUER));
      if (id === adminClientId) return Promise.resolve(getAdminClientMetadata(settings.HEMMA_ISSUER));
      const tried = getTestedClientId(id);
      const found = clientCache.metadata(tried ?? id).then((one) => claimCache.understood(one));
      if (tried === undefined) return found;
      return found.then((one) => one && toTestSignInMetadata(one, settings.HEMMA_ISSUER));
    },
  };
}

/**
 * The OpenID provider, with the library's unsafe defaults closed (SECURITY: PKCE for every client, exact redirect
 * URIs, rotation for all, short lives) and its storage, keys and pages ours.
 */
export function createProvider(dependencies: ProviderDependencies): Provider {
  const {
    db,
    vault: encryption,
    settings,
    work: unitOfWork,
    book: claimCache,
    clients: clientCache,
  } = dependencies;
  const provider = new Provider(settings.HEMMA_ISSUER, buildConfiguration(dependencies));
  claimCache.bind(provider);
  enlargeClientCache(provider);
  // Host and scheme come from the issuer by now: see ownHostOnly.
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    // What stands between (proxies, browsers) keeps keys for minutes (OpenID Connect Core §10.1.1); see `publishAheadMs`.
    if (ctx.oidc?.route === 'jwks') ctx.set('Cache-Control', 'public, max-age=300');
  });
  const prototype = provider.Client.prototype as unknown as {
    clientId: string;
    compareClientSecret(given: string): Promise<boolean>;
    includeSid(): boolean;
  };
  prototype.compareClientSecret = async function compare(this: { clientId: string }, given) {
    const found = await findMatchingSecret(clientCache.secrets, this.clientId, given);
    // At most once a minute, and after the answer's own writes.
    if (found?.stale) unitOfWork.afterCommit(() => recordSecretUse(db, found.id));
    return found !== undefined;
  };
  verifySecretJwtAssertions(provider, { db, vault: encryption, read: clientCache.secrets }, unitOfWork);
  holdToRegistration(provider);
  reportReplayedProofs(provider);
  reportReusedCodes(provider);
  recheckRedirects(provider);
  // Every application learns the session's number, so that it can tell sessions apart when told of a sign-out.
  prototype.includeSid = () => true;
  provider.on('interaction.started', (ctx) =>
    bindInteraction({ settings, work: unitOfWork }, ctx, ctx.oidc.entities.Interaction?.uid ?? ''),
  );
  guardUserCodes(provider, db, settings.HEMMA_ISSUER);
  enforcePollingInterval(provider, db);
  return provider;
}
