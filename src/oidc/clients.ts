import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { AdapterPayload } from 'oidc-provider';
import { z } from 'zod';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { sql } from '../platform/database.ts';
import { randomToken, sha256 } from '../platform/secrets.ts';

const schemes = /^(https:|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$))/;
const identifier = /^[a-z][a-z0-9-]{1,62}$/;
const address = z
  .url()
  .max(2000)
  .refine((url) => schemes.test(url), 'must be https (http for localhost only)')
  .refine((url) => !url.includes('#'), 'must not have a fragment');

/** A public key by which a client proves itself (RFC 7517); one that carries its private half is refused. */
const publicKey = z.discriminatedUnion('kty', [
  z.looseObject({
    kty: z.literal('RSA'),
    n: z.string().min(1),
    e: z.string().min(1),
    d: z.never().optional(),
  }),
  z.looseObject({
    kty: z.literal('EC'),
    crv: z.string(),
    x: z.string().min(1),
    y: z.string().min(1),
    d: z.never().optional(),
  }),
  z.looseObject({ kty: z.literal('OKP'), crv: z.string(), x: z.string().min(1), d: z.never().optional() }),
]);

/** An application as an administrator describes it; its type chooses safe defaults for the protocol. */
export const clientSchema = z
  .strictObject({
    id: z
      .string()
      .regex(identifier, 'lower-case letters, digits and hyphens, 2 to 63 of them')
      // A client is never mistaken for a person (RFC 9700 §4.15), nor for the provider's own pages.
      .refine((id) => id !== 'hemma-account', 'is the provider itself')
      .refine((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(id), 'must not look like an account'),
    name: z.string().trim().min(1).max(80),
    type: z.enum(['web', 'single-page', 'native', 'service']),
    firstParty: z.boolean().default(false),
    redirectUris: z.array(address).max(50).default([]),
    postLogoutRedirectUris: z.array(address).max(50).default([]),
    backchannelLogoutUri: address.optional(),
    launchUrl: address.optional(),
    scopes: z.array(z.enum(['profile', 'email', 'offline_access'])).default(['profile', 'email']),
    /** What it may send people here to do, besides signing in (see intents.ts). */
    allowedIntents: z.array(z.enum(['replace_authenticator', 'step_up'])).default([]),
    signingAlg: z.enum(['RS256', 'ES256']).default('RS256'),
    jwks: z.object({ keys: z.array(publicKey).min(1) }).optional(),
  })
  .refine(({ type, redirectUris }) => type === 'service' || redirectUris.length > 0, {
    path: ['redirectUris'],
    message: 'people need an address to come back to',
  });
export type ClientDescription = z.output<typeof clientSchema>;

interface Row {
  id: string;
  metadata: ClientDescription;
  first_party: boolean;
  updated_at: Date;
  disabled_at: Date | null;
}

const confidential = (client: ClientDescription) => client.type === 'web' || client.type === 'service';

/**
 * What the library needs in a field that it never reads: secrets are kept hashed, several to a client, and
 * compared by `secretMatches`. Changing with the client's edits, it tells the library's cache of built clients.
 */
const unusable = (client: ClientDescription, updatedAt: Date) => `hashed:${client.id}:${updatedAt.getTime()}`;

function protocolMetadata(client: ClientDescription, updatedAt: Date): AdapterPayload {
  const service = client.type === 'service';
  const method = client.jwks ? 'private_key_jwt' : confidential(client) ? 'client_secret_basic' : 'none';
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.type === 'native' ? 'native' : 'web',
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    response_types: service ? [] : ['code'],
    grant_types: service ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: method,
    id_token_signed_response_alg: client.signingAlg,
    scope: ['openid', ...client.scopes].join(' '),
    ...(client.launchUrl ? { client_uri: client.launchUrl } : {}),
    ...(client.jwks ? { jwks: client.jwks } : {}),
    ...(method === 'client_secret_basic' ? { client_secret: unusable(client, updatedAt) } : {}),
    ...(client.backchannelLogoutUri
      ? { backchannel_logout_uri: client.backchannelLogoutUri, backchannel_logout_session_required: true }
      : {}),
    'urn:hemma:first-party': client.firstParty,
    'urn:hemma:allowed-intents': client.allowedIntents ?? [],
  };
}

