import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { Router } from '@koa/router';

import { renderIconSvg } from './layout.tsx';
import type { AppName } from './settings.ts';

export interface StaticFiles {
  style: string;
  /** Changes with the stylesheet, so that browsers may keep it for long. */
  styleVersion: string;
}

/** Reads the stylesheet that lies beside this file. */
export async function loadStaticFiles(): Promise<StaticFiles> {
  const style = await readFile(new URL('style.css', import.meta.url), 'utf8');
  return { style, styleVersion: createHash('sha256').update(style).digest('hex').slice(0, 12) };
}

/** What is the same for everybody: stylesheet, icon, and a sign of life. */
export function createFilesRouter(app: AppName, files: StaticFiles): Router {
  const router = new Router();

  router.get('/style.css', (ctx) => {
    const known = ctx.query['v'] === files.styleVersion;
    ctx.set('Cache-Control', known ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.type = 'text/css; charset=utf-8';
    ctx.body = files.style;
  });

  router.get('/icon.svg', (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=86400');
    ctx.type = 'image/svg+xml';
    ctx.body = renderIconSvg(app);
  });

  router.get('/health', (ctx) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = 'ok\n';
  });

  return router;
}
