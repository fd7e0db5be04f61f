import type { Origin } from '../http/request-info.ts';
import type { Db } from '../db/database.ts';
import { toIpNetwork } from '../http/request-info.ts';
import type { AttemptResult } from './throttle.ts';

/**
 * Budgets that slide (docs/adr/0001-throttling.md): a level grows by one with each event and halves every half-life. An
 * event that would lift it above the limit is refused and not counted, so that waiting helps while others go on.
 */
export type SlidingBudget =
  | 'sign-in'
  | 'code-request'
  | 'mailbox'
  | 'dispute-code'
  | 'user-code'
  | 'admin-api'
  | 'registration'
  | 'first-administrator';

interface Rule {
  /** Events before the first refusal. */
  limit: number;
  /** By how much each user who signed in from the network lately raises the limit. */
  growth: number;
  halfLifeSeconds: number;
}

const hour = 3600;
const quarter = 900;

export const slidingRules: Readonly<Record<SlidingBudget, Rule>> = {
  // Distinct names that failed; 100 colleagues who all mistype at once must not refuse the next one.
  'sign-in': { limit: 200, growth: 0.25, halfLifeSeconds: hour },
  'code-request': { limit: 30, growth: 0.1, halfLifeSeconds: hour },
  // The subject is an email address. ASVS 2.4.1: no mailbox can be flooded.
  mailbox: { limit: 6, growth: 0, halfLifeSeconds: 24 * hour },
  // A dispute code has 80 bits.
  'dispute-code': { limit: 20, growth: 0.1, halfLifeSeconds: quarter },
  // RFC 8628 §5.1: 20^8 user codes, each valid for ten minutes.
  'user-code': { limit: 20, growth: 0.1, halfLifeSeconds: quarter },
  'admin-api': { limit: 100, growth: 0.1, halfLifeSeconds: quarter },
  registration: { limit: 30, growth: 0.1, halfLifeSeconds: quarter },
  'first-administrator': { limit: 20, growth: 0, halfLifeSeconds: hour },
};

const longestWait = 48 * hour;

/** What the budgets of a network are counted by; undefined in a trusted network (HEMMA_TRUSTED_NETWORKS), which has none. */
export const networkSubject = ({ address, trusted }: Origin): string | undefined =>
  trusted ? undefined : `network:${toIpNetwork(address)}`;

/** SQL of what is left of a value of `row` at the time `now`. float8 has no room for less than 2^-1022. */
const remaining = (row: string, value: string, now: string, halfLife: string) =>
  `${row}.${value} * power(0.5, least(60, greatest(0, extract(epoch FROM ${now}::timestamptz - ${row}.updated_at)::float8 / ${halfLife}::float8)))`;

/** SQL of how many users signed in lately from the network `subject`. */
export const usersOf = (subject: string, now: string): string =>
  `coalesce((SELECT ${remaining('g', 'users', now, String(slidingRules['sign-in'].halfLifeSeconds))}
     FROM sliding_budgets AS g WHERE g.subject = ${subject} AND g.budget = 'sign-in'), 0)`;

/** The parameters of `slidingCounting`, as expressions of the statement. */
export interface SlidingNames {
  subject: string;
  budget: string;
  now: string;
  /** What this event adds to the level; 0 always passes. */
  cost: string;
  limit: string;
  growth: string;
  halfLife: string;
}

/** SQL that counts one event and returns `level`; it returns no row where the budget is spent. */
export function slidingCounting({
  subject,
  budget,
  now,
  cost,
  limit,
  growth,
  halfLife,
}: SlidingNames): string {
  const left = (value: string) => remaining('b', value, now, halfLife);
  return `INSERT INTO sliding_budgets AS b (subject, budget, level, users, updated_at)
     VALUES (${subject}, ${budget}, ${cost}, 0, ${now}::timestamptz)
     ON CONFLICT (subject, budget) DO UPDATE SET level = ${left('level')} + excluded.level, users = ${left('users')},
       updated_at = greatest(b.updated_at, excluded.updated_at)
     WHERE excluded.level = 0
       OR ${left('level')} + excluded.level <= ${limit}::float8 + ${growth}::float8 * ${usersOf(subject, now)}
     RETURNING level`;
}

/**
 * SQL that notes a user who signed in from a network: takes `takenBack` from the level, and counts the user where `counted`
 * is true. Nothing is written where `open` is false.
 */
