import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Client, Configuration } from 'oidc-provider';
import { errors, Provider } from 'oidc-provider';
import type { Db } from '../db/database.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { assertionSigningAlgs } from '../clients/assertion-rules.ts';
import { assertionAudienceOf } from '../clients/metadata.ts';
import type { SecretReader } from '../clients/secrets.ts';
import { recordSecretUse, findSigningSecret } from '../clients/secrets.ts';
import type { UnitOfWork } from './storage/unit-of-work.ts';

/** Seconds that an assertion may be good for: one that is found later is worth nothing (RFC 7523 §3). */
const maxAssertionSeconds = 3600;
/** The library's own tolerance of clocks, in seconds. */
const clockToleranceSeconds = 15;

/** The one string that a client's assertions must name as their audience. */
const audienceOf = (issuer: string, client: Client): string =>
  assertionAudienceOf(client) === 'issuer' ? issuer : `${issuer}/token`;

/** Why the audience of an assertion is not accepted: it must be the one string, and no list (CVE-2025-27370). */
function audienceFault(aud: unknown, expected: string): string | undefined {
  if (aud === expected) return undefined;
  const list = Array.isArray(aud) ? ', which is no list' : '';
  return `client assertion aud must be the string ${expected}${list}`;
}

/** The lifetime of an assertion, by a key or by a secret; its audience and algorithm are in `holdToRegistration`. */
export const checkAssertionLifetime: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = (
  _ctx,
  { exp },
) => {
  if (Number(exp) > Date.now() / 1000 + maxAssertionSeconds + clockToleranceSeconds)
    throw new errors.InvalidClientAuth('the client assertion is good for longer than an hour');
};

/** Header and claims as they were sent, not verified; undefined for what is no JWT, which the library refuses. */
function unverified(assertion: unknown): { alg: unknown; aud: unknown } | undefined {
  try {
    const { alg } = decodeProtectedHeader(String(assertion));
    return { alg, aud: decodeJwt(String(assertion)).aud };
  } catch {
    return undefined;
  }
}

/**
 * Holds clients to the one algorithm and the one audience of their registration, at every endpoint that takes
 * assertions. The library accepts the endpoint's own address and lists; asked for the audiences that it accepts, it is
 * answered with one, and a client's administrator reads what was wrong instead of "alg mismatch".
 */
export function holdToRegistration({ OIDCContext }: Provider): void {
  OIDCContext.prototype.clientJwtAuthExpectedAudience = function expectedAudience() {
    const { client, issuer, params } = this;
    if (!client) throw new Error('an assertion is checked before its client is known');
    const expected = audienceOf(issuer, client);
    const sent = unverified(params?.client_assertion);
    const alg = client.tokenEndpointAuthSigningAlg;
    if (sent && sent.alg !== alg)
      throw new errors.InvalidClientAuth(
        `client assertion alg must be ${alg}, as the client is registered for${known(sent.alg)}`,
      );
    const fault = sent && audienceFault(sent.aud, expected);
    if (fault) throw new errors.InvalidClientAuth(fault);
    return new Set([expected]);
  };
}

/** An algorithm as it was sent, where it is one by its name: anything may be sent. */
const known = (alg: unknown): string =>
  assertionSigningAlgs.some((one) => one === alg) ? `; it was ${String(alg)}` : '';

interface HmacKey {
  kty: 'oct';
  alg: 'HS256';
  k: string;
}

/** The part of a client that the library verifies its signatures by. */
interface SymmetricKeyStore {
  clear(): void;
  selectForVerify(wanted: { alg: string }): readonly HmacKey[];
}

const splitAssertion = (assertion: string) => {
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
export function verifySecretJwtAssertions(
  provider: Provider,
  dependencies: { db: Db; vault: Encryption; read: SecretReader },
  unitOfWork: UnitOfWork,
): void {
  const keysByRequest = new WeakMap<object, readonly HmacKey[]>();
  const findKeys = async (clientId: string, assertion: string): Promise<readonly HmacKey[]> => {
    const found = await findSigningSecret(dependencies, clientId, splitAssertion(assertion));
    if (!found) return [];
    // At most once a minute, and after the answer's own writes.
    if (found.stale) unitOfWork.afterCommit(() => recordSecretUse(dependencies.db, found.id));
    return [{ kty: 'oct', alg: 'HS256', k: Buffer.from(found.secret).toString('base64url') }];
  };
  const { Client } = provider;
  const find = Client.find.bind(Client);
  Client.find = async (id) => {
    const client = await find(id);
    if (client?.clientAuthMethod !== 'client_secret_jwt') return client;
    const { symmetricKeyStore: keys } = client as unknown as { symmetricKeyStore: SymmetricKeyStore };
    // What the library made of the text that stands in the secret's place opens nothing.
    keys.clear();
    keys.selectForVerify = ({ alg }) => (alg === 'HS256' && keysByRequest.get(Provider.ctx ?? keys)) || [];
    const { ctx } = Provider;
    const { client_assertion: assertion } = ctx?.oidc.params ?? {};
    // Here and not when they are asked for: there the library takes a database that is away for a wrong signature.
    if (ctx && typeof assertion === 'string')
      keysByRequest.set(ctx, await findKeys(client.clientId, assertion));
    return client;
  };
}
