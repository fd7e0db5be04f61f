import type { House } from '../context.ts';
import { sweepChoices } from '../../interactions/sign-in/state.ts';
import { sweepMailedCodes } from '../mfa/mailed-code.ts';
import { sweepPendingCodes } from '../mfa/recovery-code.ts';
import { sweepCases } from '../help-desk/cases.ts';
import { closeLeftAlone } from '../help-desk/case-actions.ts';
import { sweepPendingConnections } from '../mfa/enrollment.ts';
import { mailerOf } from '../mail/mailer.ts';
import type { Mail, Refusal } from '../mail/outbox.ts';
import { deliverDue, mailTopic, sweepMails } from '../mail/outbox.ts';
import { revokeDisabledClients } from '../clients/revocation.ts';
import { revocationTopic } from '../clients/clients.ts';
import type { ClaimBook } from '../oidc/claims/claim-cache.ts';
import { claimsTopic } from '../oidc/claims/claim-cache.ts';
import type { Keyring } from '../oidc/keys/keyring.ts';
import { keysTopic } from '../oidc/keys/keys.ts';
import type { LogoutDelivery } from '../oidc/logout/delivery.ts';
import { sweepLogoutMessages } from '../sessions/logout-outbox.ts';
import { endExpiredSessions, sweepRecords } from '../sessions/records.ts';
import { sweepRefusedRequests } from '../oidc/client-errors.ts';
import { sweepAudit } from '../audit/audit-log.ts';
import type { Database, Db } from '../db/database.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Topic } from '../db/notifications.ts';
import { auditRefusedAttempts } from '../audit/refused-attempts.ts';
import { sweepDeeds, sweepProofs } from '../security/verified-factors.ts';
import { WrongSecretKeys } from '../crypto/encryption.ts';
import { sweepNetworkNames } from '../security/sign-in-budget.ts';
import { sweepSlidingBudgets } from '../security/sliding-budget.ts';
import { sweepAttempts } from '../security/throttle.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { untraced } from '../telemetry/tracing.ts';

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
/** Full batches of one kind before the others have their turn. */
const mostInARow = 20;
/** A full batch is followed by a pause of so many times what it took: a fifth of one connection's time at most. */
const restful = 4;
const longestRest = 2 * second;

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

/**
 * Runs a deed again and again with a pause between, never twice at once; a fault is logged and the next turn comes. A
 * deed that answers with a number names the pause (milliseconds) itself.
 */
