/**
 * What the provider keeps: sessions, interactions, grants, codes and tokens, in one table that this file alone
 * names. A row's key is the SHA-256 of its identifier and the identifier itself is not kept: a copy of the
 * database holds nothing that could be presented as a cookie or a token. Whatever ends a session here puts out, in
 * the same transaction, what its applications are to be told.
 * Longer than usual: a table has one owner.
 */

import type { User } from '../users/users.ts';
import { userSubquery } from '../users/users.ts';
import { listClaims } from '../users/claim-definitions.ts';
import { insertAuditEventsSql, auditEventToJson } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import type { Effect, Precondition, Placeholder } from '../db/effects.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { lockUserIfSignInValid } from '../security/verified-factors.ts';
import { sha256 } from '../crypto/encryption.ts';
import { toAcr, acrValues, parseAcr } from './assurance.ts';
import { scopesOf } from '../users/claim-scopes.ts';
import type { EndedClientSession } from './logout-outbox.ts';
import { enqueueLogoutMessages } from './logout-outbox.ts';
import { isBuiltInClient } from '../../config/built-in-clients.ts';
import type { OneTimeWrite, Payload, RequestWrites, Upsert, RecordWrite } from './writes.ts';
import {
  getAuthorizations,
  diffAuthorizations,
  issuesTokens,
  parsePayload,
  rotatesSession,
} from './writes.ts';

/** Where a session was last seen and when (seconds); `device` is words of ours. It goes when the session goes. */
export interface LastSeen {
  address: string;
  device: string;
  at: number;
}

export const hashRecordId = (id: string): Buffer => sha256(id);

/** A write that had to be the first and was not. */
export class ConflictError extends Error {
  readonly model: string;
  readonly grantId: string | undefined;

  /** `base`: the record as it was read, as JSON. */
  constructor(model: string, base: string | undefined) {
    super(`${model} was used or ended by another request`);
    this.model = model;
    const { grantId } = base === undefined ? {} : parsePayload(base);
    this.grantId = typeof grantId === 'string' ? grantId : undefined;
  }
}

/** A record as it is kept: `text` is its payload as JSON, to be read anew by whoever looks into it. */
export interface StoredRecord {
  key: Buffer;
  text: string;
  /** Seconds since 1970. */
  consumed?: number;
  /** Of an interaction: the hash of the sign-in cookie that holds it, and of the value before. */
  binding?: Buffer | undefined;
  previousBinding?: Buffer | undefined;
}

interface Row {
  key: Buffer;
  text: string;
  consumed_at: Date | null;
  binding?: Buffer | null;
  previous_binding?: Buffer | null;
}

const toStoredRecord = ({
  key,
  text,
  consumed_at: at,
  binding,
  previous_binding: previous,
}: Row): StoredRecord => ({
  key,
  text,
  ...(at ? { consumed: Math.floor(at.getTime() / 1000) } : {}),
  ...(binding ? { binding, previousBinding: previous ?? undefined } : {}),
});

/** What a request looks for; of a session also the grant to the application that asks. */
export interface RecordLookup {
  model: string;
  key: Buffer;
  clientId: string | undefined;
}

/** A record with what is looked at next: its grant, its session, its person. */
export interface LoadedRecord {
  record: StoredRecord;
  grant: StoredRecord | undefined;
  session: StoredRecord | undefined;
  /** The session's public number, also where it is not there any more. */
  sessionUid: string | undefined;
  account: User | undefined;
}

interface LoadedRow extends Row {
  place: number;
  grant_key: Buffer | null;
  grant_text: string | null;
  session_uid: string | null;
  session_key: Buffer | null;
  session_text: string | null;
  account: unknown;
}

// `OFFSET 0`: each is found by its index, however small the table was when the plan was made. The parameters stand in
// subselects so that no plan knows how many they are: it would be made anew each time, which costs more than the rest.
const loadRecordsSql = `SELECT w.place::int, r.key, r.payload::text AS text, r.consumed_at, r.binding, r.previous_binding,
    g.key AS grant_key,
    g.payload::text AS grant_text, r.session_uid, s.key AS session_key, s.payload::text AS session_text,
    CASE WHEN r.person IS NOT NULL THEN ${userSubquery.ask({ account: 'r.person' })} END AS account
  FROM unnest((SELECT $1::text[]), (SELECT $2::text[]), (SELECT $3::text[])) WITH ORDINALITY AS w(model, key, client, place)
  CROSS JOIN LATERAL (SELECT *, coalesce(payload->>'sessionUid', payload #>> '{session,uid}') AS session_uid,
      account_id::uuid AS person
    FROM oidc_records WHERE model = w.model AND key = decode(w.key, 'hex') OFFSET 0) AS r
  LEFT JOIN LATERAL (SELECT key, payload FROM oidc_records WHERE model = 'Grant' AND key = sha256(convert_to(
    coalesce(r.grant_id, r.payload #>> ARRAY['authorizations', w.client, 'grantId']), 'UTF8')) OFFSET 0) AS g ON true
  LEFT JOIN LATERAL (SELECT model, key, payload FROM oidc_records WHERE uid = r.session_uid OFFSET 0) AS s
    ON s.model = 'Session'`;

/**
 * Looks for records by their keys in one statement, whoever asks for them. Expiry is judged by the reader, since a code
 * that comes back late must be known to be one.
 */
