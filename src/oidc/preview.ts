import type { Provider } from 'oidc-provider';
import type { Account } from '../accounts/accounts.ts';
import { accountByEmail } from '../accounts/accounts.ts';
import { authenticatorOf } from '../factors/totp.ts';
import type { Db } from '../platform/database.ts';
import { claimsOf, claimsOfScopes } from './claims.ts';
import { mayUse } from './client-access.ts';
import type { ClientDescription } from './client-description.ts';

/** One claim: where it stands, and its value; undefined for one that only a sign-in decides. */
export interface Claim {
  name: string;
  value: unknown;
  where: 'id-token' | 'userinfo';
}

/** How a person stands to an application. */
export const verdicts = ['allowed', 'outside', 'disabled', 'needs-phone'] as const;
export type Verdict = (typeof verdicts)[number];

/** What an application would be told of a person, and whether they may use it; nothing is sent to it. */
export interface Preview {
  person: Account;
  verdicts: Verdict[];
  claims: Claim[];
}

function claimsFor(issuer: string, client: ClientDescription, person: Account): Claim[] {
  const all: Record<string, unknown> = claimsOf(person);
  const first: Claim[] = [
    { name: 'iss', value: issuer, where: 'id-token' },
    { name: 'aud', value: client.id, where: 'id-token' },
    { name: 'sub', value: person.id, where: 'id-token' },
    { name: 'acr', value: undefined, where: 'id-token' },
    { name: 'amr', value: undefined, where: 'id-token' },
    { name: 'auth_time', value: undefined, where: 'id-token' },
    { name: 'sid', value: undefined, where: 'id-token' },
  ];
  const scopes = client.scopes.filter((scope) => scope !== 'offline_access');
  const names = ['sub', ...scopes.flatMap((scope) => [...claimsOfScopes[scope]])];
  const told = names.filter((name) => all[name] !== undefined);
  return [...first, ...told.map((name): Claim => ({ name, value: all[name], where: 'userinfo' }))];
}

/** What an application would be told of whoever has that address; undefined where nobody has it. */
export async function previewOf(
  db: Db,
  provider: Provider,
  client: ClientDescription,
  email: string,
): Promise<Preview | undefined> {
  const person = await accountByEmail(db, email);
  if (!person) return undefined;
  const compiled = await provider.Client.find(client.id);
  // One that is switched off is not compiled: its groups are judged as soon as it is on again.
  const allowed = await mayUse(db, compiled, person.id);
  const phone = await authenticatorOf(db, person.id);
  const found: Verdict[] = [
    person.disabledAt ? 'disabled' : allowed ? 'allowed' : 'outside',
    ...(client.requiredAcr && !phone ? (['needs-phone'] as const) : []),
  ];
  return { person, verdicts: found, claims: claimsFor(provider.issuer, client, person) };
}
