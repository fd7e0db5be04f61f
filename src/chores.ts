import type { House } from '../interactions/page/house.ts';
import { sweepChoices } from '../interactions/sign-in/progress.ts';
import { sweepMailedCodes } from './factors/mailed-code.ts';
import { sweepPendingCodes } from './factors/recovery-code.ts';
import { sweepCases } from './help-desk/cases.ts';
import { closeLeftAlone } from './help-desk/handling.ts';
import { sweepPendingConnections } from './factors/connection.ts';
import { mailerOf } from './mail/mailer.ts';
import type { Mail } from './mail/outbox.ts';
import { deliverDue, mailTopic, sweepMails } from './mail/outbox.ts';
import type { ClaimBook } from './oidc/claim-book.ts';
import { claimsTopic } from './oidc/claim-book.ts';
import type { Keyring } from './oidc/keyring.ts';
import { keysTopic } from './oidc/keys.ts';
import type { LogoutDelivery } from './oidc/logout-delivery.ts';
import { sweepLogoutMessages } from './oidc/logout-outbox.ts';
import { endExpiredSessions, sweepRecords } from './oidc/records.ts';
import { sweepRefusedRequests } from './oidc/refused-requests.ts';
import { sweepAudit } from './platform/audit.ts';
import type { Database } from './platform/database.ts';
import type { Log } from './platform/log.ts';
import type { Metrics } from './platform/metrics.ts';
import { sweepDeeds, sweepProofs } from './platform/proofs.ts';
import { WrongSecretKeys } from './platform/secrets.ts';
import { sweepAttempts } from './platform/throttle.ts';
import type { Tracing } from './platform/tracing.ts';
import { untraced } from './platform/tracing.ts';

/**
 * What goes on behind the pages, in every process: mails and sign-out messages leave, sessions run out, and what has
 * expired is removed in small batches.
 */
export interface Chores {
  stop(): Promise<void>;
}

const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const batch = 500;
const mostBatches = 20;

interface Recurring extends Chores {
  /** The next turn comes in a moment instead. */
  soon(): void;
}

/** Long enough for the answer that began something to be away: how long it took never tells what went on behind it. */
const moment = 50;

/** Who hears how turns ended, and whose traces mails belong to. */
export interface Watch {
  metrics: Pick<Metrics, 'choreEnded'>;
  tracing: Tracing;
}

const unwatched: Watch = { metrics: { choreEnded: () => undefined }, tracing: untraced };

/** Runs a deed again and again with a pause between, never twice at once; a fault is logged and the next turn comes. */
function every(
  pause: number,
  log: Log,
  { metrics }: Watch,
  name: string,
  deed: () => Promise<void>,
): Recurring {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running = false;
  let asked = false;
  let turn = Promise.resolve();
  const wait = (time: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, time).unref();
  };
  const run = () => {
    running = true;
    asked = false;
    turn = deed()
      .then(
        () => metrics.choreEnded(name, true),
        (fault: unknown) => {
          metrics.choreEnded(name, false);
          log.warn({ chore: name, fault: String(fault) }, 'a chore failed');
        },
      )
      .finally(() => {
        running = false;
        wait(asked ? moment : pause);
      });
  };
  wait(pause);
  return {
    soon() {
      // Asked for again and again it is not put off again and again.
      if (!asked && !running) wait(moment);
      asked = true;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await turn;
    },
  };
}

/** Batch after batch until one comes back not full; at most so many a turn that other work is never kept waiting long. */
async function drain(sweepBatch: (limit: number) => Promise<number>): Promise<void> {
  for (let turn = 0; turn < mostBatches; turn += 1) {
    if ((await sweepBatch(batch)) < batch) return;
  }
}

