import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isEmail } from '../../users/users.ts';
import { parseClient, loopbackFaults } from '../../clients/connectivity-check.ts';
import type { AuthMethod, ClientDescription, ClientType, ClientFieldName } from '../../clients/schema.ts';
import type { InitialAccessToken } from './initial-access-tokens.ts';
import { isPhrase, place, readable } from './names.ts';

/** What RFC 7591 §3.2.2 calls the ways in which a description is refused. */
export type RegistrationError =
  'invalid_redirect_uri' | 'invalid_client_metadata' | 'unapproved_software_statement';

/** One thing that is wrong: the member that it is about, and a sentence. */
interface MetadataFault {
  at: string;
  says: string;
}

const authMethodByName = {
  client_secret_basic: 'secret',
  client_secret_post: 'secret',
  private_key_jwt: 'private_key_jwt',
  none: 'none',
} as const satisfies Record<string, AuthMethod>;
/** What RFC 7591 §2 calls the way in which a program proves itself. */
export type TokenEndpointAuthMethod = keyof typeof authMethodByName;
const methodNames = Object.keys(authMethodByName) as [TokenEndpointAuthMethod, ...TokenEndpointAuthMethod[]];

const stringList = z.array(z.string()).max(50, 'too-many');

/**
 * What is understood of RFC 7591 §2, OpenID Connect Registration §2, the two logouts, RFC 9126 §6 and RFC 9449 §5.2. All else is passed
 * over (RFC 7591 §2), whatever it calls itself; what these hold is judged by the description's own schema.
 */
const metadataSchema = z.object({
  redirect_uris: stringList.default([]),
  token_endpoint_auth_method: z.enum(methodNames).optional(),
  token_endpoint_auth_signing_alg: z.string().optional(),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .max(10, 'too-many')
    .default(['authorization_code']),
  response_types: z.array(z.literal('code')).max(10, 'too-many').optional(),
  application_type: z.enum(['web', 'native']).optional(),
  client_name: z.string().optional(),
  client_uri: z.string().optional(),
  contacts: stringList.default([]),
  scope: z.string().max(1000, 'too-long').optional(),
  jwks: z.unknown().optional(),
  post_logout_redirect_uris: stringList.default([]),
  backchannel_logout_uri: z.string().optional(),
  frontchannel_logout_uri: z.string().optional(),
  initiate_login_uri: z.string().optional(),
  subject_type: z.literal('public').optional(),
  id_token_signed_response_alg: z.string().optional(),
  default_max_age: z.number().optional(),
  default_acr_values: z.array(z.string()).max(10, 'too-many').default([]),
  require_pushed_authorization_requests: z.boolean().default(false),
  dpop_bound_access_tokens: z.boolean().default(false),
});
type RequestedMetadata = z.output<typeof metadataSchema>;

const unsupported = 'this is not supported here';

/** What changes how an application is talked to: passed over in silence it would wait for what never comes. */
const rejectedMembers: Record<string, string> = {
  // Nothing is fetched from an address that a stranger wrote down (SSRF).
  jwks_uri: 'send the public keys themselves, as jwks',
  sector_identifier_uri: unsupported,
  request_uris: unsupported,
  request_object_signing_alg: unsupported,
  request_object_encryption_alg: unsupported,
  id_token_encrypted_response_alg: unsupported,
  userinfo_signed_response_alg: unsupported,
  userinfo_encrypted_response_alg: unsupported,
  authorization_signed_response_alg: unsupported,
  authorization_encrypted_response_alg: unsupported,
  introspection_signed_response_alg: unsupported,
};

/** What a stranger's application may see, however many scopes others may have. */
const registrableScopes = ['profile', 'email', 'offline_access'] as const;
type RegistrableScope = (typeof registrableScopes)[number];
const isRegistrableScope = (scope: string): scope is RegistrableScope =>
  registrableScopes.some((one) => one === scope);

export const isPresent = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && (!Array.isArray(value) || value.length > 0);

function toMetadataFault({ path, code, message }: z.core.$ZodIssue): MetadataFault {
  const own = isPhrase(message) ? message : undefined;
  const kind = code === 'invalid_value' ? 'not-a-choice' : 'malformed';
  return { at: place(path.map(String).join('.')), says: readable(own ?? kind) };
}

/** A private-use scheme or this very computer: where only a program that is installed there can answer. */
function isOnDevice(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'http:') return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol.includes('.');
}

