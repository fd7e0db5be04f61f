/** Which of the two relying parties this process plays: it decides name, colour and what the page lists. */
export type AppName = 'autopay' | 'lon';

export interface AutopaySettings {
  app: AppName;
  /** Where browsers reach this program; the redirect URIs are built from it alone, never from a request. */
  origin: string;
  /** The address to listen on. */
  host: string;
  /** The port to listen on; differs from the origin's behind a proxy that ends TLS. */
  port: number;
  /** The OpenID Connect provider, without a trailing slash. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Encrypts the cookies that carry a sign-in on its way; at least 32 characters. */
  cookieSecret: string;
}

export type SettingsResult = { ok: true; settings: AutopaySettings } | { ok: false; faults: string[] };

const DEFAULT_ORIGINS: Record<AppName, string> = {
  autopay: 'http://localhost:3001',
  lon: 'http://localhost:3002',
};

/**
 * Reads the settings from the environment. Every fault is reported at once, so that nobody starts the
 * program five times to learn of five faults.
 */
export function loadAutopaySettings(environment: Record<string, string | undefined>): SettingsResult {
  const faults: string[] = [];
  const read = (name: string) => environment[name]?.trim() ?? '';

  const named = read('AUTOPAY_APP') || 'autopay';
  if (named !== 'autopay' && named !== 'lon') faults.push('AUTOPAY_APP must be "autopay" or "lon".');
  const app: AppName = named === 'lon' ? 'lon' : 'autopay';

  const origin = parseOrigin(read('AUTOPAY_ORIGIN') || DEFAULT_ORIGINS[app], faults);
  const issuer = parseIssuer(read('AUTOPAY_ISSUER') || 'http://localhost:3000', faults);
  const port = parsePort(read('AUTOPAY_PORT'), origin, faults);

  const clientSecret = read('AUTOPAY_CLIENT_SECRET');
  if (!clientSecret)
    faults.push('AUTOPAY_CLIENT_SECRET is missing: the secret that the provider has for this client.');
  const cookieSecret = read('AUTOPAY_COOKIE_SECRET');
  if (cookieSecret.length < 32) {
    faults.push(
      'AUTOPAY_COOKIE_SECRET must be at least 32 random characters; it encrypts the sign-in cookies.',
    );
  }

  if (faults.length > 0) return { ok: false, faults };
  const host = read('AUTOPAY_HOST') || '127.0.0.1';
  const clientId = read('AUTOPAY_CLIENT_ID') || app;
  return { ok: true, settings: { app, origin, host, port, issuer, clientId, clientSecret, cookieSecret } };
}

function parseOrigin(value: string, faults: string[]): string {
  const url = parseUrl('AUTOPAY_ORIGIN', value, faults);
  if (url && (url.pathname !== '/' || url.search || url.hash)) {
    faults.push(
      'AUTOPAY_ORIGIN must be an origin alone, without a path, such as https://autopay.example.com.',
    );
  }
  return url?.origin ?? value;
}

function parseIssuer(value: string, faults: string[]): string {
  const url = parseUrl('AUTOPAY_ISSUER', value, faults);
  if (url && (url.search || url.hash)) faults.push('AUTOPAY_ISSUER must have no query and no fragment.');
  return value.replace(/\/+$/, '');
}

/** Plain http is for this machine alone: anywhere else the codes and cookies would travel in the open. */
function parseUrl(name: string, value: string, faults: string[]): URL | undefined {
  if (!URL.canParse(value)) {
    faults.push(`${name} must be a URL, such as https://example.com.`);
    return undefined;
  }
  const url = new URL(value);
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    faults.push(`${name} must begin with https:// (http:// is for localhost alone).`);
  }
  if (url.username || url.password) faults.push(`${name} must not carry a user name or password.`);
  return url;
}

function parsePort(value: string, origin: string, faults: string[]): number {
  if (!value) {
    if (!URL.canParse(origin)) return 0;
    const url = new URL(origin);
    if (url.port) return Number(url.port);
    return url.protocol === 'https:' ? 443 : 80;
  }
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  faults.push('AUTOPAY_PORT must be a port number; leave it out to take the port of AUTOPAY_ORIGIN.');
  return 0;
}
