import type { Db } from '../db/database.ts';
import type { Effect } from '../db/effects.ts';
import { applyEffects } from '../db/effects.ts';

/** What can be tried: each has its own budget for each subject (an account, an email address, a browser). */
export type ThrottledAction =
  'password' | 'totp' | 'recovery-code' | 'mailed-code' | 'mail' | 'case' | 'user-code';

interface Budget {
  /** Failures before the first pause. */
  free: number;
  /** Milliseconds of silence after which the count begins anew; never where absent. */
  forgetAfter?: number;
}

// NIST SP 800-63B-4 §3.2.2. docs/adr/0001-throttling.md has all budgets in one table; those of networks are sliding ones.
const budgets: Record<ThrottledAction, Budget> = {
  password: { free: 10 },
  totp: { free: 5 },
  'recovery-code': { free: 5 },
  'mailed-code': { free: 5 },
  // Emails: three, then one in growing pauses. A day without a request forgets them.
  mail: { free: 3, forgetAfter: 24 * 3_600_000 },
  // Help-desk cases that one user opens, each of them an email.
  case: { free: 3, forgetAfter: 24 * 3_600_000 },
  // User codes of devices (RFC 8628 §5.1): 20^8 of them, each valid for ten minutes.
  'user-code': { free: 10, forgetAfter: 15 * 60_000 },
};

const firstDelaySeconds = 30;
const maxDelaySeconds = 3600;

export type AttemptResult = { allowed: true; failures: number } | { allowed: false; seconds: number };

/** The parameters of `attemptCounting`, as expressions of the statement. */
export interface CountingNames {
  subject: string;
  factor: string;
  now: string;
  /** Counts that were last touched before this time begin again. */
  forgotten: string;
  free: string;
  /** A CTE that must have returned a row for this budget to be touched. */
  after?: string | undefined;
}

/** SQL that counts one attempt and returns `failures`; it returns no row while the budget pauses. */
export const attemptCounting = ({ subject, factor, now, forgotten, free, after }: CountingNames): string =>
  `INSERT INTO attempts AS a (subject, factor, failures, updated_at)
     SELECT ${subject}, ${factor}, 1, ${now}::timestamptz ${after ? `FROM ${after}` : ''}
     ON CONFLICT (subject, factor) DO UPDATE SET
       failures = CASE WHEN a.updated_at < ${forgotten}::timestamptz THEN 1 ELSE a.failures + 1 END,
       blocked_until = CASE WHEN a.updated_at >= ${forgotten}::timestamptz AND a.failures + 1 >= ${free}::int
         THEN ${now}::timestamptz + least(${maxDelaySeconds}, ${firstDelaySeconds} * 2 ^ least(a.failures + 1 - ${free}::int, 20)) * interval '1 second' END,
       updated_at = ${now}::timestamptz
     WHERE a.blocked_until IS NULL OR a.blocked_until <= ${now}::timestamptz
     RETURNING failures`;

/** The values for `free` and `forgotten` of a budget. */
export function countingValues(tried: ThrottledAction, now: Date): { free: number; forgotten: Date } {
  const { free, forgetAfter } = budgets[tried];
  return { free, forgotten: new Date(forgetAfter ? now.getTime() - forgetAfter : 0) };
}

/** How long a budget still pauses, in whole seconds and at least one. */
export async function pauseLeft(db: Db, subject: string, tried: ThrottledAction, now: Date): Promise<number> {
  const { rows } = await db.query<{ blocked_until: Date | null }>(
    'SELECT blocked_until FROM attempts WHERE subject = $1 AND factor = $2',
    [subject, tried],
  );
  const until = rows[0]?.blocked_until?.getTime() ?? now.getTime();
  return Math.max(1, Math.ceil((until - now.getTime()) / 1000));
}

const countOne = attemptCounting({
  subject: '$1',
  factor: '$2',
  now: '$3',
  forgotten: '$4',
  free: '$5',
});

/**
 * Counts one attempt in a committed statement of its own, BEFORE the secret is verified: parallel guesses share
 * one budget, and a request that fails later has still been counted. The first attempt past the budget opens a
 * pause of 30 s, each further one doubles it up to an hour; success clears the count (`clearAttempts`).
 */
export async function countAttempt(db: Db, subject: string, action: ThrottledAction): Promise<AttemptResult> {
  const now = new Date();
  const { free, forgotten } = countingValues(action, now);
  const { rows } = await db.query<{ failures: number }>(countOne, [subject, action, now, forgotten, free]);
  if (rows[0]) return { allowed: true, failures: rows[0].failures };
  return { allowed: false, seconds: await pauseLeft(db, subject, action, now) };
}

/** A count: whose, and of what. */
export type AttemptKey = readonly [subject: string, tried: ThrottledAction];

/** SQL of whether what `clearAttemptsEffect` forgot were more failures than so many, this right attempt counted among them. */
export const clearedMoreThanSql = (failures: number): string =>
  `EXISTS (SELECT FROM attempts_cleared WHERE failures > ${failures})`;

/**
 * After a success: the failures of that factor are forgotten (NIST SP 800-63B-4 §3.2.2). `after` names a CTE of the same
 * statement that is read first, so that rows are locked in the order in which they are counted.
 */
export const clearAttemptsEffect = ([subject, action]: AttemptKey, after?: string): Effect => ({
  sql: ($, condition) =>
    `attempts_cleared AS (DELETE FROM attempts WHERE subject = ${$(1)} AND factor = ${$(2)} AND ${condition}
       ${after ? `AND (SELECT count(*) FROM ${after}) >= 0` : ''} RETURNING failures)`,
  params: [subject, action],
});

/** Forgets the failures of one factor. */
export async function clearAttempts(db: Db, subject: string, action: ThrottledAction): Promise<void> {
  await applyEffects(db, [clearAttemptsEffect([subject, action])]);
}

/** Takes back one counted attempt that turned out well. */
export async function undoAttempt(db: Db, subject: string, action: ThrottledAction): Promise<void> {
  await db.query(
    `UPDATE attempts SET failures = greatest(failures - 1, 0),
       blocked_until = CASE WHEN failures - 1 < $3::int THEN NULL ELSE blocked_until END
     WHERE subject = $1 AND factor = $2`,
    [subject, action, budgets[action].free],
  );
}

/** Counts email addresses, known or not, whose password budget pauses now. */
export async function throttledNames(db: Db, now: Date): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM attempts
     WHERE blocked_until > $1 AND factor = 'password' AND subject LIKE 'email:%'`,
    [now],
  );
  return rows[0]?.count ?? 0;
}

/** Removes counts that nobody touched since `before`, at most `limit` of them; answers how many. */
export async function deleteOldAttempts(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM attempts WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM attempts WHERE updated_at < $1 AND (blocked_until IS NULL OR blocked_until < $1) LIMIT $2))`,
    [before, limit],
  );
  return count;
}
