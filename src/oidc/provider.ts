import type { Context } from 'koa';
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { locales } from '../i18n/phrases.ts';
import type { Db } from '../db/database.ts';
import { cookieKeys } from '../http/request-info.ts';
import type { Vault } from '../crypto/encryption.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { acrValues } from '../sessions/assurance.ts';
import { keepBuiltClients } from './library-clients.ts';
import type { ClaimBook } from './claims/claim-cache.ts';
import { claimsFor, wantedBy } from './claims/claims.ts';
import { claimsOfScopes } from '../users/claim-scopes.ts';
import { mayUse } from '../clients/access.ts';
import type { ClientBook } from '../clients/cache.ts';
import { furtherRules, holdToRegistration, signBySecrets } from './client-assertions.ts';
import type { LifetimeName } from '../clients/schema.ts';
import { serviceTokenMost, signingAlgs } from '../clients/schema.ts';
import {
  accountClient,
  adminClient,
  allowedGroupsOf,
  lifetimeOf,
  mayCallFrom,
  ownMetadata,
  pkceRequiredOf,
  trialMetadata,
  triedBy,
} from '../clients/metadata.ts';
import { matchingSecret, noteUse } from '../clients/secrets.ts';
import { cookieNames } from './cookie-names.ts';
import type { DevicePages } from './device-flow.ts';
import { deviceFeature, deviceSeconds, guardUserCodes, paceDevices } from './device-flow.ts';
import { boundTokens, nameRepeatedProofs } from './dpop.ts';
import { existingGrant } from './grants.ts';
import { checkIntent } from './intents.ts';
import { bind } from './interactions/binding.ts';
import { publishedAt } from './keys/rotation.ts';
import type { Keys } from './keys/keys.ts';
import { outgoing } from '../http/safe-fetch.ts';
import { accountClientId, adminClientId } from '../../config/built-in-clients.ts';
import { policy } from './policy.ts';
import { recheckRedirects } from './recheck-redirects.ts';
import { registrationEndpoint } from './registration/registration.ts';
import { holderOf, resourceLifetimeOf, resourcesFor, tokenFacts } from './resource-access.ts';
import { interactionSeconds, sessionSeconds } from '../sessions/session-limits.ts';
import { subjects } from './subjects.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';
import { nameUsedCodes } from './used-codes.ts';

/** The pages that the library asks for; the roof hands them in, since only `interactions/` makes HTML. */
export interface Pages {
  problem(ctx: Context, code: string, description: string | undefined): void;
  signOut(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
  device: DevicePages;
}

/** What the provider is made of. */
export interface Parts {
  db: Db;
  vault: Vault;
  settings: Settings;
  keys: Keys;
  work: UnitOfWork;
  pages: Pages;
  book: ClaimBook;
  clients: ClientBook;
  tracing: Tracing;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A client may choose less than everybody has, never more, and so may the resource that a token is for. */
const atMost =
  (most: number, name: LifetimeName) =>
  (_ctx: unknown, token: unknown, client: Client | undefined): number =>
    Math.min(most, lifetimeOf(client, name) ?? most, resourceLifetimeOf(token) ?? most);

/** Lifetimes in seconds. A session's is the smaller of its idle time and what is left of its day. */
const ttl: Configuration['ttl'] = {
  AuthorizationCode: minute,
  AccessToken: atMost(hour, 'accessToken'),
  DeviceCode: deviceSeconds,
  ClientCredentials: atMost(serviceTokenMost, 'accessToken'),
  IdToken: atMost(hour, 'idToken'),
  Interaction: interactionSeconds,
  Grant: 30 * day,
  PushedAuthorizationRequest: minute,
  // A rotated token inherits what is left, so that a family of them ends on its day (ASVS 10.4.8).
  RefreshToken: (ctx, _token, client) =>
    Math.min(
      ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? 30 * day,
      lifetimeOf(client, 'refreshToken') ?? 30 * day,
    ),
  Session: (_ctx, session) => sessionSeconds((session as { loginTs?: number }).loginTs),
};

function cookies(settings: Settings, keys: Keys): Configuration['cookies'] {
  const secure = !settings.development;
  const options = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, secure } as const;
  return {
    names: cookieNames(settings),
    keys: cookieKeys(keys.cookies),
    long: { ...options, path: '/' },
    // They never reach a browser: see interaction-cookies.ts.
    short: { ...options, signed: false },
  };
}

function features({ db, vault, settings, work, pages, clients }: Parts): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: mayIntrospect(db, work) },
    revocation: { enabled: true, allowedPolicy: mayRevoke },
    userinfo: { enabled: true },
    claimsParameter: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: boundTokens(vault),
    deviceFlow: deviceFeature(db, work, pages),
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: resourcesFor(clients, settings.HEMMA_ISSUER),
    },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      async logoutSource(ctx) {
        const action = ctx.oidc.urlFor('end_session_confirm');
        const { secret } = (ctx.oidc.session?.state ?? {}) as { secret: string };
        await pages.signOut(ctx, { action, xsrf: secret });
      },
      postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
    },
  };
}

/**
 * A client may ask about its own tokens only (RFC 7662 §4: no scanning, no learning of others' people), or about those for
 * the resource server that it is the door of; and those of an account that was disabled are dead.
 */
