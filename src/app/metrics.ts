import { countUsersWithoutRecoveryCode } from '../mfa/recovery-code.ts';
import { getMailOutboxStats } from '../mail/outbox.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { countPendingLogoutMessages } from '../sessions/logout-outbox.ts';
import type { Database } from '../db/database.ts';
import type { SharedHasher } from '../crypto/argon2.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { failedNames } from '../security/sign-in-budget.ts';
import { slowedNetworks } from '../security/sliding-budget.ts';
import { throttledNames } from '../security/throttle.ts';

const secondMs = 1000;

/**
 * What is read at most so often, however often it is asked for. One question is under way at a time; what could not be
 * read is not told, rather than told as it was long ago.
 */
function cachedReading<T>(
  ttlMs: number,
  read: () => Promise<T>,
): { look: () => Promise<void>; last: () => T | undefined } {
  let latestValue: T | undefined;
  let nextRefreshAt = Number.NEGATIVE_INFINITY;
  let pendingRefresh: Promise<void> | undefined;
  const refresh = async () => {
    nextRefreshAt = performance.now() + ttlMs;
    latestValue = await read().catch(() => undefined);
    pendingRefresh = undefined;
  };
  return {
    last: () => latestValue,
    look() {
      if (performance.now() >= nextRefreshAt) pendingRefresh ??= refresh();
      return pendingRefresh ?? Promise.resolve();
    },
  };
}

/** What this process and its database say of themselves when they are asked. */
export function registerMetrics(
  metrics: Metrics,
  { db, hasher, ring: keyring }: { db: Database; hasher: SharedHasher; ring: Keyring },
): void {
  registerDatabaseMetrics(metrics, db);
  registerOutboxMetrics(metrics, db);
  showThrottling(metrics, db);
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    metrics.shows({ name, help, read });
  gauge('hemma_hash_waiting', 'Passwords and codes that wait to be verified.', () => hasher.load().waiting);
  gauge('hemma_hash_running', 'Passwords and codes that are being verified.', () => hasher.load().running);
  metrics.shows({
    name: 'hemma_hash_turned_away_total',
    help: 'Requests that would have waited longer for a hash than HEMMA_HASH_WAIT, and were told to come again.',
    grows: true,
    read: () => hasher.load().turnedAway,
  });
  metrics.shows({
    name: 'hemma_signing_key_left_seconds',
    help: 'Seconds that the key of each type signs yet; below zero its successor is late.',
    together: 'max',
    labels: ['type'],
    read: () => keyring.secondsLeft(),
  });
  // The radar: whoever loses the phone now needs the help desk.
  const lockOutRiskReading = cachedReading(300 * secondMs, () => countUsersWithoutRecoveryCode(db));
  metrics.beforeReading(lockOutRiskReading.look);
  metrics.shows({
    name: 'hemma_accounts_one_phone_from_lock_out',
    help: 'Accounts with an authenticator and no recovery code; counted every five minutes.',
    together: 'max',
    read: lockOutRiskReading.last,
  });
}

function registerDatabaseMetrics(metrics: Metrics, db: Database): void {
  metrics.shows({
    name: 'hemma_sql_statements_total',
    help: 'Statements that this process asked of the database, BEGIN and COMMIT among them.',
    grows: true,
    read: () => db.tally.statements,
  });
  metrics.shows({
    name: 'hemma_sql_round_trips_total',
    help: 'Journeys to the database and back.',
    grows: true,
    read: () => db.tally.roundTrips,
  });
  metrics.shows({
    name: 'hemma_database_connections',
    help: 'Connections to PostgreSQL by state; waiting: requests that wait for one.',
    labels: ['state'],
    read() {
      const { total, idle, waiting } = db.connections() ?? { total: 0, idle: 0, waiting: 0 };
      return [
        [{ state: 'used' }, total - idle],
        [{ state: 'idle' }, idle],
        [{ state: 'waiting' }, waiting],
      ];
    },
  });
}

/** What makes guessing at many accounts visible (docs/adr/0001-throttling.md). */
function showThrottling(metrics: Metrics, db: Database): void {
  const counts = [
    [
      'hemma_throttled_names',
      'Email addresses, known or not, whose password is throttled now.',
      throttledNames,
    ],
    [
      'hemma_failed_names',
      'Distinct email addresses, known or not, that failed to sign in within the hour and did not succeed since.',
      failedNames,
    ],
    [
      'hemma_slowed_networks',
      'Networks above half of their sign-in limit: answers there are delayed or refused.',
      slowedNetworks,
    ],
  ] as const;
  for (const [name, help, count] of counts) {
    const read = cachedReading(30 * secondMs, () => count(db, new Date()));
    metrics.beforeReading(read.look);
    metrics.shows({ name, help, together: 'max', read: read.last });
  }
}

function registerOutboxMetrics(metrics: Metrics, db: Database): void {
  const mail = cachedReading(10 * secondMs, () => getMailOutboxStats(db));
  const signOut = cachedReading(10 * secondMs, () => countPendingLogoutMessages(db));
  metrics.beforeReading(mail.look);
  metrics.beforeReading(signOut.look);
  const outboxes = [
    ['mail', mail],
    ['sign-out', signOut],
  ] as const;
  const registerOutboxGauge = (
    name: string,
    help: string,
    valueOf: (waiting: { due: number; retried: number; oldest: Date | undefined }) => number,
  ) =>
    metrics.shows({
      name,
      help,
      together: 'max',
      labels: ['outbox'],
      read: () =>
        outboxes.flatMap(([outbox, { last }]) => {
          const waiting = last();
          return waiting ? [[{ outbox }, valueOf(waiting)] as const] : [];
        }),
    });
  registerOutboxGauge('hemma_outbox_due', 'Messages whose turn to be sent has come.', ({ due }) => due);
  registerOutboxGauge(
    'hemma_outbox_retried',
    'Messages that were tried and are tried again.',
    ({ retried }) => retried,
  );
  registerOutboxGauge(
    'hemma_outbox_oldest_seconds',
    'Age of the oldest message that is not delivered.',
    ({ oldest }) => (oldest ? Math.max(0, Math.round((Date.now() - oldest.getTime()) / secondMs)) : 0),
  );
}
