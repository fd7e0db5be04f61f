import type { Proof, ProofFactor } from '../security/verified-factors.ts';

/**
 * How sure a sign-in makes us: level 1 is a password (a remembered device beside it changes nothing), level 2 two
 * factors in the same interaction. `acr` and `amr` say what happened and never more (NIST SP 800-63B-4 §5.1).
 */
export type Level = 1 | 2;

export const acrOf = (level: Level): string => `urn:hemma:${level}`;

export const acrValues: string[] = [acrOf(1), acrOf(2)];

/** The level of an `acr`; 0 for one that is not ours. */
export const levelOf = (acr: string | undefined): 0 | Level => {
  if (acr === acrOf(2)) return 2;
  return acr === acrOf(1) ? 1 : 0;
};

/** What the proofs of one interaction amount to (RFC 8176 for the names). */
export function assurance(proofs: readonly Proof[]): { acr: string; amr: string[] } {
  const proved = (wanted: ProofFactor) => proofs.some(({ factor }) => factor === wanted);
  if (proved('totp')) return { acr: acrOf(2), amr: ['pwd', 'otp', 'mfa'] };
  // A saved recovery code is a second factor (NIST SP 800-63B-4 §3.1.2); RFC 8176 has no name for it.
  if (proved('recovery-code')) return { acr: acrOf(2), amr: ['pwd', 'rc', 'mfa'] };
  return { acr: acrOf(1), amr: ['pwd'] };
}

/** The lowest level among values that satisfies them; undefined where none of them is ours. */
function lowest(values: readonly string[]): Level | undefined {
  const levels = values.map(levelOf).filter((level) => level !== 0);
  return levels.length > 0 ? (Math.min(...levels) as Level) : undefined;
}

const strings = (given: unknown) =>
  (Array.isArray(given) ? given : [given]).filter((entry): entry is string => typeof entry === 'string');

/** What the `claims` parameter asks of `acr` in the ID token; the library has checked that it is JSON. */
function acrClaim(claims: unknown): { values: string[]; essential: boolean } {
  if (typeof claims !== 'string') return { values: [], essential: false };
  const parsed = JSON.parse(claims) as { id_token?: { acr?: Record<string, unknown> | null } } | null;
  const acr = parsed?.id_token?.acr ?? {};
  return { values: strings(acr.values ?? acr.value), essential: acr.essential === true };
}

/**
 * The level that a request demands, in `acr_values` or in the `claims` parameter; where both speak the stricter
 * counts. `unreachable`: an essential value that no sign-in here gives (OpenID Connect Core §5.5.1.1).
 */
export function demandedLevel(params: { acr_values?: unknown; claims?: unknown }): Level | 'unreachable' {
  const claim = acrClaim(params.claims);
  const fromClaim = lowest(claim.values);
  if (claim.essential && claim.values.length > 0 && fromClaim === undefined) return 'unreachable';
  const asked = typeof params.acr_values === 'string' ? params.acr_values.split(' ') : [];
  return Math.max(1, lowest(asked) ?? 1, fromClaim ?? 1) as Level;
}