function mayIntrospect(db: Db, work: UnitOfWork) {
  return async (
    ctx: KoaContextWithOIDC,
    client: Client,
    token: Parameters<typeof holderOf>[2] & { accountId?: unknown },
  ): Promise<boolean> => {
    const holder = await holderOf(ctx, client, token);
    if (client.clientAuthMethod === 'none' || !holder) return false;
    if (typeof token.accountId !== 'string') return true;
    const account = await work.account(token.accountId);
    return account !== undefined && !account.disabledAt && mayUse(db, holder, account.id);
  };
}

/** A client revokes its own tokens only (RFC 7009 §2.1); of others it learns nothing. */
const mayRevoke = (
  _ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string | undefined },
): boolean => client.clientId === token.clientId;

function configuration(parts: Parts): Configuration {
  const { db, settings, keys, work, pages, book, tracing } = parts;
  return {
    adapter: (name: string) => (name === 'Client' ? clientAdapter(parts) : work.adapter(name)),
    acrValues,
    allowOmittingSingleRegisteredRedirectUri: false,
    assertJwtClientAuthClaimsAndHeader: furtherRules,
    claims: Object.fromEntries(Object.entries(claimsOfScopes).map(([scope, names]) => [scope, [...names]])),
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'client_secret_jwt',
      'none',
    ],
    clientBasedCORS: (_ctx, origin, client) => mayCallFrom(client, origin),
    cookies: cookies(settings, keys),
    discovery: {
      ui_locales_supported: locales,
      claim_types_supported: ['normal'],
      // Not the library's but ours: see signed-out.tsx.
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      registration_endpoint: registrationEndpoint(settings.HEMMA_ISSUER),
    },
    enabledJWA: { idTokenSigningAlgValues: [...signingAlgs] },
    extraClientMetadata: { properties: ownMetadata },
    extraParams: { intent: checkIntent },
    extraTokenClaims: tokenFacts,
    features: features(parts),
    fetch: outgoing(settings, tracing),
    async findAccount(ctx, id, token) {
      const account = await work.account(id);
      if (!account || account.disabledAt) return undefined;
      // Whoever left the groups of an application is refused with what they still hold, too.
      const { client } = ctx.oidc;
      if (token && !(await mayUse(db, client, id))) return undefined;
      const registered = client?.scope ?? '';
      // An application that may no longer renew renews nothing that it was given before.
      if (token?.kind === 'RefreshToken' && !registered.split(' ').includes('offline_access'))
        return undefined;
      const listener = { scopes: registered.split(' '), groups: allowedGroupsOf(client) };
      return {
        accountId: account.id,
        claims: (_use, scope, asked) =>
          claimsFor(db, book.known(), account, listener, wantedBy(book.known(), scope, asked)),
      };
    },
    interactions: { policy: policy(db), url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys: publishedAt(keys.signing, new Date()) },
    loadExistingGrant: existingGrant(db),
    pkce: { required: (_ctx, client) => pkceRequiredOf(client) },
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
    ...subjects(keys.pairwise),
    ttl,
  };
}

function clientAdapter({ settings, work, book, clients }: Parts) {
  return {
    ...work.adapter('Client'),
    find: (id: string) => {
      if (id === accountClientId) return Promise.resolve(accountClient(settings.HEMMA_ISSUER));
      if (id === adminClientId) return Promise.resolve(adminClient(settings.HEMMA_ISSUER));
      const tried = triedBy(id);
      const found = clients.metadata(tried ?? id).then((one) => book.understood(one));
      if (tried === undefined) return found;
      return found.then((one) => one && trialMetadata(one, settings.HEMMA_ISSUER));
    },
  };
}

/**
 * The OpenID provider, with the library's unsafe defaults closed (SECURITY: PKCE for every client, exact redirect
 * URIs, rotation for all, short lives) and its storage, keys and pages ours.
 */
export function providerOf(parts: Parts): Provider {
  const { db, vault, settings, work, book, clients } = parts;
  const provider = new Provider(settings.HEMMA_ISSUER, configuration(parts));
  book.bind(provider);
  keepBuiltClients(provider);
  // Host and scheme come from the issuer by now: see ownHostOnly.
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    // What stands between (proxies, browsers) keeps keys for minutes (OpenID Connect Core §10.1.1); see `publishAhead`.
    if (ctx.oidc?.route === 'jwks') ctx.set('Cache-Control', 'public, max-age=300');
  });
  const prototype = provider.Client.prototype as unknown as {
    clientId: string;
    compareClientSecret(given: string): Promise<boolean>;
    includeSid(): boolean;
  };
  prototype.compareClientSecret = async function compare(this: { clientId: string }, given) {
    const found = await matchingSecret(clients.secrets, this.clientId, given);
    // At most once a minute, and after the answer's own writes.
    if (found?.stale) work.afterCommit(() => noteUse(db, found.id));
    return found !== undefined;
  };
  signBySecrets(provider, { db, vault, read: clients.secrets }, work);
  holdToRegistration(provider);
  nameRepeatedProofs(provider);
  nameUsedCodes(provider);
  recheckRedirects(provider);
  // Every application learns the session's number, so that it can tell sessions apart when told of a sign-out.
  prototype.includeSid = () => true;
  provider.on('interaction.started', (ctx) =>
    bind({ settings, work }, ctx, ctx.oidc.entities.Interaction?.uid ?? ''),
  );
  guardUserCodes(provider, db, settings.HEMMA_ISSUER);
  paceDevices(provider, db);
  return provider;
}
