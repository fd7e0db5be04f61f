import { randomUUID } from 'node:crypto';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Topic } from '../db/notifications.ts';
import { isBuiltInClient } from '../../config/built-in-clients.ts';

/**
 * What applications are still to be told about sessions that ended (OpenID Connect Back-Channel Logout 1.0). A message
 * is written by the very transaction that ends the session, so none is lost and none tells of an end that never was;
 * any process delivers it. At least once: one that dies between an answer and its note sends the message again.
 */
export interface EndedClientSession {
  clientId: string;
  accountId: string;
  /** The session's public number, and the number that the application knows it by. */
  session: string;
  sid: string | undefined;
}

/** A client as it was when it was removed: its messages are still delivered. All of its description is stored. */
export interface LogoutClient {
  id: string;
  name: string;
  backchannelLogoutUri?: string | undefined;
  frontchannelLogoutUri?: string | undefined;
}

/** What is announced when something was put in here; other processes find it when they look. */
export const logoutTopic: Topic = { name: 'sign-out messages', everywhere: false };

const batchSize = 1000;

/** Puts messages into the outbox; which address each goes to is looked up when it is sent. */
export async function enqueueLogoutMessages(tx: Db, ended: readonly EndedClientSession[]): Promise<void> {
  // The provider's own pages are nobody to be told.
  const messages = ended.filter(({ clientId }) => !isBuiltInClient(clientId));
  for (let from = 0; from < messages.length; from += batchSize) {
    const rows = messages.slice(from, from + batchSize).map((one) => ({ ...one, id: randomUUID() }));
    await tx.query(
      `INSERT INTO logout_messages (id, client_id, account_id, session, sid, tries, created_at, next_try_at)
       SELECT id, "clientId", "accountId", session, sid, 0, $2, $2 FROM jsonb_to_recordset($1::text::jsonb)
         AS ended (id uuid, "clientId" text, "accountId" uuid, session text, sid text)`,
      [JSON.stringify(rows), new Date()],
    );
  }
  if (messages.length > 0) await tx.announce(logoutTopic);
}

/** Keeps what an application that is being removed was like, so that it still hears of what it was not told yet. */
export async function saveClientDescription(tx: Db, client: LogoutClient): Promise<void> {
  await tx.query(
    `UPDATE logout_messages SET described = $2::text::jsonb
     WHERE client_id = $1 AND next_try_at IS NOT NULL AND described IS NULL`,
    [client.id, JSON.stringify(client)],
  );
}

/** A message whose turn has come. */
export interface LogoutMessage {
  id: string;
  clientId: string;
  accountId: string;
  sid: string | undefined;
  /** Of an application that was removed meanwhile. */
  described: LogoutClient | undefined;
}

interface Row {
  id: string;
  client_id: string;
  account_id: string;
  sid: string | null;
  described: LogoutClient | null;
}

/** Milliseconds. The first pause is longer than any delivery lasts: nobody else takes a message that is under way. */
const initialDelayMs = 10_000;
const maxDelayMs = 600_000;
/** How long an application is tried; the last try is at its end. */
export const deliveryTimeoutMs = 3_600_000;

/** Of one application at a time: one that hangs, with ever so many messages, holds up no other. */
export const maxPerClient = 10;

/**
 * Takes messages that are due, at most `limit` and of no application in `except`. One is claimed by moving its next try
 * ahead, so that two processes never send the same one and no transaction is open meanwhile.
 */
export async function reserveDueMessages(
  db: Db,
  { limit, except }: { limit: number; except: readonly string[] },
): Promise<LogoutMessage[]> {
  const { rows } = await db.query<Row>(
    `UPDATE logout_messages SET tries = tries + 1, next_try_at = CASE
       WHEN $1::timestamptz + $4::int * interval '1 millisecond' < created_at + $6::int * interval '1 millisecond'
       THEN least($1::timestamptz + least($5::int, $4::int * 2 ^ least(tries, 12)) * interval '1 millisecond',
                  created_at + $6::int * interval '1 millisecond')
       ELSE $1::timestamptz + $4::int * interval '1 millisecond' END
     WHERE id IN (
       SELECT due.id FROM
         (SELECT DISTINCT client_id FROM logout_messages
          WHERE next_try_at <= $1 AND client_id <> ALL($3::text[])) AS waiting
         CROSS JOIN LATERAL (
           SELECT id FROM logout_messages WHERE client_id = waiting.client_id AND next_try_at <= $1
           ORDER BY next_try_at LIMIT $7 FOR UPDATE SKIP LOCKED) AS due
       LIMIT $2)
     RETURNING id, client_id, account_id, sid, described`,
    [new Date(), limit, except, initialDelayMs, maxDelayMs, deliveryTimeoutMs, maxPerClient],
  );
  return rows.map((row) => ({
    id: row.id,
    clientId: row.client_id,
    accountId: row.account_id,
    sid: row.sid ?? undefined,
    described: row.described ?? undefined,
  }));
}

