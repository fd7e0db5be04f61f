import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isEmail } from '../../users/users.ts';
import { checkClient, loopbackFaults } from '../../clients/connectivity-check.ts';
import type { AuthMethod, ClientDescription, ClientType, FieldName } from '../../clients/schema.ts';
import type { InitialAccessToken } from './initial-access-tokens.ts';
import { isPhrase, place, readable } from './names.ts';

/** What RFC 7591 §3.2.2 calls the ways in which a description is refused. */
export type RegistrationError =
  'invalid_redirect_uri' | 'invalid_client_metadata' | 'unapproved_software_statement';

/** One thing that is wrong: the member that it is about, and a sentence. */
interface Fault {
  at: string;
  says: string;
}

const methods = {
  client_secret_basic: 'secret',
  client_secret_post: 'secret',
  private_key_jwt: 'private_key_jwt',
  none: 'none',
} as const satisfies Record<string, AuthMethod>;
/** What RFC 7591 §2 calls the way in which a program proves itself. */
export type Method = keyof typeof methods;
const methodNames = Object.keys(methods) as [Method, ...Method[]];

const texts = z.array(z.string()).max(50, 'too-many');

/**
 * What is understood of RFC 7591 §2, OpenID Connect Registration §2, the two logouts, RFC 9126 §6 and RFC 9449 §5.2. All else is passed
 * over (RFC 7591 §2), whatever it calls itself; what these hold is judged by the description's own schema.
 */
const understood = z.object({
  redirect_uris: texts.default([]),
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
  contacts: texts.default([]),
  scope: z.string().max(1000, 'too-long').optional(),
  jwks: z.unknown().optional(),
  post_logout_redirect_uris: texts.default([]),
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
type Understood = z.output<typeof understood>;

const unsupported = 'this is not supported here';

/** What changes how an application is talked to: passed over in silence it would wait for what never comes. */
const never: Record<string, string> = {
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
const openScopes = ['profile', 'email', 'offline_access'] as const;
type OpenScope = (typeof openScopes)[number];
const isOpen = (scope: string): scope is OpenScope => openScopes.some((one) => one === scope);

export const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && (!Array.isArray(value) || value.length > 0);

function ofIssue({ path, code, message }: z.core.$ZodIssue): Fault {
  const own = isPhrase(message) ? message : undefined;
  const kind = code === 'invalid_value' ? 'not-a-choice' : 'malformed';
  return { at: place(path.map(String).join('.')), says: readable(own ?? kind) };
}

/** A private-use scheme or this very computer: where only a program that is installed there can answer. */
function onDevice(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'http:') return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol.includes('.');
}

/** Whose addresses these are: the host, or the domain that a private-use scheme is written after (RFC 8252 §7.1). */
function hostOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname } = new URL(address);
  if (/^https?:$/.test(protocol)) return hostname;
  return protocol.slice(0, -1).split('.').toReversed().join('.');
}

const isService = ({ grant_types: grants }: Understood): boolean =>
  grants.length > 0 && grants.every((grant) => grant === 'client_credentials');

function typeOf(said: Understood): ClientType {
  const { application_type: kind, token_endpoint_auth_method: method, redirect_uris: addresses } = said;
  if (isService(said)) return 'service';
  if (kind === 'native') return 'native';
  if (method !== 'none') return 'web';
  // Programs of plain OAuth know no application_type (RFC 7591 §2 has none).
  const installed = kind === undefined && addresses.length > 0 && addresses.every(onDevice);
  return installed ? 'native' : 'single-page';
}

/** RFC 7591 §2: without a word it is a secret in the header; what is installed with people keeps none (RFC 8252 §8.5). */
const methodOf = (said: Understood, type: ClientType): Method =>
  said.token_endpoint_auth_method ?? (type === 'native' ? 'none' : 'client_secret_basic');

const asked = ({ scope }: Understood): string[] | undefined =>
  scope?.split(' ').filter((one) => one !== '' && one !== 'openid');

function scopesOf(said: Understood): OpenScope[] {
  const renews = said.grant_types.includes('refresh_token');
  return (
    asked(said)?.filter(isOpen) ?? ['profile', 'email', ...(renews ? (['offline_access'] as const) : [])]
  );
}

/**
 * What stands in a line without being seen: what draws nothing (letters among it, and the blank of Braille), what means
 * something to one program alone, and marks heaped so high that they cover the lines beside them.
 */
const hiding = /[\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]|\p{M}{4}/u;

/** Grants and answers that belong together (RFC 7591 §2.1), scopes and levels that there are. */
function oddities(said: Understood): Fault[] {
  const { grant_types: grants, response_types: responses, default_acr_values: acrs } = said;
  const faults: Fault[] = [];
  const people = grants.includes('authorization_code') && !grants.includes('client_credentials');
  if (!people && !isService(said))
    faults.push({
      at: 'grant_types',
      says: 'authorization_code, with or without refresh_token, or client_credentials alone',
    });
  if (responses && (isService(said) ? responses.length > 0 : responses.length === 0))
    faults.push({ at: 'response_types', says: 'these do not go with grant_types' });
  for (const scope of asked(said) ?? [])
    if (!isOpen(scope))
      faults.push({ at: 'scope', says: `only openid, ${openScopes.join(', ')} can be registered` });
  if (acrs.some((acr) => acr !== 'urn:hemma:1' && acr !== 'urn:hemma:2'))
    faults.push({ at: 'default_acr_values', says: readable('not-a-choice') });
  // People read it where they are asked for their consent: nothing in it may be there without being seen.
  if (hiding.test(said.client_name ?? ''))
    faults.push({ at: 'client_name', says: 'there are characters in it that nobody sees' });
  return faults;
}