export async function readRecords(
  db: Db,
  wanted: readonly RecordLookup[],
): Promise<(LoadedRecord | undefined)[]> {
  const { rows } = await db.query<LoadedRow>(loadRecordsSql, [
    wanted.map(({ model }) => model),
    wanted.map(({ key }) => key.toString('hex')),
    wanted.map(({ clientId }) => clientId ?? ''),
  ]);
  const seen: (LoadedRecord | undefined)[] = wanted.map(() => undefined);
  for (const row of rows) {
    const { grant_key: grant, grant_text: grantText, session_key: session, session_text: sessionText } = row;
    seen[row.place - 1] = {
      record: toStoredRecord(row),
      grant: grant && grantText !== null ? { key: grant, text: grantText } : undefined,
      session: session && sessionText !== null ? { key: session, text: sessionText } : undefined,
      sessionUid: row.session_uid ?? undefined,
      account: userSubquery.read(row.account),
    };
  }
  return seen;
}

/** One record by the public number of a session (`uid`). */
export async function findRecordByUid(db: Db, model: string, uid: string): Promise<StoredRecord | undefined> {
  const { rows } = await db.query<Row>(
    'SELECT key, payload::text AS text, consumed_at FROM oidc_records WHERE uid = $2 AND model = $1',
    [model, uid],
  );
  return rows[0] && toStoredRecord(rows[0]);
}

/**
 * The device code that a person's code stands for, by the hash of that. Should two that live share one, it stands for
 * neither: nobody signs in a stranger's device.
 */
export async function findRecordByUserCode(db: Db, hash: string): Promise<StoredRecord | undefined> {
  const { rows } = await db.query<Row & { expires_at: Date }>(
    `SELECT key, payload::text AS text, consumed_at, expires_at FROM oidc_records
     WHERE uid = $1 AND model = 'DeviceCode'
     ORDER BY expires_at DESC LIMIT 2`,
    [hash],
  );
  if (rows[1] && rows[1].expires_at > new Date()) return undefined;
  return rows[0] && toStoredRecord(rows[0]);
}

/**
 * A device code is changed only as it was read: of two who answer for it one does, and none that was redeemed, ended or
 * answered meanwhile comes back. What it keeps of being asked (`polls`) is not part of that.
 */
async function saveDeviceCode(tx: Db, { key, text, base }: Upsert): Promise<void> {
  const payload = parsePayload(text);
  const { count } = await tx.query(
    `UPDATE oidc_records SET payload = $3::text::jsonb || jsonb_build_object('polls', payload->'polls'),
       grant_id = $4, account_id = $5
     WHERE model = 'DeviceCode' AND key = $1 AND consumed_at IS NULL AND payload - 'polls' = $2::text::jsonb - 'polls'`,
    [key, base, text, payload.grantId ?? null, payload.accountId ?? null],
  );
  if (count === 0) throw new ConflictError('UserCode', undefined);
}

/** The pause of a device that asks again and again, in seconds (RFC 8628 §3.5); each time too soon lengthens it. */
export const devicePollSeconds = 5;

/**
 * Notes that a device asked, and answers whether it was too soon. A second is let pass: what a device counts from is the
 * arrival of an answer, not its sending.
 */
export async function recordDevicePoll(db: Db, deviceCode: string): Promise<boolean> {
  const { rows } = await db.query<{ soon: boolean }>(
    `UPDATE oidc_records SET payload = payload || jsonb_build_object('polls', (
       SELECT jsonb_build_object('soon', soon, 'pause', pause, 'next', $2::bigint + (pause - 1) * 1000)
       FROM (SELECT soon, pause + CASE WHEN soon THEN $3::int ELSE 0 END AS pause
         FROM (SELECT $2::bigint < coalesce((payload->'polls'->>'next')::bigint, 0) AS soon,
           coalesce((payload->'polls'->>'pause')::int, $3::int) AS pause) AS known) AS lengthened))
     WHERE model = 'DeviceCode' AND key = $1 RETURNING (payload->'polls'->>'soon')::boolean AS soon`,
    [hashRecordId(deviceCode), Date.now(), devicePollSeconds],
  );
  return rows[0]?.soon === true;
}

/** What applications are told of when a session ends for them: all that were signed in through it, or those named. */
function endedClientSessions(
  payload: Payload,
  clients = Object.keys(getAuthorizations(payload)),
): EndedClientSession[] {
  const { accountId, uid } = payload;
  if (typeof accountId !== 'string' || typeof uid !== 'string') return [];
  return clients.map((clientId) => {
    const { sid } = (getAuthorizations(payload)[clientId] ?? {}) as { sid?: string };
    return { clientId, accountId, session: uid, sid };
  });
}

/** The same, of a session that goes on under a new identifier: whoever is not in it any more, or all if it is another's. */
function droppedClientSessions(before: Payload, after: Payload | undefined): EndedClientSession[] {
  if (after?.accountId !== before.accountId) return endedClientSessions(before);
  const there = getAuthorizations(after);
  return endedClientSessions(
    before,
    Object.keys(getAuthorizations(before)).filter((id) => !(id in there)),
  );
}

/**
 * SQL of the user that a record belongs to. An interaction belongs to the user whose sign-in it carries: its own result,
 * or, where a consent is asked for, the result that led there.
 */
