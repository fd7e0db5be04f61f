import { createHash } from 'node:crypto';

import { EncryptJWT, jwtDecrypt } from 'jose';
import { randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client';
import { z } from 'zod';

import { autopayCookieName, autopayCookieOptions, type CookieContext } from './cookies.ts';
import type { AutopaySettings } from './settings.ts';

/** What the person goes to the provider for. An approval keeps its payment, and the `sub` of whoever asked for it. */
const purposeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('sign-in') }),
  z.object({ kind: z.literal('new-phone') }),
  z.object({ kind: z.literal('approval'), payment: z.string(), sub: z.string() }),
]);

const pendingSignInSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  errand: purposeSchema,
  /** A path on this origin. */
  returnTo: z.string(),
});

/** A sign-in that has left for the provider and not come back. */
export type PendingSignIn = z.infer<typeof pendingSignInSchema>;
export type SignInRequest = Pick<PendingSignIn, 'errand' | 'returnTo'>;

/** Long enough for somebody who first connects a new phone at the provider. */
const PENDING_LIFETIME_MS = 3_600_000;
/** Each is some 600 bytes in every request, and browsers and servers refuse headers beyond 8-16 kB. */
const MAX_PENDING = 5;
const STATE_PATTERN = /^[0-9a-z]{1,12}-[\w-]{20,64}$/;

/**
 * Begins a sign-in. What it needs on the way back travels in an encrypted cookie of its own, named by the
 * `state`: several tabs, opened in the same moment, each find theirs, and no other browser can finish it
 * (RFC 9700 §4.7.1).
 */
export async function createPendingSignIn(
  settings: AutopaySettings,
  ctx: CookieContext,
  { errand, returnTo }: SignInRequest,
): Promise<PendingSignIn> {
  // The time in front lets the oldest be told from the names alone.
  const state = `${Date.now().toString(36)}-${randomState()}`;
  const pending = { state, nonce: randomNonce(), codeVerifier: randomPKCECodeVerifier(), errand, returnTo };
  const value = await new EncryptJWT({ ...pending })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setAudience(settings.clientId)
    .setExpirationTime(new Date(Date.now() + PENDING_LIFETIME_MS))
    .encrypt(encryptionKey(settings));
  dropOldestPending(settings, ctx);
  ctx.cookies.set(
    pendingCookieName(settings, state),
    value,
    autopayCookieOptions(settings, PENDING_LIFETIME_MS),
  );
  return pending;
}

/** Takes the sign-in that `state` names, once: the cookie goes with this answer. Undefined when there is none. */
export async function consumePendingSignIn(
  settings: AutopaySettings,
  ctx: CookieContext,
  state: string,
): Promise<PendingSignIn | undefined> {
  if (!STATE_PATTERN.test(state)) return undefined;
  const value = ctx.cookies.get(pendingCookieName(settings, state));
  if (value === undefined) return undefined;
  ctx.cookies.set(pendingCookieName(settings, state), null, autopayCookieOptions(settings));
  try {
    const { payload } = await jwtDecrypt(value, encryptionKey(settings), {
      audience: settings.clientId,
      contentEncryptionAlgorithms: ['A256GCM'],
      keyManagementAlgorithms: ['dir'],
      requiredClaims: ['exp'],
    });
    const pending = pendingSignInSchema.parse(payload);
    return pending.state === state ? pending : undefined;
  } catch {
    // Expired, altered, or of another secret: to the person all of these are a sign-in that is lost.
    return undefined;
  }
}

/**
 * The path to come back to, if it is one of ours; else the start page. The comparison is made after
 * parsing, as a browser would: `//host`, `/\host` and `/.//host` all leave this origin in one reading or another.
 */
export function localPath(settings: AutopaySettings, value: unknown): string {
  if (typeof value !== 'string' || value.length > 500 || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(value)) return '/';
  const url = URL.parse(value, settings.origin);
  if (url?.origin !== settings.origin || url.pathname.startsWith('//')) return '/';
  return url.pathname + url.search;
}

function dropOldestPending(settings: AutopaySettings, ctx: CookieContext): void {
  const prefix = pendingCookieName(settings, '');
  const names = ctx
    .get('Cookie')
    .split(/;\s*/)
    .map((pair) => pair.split('=', 1)[0] ?? '')
    .filter((name) => name.startsWith(prefix) && STATE_PATTERN.test(name.slice(prefix.length)))
    .sort();
  for (const name of names.slice(0, Math.max(0, names.length - MAX_PENDING + 1))) {
    ctx.cookies.set(name, null, autopayCookieOptions(settings));
  }
}

function pendingCookieName(settings: AutopaySettings, state: string): string {
  return autopayCookieName(settings, `sign-in-${state}`);
}

function encryptionKey(settings: AutopaySettings): Uint8Array {
  return createHash('sha256').update(`sign-in cookie\n${settings.cookieSecret}`).digest();
}