/** Removes what has expired. Records outlive their expiry by a day, so that a code that comes back late is known. */
async function sweep({ db, post, settings }: House): Promise<void> {
  const ago = (time: number) => new Date(Date.now() - time);
  const signIn = ago(60 * minute);
  await drain((limit) => endExpiredSessions(db, limit));
  await drain((limit) => sweepRecords(db, ago(day), limit));
  await drain((limit) => sweepProofs(db, signIn, limit));
  await drain((limit) => sweepDeeds(db, signIn, limit));
  await drain((limit) => sweepChoices(db, signIn, limit));
  await drain((limit) => sweepPendingConnections(db, limit));
  await drain((limit) => sweepPendingCodes(db, signIn, limit));
  await drain((limit) => sweepMailedCodes(db, ago(2 * day), limit));
  await drain((limit) => sweepMails(db, ago(settings.HEMMA_OUTBOX_DAYS * day), limit));
  await drain((limit) => sweepLogoutMessages(db, ago(settings.HEMMA_OUTBOX_DAYS * day), limit));
  await drain((limit) => sweepAttempts(db, ago(settings.HEMMA_ATTEMPT_DAYS * day), limit));
  await drain((limit) => sweepRefusedRequests(db, ago(settings.HEMMA_ATTEMPT_DAYS * day), limit));
  await drain((limit) => closeLeftAlone(db, post, limit));
  await drain((limit) => sweepCases(db, ago(settings.HEMMA_AUDIT_DAYS * day), limit));
  await drain((limit) => sweepAudit(db, ago(settings.HEMMA_AUDIT_DAYS * day), limit));
}

/**
 * Follows the signing keys: what another process changed is heard of at once, and found within two seconds where nothing
 * is heard. So every process publishes a key long before any signs with it.
 */
export function followKeys(db: Database, ring: Keyring, log: Log, watch = unwatched): Chores {
  const follow = () =>
    ring.follow().catch((fault: unknown) => {
      // Another process closed its keys with a secret key that this one was not given: an operator must see to it.
      const level = fault instanceof WrongSecretKeys ? 'error' : 'warn';
      log[level]({ fault: String(fault) }, 'the keys could not be read');
    });
  const hearing = db.hear(keysTopic, () => void follow());
  const chore = every(2 * second, log, watch, 'keys', async () => {
    await follow();
    await ring.tend();
  });
  return {
    async stop() {
      await chore.stop();
      await hearing.stop();
    },
  };
}

/** Follows the definitions of claims in the same way; what this process changed itself is known at once. */
export function followClaims(db: Database, book: ClaimBook, log: Log, watch = unwatched): Chores {
  const follow = () =>
    book.follow().catch((fault: unknown) => {
      log.warn({ fault: String(fault) }, 'the claims could not be read');
    });
  const hearing = db.hear(claimsTopic, () => void follow());
  const chore = every(2 * second, log, watch, 'claims', follow);
  return {
    async stop() {
      await chore.stop();
      await hearing.stop();
    },
  };
}

/** Starts the chores of this process. */
export function startChores(
  house: House & { db: Database },
  delivery: LogoutDelivery,
  log: Log,
  watch: Watch = unwatched,
): Chores {
  const { db, vault, settings } = house;
  const running: Chores[] = [
    every(20 * second, log, watch, 'sweep', () => sweep(house)),
    // What this process puts out leaves at once; this finds what is tried again, and what other processes left.
    every(second, log, watch, 'sign-out messages', () => delivery.turn()),
    delivery,
  ];
  if (settings.HEMMA_SMTP_URL) {
    const mailer = mailerOf(settings.HEMMA_SMTP_URL, settings.HEMMA_MAIL_FROM);
    // Its kind is ours; whom it goes to and what it says stays out of every trace.
    const send = (mail: Mail) =>
      watch.tracing.span('send', 'send mail', { 'hemma.mail.kind': mail.kind }, () => mailer.deliver(mail));
    const deliver = async () => void (await deliverDue(db, vault, send));
    // As with those messages: what this process writes leaves at once.
    const chore = every(second, log, watch, 'mail', deliver);
    const hearing = db.hear(mailTopic, () => chore.soon());
    running.push(chore, hearing, { stop: async () => mailer.close() });
  }
  return {
    async stop() {
      await Promise.all(running.map((chore) => chore.stop()));
    },
  };
}