/** The provider's own pages as a client: `response_type=none`, back to My details, no tokens, no secret. */
export const accountClient = (issuer: string): AdapterPayload => ({
  client_id: 'hemma-account',
  client_name: 'Hemma',
  redirect_uris: [`${issuer}/account`],
  post_logout_redirect_uris: [`${issuer}/account`],
  response_types: ['none'],
  grant_types: [],
  token_endpoint_auth_method: 'none',
  scope: 'openid',
  'urn:hemma:first-party': true,
});

/** The client as the protocol sees it; undefined where there is none or it is switched off. */
export async function clientMetadata(db: Db, id: string): Promise<AdapterPayload | undefined> {
  if (!identifier.test(id)) return undefined;
  const { rows } = await db.query<Row>(
    'SELECT id, metadata, first_party, updated_at, disabled_at FROM clients WHERE id = $1 AND disabled_at IS NULL',
    [id],
  );
  return rows[0] && protocolMetadata(rows[0].metadata, rows[0].updated_at);
}

/** Whether `given` is one of the client's live secrets, in constant time. */
export async function secretMatches(db: Db, clientId: string, given: string): Promise<boolean> {
  const { rows } = await db.query<{ hash: Buffer }>(
    'SELECT hash FROM client_secrets WHERE client_id = $1 AND (expires_at IS NULL OR expires_at > $2)',
    [clientId, new Date()],
  );
  const presented = sha256(given);
  return rows.map(({ hash }) => timingSafeEqual(hash, presented)).includes(true);
}

/** Makes or changes a client; applying the same description again changes nothing. Answers what happened. */
export function applyClient(db: Db, client: ClientDescription): Promise<'created' | 'changed' | 'unchanged'> {
  return db.transaction(async (open) => {
    const { rows } = await open.query<{ fresh: boolean }>(
      `INSERT INTO clients AS c (id, metadata, first_party, created_at, updated_at)
       VALUES ($1, $2::text::jsonb, $3, $4, $4)
       ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata, first_party = excluded.first_party,
         updated_at = excluded.updated_at
       WHERE c.metadata <> excluded.metadata RETURNING created_at = updated_at AS fresh`,
      [client.id, JSON.stringify(client), client.firstParty, new Date()],
    );
    if (!rows[0]) return 'unchanged';
    await audit(open, { event: 'client.applied', clientId: client.id });
    return rows[0].fresh ? 'created' : 'changed';
  });
}

/**
 * Adds a named secret to a confidential client and answers it, once: it is kept as a hash. `given` is for
 * trying out, where two programs must agree on it beforehand.
 */
export async function addSecret(
  db: Db,
  clientId: string,
  name: string,
  given?: string,
): Promise<string | undefined> {
  const secret = given ?? randomToken();
  return db.transaction(async (open) => {
    const { count } = await open.query(
      `INSERT INTO client_secrets (id, client_id, name, hash, created_at)
       SELECT $1, id, $3, $4, $5 FROM clients WHERE id = $2 AND metadata->>'type' IN ('web', 'service')`,
      [randomUUID(), clientId, name, sha256(secret), new Date()],
    );
    if (count === 0) return undefined;
    await audit(open, { event: 'client.secret-added', clientId, detail: { name } });
    return secret;
  });
}

export type ListedClient = ClientDescription & { enabled: boolean; secrets: number };

/** All clients by identifier, with how many secrets each has; never a secret. */
export async function listClients(db: Db): Promise<ListedClient[]> {
  const { rows } = await db.run<Row & { secrets: number }>(
    sql('clients')
      .select('clients.*')
      .select(
        sql('client_secrets').count('*').whereRaw('client_secrets.client_id = clients.id').as('secrets'),
      )
      .orderBy('id'),
  );
  return rows.map((row) => ({
    ...row.metadata,
    enabled: row.disabled_at === null,
    secrets: row.secrets,
  }));
}
