import type { Db } from './database.ts';

/**
 * A question that is asked beside others in one statement. Its owner writes the SQL, since each table has one, and whoever
 * asks puts the questions together.
 */
export interface Part<About, Value> {
  /** A subselect that gives one JSON value; `about` are names or parameters of the whole statement, never values. */
  ask(about: About): string;
  read(json: unknown): Value;
}

/** One row as JSON, or null. */
export const oneRow = (select: string): string => `(SELECT to_jsonb(one) FROM (${select}) AS one)`;

/** All rows as JSON, in their order. */
export const allRows = (select: string): string =>
  `(SELECT coalesce(jsonb_agg(one), '[]') FROM (${select}) AS one)`;

/** A time of such a row. */
export const timeOf = (json: string): Date => new Date(json);
export const timeOrNone = (json: string | null): Date | undefined =>
  json === null ? undefined : new Date(json);

/** Asks one question alone; `about` are its parameters. */
export function alone<About, Value>(
  part: Part<About, Value>,
  about: About,
): (db: Db, params: readonly unknown[]) => Promise<Value> {
  const text = `SELECT ${part.ask(about)} AS answer`;
  return async (db, params) => part.read((await db.query<{ answer: unknown }>(text, params)).rows[0]?.answer);
}

type Values<Parts> = {
  [Name in keyof Parts]: Parts[Name] extends Part<never, infer Value> ? Value : never;
};

/** Asks several questions in one statement; `from` is what the names in `about` come from. */
export function together<About, Parts extends Record<string, Part<About, unknown>>>(
  parts: Parts,
  about: About,
  from: string,
): (db: Db, params: readonly unknown[]) => Promise<Values<Parts>> {
  const names = Object.keys(parts) as (keyof Parts & string)[];
  const columns = names.map((name) => `${parts[name]?.ask(about)} AS ${name}`);
  const text = `SELECT ${columns.join(', ')} FROM ${from}`;
  return async (db, params) => {
    const { rows } = await db.query(text, params);
    const read = names.map((name) => [name, parts[name]?.read(rows[0]?.[name])]);
    return Object.fromEntries(read) as Values<Parts>;
  };
}
