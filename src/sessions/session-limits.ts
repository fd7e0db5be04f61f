const hour = 3600;

/** Seconds. NIST SP 800-63B-4 §2.2.3 allows 24 hours and one idle; ours are a working day. */
export const sessionLimits = { overall: 10 * hour, idle: hour };

/** Seconds since two factors were proved that an operator's work is open for, and what changes somebody's access. */
export const operatorLimits = { longest: hour, fresh: 600 };

/** Seconds that an interaction is open for. */
export const interactionSeconds = 30 * 60;

const nowInSeconds = () => Math.floor(Date.now() / 1000);

/** Seconds that a session lives on from now: its idle time or the rest of its day, whichever is less. */
export function remainingSessionSeconds(since: number | undefined): number {
  const left = since === undefined ? sessionLimits.idle : since + sessionLimits.overall - nowInSeconds();
  return Math.max(1, Math.min(sessionLimits.idle, left));
}

/** Whether a session's day is over, however busy it was: the library's own leeway would carry it on for ever. */
export const isPastAbsoluteLimit = (since: unknown): boolean =>
  typeof since === 'number' && since + sessionLimits.overall <= nowInSeconds();
