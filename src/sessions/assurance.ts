import type { VerifiedFactor, FactorType } from '../security/verified-factors.ts';

/**
 * How sure a sign-in makes us: level 1 is a password (a remembered device beside it changes nothing), level 2 two
 * factors in the same interaction. `acr` and `amr` say what happened and never more (NIST SP 800-63B-4 §5.1).
 */
export type AssuranceLevel = 1 | 2;

export const toAcr = (level: AssuranceLevel): string => `urn:hemma:${level}`;

export const acrValues: string[] = [toAcr(1), toAcr(2)];

/** The level of an `acr`; 0 for one that is not ours. */
export const parseAcr = (acr: string | undefined): 0 | AssuranceLevel => {
  if (acr === toAcr(2)) return 2;
  return acr === toAcr(1) ? 1 : 0;
};

/** What the proofs of one interaction amount to (RFC 8176 for the names). */
export function deriveAssurance(proofs: readonly VerifiedFactor[]): { acr: string; amr: string[] } {
  const isVerified = (wanted: FactorType) => proofs.some(({ factor }) => factor === wanted);
  if (isVerified('totp')) return { acr: toAcr(2), amr: ['pwd', 'otp', 'mfa'] };
  // A saved recovery code is a second factor (NIST SP 800-63B-4 §3.1.2); RFC 8176 has no name for it.
  if (isVerified('recovery-code')) return { acr: toAcr(2), amr: ['pwd', 'rc', 'mfa'] };
  return { acr: toAcr(1), amr: ['pwd'] };
}

/** The lowest level among values that satisfies them; undefined where none of them is ours. */
function lowestLevel(values: readonly string[]): AssuranceLevel | undefined {
  const levels = values.map(parseAcr).filter((level) => level !== 0);
  return levels.length > 0 ? (Math.min(...levels) as AssuranceLevel) : undefined;
}

const toStrings = (given: unknown) =>
  (Array.isArray(given) ? given : [given]).filter((entry): entry is string => typeof entry === 'string');

/** What the `claims` parameter asks of `acr` in the ID token; the library has checked that it is JSON. */
function parseAcrClaim(claims: unknown): { values: string[]; essential: boolean } {
  if (typeof claims !== 'string') return { values: [], essential: false };
  const parsed = JSON.parse(claims) as { id_token?: { acr?: Record<string, unknown> | null } } | null;
  const acr = parsed?.id_token?.acr ?? {};
  return { values: toStrings(acr.values ?? acr.value), essential: acr.essential === true };
}

/**
 * The level that a request demands, in `acr_values` or in the `claims` parameter; where both speak the stricter
 * counts. `unreachable`: an essential value that no sign-in here gives (OpenID Connect Core §5.5.1.1).
 */
export function parseRequiredLevel(params: {
  acr_values?: unknown;
  claims?: unknown;
}): AssuranceLevel | 'unreachable' {
  const claim = parseAcrClaim(params.claims);
  const fromClaim = lowestLevel(claim.values);
  if (claim.essential && claim.values.length > 0 && fromClaim === undefined) return 'unreachable';
  const requested = typeof params.acr_values === 'string' ? params.acr_values.split(' ') : [];
  return Math.max(1, lowestLevel(requested) ?? 1, fromClaim ?? 1) as AssuranceLevel;
}