/** What was said, as an administrator would have described it; what is not said here has its default. */
function described(said: Understood): Record<string, unknown> {
  const type = typeOf(said);
  const [first] = said.redirect_uris;
  const id = `reg-${randomBytes(12).toString('hex')}`;
  const scopes = scopesOf(said);
  return {
    id,
    name: said.client_name?.normalize('NFC') ?? ((first && hostOf(first)) || id),
    type,
    authMethod: methods[methodOf(said, type)],
    contact: said.contacts.find(isEmail),
    jwks: said.jwks,
    assertionSigningAlg: said.token_endpoint_auth_signing_alg,
    redirectUris: said.redirect_uris,
    postLogoutRedirectUris: said.post_logout_redirect_uris,
    backchannelLogoutUri: said.backchannel_logout_uri,
    frontchannelLogoutUri: said.frontchannel_logout_uri,
    launchUrl: said.client_uri,
    initiateLoginUri: said.initiate_login_uri,
    // The standard's default, which is not ours (OpenID Connect Registration §2).
    signingAlg: said.id_token_signed_response_alg ?? 'RS256',
    lifetimes: said.default_max_age === undefined ? {} : { session: said.default_max_age },
    parRequired: said.require_pushed_authorization_requests,
    dpopRequired: said.dpop_bound_access_tokens,
    // What it can only ask for is asked of everybody who comes to it.
    requiredAcr: said.default_acr_values.includes('urn:hemma:2') ? 'urn:hemma:2' : undefined,
    ...(type === 'service' ? { scopes: asked(said) ?? [] } : { scopes, consent: 'remembered' }),
  };
}

/** What the token that is presented does not let be registered. */
function beyond(client: ClientDescription, { types, hosts }: InitialAccessToken): Fault[] {
  const faults: Fault[] = [];
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
  ] as const satisfies readonly FieldName[];
  const addresses = [
    ...client.redirectUris.map((text, at) => [`redirectUris.${at}`, text] as const),
    ...client.postLogoutRedirectUris.map((text, at) => [`postLogoutRedirectUris.${at}`, text] as const),
    ...alone.flatMap((name) => (client[name] === undefined ? [] : [[name, client[name]] as const])),
  ];
  for (const [path, text] of hosts.length > 0 ? addresses : [])
    if (!hosts.includes(hostOf(text) ?? ''))
      faults.push({ at: place(path), says: 'this token is not for addresses there' });
  return faults;
}

export type Refused = { error: RegistrationError; description: string };

/** RFC 7591 §3.2.2: the words are ASCII. */
const ascii = (text: string): string => text.replaceAll(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 1000);

function refused(faults: readonly Fault[]): Refused {
  const redirects = faults.some(({ at }) => at.startsWith('redirect_uris'));
  const said = [...new Set(faults.map(({ at, says }) => `${at}: ${says}`))];
  return {
    error: redirects ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    description: ascii(said.join('; ')),
  };
}

/** An application that described itself, and how it will present its secret. */
export interface Described {
  client: ClientDescription;
  method: Method;
}

/**
 * What a program says of itself (RFC 7591 §2) as an application of ours, or why not. It is judged by the one judge of all
 * applications (`checkClient`), and besides by what its token allows. Nothing that is named in it is fetched.
 */
export function describeItself(
  given: unknown,
  token: InitialAccessToken,
  { loopback = false }: { /** Whether addresses of this machine are allowed. */ loopback?: boolean } = {},
): Described | Refused {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return refused([{ at: 'body', says: 'a JSON object is needed' }]);
  // A member that is null was not said (RFC 7592 §2.2).
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  if (isGiven(said['software_statement']))
    return {
      error: 'unapproved_software_statement',
      description: 'no software statement is approved here; send the metadata without one',
    };
  const forbidden = Object.entries(never).flatMap(([at, says]) => (isGiven(said[at]) ? [{ at, says }] : []));
  if (forbidden.length > 0) return refused(forbidden);
  const read = understood.safeParse(said);
  if (!read.success) return refused(read.error.issues.map(ofIssue));
  const odd = oddities(read.data);
  if (odd.length > 0) return refused(odd);
  const checked = checkClient(described(read.data));
  const faults = 'faults' in checked ? checked.faults : loopback ? [] : loopbackFaults(checked.client);
  if ('faults' in checked || faults.length > 0)
    return refused(faults.map(({ path, code }) => ({ at: place(path), says: readable(code) })));
  const { client } = checked;
  const outside = beyond(client, token);
  return outside.length > 0 ? refused(outside) : { client, method: methodOf(read.data, client.type) };
}