const ownerOf = (payload: string): string =>
  `coalesce(${['{accountId}', '{result,login,accountId}', '{lastSubmission,login,accountId}']
    .map((path) => `(${payload}) #>> '${path}'`)
    .join(', ')})`;

const insertSql = ($: Placeholder, open: string) =>
  `INSERT INTO oidc_records (model, key, payload, grant_id, uid, account_id, expires_at, binding)
   SELECT ${$(1)}, ${$(2)}, p, p->>'grantId', p->>'uid', ${ownerOf('p')}, ${$(4)}, ${$(5)}::bytea
   FROM (SELECT ${$(3)}::text::jsonb AS p) AS given WHERE ${open} ON CONFLICT (model, key) `;
const insertParams = ({ model, key, text, expiresAt, binding }: Upsert) => [
  model,
  key,
  text,
  expiresAt,
  binding ?? null,
];
const updateOnConflictSql =
  'DO UPDATE SET payload = excluded.payload, account_id = excluded.account_id, expires_at = excluded.expires_at';

/** How the value of a sign-in cookie relates to its interaction: it holds it, or held it before the first factor. */
export type BindingMatch = 'current' | 'previous';

/** The holder of an interaction, by the hash of a cookie's value. */
export const bindingMatchSubquery: JsonSubquery<
  { interaction: string; binding: string },
  BindingMatch | undefined
> = {
  ask: ({ interaction, binding }) =>
    `(SELECT to_jsonb(CASE ${binding} WHEN binding THEN 'current' WHEN previous_binding THEN 'previous' END)
      FROM oidc_records WHERE model = 'Interaction' AND key = sha256(convert_to(${interaction}, 'UTF8')))`,
  read: (json) => (json as BindingMatch | null) ?? undefined,
};

/**
 * The gate of a first verified factor: passes where `from` still holds the interaction, and hands it over to `to`. The
 * condition is asked first, so that an account is locked before its records.
 */
export const rebindInteraction =
  (interaction: string, { from, to }: { from: Buffer; to: Buffer }) =>
  (condition: Precondition): Precondition => ({
    sql: ($) =>
      `UPDATE oidc_records SET previous_binding = binding, binding = ${$(3)}
       WHERE model = 'Interaction' AND key = ${$(1)} AND binding = ${$(2)} AND consumed_at IS NULL
         AND EXISTS (${condition.sql((place) => $(3 + place))}) RETURNING 1`,
    params: [hashRecordId(interaction), from, to, ...condition.params],
  });

/** A record that is saved beside what else is written. */
export const saveRecordEffect = (write: Upsert): Effect => ({
  sql: ($, open) => `record_saved AS (${insertSql($, open)}${updateOnConflictSql})`,
  params: insertParams(write),
});

async function insertRecord(tx: Db, write: Upsert): Promise<void> {
  // A replayed assertion or proof is told by the insert itself; everything else may be saved again.
  const conflict = write.model === 'ReplayDetection' ? 'DO NOTHING' : updateOnConflictSql;
  const { count } = await tx.query(insertSql((place) => `$${place}`, 'true') + conflict, insertParams(write));
  if (count === 0) throw new ConflictError(write.model, write.text);
}

/**
 * A session that was read is saved only if it still lives, or a sign-out in another tab would be undone; what
 * other requests did to its applications meanwhile is kept. Answers whether it still lived.
 */
async function saveSession(tx: Db, { model, key, text, expiresAt, base }: Upsert): Promise<boolean> {
  const before = base === undefined ? undefined : parsePayload(base);
  const { set, gone } = diffAuthorizations(before, parsePayload(text));
  const { count } = await tx.query(
    `UPDATE oidc_records SET expires_at = $4, account_id = $3::text::jsonb->>'accountId', payload = $3::text::jsonb
       || jsonb_build_object('authorizations',
         (coalesce(payload->'authorizations', '{}') - $6::text[]) || $5::text::jsonb)
     WHERE model = $1 AND key = $2`,
    [model, key, text, expiresAt, JSON.stringify(set), gone],
  );
  if (count > 0 && before) await enqueueLogoutMessages(tx, endedClientSessions(before, gone));
  return count > 0;
}

/**
 * One kind of rows of a batch, taken out of its document. The condition holds for all of them: by it the planner takes them
 * for a single row and asks an index for each. It would read the table otherwise, if that was small when the plan was made.
 */
const batchRowsSql = (kind: string) =>
  `(SELECT e FROM unnest(ARRAY(SELECT jsonb_array_elements(doc->'${kind}') FROM given)) AS e
    WHERE jsonb_typeof(e) = 'object') AS one`;
const sameRecordSql = "e->>'model' AND r.key = decode(e->>'key', 'hex')";

/** Where a request resumes an interaction, its gate is tried only after that interaction was consumed. */
const afterConsumedSql = "AND (NOT e ? 'after' OR (e->>'n')::int IN (SELECT n FROM taken))";

/** The parts of the one statement. What is not in a batch is not in its statement either. */
const conditionalSql = {
  taken:
    () => `taken AS (UPDATE oidc_records AS r SET consumed_at = (SELECT at FROM given) FROM ${batchRowsSql('taken')}
    WHERE r.model = ${sameRecordSql} AND r.consumed_at IS NULL RETURNING (e->>'n')::int AS n, e ? 'alone' AS alone)`,
  used: (
    also: string,
  ) => `used AS (UPDATE oidc_records AS r SET consumed_at = (SELECT at FROM given) FROM ${batchRowsSql('used')}
    WHERE r.model = ${sameRecordSql} AND r.consumed_at IS NULL ${also} RETURNING (e->>'n')::int AS n)`,
  moved: (also: string) => `moved AS (DELETE FROM oidc_records AS r USING ${batchRowsSql('moved')}
    WHERE r.model = ${sameRecordSql} ${also} RETURNING (e->>'n')::int AS n, r.payload)`,
  kept: () => `kept AS (UPDATE oidc_records AS r SET expires_at = (e->>'expires')::timestamptz,
      account_id = e->'payload'->>'accountId', payload = (e->'payload') || jsonb_build_object(
        'authorizations', coalesce(r.payload->'authorizations', '{}') || (e->'set'))
    FROM ${batchRowsSql('kept')} WHERE r.model = ${sameRecordSql} RETURNING (e->>'n')::int AS n)`,
};
const unconditionalSql = {
  put: (took: string) => `put AS (INSERT INTO oidc_records
      (model, key, payload, grant_id, uid, account_id, expires_at, binding)
    SELECT e->>'model', decode(e->>'key', 'hex'), ${took}, e->'payload'->>'grantId', e->'payload'->>'uid',
      ${ownerOf("e->'payload'")}, (e->>'expires')::timestamptz, decode(e->>'binding', 'hex')
    FROM ${batchRowsSql('put')} JOIN passed ON passed.n = (e->>'n')::int
    ON CONFLICT (model, key) ${updateOnConflictSql})`,
  ended: `ended AS (DELETE FROM oidc_records AS r USING ${batchRowsSql('ended')}, passed
    WHERE passed.n = (e->>'n')::int AND r.model = ${sameRecordSql})`,
  said: `said AS (${insertAuditEventsSql(`${batchRowsSql('said')} JOIN passed ON passed.n = (e->>'n')::int`, 'e', '(SELECT at FROM given)')})`,
};
// A session that moved keeps what other requests brought to it meanwhile.
const plainPayloadSql = "e->'payload'";
const mergedPayloadSql = `(e->'payload') || CASE WHEN e ? 'set' THEN jsonb_build_object('authorizations', coalesce(
  (SELECT m.payload->'authorizations' FROM moved AS m WHERE m.n = (e->>'n')::int), '{}') || (e->'set')) ELSE '{}' END`;

type Batch = Record<keyof typeof conditionalSql | keyof typeof unconditionalSql, string[]> & {
  free: number[];
};

/** The one statement for the kinds that a batch has. */
function buildBatchStatement(batch: Batch): string {
  const gates = (['taken', 'used', 'moved', 'kept'] as const).filter((kind) => batch[kind].length > 0);
  const also = batch.taken.length > 0 ? afterConsumedSql : '';
  const passed = [
    "SELECT jsonb_array_elements_text(doc->'free')::int AS n FROM given",
    ...gates.map((kind) => `SELECT n FROM ${kind}${kind === 'taken' ? ' WHERE alone' : ''}`),
  ];
  return `WITH given AS MATERIALIZED (SELECT $1::text::jsonb AS doc, $2::timestamptz AS at), ${[
    ...gates.map((kind) => conditionalSql[kind](also)),
    `passed AS MATERIALIZED (${passed.join(' UNION ')})`,
    ...(batch.put.length > 0
      ? [unconditionalSql.put(batch.moved.length > 0 ? mergedPayloadSql : plainPayloadSql)]
      : []),
    ...(batch.ended.length > 0 ? [unconditionalSql.ended] : []),
    ...(batch.said.length > 0 ? [unconditionalSql.said] : []),
  ].join(', ')} SELECT n FROM passed`;
}

const formatBatchRow = (n: number, { model, key }: OneTimeWrite | Upsert, more = '') =>
  `{"n":${n},"model":"${model}","key":"${key.toString('hex')}"${more}}`;
const formatSavedFields = ({ text, expiresAt, binding }: Upsert, set: object | undefined) =>
  `,"expires":"${expiresAt.toISOString()}","payload":${text}${set ? `,"set":${JSON.stringify(set)}` : ''}${
    binding ? `,"binding":"${binding.toString('hex')}"` : ''
  }`;

/**
 * Writes what many requests want written, in one statement, each all or nothing. Answers for each whether it was: false
 * where another request was first at its gate.
 */
export async function writeBatch(db: Db, pieces: readonly RequestWrites[]): Promise<boolean[]> {
  const batch: Batch = { taken: [], used: [], moved: [], kept: [], put: [], ended: [], said: [], free: [] };
  for (const [n, { interaction, gate, keeps, puts, ends, deeds: auditEvents }] of pieces.entries()) {
    if (interaction) batch.taken.push(formatBatchRow(n, interaction, gate ? '' : ',"alone":true'));
    else if (!gate) batch.free.push(n);
    const after = interaction ? ',"after":true' : '';
    if (gate?.kind === 'consume') batch.used.push(formatBatchRow(n, gate, after));
    else if (gate?.kind === 'destroy') batch.moved.push(formatBatchRow(n, gate, after));
    for (const { write, set } of keeps)
      batch.kept.push(formatBatchRow(n, write, formatSavedFields(write, set)));
    for (const { write, set } of puts)
      batch.put.push(formatBatchRow(n, write, formatSavedFields(write, set)));
    for (const write of ends) batch.ended.push(formatBatchRow(n, write));
    for (const auditEvent of auditEvents) batch.said.push(auditEventToJson(auditEvent, n));
  }
  const kinds = Object.entries(batch).filter(([kind, rows]) => rows.length > 0 || kind === 'free');
  const doc = `{${kinds.map(([kind, rows]) => `"${kind}":[${rows.join(',')}]`).join(',')}}`;
  const { rows } = await db.query<{ n: number }>(buildBatchStatement(batch), [doc, new Date()]);
  const passed = new Set(rows.map(({ n }) => n));
  return pieces.map((_piece, n) => passed.has(n));
}

/**
 * Runs the writes of one request that need a transaction. Throws `Overtaken` where another request was first; then
 * nothing is written.
 */
export async function writeInTransaction(tx: Db, writes: readonly RecordWrite[]): Promise<void> {
  const issuing = issuesTokens(writes);
  const rotating = rotatesSession(writes);
  let moved: Payload | undefined;
  let before: Payload | undefined;
  let landed: Payload | undefined;
  for (const write of writes) {
    // Finished on proofs that were voided since: somebody chose a new password, or was disabled, in between.
    const login = write.kind === 'upsert' ? write.login : undefined;
    if (login && !(await lockUserIfSignInValid(tx, login.accountId, login.interaction, login.openedAt)))
      throw new ConflictError('Interaction', undefined);
  }
  const revoked = writes.flatMap((write) => (write.kind === 'revoke' ? [write.grantId] : []));
  for (const grantId of new Set(revoked)) await lockGrant(tx, grantId);
  for (const write of writes) {
    if (write.kind === 'upsert' && write.model === 'Session' && write.base) {
      const lives = await saveSession(tx, write);
      // Merely touching an ended session is nothing; handing out something on the strength of it would be.
      if (!lives && issuing) throw new ConflictError('Session', write.text);
    } else if (write.kind === 'upsert' && write.model === 'DeviceCode' && write.base) {
      await saveDeviceCode(tx, write);
    } else if (write.kind === 'upsert' && write.model === 'Session') {
      landed = parsePayload(write.text);
      if (moved) landed = mergeRotatedSession(moved, before, landed);
      await insertRecord(tx, { ...write, text: JSON.stringify(landed) });
    } else if (write.kind === 'upsert') {
      await insertRecord(tx, write);
    } else if (write.kind === 'revoke') {
      await tx.query('DELETE FROM oidc_records WHERE grant_id = $2 AND model = $1', [
        write.model,
        write.grantId,
      ]);
    } else if (write.kind === 'consume') {
      await consumeRecord(tx, write);
    } else {
      const ended = await deleteRecord(tx, write);
      if (write.model === 'Session' && write.base && rotating) {
        if (!ended) throw new ConflictError('Session', write.base);
        moved = ended;
        before = parsePayload(write.base);
      } else if (write.model === 'Session' && ended) {
        await enqueueLogoutMessages(tx, endedClientSessions(ended));
      }
    }
  }
  if (moved) await enqueueLogoutMessages(tx, droppedClientSessions(moved, landed));
}

function mergeRotatedSession(moved: Payload, before: Payload | undefined, next: Payload): Payload {
  // Another account's session takes nothing over.
  if (moved.accountId !== next.accountId) return next;
  const { set, gone } = diffAuthorizations(before, next);
  const kept = Object.entries(getAuthorizations(moved)).filter(([id]) => !gone.includes(id));
  return { ...next, authorizations: { ...Object.fromEntries(kept), ...set } };
}

async function consumeRecord(tx: Db, write: OneTimeWrite): Promise<void> {
  const { count } = await tx.query(
    'UPDATE oidc_records SET consumed_at = $3 WHERE model = $1 AND key = $2 AND consumed_at IS NULL',
    [write.model, write.key, new Date()],
  );
  if (count === 0) throw new ConflictError(write.model, write.base);
}

async function deleteRecord(tx: Db, { model, key }: OneTimeWrite): Promise<Payload | undefined> {
  const { rows } = await tx.query<{ payload: Payload }>(
    'DELETE FROM oidc_records WHERE model = $1 AND key = $2 RETURNING payload',
    [model, key],
  );
  return rows[0]?.payload;
}

/** Those who end one grant at once do it one after the other: each would lock its rows in an order of its own. */
const lockGrant = (tx: Db, grantId: string) => acquireAdvisoryLock(tx, `grant:${grantId}`);

/** Ends everything that hangs on a grant: codes, tokens and the grant itself. */
export function revokeGrant(db: Db, grantId: string): Promise<void> {
  return db.transaction(async (tx) => {
    await lockGrant(tx, grantId);
    await tx.query("DELETE FROM oidc_records WHERE grant_id = $1 OR (model = 'Grant' AND key = $2)", [
      grantId,
      hashRecordId(grantId),
    ]);
  });
}

/** Ends every session, grant, code and token of an account; its applications will be told. */
export async function endAllSessionsAndGrants(tx: Db, accountId: string): Promise<void> {
  await endFinishedInteractions(tx, accountId, undefined);
  await endSessions(tx, accountId, { except: undefined });
  await tx.query('DELETE FROM oidc_records WHERE account_id = $1', [accountId]);
}

/** The ACR values that a password alone does not reach; whatever has no such value rests on the password. */
const mfaAcrs = acrValues.filter((acr) => parseAcr(acr) >= 2);
const onPasswordAlone = (acrs: string): string => `coalesce(payload->>'acr', '') <> ALL(${acrs}::text[])`;

/** Which sessions of a user end, by their public numbers (`uid`). */
export type EndedSessions =
  | { only: string }
  /** All but one, or all. `onPasswordAlone`: of those only the ones whose sign-in had no second factor. */
  | { except: string | undefined; onPasswordAlone?: boolean };

/** A transaction that loses so often to requests of the same user is under attack, and gives up. */
const mostTries = 20;

/**
 * Ends sessions of an account and answers how many; what their applications are to be told goes into the outbox. Codes
 * and tokens bound to a session end with it, since the library looks for it at their use.
 *
 * A session that moves to a new identifier at this moment is a deleted row and an inserted one: the statement waits for
 * the first and cannot see the second. What it saw and did not delete is therefore looked for again.
 */
export async function endSessions(tx: Db, accountId: string, which: EndedSessions): Promise<number> {
  const [condition, value] =
    'only' in which ? ['uid = $2', which.only] : ['uid IS DISTINCT FROM $2', which.except ?? null];
  const mine = `account_id = $1 AND model = 'Session' AND ${condition} AND ${onPasswordAlone('$3')}`;
  // Nothing is as good as MFA where all of them end.
  const spared = 'except' in which && which.onPasswordAlone ? mfaAcrs : [];
  let total = 0;
  for (let attempt = 0; attempt < mostTries; attempt += 1) {
    const { rows } = await tx.query<{ seen: number; ended: Payload[] }>(
      `WITH seen AS MATERIALIZED (SELECT FROM oidc_records WHERE ${mine}),
         ended AS (DELETE FROM oidc_records WHERE ${mine} RETURNING payload)
       SELECT (SELECT count(*) FROM seen)::int AS seen,
         (SELECT coalesce(jsonb_agg(payload), '[]') FROM ended) AS ended`,
      [accountId, value, spared],
    );
    const { seen = 0, ended = [] } = rows[0] ?? {};
    total += ended.length;
    await enqueueLogoutMessages(
      tx,
      ended.flatMap((payload) => endedClientSessions(payload)),
    );
    if (seen <= ended.length) return total;
  }
  throw new Error('sessions of one account moved faster than they could be ended');
}

/**
 * Ends sign-ins of this account that are finished and not followed yet, in every interaction but `except`: one held back
 * must not open a session later. This includes those that wait for a consent, which carry the sign-in before it.
 *
 * They end as they do when they are followed, so that of both one comes first: a browser that is late is led to a fresh
 * start. It comes before the ending of sessions, since a sign-in that was followed first has opened its session by then.
 */
export async function endFinishedInteractions(
  tx: Db,
  accountId: string,
  except: string | undefined,
): Promise<void> {
  await tx.query(
    `UPDATE oidc_records SET consumed_at = $3, payload = payload - 'result' - 'lastSubmission'
     WHERE account_id = $1 AND model = 'Interaction' AND key IS DISTINCT FROM $2 AND consumed_at IS NULL`,
    [accountId, except === undefined ? null : hashRecordId(except), new Date()],
  );
}

const weakTokens = `account_id = $1 AND model IN ('AuthorizationCode', 'DeviceCode', 'RefreshToken')
  AND ${onPasswordAlone('$2')}`;

/**
 * Ends codes and refresh tokens that rest on a password alone, and the access tokens of their grants. Those say
 * nothing of their sign-in, so all of such a grant end, but for those of the session `kept`; what the user allowed stays.
 *
 * A code or token that is spent at this moment brings another one, which only the next statement sees: it is asked until
 * nothing is left.
 */
export async function endWeakTokens(open: Db, accountId: string, kept: string | undefined): Promise<void> {
  const { rows: grants } = await open.query<{ id: string }>(
    `SELECT DISTINCT grant_id AS id FROM oidc_records WHERE ${weakTokens} AND grant_id IS NOT NULL ORDER BY 1`,
    [accountId, mfaAcrs],
  );
  if (grants.length === 0) return;
  for (const { id } of grants) await lockGrant(open, id);
  const weak = new Set<string>();
  for (let attempt = 0; ; attempt += 1) {
    const { rows } = await open.query<{ grant_id: string | null; session: string | null }>(
      `DELETE FROM oidc_records WHERE ${weakTokens} RETURNING grant_id, payload->>'sessionUid' AS session`,
      [accountId, mfaAcrs],
    );
    if (rows.length === 0) break;
    if (attempt === mostTries)
      throw new Error('tokens of one account were renewed faster than they could be ended');
    for (const { grant_id: grant, session } of rows)
      // Without a session to keep, also what belongs to no session ends.
      if (grant && (kept === undefined || session !== kept)) weak.add(grant);
  }
  if (weak.size > 0)
    await open.query("DELETE FROM oidc_records WHERE grant_id = ANY($1) AND model = 'AccessToken'", [
      [...weak],
    ]);
}

/** A session as its person sees it. */
export interface ActiveSession {
  uid: string;
  signedInAt: Date;
  place: { address: string; device: string; at: Date } | undefined;
}

const toDate = (seconds: unknown) => new Date(Number(seconds) * 1000);

/** The sessions of an account that live, the one seen last first. */
export async function listActiveSessions(db: Db, accountId: string): Promise<ActiveSession[]> {
  const { rows } = await db.query<{ uid: string; payload: Payload }>(
    `SELECT uid, payload FROM oidc_records WHERE account_id = $1 AND model = 'Session' AND expires_at > $2
     ORDER BY (payload->'place'->>'at')::bigint DESC NULLS LAST LIMIT 100`,
    [accountId, new Date()],
  );
  return rows.map(({ uid, payload }) => {
    const place = payload.place as LastSeen | undefined;
    return {
      uid,
      signedInAt: toDate(payload.loginTs),
      place: place && { ...place, at: toDate(place.at) },
    };
  });
}

/** What an account allows an application, all its grants to it taken together. */
export interface ClientGrant {
  clientId: string;
  since: Date;
  scopes: string[];
  /** Which of the scopes are of which resource. */
  resources: Record<string, string[]>;
}

/** What an account allows applications, the longest allowed first; the provider's own pages are none. */
export async function listClientGrants(db: Db, accountId: string): Promise<ClientGrant[]> {
  const { rows } = await db.query<{
    client_id: string;
    since: number;
    scopes: string | null;
    resources: (Record<string, string> | null)[];
    claims: string | null;
  }>(
    `SELECT payload->>'clientId' AS client_id, min((payload->>'iat')::bigint) AS since,
       string_agg(concat_ws(' ', payload->'openid'->>'scope', (SELECT string_agg(value, ' ')
         FROM jsonb_each_text(coalesce(payload->'resources', '{}')))), ' ') AS scopes,
       jsonb_agg(payload->'resources') AS resources,
       string_agg((SELECT string_agg(name, ' ') FROM jsonb_array_elements_text(payload->'openid'->'claims') AS name),
         ' ') AS claims
     FROM oidc_records WHERE account_id = $1 AND model = 'Grant' AND expires_at > $2
     GROUP BY 1 ORDER BY 2, 1`,
    [accountId, new Date()],
  );
  const customClaims = await listClaims(db);
  const applications = rows.filter(({ client_id: id }) => !isBuiltInClient(id));
  return applications.map((row) => ({
    clientId: row.client_id,
    since: toDate(row.since),
    scopes: [
      ...new Set([
        ...(row.scopes ?? '').split(' ').filter(Boolean),
        ...scopesOf((row.claims ?? '').split(' '), customClaims),
      ]),
    ],
    resources: mergeResourceScopes(row.resources),
  }));
}

/** The scopes of each resource that any of several grants allows. */
function mergeResourceScopes(grants: readonly (Record<string, string> | null)[]): Record<string, string[]> {
  const all = new Map<string, Set<string>>();
  for (const [resource, scopes] of grants.flatMap((one) => Object.entries(one ?? {})))
    all.set(resource, new Set([...(all.get(resource) ?? []), ...scopes.split(' ').filter(Boolean)]));
  return Object.fromEntries([...all].map(([resource, scopes]) => [resource, [...scopes]]));
}

/** Ends whatever an account allows an application, with all codes and tokens of it; answers whether that was anything. */
export async function revokeClientGrants(tx: Db, accountId: string, clientId: string): Promise<boolean> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT payload->>'jti' AS id FROM oidc_records
     WHERE account_id = $1 AND model = 'Grant' AND payload->>'clientId' = $2 ORDER BY 1`,
    [accountId, clientId],
  );
  for (const { id } of rows) await revokeGrant(tx, id);
  return rows.length > 0;
}

