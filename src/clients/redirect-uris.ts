import { bareHost, isAddress, isLoopbackHost, isSpecialUse } from '../http/special-use-addresses.ts';
import type { ClientType } from './schema.ts';

/** What an address of an application is for; each use has its own rules. */
export const uriPurposes = [
  'redirect',
  'post-logout',
  'origin',
  'back-channel',
  'front-channel',
  'launch',
  'initiate-login',
] as const;
export type UriPurpose = (typeof uriPurposes)[number];

/** Why an address is refused. The code is the phrase key (see the words for clients in `src/i18n`). */
export const uriFaultCodes = [
  'address-too-long',
  'address-characters',
  'address-wildcard',
  'address-fragment',
  'address-malformed',
  'address-user',
  'address-path-traversal',
  'address-dangerous-scheme',
  'address-private-scheme',
  'address-scheme-not-reversed',
  'address-not-https',
  'address-native-https-loopback',
  'address-private-network',
  'address-loopback',
  'address-not-an-origin',
] as const;
export type UriFaultCode = (typeof uriFaultCodes)[number];

const maxUriLength = 2000;
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Schemes that a browser runs or reads by itself instead of handing them to an application (RFC 8252 §8.4 and RFC 9700 §4.1). */
const dangerousSchemes = new Set([
  'javascript:',
  'vbscript:',
  'data:',
  'blob:',
  'file:',
  'about:',
  'view-source:',
  'ws:',
  'wss:',
  'ftp:',
]);

/** RFC 8252 §7.1: a scheme of one's own is a domain name of one's own, written backwards, so it has a full stop. */
const reverseDomainScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

/** A segment that is `.` or `..`, also percent-encoded: browsers would go somewhere else than what was compared. */
const pathTraversal = /[/\\](?:\.|%2e){1,2}(?:[/\\?]|$)/i;

const isInPrivateNetwork = (url: URL): boolean => isAddress(url) && isSpecialUse(bareHost(url));

/** Whether what stands there as the host is the host: a usual port may be told, an upper-case letter written. */
function isCanonicalAuthority(authority: string, { host, protocol }: URL): boolean {
  const usual = protocol === 'https:' ? ':443' : ':80';
  return [host, `${host}${usual}`].includes(authority.toLowerCase());
}

const isLoopback = ({ hostname }: URL): boolean => loopbackHosts.has(hostname);

/** A link to a program of the person's own device is for redirects of native applications and nothing else. */
function findSchemeFault(url: URL, use: UriPurpose, type: ClientType | undefined): UriFaultCode | undefined {
  const { protocol } = url;
  if (dangerousSchemes.has(protocol)) return 'address-dangerous-scheme';
  if (protocol === 'https:') {
    const native = type === 'native' && (use === 'redirect' || use === 'post-logout');
    return native && isLoopback(url) ? 'address-native-https-loopback' : undefined;
  }
  if (use === 'initiate-login') return 'address-not-https';
  if (protocol === 'http:') return isLoopback(url) ? undefined : 'address-not-https';
  const mayBePrivate = (use === 'redirect' || use === 'post-logout') && (type ?? 'native') === 'native';
  if (!mayBePrivate) return 'address-private-scheme';
  return reverseDomainScheme.test(protocol) ? undefined : 'address-scheme-not-reversed';
}

/**
 * Why an application must not register this address, or undefined where it may. Addresses are compared letter by letter
 * (RFC 9700 §4.1.3), so nothing is repaired here. Without a type only what no type may have is refused.
 */
export function findUriFault(text: string, use: UriPurpose, type?: ClientType): UriFaultCode | undefined {
  if (text.length > maxUriLength) return 'address-too-long';
  if (!/^[\x21-\x7e]+$/.test(text) || /["<>^`{|}]/.test(text)) return 'address-characters';
  if (text.includes('*')) return 'address-wildcard';
  if (text.includes('#')) return 'address-fragment';
  if (!URL.canParse(text) || !/^[a-z][a-z0-9+.-]*:./i.test(text)) return 'address-malformed';
  const url = new URL(text);
  const authority = /^[^:]+:\/\/([^/?]*)/.exec(text)?.[1] ?? '';
  // A reader takes the name before the @ for the host.
  if (authority.includes('@')) return 'address-user';
  if (text.includes('\\') || pathTraversal.test(text)) return 'address-path-traversal';
  // `https:host` and `https:///host` are read differently by different programs, `0x7f.1` and `%61.example` by people.
  if (/^https?:/i.test(text) && !isCanonicalAuthority(authority, url)) return 'address-malformed';
  const byScheme = findSchemeFault(url, use, type);
  if (byScheme) return byScheme;
  if (use === 'back-channel' && !isLoopback(url) && isInPrivateNetwork(url)) return 'address-private-network';
  return use === 'origin' && text !== url.origin ? 'address-not-an-origin' : undefined;
}

/** Where a person's own machine may be meant: RFC 8252 §7.3 redirects native clients there. */
const onDevice: ReadonlySet<UriPurpose> = new Set(['redirect', 'post-logout', 'origin']);

/**
 * Why an address must not be registered with a provider that runs elsewhere: this machine is the provider's to the
 * provider, and another to each browser. A native client may have its own page on the device.
 */
export function loopbackFault(
  text: string,
  use: UriPurpose,
  type: ClientType | undefined,
): 'address-loopback' | undefined {
  if (onDevice.has(use) || (use === 'launch' && type === 'native') || !URL.canParse(text)) return undefined;
  return isLoopbackHost(new URL(text)) ? 'address-loopback' : undefined;
}

/** What is allowed and still worth a word to whoever registers it. */
export const uriHintCodes = ['address-hint-loopback', 'address-hint-localhost-name'] as const;
export type UriHintCode = (typeof uriHintCodes)[number];

/** A word of advice about an address that is taken: RFC 8252 §8.3 prefers the number to the name `localhost`. */
export function findUriHint(text: string, type?: ClientType): UriHintCode | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.protocol !== 'http:' || !isLoopback(url)) return undefined;
  if (type !== 'native') return 'address-hint-loopback';
  return url.hostname === 'localhost' ? 'address-hint-localhost-name' : undefined;
}
