import type { Db } from '../db/database.ts';
import { sha256 } from '../crypto/encryption.ts';
import type { ClientErrorCause } from './error-causes.ts';
import { findErrorCause } from './error-causes.ts';

/** Where a request came to. */
export const clientErrorEndpoints = [
  'authorization',
  'pushed-request',
  'device-authorization',
  'token',
  'introspection',
  'revocation',
  'userinfo',
  'sign-out',
] as const;
export type ClientErrorEndpoint = (typeof clientErrorEndpoints)[number];

/** Something that an application asked for and did not get. */
export interface ClientError {
  endpoint: ClientErrorEndpoint;
  /** The standard's code, as the application was told it. */
  error: string;
  /** Why, in the library's words. Some of it may come from outside, so it is shown as text. */
  detail: string;
  /** The address that it is about, as the request said it. From outside: shown as text and never as a link. */
  address?: string | undefined;
}

export interface ClientErrorRecord extends ClientError {
  cause: ClientErrorCause;
  /** How often; what comes more than once a second is counted once. */
  times: number;
  firstAt: Date;
  lastAt: Date;
}

/**
 * Anybody can send anything in an application's name: so many different refusals of it are kept at each endpoint, the
 * latest, and so many new ones are taken in a minute. A flood at one door hides nothing of what came to another.
 */
const maxErrorsPerEndpoint = 10;
const maxNewPerMinute = 10;

const second = 1000;
const maxLengths = { error: 60, detail: 200, address: 500 };

/** PostgreSQL keeps no NUL, and nobody reads what turns a line around. */
const sanitizeText = (text: string, most: number): string =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are the characters that are meant
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .slice(0, most);

/** Notes a refusal for whoever looks after the application. One that is gone meanwhile has none. */
export async function recordClientError(
  db: Db,
  clientId: string,
  { endpoint, ...refusal }: ClientError,
): Promise<void> {
  const error = sanitizeText(refusal.error, maxLengths.error);
  const detail = sanitizeText(refusal.detail, maxLengths.detail);
  const address = refusal.address === undefined ? null : sanitizeText(refusal.address, maxLengths.address);
  const now = new Date();
  const ago = (time: number) => new Date(now.getTime() - time);
  const { rows } = await db.query<{ times: number }>(
    `INSERT INTO refused_requests AS r
       (client_id, endpoint, digest, error, detail, address, times, first_at, last_at)
     SELECT id, $2, $3, $4, $5, $6, 1, $7, $7 FROM (SELECT $1::text AS id) AS asked
     WHERE EXISTS (SELECT 1 FROM refused_requests WHERE client_id = $1 AND endpoint = $2 AND digest = $3)
       OR $10 > (SELECT count(*) FROM refused_requests WHERE client_id = $1 AND endpoint = $2 AND first_at > $8)
     ON CONFLICT (client_id, endpoint, digest) DO UPDATE SET times = least(r.times + 1, 1000000), last_at = $7
       WHERE r.last_at <= $9
     RETURNING times`,
    [
      clientId,
      endpoint,
      sha256(JSON.stringify([error, detail, address])),
      error,
      detail,
      address,
      now,
      ago(60 * second),
      ago(second),
      maxNewPerMinute,
    ],
  );
  if (rows[0]?.times !== 1) return;
  await db.query(
    `DELETE FROM refused_requests WHERE client_id = $1 AND endpoint = $2 AND digest NOT IN (
       SELECT digest FROM refused_requests WHERE client_id = $1 AND endpoint = $2 ORDER BY last_at DESC LIMIT $3)`,
    [clientId, endpoint, maxErrorsPerEndpoint],
  );
}

/** What an application did not get, the latest first. */
export async function listClientErrors(db: Db, clientId: string): Promise<ClientErrorRecord[]> {
  const { rows } = await db.query<
    Omit<ClientError, 'address'> & { address: string | null; times: number; first_at: Date; last_at: Date }
  >(
    `SELECT endpoint, error, detail, address, times, first_at, last_at FROM refused_requests
     WHERE client_id = $1 ORDER BY last_at DESC`,
    [clientId],
  );
  return rows.map(({ first_at: firstAt, last_at: lastAt, address, ...row }) => ({
    ...row,
    cause: findErrorCause(row),
    firstAt,
    lastAt,
    ...(address === null ? {} : { address }),
  }));
}

/** Forgets them, once whoever looks after the application has seen to it. */
export async function clearClientErrors(db: Db, clientId: string): Promise<void> {
  await db.query('DELETE FROM refused_requests WHERE client_id = $1', [clientId]);
}

/** Removes what has not come again since `before`, at most `limit`; answers how many. */
export async function pruneClientErrors(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM refused_requests WHERE ctid = ANY(ARRAY(SELECT ctid FROM refused_requests WHERE last_at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}
