import { z } from 'zod';
import { isEmail } from '../users/users.ts';
import { customScopePattern } from '../users/claim-value.ts';
import { hasPermission } from '../users/operators.ts';
import type { ApiScope } from './resource-servers/api-scopes.ts';
import { actionsByScope, apiScopes, requiresHumanOperator } from './resource-servers/api-scopes.ts';
import { assertionDefaults, assertionFields, assertionRules } from './assertion-rules.ts';
import type { UriPurpose } from './redirect-uris.ts';
import { findUriFault } from './redirect-uris.ts';
import { publicJwksSchema } from './keys.ts';
import { allowedResourcesSchema, checkResourceRules } from './resources.ts';
import { sectorSchema, checkSectorRules, subjectTypes } from './sector-identifiers.ts';
import { isBuiltInClient } from '../../config/built-in-clients.ts';

/** What kind of program an application is; the type chooses safe defaults and says which fields mean something. */
export const clientTypes = ['web', 'single-page', 'native', 'service'] as const;
export type ClientType = (typeof clientTypes)[number];

/**
 * How a program proves that it is the application: by a secret (in the header or the form), by a key, by a secret that it
 * signs with and that we must be able to read, or not at all.
 */
export const authMethods = ['secret', 'private_key_jwt', 'client_secret_jwt', 'none'] as const;
export type AuthMethod = (typeof authMethods)[number];
/** What we keep of the secrets of each: a hash to compare with, or themselves, encrypted, to check signatures by. */
export const secretStorageByMethod = {
  secret: 'hashed',
  client_secret_jwt: 'encrypted',
  private_key_jwt: undefined,
  none: undefined,
} as const satisfies Record<AuthMethod, string | undefined>;
export type SecretStorage = 'hashed' | 'encrypted';

/** Whether the person is asked what the application may see: every time, once until it runs out, or never. */
export const consentModes = ['ask', 'remembered', 'none'] as const;
export type ConsentMode = (typeof consentModes)[number];

/** The scopes that every house has; those of its own claims are known to the store (see clients.ts). */
export const clientScopes = ['profile', 'email', 'groups', 'offline_access'] as const;
export const clientIntents = ['replace_authenticator', 'step_up'] as const;
/** Level 1 is what every sign-in reaches: requiring it would say nothing. */
export const requiredAcrs = ['urn:hemma:2'] as const;
export const signingAlgs = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/** Seconds: the shortest and the longest that a client may choose; the longest is what everybody has without choosing. */
export const lifetimeLimits = {
  accessToken: { least: 60, most: 3600 },
  idToken: { least: 60, most: 3600 },
  refreshToken: { least: 3600, most: 30 * 86_400 },
  session: { least: 300, most: 10 * 3600 },
} as const;
/** The longest, in seconds, of a token that a service fetches for itself: it comes again whenever it likes. */
export const maxServiceTokenSeconds = 600;
export type LifetimeName = keyof typeof lifetimeLimits;

/** What a client's identifier looks like. */
export const clientIdPattern: RegExp = /^[a-z][a-z0-9-]{1,62}$/;

const uriSchema = (use: UriPurpose) =>
  z.string().superRefine((text, ctx) => {
    const fault = findUriFault(text, use);
    if (fault) ctx.addIssue({ code: 'custom', message: fault });
  });
const uriListSchema = (use: UriPurpose) => z.array(uriSchema(use)).max(50, 'too-many').default([]);

const lifetimeSchema = ({ least, most }: { least: number; most: number }) =>
  z
    .number('lifetime-not-a-number')
    .int('lifetime-not-a-number')
    .min(least, 'lifetime-out-of-range')
    .max(most, 'lifetime-out-of-range')
    .optional();

/** What is shown to people in one line: no control character, and none that turns the line around. */
const unreadableCharacters = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