/**
 * Ends grants of one client with their codes and tokens, and its own tokens: all of them, or at most `limit`. The
 * sessions know it still. Answers how many grants and own tokens those were.
 */
export async function revokeAllGrantsOfClient(tx: Db, clientId: string, limit?: number): Promise<number> {
  const { rows: grants } = await tx.query<{ id: string | null }>(
    `DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(SELECT ctid FROM oidc_records
       WHERE model IN ('Grant', 'ClientCredentials') AND payload->>'clientId' = $1 LIMIT $2 FOR UPDATE))
     RETURNING payload->>'jti' AS id`,
    [clientId, limit ?? null],
  );
  await tx.query('DELETE FROM oidc_records WHERE grant_id = ANY($1)', [grants.flatMap(({ id }) => id ?? [])]);
  return grants.length;
}

/**
 * Ends what may still become a grant of one client: at most `limit` of its sign-ins under way, pushed requests and device codes.
 * Answers how many those were.
 */
export async function endPendingOf(open: Db, clientId: string, limit: number): Promise<number> {
  // By the index `oidc_records_pending_by_client`.
  const { count } = await open.query(
    `DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(SELECT ctid FROM oidc_records
       WHERE model IN ('Interaction', 'DeviceCode', 'PushedAuthorizationRequest')
         AND coalesce(payload->'params'->>'client_id', payload->>'clientId') = $1 LIMIT $2 FOR UPDATE))`,
    [clientId, limit],
  );
  return count;
}

