import type { AuditEvent } from './audit-log.ts';
import { recordAuditEvent } from './audit-log.ts';
import type { Db } from '../db/database.ts';

/**
 * Limits the audit events of refusals that cost the client nothing: the audit log is append-only, and a client must not fill it
 * without a verified secret. Each process appends the first ones of a minute; `refused-attempts.ts` counts all of them.
 */

interface Minute {
  number: number;
  /** The events of this minute, by group. */
  groups: Map<string, Set<string>>;
}

const minutes = new WeakMap<object, Minute>();
/** Groups that are distinguished in one minute. The refusals of further ones are only counted. */
const maxGroups = 2000;

/**
 * Whether an event is the first of its kind in this minute and process.
 *
 * @param scope - Separates the providers of one process: its database.
 * @param group - Whom the event is about. Others cannot use up its room.
 * @param key - The event within the group.
 * @param limit - Different events of one group in a minute.
 */
export function isFirstOfMinute(scope: object, group: string, key = '', limit = 1): boolean {
  const number = Math.floor(Date.now() / 60_000);
  let minute = minutes.get(scope);
  if (minute?.number !== number) {
    minute = { number, groups: new Map() };
    minutes.set(scope, minute);
  }
  const keys = minute.groups.get(group) ?? new Set();
  if (keys.has(key) || keys.size >= limit) return false;
  if (keys.size === 0 && minute.groups.size >= maxGroups) return false;
  minute.groups.set(group, keys.add(key));
  return true;
}

/**
 * Appends the event unless this process has appended one of its kind about `subject` in this minute.
 *
 * @param subject - What the exhausted budget is counted by, whether a user has it or not: the time tells nothing.
 */
export async function auditOncePerMinute(db: Db, subject: string, event: AuditEvent): Promise<void> {
  if (isFirstOfMinute(db, `${event.event} ${subject}`)) await recordAuditEvent(db, event);
}
