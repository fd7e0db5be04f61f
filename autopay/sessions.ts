import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { autopayCookieName, autopayCookieOptions, type CookieContext } from './cookies.ts';
import type { AutopaySettings } from './settings.ts';

/** What the provider said about the person, kept on the server for as long as the session lives. */
export interface SignedInUser {
  sub: string;
  name: string;
  email: string | undefined;
  /** The provider's own session, named in back-channel logout. */
  sid: string | undefined;
  /** Handed back at sign-out so that the provider knows who asks (RP-Initiated Logout 1.0 §2). */
  idToken: string;
  acr: string | undefined;
  amr: readonly string[];
  /** Seconds since 1970. */
  authTime: number | undefined;
}

export interface Session extends SignedInUser {
  id: string;
  /** Stands in every form of this session. */
  csrf: string;
  /** Payment id → when it was approved. */
  approvals: Map<string, Date>;
  beganAt: number;
  seenAt: number;
}

export type SessionStore = ReturnType<typeof createSessionStore>;

const SESSION_LIFETIME_MS = 8 * 3_600_000;
const SESSION_IDLE_MS = 3_600_000;
const MAX_SESSIONS = 10_000;
/** How long an end told by the provider is remembered, for a sign-in that was under way when it came. */
const LOGOUT_MEMORY_MS = 120_000;

/**
 * The sessions of this process, in memory: eight hours at most, one hour idle. A restart signs everybody
 * out here, and the provider's single sign-on lets them in again.
 */
export function createSessionStore(now: () => number = Date.now) {
  const sessions = new Map<string, Session>();
  const recentLogouts = new Map<string, number>();

  const isActive = (session: Session) =>
    now() - session.beganAt < SESSION_LIFETIME_MS && now() - session.seenAt < SESSION_IDLE_MS;

  function sweep(): void {
    for (const session of sessions.values()) if (!isActive(session)) sessions.delete(session.id);
    for (const [key, at] of recentLogouts) if (now() - at > LOGOUT_MEMORY_MS) recentLogouts.delete(key);
    trimToSize(sessions, MAX_SESSIONS - 1);
    trimToSize(recentLogouts, MAX_SESSIONS - 1);
  }

  /**
   * Begins a session under a new id and ends the one that it follows. When that is the same person's, its
   * approvals go along, and its forms in other tabs stay good.
   * @param askedAt when the tokens were asked for, milliseconds
   * @returns undefined when the provider ended this very session while its tokens were on their way
   */
  function begin(
    user: SignedInUser,
    previousSession: Session | undefined,
    askedAt: number,
  ): Session | undefined {
    if (previousSession) sessions.delete(previousSession.id);
    const ended = Math.max(
      recentLogouts.get(`sid ${user.sid}`) ?? 0,
      recentLogouts.get(`sub ${user.sub}`) ?? 0,
    );
    if (ended >= askedAt) return undefined;
    sweep();
    const { approvals, csrf } =
      previousSession?.sub === user.sub
        ? previousSession
        : { approvals: new Map<string, Date>(), csrf: randomToken() };
    const at = now();
    const session = { ...user, id: randomToken(), csrf, approvals, beganAt: at, seenAt: at };
    sessions.set(session.id, session);
    return session;
  }

  function find(id: string | undefined): Session | undefined {
    const session = id === undefined ? undefined : sessions.get(id);
    if (!session) return undefined;
    if (!isActive(session)) {
      sessions.delete(session.id);
      return undefined;
    }
    session.seenAt = now();
    return session;
  }

  /** Ends what a logout token names: the sessions with its sid, or without one all of its sub. */
  function endByProvider(matchesSubject: { sid: string | undefined; sub: string | undefined }): void {
    sweep();
    recentLogouts.set(
      matchesSubject.sid === undefined ? `sub ${matchesSubject.sub}` : `sid ${matchesSubject.sid}`,
      now(),
    );
    for (const session of sessions.values()) {
      const isTarget =
        matchesSubject.sid === undefined
          ? session.sub === matchesSubject.sub
          : session.sid === matchesSubject.sid;
      if (isTarget) sessions.delete(session.id);
    }
  }

  return { begin, find, end: (session: Session) => sessions.delete(session.id), endByProvider };
}

/** The session that this request's cookie names, if it still lives. */
export function findSession(
  sessions: SessionStore,
  settings: AutopaySettings,
  ctx: CookieContext,
): Session | undefined {
  return sessions.find(ctx.cookies.get(autopayCookieName(settings, 'session')));
}

export function setSessionCookie(settings: AutopaySettings, ctx: CookieContext, session: Session): void {
  ctx.cookies.set(autopayCookieName(settings, 'session'), session.id, autopayCookieOptions(settings));
}

export function clearSessionCookie(settings: AutopaySettings, ctx: CookieContext): void {
  ctx.cookies.set(autopayCookieName(settings, 'session'), null, autopayCookieOptions(settings));
}

/** Whether a form's token is this session's, told in a time that does not depend on where they differ. */
export function isCsrfTokenOf(session: Session, token: string): boolean {
  return timingSafeEqual(sha256(token), sha256(session.csrf));
}

/** Approved once: doing it again keeps the first time. */
export function approvePayment(session: Session, payment: string, at = new Date()): void {
  if (!session.approvals.has(payment)) session.approvals.set(payment, at);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

function trimToSize(map: Map<string, unknown>, maxSize: number): void {
  for (const key of map.keys()) {
    if (map.size <= maxSize) return;
    map.delete(key);
  }
}
