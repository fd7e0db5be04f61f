import { z } from 'zod';
import { findUriFault } from '../redirect-uris.ts';
import { apiScopes } from './api-scopes.ts';
import { signingAlgs } from '../schema.ts';

/** What a token for a resource server is: signed and read without asking us (RFC 9068), or a number that we are asked about. */
export const tokenFormats = ['jwt', 'opaque'] as const;

/** Why a resource server, or an application's use of it, is refused; the code is the phrase key. */
export const resourceFaultCodes = [
  'resource-reserved',
  'resource-taken',
  'resource-in-use',
  'resource-changed-meanwhile',
  'resource-managed-by-file',
  'resource-unknown',
  'resource-scope-unknown',
  'resource-twice',
  'scopes-missing',
  'scope-malformed',
  'scope-reserved',
  'scope-twice',
  'alg-not-used',
  'only-for-a-service',
] as const;

/**
 * Seconds that its tokens last. Nobody can take a signed token back: whoever is disabled, signs out or is shut out of the
 * application keeps what it opens until then. So it lasts ten minutes where nobody chooses otherwise.
 */
const tokenLifetimeLimits = { least: 60, usual: 600, most: 3600 } as const;

/** RFC 6749 §3.3. */
const scopeNamePattern = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Scopes of OpenID Connect, which say what an application knows of a person, and those of our own interface. */
const reservedScopes = new Set<string>([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'groups',
  'offline_access',
  ...apiScopes,
]);

const unreadableCharacters = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const singleLineText = (most: number) =>
  z
    .string()
    .trim()
    .min(1, 'missing')
    .max(most, 'too-long')
    .refine((text) => !unreadableCharacters.test(text) && text.isWellFormed(), 'malformed');

const scopeSchema = z.strictObject({
  name: z
    .string()
    .min(1, 'missing')
    .max(100, 'too-long')
    .regex(scopeNamePattern, 'scope-malformed')
    .refine((name) => !reservedScopes.has(name), 'scope-reserved'),
  /** What it allows, as the person reads it who is asked. */
  description: singleLineText(200),
});

/** An absolute URI without a fragment (RFC 8707 §2). It is compared letter by letter, so nothing is repaired here. */
const resourceIdSchema = z
  .string()
  .max(500, 'too-long')
  .superRefine((text, ctx) => {
    // It is a name that nobody goes to: any scheme will do, but not text that is no address.
    const fault = findUriFault(text, 'redirect', 'native');
    const byName = ['address-scheme-not-reversed', 'address-not-https', 'address-native-https-loopback'];
    if (fault && !byName.includes(fault)) ctx.addIssue({ code: 'custom', message: fault });
  });

const resourceServerFields = z
  .strictObject({
    id: resourceIdSchema,
    name: singleLineText(80),
    scopes: z.array(scopeSchema).min(1, 'scopes-missing').max(100, 'too-many'),
    tokenFormat: z.enum(tokenFormats).default('jwt'),
    signingAlg: z.enum(signingAlgs).optional(),
    lifetime: z
      .number('lifetime-not-a-number')
      .int('lifetime-not-a-number')
      .min(tokenLifetimeLimits.least, 'lifetime-out-of-range')
      .max(tokenLifetimeLimits.most, 'lifetime-out-of-range')
      .default(tokenLifetimeLimits.usual),
  })
  .superRefine(({ scopes, tokenFormat, signingAlg }, ctx) => {
    const names = scopes.map(({ name }) => name);
    names.forEach((name, at) => {
      if (names.indexOf(name) !== at)
        ctx.addIssue({ code: 'custom', path: ['scopes', at], message: 'scope-twice' });
    });
    if (tokenFormat === 'opaque' && signingAlg)
      ctx.addIssue({ code: 'custom', path: ['signingAlg'], message: 'alg-not-used' });
  });

/** A resource server as an administrator describes it, with every default chosen. */
export interface ResourceServer {
  id: string;
  name: string;
  scopes: { name: string; description: string }[];
  tokenFormat: (typeof tokenFormats)[number];
  /** Of its tokens, where they are signed. */
  signingAlg?: (typeof signingAlgs)[number] | undefined;
  /** Seconds. */
  lifetime: number;
}

export const resourceServerSchema = resourceServerFields.transform(
  ({ signingAlg, ...server }): ResourceServer =>
    server.tokenFormat === 'jwt' ? { ...server, signingAlg: signingAlg ?? 'ES256' } : server,
);
