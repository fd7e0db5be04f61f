import type { Proof } from '../platform/proofs.ts';

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
  const twoStep = proofs.some(({ factor }) => factor === 'totp');
  return twoStep ? { acr: acrOf(2), amr: ['pwd', 'otp', 'mfa'] } : { acr: acrOf(1), amr: ['pwd'] };
}

/** What an application asks for: `acr_values`, or `acr` in the `claims` parameter. */
export interface AcrRequest {
  values: string[];
  essential: boolean;
}

/** Reads the request as the library leaves it in the claims of the ID token. */
export function acrRequest(claim: unknown): AcrRequest {
  const { value, values, essential } = (claim ?? {}) as {
    value?: unknown;
    values?: unknown;
    essential?: unknown;
  };
  const listed = Array.isArray(values) ? values : [value];
  return {
    values: listed.filter((entry): entry is string => typeof entry === 'string'),
    essential: essential === true,
  };
}

/** The lowest level that satisfies a request; undefined where none of its values is ours. */
export function requestedLevel({ values }: AcrRequest): Level | undefined {
  const levels = values.map(levelOf).filter((level) => level !== 0);
  return levels.length > 0 ? (Math.min(...levels) as Level) : undefined;
}
