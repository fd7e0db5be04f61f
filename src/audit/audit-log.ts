import type { Origin } from '../http/request-info.ts';
import type { Knex } from 'knex';
import type { Database, Db } from '../db/database.ts';
import { mayBeUnstorable, sql } from '../db/database.ts';
import type { Effect } from '../db/effects.ts';
import { applyEffects } from '../db/effects.ts';
import type { Subscription, Topic } from '../db/notifications.ts';

/** Every event that is ever recorded. The list is published in the README; a new event is added here first. */
export const auditEventTypes = [
  'account.created',
  'account.disabled',
  'account.enabled',
  'account.language-changed',
  'account.data-downloaded',
  'password.right',
  'password.wrong',
  'password.throttled',
  'password.changed',
  'email.changed',
  'notice-email.changed',
  'notice-email.removed',
  'account.deleted',
  'totp.right',
  'totp.wrong',
  'totp.reused',
  'totp.throttled',
  'authenticator.connected',
  'authenticator.replaced',
  'two-step.deactivated',
  'authenticator.disabled',
  'recovery-code.issued',
  'recovery-code.right',
  'recovery-code.wrong',
  'recovery-code.throttled',
  'recovery-code.disabled',
  'recovery-code.spent',
  'recovery-code.checked',
  'help-desk-code.right',
  'help-desk-code.expired',
  'help-desk-code.spent',
  'mailed-code.sent',
  'mailed-code.right',
  'mailed-code.wrong',
  'mail.refused',
  'device.remembered',
  'device.recognised',
  'device.forgotten',
  'device.allowed',
  'device.refused',
  'device.wrong-code',
  'sign-in.finished',
  'sign-in.refused',
  'sign-out.finished',
  'session.ended',
  'sign-out.application-failed',
  'consent.granted',
  'consent.refused',
  'token.issued',
  'token.refused',
  'token.reused',
  'grant.revoked',
  'client.applied',
  'client.secret-added',
  'client.secret-removed',
  'client.enabled',
  'client.disabled',
  'client.removed',
  'client.everyone-signed-out',
  'client.trial-begun',
  'client.registered',
  'initial-access-token.created',
  'initial-access-token.revoked',
  'resource-server.created',
  'resource-server.changed',
  'resource-server.removed',
  'claim.defined',
  'claim.changed',
  'claim.removed',
  'account.attributes-changed',
  'keys.made',
  'keys.rotated',
  'keys.withdrawn',
  'keys.removed',
  'account.invited',
  'account.invitation-sent',
  'account.role-changed',
  'account.two-step-required',
  'group.created',
  'group.renamed',
  'group.removed',
  'group.member-added',
  'group.member-removed',
  'bootstrap.token-made',
  'bootstrap.refused',
  'audit.exported',
  'accounts.imported',
  'accounts.exported',
  'help-desk.case-opened',
  'help-desk.case-closed',
  'help-desk.checked',
  'help-desk.noted',
  'help-desk.code-sent',
  'help-desk.refused',
  'help-desk.approval-asked',
  'help-desk.approved',
  'help-desk.invitation-sent',
  'help-desk.stopped',
  'help-desk.stop-refused',
  'request.refused',
] as const;
export type AuditEventType = (typeof auditEventTypes)[number];

/** One deed. `detail` holds names and numbers of ours, never a secret and never unescaped text from outside. */
export interface AuditEvent {
  event: AuditEventType;
  accountId?: string | undefined;
  /** The operator who did it to the account; nobody where it is the person, the house itself or a shell. */
  by?: string | undefined;
  clientId?: string | undefined;
  origin?: Origin | undefined;
  detail?: Record<string, string | number | boolean | null>;
}

export interface AuditRow {
  id: number;
  at: Date;
  event: AuditEventType;
  account_id: string | null;
  actor: string | null;
  client_id: string | null;
  address: string | null;
  request: string | null;
  /** The application through which it was done; null: through a page of ours, or a shell. */
  program: string | null;
  detail: Record<string, unknown>;
}

/** As JSON that PostgreSQL keeps: half a character or a NUL in a name that somebody chose must not cost the row (T37). */
function toStorableJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!mayBeUnstorable(text)) return text;
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed().replaceAll('\0', '\uFFFD') : inner,
  );
}

/** What was recorded is said in this process, once it is committed. Whoever writes rows in another way says it, too. */
export const auditTopic: Topic<readonly AuditEvent[]> = { name: 'audit', everywhere: false };

/** Hears each deed that this process recorded and that stayed: a transaction that is rolled back tells nothing. */
export const subscribeToAuditEvents = (
  db: Database,
  listener: (auditEvent: AuditEvent) => void,
): Subscription => db.hear(auditTopic, (events) => events?.forEach(listener));

