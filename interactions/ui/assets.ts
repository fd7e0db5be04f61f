import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Context } from 'koa';
import type { Settings } from '../../config/settings.ts';
import type { Assets } from '../../src/context.ts';

const contentTypes: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

const contentTypeOf = (name: string) =>
  contentTypes[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';

const contentHash = (body: Buffer) => createHash('sha256').update(body).digest('base64url').slice(0, 12);

/** The typeface, from its own package: the Latin letters, å, ä and ö among them. */
const fontPath = createRequire(import.meta.url).resolve(
  '@fontsource-variable/schibsted-grotesk/files/schibsted-grotesk-latin-wght-normal.woff2',
);

/** The operator's own colour and logo, as files of ours like the others. */
function loadBrandFiles(settings: Settings): [string, Buffer][] {
  const accent = settings.HEMMA_BRAND_ACCENT;
  const logo = settings.HEMMA_BRAND_LOGO;
  return [
    ...(accent
      ? [['brand.css', Buffer.from(`:root{--accent:${accent};--accent-ink:#fff}\n`)] as [string, Buffer]]
      : []),
    ...(logo ? [['brand-logo.svg', readFileSync(logo)] as [string, Buffer]] : []),
  ];
}

/** Best first; each at its best, since it is done once. */
const encodings = { br: promisify<Buffer, Buffer>(brotliCompress), gzip: promisify<Buffer, Buffer>(gzip) };
type Encoding = keyof typeof encodings;

/** A typeface is compressed in itself. */
const isCompressible = (name: string): boolean => !name.endsWith('.woff2');

/**
 * Files as small as who asks can read them; each is compressed when it is first asked for. Pages are not: it would cost more
 * of the processor than their template, and a page with what somebody typed beside a token of theirs gives the token away
 * by its length (BREACH).
 */
function createCompressor(files: ReadonlyMap<string, Buffer>) {
  const made = new Map<string, Promise<Buffer>>();
  const as = (name: string, body: Buffer, encoding: Encoding): Promise<Buffer> => {
    const key = `${encoding} ${name}`;
    const known = made.get(key) ?? encodings[encoding](body);
    made.set(key, known);
    return known;
  };
  return async (ctx: Context, name: string): Promise<Buffer | undefined> => {
    const body = files.get(name);
    if (!body || !isCompressible(name)) return body;
    ctx.vary('Accept-Encoding');
    const encoding = (['br', 'gzip'] as const).find((one) => ctx.acceptsEncodings(one) === one);
    if (!encoding) return body;
    const smaller = await as(name, body, encoding);
    ctx.set('Content-Encoding', encoding);
    return smaller;
  };
}

/** How long a file may be kept that was asked for as `asked`; `address` is what our own pages call it. */
function cacheControlFor(requestedUrl: string, address: string | undefined): string {
  if (requestedUrl === address) return 'public, max-age=31536000, immutable';
  // Another version's pages ask for its own file, and nobody may keep ours for that; while versions change, both are there.
  if (requestedUrl.includes('?')) return 'no-store';
  // The stylesheet names the font without its hash; a day is long enough for that one.
  return 'public, max-age=86400';
}

export function loadAssets(settings: Settings, folder: string): Assets {
  const files = new Map<string, Buffer>([
    ...readdirSync(folder).map((name): [string, Buffer] => [name, readFileSync(join(folder, name))]),
    ['schibsted-grotesk.woff2', readFileSync(fontPath)],
    ...loadBrandFiles(settings),
  ]);
  const urls = new Map([...files].map(([name, body]) => [name, `/public/${name}?v=${contentHash(body)}`]));
  const bodyFor = createCompressor(files);
  return {
    url(name) {
      const url = urls.get(name);
      if (!url) throw new Error(`there is no file ${name} for pages`);
      return url;
    },
    async serve(ctx, next) {
      const name = /^\/public\/([a-z0-9.-]+)$/.exec(ctx.path)?.[1];
      if (!name || !files.has(name) || !['GET', 'HEAD'].includes(ctx.method)) return next();
      ctx.body = await bodyFor(ctx, name);
      ctx.type = contentTypeOf(name);
      ctx.set('Cache-Control', cacheControlFor(ctx.url, urls.get(name)));
      return undefined;
    },
  };
}
