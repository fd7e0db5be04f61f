/** One person's browser, as little of it as a sign-in needs: cookies, redirects, forms. */
import { Pool } from 'undici';

export interface HttpResponse {
  status: number;
  location: string | undefined;
  body: string;
}

export interface Browser {
  get(path: string): Promise<HttpResponse>;
  /** A form of a page of the provider's. */
  post(path: string, fields: Record<string, string>): Promise<HttpResponse>;
  /** Forgets every cookie but those named, as when a browser was closed. */
  close(...kept: string[]): void;
  /** The value of a cookie of the whole site, and another in its place. */
  cookie(name: string): string | undefined;
  plant(name: string, value: string): void;
}

/** Where a provider listens, and the name that it goes by. */
export interface ConnectionPool {
  pools: readonly Pool[];
  host: string;
}

export function openConnectionPool(
  ports: readonly number[],
  host: string,
  connections: number,
): ConnectionPool {
  const each = Math.ceil(connections / ports.length);
  const options = { connections: each, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 };
  return { pools: ports.map((port) => new Pool(`http://127.0.0.1:${port}`, options)), host };
}

export interface RequestOptions {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | null;
}

/** One request of whoever has that number: where there are several processes, each serves its share of them. */
export async function sendRequest(
  connections: ConnectionPool,
  number: number,
  path: string,
  { method = 'GET', ...options }: RequestOptions = {},
) {
  const pool = connections.pools[number % connections.pools.length];
  if (!pool) throw new Error('nobody listens');
  const headers = { host: connections.host, ...options.headers };
  const answer = await pool.request({ path, method, headers, body: options.body ?? null });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

const pathMatches = (path: string, requestedPath: string): boolean =>
  path === '/' ||
  requestedPath === path ||
  requestedPath.startsWith(`${path}/`) ||
  requestedPath.startsWith(`${path}?`);

function storeCookies(jar: Map<string, Cookie>, setCookieHeaders: string | string[] | undefined): void {
  for (const line of [setCookieHeaders ?? []].flat()) {
    const [pair = '', ...attributes] = line.split(';');
    const cut = pair.indexOf('=');
    const value = pair.slice(cut + 1);
    const path = /path=([^;]+)/i.exec(attributes.join(';'))?.[1] ?? '/';
    const name = pair.slice(0, cut);
    if (value === '') jar.delete(`${name} ${path}`);
    else jar.set(`${name} ${path}`, { name, value, path });
  }
}

/** The browser of whoever has that number. */
export function createBrowser(connections: ConnectionPool, number: number): Browser {
  const jar = new Map<string, Cookie>();
  const currentPath = {
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    'accept-language': 'sv',
    accept: 'text/html',
  };
  const navigate = async (path: string, more: RequestOptions): Promise<HttpResponse> => {
    const cookie = [...jar.values()]
      .filter((one) => pathMatches(one.path, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const headers = { ...currentPath, ...(cookie ? { cookie } : {}), ...more.headers };
    const answer = await sendRequest(connections, number, path, { ...more, headers });
    storeCookies(jar, answer.headers['set-cookie']);
    const { location } = answer.headers;
    return { status: answer.status, location: location?.toString(), body: answer.body };
  };
  return {
    get: (path) => navigate(path, { headers: { 'sec-fetch-site': 'none' } }),
    post: (path, fields) =>
      navigate(path, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'sec-fetch-site': 'same-origin',
          origin: `http://${connections.host}`,
        },
        body: new URLSearchParams(fields).toString(),
      }),
    close(...storedCookie) {
      for (const [key, { name }] of jar) if (!storedCookie.includes(name)) jar.delete(key);
    },
    cookie: (name) => jar.get(`${name} /`)?.value,
    plant: (name, value) => void jar.set(`${name} /`, { name, value, path: '/' }),
  };
}
