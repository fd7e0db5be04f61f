import type { Provider } from 'oidc-provider';
import type { User } from '../users/users.ts';
import { findUserByEmail } from '../users/users.ts';
import { findAuthenticator } from '../mfa/totp.ts';
import type { Db } from '../db/database.ts';
import { listClaims } from '../users/claim-definitions.ts';
import { buildClaims } from './claims/claims.ts';
import { claimsIn } from '../users/claim-scopes.ts';
import { canUseClient } from '../clients/access.ts';
import type { ClientDescription } from '../clients/schema.ts';
import { getSubject } from './subjects.ts';

/** One claim: where it stands, and its value; undefined for one that only a sign-in decides. */
export interface PreviewClaim {
  name: string;
  value: unknown;
  where: 'id-token' | 'userinfo';
}

/** How a person stands to an application. */
export const accessVerdicts = ['allowed', 'outside', 'disabled', 'needs-phone'] as const;
export type AccessVerdict = (typeof accessVerdicts)[number];

/** What an application would be told of a person, and whether they may use it; nothing is sent to it. */
export interface ClaimsPreview {
  person: User;
  verdicts: AccessVerdict[];
  claims: PreviewClaim[];
}

async function listPreviewClaims(
  db: Db,
  provider: Provider,
  client: ClientDescription,
  user: User,
): Promise<PreviewClaim[]> {
  const customClaims = await listClaims(db);
  const groups = client.allowedGroups.length > 0 ? client.allowedGroups : undefined;
  const sub = await getSubject(provider, client, user.id);
  const all = { ...(await buildClaims(db, customClaims, user, { scopes: client.scopes, groups })), sub };
  const first: PreviewClaim[] = [
    { name: 'iss', value: provider.issuer, where: 'id-token' },
    { name: 'aud', value: client.id, where: 'id-token' },
    { name: 'sub', value: sub, where: 'id-token' },
    { name: 'acr', value: undefined, where: 'id-token' },
    { name: 'amr', value: undefined, where: 'id-token' },
    { name: 'auth_time', value: undefined, where: 'id-token' },
    { name: 'sid', value: undefined, where: 'id-token' },
  ];
  const names = ['sub', ...client.scopes.flatMap((scope) => claimsIn(scope, customClaims))];
  const values = Object.entries(all).filter(([name]) => names.includes(name));
  const inOrder = values.toSorted(([one], [other]) => names.indexOf(one) - names.indexOf(other));
  return [...first, ...inOrder.map(([name, value]): PreviewClaim => ({ name, value, where: 'userinfo' }))];
}

/** What an application would be told of whoever has that address; undefined where nobody has it. */
export async function previewClaims(
  db: Db,
  provider: Provider,
  client: ClientDescription,
  email: string,
): Promise<ClaimsPreview | undefined> {
  const user = await findUserByEmail(db, email);
  if (!user) return undefined;
  const compiled = await provider.Client.find(client.id);
  // One that is switched off is not compiled: its groups are judged as soon as it is on again.
  const allowed = await canUseClient(db, compiled, user.id);
  const authenticator = await findAuthenticator(db, user.id);
  const found: AccessVerdict[] = [
    user.disabledAt ? 'disabled' : allowed ? 'allowed' : 'outside',
    ...(client.requiredAcr && !authenticator ? (['needs-phone'] as const) : []),
  ];
  return { person: user, verdicts: found, claims: await listPreviewClaims(db, provider, client, user) };
}
