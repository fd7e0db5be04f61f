import type { Context } from 'koa';

const isUnstorableText = (text: string): boolean => text.includes('\0') || !text.isWellFormed();

/** Lists in lists that a body may have: nothing here needs ten, and a stack has an end (RFC 8259 §9). */
const maxDepth = 32;

/** Whether PostgreSQL can keep every text in this, neither a NUL nor half a character, and it is not without a bottom. */
export function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return !isUnstorableText(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === maxDepth) return false;
  return Object.entries(value).every(
    ([name, member]) => !isUnstorableText(name) && isStorable(member, depth + 1),
  );
}

/** The bytes of a body, at most so many; undefined: there were more. */
export async function readBodyBytes(ctx: Context, maxBytes: number): Promise<Buffer | undefined> {
  if (Number(ctx.get('content-length') || 0) > maxBytes) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What the bytes say as JSON in UTF-8; undefined: they are none. */
export function parseJsonBytes(bytes: Buffer): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}
