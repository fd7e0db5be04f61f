import type { Context } from 'koa';
import type { z } from 'zod';
import { phrasesFor } from '../locales/phrases.ts';
import type { Endpoint } from './endpoint.ts';
import type { InputFault, Problem } from './problem.ts';

/** Bytes of JSON that an endpoint takes; what takes a file says its own number. */
export const mostJson = 256 * 1024;

const unkept = (text: string): boolean => text.includes('\0') || !text.isWellFormed();

/** Lists in lists that a body may have: nothing here needs ten, and a stack has an end (RFC 8259 §9). */
const deepest = 32;

/** Whether PostgreSQL can keep every text in this, neither a NUL nor half a character, and it is not without a bottom. */
export function kept(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return !unkept(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === deepest) return false;
  return Object.entries(value).every(([name, part]) => !unkept(name) && kept(part, depth + 1));
}

/** The bytes of a body, at most so many; undefined: there were more. */
async function bytesOf(ctx: Context, most: number): Promise<Buffer | undefined> {
  if (Number(ctx.get('content-length') || 0) > most) return undefined;
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of ctx.req as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function parsed(bytes: Buffer): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}

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