const clientFields = z.strictObject({
  id: z
    .string()
    .regex(clientIdPattern, 'id-malformed')
    // A client is never mistaken for a person (RFC 9700 §4.15), nor for the provider's own pages.
    .refine((id) => !isBuiltInClient(id), 'id-reserved')
    .refine((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id), 'id-like-an-account'),
  name: z
    .string()
    .trim()
    .min(1, 'missing')
    .max(80, 'too-long')
    .refine((name) => !unreadableCharacters.test(name), 'malformed'),
  description: z.string().trim().min(1, 'missing').max(500, 'too-long').optional(),
  /** Whom to ask about the application: an address for administrators, never shown to people. */
  contact: z.string().refine(isEmail, 'contact-not-an-address').optional(),
  type: z.enum(clientTypes),
  firstParty: z.boolean().default(false),
  authMethod: z.enum(authMethods).optional(),
  jwks: publicJwksSchema.optional(),
  ...assertionFields,
  redirectUris: uriListSchema('redirect'),
  postLogoutRedirectUris: uriListSchema('post-logout'),
  /** Origins besides those of the redirect addresses whose scripts may call the provider. */
  corsOrigins: uriListSchema('origin'),
  backchannelLogoutUri: uriSchema('back-channel').optional(),
  /** A page of it that signs out whoever's browser opens it; for applications that take no messages. */
  frontchannelLogoutUri: uriSchema('front-channel').optional(),
  /** Where a person opens the application; the way back from a page that lets nobody on. */
  launchUrl: uriSchema('launch').optional(),
  /** Where a sign-in can be begun from here (OpenID Connect Core §4); comes before the launch address. */
  initiateLoginUri: uriSchema('initiate-login').optional(),
  scopes: z.array(z.string().regex(customScopePattern, 'not-a-choice')).max(50, 'too-many').optional(),
  /** What it may send people here to do, besides signing in (see intents.ts). */
  allowedIntents: z.array(z.enum(clientIntents)).max(10, 'too-many').default([]),
  /** Signing by it costs a twentieth of RS256; one that stands already keeps its own (see `validateClient`). */
  signingAlg: z.enum(signingAlgs).default('ES256'),
  lifetimes: z
    .strictObject({
      accessToken: lifetimeSchema(lifetimeLimits.accessToken),
      idToken: lifetimeSchema(lifetimeLimits.idToken),
      refreshToken: lifetimeSchema(lifetimeLimits.refreshToken),
      session: lifetimeSchema(lifetimeLimits.session),
    })
    .default({}),
  /** The least that a sign-in to it must be worth, whatever the application asks for. */
  requiredAcr: z.enum(requiredAcrs).optional(),
  /** Numbers (in files: names) of the groups whose people may use it; everybody, where there are none. */
  allowedGroups: z.array(z.string().trim().min(1).max(80)).max(50, 'too-many').default([]),
  consent: z.enum(consentModes).optional(),
  /** Whether the request must come by the back door first (RFC 9126). */
  parRequired: z.boolean().default(false),
  /** Lets a client that proves who it is come without PKCE, for programs that cannot (RFC 9700 §2.1.1). */
  pkceOptional: z.boolean().default(false),
  /** Whether its tokens must be bound to a key that it shows at each use (RFC 9449). */
  dpopRequired: z.boolean().default(false),
  /** Lets its people sign in on a device that has no browser, by a code that they type in theirs (RFC 8628). */
  deviceFlow: z.boolean().default(false),
  /** Whether it knows people by their account's number, or by one that applications of its sector alone know. */
  subjectType: z.enum(subjectTypes).default('public'),
  sector: sectorSchema.optional(),
  /** What it may ask for of the interface for programs (see api-scopes.ts). */
  apiScopes: z.array(z.enum(apiScopes)).max(20, 'too-many').default([]),
  /** The number (in files: name) of the group that a service is limited to there; everybody, where undefined. */
  apiGroup: z.string().trim().min(1, 'missing').max(80, 'too-long').optional(),
  /** The resource servers that it may have tokens for (see resource-servers.ts). */
  resources: allowedResourcesSchema,
  /** The resource server that a service is the door of: it may ask about tokens that were made for it (RFC 7662). */
  introspects: z.string().min(1, 'missing').max(500, 'too-long').optional(),
});

export type ClientFields = z.output<typeof clientFields>;
export type ClientFieldName = keyof ClientFields;

/** What a person's sign-in is about, and a service has none of. */
const userSignInFields = [
  'redirectUris',
  'postLogoutRedirectUris',
  'corsOrigins',
  'backchannelLogoutUri',
  'frontchannelLogoutUri',
  'launchUrl',
  'initiateLoginUri',
  'scopes',
  'allowedIntents',
  'requiredAcr',
  'allowedGroups',
  'parRequired',
  'pkceOptional',
  'deviceFlow',
  'sector',
] as const satisfies readonly ClientFieldName[];

const canKeepSecrets = (type: ClientType): boolean => type === 'web' || type === 'service';

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;

/** PostgreSQL keeps neither a NUL nor half a character, wherever in a description it stands. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, part]) => isStorable(name) && isStorable(part));
}

type Refuse = (path: (string | number)[], code: string) => void;

function checkServiceRules(client: ClientFields, refuse: Refuse): void {
  for (const name of userSignInFields) if (isSet(client[name])) refuse([name], 'not-for-a-service');
  if (client.consent && client.consent !== 'none') refuse(['consent'], 'not-for-a-service');
  if (client.subjectType !== 'public') refuse(['subjectType'], 'not-for-a-service');
  if ((client.lifetimes.accessToken ?? 0) > maxServiceTokenSeconds)
    refuse(['lifetimes', 'accessToken'], 'lifetime-out-of-range');
  for (const name of ['idToken', 'refreshToken', 'session'] as const) {
    if (client.lifetimes[name] !== undefined) refuse(['lifetimes', name], 'not-for-a-service');
  }
}

const isSameOrigin = (one: string, other: string): boolean =>
  URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;

function checkUriRules(client: ClientFields, refuse: Refuse): void {
  const { type, redirectUris, postLogoutRedirectUris, corsOrigins } = client;
  const lists = { redirectUris, postLogoutRedirectUris, corsOrigins };
  for (const [name, list] of Object.entries(lists)) {
    list.forEach((text, at) => {
      const use = name === 'redirectUris' ? 'redirect' : 'post-logout';
      const fault = name === 'corsOrigins' ? undefined : findUriFault(text, use, type);
      if (fault) refuse([name, at], fault);
      else if (list.indexOf(text) !== at) refuse([name, at], 'address-twice');
    });
  }
  // A device has no browser to come back in.
  if (redirectUris.length === 0 && !client.deviceFlow) refuse(['redirectUris'], 'redirect-missing');
  if (type === 'single-page' && client.deviceFlow) refuse(['deviceFlow'], 'device-flow-in-browser');
  // Front-Channel Logout 1.0 §2: a page of the application itself, or anybody's could be opened here.
  const front = client.frontchannelLogoutUri;
  if (front && !redirectUris.some((uri) => isSameOrigin(uri, front)))
    refuse(['frontchannelLogoutUri'], 'front-channel-elsewhere');
  if (corsOrigins.length > 0 && canKeepSecrets(type)) refuse(['corsOrigins'], 'cors-with-secret');
}

/** How a client proves who it is: by what it keeps, where nothing is said. */
const methodOf = ({ type, authMethod, jwks }: ClientFields): AuthMethod =>
  authMethod ?? (jwks ? 'private_key_jwt' : canKeepSecrets(type) ? 'secret' : 'none');

