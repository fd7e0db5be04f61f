import type { Context } from 'koa';
import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import type { Settings } from '../../config/settings.ts';
import { locales } from '../locales/phrases.ts';
import type { Account } from '../accounts/accounts.ts';
import { accountById } from '../accounts/accounts.ts';
import type { Db } from '../platform/database.ts';
import { acrValues } from './assurance.ts';
import { accountClient, clientMetadata, secretMatches } from './clients.ts';
import { checkIntent } from './intents.ts';
import type { Keys } from './keys.ts';
import { firstParty, policy } from './policy.ts';
import { consentGiven } from './records.ts';
import { sessionSeconds } from './session-limits.ts';
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

/** Whether a grant lacks something that this request asks for. */
function lacks(grant: Grant, { oidc }: KoaContextWithOIDC): boolean {
  const scopes = new Set(grant.getOIDCScopeEncountered().split(' '));
  const claims = new Set(grant.getOIDCClaimsEncountered());
  return (
    [...oidc.requestParamOIDCScopes].some((scope) => !scopes.has(scope)) ||
    [...oidc.requestParamClaims].some((claim) => !claims.has(claim))
  );
}

/**
 * The grant of this session and client: tokens hang on it and end with it, so that signing out in one browser leaves
 * another's alone. What a person allowed once is written into each new one; a first-party client needs no asking.
 */
function existingGrant(db: Db): Configuration['loadExistingGrant'] {
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
    if (mine && !(firstParty(ctx) && lacks(mine, ctx))) return mine;
    const allowed = firstParty(ctx)
      ? { scope: [...oidc.requestParamOIDCScopes].join(' '), claims: [...oidc.requestParamClaims] }
      : await consentGiven(db, account.accountId, client.clientId);
    if (!allowed) return undefined;
    const grant = mine ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    grant.addOIDCScope(allowed.scope);
    grant.addOIDCClaims(allowed.claims);
    await grant.save();
    return grant;
  };
}

function features(db: Db, pages: Pages): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: mayIntrospect(db) },
    revocation: { enabled: true, allowedPolicy: mayRevoke },
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

/**
 * A client may ask about its own tokens only (RFC 7662 §4: no scanning, no learning of others' people), and those of
 * an account that was disabled are dead.
 */
function mayIntrospect(db: Db) {
  return async (
    _ctx: KoaContextWithOIDC,
    client: { clientId: string; clientAuthMethod?: unknown },
    token: { clientId?: string | undefined; accountId?: unknown },
  ): Promise<boolean> => {
    if (client.clientAuthMethod === 'none' || client.clientId !== token.clientId) return false;
    if (typeof token.accountId !== 'string') return true;
    const account = await accountById(db, token.accountId);
    return account !== undefined && !account.disabledAt;
  };
}

/** A client revokes its own tokens only (RFC 7009 §2.1); of others it learns nothing. */
const mayRevoke = (
  _ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string | undefined },
): boolean => client.clientId === token.clientId;

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
    extraClientMetadata: { properties: ['urn:hemma:first-party', 'urn:hemma:allowed-intents'] },
    extraParams: { intent: checkIntent },
    features: features(db, pages),
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
