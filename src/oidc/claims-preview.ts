import type { Provider } from 'oidc-provider';
import type { Account } from '../users/users.ts';
import { accountByEmail } from '../users/users.ts';
import { authenticatorOf } from '../mfa/totp.ts';
import type { Db } from '../db/database.ts';
import { listClaims } from '../users/claim-definitions.ts';
import { claimsFor } from './claims/claims.ts';
import { claimsIn } from '../users/claim-scopes.ts';
import { mayUse } from '../clients/access.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { subjectFor } from './subjects.ts';

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

async function claimsTold(
  db: Db,
  provider: Provider,
  client: ClientDescription,
  person: Account,
): Promise<Claim[]> {
  const own = await listClaims(db);
  const groups = client.allowedGroups.length > 0 ? client.allowedGroups : undefined;
  const sub = await subjectFor(provider, client, person.id);
  const all = { ...(await claimsFor(db, own, person, { scopes: client.scopes, groups })), sub };
  const first: Claim[] = [
    { name: 'iss', value: provider.issuer, where: 'id-token' },
    { name: 'aud', value: client.id, where: 'id-token' },
    { name: 'sub', value: sub, where: 'id-token' },
    { name: 'acr', value: undefined, where: 'id-token' },
    { name: 'amr', value: undefined, where: 'id-token' },
    { name: 'auth_time', value: undefined, where: 'id-token' },
    { name: 'sid', value: undefined, where: 'id-token' },
  ];
  const names = ['sub', ...client.scopes.flatMap((scope) => claimsIn(scope, own))];
  const told = Object.entries(all).filter(([name]) => names.includes(name));
  const inOrder = told.toSorted(([one], [other]) => names.indexOf(one) - names.indexOf(other));
  return [...first, ...inOrder.map(([name, value]): Claim => ({ name, value, where: 'userinfo' }))];
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
  return { person, verdicts: found, claims: await claimsTold(db, provider, client, person) };
}
