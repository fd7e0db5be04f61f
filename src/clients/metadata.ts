import type { AdapterPayload, Client } from 'oidc-provider';
import type { ApiScope } from './resource-servers/api-scopes.ts';
import type { AssertionAudience } from './assertion-rules.ts';
import { parseAcr } from '../sessions/assurance.ts';
import type { ClientDescription, ConsentMode, LifetimeName } from './schema.ts';
import { secretStorageByMethod } from './schema.ts';
import type { AllowedResource } from './resources.ts';
import { getSectorIdentifier } from './sector-identifiers.ts';
import { accountClientId, adminClientId, testSignInPrefix } from '../../config/built-in-clients.ts';

/** What the library keeps of a client besides its own fields; the names stand in no answer of the provider. */
export const customClientMetadata = [
  'urn:hemma:first-party',
  'urn:hemma:allowed-intents',
  'urn:hemma:consent',
  'urn:hemma:lifetimes',
  'urn:hemma:required-acr',
  'urn:hemma:allowed-groups',
  'urn:hemma:cors-origins',
  'urn:hemma:pkce-optional',
  'urn:hemma:api-scopes',
  'urn:hemma:registered-itself',
  'urn:hemma:resources',
  'urn:hemma:introspects',
  'urn:hemma:assertion-audience',
];

/**
 * What the library needs in a field that it never reads: secrets are several to a client, and looked at by
 * `findMatchingSecret` and `findSigningSecret`. Changing with the client's edits, it tells the library's cache of built clients.
 */
const createUnusableSecret = (client: ClientDescription, updatedAt: Date) =>
  `hashed:${client.id}:${updatedAt.getTime()}`;

const tokenEndpointAuthMethods = {
  secret: 'client_secret_basic',
  private_key_jwt: 'private_key_jwt',
  client_secret_jwt: 'client_secret_jwt',
  none: 'none',
} as const;

/** What a client of people may redeem; without an address to come back to it is for devices alone. */
const getGrantTypes = ({ redirectUris, deviceFlow }: ClientDescription): string[] => [
  ...(redirectUris.length > 0 ? ['authorization_code'] : []),
  ...(deviceFlow ? ['urn:ietf:params:oauth:grant-type:device_code'] : []),
  'refresh_token',
];

/** A client as the library wants it described. */
export function toClientMetadata(client: ClientDescription, updatedAt: Date): AdapterPayload {
  const service = client.type === 'service';
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.type === 'native' ? 'native' : 'web',
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    response_types: client.redirectUris.length > 0 ? ['code'] : [],
    grant_types: service ? ['client_credentials'] : getGrantTypes(client),
    token_endpoint_auth_method: tokenEndpointAuthMethods[client.authMethod],
    id_token_signed_response_alg: client.signingAlg,
    scope: ['openid', ...client.scopes].join(' '),
    require_pushed_authorization_requests: client.parRequired,
    dpop_bound_access_tokens: client.dpopRequired,
    ...(client.launchUrl ? { client_uri: client.launchUrl } : {}),
    ...(client.initiateLoginUri ? { initiate_login_uri: client.initiateLoginUri } : {}),
    ...(client.requiredAcr ? { default_acr_values: [client.requiredAcr] } : {}),
    ...(client.subjectType === 'pairwise'
      ? { subject_type: 'pairwise', sector_identifier_uri: `https://${getSectorIdentifier(client)}/` }
      : {}),
    ...(client.jwks ? { jwks: client.jwks } : {}),
    ...(secretStorageByMethod[client.authMethod]
      ? { client_secret: createUnusableSecret(client, updatedAt) }
      : {}),
    ...(client.assertionSigningAlg
      ? {
          token_endpoint_auth_signing_alg: client.assertionSigningAlg,
          'urn:hemma:assertion-audience': client.assertionAudience,
        }
      : {}),
    ...(client.backchannelLogoutUri
      ? { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }
      : {}),
    'urn:hemma:first-party': client.firstParty,
    'urn:hemma:allowed-intents': client.allowedIntents,
    'urn:hemma:consent': client.consent,
    'urn:hemma:lifetimes': client.lifetimes,
    'urn:hemma:required-acr': client.requiredAcr,
    'urn:hemma:allowed-groups': client.allowedGroups,
    'urn:hemma:cors-origins': client.corsOrigins,
    'urn:hemma:pkce-optional': client.pkceOptional,
    'urn:hemma:api-scopes': client.apiScopes,
    'urn:hemma:resources': client.resources,
    'urn:hemma:introspects': client.introspects,
  };
}

/** The provider's own pages as a client: `response_type=none`, back to My details, no tokens, no secret. */
export const getAccountClientMetadata = (issuer: string): AdapterPayload => ({
  client_id: accountClientId,
  client_name: 'Hemma',
  redirect_uris: [`${issuer}/account`],
  post_logout_redirect_uris: [`${issuer}/account`],
  response_types: ['none'],
  grant_types: [],
  token_endpoint_auth_method: 'none',
  scope: 'openid',
  'urn:hemma:first-party': true,
});

