import type { Context } from 'koa';
import type { z } from 'zod';
import { phrasesFor } from '../i18n/phrases.ts';
import { readBodyBytes, isStorable, parseJsonBytes } from '../http/storable-json.ts';
import type { Endpoint } from './endpoint.ts';
import type { InputError, Problem } from './problem.ts';

/** Bytes of JSON that an endpoint takes; what takes a file says its own number. */
export const maxJsonBytes = 256 * 1024;

/** What a request's body says, judged by the endpoint's schema. */
export async function readBody(
  ctx: Context,
  { body, takes: accepts }: Pick<Endpoint, 'body' | 'takes'>,
): Promise<{ value: unknown } | Problem> {
  if (!body && !accepts) return { value: undefined };
  const types = accepts?.types ?? ['application/json'];
  if (!ctx.is([...types]) || ctx.get('content-encoding') !== '') return { problem: 'unsupported-media-type' };
  const bytes = await readBodyBytes(ctx, accepts?.most ?? maxJsonBytes);
  if (!bytes) return { problem: 'too-large' };
  if (!body) return { value: bytes };
  const read = parseJsonBytes(bytes);
  if (!read) return { problem: 'malformed-json' };
  if (!isStorable(read.json)) return { problem: 'malformed-request' };
  const result = body.safeParse(read.json, { reportInput: true });
  return result.success ? { value: result.data } : { problem: 'invalid', errors: inputErrors(result.error) };
}

const { clients, ownClaims: customClaims } = phrasesFor('en');
const faultMessages: Record<string, string> = { ...customClaims.faults, ...clients.faults };

/** What zod finds by itself, in codes of ours; a schema's own message is a code already. */
function faultCode(issue: z.core.$ZodIssue): string {
  if (Object.hasOwn(faultMessages, issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return issue.input === undefined ? 'missing' : 'malformed';
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') return 'not-a-choice';
  return issue.code === 'too_big' ? 'too-long' : 'malformed';
}

/** A fault with its sentence. */
export const inputError = (path: string, code: string): InputError => ({
  path,
  code,
  detail: faultMessages[code] ?? faultMessages.malformed ?? code,
});

/** Everything that is wrong with an input. */
export const inputErrors = (error: z.ZodError): InputError[] =>
  error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => inputError([...path, key].join('.'), 'unknown-field'));
    return [inputError(path.join('.'), faultCode(issue))];
  });
