import type { z } from 'zod';
import type { UriFaultCode, UriPurpose } from './redirect-uris.ts';
import { loopbackFault } from './redirect-uris.ts';
import type { ClientDescription } from './schema.ts';
import { clientSchema } from './schema.ts';
import { resourceFaultCodes } from './resource-servers/schema.ts';

/** Why a description is refused besides its addresses; the code is the phrase key. */
export const clientFaultCodes = [
  'missing',
  'malformed',
  'unknown-field',
  'not-a-choice',
  'too-long',
  'too-many',
  'id-malformed',
  'id-reserved',
  'id-like-an-account',
  'id-taken',
  'contact-not-an-address',
  'redirect-missing',
  'address-twice',
  'cors-with-secret',
  'front-channel-elsewhere',
  'auth-method-public',
  'pkce-public',
  'device-flow-in-browser',
  'auth-method-missing',
  'keys-missing',
  'keys-malformed',
  'keys-not-used',
  'key-too-small',
  'key-private',
  'assertion-not-used',
  'assertion-alg-of-other-method',
  'assertion-alg-without-key',
  'consent-none-for-others',
  'lifetime-not-a-number',
  'lifetime-out-of-range',
  'lifetime-without-refresh',
  'not-for-a-service',
  'group-unknown',
  'changed-meanwhile',
  'managed-by-file',
  'api-scope-for-people',
  'api-scope-beyond-group',
  'api-group-not-used',
  'dpop-not-for-api',
  'beyond-reach',
  ...resourceFaultCodes,
  'sector-malformed',
  'sector-missing',
  'sector-not-used',
  'device-flow-pairwise',
] as const;
export type ClientFaultCode = (typeof clientFaultCodes)[number] | UriFaultCode;

/** One thing that is wrong with a description: where (`redirectUris.0`), and why. */
export interface ClientFault {
  path: string;
  /** The field of the form that it is about. */
  field: string;
  code: ClientFaultCode;
}

/** What zod finds by itself, in our codes. */
const faultCodeByZodIssue: Partial<Record<string, ClientFaultCode>> = {
  invalid_value: 'not-a-choice',
  invalid_union: 'not-a-choice',
  too_big: 'too-long',
};

function toFaultCode(issue: z.core.$ZodIssue): ClientFaultCode {
  const own = clientFaultCodes.find((code) => code === issue.message);
  if (own) return own;
  if (issue.code === 'custom') return issue.message as UriFaultCode;
  if (issue.path[0] === 'jwks') return 'keys-malformed';
  if (issue.code === 'invalid_type') return issue.input === undefined ? 'missing' : 'malformed';
  return faultCodeByZodIssue[issue.code ?? ''] ?? 'malformed';
}

function toFaults(issue: z.core.$ZodIssue): ClientFault[] {
  const at = issue.path.map(String);
  const named = (path: string[], code: ClientFaultCode) => ({
    path: path.join('.'),
    field: path[0] ?? '',
    code,
  });
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => named([...at, key], 'unknown-field'));
  return [named(at, toFaultCode(issue))];
}

/**
 * Whether a description may be registered, and if not everything that is wrong with it. The one judge for the command
 * line, the console and programs; whether its identifier is taken and its groups exist is the store's to say.
 */
export function parseClient(given: unknown): { client: ClientDescription } | { faults: ClientFault[] } {
  const read = parseWithFaults(clientSchema, given);
  return 'value' in read ? { client: read.value } : read;
}

/** Addresses that the provider calls, opens or sends people to by itself. */
const opened = {
  backchannelLogoutUri: 'back-channel',
  frontchannelLogoutUri: 'front-channel',
  launchUrl: 'launch',
  initiateLoginUri: 'initiate-login',
} as const satisfies Partial<Record<keyof ClientDescription, UriPurpose>>;

/** The addresses of this machine in a description: faults wherever the provider does not run on `localhost` itself. */
export function loopbackFaults(client: ClientDescription): ClientFault[] {
  const { sector, type } = client;
  const named = [
    ...Object.entries(opened).map(
      ([field, use]) => [field, use, client[field as keyof typeof opened]] as const,
    ),
    ['sector', 'back-channel', sector === undefined ? undefined : `https://${sector}/`] as const,
  ];
  return named.flatMap(([field, use, text]) => {
    const code = text === undefined ? undefined : loopbackFault(text, use, type);
    return code ? [{ path: field, field, code }] : [];
  });
}

/** What was described, judged by a schema whose messages are codes of ours. */
export function parseWithFaults<Value>(
  schema: z.ZodType<Value>,
  given: unknown,
): { value: Value } | { faults: ClientFault[] } {
  const read = schema.safeParse(given, { reportInput: true });
  if (read.success) return { value: read.data };
  const all = read.error.issues.flatMap(toFaults);
  // One word for one place: what a field has told is not told again by the rules between fields.
  return { faults: all.filter((fault, at) => all.findIndex(({ path }) => path === fault.path) === at) };
}