/**
 * Ends the grants by which people allowed a scope, or one claim of it, to any client but those in `except`, with their
 * codes and tokens: what the scope opens is more than they said yes to.
 */
export async function revokeGrantsForClaim(
  tx: Db,
  { scope, claim }: { scope: string; claim: string },
  except: readonly string[],
): Promise<void> {
  const { rows } = await tx.query<{ id: string | null }>(
    `DELETE FROM oidc_records WHERE model = 'Grant' AND payload->>'clientId' <> ALL($3::text[])
       AND (concat(' ', payload->'openid'->>'scope', ' ') LIKE concat('% ', $1::text, ' %')
         OR payload->'openid'->'claims' ? $2)
     RETURNING payload->>'jti' AS id`,
    [scope.replaceAll(/[\\%_]/g, '\\$&'), claim, except],
  );
  await tx.query('DELETE FROM oidc_records WHERE grant_id = ANY($1)', [rows.flatMap(({ id }) => id ?? [])]);
}

/** A part of the sessions, in the order of their keys. `next` is where the following part begins, if there is one. */
export interface SessionsLeft {
  ended: number;
  next: Buffer | undefined;
}

/**
 * Ends the place of one client in at most `limit` sessions, those after the key `after`, and enqueues its logout
 * messages. No statement reads more than these, however many sessions there are.
 */
