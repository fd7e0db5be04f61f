import { bodyParser } from '@koa/bodyparser';
import type { Context, Middleware } from 'koa';
import type { ZodType } from 'zod';

/** Reads a posted form of at most 16 kB; whatever is wrong with it is the sender's fault and says so. */
export const parseFormBody: Middleware = bodyParser({
  enableTypes: ['form'],
  formLimit: '16kb',
  encoding: 'utf-8',
  onError: (fault, ctx) =>
    ctx.throw((fault as { status?: number }).status === 413 ? 413 : 400, 'malformed-form'),
});

const isUnstorable = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(isUnstorable)
    : typeof value === 'string' && (value.includes('\0') || !value.isWellFormed());

/**
 * What a form sent, checked. A repeated field is an array, `a[b]` an object, and PostgreSQL keeps neither a NUL nor half a
 * character: none of
 * them is what our forms send, and none goes further (400).
 */
export function parseForm<Form>(ctx: Context, form: ZodType<Form>): Form {
  const body = (ctx.request.body ?? {}) as Record<string, unknown>;
  const result = form.safeParse(body);
  if (!result.success || Object.values(body).some(isUnstorable)) return ctx.throw(400, 'malformed-form');
  return result.data;
}
