import type { Account } from '../../users/users.ts';
import { attributesOf } from '../../users/attributes.ts';
import type { OwnClaim } from '../../users/claim-value.ts';
import { claimsIn } from '../../users/claim-scopes.ts';
import { groupsOf } from '../../users/groups.ts';
import type { Db } from '../../db/database.ts';

/** What every account has; which part of it an application reads is decided by its scopes. */
const ofAccount = (account: Account): Record<string, unknown> => ({
  name: account.name,
  email: account.email,
  email_verified: account.emailVerified,
  ...(account.locale ? { locale: account.locale } : {}),
});

/** An application as far as it decides what it is told. */
export interface Listener {
  /** The scopes that it is registered with now. */
  scopes: readonly string[];
  /** The groups whose people may use it; undefined where everybody may. */
  groups: readonly string[] | undefined;
}

/**
 * The groups of an account that an application hears of: all, or where it is for the people of some groups alone those
 * among them. Of a person who belongs to two customers the one's application does not learn the other.
 */
async function groupsToldTo(db: Db, account: Account, { groups }: Listener): Promise<string[]> {
  const mine = await groupsOf(db, account.id);
  return mine.filter(({ id }) => groups?.includes(id) ?? true).map(({ name }) => name);
}

/** What of the house's own claims an account has a value for. */
async function ownOf(db: Db, account: Account, own: readonly OwnClaim[]): Promise<[string, unknown][]> {
  if (own.length === 0) return [];
  const names = own.map(({ name }) => name);
  const said = await attributesOf(db, account.id, names);
  return own.flatMap(({ name, multi }): [string, unknown][] => {
    const values = said[name];
    return values ? [[name, multi ? values : values[0]]] : [];
  });
}

/**
 * What the provider says of a person to an application: the part that it may see by what it is registered with now.
 * Neither the `claims` parameter (OpenID Connect Core §5.5), which names claims without a scope, nor an older token
 * reaches beyond that. Only what is `wanted` is looked up, and everything where that is left out.
 */
export async function claimsFor(
  db: Db,
  own: readonly OwnClaim[],
  account: Account,
  listener: Listener,
  wanted?: ReadonlySet<string>,
): Promise<Record<string, unknown> & { sub: string }> {
  const open = new Set(['openid', ...listener.scopes].flatMap((scope) => claimsIn(scope, own)));
  const isTold = (name: string) => open.has(name) && (wanted?.has(name) ?? true);
  const told = [
    ...Object.entries(ofAccount(account)),
    ...(isTold('groups') ? [['groups', await groupsToldTo(db, account, listener)] as const] : []),
    ...(await ownOf(
      db,
      account,
      own.filter(({ name }) => isTold(name)),
    )),
  ];
  return { ...Object.fromEntries(told.filter(([name]) => open.has(name))), sub: account.id };
}

/** The claims that a token's scopes and the `claims` parameter ask for. */
export const wantedBy = (
  own: readonly OwnClaim[],
  scope: string,
  claims: Readonly<Record<string, unknown>> | undefined,
): Set<string> =>
  new Set([...scope.split(' ').flatMap((one) => claimsIn(one, own)), ...Object.keys(claims ?? {})]);