function every(
  pause: number,
  log: Log,
  { metrics }: Watch,
  name: string,
  deed: () => Promise<number | void>,
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
  const once = async () => {
    let own: number | void = undefined;
    try {
      own = await deed();
      metrics.choreEnded(name, true);
    } catch (fault) {
      metrics.choreEnded(name, false);
      log.warn({ chore: name, fault: String(fault) }, 'a chore failed');
    }
    running = false;
    wait(asked ? moment : (own ?? pause));
  };
  const run = () => {
    running = true;
    asked = false;
    turn = once();
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

/** Removes at most `limit` of one kind of row; answers how many. */
type Sweeper = (open: Db, limit: number) => Promise<number>;

function sweepers({ settings }: House): readonly Sweeper[] {
  const ago = (time: number) => new Date(Date.now() - time);
  const interaction = () => ago(60 * minute);
  const outbox = () => ago(settings.HEMMA_OUTBOX_DAYS * day);
  const attempts = () => ago(settings.HEMMA_ATTEMPT_DAYS * day);
  const kept = () => ago(settings.HEMMA_AUDIT_DAYS * day);
  return [
    endExpiredSessions,
    sweepRecords,
    (open, limit) => sweepProofs(open, interaction(), limit),
    (open, limit) => sweepDeeds(open, interaction(), limit),
    (open, limit) => sweepChoices(open, interaction(), limit),
    sweepPendingConnections,
    (open, limit) => sweepPendingCodes(open, interaction(), limit),
    (open, limit) => sweepMailedCodes(open, ago(2 * day), limit),
    (open, limit) => sweepMails(open, outbox(), limit),
    (open, limit) => sweepLogoutMessages(open, outbox(), limit),
    (open, limit) => sweepAttempts(open, attempts(), limit),
    // Half-lives are a day at most, and names are counted for an hour.
    (open, limit) => sweepSlidingBudgets(open, ago(7 * day), limit),
    (open, limit) => sweepNetworkNames(open, ago(120 * minute), limit),
    (open, limit) => sweepRefusedRequests(open, attempts(), limit),
    (open, limit) => sweepCases(open, kept(), limit),
    (open, limit) => sweepAudit(open, kept(), limit),
  ];
}

// Any number that no other lock of this house has (migrations/index.ts).
const sweepLock = 4_736_673;

/** One batch, unless another process is at one: two that sweep together are in each other's way and take twice as much. */
const alone = (db: Db, sweeper: Sweeper): Promise<number> =>
  db.transaction(async (open) => {
    const { rows } = await open.query<{ ours: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS ours', [
      sweepLock,
    ]);
    return rows[0]?.ours ? sweeper(open, batch) : 0;
  });

/**
 * Removes what has expired, and goes on as long as there is any: each call takes one full batch at most and answers how
 * long to rest (milliseconds), undefined once nothing is left. No kind keeps the others waiting.
 */
export function sweeping(house: House): () => Promise<number | undefined> {
  const { db, post } = house;
  const kinds: readonly (() => Promise<number>)[] = [
    ...sweepers(house).map((sweeper) => () => alone(db, sweeper)),
    () => closeLeftAlone(db, post, batch),
  ];
  let place = 0;
  let inARow = 0;
  let more = false;
  return async () => {
    while (place < kinds.length) {
      const kind = kinds[place];
      const begun = performance.now();
      // Before it is tried: one that fails does not keep the others from their turn.
      place += 1;
      if (!kind || (await kind()) < batch) {
        inARow = 0;
        continue;
      }
      inARow += 1;
      if (inARow < mostInARow) place -= 1;
      else [inARow, more] = [0, true];
      return Math.min(longestRest, restful * (performance.now() - begun));
    }
    const rest = more ? second : undefined;
    [place, inARow, more] = [0, 0, false];
    return rest;
  };
}

/** What is read from the database once and followed: how, and what it is called where that fails. */
interface Followed {
  name: string;
  topic: Topic;
  follow: () => Promise<void>;
  /** What this process does about it in each turn besides. */
  tend?: () => Promise<void>;
}

/** What another process changed is heard of at once, and found within two seconds where nothing is heard. */
function following(db: Database, log: Log, watch: Watch, { name, topic, follow, tend }: Followed): Chores {
  const look = () =>
    follow().catch((fault: unknown) => {
      // Another process closed its keys with a secret key that this one was not given: an operator must see to it.
      const level = fault instanceof WrongSecretKeys ? 'error' : 'warn';
      log[level]({ fault: String(fault) }, `the ${name} could not be read`);
    });
  const hearing = db.hear(topic, () => void look());
  const chore = every(2 * second, log, watch, name, async () => {
    await look();
    await tend?.();
  });
  return {
    async stop() {
      await chore.stop();
      await hearing.stop();
    },
  };
}

/** Follows the signing keys, so that every process publishes a key long before any signs with it. */
export const followKeys = (db: Database, ring: Keyring, log: Log, watch = unwatched): Chores =>
  following(db, log, watch, {
    name: 'keys',
    topic: keysTopic,
    follow: () => ring.follow(),
    tend: () => ring.tend(),
  });

/** Follows the definitions of claims; what this process changed itself is known at once. */
export const followClaims = (db: Database, book: ClaimBook, log: Log, watch = unwatched): Chores =>
  following(db, log, watch, { name: 'claims', topic: claimsTopic, follow: () => book.follow() });

/** Turns counts whose minute is over into audit events; a full batch is followed by the next at once. */
const refusedAttempts = (db: Db) => async (): Promise<number | void> => {
  if ((await auditRefusedAttempts(db)) >= batch) return moment;
};

/** Starts the chores of this process. */
export function startChores(
  house: House & { db: Database },
  delivery: LogoutDelivery,
  log: Log,
  watch: Watch = unwatched,
): Chores {
  const { db, vault, settings } = house;
  const revocation = every(5 * second, log, watch, 'client revocation', () => revokeDisabledClients(db, log));
  const running: Chores[] = [
    // A client that this process disabled is revoked at once; this finds what others left.
    revocation,
    db.hear(revocationTopic, () => revocation.soon()),
    every(20 * second, log, watch, 'sweep', sweeping(house)),
    // What this process puts out leaves at once; this finds what is tried again, and what other processes left.
    every(second, log, watch, 'sign-out messages', () => delivery.turn()),
    delivery,
    every(5 * second, log, watch, 'refused attempts', refusedAttempts(db)),
  ];
  if (settings.HEMMA_SMTP_URL) {
    const mailer = mailerOf(settings.HEMMA_SMTP_URL, settings.HEMMA_MAIL_FROM);
    // Its kind is ours; whom it goes to and what it says stays out of every trace.
    const send = (mail: Mail) =>
      watch.tracing.span('send', 'send mail', { 'hemma.mail.kind': mail.kind }, () => mailer.deliver(mail));
    const refused = (kind: string, { answer }: Refusal) =>
      log.warn({ mail: kind, answer }, 'the mail server refuses the address of a mail for good');
    const deliver = async () => void (await deliverDue(db, vault, send, refused));
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