/** Nothing more is to be done: the application was told, or takes no such messages. */
export async function settleLogoutMessage(
  db: Db,
  id: string,
  outcome: 'signed-out' | 'not-told',
): Promise<void> {
  await db.query(
    `UPDATE logout_messages SET outcome = $2, settled_at = $3, next_try_at = NULL
     WHERE id = $1 AND settled_at IS NULL`,
    [id, outcome, new Date()],
  );
}

/** A try failed. After an hour that was the last one: the application is given up, and the audit says so. */
export function recordDeliveryFailure(db: Db, message: LogoutMessage, reason: string): Promise<void> {
  const now = new Date();
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ tries: number; given_up: boolean }>(
      `UPDATE logout_messages SET failure = $2,
         outcome = CASE WHEN created_at <= $4 THEN 'no-answer' END,
         settled_at = CASE WHEN created_at <= $4 THEN $3::timestamptz END,
         next_try_at = CASE WHEN created_at <= $4 THEN NULL ELSE next_try_at END
       WHERE id = $1 AND settled_at IS NULL RETURNING tries, settled_at IS NOT NULL AS given_up`,
      [message.id, reason, now, new Date(now.getTime() - deliveryTimeoutMs)],
    );
    const [row] = rows;
    if (!row?.given_up) return;
    await recordAuditEvent(tx, {
      event: 'sign-out.application-failed',
      accountId: message.accountId,
      clientId: message.clientId,
      detail: { application: message.clientId, reason, tries: row.tries },
    });
  });
}

/** How it stands with telling an application. `retrying`: it failed, and is tried again. */
export type LogoutOutcome = 'pending' | 'retrying' | 'signed-out' | 'no-answer' | 'not-told';

/** A message as the person's page sees it. */
export interface ClientLogoutOutcome extends Pick<LogoutMessage, 'clientId' | 'sid' | 'described'> {
  outcome: LogoutOutcome;
}

/** How it stands with each application of a session that ended, the newest message of each, by the client's identifier. */
export async function listLogoutOutcomes(db: Db, session: string): Promise<ClientLogoutOutcome[]> {
  const { rows } = await db.query<Row & { outcome: LogoutOutcome }>(
    `SELECT DISTINCT ON (client_id) client_id, sid, described,
       coalesce(outcome, CASE WHEN failure IS NULL THEN 'pending' ELSE 'retrying' END) AS outcome
     FROM logout_messages WHERE session = $1 ORDER BY client_id, created_at DESC`,
    [session],
  );
  return rows.map(({ client_id: clientId, sid, described, outcome }) => ({
    clientId,
    sid: sid ?? undefined,
    described: described ?? undefined,
    outcome,
  }));
}

/** How it stands with all that applications are still to be told. */
export async function countPendingLogoutMessages(
  db: Db,
): Promise<{ due: number; retried: number; oldest: Date | undefined }> {
  const { rows } = await db.query<{ due: number; retried: number; oldest: Date | null }>(
    `SELECT count(*) FILTER (WHERE next_try_at <= $1) AS due, count(*) FILTER (WHERE failure IS NOT NULL) AS retried,
       min(created_at) AS oldest
     FROM logout_messages WHERE next_try_at IS NOT NULL`,
    [new Date()],
  );
  const { due = 0, retried = 0, oldest } = rows[0] ?? {};
  return { due, retried, oldest: oldest ?? undefined };
}

/** Removes messages that were settled before `before`, at most `limit`; answers how many. */
export async function pruneLogoutMessages(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM logout_messages WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM logout_messages WHERE settled_at < $1 ORDER BY settled_at LIMIT $2))`,
    [before, limit],
  );
  return count;
}
