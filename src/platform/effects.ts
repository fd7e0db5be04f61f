import type { Db } from './database.ts';

/** Names one of a part's own parameters, the first being 1; the whole statement numbers them anew. */
export type Parameter = (place: number) => string;

/**
 * What must hold for anything to be written: a SELECT, UPDATE or DELETE that gives a row where it does. It changes or
 * locks the row that it goes by (`FOR SHARE`), so that it is asked of that row as it is by then, and not as it was when
 * the statement began.
 */
export interface Gate {
  sql: ($: Parameter) => string;
  params: readonly unknown[];
}

/**
 * What is written beside others in one statement. Its table's owner writes the SQL, since each table has one, and whoever
 * does the deed puts the effects together (`Part` is the same for questions).
 */
export interface Effect {
  /** CTEs, each `name AS (…)`, that write where the SQL `open` is true. None sees what another writes. */
  sql: ($: Parameter, open: string) => string;
  params: readonly unknown[];
  /** Says that it is written, to whoever wants to know. */
  announce?: (db: Db) => Promise<void>;
}

const from =
  (first: number): Parameter =>
  (place) =>
    `$${first + place}`;

/** Whether a gate is open; what it locked or changed stays so until the transaction ends. */
export async function passes(open: Db, { sql, params }: Gate): Promise<boolean> {
  return (await open.query(sql(from(0)), params)).count > 0;
}

const always: Gate = { sql: () => 'SELECT 1', params: [] };

/**
 * Writes several things in one statement, which by itself is a transaction: all of them where the gate is open, and
 * nothing where it is not. Answers whether it was.
 */
export async function writeAtOnce(db: Db, effects: readonly Effect[], gate: Gate = always): Promise<boolean> {
  const params = [...gate.params];
  const parts = [`gate AS MATERIALIZED (${gate.sql(from(0))})`];
  for (const effect of effects) {
    parts.push(effect.sql(from(params.length), 'EXISTS (SELECT FROM gate)'));
    params.push(...effect.params);
  }
  const { count } = await db.query(`WITH ${parts.join(', ')} SELECT 1 FROM gate`, params);
  if (count === 0) return false;
  for (const { announce } of effects) await announce?.(db);
  return true;
}
