import type { Context } from 'koa';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { locales } from '../locales/phrases.ts';
import type { Account } from '../accounts/accounts.ts';
import { accountById } from '../accounts/accounts.ts';
import type { Db } from '../platform/database.ts';
import { acrValues } from './assurance.ts';
import { accountClient, clientMetadata, secretMatches } from './clients.ts';
import type { Keys } from './keys.ts';
import { firstParty, policy } from './policy.ts';
import { consentGiven } from './records.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** The pages that the library asks for; the roof hands them in, since only `interactions/` makes HTML. */
export interface Pages {
  problem(ctx: Context, code: string, description: string | undefined): void;
  signOut(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): void;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** NIST SP 800-63B-4 §2.2.3 allows 24 hours and one idle; ours are a working day. */
export const sessionLimits = { overall: 10 * hour, idle: hour };

/** Lifetimes in seconds. A session's is the smaller of its idle time and what is left of its day. */
const ttl: Configuration['ttl'] = {
  AuthorizationCode: minute,
  AccessToken: hour,
  ClientCredentials: 10 * minute,
  IdToken: hour,
  Interaction: 30 * minute,
  Grant: 30 * day,
  PushedAuthorizationRequest: minute,
  // A rotated token inherits what is left, so that a family of them ends on its day (ASVS 10.4.8).
  RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? 30 * day,
  Session: (_ctx, session) => sessionSeconds((session as { loginTs?: number }).loginTs),
};

/** Seconds that a session lives on from now: its idle time or the rest of its day, whichever is less. */
export function sessionSeconds(since: number | undefined): number {
  const now = Math.floor(Date.now() / 1000);
  const left = since === undefined ? sessionLimits.idle : since + sessionLimits.overall - now;
  return Math.max(1, Math.min(sessionLimits.idle, left));
}

function claimsOf(account: Account) {
  return {
    sub: account.id,
    name: account.name,
    email: account.email,
    email_verified: account.emailVerified,
    ...(account.locale ? { locale: account.locale } : {}),
  };
}

function cookies(settings: Settings, keys: Keys): Configuration['cookies'] {
  const secure = !settings.development;
  const name = (prefix: string, plain: string) => (secure ? `${prefix}${plain}` : plain);
  const options = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true, secure } as const;
  return {
    // `__Host-` demands the path `/`; the other two are bound to one sign-in's path.
    names: {
      session: name('__Host-', 'hemma-session'),
      interaction: name('__Secure-', 'hemma-interaction'),
      resume: name('__Secure-', 'hemma-resume'),
    },
    keys: keys.cookies,
    long: { ...options, path: '/' },
    short: options,
  };
}

/** What the person of this session has allowed this client already; a first-party client needs no asking. */
function existingGrant(db: Db): Configuration['loadExistingGrant'] {
  return async (ctx) => {
    const { oidc } = ctx;
    const { client, session, account, provider } = oidc;
    if (!client || !account) return undefined;
    const chosen = (oidc.result?.consent as { grantId?: string } | undefined)?.grantId;
    const known =
      chosen ??
      session?.grantIdFor(client.clientId) ??
      (await consentGiven(db, account.accountId, client.clientId));
    const found = known ? await provider.Grant.find(known) : undefined;
    const mine =
      found?.accountId === account.accountId && found.clientId === client.clientId ? found : undefined;
    if (!firstParty(ctx)) return mine;
    const grant = mine ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    const scope = [...oidc.requestParamOIDCScopes].join(' ');
    const encountered = new Set(grant.getOIDCScopeEncountered().split(' '));
    const claims = [...oidc.requestParamClaims];
    const complete =
      scope.split(' ').every((one) => encountered.has(one)) &&
      claims.every((claim) => grant.getOIDCClaimsEncountered().includes(claim));
    if (mine && complete) return mine;
    grant.addOIDCScope(scope);
    grant.addOIDCClaims(claims);
    await grant.save();
    return grant;
  };
}

function features(pages: Pages): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: mayIntrospect },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    claimsParameter: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: false },
    resourceIndicators: { enabled: false },
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

/** A client may ask about its own tokens only (RFC 7662 §4: no scanning, no learning of others' people). */
function mayIntrospect(
  _ctx: KoaContextWithOIDC,
  client: { clientId: string; clientAuthMethod?: unknown },
  token: { clientId?: string | undefined },
): boolean {
  return client.clientAuthMethod !== 'none' && client.clientId === token.clientId;
}

/** Outgoing calls go through the library's guard against private addresses, unless the operator tries things out. */
function outgoing(settings: Settings): Configuration['fetch'] {
  if (!settings.HEMMA_ALLOW_LOOPBACK_CLIENTS) return undefined;
  return (url, options) => {
    const { dispatcher: _guard, ...open } = options as RequestInit & { dispatcher?: unknown };
    return fetch(url, open);
  };
}

function configuration(
  db: Db,
  settings: Settings,
  keys: Keys,
  work: UnitOfWork,
  pages: Pages,
): Configuration {
  const fetchSetting = outgoing(settings);
  return {
    adapter: (name: string) => (name === 'Client' ? clientAdapter(db, settings, work) : work.adapter(name)),
    acrValues,
    allowOmittingSingleRegisteredRedirectUri: false,
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'locale'],
      email: ['email', 'email_verified'],
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => new URL(uri).origin === origin) &&
      client.clientAuthMethod === 'none',
    cookies: cookies(settings, keys),
    discovery: { ui_locales_supported: locales, claim_types_supported: ['normal'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    extraClientMetadata: { properties: ['urn:hemma:first-party'] },
    features: features(pages),
    ...(fetchSetting ? { fetch: fetchSetting } : {}),
    async findAccount(_ctx, id) {
      const account = await accountById(db, id);
      if (!account || account.disabledAt) return undefined;
      return { accountId: account.id, claims: () => claimsOf(account) };
    },
    interactions: { policy: policy(), url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys: keys.signing },
    loadExistingGrant: existingGrant(db),
    pkce: { required: () => true },
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
    scopes: ['openid', 'offline_access', 'profile', 'email'],
    ttl,
  };
}

function clientAdapter(db: Db, settings: Settings, work: UnitOfWork) {
  return {
    ...work.adapter('Client'),
    find: (id: string) =>
      id === 'hemma-account' ? Promise.resolve(accountClient(settings.HEMMA_ISSUER)) : clientMetadata(db, id),
  };
}

/**
 * The OpenID provider, with the library's unsafe defaults closed (SECURITY: PKCE for every client, exact redirect
 * URIs, rotation for all, short lives) and its storage, keys and pages ours.
 */
export function providerOf(db: Db, settings: Settings, keys: Keys, work: UnitOfWork, pages: Pages): Provider {
  const provider = new Provider(settings.HEMMA_ISSUER, configuration(db, settings, keys, work, pages));
  // Host and scheme come from the issuer by now: see ownHostOnly.
  provider.proxy = true;
  const clients = provider.Client.prototype as unknown as {
    clientId: string;
    compareClientSecret(given: string): Promise<boolean>;
    includeSid(): boolean;
  };
  clients.compareClientSecret = function compare(this: { clientId: string }, given) {
    return secretMatches(db, this.clientId, given);
  };
  // Every application learns the session's number, so that it can tell sessions apart when told of a sign-out.
  clients.includeSid = () => true;
  return provider;
}
