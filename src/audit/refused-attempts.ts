import type { AuditEvent } from './audit-log.ts';
import { recordAuditEvents } from './audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';

/**
 * Refused attempts, counted by actor, route and minute for the whole deployment. Processes gather them in memory
 * (`refusal-counter.ts`) and add them to one row here; when the minute is over the row becomes one audit event. The audit
 * log is append-only, so a count has to be complete before it is written there.
 */

/** Who attempted it. A stranger is known by the network alone; `overflow` is all for whom there is no row. */
export type Actor = { accountId: string } | { program: string } | { network: string } | 'overflow';

declare module 'koa' {
  interface DefaultState {
    /** The user or service account that this request was found to come from. */
    actor?: Exclude<Actor, 'overflow'>;
    /** The code of a refusal that is to be counted, wherever it was given. */
    refusedAttempt?: string;
  }
}

/** Attempts of one actor at one route in one minute. `reasons` are codes of refusals with how often each was given. */
export interface RefusedAttempts {
  minute: Date;
  actor: Actor;
  route: string;
  reasons: Record<string, number>;
  /** Of the latest attempt. `program` is the client through which a user's attempt came. */
  address: string;
  request: string;
  program: string | undefined;
}

/**
 * Strangers can be any number: so many rows in a minute, of them so many for one network. Further ones are counted in one
 * row for each route. A route has room for some in any case: a flood of one route must not hide who attempts another.
 */
const maxStrangerRows = 100;
const maxRowsOfStranger = 10;
const reservedRowsOfRoute = 5;
/** Users and service accounts are known, and yet a minute has an end. */
const maxKnownRows = 1000;

export const minuteOf = (time: number): Date => new Date(Math.floor(time / 60_000) * 60_000);

/** Names an actor; no name of one kind is a name of another. */
export function actorName(actor: Actor): string {
  if (actor === 'overflow') return actor;
  if ('accountId' in actor) return `user:${actor.accountId}`;
  return 'program' in actor ? `client:${actor.program}` : `network:${actor.network}`;
}

const isStranger = (actor: string) => actor.startsWith('network:');

interface Row {
  minute: string;
  actor: string;
  route: string;
  account_id: string | null;
  program: string | null;
  address: string | null;
  request: string | null;
  reasons: Record<string, number>;
  count: number;
}

const total = (reasons: Record<string, number>) =>
  Object.values(reasons).reduce((sum, count) => sum + count, 0);

/** What a row says of its actor, and of its latest attempt. */
function about({ actor, address, request, program }: RefusedAttempts) {
  if (actor === 'overflow') return { account_id: null, program: null, address: null, request: null };
  if ('network' in actor) return { account_id: null, program: null, address: actor.network, request };
  if ('program' in actor) return { account_id: null, program: actor.program, address, request };
  return { account_id: actor.accountId, program: program ?? null, address, request };
}

const rowOf = (attempts: RefusedAttempts): Row => ({
  minute: attempts.minute.toISOString(),
  actor: actorName(attempts.actor),
  route: attempts.route,
  ...about(attempts),
  reasons: attempts.reasons,
  count: total(attempts.reasons),
});

type Key = Pick<Row, 'minute' | 'actor' | 'route'>;
const keyOf = ({ minute, actor, route }: Key) => [minute, actor, route].join('\n');

const overflowOf = (attempts: RefusedAttempts): Row => rowOf({ ...attempts, actor: 'overflow' });

