import type { Context } from 'koa';

/** The largest file that a page takes, and the largest request around it: a checked file comes back sealed, and longer. */
const maxFileBytes = 5 * 1024 * 1024;
const maxBodyBytes = 8 * 1024 * 1024;
/** Beyond this nobody waits for the end of it. */
const maxDiscardedBytes = 8 * maxBodyBytes;

/** What a form with a file sent (RFC 7578). Its fields are read like any form's; the file stays bytes. */
export interface Upload {
  file: Buffer | undefined;
  /** Larger than a page takes: nothing of it was kept, and its fields are not known. */
  tooLarge: boolean;
}

/** The body, or nothing where it is too large; it is read to its end either way, so that the answer is heard. */
async function readUploadBody(ctx: Context): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxDiscardedBytes) return ctx.throw(413, 'malformed-form');
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

/**
 * Reads a form with a file, once it is known who sends it: its fields become `ctx.request.body`, as a small form's do.
 * A form of another kind has neither.
 */
export async function readUpload(ctx: Context): Promise<Upload> {
  ctx.request.body = {};
  if (!ctx.is('multipart/form-data')) return { file: undefined, tooLarge: false };
  const body = await readUploadBody(ctx);
  if (!body) return { file: undefined, tooLarge: true };
  const headers = { 'content-type': ctx.get('content-type') };
  const form = await new Response(new Uint8Array(body), { headers })
    .formData()
    .catch(() => ctx.throw(400, 'malformed-form'));
  const parts = [...form.entries()];
  ctx.request.body = Object.fromEntries(parts.filter(([, value]) => typeof value === 'string'));
  const file = parts.map(([, value]) => value).find((value) => typeof value !== 'string');
  if (!file || file.size === 0) return { file: undefined, tooLarge: false };
  if (file.size > maxFileBytes) return { file: undefined, tooLarge: true };
  return { file: Buffer.from(await file.arrayBuffer()), tooLarge: false };
}
