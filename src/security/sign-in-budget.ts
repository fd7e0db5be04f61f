import type { Db } from '../db/database.ts';
import type { Effect } from '../db/effects.ts';
import { slidingCounting, slidingRules, slidingWait, successNoting, usersOf } from './sliding-budget.ts';
import { attemptCounting, countAttempt, countingValues, pauseLeft } from './throttle.ts';

/**
 * The budgets of a typed password: the network's, which counts distinct names, and the user's, which counts attempts. A
 * name is what was typed as email address, hashed; whether a user has it makes no difference.
 */
export interface PasswordTry {
  /** What the user's budget is counted by. */
  subject: string;
  /** What the network's is counted by; undefined for known browsers and in trusted networks, which have none. */
  network: string | undefined;
  /** 32 bytes. */
  name: Buffer;
}

export type PasswordCount =
  /** `slowDownMs`: for how long the answer is held back. */
  | { allowed: true; failures: number; slowDownMs: number }
  | { allowed: false; seconds: number; budget: 'network' | 'user' };

const { limit, growth, halfLifeSeconds } = slidingRules['sign-in'];

/** Seconds for which a failed name is counted once, and a user who succeeded is not counted again. */
const nameSeconds = 3600;
const longestDelayMs = 3000;

/** From half of the limit on the answer is delayed, by up to three seconds at the limit. */
export function slowDown(level: number, users: number): number {
  const share = level / (limit + growth * users);
  return Math.round(Math.min(1, Math.max(0, 2 * share - 1)) * longestDelayMs);
}

const [network, name, now, since, subject, forgotten, free] = ['$1', '$2', '$3', '$4', '$5', '$6', '$7'];

// The name is looked up as it was when the statement began: two first attempts at once cost two, which fades. The network's
// row comes first here and in `passwordSucceeded`, so that no two statements wait for each other.
const countBoth = `WITH failed AS (
    SELECT 1 FROM network_names WHERE network = ${network} AND name = ${name}::bytea AND failed_at > ${since}::timestamptz),
  network_budget AS (${slidingCounting({
    subject: `${network}::text`,
    budget: "'sign-in'",
    now,
    cost: 'CASE WHEN EXISTS (SELECT FROM failed) THEN 0 ELSE 1 END',
    limit: String(limit),
    growth: String(growth),
    halfLife: String(halfLifeSeconds),
  })}),
  named AS (INSERT INTO network_names AS n (network, name, failed_at, touched_at)
    SELECT ${network}, ${name}::bytea, ${now}::timestamptz, ${now}::timestamptz FROM network_budget
    WHERE NOT EXISTS (SELECT FROM failed)
    ON CONFLICT (network, name) DO UPDATE SET failed_at = excluded.failed_at, touched_at = excluded.touched_at),
  user_budget AS (${attemptCounting({
    subject: `${subject}::text`,
    factor: "'password'",
    now,
    forgotten,
    free,
    after: 'network_budget',
  })})
  SELECT level, (SELECT failures FROM user_budget) AS failures, ${usersOf(network, now)} AS users FROM network_budget`;

/**
 * Counts one typed password in a committed statement, before it is verified. A network whose budget is spent refuses
 * before the user's is touched: a stranger who is refused there spends nothing of the user's.
 */
export async function countPassword(db: Db, tried: PasswordTry): Promise<PasswordCount> {
  if (tried.network === undefined) {
    const counted = await countAttempt(db, tried.subject, 'password');
    return counted.allowed ? { ...counted, slowDownMs: 0 } : { ...counted, budget: 'user' };
  }
  const at = new Date();
  const values = countingValues('password', at);
  const { rows } = await db.query<{ level: number; failures: number | null; users: number }>(countBoth, [
    tried.network,
    tried.name,
    at,
    new Date(at.getTime() - nameSeconds * 1000),
    tried.subject,
    values.forgotten,
    values.free,
  ]);
  const [row] = rows;
  if (!row) {
    const seconds = await slidingWait(db, [tried.network, 'sign-in'], { now: at });
    return { allowed: false, seconds, budget: 'network' };
  }
  if (row.failures === null)
    return { allowed: false, seconds: await pauseLeft(db, tried.subject, 'password', at), budget: 'user' };
  return { allowed: true, failures: row.failures, slowDownMs: slowDown(row.level, row.users) };
}

/** The CTE of `passwordSucceeded` that is the last to lock a row. */
export const lastOfSuccess = 'network_name_succeeded';

/**
 * After a right password: the name no longer counts as failed in this network, and the user raises its limits for a while,
 * once an hour. What was taken back is what is left of it by now.
 */
export function passwordSucceeded({ network: from, name: who }: { network: string; name: Buffer }): Effect {
  const at = new Date();
  return {
    sql: ($, open) => `network_name_before AS (
        SELECT failed_at, coalesce(succeeded_at > ${$(4)}::timestamptz, false) AS counted, failed_at > ${$(4)}::timestamptz AS failed
        FROM network_names WHERE network = ${$(1)} AND name = ${$(2)}::bytea),
      network_success AS (${successNoting({
        subject: `${$(1)}::text`,
        now: $(3),
        takenBack: `coalesce((SELECT power(0.5, greatest(0, extract(epoch FROM ${$(3)}::timestamptz - failed_at)::float8 / ${halfLifeSeconds}))
          FROM network_name_before WHERE failed), 0)`,
        counted: 'NOT EXISTS (SELECT FROM network_name_before WHERE counted)',
        open: `${open} AND NOT EXISTS (SELECT FROM network_name_before WHERE counted AND failed IS NOT TRUE)`,
      })}),
      ${lastOfSuccess} AS (INSERT INTO network_names AS n (network, name, succeeded_at, touched_at)
        SELECT ${$(1)}, ${$(2)}::bytea, ${$(3)}::timestamptz, ${$(3)}::timestamptz
        WHERE (SELECT count(*) FROM network_success) > 0
        ON CONFLICT (network, name) DO UPDATE
          SET failed_at = NULL, succeeded_at = excluded.succeeded_at, touched_at = excluded.touched_at
        RETURNING 1)`,
    params: [from, who, at, new Date(at.getTime() - nameSeconds * 1000)],
  };
}

/** Counts distinct names, known or not, that failed within the hour and did not succeed since from the same network. */
export async function failedNames(db: Db, at: Date): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(DISTINCT name)::int AS count FROM network_names WHERE failed_at > $1',
    [new Date(at.getTime() - nameSeconds * 1000)],
  );
  return rows[0]?.count ?? 0;
}

/** Removes names last touched before `before`, at most `limit`; answers how many. */
export async function sweepNetworkNames(db: Db, before: Date, count: number): Promise<number> {
  const { count: removed } = await db.query(
    'DELETE FROM network_names WHERE ctid = ANY(ARRAY(SELECT ctid FROM network_names WHERE touched_at < $1 LIMIT $2))',
    [before, count],
  );
  return removed;
}