function checkAuthMethodRules(client: ClientFields, refuse: Refuse): void {
  const { type, authMethod, jwks, pkceOptional } = client;
  assertionRules({ ...client, authMethod: canKeepSecrets(type) ? methodOf(client) : 'none' }, refuse);
  if (!canKeepSecrets(type)) {
    if (pkceOptional) refuse(['pkceOptional'], 'pkce-public');
    if (authMethod && authMethod !== 'none') refuse(['authMethod'], 'auth-method-public');
    if (jwks) refuse(['jwks'], 'keys-not-used');
    return;
  }
  if (authMethod === 'none') refuse(['authMethod'], 'auth-method-missing');
  if (authMethod === 'private_key_jwt' && !jwks) refuse(['jwks'], 'keys-missing');
  if (jwks && (authMethod === 'secret' || authMethod === 'client_secret_jwt'))
    refuse(['jwks'], 'keys-not-used');
}

/** Whether a program that is limited to a group can do anything at all with a scope. */
const isUsableInGroup = (scope: ApiScope): boolean =>
  actionsByScope[scope].some((action) =>
    hasPermission({ program: 'any', actions: actionsByScope[scope], group: 'any' }, action),
  );

function checkApiRules(
  { type, apiScopes: scopes, apiGroup, dpopRequired }: ClientFields,
  refuse: Refuse,
): void {
  // The interface takes no bound tokens, and such a client gets no other.
  if (dpopRequired && scopes.length > 0) refuse(['dpopRequired'], 'dpop-not-for-api');
  if (apiGroup !== undefined && (type !== 'service' || scopes.length === 0))
    refuse(['apiGroup'], 'api-group-not-used');
  if (type !== 'service') return;
  scopes.forEach((scope, at) => {
    if (requiresHumanOperator(scope)) refuse(['apiScopes', at], 'api-scope-for-people');
    else if (apiGroup !== undefined && !isUsableInGroup(scope))
      refuse(['apiScopes', at], 'api-scope-beyond-group');
  });
}

/** What no single field can tell: a combination that the provider would not honour is refused, never ignored. */
function checkRules(client: ClientFields, refuse: Refuse): void {
  for (const [name, value] of Object.entries(client)) if (!isStorable(value)) refuse([name], 'malformed');
  checkAuthMethodRules(client, refuse);
  checkApiRules(client, refuse);
  checkResourceRules(client, refuse);
  if (client.type === 'service') return checkServiceRules(client, refuse);
  checkUriRules(client, refuse);
  checkSectorRules(client, refuse);
  if (client.consent === 'none' && !client.firstParty) refuse(['consent'], 'consent-none-for-others');
  const offline = (client.scopes ?? []).includes('offline_access');
  if (client.lifetimes.refreshToken !== undefined && !offline)
    refuse(['lifetimes', 'refreshToken'], 'lifetime-without-refresh');
}

/** An application with every default chosen: what is stored, shown and exported. */
export type ClientDescription = Omit<ClientFields, 'authMethod' | 'scopes' | 'consent'> & {
  authMethod: AuthMethod;
  scopes: string[];
  consent: ConsentMode;
};

function applyDefaults(client: ClientFields): ClientDescription {
  const authMethod = methodOf(client);
  return {
    ...client,
    authMethod,
    ...assertionDefaults({ ...client, authMethod }),
    scopes: client.scopes ?? (client.type === 'service' ? [] : ['profile', 'email']),
    consent: client.consent ?? (client.firstParty || client.type === 'service' ? 'none' : 'remembered'),
  };
}

/** An application as an administrator describes it. Every message is a code, and the code a phrase key. */
export const clientSchema = clientFields
  .superRefine((client, ctx) =>
    checkRules(client, (path, code) => ctx.addIssue({ code: 'custom', path, message: code })),
  )
  .transform(applyDefaults);