export async function leaveSessions(
  open: Db,
  clientId: string,
  { after, limit }: { after: Buffer | undefined; limit: number },
): Promise<SessionsLeft> {
  const { rows: part } = await open.query<{ key: Buffer; has: boolean }>(
    `SELECT key, coalesce(payload->'authorizations' ? $1, false) AS has FROM oidc_records
     WHERE model = 'Session' AND key > $2 ORDER BY key LIMIT $3`,
    [clientId, after ?? Buffer.alloc(0), limit],
  );
  const keys = part.filter(({ has }) => has).map(({ key }) => key);
  const next = part.length < limit ? undefined : part.at(-1)?.key;
  if (keys.length === 0) return { ended: 0, next };
  const { rows } = await open.query<{ payload: Payload }>(
    `SELECT payload FROM oidc_records
     WHERE model = 'Session' AND key = ANY($2) AND payload->'authorizations' ? $1 ORDER BY key FOR UPDATE`,
    [clientId, keys],
  );
  await open.query(
    `UPDATE oidc_records SET payload = payload #- ARRAY['authorizations', $1::text]
     WHERE model = 'Session' AND key = ANY($2) AND payload->'authorizations' ? $1`,
    [clientId, keys],
  );
  const ended = rows.flatMap(({ payload }) => endedClientSessions(payload, [clientId]));
  await enqueueLogoutMessages(open, ended);
  return { ended: ended.length, next };
}

