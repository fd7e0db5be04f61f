import type { BackgroundJobs, JobTelemetry } from './run-periodically.ts';
import { noJobTelemetry, runPeriodically, soonDelayMs } from './run-periodically.ts';
import type { AppContext } from '../context.ts';
import { pruneChoices } from '../../interactions/sign-in/state.ts';
import { pruneMailedCodes } from '../mfa/mailed-code.ts';
import { prunePendingCodes } from '../mfa/recovery-code.ts';
import { pruneCases } from '../help-desk/cases.ts';
import { closeInactiveCases } from '../help-desk/case-actions.ts';
import { prunePendingEnrollments } from '../mfa/enrollment.ts';
import { createMailer } from '../mail/mailer.ts';
import type { OutboxMail, MailRejection } from '../mail/outbox.ts';
import { deliverDueMails, mailTopic, deleteOldMails } from '../mail/outbox.ts';
import { revokeDisabledClients } from '../clients/revocation.ts';
import { revocationTopic } from '../clients/clients.ts';
import type { ClaimCache } from '../oidc/claims/claim-cache.ts';
import { claimsTopic } from '../oidc/claims/claim-cache.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { keysTopic } from '../oidc/keys/keys.ts';
import type { LogoutDelivery } from '../oidc/logout/delivery.ts';
import { pruneLogoutMessages } from '../sessions/logout-outbox.ts';
import { endExpiredSessions, pruneRecords } from '../sessions/records.ts';
import { pruneClientErrors } from '../oidc/client-errors.ts';
import { deleteOldAuditEvents } from '../audit/audit-log.ts';
import type { Database, Db } from '../db/database.ts';
import type { Log } from '../telemetry/log.ts';
import type { Topic } from '../db/notifications.ts';
import { auditRefusedAttempts } from '../audit/refused-attempts.ts';
import { deleteOldCompletedActions, deleteOldVerifiedFactors } from '../security/verified-factors.ts';
import { UnknownSecretKeyError } from '../crypto/encryption.ts';
import { sweepNetworkNames } from '../security/sign-in-budget.ts';
import { sweepSlidingBudgets } from '../security/sliding-budget.ts';
import { deleteOldAttempts } from '../security/throttle.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;
const batchSize = 500;
/** Full batches of one kind before the others have their turn. */
const maxConsecutiveBatches = 20;
/** A full batch is followed by a pause of so many times what it took: a fifth of one connection's time at most. */
const pauseFactor = 4;
const maxPauseMs = 2 * secondMs;

/** Removes at most `limit` of one kind of row; answers how many. */
type PruneFunction = (tx: Db, limit: number) => Promise<number>;

function pruneFunctions({ settings }: AppContext): readonly PruneFunction[] {
  const before = (time: number) => new Date(Date.now() - time);
  const interactionCutoff = () => before(60 * minuteMs);
  const outboxCutoff = () => before(settings.HEMMA_OUTBOX_DAYS * dayMs);
  const attemptCutoff = () => before(settings.HEMMA_ATTEMPT_DAYS * dayMs);
  const auditCutoff = () => before(settings.HEMMA_AUDIT_DAYS * dayMs);
  return [
    endExpiredSessions,
    pruneRecords,
    (tx, limit) => deleteOldVerifiedFactors(tx, interactionCutoff(), limit),
    (tx, limit) => deleteOldCompletedActions(tx, interactionCutoff(), limit),
    (tx, limit) => pruneChoices(tx, interactionCutoff(), limit),
    prunePendingEnrollments,
    (tx, limit) => prunePendingCodes(tx, interactionCutoff(), limit),
    (tx, limit) => pruneMailedCodes(tx, before(2 * dayMs), limit),
    (tx, limit) => deleteOldMails(tx, outboxCutoff(), limit),
    (tx, limit) => pruneLogoutMessages(tx, outboxCutoff(), limit),
    (tx, limit) => deleteOldAttempts(tx, attemptCutoff(), limit),
    // Half-lives are a day at most, and names are counted for an hour.
    (tx, limit) => sweepSlidingBudgets(tx, before(7 * dayMs), limit),
    (tx, limit) => sweepNetworkNames(tx, before(120 * minuteMs), limit),
    (tx, limit) => pruneClientErrors(tx, attemptCutoff(), limit),
    (tx, limit) => pruneCases(tx, auditCutoff(), limit),
    (tx, limit) => deleteOldAuditEvents(tx, auditCutoff(), limit),
  ];
}

// Any number that no other lock of this house has (migrations/index.ts).
const pruneLockId = 4_736_673;

/** One batch, unless another process is at one: two that sweep together are in each other's way and take twice as much. */
const pruneExclusively = (db: Db, prune: PruneFunction): Promise<number> =>
  db.transaction(async (tx) => {
    const { rows } = await tx.query<{ ours: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS ours', [
      pruneLockId,
    ]);
    return rows[0]?.ours ? prune(tx, batchSize) : 0;
  });

/**
 * Removes what has expired, and goes on as long as there is any: each call takes one full batch at most and answers how
 * long to rest (milliseconds), undefined once nothing is left. No kind keeps the others waiting.
 */
