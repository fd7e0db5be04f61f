/** One person's browser, as little of it as a sign-in needs: cookies, redirects, forms. */
import { Pool } from 'undici';

export interface Answer {
  status: number;
  location: string | undefined;
  body: string;
}

export interface Browser {
  get(path: string): Promise<Answer>;
  /** A form of a page of the provider's. */
  post(path: string, fields: Record<string, string>): Promise<Answer>;
  /** Forgets every cookie but those named, as when a browser was closed. */
  close(...kept: string[]): void;
  /** The value of a cookie of the whole site, and another in its place. */
  cookie(name: string): string | undefined;
  plant(name: string, value: string): void;
}

/** Where a provider listens, and the name that it goes by. */
export interface Line {
  pools: readonly Pool[];
  host: string;
}

export function openLine(ports: readonly number[], host: string, connections: number): Line {
  const each = Math.ceil(connections / ports.length);
  const options = { connections: each, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 };
  return { pools: ports.map((port) => new Pool(`http://127.0.0.1:${port}`, options)), host };
}

export interface Ask {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | null;
}

/** One request of whoever has that number: where there are several processes, each serves its share of them. */
export async function ask(line: Line, number: number, path: string, { method = 'GET', ...more }: Ask = {}) {
  const pool = line.pools[number % line.pools.length];
  if (!pool) throw new Error('nobody listens');
  const headers = { host: line.host, ...more.headers };
  const answer = await pool.request({ path, method, headers, body: more.body ?? null });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

const covers = (path: string, asked: string): boolean =>
  path === '/' || asked === path || asked.startsWith(`${path}/`) || asked.startsWith(`${path}?`);

function take(jar: Map<string, Cookie>, lines: string | string[] | undefined): void {
  for (const line of [lines ?? []].flat()) {
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
export function openBrowser(line: Line, number: number): Browser {
  const jar = new Map<string, Cookie>();
  const standing = {
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    'accept-language': 'sv',
    accept: 'text/html',
  };
  const go = async (path: string, more: Ask): Promise<Answer> => {
    const cookie = [...jar.values()]
      .filter((one) => covers(one.path, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const headers = { ...standing, ...(cookie ? { cookie } : {}), ...more.headers };
    const answer = await ask(line, number, path, { ...more, headers });
    take(jar, answer.headers['set-cookie']);
    const { location } = answer.headers;
    return { status: answer.status, location: location?.toString(), body: answer.body };
  };
  return {
    get: (path) => go(path, { headers: { 'sec-fetch-site': 'none' } }),
    post: (path, fields) =>
      go(path, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'sec-fetch-site': 'same-origin',
          origin: `http://${line.host}`,
        },
        body: new URLSearchParams(fields).toString(),
      }),
    close(...kept) {
      for (const [key, { name }] of jar) if (!kept.includes(name)) jar.delete(key);
    },
    cookie: (name) => jar.get(`${name} /`)?.value,
    plant: (name, value) => void jar.set(`${name} /`, { name, value, path: '/' }),
  };
}