/** Rows that one statement looks at: far less than it has time for. */
export const rowsAtOnce = 1000;

/** Ends all of one kind, `rowsAtOnce` with each statement. */
async function endInBatches(end: (limit: number) => Promise<number>): Promise<void> {
  while ((await end(rowsAtOnce)) === rowsAtOnce);
}

/**
 * Ends what may still become a grant of one client, its grants with their codes and tokens, and its own tokens. The
 * sessions know it still.
 */
export async function endPendingAndGrants(open: Db, clientId: string): Promise<void> {
  await endInBatches((limit) => endPendingOf(open, clientId, limit));
  await endInBatches((limit) => revokeAllGrantsOfClient(open, clientId, limit));
}

/**
 * Ends everything of one client: grants with their codes and tokens, its own tokens, and its place in all sessions.
 * Answers how many logout messages were enqueued for it.
 */
export async function revokeClientAccess(tx: Db, clientId: string): Promise<number> {
  await endInBatches((limit) => revokeAllGrantsOfClient(tx, clientId, limit));
  let total = 0;
  let after: Buffer | undefined;
  do {
    const { ended, next } = await leaveSessions(tx, clientId, { after, limit: rowsAtOnce });
    total += ended;
    after = next;
  } while (after);
  return total;
}

/** Lowers what a session says of itself, in the transaction that took a factor away. */
export async function downgradeSession(
  tx: Db,
  accountId: string,
  session: string | undefined,
): Promise<void> {
  if (session === undefined) return;
  await tx.query(
    `UPDATE oidc_records SET payload = payload || $3::text::jsonb
     WHERE account_id = $1 AND model = 'Session' AND uid = $2`,
    [accountId, session, JSON.stringify({ acr: toAcr(1), amr: ['pwd'] })],
  );
}

