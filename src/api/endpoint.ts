import type { Context } from 'koa';
import type { z } from 'zod';
import type { House } from '../context.ts';
import type { Action } from '../users/operators.ts';
import type { ApiScope } from '../clients/resource-servers/api-scopes.ts';
import { cursorOf, placeOf } from '../db/cursor.ts';
import { kept } from '../http/storable-json.ts';
import { bodyOf, faultsOf } from './body.ts';
import type { Caller } from './authenticate.ts';
import { callerOf, turnedAway } from './authenticate.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { answerProblem } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request that was let in, and what it said, judged by the endpoint's own schemas. */
export interface Asked<Params, Query, Body> {
  house: House;
  ctx: Context;
  caller: Caller;
  params: Params;
  query: Query;
  body: Body;
}

/** What an endpoint answers. A body passes through its schema: what that does not name does not leave. */
export interface Answer<Body> {
  body?: Body;
  /** Where what was made can be read. */
  location?: string;
  /** Of what is answered (RFC 9110 §8.8.3). */
  etag?: string;
  /** In place of a body: a file, in pieces. */
  file?: NodeJS.ReadableStream;
  type?: string;
}

/** What an endpoint takes besides JSON, and how much of it. */
interface Taken {
  types: readonly string[];
  /** Bytes. */
  most: number;
}

/** A request and its answer that work as they stand here; a test sends every one of them. */
export interface Example {
  params?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: unknown;
  answer?: unknown;
}

interface Definition<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Told> {
  method: Method;
  /** Below `/api`; what is in braces is named in `params`. */
  path: string;
  /** What generated programs call it, unique among all. */
  name: string;
  summary: string;
  description?: string;
  scope: ApiScope;
  action: Action;
  alsoScope?: ApiScope;
  fresh?: boolean;
  params?: Params;
  query?: Query;
  /** Undefined: it takes none, and does not look at one. */
  body?: Body;
  /** Instead of `body`: any of these types, as bytes. */
  takes?: Taken;
  /** Which version is meant must be said (RFC 9110 §13.1.1). */
  versioned?: boolean;
  answers: { status: 200 | 201 | 204; schema?: z.ZodType<Told>; type?: string; etag?: boolean };
  /** What it refuses besides what every endpoint does. */
  refuses: readonly ProblemCode[];
  example: Example;
  handle(
    asked: Asked<z.output<Params>, z.output<Query>, z.output<Body>>,
  ): Promise<Answer<NoInfer<Told>> | Problem | undefined>;
}

/** An endpoint whatever it takes and answers: what the router, the document and the tests see. */
export type Endpoint = Definition<z.ZodType, z.ZodType, z.ZodType, unknown>;

/** One endpoint; the schemas give the handler its types. */
export const endpoint = <
  Params extends z.ZodType = z.ZodType<undefined>,
  Query extends z.ZodType = z.ZodType<undefined>,
  Body extends z.ZodType = z.ZodType<undefined>,
  Told = undefined,
>(
  definition: Definition<Params, Query, Body, Told>,
): Endpoint => definition;

type Read<Value> = { value: Value } | Problem;

/** What stands in the address behind the question mark; a name that means nothing here is told, not passed over. */
function queryOf(ctx: Context, schema: z.ZodType | undefined): Read<unknown> {
  if (!schema) return { value: undefined };
  if (!kept(ctx.query)) return { problem: 'malformed-request' };
  const read = schema.safeParse({ ...ctx.query }, { reportInput: true });
  return read.success ? { value: read.data } : { problem: 'invalid', errors: faultsOf(read.error) };
}

/** Runs one endpoint: who asks, whether they may, what they say, and then the one question to the domain. */
export async function run(
  house: House,
  ctx: Context,
  definition: Endpoint,
  found: Record<string, string>,
): Promise<void> {
  const caller = await callerOf(house, ctx);
  if ('problem' in caller) return answerProblem(ctx, caller);
  const away = turnedAway(ctx, caller, definition);
  if (away) return answerProblem(ctx, away);
  const params = definition.params?.safeParse(found);
  if (params && !params.success) return answerProblem(ctx, { problem: 'not-found' });
  const query = queryOf(ctx, definition.query);
  if ('problem' in query) return answerProblem(ctx, query);
  if (definition.versioned && ctx.get('if-match') === '')
    return answerProblem(ctx, { problem: 'version-needed' });
  const body = await bodyOf(ctx, definition);
  if ('problem' in body) return answerProblem(ctx, body);
  const asked = { house, ctx, caller, params: params?.data, query: query.value, body: body.value };
  const answer = (await definition.handle(asked)) ?? {};
  if ('problem' in answer) return answerProblem(ctx, answer);
  send(ctx, definition, answer);
}

function send(ctx: Context, { answers }: Endpoint, answer: Answer<unknown>): void {
  ctx.status = answers.status;
  if (answer.location) ctx.set('Location', answer.location);
  if (answer.etag) ctx.set('ETag', answer.etag);
  if (answer.file) {
    ctx.type = answer.type ?? 'application/octet-stream';
    ctx.body = answer.file;
  } else if (answers.schema) {
    ctx.body = JSON.stringify(answers.schema.parse(answer.body));
    ctx.type = 'application/json';
  } else ctx.body = null;
  ctx.status = answers.status;
}

/** What a list is of: its name, what was asked of it, and who asks. A cursor goes on in that list and in no other. */
function listName({ caller, query }: Asked<unknown, Paged, unknown>, list: string): string {
  const { cursor: _cursor, limit: _limit, ...filter } = query as Paged & Record<string, unknown>;
  const who = 'id' in caller.actor ? caller.actor.id : caller.actor.program;
  return `api ${list} ${who} ${JSON.stringify(filter)}`;
}

export interface Paged {
  cursor?: string | undefined;
  limit: number;
}

/** The place that a request's cursor stands for; undefined at the beginning of the list. */
export function placeIn(
  asked: Asked<unknown, Paged, unknown>,
  list: string,
): { place: string | undefined } | Problem {
  const { cursor } = asked.query;
  if (cursor === undefined) return { place: undefined };
  const place = placeOf(asked.house.vault, listName(asked, list), cursor);
  return place === undefined ? { problem: 'invalid-cursor' } : { place };
}

/** The cursor of a list's next page; null where this was the last. */
export const nextOf = (
  asked: Asked<unknown, Paged, unknown>,
  list: string,
  place: string | undefined,
): string | null => (place === undefined ? null : cursorOf(asked.house.vault, listName(asked, list), place));
