import type { Db } from './database.ts';
import type { Effect } from './effects.ts';
import { writeAtOnce } from './effects.ts';

/** What can be tried: each has its own budget for each subject (an account, an address, a browser). */
export type Tried =
  | 'password'
  | 'totp'
  | 'recovery-code'
  | 'mailed-code'
  | 'mail'
  | 'address'
  | 'case'
  | 'stop-code'
  | 'api'
  | 'registration'
  | 'user-code';

interface Budget {
  /** Failures before the first pause. */
  free: number;
  /** Milliseconds of silence after which the count begins anew; never where absent. */
  forgetAfter?: number;
}

// NIST SP 800-63B-4 §3.2.2; the pauses keep a stranger from locking the owner out for good.
const budgets: Record<Tried, Budget> = {
  password: { free: 10 },
  totp: { free: 5 },
  'recovery-code': { free: 5 },
  'mailed-code': { free: 5 },
  // Mails to one address: three, then one in growing pauses; a quiet day forgets.
  mail: { free: 3, forgetAfter: 24 * 3_600_000 },
  address: { free: 100, forgetAfter: 15 * 60_000 },
  // Help-desk cases that one account opens, each of them a mail; and stop codes typed from one network.
  case: { free: 3, forgetAfter: 24 * 3_600_000 },
  'stop-code': { free: 10, forgetAfter: 15 * 60_000 },
  // Requests to the interface for programs without a token that holds.
  api: { free: 100, forgetAfter: 15 * 60_000 },
  // Requests to register that came to nothing.
  registration: { free: 30, forgetAfter: 15 * 60_000 },
  // Codes of devices (RFC 8628 §5.1), by network and by account: 20^8 of them, and each lives ten minutes.
  'user-code': { free: 10, forgetAfter: 15 * 60_000 },
};

const firstPause = 30;
const longestPause = 3600;

export type Attempt = { allowed: true; failures: number } | { allowed: false; seconds: number };

/**
 * Counts one attempt in a committed statement of its own, BEFORE the secret is verified: parallel guesses share
 * one budget, and a request that fails later has still been counted. The first attempt past the budget opens a
 * pause of 30 s, each further one doubles it up to an hour; success clears the count (`clearAttempts`).
 */
export const countAttempt = (db: Db, subject: string, tried: Tried): Promise<Attempt> =>
  countAttempts(db, [[subject, tried]]);

const given = ['subject', 'factor', 'forgotten', 'free'].length;

/** Counts at one budget, where the one before (`after`) let it pass. */
const counting = (place: number, after: string | undefined) => {
  const [subject, factor, forgotten, free] = Array.from(
    { length: given },
    (_one, at) => `$${4 + place * given + at}`,
  );
  return `budget${place} AS (INSERT INTO attempts AS a (subject, factor, failures, updated_at)
     SELECT ${subject}, ${factor}, 1, $1::timestamptz ${after ? `FROM ${after}` : ''}
     ON CONFLICT (subject, factor) DO UPDATE SET
       failures = CASE WHEN a.updated_at < ${forgotten} THEN 1 ELSE a.failures + 1 END,
       blocked_until = CASE WHEN a.updated_at >= ${forgotten} AND a.failures + 1 >= ${free}::int
         THEN $1::timestamptz + least($3::int, $2::int * 2 ^ least(a.failures + 1 - ${free}::int, 20)) * interval '1 second' END,
       updated_at = $1
     WHERE a.blocked_until IS NULL OR a.blocked_until <= $1
     RETURNING failures)`;
};

/**
 * The same at several budgets, in one statement: the first that is spent refuses, and those after it are not touched, so
 * that whoever is held up by one does not spend another's. Failures are those of the last.
 */
export async function countAttempts(
  db: Db,
  tries: readonly (readonly [subject: string, tried: Tried])[],
): Promise<Attempt> {
  const now = new Date();
  const names = tries.map((_one, place) => `budget${place}`);
  const counted = await db.query<{ place: number; failures: number }>(
    `WITH ${names.map((_name, place) => counting(place, names[place - 1])).join(', ')}
     ${names.map((name, place) => `SELECT ${place} AS place, failures FROM ${name}`).join(' UNION ALL ')}`,
    [
      now,
      firstPause,
      longestPause,
      ...tries.flatMap(([subject, tried]) => {
        const { free, forgetAfter } = budgets[tried];
        return [subject, tried, new Date(forgetAfter ? now.getTime() - forgetAfter : 0), free];
      }),
    ],
  );
  const passed = counted.rows.length;
  const last = counted.rows.find(({ place }) => place === tries.length - 1);
  if (last) return { allowed: true, failures: last.failures };
  const { rows } = await db.query<{ blocked_until: Date | null }>(
    'SELECT blocked_until FROM attempts WHERE subject = $1 AND factor = $2',
    [...(tries[passed] ?? [])],
  );
  const until = rows[0]?.blocked_until?.getTime() ?? now.getTime();
  return { allowed: false, seconds: Math.max(1, Math.ceil((until - now.getTime()) / 1000)) };
}

/** A count: whose, and of what. */
export type Counted = readonly [subject: string, tried: Tried];

/** SQL of whether what `attemptsCleared` forgot were more failures than so many, this right attempt counted among them. */
export const moreCleared = (failures: number): string =>
  `EXISTS (SELECT FROM attempts_cleared WHERE failures > ${failures})`;

/**
 * After a success: the failures of that factor are forgotten (NIST SP 800-63B-4 §3.2.2). Of what was counted beside
 * (`too`) this one attempt alone is taken back; the others stay, since an address serves many people.
 */
export const attemptsCleared = ([subject, tried]: Counted, too?: Counted): Effect => ({
  // The second reads the first, so that it comes after it, as `countAttempts` has it: two never wait for each other.
  sql: ($, open) =>
    `attempts_forgiven AS (${forgiving([$(3), $(4), $(5)])} AND ${open} RETURNING 1),
     attempts_cleared AS (DELETE FROM attempts WHERE subject = ${$(1)} AND factor = ${$(2)} AND ${open}
       AND (SELECT count(*) FROM attempts_forgiven) >= 0 RETURNING failures)`,
  params: [subject, tried, ...(too ?? [null, null]), too ? budgets[too[1]].free : 0],
});

/** Forgets the failures of one factor. */
export async function clearAttempts(db: Db, subject: string, tried: Tried): Promise<void> {
  await writeAtOnce(db, [attemptsCleared([subject, tried])]);
}

const forgiving = ([subject, factor, free]: [string, string, string]) =>
  `UPDATE attempts SET failures = greatest(failures - 1, 0),
     blocked_until = CASE WHEN failures - 1 < ${free}::int THEN NULL ELSE blocked_until END
   WHERE subject = ${subject} AND factor = ${factor}`;

/** Takes back one counted attempt that turned out well. */
export async function forgiveAttempt(db: Db, subject: string, tried: Tried): Promise<void> {
  await db.query(forgiving(['$1', '$2', '$3']), [subject, tried, budgets[tried].free]);
}

/** Removes counts that nobody touched since `before`, at most `limit` of them; answers how many. */
export async function sweepAttempts(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM attempts WHERE ctid = ANY(ARRAY(
       SELECT ctid FROM attempts WHERE updated_at < $1 AND (blocked_until IS NULL OR blocked_until < $1) LIMIT $2))`,
    [before, limit],
  );
  return count;
}
