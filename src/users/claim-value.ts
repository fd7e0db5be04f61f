import { z } from 'zod';

/** What a claim is called where a person reads it. */
export interface ClaimLabel {
  sv: string;
  en: string;
}

/** A claim of the house's own: what accounts have a value for, and the scope that an application needs to be told it. */
export interface CustomClaim {
  name: string;
  scope: string;
  label: ClaimLabel;
  /** A list of texts; otherwise one text. */
  multi: boolean;
}

/** Why a definition is refused; the code is the phrase key. */
export const claimFaultCodes = [
  'missing',
  'malformed',
  'too-long',
  'unknown-field',
  'claim-malformed',
  'claim-reserved',
  'claim-taken',
  'claim-kind-fixed',
  'claim-of-profile',
  'scope-malformed',
  'scope-reserved',
  'scope-of-application',
] as const;
export type ClaimFaultCode = (typeof claimFaultCodes)[number];

/** One thing that is wrong with a definition: where, and why. */
export interface ClaimFault {
  path: string;
  code: ClaimFaultCode;
}

/**
 * Standard claims that say what a person is called (OpenID Connect Core §5.1): accounts know one name, and an administrator
 * may define these besides. They belong to `profile`, whose words on the consent page say just that.
 */
const nameClaims = new Set(['given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username']);

/** Names that mean something to programs already (RFC 7519 §4.1, OpenID Connect Core §2 and §5.1, RFC 8693 §4, RFC 9068 §2.2). */
const reservedClaims = new Set(
  [
    'iss sub aud exp nbf iat jti typ sid events toe txn cnf act may_act',
    'nonce acr amr azp auth_time at_hash c_hash s_hash sub_jwk sub_id state',
    'name profile picture website gender birthdate zoneinfo locale updated_at',
    'email email_verified phone_number phone_number_verified address groups vot vtm',
    'scope client_id active username token_type authorization_details claims',
  ].flatMap((line) => line.split(' ')),
);

/** Scopes that open something else, or will one day: whoever has them must not learn more than their words say. */
const reservedScopes = new Set([
  'openid',
  'profile',
  'email',
  'address',
  'phone',
  'groups',
  'offline_access',
]);

/** What every object has in JavaScript: the library keeps scopes and claims in plain ones. */
const isInheritedProperty = (text: string): boolean => text in {};

/** How a scope of the house's own is spelt: those with a colon belong to interfaces. */
export const customScopePattern: RegExp = /^[a-z][a-z0-9_.-]{0,62}$/;

/** A name for few, or an address that nobody else can have (RFC 7519 §4.2 and §4.3). */
const shortNamePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const isCollisionResistant = (text: string): boolean =>
  text.length <= 200 &&
  /^https:\/\/[a-z0-9.-]+\/[\x21-\x7e]*$/.test(text) &&
  !/["<>\\^`{|}]/.test(text) &&
  URL.canParse(text);

/** What is shown to people in one line: no control character, and none that turns the line around. */
const unreadablePattern = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

const labelText = z
  .string()
  .transform((text) => text.normalize('NFC').trim())
  .refine((text) => text !== '', 'missing')
  .refine((text) => text.length <= 80, 'too-long')
  .refine((text) => !unreadablePattern.test(text) && text.isWellFormed(), 'malformed');

/** One word for all languages, or one for each. */
const labelSchema = z
  .union([
    labelText.transform((text) => ({ sv: text, en: text })),
    z.strictObject({ sv: labelText, en: labelText }),
  ])
  .transform((said): ClaimLabel => said);

export const claimSchema = z
  .strictObject({
    name: z
      .string()
      .trim()
      .refine((text) => shortNamePattern.test(text) || isCollisionResistant(text), 'claim-malformed')
      .refine((text) => !reservedClaims.has(text) && !isInheritedProperty(text), 'claim-reserved'),
    scope: z
      .string()
      .trim()
      .refine((text) => customScopePattern.test(text), 'scope-malformed'),
    label: labelSchema,
    multi: z.boolean().default(false),
  })
  .superRefine(({ name, scope, multi }, ctx) => {
    const refuse = (path: string, message: ClaimFaultCode) =>
      ctx.addIssue({ code: 'custom', path: [path], message });
    if (nameClaims.has(name)) {
      if (scope !== 'profile') refuse('scope', 'claim-of-profile');
      if (multi) refuse('multi', 'claim-of-profile');
    } else if (reservedScopes.has(scope) || isInheritedProperty(scope)) refuse('scope', 'scope-reserved');
  });

function toFaultCode(issue: z.core.$ZodIssue): ClaimFaultCode {
  // Neither one word nor one for each language: what is wrong with the latter says more.
  const own = claimFaultCodes.find((code) => code === issue.message);
  if (own) return own;
  return issue.code === 'invalid_type' && issue.input === undefined ? 'missing' : 'malformed';
}

function toFaults(issue: z.core.$ZodIssue): ClaimFault[] {
  const at = issue.path.map(String);
  if (issue.code === 'invalid_union') {
    const [one, each] = issue.errors;
    const closest = typeof issue.input === 'string' ? one : each;
    return (closest ?? []).flatMap((inner) => toFaults({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...at, key].join('.'), code: 'unknown-field' }));
  return [{ path: at.join('.'), code: toFaultCode(issue) }];
}

/** Whether a claim may be defined so, and if not everything that is wrong; whether its name is taken is the store's to say. */
export function validateClaim(given: unknown): { claim: CustomClaim } | { faults: ClaimFault[] } {
  const read = claimSchema.safeParse(given, { reportInput: true });
  return read.success ? { claim: read.data } : { faults: read.error.issues.flatMap(toFaults) };
}
