import type { Account } from '../accounts/accounts.ts';

/** Which claims a scope opens; those of `openid` stand in every ID token, the others at the userinfo endpoint. */
export const claimsOfScopes = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'locale'],
  email: ['email', 'email_verified'],
} as const;

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
