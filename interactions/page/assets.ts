import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Middleware } from 'koa';
import type { Settings } from '../../config/settings.ts';

/** The files that pages refer to, read once at start; their addresses carry a hash and may be kept for ever. */
export interface Assets {
  url(name: string): string;
  serve: Middleware;
}

const types: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

const typeOf = (name: string) => types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';

const hashOf = (body: Buffer) => createHash('sha256').update(body).digest('base64url').slice(0, 12);

/** The typeface, from its own package: the Latin letters, å, ä and ö among them. */
const typeface = createRequire(import.meta.url).resolve(
  '@fontsource-variable/schibsted-grotesk/files/schibsted-grotesk-latin-wght-normal.woff2',
);

/** The operator's own colour and logo, as files of ours like the others. */
function brandFiles(settings: Settings): [string, Buffer][] {
  const accent = settings.HEMMA_BRAND_ACCENT;
  const logo = settings.HEMMA_BRAND_LOGO;
  return [
    ...(accent
      ? [['brand.css', Buffer.from(`:root{--accent:${accent};--accent-ink:#fff}\n`)] as [string, Buffer]]
      : []),
    ...(logo ? [['brand-logo.svg', readFileSync(logo)] as [string, Buffer]] : []),
  ];
}

export function assetsOf(settings: Settings, folder: string): Assets {
  const files = new Map<string, Buffer>([
    ...readdirSync(folder).map((name): [string, Buffer] => [name, readFileSync(join(folder, name))]),
    ['schibsted-grotesk.woff2', readFileSync(typeface)],
    ...brandFiles(settings),
  ]);
  const urls = new Map([...files].map(([name, body]) => [name, `/public/${name}?v=${hashOf(body)}`]));
  return {
    url(name) {
      const url = urls.get(name);
      if (!url) throw new Error(`there is no file ${name} for pages`);
      return url;
    },
    serve: (ctx, next) => {
      const name = /^\/public\/([a-z0-9.-]+)$/.exec(ctx.path)?.[1];
      const body = name ? files.get(name) : undefined;
      if (!name || !body || !['GET', 'HEAD'].includes(ctx.method)) return next();
      ctx.body = body;
      ctx.type = typeOf(name);
      // The stylesheet names the font without its hash; a day is long enough for that one.
      const kept = ctx.querystring ? 'public, max-age=31536000, immutable' : 'public, max-age=86400';
      ctx.set('Cache-Control', kept);
      return undefined;
    },
  };
}
