import type { Db } from './database.ts';

/**
 * A question that is asked beside others in one statement. Its owner writes the SQL, since each table has one, and whoever
 * asks puts the questions together.
 */
export interface JsonSubquery<About, Value> {
  /** A subselect that gives one JSON value; `about` are names or parameters of the whole statement, never values. */
  ask(args: About): string;
  read(json: unknown): Value;
}

/** One row as JSON, or null. */
export const selectRowAsJson = (select: string): string => `(SELECT to_jsonb(one) FROM (${select}) AS one)`;

/** All rows as JSON, in their order. */
export const selectRowsAsJson = (select: string): string =>
  `(SELECT coalesce(jsonb_agg(one), '[]') FROM (${select}) AS one)`;

/** A time of such a row. */
export const parseTimestamp = (json: string): Date => new Date(json);
export const parseOptionalTimestamp = (json: string | null): Date | undefined =>
  json === null ? undefined : new Date(json);

/** Asks one question alone; `about` are its parameters. */
export function buildQuery<About, Value>(
  subquery: JsonSubquery<About, Value>,
  args: About,
): (db: Db, params: readonly unknown[]) => Promise<Value> {
  const text = `SELECT ${subquery.ask(args)} AS answer`;
  return async (db, params) =>
    subquery.read((await db.query<{ answer: unknown }>(text, params)).rows[0]?.answer);
}

type SubqueryValues<Parts> = {
  [Name in keyof Parts]: Parts[Name] extends JsonSubquery<never, infer Value> ? Value : never;
};

/** Asks several questions in one statement; `from` is what the names in `about` come from. */
export function buildCombinedQuery<About, Parts extends Record<string, JsonSubquery<About, unknown>>>(
  subqueries: Parts,
  args: About,
  from: string,
): (db: Db, params: readonly unknown[]) => Promise<SubqueryValues<Parts>> {
  const names = Object.keys(subqueries) as (keyof Parts & string)[];
  const columns = names.map((name) => `${subqueries[name]?.ask(args)} AS ${name}`);
  const text = `SELECT ${columns.join(', ')} FROM ${from}`;
  return async (db, params) => {
    const { rows } = await db.query(text, params);
    const read = names.map((name) => [name, subqueries[name]?.read(rows[0]?.[name])]);
    return Object.fromEntries(read) as SubqueryValues<Parts>;
  };
}