export function successNoting(
  names: Pick<SlidingNames, 'subject' | 'now'> & { takenBack: string; counted: string; open: string },
): string {
  const { subject, now, takenBack, counted, open } = names;
  const left = (value: string) => remaining('b', value, now, String(slidingRules['sign-in'].halfLifeSeconds));
  return `INSERT INTO sliding_budgets AS b (subject, budget, level, users, updated_at)
     SELECT ${subject}, 'sign-in', 0, CASE WHEN ${counted} THEN 1 ELSE 0 END, ${now}::timestamptz WHERE ${open}
     ON CONFLICT (subject, budget) DO UPDATE SET
       level = greatest(0, ${left('level')} - ${takenBack}), users = ${left('users')} + excluded.users,
       updated_at = greatest(b.updated_at, excluded.updated_at)
     RETURNING 1`;
}

const countOne = slidingCounting({
  subject: '$1::text',
  budget: '$2::text',
  now: '$3',
  cost: '1',
  limit: '$4',
  growth: '$5',
  halfLife: '$6',
});

const readOne = `SELECT ${remaining('b', 'level', '$3', '$4')} AS level, ${usersOf('$1', '$3')} AS users
  FROM sliding_budgets AS b WHERE b.subject = $1 AND b.budget = $2`;

/** Seconds until one more event fits: level and users both shrink, so the limit that they leave is solved for time. */
export async function slidingWait(
  db: Db,
  [subject, budget]: readonly [subject: string, budget: SlidingBudget],
  { now, limit = slidingRules[budget].limit }: { now: Date; limit?: number | undefined },
): Promise<number> {
  const { growth, halfLifeSeconds } = slidingRules[budget];
  const { rows } = await db.query<{ level: number; users: number }>(readOne, [
    subject,
    budget,
    now,
    halfLifeSeconds,
  ]);
  const { level, users } = rows[0] ?? { level: 0, users: 0 };
  const halvings = Math.log2((level - growth * users) / (limit - 1));
  return Number.isFinite(halvings)
    ? Math.min(longestWait, Math.max(1, Math.ceil(halvings * halfLifeSeconds)))
    : 1;
}

/**
 * Counts one event in a committed statement, before anything is verified.
 * @param limit Another limit than the rule's.
 */
export async function countSliding(
  db: Db,
  subject: string,
  budget: SlidingBudget,
  { limit = slidingRules[budget].limit }: { limit?: number } = {},
): Promise<Pick<AttemptResult & { allowed: true }, 'allowed'> | (AttemptResult & { allowed: false })> {
  const now = new Date();
  const { growth, halfLifeSeconds } = slidingRules[budget];
  const { count } = await db.query(countOne, [subject, budget, now, limit, growth, halfLifeSeconds]);
  if (count > 0) return { allowed: true };
  return { allowed: false, seconds: await slidingWait(db, [subject, budget], { now, limit }) };
}

/** The same for the network of a request; a trusted network has no budget. */
export function countForNetwork(
  db: Db,
  origin: Origin,
  budget: SlidingBudget,
): Promise<{ allowed: true } | { allowed: false; seconds: number }> {
  const subject = networkSubject(origin);
  return subject === undefined ? Promise.resolve({ allowed: true }) : countSliding(db, subject, budget);
}

/** Takes back one event that turned out well. */
export async function forgiveForNetwork(db: Db, origin: Origin, budget: SlidingBudget): Promise<void> {
  const subject = networkSubject(origin);
  if (subject === undefined) return;
  await db.query(
    'UPDATE sliding_budgets SET level = greatest(0, level - 1) WHERE subject = $1 AND budget = $2',
    [subject, budget],
  );
}

/** Counts networks whose level is above half of their sign-in limit, so that answers there are delayed or refused. */
export async function slowedNetworks(db: Db, now: Date): Promise<number> {
  const { limit, growth, halfLifeSeconds } = slidingRules['sign-in'];
  const left = (value: string) => remaining('b', value, '$1', '$2');
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM sliding_budgets AS b
     WHERE b.budget = 'sign-in' AND 2 * ${left('level')} > $3::float8 + $4::float8 * ${left('users')}`,
    [now, halfLifeSeconds, limit, growth],
  );
  return rows[0]?.count ?? 0;
}

/** Removes budgets last touched before `before`, at most `limit`; answers how many. */
export async function sweepSlidingBudgets(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM sliding_budgets WHERE ctid = ANY(ARRAY(SELECT ctid FROM sliding_budgets WHERE updated_at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}
