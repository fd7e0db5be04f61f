import type { User } from '../../users/users.ts';
import { findAttributes } from '../../users/attributes.ts';
import type { CustomClaim } from '../../users/claim-value.ts';
import { claimsIn } from '../../users/claim-scopes.ts';
import { listUserGroups } from '../../users/groups.ts';
import type { Db } from '../../db/database.ts';

/** What every account has; which part of it an application reads is decided by its scopes. */
const getStandardClaims = (account: User): Record<string, unknown> => ({
  name: account.name,
  email: account.email,
  email_verified: account.emailVerified,
  ...(account.locale ? { locale: account.locale } : {}),
});

/** An application as far as it decides what it is told. */
export interface ClaimsRecipient {
  /** The scopes that it is registered with now. */
  scopes: readonly string[];
  /** The groups whose people may use it; undefined where everybody may. */
  groups: readonly string[] | undefined;
}

/**
 * The groups of an account that an application hears of: all, or where it is for the people of some groups alone those
 * among them. Of a person who belongs to two customers the one's application does not learn the other.
 */
async function getVisibleGroups(db: Db, account: User, { groups }: ClaimsRecipient): Promise<string[]> {
  const mine = await listUserGroups(db, account.id);
  return mine.filter(({ id }) => groups?.includes(id) ?? true).map(({ name }) => name);
}

/** What of the house's own claims an account has a value for. */
async function getCustomClaims(
  db: Db,
  account: User,
  customClaims: readonly CustomClaim[],
): Promise<[string, unknown][]> {
  if (customClaims.length === 0) return [];
  const names = customClaims.map(({ name }) => name);
  const attributes = await findAttributes(db, account.id, names);
  return customClaims.flatMap(({ name, multi }): [string, unknown][] => {
    const values = attributes[name];
    return values ? [[name, multi ? values : values[0]]] : [];
  });
}

/**
 * What the provider says of a person to an application: the part that it may see by what it is registered with now.
 * Neither the `claims` parameter (OpenID Connect Core §5.5), which names claims without a scope, nor an older token
 * reaches beyond that. Only what is `wanted` is looked up, and everything where that is left out.
 */
export async function buildClaims(
  db: Db,
  customClaims: readonly CustomClaim[],
  account: User,
  recipient: ClaimsRecipient,
  requested?: ReadonlySet<string>,
): Promise<Record<string, unknown> & { sub: string }> {
  const open = new Set(['openid', ...recipient.scopes].flatMap((scope) => claimsIn(scope, customClaims)));
  const isDisclosed = (name: string) => open.has(name) && (requested?.has(name) ?? true);
  const told = [
    ...Object.entries(getStandardClaims(account)),
    ...(isDisclosed('groups') ? [['groups', await getVisibleGroups(db, account, recipient)] as const] : []),
    ...(await getCustomClaims(
      db,
      account,
      customClaims.filter(({ name }) => isDisclosed(name)),
    )),
  ];
  return { ...Object.fromEntries(told.filter(([name]) => open.has(name))), sub: account.id };
}

/** The claims that a token's scopes and the `claims` parameter ask for. */
export const getRequestedClaims = (
  customClaims: readonly CustomClaim[],
  scope: string,
  claims: Readonly<Record<string, unknown>> | undefined,
): Set<string> =>
  new Set([...scope.split(' ').flatMap((one) => claimsIn(one, customClaims)), ...Object.keys(claims ?? {})]);