/** Whose addresses these are: the host, or the domain that a private-use scheme is written after (RFC 8252 §7.1). */
function getHost(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname } = new URL(address);
  if (/^https?:$/.test(protocol)) return hostname;
  return protocol.slice(0, -1).split('.').toReversed().join('.');
}

const isService = ({ grant_types: grants }: RequestedMetadata): boolean =>
  grants.length > 0 && grants.every((grant) => grant === 'client_credentials');

function getClientType(metadata: RequestedMetadata): ClientType {
  const { application_type: kind, token_endpoint_auth_method: method, redirect_uris: addresses } = metadata;
  if (isService(metadata)) return 'service';
  if (kind === 'native') return 'native';
  if (method !== 'none') return 'web';
  // Programs of plain OAuth know no application_type (RFC 7591 §2 has none).
  const installed = kind === undefined && addresses.length > 0 && addresses.every(isOnDevice);
  return installed ? 'native' : 'single-page';
}

/** RFC 7591 §2: without a word it is a secret in the header; what is installed with people keeps none (RFC 8252 §8.5). */
const getAuthMethod = (metadata: RequestedMetadata, type: ClientType): TokenEndpointAuthMethod =>
  metadata.token_endpoint_auth_method ?? (type === 'native' ? 'none' : 'client_secret_basic');

const getRequestedScopes = ({ scope }: RequestedMetadata): string[] | undefined =>
  scope?.split(' ').filter((one) => one !== '' && one !== 'openid');

function getGrantedScopes(metadata: RequestedMetadata): RegistrableScope[] {
  const renews = metadata.grant_types.includes('refresh_token');
  return (
    getRequestedScopes(metadata)?.filter(isRegistrableScope) ?? [
      'profile',
      'email',
      ...(renews ? (['offline_access'] as const) : []),
    ]
  );
}

/**
 * What stands in a line without being seen: what draws nothing (letters among it, and the blank of Braille), what means
 * something to one program alone, and marks heaped so high that they cover the lines beside them.
 */
const invisibleCharacters = /[\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]|\p{M}{4}/u;

/** Grants and answers that belong together (RFC 7591 §2.1), scopes and levels that there are. */
function findInconsistencies(metadata: RequestedMetadata): MetadataFault[] {
  const { grant_types: grants, response_types: responses, default_acr_values: acrs } = metadata;
  const faults: MetadataFault[] = [];
  const people = grants.includes('authorization_code') && !grants.includes('client_credentials');
  if (!people && !isService(metadata))
    faults.push({
      at: 'grant_types',
      says: 'authorization_code, with or without refresh_token, or client_credentials alone',
    });
  if (responses && (isService(metadata) ? responses.length > 0 : responses.length === 0))
    faults.push({ at: 'response_types', says: 'these do not go with grant_types' });
  for (const scope of getRequestedScopes(metadata) ?? [])
    if (!isRegistrableScope(scope))
      faults.push({ at: 'scope', says: `only openid, ${registrableScopes.join(', ')} can be registered` });
  if (acrs.some((acr) => acr !== 'urn:hemma:1' && acr !== 'urn:hemma:2'))
    faults.push({ at: 'default_acr_values', says: readable('not-a-choice') });
  // People read it where they are asked for their consent: nothing in it may be there without being seen.
  if (invisibleCharacters.test(metadata.client_name ?? ''))
    faults.push({ at: 'client_name', says: 'there are characters in it that nobody sees' });
  return faults;
}

/** What was said, as an administrator would have described it; what is not said here has its default. */
function toClientDescription(metadata: RequestedMetadata): Record<string, unknown> {
  const type = getClientType(metadata);
  const [first] = metadata.redirect_uris;
  const id = `reg-${randomBytes(12).toString('hex')}`;
  const scopes = getGrantedScopes(metadata);
  return {
    id,
    name: metadata.client_name?.normalize('NFC') ?? ((first && getHost(first)) || id),
    type,
    authMethod: authMethodByName[getAuthMethod(metadata, type)],
    contact: metadata.contacts.find(isEmail),
    jwks: metadata.jwks,
    assertionSigningAlg: metadata.token_endpoint_auth_signing_alg,
    redirectUris: metadata.redirect_uris,
    postLogoutRedirectUris: metadata.post_logout_redirect_uris,
    backchannelLogoutUri: metadata.backchannel_logout_uri,
    frontchannelLogoutUri: metadata.frontchannel_logout_uri,
    launchUrl: metadata.client_uri,
    initiateLoginUri: metadata.initiate_login_uri,
    // The standard's default, which is not ours (OpenID Connect Registration §2).
    signingAlg: metadata.id_token_signed_response_alg ?? 'RS256',
    lifetimes: metadata.default_max_age === undefined ? {} : { session: metadata.default_max_age },
    parRequired: metadata.require_pushed_authorization_requests,
    dpopRequired: metadata.dpop_bound_access_tokens,
    // What it can only ask for is asked of everybody who comes to it.
    requiredAcr: metadata.default_acr_values.includes('urn:hemma:2') ? 'urn:hemma:2' : undefined,
    ...(type === 'service'
      ? { scopes: getRequestedScopes(metadata) ?? [] }
      : { scopes, consent: 'remembered' }),
  };
}

