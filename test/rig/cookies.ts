/** The cookies of one visitor, kept the way a browser keeps them (RFC 6265 §5.3-5.4). */

export interface Cookie {
  name: string;
  value: string;
  host: string;
  path: string;
  /** Milliseconds; undefined ends with the browser. */
  expires: number | undefined;
  /** Every attribute as it came, names in lower case. */
  attributes: Record<string, string>;
}

export interface CookieJar {
  all(): Cookie[];
  take(url: URL, setCookie: readonly string[]): void;
  headerFor(url: URL): string | undefined;
  plant(url: URL, name: string, value: string, path?: string): void;
  forget(name?: string): void;
}

/** RFC 6265 §5.1.4: the folder of the page, without its last part. */
const defaultPath = (url: URL): string => url.pathname.slice(0, url.pathname.lastIndexOf('/')) || '/';

/** RFC 6265 §5.1.4: `/auth` covers `/auth` and `/auth/x` and not `/authority`. */
const covers = (path: string, pathname: string): boolean =>
  pathname === path || (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'));

function read(url: URL, line: string): Cookie {
  const [pair = '', ...rest] = line.split(';');
  const cut = pair.indexOf('=');
  const attributes = Object.fromEntries(
    rest.map((part) => {
      const at = part.indexOf('=');
      return at < 0
        ? [part.trim().toLowerCase(), '']
        : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  const maxAge = attributes['max-age'];
  const expires = attributes['expires'];
  return {
    name: pair.slice(0, cut).trim(),
    value: pair.slice(cut + 1).trim(),
    host: url.hostname,
    path: attributes['path']?.startsWith('/') ? attributes['path'] : defaultPath(url),
    expires: maxAge ? Date.now() + Number(maxAge) * 1000 : expires ? Date.parse(expires) : undefined,
    attributes,
  };
}

/** An empty jar, or one with copies of another's cookies (a thief's). Ports do not matter to cookies. */
export function newCookieJar(stolen: readonly Cookie[] = []): CookieJar {
  let kept: Cookie[] = stolen.map((cookie) => ({ ...cookie }));
  const alive = () => {
    kept = kept.filter(({ expires }) => expires === undefined || expires > Date.now());
    return kept;
  };
  const put = (cookie: Cookie) => {
    const same = (other: Cookie) =>
      other.name === cookie.name && other.host === cookie.host && other.path === cookie.path;
    // A cookie that is set again keeps its place (RFC 6265 §5.3, step 11.3).
    const at = kept.findIndex(same);
    kept = at < 0 ? [...kept, cookie] : kept.with(at, cookie);
  };
  return {
    all: () => [...alive()],
    take: (url, lines) => lines.forEach((line) => put(read(url, line))),
    headerFor(url) {
      const fitting = alive().filter(({ host, path }) => host === url.hostname && covers(path, url.pathname));
      // Longer paths first (RFC 6265 §5.4).
      fitting.sort((one, other) => other.path.length - one.path.length);
      return fitting.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined;
    },
    plant: (url, name, value, path = '/') =>
      put({ name, value, host: url.hostname, path, expires: undefined, attributes: {} }),
    forget: (name) => void (kept = name === undefined ? [] : kept.filter((cookie) => cookie.name !== name)),
  };
}
