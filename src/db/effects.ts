import type { Db } from './database.ts';

/** Names one of a part's own parameters, the first being 1; the whole statement numbers them anew. */
export type Placeholder = (place: number) => string;

/**
 * What must hold for anything to be written: a SELECT, UPDATE or DELETE that gives a row where it does. It changes or
 * locks the row that it goes by (`FOR SHARE`), so that it is asked of that row as it is by then, and not as it was when
 * the statement began.
 */
export interface Precondition {
  sql: ($: Placeholder) => string;
  params: readonly unknown[];
}

/**
 * What is written beside others in one statement. Its table's owner writes the SQL, since each table has one, and whoever
 * does the deed puts the effects together (`Part` is the same for questions). Three things hold for its SQL:
 * it sees all tables as they were when the statement began, before the gate was waited for, and nothing that other
 * effects write; of a row that it changes or deletes it sees what that is by then. Effects happen in no order that may be
 * relied on: where one must come before another, the other reads it. A name stands once in a statement.
 */
export interface Effect {
  /** CTEs, each `name AS (…)`, that write where the SQL `open` is true. */
  sql: ($: Placeholder, condition: string) => string;
  params: readonly unknown[];
  /** It asks for rows that others write in the same turn: it begins when the gate has been passed. */
  behindGate?: boolean;
  /** Says that it is written, to whoever wants to know. `where`: a CTE of it that is empty where there is nothing to say. */
  announce?: { say: (db: Db) => Promise<void>; where?: string };
}

const placeholdersFrom =
  (first: number): Placeholder =>
  (place) =>
    `$${first + place}`;

/** Whether a gate is open; what it locked or changed stays so until the transaction ends. */
export async function checkPrecondition(tx: Db, { sql, params }: Precondition): Promise<boolean> {
  return (await tx.query(sql(placeholdersFrom(0)), params)).count > 0;
}

const alwaysTrue: Precondition = { sql: () => 'SELECT 1', params: [] };

/**
 * Writes several things, all of them where the gate is open, and nothing where it is not; answers whether it was. It is
 * one statement, which by itself is a transaction, unless an effect must stay behind the gate.
 */
export async function applyEffects(
  db: Db,
  effects: readonly Effect[],
  precondition: Precondition = alwaysTrue,
): Promise<boolean> {
  if (precondition !== alwaysTrue && effects.some(({ behindGate: afterPrecondition }) => afterPrecondition))
    return db.transaction(
      async (tx) => (await checkPrecondition(tx, precondition)) && applyEffects(tx, effects),
    );
  const params = [...precondition.params];
  const parts = [`gate AS MATERIALIZED (${precondition.sql(placeholdersFrom(0))})`];
  const wroteSql: string[] = [];
  for (const { sql, params: effectParams, announce: publish } of effects) {
    parts.push(sql(placeholdersFrom(params.length), 'EXISTS (SELECT FROM gate)'));
    params.push(...effectParams);
    wroteSql.push(publish?.where ? `EXISTS (SELECT FROM ${publish.where})` : 'true');
  }
  const { rows } = await db.query<{ wrote: boolean[] }>(
    `WITH ${parts.join(', ')} SELECT ARRAY[${wroteSql.join(', ')}]::boolean[] AS wrote FROM gate`,
    params,
  );
  const [done] = rows;
  for (const [index, { announce: publish }] of effects.entries())
    if (done?.wrote[index]) await publish?.say(db);
  return done !== undefined;
}