export function createPruneJob(context: AppContext): () => Promise<number | undefined> {
  const { db, post: enqueueMail } = context;
  const pruneSteps: readonly (() => Promise<number>)[] = [
    ...pruneFunctions(context).map((sweeper) => () => pruneExclusively(db, sweeper)),
    () => closeInactiveCases(db, enqueueMail, batchSize),
  ];
  let index = 0;
  let consecutiveBatches = 0;
  let hasMore = false;
  return async () => {
    while (index < pruneSteps.length) {
      const step = pruneSteps[index];
      const startedAt = performance.now();
      // Before it is tried: one that fails does not keep the others from their turn.
      index += 1;
      if (!step || (await step()) < batchSize) {
        consecutiveBatches = 0;
        continue;
      }
      consecutiveBatches += 1;
      if (consecutiveBatches < maxConsecutiveBatches) index -= 1;
      else [consecutiveBatches, hasMore] = [0, true];
      return Math.min(maxPauseMs, pauseFactor * (performance.now() - startedAt));
    }
    const pauseMs = hasMore ? secondMs : undefined;
    [index, consecutiveBatches, hasMore] = [0, 0, false];
    return pauseMs;
  };
}

/** What is read from the database once and followed: how, and what it is called where that fails. */
interface RefreshedResource {
  name: string;
  topic: Topic;
  follow: () => Promise<void>;
  /** What this process does about it in each turn besides. */
  tend?: () => Promise<void>;
}

/** What another process changed is heard of at once, and found within two seconds where nothing is heard. */
function refreshPeriodically(
  db: Database,
  log: Log,
  watch: JobTelemetry,
  { name, topic, follow, tend }: RefreshedResource,
): BackgroundJobs {
  const refreshOrLog = () =>
    follow().catch((fault: unknown) => {
      // Another process closed its keys with a secret key that this one was not given: an operator must see to it.
      const level = fault instanceof UnknownSecretKeyError ? 'error' : 'warn';
      log[level]({ fault: String(fault) }, `the ${name} could not be read`);
    });
  const subscription = db.hear(topic, () => void refreshOrLog());
  const job = runPeriodically(2 * secondMs, log, watch, name, async () => {
    await refreshOrLog();
    await tend?.();
  });
  return {
    async stop() {
      await job.stop();
      await subscription.stop();
    },
  };
}

/** Follows the signing keys, so that every process publishes a key long before any signs with it. */
export const startKeyRefresh = (
  db: Database,
  keyring: Keyring,
  log: Log,
  watch = noJobTelemetry,
): BackgroundJobs =>
  refreshPeriodically(db, log, watch, {
    name: 'keys',
    topic: keysTopic,
    follow: () => keyring.follow(),
    tend: () => keyring.tend(),
  });

/** Follows the definitions of claims; what this process changed itself is known at once. */
export const startClaimRefresh = (
  db: Database,
  claimCache: ClaimCache,
  log: Log,
  watch = noJobTelemetry,
): BackgroundJobs =>
  refreshPeriodically(db, log, watch, {
    name: 'claims',
    topic: claimsTopic,
    follow: () => claimCache.follow(),
  });

/** Turns counts whose minute is over into audit events; a full batch is followed by the next at once. */
const refusedAttempts = (db: Db) => async (): Promise<number | void> => {
  if ((await auditRefusedAttempts(db)) >= batchSize) return soonDelayMs;
};

/** Starts the chores of this process. */
export function startBackgroundJobs(
  context: AppContext & { db: Database },
  delivery: LogoutDelivery,
  log: Log,
  watch: JobTelemetry = noJobTelemetry,
): BackgroundJobs {
  const { db, vault: encryption, settings } = context;
  const revocation = runPeriodically(5 * secondMs, log, watch, 'client revocation', () =>
    revokeDisabledClients(db, log),
  );
  const jobs: BackgroundJobs[] = [
    // A client that this process disabled is revoked at once; this finds what others left.
    revocation,
    db.hear(revocationTopic, () => revocation.soon()),
    runPeriodically(20 * secondMs, log, watch, 'sweep', createPruneJob(context)),
    // What this process puts out leaves at once; this finds what is tried again, and what other processes left.
    runPeriodically(secondMs, log, watch, 'sign-out messages', () => delivery.turn()),
    delivery,
    runPeriodically(5 * secondMs, log, watch, 'refused attempts', refusedAttempts(db)),
  ];
  if (settings.HEMMA_SMTP_URL) {
    const mailer = createMailer(settings.HEMMA_SMTP_URL, settings.HEMMA_MAIL_FROM);
    // Its kind is ours; whom it goes to and what it says stays out of every trace.
    const send = (mail: OutboxMail) =>
      watch.tracing.span('send', 'send mail', { 'hemma.mail.kind': mail.kind }, () => mailer.deliver(mail));
    const onPermanentFailure = (kind: string, { answer }: MailRejection) =>
      log.warn({ mail: kind, answer }, 'the mail server refuses the address of a mail for good');
    const deliver = async () => void (await deliverDueMails(db, encryption, send, onPermanentFailure));
    // As with those messages: what this process writes leaves at once.
    const mailJob = runPeriodically(secondMs, log, watch, 'mail', deliver);
    const subscription = db.hear(mailTopic, () => mailJob.soon());
    jobs.push(mailJob, subscription, { stop: async () => mailer.close() });
  }
  return {
    async stop() {
      await Promise.all(jobs.map((mailJob) => mailJob.stop()));
    },
  };
}
