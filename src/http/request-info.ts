import { createHmac, createSecretKey, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Context, Middleware } from 'koa';
import type { Settings } from '../../config/settings.ts';

/** Metadata of a request: the network address of its sender, and its id. */
export interface Origin {
  address: string;
  /** The address is in a trusted network (HEMMA_TRUSTED_NETWORKS), which has no network budget. */
  trusted?: boolean | undefined;
  request: string;
  /** What the browser calls itself; for the names of devices, never for a decision. */
  userAgent: string;
  /** The application through which it came, where it came through the interface for programs. */
  program?: string | undefined;
}

/** Cookies carry `__Host-` on https; plain names only on http://localhost, where browsers would drop the prefix. */
export const cookieName = (settings: Settings, name: string): string =>
  settings.development ? `hemma-${name}` : `__Host-hemma-${name}`;

/** How every cookie of ours is set: whole site, not for scripts, not from other sites' forms. */
export const cookieOptions = (settings: Settings) =>
  ({
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    secure: !settings.development,
    overwrite: true,
    signed: false,
  }) as const;

/**
 * Signs cookies and knows its signatures, under the first of the keys and any of them: what koa's own `keygrip` writes,
 * in constant time likewise, but compared by the processor instead of by two digests under a random key, which made
 * each of a request's cookies 46 µs dearer (3 µs now).
 */
export function createCookieSigner(keys: readonly string[]) {
  const secrets = keys.map((key) => createSecretKey(key, 'utf8'));
  const digest = (key: (typeof secrets)[number], text: string) =>
    createHmac('sha1', key).update(text).digest();
  const index = (text: string, signature: string) => {
    const bytes = Buffer.from(signature, 'base64url');
    return secrets.findIndex((key) => {
      const expected = digest(key, text);
      return expected.length === bytes.length && timingSafeEqual(expected, bytes);
    });
  };
  const [newest] = secrets;
  if (!newest) throw new Error('cookies need a key');
  return {
    sign: (text: string) => digest(newest, text).toString('base64url'),
    index,
    verify: (text: string, signature: string) => index(text, signature) >= 0,
  };
}

function buildBlockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) throw new Error(`${entry} is neither an address nor a range`);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const stripIpv4Mapping = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

/**
 * What budgets of addresses are counted by: the address, or the network of an IPv6 one, which has 2^64 of them.
 * @param groups Groups of 16 bits that make the network of an IPv6 address.
 */
