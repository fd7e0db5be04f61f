import { createHash } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import instance from 'oidc-provider/lib/helpers/weak_cache.js';

/** A document as it was last written. */
interface CachedDocument {
  of: unknown;
  bytes: Buffer;
  type: string;
  cacheControl: string;
  etag: string;
}

/** What discovery is made of that changes while a process runs: the house's own claims, and what its keys can sign. */
const getDiscoveryState = (provider: Provider): string => {
  const { scopes, claimsSupported, idTokenSigningAlgValues } = instance(provider).configuration;
  return [...scopes, '', ...claimsSupported, '', ...idTokenSigningAlgValues].join(' ');
};

/** By the path of a document, what it is made of: as long as that is the same, so is the document. */
const documentSources = new Map<string, (provider: Provider) => unknown>([
  ['/.well-known/openid-configuration', getDiscoveryState],
  ['/.well-known/oauth-authorization-server', getDiscoveryState],
  // They are exchanged as a whole (see keyring.ts).
  ['/jwks', (provider) => instance(provider).jwks],
]);

function respondDocument(ctx: Context, { bytes, type, cacheControl, etag }: CachedDocument): void {
  ctx.set('Content-Type', type);
  if (cacheControl) ctx.set('Cache-Control', cacheControl);
  ctx.set('ETag', etag);
  // As the library has it: scripts of any site may read what anybody may.
  ctx.vary('Origin');
  ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
  ctx.status = 200;
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = bytes;
}

/**
 * Answers for what every application reads again and again (discovery, keys) with the bytes that the library's answer had,
 * until what it is made of is another. It writes them itself: here nothing is known of them but how long they are right.
 */
export function cacheWellKnown(provider: Provider): Middleware {
  const written = new Map<string, CachedDocument>();
  return async (ctx, next) => {
    const from = documentSources.get(ctx.path);
    if (!from || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    // Before it is written: what changes meanwhile has it written once more.
    const of = from(provider);
    const known = written.get(ctx.path);
    if (known && known.of === of) return respondDocument(ctx, known);
    await next();
    if (ctx.status !== 200) return undefined;
    const bytes = Buffer.from(JSON.stringify(ctx.body));
    const document = {
      of,
      bytes,
      type: ctx.response.get('Content-Type'),
      cacheControl: ctx.response.get('Cache-Control'),
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    };
    written.set(ctx.path, document);
    return respondDocument(ctx, document);
  };
}