/** Appends one row, in the caller's transaction where there is one. */
export async function recordAuditEvent(db: Db, auditEvent: AuditEvent): Promise<void> {
  const { event, accountId: userId, by: actorId, clientId, origin: requestInfo, detail } = auditEvent;
  await db.query(
    `INSERT INTO audit (at, event, account_id, client_id, address, request, detail, actor, program)
     VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9)`,
    [
      new Date(),
      event,
      userId ?? null,
      clientId ?? null,
      requestInfo?.address ?? null,
      requestInfo?.request ?? null,
      toStorableJson(detail ?? {}),
      actorId ?? null,
      requestInfo?.program ?? null,
    ],
  );
  await db.announce(auditTopic, [auditEvent]);
}

/** A row of JSON for `insertAuditEventsSql`; `n` is its caller's. */
export const auditEventToJson = (
  { event, accountId: userId, by: actorId, clientId, origin: requestInfo, detail }: AuditEvent,
  index: number,
): string =>
  toStorableJson({
    n: index,
    event,
    account_id: userId,
    client_id: clientId,
    address: requestInfo?.address,
    request: requestInfo?.request,
    detail: detail ?? {},
    actor: actorId,
    program: requestInfo?.program,
  });

/**
 * The part of a statement that appends rows: one for each of `rows`, a piece of SQL in which `row` is what `auditRow`
 * made; `at` is when. Whoever uses it announces `auditTopic` with the deeds.
 */
export const insertAuditEventsSql = (rows: string, row: string, at: string): string =>
  `INSERT INTO audit (at, event, account_id, client_id, address, request, detail, actor, program)
   SELECT ${at}, ${row}->>'event', (${row}->>'account_id')::uuid, ${row}->>'client_id', ${row}->>'address',
     ${row}->>'request', ${row}->'detail', (${row}->>'actor')::uuid, ${row}->>'program' FROM ${rows}`;

/** Rows, in the order given. */
export const recordAuditEventsEffect = (events: readonly AuditEvent[]): Effect => ({
  sql: ($, condition) =>
    `audited AS (${insertAuditEventsSql(`jsonb_array_elements(${$(1)}::text::jsonb) AS deed WHERE ${condition}`, 'deed', $(2))})`,
  params: [`[${events.map(auditEventToJson).join(',')}]`, new Date()],
  announce: { say: (db) => db.announce(auditTopic, events) },
});

/** Appends many rows in one statement. */
export async function recordAuditEvents(tx: Db, events: readonly AuditEvent[]): Promise<void> {
  if (events.length > 0) await applyEffects(tx, [recordAuditEventsEffect(events)]);
}

export interface AuditFilter {
  event?: string;
  /** Only these events. */
  events?: readonly AuditEventType[];
  accountId?: string;
  /** Only what this operator did. */
  actor?: string | undefined;
  /** Only what is about these accounts: a statement of whoever owns them. */
  about?: Knex.QueryBuilder | undefined;
  /** Of what is about a group, this one's alone: whoever looks after one hears of no other. */
  group?: string | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Only rows before the one with this number: the next page. */
  before?: number | undefined;
  limit: number;
}

/**
 * The newest rows first; every filter is optional, `limit` is at most 1000. Each filter that a page offers has an index
 * in this order, so that a page costs what it shows and not what the audit holds.
 */
export async function findAuditEvents(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  const query = sql('audit')
    .select('*')
    .orderBy([
      { column: 'at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .limit(Math.min(filter.limit, 1000));
  if (filter.event) query.where('event', filter.event);
  if (filter.accountId) query.where('account_id', filter.accountId);
  if (filter.actor) query.where('actor', filter.actor);
  if (filter.about) query.whereIn('account_id', filter.about);
  if (filter.group) query.whereRaw("(detail->>'group' IS NULL OR detail->>'group' = ?)", [filter.group]);
  if (filter.until) query.where('at', '<', filter.until);
  if (filter.since) query.where('at', '>=', filter.since);
  if (filter.events) query.whereIn('event', filter.events);
  if (filter.before !== undefined)
    query.whereRaw('(at, id) < ((SELECT at FROM audit WHERE id = ?), ?)', [filter.before, filter.before]);
  return (await db.run<AuditRow>(query)).rows;
}

/** The latest times that people came to an application, the newest first: an index holds just these rows in this order. */
export async function findLatestSignIns(db: Db, clientId: string, limit: number): Promise<AuditRow[]> {
  const { rows } = await db.query<AuditRow>(
    `SELECT * FROM audit
     WHERE client_id = $1 AND event = 'token.issued' AND detail->>'grant' = 'authorization_code'
     ORDER BY at DESC, id DESC LIMIT $2`,
    [clientId, limit],
  );
  return rows;
}

/** Removes rows older than `before`, at most `limit`; the only way a row ever leaves (see the trigger). */
export function deleteOldAuditEvents(db: Db, before: Date, limit: number): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.query("SELECT set_config('hemma.retention', 'on', true)");
    const { count } = await tx.query(
      'DELETE FROM audit WHERE ctid = ANY(ARRAY(SELECT ctid FROM audit WHERE at < $1 ORDER BY at, id LIMIT $2))',
      [before, limit],
    );
    return count;
  });
}
