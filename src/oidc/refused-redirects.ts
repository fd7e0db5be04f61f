import type { Db } from '../platform/database.ts';
import { sha256 } from '../platform/secrets.ts';

/** Where a client wanted somebody sent to, and where it would have been: after signing in, or after signing out. */
export type RedirectKind = 'redirect' | 'post-logout';

export interface RefusedRedirect {
  kind: RedirectKind;
  /** What the request said, at most 500 characters; from outside, so it is shown as text and never as a link. */
  address: string;
  times: number;
  lastAt: Date;
}

/** Anybody can send anything: so many different addresses of a client are kept, the latest. */
const kept = 20;

const longest = 500;

/** PostgreSQL keeps no NUL, and nobody reads what turns a line around. */
const legible = (text: string): string =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are the characters that are meant
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .slice(0, longest);

/** Notes an address that a client is not registered with, for its administrators. A client that is gone has none. */
export async function noteRefusedRedirect(
  db: Db,
  clientId: string,
  kind: RedirectKind,
  given: string,
): Promise<void> {
  const address = legible(given);
  await db.query(
    `INSERT INTO refused_redirects AS r (client_id, kind, digest, address, times, first_at, last_at)
     VALUES ($1, $2, $3, $4, 1, $5, $5)
     ON CONFLICT (client_id, kind, digest) DO UPDATE SET times = least(r.times + 1, 1000000), last_at = $5`,
    [clientId, kind, sha256(address), address, new Date()],
  );
  await db.query(
    `DELETE FROM refused_redirects WHERE client_id = $1 AND digest NOT IN (
       SELECT digest FROM refused_redirects WHERE client_id = $1 ORDER BY last_at DESC LIMIT $2)`,
    [clientId, kept],
  );
}

/** The addresses that people were not sent to, the latest first. */
export async function refusedRedirects(db: Db, clientId: string): Promise<RefusedRedirect[]> {
  const { rows } = await db.query<{ kind: RedirectKind; address: string; times: number; last_at: Date }>(
    `SELECT kind, address, times, last_at FROM refused_redirects
     WHERE client_id = $1 ORDER BY last_at DESC LIMIT $2`,
    [clientId, kept],
  );
  return rows.map(({ kind, address, times, last_at: lastAt }) => ({ kind, address, times, lastAt }));
}

/** Forgets them, once the client is registered with what it sends. */
export async function forgetRefusedRedirects(db: Db, clientId: string): Promise<void> {
  await db.query('DELETE FROM refused_redirects WHERE client_id = $1', [clientId]);
}
