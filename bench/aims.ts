/** What is aimed at (issue 6), beside what is measured. */
export interface PerformanceTarget {
  /** Operations a second, as a share of the Map's. */
  toMap?: number;
  /** Operations a second, as a share of what the hash alone allows. */
  toHash?: number;
  /** What the scenario is called in the tables. */
  title: string;
  /** Hashes in one operation, where they are its point. */
  hashes?: number;
}

export const performanceTargets: Readonly<Record<string, PerformanceTarget>> = {
  'client-credentials': { title: 'client credentials, opaque', toMap: 0.75 },
  'client-credentials-jwt': { title: 'client credentials, JWT', toMap: 0.95 },
  refresh: { title: 'refresh with rotation', toMap: 0.9 },
  introspection: { title: 'introspection', toMap: 0.9 },
  userinfo: { title: 'userinfo', toMap: 1 },
  'code-exchange': { title: 'code exchange' },
  'silent-sso': { title: 'silent SSO and exchange', toMap: 0.85 },
  'code-journey': { title: 'code journey, no hash', toMap: 0.9 },
  'sign-in': { title: 'password sign-in', hashes: 1, toHash: 0.7 },
  'sign-in-totp': { title: 'password and six digits', hashes: 1 },
  recovery: { title: 'new phone, seven screens', hashes: 3 },
  discovery: { title: 'discovery' },
  jwks: { title: 'keys (JWKS)' },
};

/** Milliseconds: the p99 of a signed token during a flood of sign-ins. */
export const floodTarget = 20;
/** MiB: a process at rest, and what it may grow by in 100 000 sign-ins. */
export const memoryTargets = { atRest: 150, growth: 20 };
/** The rate of the most people as a share of that of the fewest. */
export const sizeTarget = 0.95;
/** The rate of two processes as a multiple of one's, where the database is not the limit. */
export const processTarget = 1.7;

/** What Keycloak's sizing guide counts on for each core and second. */
export const keycloakReference: Readonly<Record<string, number>> = {
  'sign-in': 15,
  'client-credentials': 120,
  refresh: 120,
};