export function toIpNetwork(address: string, groups: 3 | 4 = 4): string {
  if (isIP(address) !== 6) return address;
  const [left = '', right = ''] = address.split('::');
  const head = left.split(':').filter(Boolean);
  const rest = right.split(':').filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - rest.length) }, () => '0');
  const all = address.includes('::') ? [...head, ...zeros, ...rest] : head;
  // One spelling (RFC 5952 §4): a proxy may write capitals and leading zeros.
  const prefix = all.slice(0, groups).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/${16 * groups}`;
}

/** Whether an address is in one of the ranges. */
function createRangeMatcher(ranges: readonly string[]): (address: string) => boolean {
  const list = buildBlockList(ranges);
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Finds the client's address: the socket's, or, where that is a configured proxy, the last address in
 * X-Forwarded-For that is not one (ASVS 15.3.4). What anybody else writes into that header is ignored.
 */
export function createClientIpResolver(
  trustedProxies: readonly string[],
): (socket: string, forwarded: string) => string {
  const isTrusted = createRangeMatcher(trustedProxies);
  return (socket, forwarded) => {
    let address = stripIpv4Mapping(socket);
    for (const hop of forwarded
      .split(',')
      .map((part) => stripIpv4Mapping(part.trim()))
      .toReversed()) {
      if (isIP(hop) === 0 || !isTrusted(address)) break;
      address = hop;
    }
    return address;
  };
}

const forwardingHeaders = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'];

/** What is known of whoever asks: the socket's address, and the request's headers. */
export interface RequestSource {
  socket: string;
  headers: IncomingHttpHeaders;
}

/**
 * Who may read the metrics (HEMMA_METRICS_FROM): a machine that asks this process itself, without anything between, or
 * one for which a trusted proxy vouches. Whatever else came through a proxy has the proxy's address and proves nothing;
 * and a proxy that says nothing of itself still passes on the public name, by which nobody inside asks.
 */
export function createMetricsAccessCheck(settings: Settings): (source: RequestSource) => boolean {
  const allowed = createRangeMatcher(settings.HEMMA_METRICS_FROM);
  const isProxy = createRangeMatcher(settings.HEMMA_TRUSTED_PROXIES);
  const resolveClientIp = createClientIpResolver(settings.HEMMA_TRUSTED_PROXIES);
  const { host } = new URL(settings.HEMMA_ISSUER);
  return ({ socket, headers }) => {
    const address = stripIpv4Mapping(socket);
    if (!forwardingHeaders.some((name) => headers[name] !== undefined))
      return allowed(address) && (settings.development || headers.host !== host);
    const client = isProxy(address)
      ? resolveClientIp(address, String(headers['x-forwarded-for'] ?? ''))
      : address;
    return client !== address && allowed(client);
  };
}

/** The number that a trusted proxy gave the request, for finding its line in the proxy's log; a stranger's is nothing. */
export function createProxyRequestIdReader(settings: Settings): (asker: RequestSource) => string | undefined {
  const isProxy = createRangeMatcher(settings.HEMMA_TRUSTED_PROXIES);
  return ({ socket, headers }) => {
    const given = headers['x-request-id'];
    if (typeof given !== 'string' || !/^[\w.:-]{1,64}$/.test(given)) return undefined;
    return isProxy(stripIpv4Mapping(socket)) ? given : undefined;
  };
}

declare module 'koa' {
  interface DefaultState {
    /** The code of what was refused, where something was; for counting. */
    refusal?: string;
    /** The template of this address, where no router of pages knows it. */
    route?: string;
    /** Where this request comes from; set first of all. */
    origin: Origin;
  }
}

/** Gives every request its number and the address it comes from. */
export function setRequestInfo(settings: Settings): Middleware {
  const resolveClientIp = createClientIpResolver(settings.HEMMA_TRUSTED_PROXIES);
  const isTrusted = createRangeMatcher(settings.HEMMA_TRUSTED_NETWORKS);
  return (ctx, next) => {
    const address = resolveClientIp(ctx.req.socket.remoteAddress ?? '', ctx.get('x-forwarded-for'));
    ctx.state.origin = {
      address,
      trusted: isTrusted(address),
      // Twelve characters: short enough to be said over the telephone, and enough to find one request among all.
      request: randomUUID().slice(-12),
      userAgent: ctx.get('user-agent').slice(0, 400),
    };
    return next();
  };
}

/**
 * The provider builds addresses from the Host header; a foreign one is refused (RFC 9700 §4.13) and the
 * scheme is the issuer's, whatever the proxy in front says.
 */
export function requireIssuerHost(settings: Settings): Middleware {
  const { host, protocol } = new URL(settings.HEMMA_ISSUER);
  return (ctx, next) => {
    if (ctx.path.startsWith('/health/')) return next();
    if (ctx.get('host') !== host) return ctx.throw(421, 'foreign-host');
    // oidc-provider asks the request for its scheme and host: what the proxy said is replaced by the issuer's.
    ctx.req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    ctx.req.headers['x-forwarded-host'] = host;
    return next();
  };
}

/**
 * Whether a browser sent this form from a page of ours: `Sec-Fetch-Site: same-origin`, or, where a browser
 * does not send that header, `Origin` equal to the issuer's (never to what the request itself claims).
 */
export function isSameOriginRequest(ctx: Context, issuer: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '') return site === 'same-origin';
  return ctx.get('origin') === new URL(issuer).origin;
}
