import { onePhoneFromLockOut } from '../mfa/recovery-code.ts';
import { mailsWaiting } from '../mail/outbox.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { logoutMessagesWaiting } from '../sessions/logout-outbox.ts';
import type { Database } from '../db/database.ts';
import type { SharedHasher } from '../crypto/argon2.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { failedNames } from '../security/sign-in-budget.ts';
import { slowedNetworks } from '../security/sliding-budget.ts';
import { throttledNames } from '../security/throttle.ts';

const second = 1000;

/**
 * What is read at most so often, however often it is asked for. One question is under way at a time; what could not be
 * read is not told, rather than told as it was long ago.
 */
function seldom<T>(
  pause: number,
  read: () => Promise<T>,
): { look: () => Promise<void>; last: () => T | undefined } {
  let last: T | undefined;
  let next = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const look = async () => {
    next = performance.now() + pause;
    last = await read().catch(() => undefined);
    looking = undefined;
  };
  return {
    last: () => last,
    look() {
      if (performance.now() >= next) looking ??= look();
      return looking ?? Promise.resolve();
    },
  };
}

/** What this process and its database say of themselves when they are asked. */
export function showGauges(
  metrics: Metrics,
  { db, hasher, ring }: { db: Database; hasher: SharedHasher; ring: Keyring },
): void {
  showDatabase(metrics, db);
  showOutboxes(metrics, db);
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
    read: () => ring.secondsLeft(),
  });
  // The radar: whoever loses the phone now needs the help desk.
  const radar = seldom(300 * second, () => onePhoneFromLockOut(db));
  metrics.beforeReading(radar.look);
  metrics.shows({
    name: 'hemma_accounts_one_phone_from_lock_out',
    help: 'Accounts with an authenticator and no recovery code; counted every five minutes.',
    together: 'max',
    read: radar.last,
  });
}

function showDatabase(metrics: Metrics, db: Database): void {
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
    const read = seldom(30 * second, () => count(db, new Date()));
    metrics.beforeReading(read.look);
    metrics.shows({ name, help, together: 'max', read: read.last });
  }
}

function showOutboxes(metrics: Metrics, db: Database): void {
  const mail = seldom(10 * second, () => mailsWaiting(db));
  const signOut = seldom(10 * second, () => logoutMessagesWaiting(db));
  metrics.beforeReading(mail.look);
  metrics.beforeReading(signOut.look);
  const outboxes = [
    ['mail', mail],
    ['sign-out', signOut],
  ] as const;
  const show = (
    name: string,
    help: string,
    of: (waiting: { due: number; retried: number; oldest: Date | undefined }) => number,
  ) =>
    metrics.shows({
      name,
      help,
      together: 'max',
      labels: ['outbox'],
      read: () =>
        outboxes.flatMap(([outbox, { last }]) => {
          const waiting = last();
          return waiting ? [[{ outbox }, of(waiting)] as const] : [];
        }),
    });
  show('hemma_outbox_due', 'Messages whose turn to be sent has come.', ({ due }) => due);
  show('hemma_outbox_retried', 'Messages that were tried and are tried again.', ({ retried }) => retried);
  show('hemma_outbox_oldest_seconds', 'Age of the oldest message that is not delivered.', ({ oldest }) =>
    oldest ? Math.max(0, Math.round((Date.now() - oldest.getTime()) / second)) : 0,
  );
}