/** The console as a client, of the same kind. Its forms ask for all factors anew before they are shown. */
export const getAdminClientMetadata = (issuer: string): AdapterPayload => ({
  ...getAccountClientMetadata(issuer),
  client_id: adminClientId,
  redirect_uris: [`${issuer}/admin`],
  post_logout_redirect_uris: [`${issuer}/admin`],
  'urn:hemma:allowed-intents': ['step_up'],
});

/** The identifier under which an administrator tries a client's rules out. */
export const toTestSignInId = (id: string): string => `${testSignInPrefix}${id}`;

/** The client whose rules an identifier tries out; undefined for any other identifier. */
export const getTestedClientId = (id: string): string | undefined =>
  id.startsWith(testSignInPrefix) ? id.slice(testSignInPrefix.length) : undefined;

/** Where the console waits for the end of a trial. */
export const testSignInPath = '/admin/clients/-/test-sign-in';

/**
 * The same application for a trial by an administrator: its own rules for people, and instead of its address and secret
 * the console's page and PKCE alone. It gets no refresh token, is told of no sign-out and sends nobody anywhere.
 */
export function toTestSignInMetadata(metadata: AdapterPayload, issuer: string): AdapterPayload {
  const {
    client_secret: _secret,
    token_endpoint_auth_signing_alg: _alg,
    'urn:hemma:assertion-audience': _audience,
    dpop_bound_access_tokens: _bound,
    jwks: _keys,
    backchannel_logout_uri: _logout,
    backchannel_logout_session_required: _session,
    require_pushed_authorization_requests: _pushed,
    initiate_login_uri: _initiate,
    ...rest
  } = metadata;
  return {
    ...rest,
    client_id: toTestSignInId(String(metadata.client_id)),
    application_type: 'web',
    redirect_uris: [`${issuer}${testSignInPath}`],
    post_logout_redirect_uris: [],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'none',
    'urn:hemma:allowed-intents': [],
    'urn:hemma:cors-origins': [],
    'urn:hemma:pkce-optional': false,
    'urn:hemma:api-scopes': [],
    'urn:hemma:resources': [],
  };
}

/** What the `aud` of its assertions must be. */
export const assertionAudienceOf = (client: Client): AssertionAudience =>
  (client['urn:hemma:assertion-audience'] as AssertionAudience | undefined) ?? 'issuer';

/** Seconds that a client chose for something, or undefined where it chose none. */
export const getClientLifetime = (client: Client | undefined, name: LifetimeName): number | undefined =>
  (client?.['urn:hemma:lifetimes'] as ClientDescription['lifetimes'] | undefined)?.[name];

/** Whether it must come with a challenge: everybody must, but a confidential client that was let off. */
export const isPkceRequired = (client: Client | undefined): boolean =>
  client?.['urn:hemma:pkce-optional'] !== true;

/** How its people are asked; the provider's own pages never ask. */
export const getConsentMode = (client: Client | undefined): ConsentMode =>
  (client?.['urn:hemma:consent'] as ConsentMode | undefined) ??
  (client?.['urn:hemma:first-party'] === true ? 'none' : 'remembered');

/** The least level of a sign-in to it. */
export const getRequiredLevel = (client: Client | undefined): 0 | 1 | 2 =>
  parseAcr(client?.['urn:hemma:required-acr'] as string | undefined);

/** What it may ask for of the interface for programs. */
export const getApiScopes = (client: Client | undefined): readonly ApiScope[] =>
  (client?.['urn:hemma:api-scopes'] as readonly ApiScope[] | undefined) ?? [];

/** Whether nobody of the house described it: its name is what it calls itself. */
export const isSelfRegistered = (client: Client | undefined): boolean =>
  client?.['urn:hemma:registered-itself'] === true;
/** The resource servers that it may have tokens for, and which scopes of each. */
export const getAllowedResources = (client: Client | undefined): readonly AllowedResource[] =>
  (client?.['urn:hemma:resources'] as readonly AllowedResource[] | undefined) ?? [];

/** The resource server about whose tokens it may ask. */
export const getIntrospectedResource = (client: Client): string | undefined =>
  client['urn:hemma:introspects'] as string | undefined;

/** The groups whose people may use it; undefined where everybody may. */
export function getAllowedGroups(client: Client | undefined): readonly string[] | undefined {
  const groups = client?.['urn:hemma:allowed-groups'] as readonly string[] | undefined;
  return groups && groups.length > 0 ? groups : undefined;
}

/** Whether scripts of an origin may call the provider for it: a public client's own pages, and what it registered. */
export function isCorsOriginAllowed(client: Client, origin: string): boolean {
  if (client.clientAuthMethod !== 'none') return false;
  const registered = (client['urn:hemma:cors-origins'] as readonly string[] | undefined) ?? [];
  // An address of a scheme of one's own has the origin `null`, which is that of every sandboxed frame.
  const own = (client.redirectUris ?? []).filter((uri) => /^https?:/i.test(uri));
  return registered.includes(origin) || own.some((uri) => new URL(uri).origin === origin);
}
