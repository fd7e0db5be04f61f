import type { CustomClaim } from './claim-value.ts';

/** Which claims a scope opens; those of `openid` stand in every ID token, the others at the userinfo endpoint. */
export const claimsOfScopes = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'locale'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
} as const;

const standing = Object.entries(claimsOfScopes) as [string, readonly string[]][];

/** The claims that a scope opens, those of the house's own among them. */
export const claimsIn = (scope: string, own: readonly CustomClaim[]): string[] => [
  ...(standing.find(([name]) => name === scope)?.[1] ?? []),
  ...own.filter((claim) => claim.scope === scope).map(({ name }) => name),
];

/** The scopes whose words stand for claims that were asked for one by one; those of `openid` need none. */
export const scopesOf = (claims: readonly string[], own: readonly CustomClaim[]): string[] =>
  [...new Set([...standing.map(([scope]) => scope), ...own.map(({ scope }) => scope)])].filter(
    (scope) => scope !== 'openid' && claimsIn(scope, own).some((name) => claims.includes(name)),
  );