/** Adds up how often each reason was given. */
export function sumReasons(
  one: Record<string, number>,
  other: Record<string, number>,
): Record<string, number> {
  const sum = { ...one };
  for (const [reason, count] of Object.entries(other)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}

/**
 * The rows to write: attempts that have no room are counted in the overflow row of their minute and route.
 *
 * @param there - The rows that these minutes have already.
 */
function withinLimits(attempts: readonly RefusedAttempts[], there: readonly Key[]): Row[] {
  const keys = new Set<string>();
  const counts = new Map<string, number>();
  const countOf = (name: string) => counts.get(name) ?? 0;
  const all = ({ minute, actor }: Key) => `${minute} ${isStranger(actor) ? 'strangers' : 'known'}`;
  const own = ({ minute, actor }: Key) => `${minute} ${actor}`;
  const atRoute = ({ minute, actor, route }: Key) =>
    `${minute} ${isStranger(actor) ? 'strangers' : 'known'} at ${route}`;
  const admit = (row: Key) => {
    keys.add(keyOf(row));
    for (const name of [all(row), own(row), atRoute(row)]) counts.set(name, countOf(name) + 1);
  };
  const hasRoom = (row: Row) =>
    isStranger(row.actor)
      ? countOf(own(row)) < maxRowsOfStranger &&
        (countOf(all(row)) < maxStrangerRows || countOf(atRoute(row)) < reservedRowsOfRoute)
      : countOf(all(row)) < maxKnownRows;
  there.forEach(admit);
  const rows = new Map<string, Row>();
  for (const one of attempts) {
    let row = rowOf(one);
    if (!keys.has(keyOf(row))) {
      if (!hasRoom(row)) row = overflowOf(one);
      if (!keys.has(keyOf(row))) admit(row);
    }
    const reasons = sumReasons(rows.get(keyOf(row))?.reasons ?? {}, row.reasons);
    rows.set(keyOf(row), { ...row, reasons, count: total(reasons) });
  }
  return [...rows.values()];
}

/** Adds what one process counted to the rows of the deployment. */
export function addRefusedAttempts(db: Db, attempts: readonly RefusedAttempts[]): Promise<void> {
  return db.transaction(async (open) => {
    // One process after the other: the limits are the deployment's.
    await acquireAdvisoryLock(open, 'refused attempts');
    const minutes = [...new Set(attempts.map(({ minute }) => minute.getTime()))];
    const { rows: there } = await open.query<{ minute: Date; actor: string; route: string }>(
      'SELECT minute, actor, route FROM refused_attempts WHERE minute = ANY($1::timestamptz[])',
      [minutes.map((minute) => new Date(minute))],
    );
    const known = there.map((row) => ({ ...row, minute: row.minute.toISOString() }));
    await open.query(
      `INSERT INTO refused_attempts AS r (minute, actor, route, account_id, program, address, request, reasons, count)
       SELECT minute, actor, route, account_id, program, address, request, reasons, count
       FROM jsonb_to_recordset($1::text::jsonb) AS given (minute timestamptz, actor text, route text, account_id uuid,
         program text, address text, request text, reasons jsonb, count int)
       ON CONFLICT (minute, actor, route) DO UPDATE SET count = least(r.count::bigint + excluded.count, 2147483647),
         program = excluded.program, address = excluded.address, request = excluded.request,
         reasons = (SELECT jsonb_object_agg(reason, number) FROM (
           SELECT reason, sum(number::bigint) AS number FROM (SELECT * FROM jsonb_each_text(r.reasons)
             UNION ALL SELECT * FROM jsonb_each_text(excluded.reasons)) AS both_of (reason, number)
           GROUP BY reason) AS summed)`,
      [JSON.stringify(withinLimits(attempts, known))],
    );
  });
}

/**
 * Milliseconds after the end of a minute: clocks differ by a minute at most, processes add once a second, and the rest is
 * for a process that is slow.
 */
const settledAfter = 135_000;
const batchSize = 500;

const deedOf = (row: Omit<Row, 'minute'> & { minute: Date }): AuditEvent => {
  const reasons = Object.entries(row.reasons).toSorted(([, one], [, other]) => other - one);
  const { address, request, program } = row;
  return {
    event: 'request.refused',
    ...(row.account_id ? { by: row.account_id } : {}),
    // A row of the overflow is of no address, no request and no actor.
    ...(address === null
      ? {}
      : { origin: { address, request: request ?? '', userAgent: '', program: program ?? undefined } }),
    detail: {
      route: row.route,
      count: row.count,
      reason: reasons.map(([reason]) => reason).join(', '),
      minute: row.minute.toISOString().slice(0, 16) + 'Z',
      ...(row.actor === 'overflow' ? { overflow: true } : {}),
    },
  };
};

/**
 * Appends one audit event for each row whose minute is over, and removes the row.
 *
 * @returns how many there were, at most 500
 */
export function auditRefusedAttempts(db: Db): Promise<number> {
  const before = minuteOf(Date.now() - settledAfter);
  return db.transaction(async (open) => {
    const { rows } = await open.query<Omit<Row, 'minute'> & { minute: Date }>(
      `DELETE FROM refused_attempts WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM refused_attempts WHERE minute < $1 ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED))
       RETURNING *`,
      [before, batchSize],
    );
    await recordAuditEvents(open, rows.map(deedOf));
    return rows.length;
  });
}