/** What the token that is presented does not let be registered. */
function findTokenViolations(
  client: ClientDescription,
  { types, hosts }: InitialAccessToken,
): MetadataFault[] {
  const faults: MetadataFault[] = [];
  if (types.length > 0 && !types.includes(client.type))
    faults.push({
      at: 'application_type',
      says: `this token is for ${types.join(', ')}, and this would be ${client.type}`,
    });
  const alone = [
    'backchannelLogoutUri',
    'frontchannelLogoutUri',
    'launchUrl',
    'initiateLoginUri',
  ] as const satisfies readonly ClientFieldName[];
  const addresses = [
    ...client.redirectUris.map((text, at) => [`redirectUris.${at}`, text] as const),
    ...client.postLogoutRedirectUris.map((text, at) => [`postLogoutRedirectUris.${at}`, text] as const),
    ...alone.flatMap((name) => (client[name] === undefined ? [] : [[name, client[name]] as const])),
  ];
  for (const [path, text] of hosts.length > 0 ? addresses : [])
    if (!hosts.includes(getHost(text) ?? ''))
      faults.push({ at: place(path), says: 'this token is not for addresses there' });
  return faults;
}

export type RejectedRegistration = { error: RegistrationError; description: string };

/** RFC 7591 §3.2.2: the words are ASCII. */
const toAscii = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 1000);

function rejectRegistration(faults: readonly MetadataFault[]): RejectedRegistration {
  const redirects = faults.some(({ at }) => at.startsWith('redirect_uris'));
  const messages = [...new Set(faults.map(({ at, says }) => `${at}: ${says}`))];
  return {
    error: redirects ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    description: toAscii(messages.join('; ')),
  };
}

/** An application that described itself, and how it will present its secret. */
export interface ParsedRegistration {
  client: ClientDescription;
  method: TokenEndpointAuthMethod;
}

/**
 * What a program says of itself (RFC 7591 §2) as an application of ours, or why not. It is judged by the one judge of all
 * applications (`parseClient`), and besides by what its token allows. Nothing that is named in it is fetched.
 */
export function parseRegistration(
  given: unknown,
  token: InitialAccessToken,
  { loopback = false }: { /** Whether addresses of this machine are allowed. */ loopback?: boolean } = {},
): ParsedRegistration | RejectedRegistration {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return rejectRegistration([{ at: 'body', says: 'a JSON object is needed' }]);
  // A member that is null was not said (RFC 7592 §2.2).
  const metadata = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  if (isPresent(metadata['software_statement']))
    return {
      error: 'unapproved_software_statement',
      description: 'no software statement is approved here; send the metadata without one',
    };
  const forbidden = Object.entries(rejectedMembers).flatMap(([at, says]) =>
    isPresent(metadata[at]) ? [{ at, says }] : [],
  );
  if (forbidden.length > 0) return rejectRegistration(forbidden);
  const read = metadataSchema.safeParse(metadata);
  if (!read.success) return rejectRegistration(read.error.issues.map(toMetadataFault));
  const odd = findInconsistencies(read.data);
  if (odd.length > 0) return rejectRegistration(odd);
  const checked = parseClient(toClientDescription(read.data));
  const faults = 'faults' in checked ? checked.faults : loopback ? [] : loopbackFaults(checked.client);
  if ('faults' in checked || faults.length > 0)
    return rejectRegistration(faults.map(({ path, code }) => ({ at: place(path), says: readable(code) })));
  const { client } = checked;
  const outside = findTokenViolations(client, token);
  return outside.length > 0
    ? rejectRegistration(outside)
    : { client, method: getAuthMethod(read.data, client.type) };
}
