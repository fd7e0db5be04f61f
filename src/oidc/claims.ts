import type { Account } from '../accounts/accounts.ts';

/** Which claims a scope opens; those of `openid` stand in every ID token, the others at the userinfo endpoint. */
export const claimsOfScopes = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'locale'],
  email: ['email', 'email_verified'],
} as const;

const scopes = Object.entries(claimsOfScopes) as [string, readonly string[]][];

/** The scopes whose words stand for claims that were asked for one by one; those of `openid` need none. */
export const scopesOf = (claims: readonly string[]): string[] =>
  scopes.flatMap(([scope, names]) =>
    scope !== 'openid' && names.some((name) => claims.includes(name)) ? [scope] : [],
  );

/** What the provider says of a person; which part of it an application reads is decided by its scopes. */
export function claimsOf(account: Account) {
  return {
    sub: account.id,
    name: account.name,
    email: account.email,
    email_verified: account.emailVerified,
    ...(account.locale ? { locale: account.locale } : {}),
  };
}

/**
 * The part of it that an application may see by what it is registered with now: neither the `claims` parameter
 * (OpenID Connect Core §5.5), which names claims without a scope, nor an older token reaches beyond that.
 */
export function claimsWithin(account: Account, registered: string) {
  const open = new Set(
    ['openid', ...registered.split(' ')].flatMap((scope) => [
      ...(scopes.find(([name]) => name === scope)?.[1] ?? []),
    ]),
  );
  const all = Object.entries(claimsOf(account)).filter(([name]) => open.has(name));
  return { ...Object.fromEntries(all), sub: account.id };
}
