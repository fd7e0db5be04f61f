import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import { cookieName, cookieOptions, type Exchange } from './cookies.ts';
import type { Settings } from './settings.ts';

/** What the provider said about the person, kept on the server for as long as the session lives. */
export interface SignedIn {
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

export interface Session extends SignedIn {
  id: string;
  /** Stands in every form of this session. */
  csrf: string;
  /** Payment id → when it was approved. */
  approvals: Map<string, Date>;
  beganAt: number;
  seenAt: number;
}

export type Sessions = ReturnType<typeof openSessions>;

const LIFE = 8 * 3_600_000;
const IDLE = 3_600_000;
const MOST = 10_000;
/** How long an end told by the provider is remembered, for a sign-in that was under way when it came. */
const MEMORY_OF_ENDS = 120_000;

/**
 * The sessions of this process, in memory: eight hours at most, one hour idle. A restart signs everybody
 * out here, and the provider's single sign-on lets them in again.
 */
export function openSessions(now: () => number = Date.now) {
  const sessions = new Map<string, Session>();
  const ends = new Map<string, number>();

  const alive = (session: Session) => now() - session.beganAt < LIFE && now() - session.seenAt < IDLE;

  function sweep(): void {
    for (const session of sessions.values()) if (!alive(session)) sessions.delete(session.id);
    for (const [key, at] of ends) if (now() - at > MEMORY_OF_ENDS) ends.delete(key);
    dropOldest(sessions, MOST - 1);
    dropOldest(ends, MOST - 1);
  }

  /**
   * Begins a session under a new id and ends the one that it follows. When that is the same person's, its
   * approvals go along, and its forms in other tabs stay good.
   * @param askedAt when the tokens were asked for, milliseconds
   * @returns undefined when the provider ended this very session while its tokens were on their way
   */
  function begin(person: SignedIn, former: Session | undefined, askedAt: number): Session | undefined {
    if (former) sessions.delete(former.id);
    const ended = Math.max(ends.get(`sid ${person.sid}`) ?? 0, ends.get(`sub ${person.sub}`) ?? 0);
    if (ended >= askedAt) return undefined;
    sweep();
    const { approvals, csrf } =
      former?.sub === person.sub ? former : { approvals: new Map<string, Date>(), csrf: secret() };
    const at = now();
    const session = { ...person, id: secret(), csrf, approvals, beganAt: at, seenAt: at };
    sessions.set(session.id, session);
    return session;
  }

  function find(id: string | undefined): Session | undefined {
    const session = id === undefined ? undefined : sessions.get(id);
    if (!session) return undefined;
    if (!alive(session)) {
      sessions.delete(session.id);
      return undefined;
    }
    session.seenAt = now();
    return session;
  }

  /** Ends what a logout token names: the sessions with its sid, or without one all of its sub. */
  function endByProvider(named: { sid: string | undefined; sub: string | undefined }): void {
    sweep();
    ends.set(named.sid === undefined ? `sub ${named.sub}` : `sid ${named.sid}`, now());
    for (const session of sessions.values()) {
      const meant = named.sid === undefined ? session.sub === named.sub : session.sid === named.sid;
      if (meant) sessions.delete(session.id);
    }
  }

  return { begin, find, end: (session: Session) => sessions.delete(session.id), endByProvider };
}

/** The session that this request's cookie names, if it still lives. */
export function sessionOf(sessions: Sessions, settings: Settings, ctx: Exchange): Session | undefined {
  return sessions.find(ctx.cookies.get(cookieName(settings, 'session')));
}

export function giveSessionCookie(settings: Settings, ctx: Exchange, session: Session): void {
  ctx.cookies.set(cookieName(settings, 'session'), session.id, cookieOptions(settings));
}

export function takeSessionCookie(settings: Settings, ctx: Exchange): void {
  ctx.cookies.set(cookieName(settings, 'session'), null, cookieOptions(settings));
}

/** Whether a form's token is this session's, told in a time that does not depend on where they differ. */
export function isTokenOf(session: Session, token: string): boolean {
  return timingSafeEqual(digest(token), digest(session.csrf));
}

/** Approved once: doing it again keeps the first time. */
export function approve(session: Session, payment: string, at = new Date()): void {
  if (!session.approvals.has(payment)) session.approvals.set(payment, at);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
