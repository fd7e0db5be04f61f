import type { Context } from 'koa';
import type { z } from 'zod';
import type { AppContext } from '../context.ts';
import type { Permission } from '../users/operators.ts';
import type { ApiScope } from '../clients/resource-servers/api-scopes.ts';
import { encodeCursor, decodeCursor } from '../db/cursor.ts';
import { isStorable } from '../http/storable-json.ts';
import { readBody, inputErrors } from './body.ts';
import type { Caller } from './authenticate.ts';
import { authenticateCaller, checkAccess } from './authenticate.ts';
import type { Problem, ProblemCode } from './problem.ts';
import { sendProblem } from './problem.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request that was let in, and what it said, judged by the endpoint's own schemas. */
export interface ApiRequest<Params, Query, Body> {
  house: AppContext;
  ctx: Context;
  caller: Caller;
  params: Params;
  query: Query;
  body: Body;
}

/** What an endpoint answers. A body passes through its schema: what that does not name does not leave. */
export interface ApiResponse<Body> {
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
interface AcceptedBody {
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

interface EndpointDefinition<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Told,
> {
  method: HttpMethod;
  /** Below `/api`; what is in braces is named in `params`. */
  path: string;
  /** What generated programs call it, unique among all. */
  name: string;
  summary: string;
  description?: string;
  scope: ApiScope;
  action: Permission;
  alsoScope?: ApiScope;
  fresh?: boolean;
  params?: Params;
  query?: Query;
  /** Undefined: it takes none, and does not look at one. */
  body?: Body;
  /** Instead of `body`: any of these types, as bytes. */
  takes?: AcceptedBody;
  /** Which version is meant must be said (RFC 9110 §13.1.1). */
  versioned?: boolean;
  answers: { status: 200 | 201 | 204; schema?: z.ZodType<Told>; type?: string; etag?: boolean };
  /** What it refuses besides what every endpoint does. */
  refuses: readonly ProblemCode[];
  example: Example;
  handle(
    asked: ApiRequest<z.output<Params>, z.output<Query>, z.output<Body>>,
  ): Promise<ApiResponse<NoInfer<Told>> | Problem | undefined>;
}

/** An endpoint whatever it takes and answers: what the router, the document and the tests see. */
export type Endpoint = EndpointDefinition<z.ZodType, z.ZodType, z.ZodType, unknown>;

/** One endpoint; the schemas give the handler its types. */
export const defineEndpoint = <
  Params extends z.ZodType = z.ZodType<undefined>,
  Query extends z.ZodType = z.ZodType<undefined>,
  Body extends z.ZodType = z.ZodType<undefined>,
  Told = undefined,
>(
  definition: EndpointDefinition<Params, Query, Body, Told>,
): Endpoint => definition;

type ParseResult<Value> = { value: Value } | Problem;

/** What stands in the address behind the question mark; a name that means nothing here is told, not passed over. */
function parseQuery(ctx: Context, schema: z.ZodType | undefined): ParseResult<unknown> {
  if (!schema) return { value: undefined };
  if (!isStorable(ctx.query)) return { problem: 'malformed-request' };
  const parsed = schema.safeParse({ ...ctx.query }, { reportInput: true });
  return parsed.success ? { value: parsed.data } : { problem: 'invalid', errors: inputErrors(parsed.error) };
}

/** Runs one endpoint: who asks, whether they may, what they say, and then the one question to the domain. */
export async function handleRequest(
  context: AppContext,
  ctx: Context,
  definition: Endpoint,
  pathParameters: Record<string, string>,
): Promise<void> {
  const caller = await authenticateCaller(context, ctx);
  if ('problem' in caller) return sendProblem(ctx, caller);
  const denied = checkAccess(ctx, caller, definition);
  if (denied) return sendProblem(ctx, denied);
  const params = definition.params?.safeParse(pathParameters);
  if (params && !params.success) return sendProblem(ctx, { problem: 'not-found' });
  const query = parseQuery(ctx, definition.query);
  if ('problem' in query) return sendProblem(ctx, query);
  if (definition.versioned && ctx.get('if-match') === '')
    return sendProblem(ctx, { problem: 'version-needed' });
  const body = await readBody(ctx, definition);
  if ('problem' in body) return sendProblem(ctx, body);
  const request = { house: context, ctx, caller, params: params?.data, query: query.value, body: body.value };
  const response = (await definition.handle(request)) ?? {};
  if ('problem' in response) return sendProblem(ctx, response);
  sendResponse(ctx, definition, response);
}

function sendResponse(ctx: Context, { answers: success }: Endpoint, response: ApiResponse<unknown>): void {
  ctx.status = success.status;
  if (response.location) ctx.set('Location', response.location);
  if (response.etag) ctx.set('ETag', response.etag);
  if (response.file) {
    ctx.type = response.type ?? 'application/octet-stream';
    ctx.body = response.file;
  } else if (success.schema) {
    ctx.body = JSON.stringify(success.schema.parse(response.body));
    ctx.type = 'application/json';
  } else ctx.body = null;
  ctx.status = success.status;
}

/** What a list is of: its name, what was asked of it, and who asks. A cursor goes on in that list and in no other. */
function cursorContext({ caller, query }: ApiRequest<unknown, PageQuery, unknown>, list: string): string {
  const { cursor: _cursor, limit: _limit, ...filter } = query as PageQuery & Record<string, unknown>;
  const callerId = 'id' in caller.actor ? caller.actor.id : caller.actor.program;
  return `api ${list} ${callerId} ${JSON.stringify(filter)}`;
}

export interface PageQuery {
  cursor?: string | undefined;
  limit: number;
}

/** The place that a request's cursor stands for; undefined at the beginning of the list. */
export function decodeListCursor(
  request: ApiRequest<unknown, PageQuery, unknown>,
  list: string,
): { place: string | undefined } | Problem {
  const { cursor } = request.query;
  if (cursor === undefined) return { place: undefined };
  const position = decodeCursor(request.house.vault, cursorContext(request, list), cursor);
  return position === undefined ? { problem: 'invalid-cursor' } : { place: position };
}

/** The cursor of a list's next page; null where this was the last. */
export const encodeListCursor = (
  request: ApiRequest<unknown, PageQuery, unknown>,
  list: string,
  position: string | undefined,
): string | null =>
  position === undefined ? null : encodeCursor(request.house.vault, cursorContext(request, list), position);
