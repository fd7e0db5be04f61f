import type { Context } from 'koa';
import type { z } from 'zod';
import { phrasesFor } from '../i18n/phrases.ts';
import { bytesOf, kept, parsed } from '../http/storable-json.ts';
import type { Endpoint } from './endpoint.ts';
import type { InputFault, Problem } from './problem.ts';

/** Bytes of JSON that an endpoint takes; what takes a file says its own number. */
export const mostJson = 256 * 1024;

/** What a request's body says, judged by the endpoint's schema. */
export async function bodyOf(
  ctx: Context,
  { body, takes }: Pick<Endpoint, 'body' | 'takes'>,
): Promise<{ value: unknown } | Problem> {
  if (!body && !takes) return { value: undefined };
  const types = takes?.types ?? ['application/json'];
  if (!ctx.is([...types]) || ctx.get('content-encoding') !== '') return { problem: 'unsupported-media-type' };
  const bytes = await bytesOf(ctx, takes?.most ?? mostJson);
  if (!bytes) return { problem: 'too-large' };
  if (!body) return { value: bytes };
  const read = parsed(bytes);
  if (!read) return { problem: 'malformed-json' };
  if (!kept(read.json)) return { problem: 'malformed-request' };
  const judged = body.safeParse(read.json, { reportInput: true });
  return judged.success ? { value: judged.data } : { problem: 'invalid', errors: faultsOf(judged.error) };
}

const { clients, ownClaims } = phrasesFor('en');
const words: Record<string, string> = { ...ownClaims.faults, ...clients.faults };

/** What zod finds by itself, in codes of ours; a schema's own message is a code already. */
function codeOf(issue: z.core.$ZodIssue): string {
  if (Object.hasOwn(words, issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return issue.input === undefined ? 'missing' : 'malformed';
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') return 'not-a-choice';
  return issue.code === 'too_big' ? 'too-long' : 'malformed';
}

/** A fault with its sentence. */
export const inputFault = (path: string, code: string): InputFault => ({
  path,
  code,
  detail: words[code] ?? words.malformed ?? code,
});

/** Everything that is wrong with an input. */
export const faultsOf = (error: z.ZodError): InputFault[] =>
  error.issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => inputFault([...at, key].join('.'), 'unknown-field'));
    return [inputFault(at.join('.'), codeOf(issue))];
  });
