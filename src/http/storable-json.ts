import type { Context } from 'koa';

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
export async function bytesOf(ctx: Context, most: number): Promise<Buffer | undefined> {
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

/** What the bytes say as JSON in UTF-8; undefined: they are none. */
export function parsed(bytes: Buffer): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown };
  } catch {
    return undefined;
  }
}