/** Seconds by which two processes' clocks may differ: nobody takes away what another still counts as live. */
const clockToleranceSeconds = 60;

/**
 * Removes records that have expired, at most `limit`; answers how many. None is of use afterwards: what was spent (a
 * code, a rotated refresh token) is told by its row until it is refused for its age anyway, a code for a minute longer.
 * Only a device and its person are told for an hour yet that they were too late (RFC 8628 §3.5).
 */
export const pruneRecords = (db: Db, limit: number): Promise<number> =>
  deleteRecordsWhere(
    db,
    "expires_at < $1 AND (model <> 'DeviceCode' OR expires_at < $1::timestamptz - interval '1 hour')",
    new Date(Date.now() - clockToleranceSeconds * 1000),
    limit,
  );

/**
 * Ends the sessions whose day or idle hour is over, at most `limit`, and answers how many: nobody comes for them any
 * more, and their applications are told like at any other end.
 */
export const endExpiredSessions = (db: Db, limit: number): Promise<number> =>
  deleteRecordsWhere(db, "model = 'Session' AND expires_at < $1", new Date(), limit);

// `ORDER BY`: by the index of expiries, whatever a kept plan takes the limit for.
function deleteRecordsWhere(db: Db, which: string, before: Date, limit: number): Promise<number> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ session: Payload | null }>(
      `DELETE FROM oidc_records WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM oidc_records WHERE ${which} ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
       RETURNING CASE WHEN model = 'Session' THEN payload END AS session`,
      [before, limit],
    );
    await enqueueLogoutMessages(
      tx,
      rows.flatMap(({ session }) => (session ? endedClientSessions(session) : [])),
    );
    return rows.length;
  });
}

/** What a person allowed a client; `seconds` is how long yet. */
export interface Consent {
  scope: string;
  claims: string[];
  resources: Record<string, string>;
  seconds: number;
}

/** What a person allowed a client, by the newest of their grants, and for how long yet; undefined where there is none. */
export async function findConsent(db: Db, accountId: string, clientId: string): Promise<Consent | undefined> {
  const now = new Date();
  const { rows } = await db.query<{
    openid: { scope?: string; claims?: string[] } | null;
    resources: Record<string, string> | null;
    expires_at: Date;
  }>(
    `SELECT payload->'openid' AS openid, payload->'resources' AS resources, expires_at FROM oidc_records
     WHERE account_id = $1 AND model = 'Grant' AND payload->>'clientId' = $2 AND expires_at > $3
     ORDER BY expires_at DESC LIMIT 1`,
    [accountId, clientId, now],
  );
  const [newest] = rows;
  if (!newest) return undefined;
  const { openid, resources, expires_at: end } = newest;
  const seconds = Math.max(1, Math.floor((end.getTime() - now.getTime()) / 1000));
  return { scope: openid?.scope ?? '', claims: openid?.claims ?? [], resources: resources ?? {}, seconds };
}
