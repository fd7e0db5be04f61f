import type { Configuration } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import type { Db } from '../platform/database.ts';
import type { Vault } from '../platform/secrets.ts';
import type { SecretReader } from './client-secrets.ts';
import { noteUse, signingSecret } from './client-secrets.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** Seconds that an assertion may be good for: one that somebody finds later is worth nothing (RFC 7523 §3). */
const longestAssertion = 3600;
/** The library's own tolerance of clocks, in seconds. */
const tolerance = 15;

/** What an assertion must hold besides the library's rules, whatever it was signed with. */
export const furtherRules: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = (
  _ctx,
  { exp },
) => {
  if (Number(exp) > Date.now() / 1000 + longestAssertion + tolerance)
    throw new errors.InvalidClientAuth('the client assertion is good for longer than an hour');
};

interface Key {
  kty: 'oct';
  alg: 'HS256';
  k: string;
}

/** The part of a client that the library verifies its signatures by. */
interface SymmetricKeys {
  clear(): void;
  selectForVerify(wanted: { alg: string }): readonly Key[];
}

const signedParts = (assertion: string) => {
  const end = assertion.lastIndexOf('.');
  return {
    text: assertion.slice(0, Math.max(end, 0)),
    signature: Buffer.from(assertion.slice(end + 1), 'base64url'),
  };
};

/**
 * Has the library verify `client_secret_jwt` by the live secrets in the database, read and opened at each use: it knows
 * one secret for a client, keeps it as long as it keeps the built client, and ours are several, end at once and stand in
 * no metadata. The keys of a request are those of its own assertion, and are gone with it.
 */
export function signBySecrets(
  provider: Provider,
  by: { db: Db; vault: Vault; read: SecretReader },
  work: UnitOfWork,
): void {
  const read = new WeakMap<object, readonly Key[]>();
  const keysFor = async (clientId: string, assertion: string): Promise<readonly Key[]> => {
    const found = await signingSecret(by, clientId, signedParts(assertion));
    if (!found) return [];
    // At most once a minute, and after the answer's own writes.
    if (found.stale) work.afterCommit(() => noteUse(by.db, found.id));
    return [{ kty: 'oct', alg: 'HS256', k: Buffer.from(found.secret).toString('base64url') }];
  };
  const { Client } = provider;
  const find = Client.find.bind(Client);
  Client.find = async (id) => {
    const client = await find(id);
    if (client?.clientAuthMethod !== 'client_secret_jwt') return client;
    const { symmetricKeyStore: keys } = client as unknown as { symmetricKeyStore: SymmetricKeys };
    // Whatever the library made of the text that stands in the secret's place opens nothing.
    keys.clear();
    keys.selectForVerify = ({ alg }) => (alg === 'HS256' && read.get(Provider.ctx ?? keys)) || [];
    const { ctx } = Provider;
    const { client_assertion: assertion } = ctx?.oidc.params ?? {};
    // Here and not when they are asked for: there the library takes a database that is away for a wrong signature.
    if (ctx && typeof assertion === 'string') read.set(ctx, await keysFor(client.clientId, assertion));
    return client;
  };
}
