import { randomUUID } from 'node:crypto';
import { recordAuditEventsEffect } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Effect } from '../db/effects.ts';
import { applyEffects } from '../db/effects.ts';
import type { Topic } from '../db/notifications.ts';
import type { Encryption } from '../crypto/encryption.ts';
import type { Locale } from '../i18n/phrases.ts';
import type { MailContext, Message } from './letter.ts';

/** Whom a mail goes to: the account's own addresses and language, as its row has them. */
export interface Recipient {
  id: string;
  email: string;
  /** The second address, where there is one. */
  noticeEmail?: string | undefined;
  name: string;
  locale: Locale | undefined;
}

/**
 * Puts mails into the outbox, in the transaction of the deed that they tell of. A notice goes to the second address
 * as well; a mail whose kind ends in `-code` carries one and goes to `email` alone.
 */
export interface EnqueueMail {
  (tx: Db, ...mail: EnqueueMailArguments): Promise<void>;
  /** The same beside other effects, in their one statement. */
  effect(...mail: EnqueueMailArguments): Effect;
}

/** A post office for accounts that are made to be tried out: nobody needs a mail about it. */
export const discardMail: EnqueueMail = Object.assign(() => Promise.resolve(), {
  effect: (): Effect => ({ sql: () => 'mails_posted AS (SELECT)', params: [] }),
});

type EnqueueMailArguments = [to: Recipient, kind: string, write: (facts: MailContext) => Message];

/** What the operator decided about mails. */
export interface MailSettings {
  brand: string;
  helpDesk: string;
  issuer: string;
  defaultLocale: Locale;
}

/** What is announced when something was put in here; other processes find it when they look. */
export const mailTopic: Topic = { name: 'mails', everywhere: false };

const mailAssociatedData = (id: string) => `mail:${id}`;

/** A post office: it knows the brand, the help desk's contact and the key that seals what waits. */
export function createMailEnqueuer(encryption: Encryption, settings: MailSettings): EnqueueMail {
  const effect: EnqueueMail['effect'] = (to, kind, write) => {
    const { brand, helpDesk, issuer, defaultLocale } = settings;
    const at = new Date();
    const message = write({ brand, helpDesk, issuer, name: to.name, locale: to.locale ?? defaultLocale, at });
    const noticeRecipient =
      kind.endsWith('-code') || to.noticeEmail === to.email ? undefined : to.noticeEmail;
    const recipients = noticeRecipient ? [to.email, noticeRecipient] : [to.email];
    const ids = recipients.map(() => randomUUID());
    const encrypted = ids.map((id) =>
      encryption.seal(JSON.stringify(message), mailAssociatedData(id)).toString('hex'),
    );
    return {
      sql: ($, open) => `mails_posted AS (
        INSERT INTO mails (id, account_id, kind, recipient, sealed_content, tries, created_at, next_try_at)
        SELECT id, ${$(4)}, ${$(5)}, recipient, decode(sealed, 'hex'), 0, ${$(6)}, ${$(6)}
        FROM unnest(${$(1)}::uuid[], ${$(2)}::text[], ${$(3)}::text[]) AS given (id, recipient, sealed) WHERE ${open}
        RETURNING 1)`,
      params: [ids, recipients, encrypted, to.id, kind, at],
      announce: { say: (db) => db.announce(mailTopic), where: 'mails_posted' },
    };
  };
  const enqueue = async (open: Db, ...mail: EnqueueMailArguments) => {
    await applyEffects(open, [effect(...mail)]);
  };
  return Object.assign(enqueue, { effect });
}

/** A mail as it stands in the outbox. */
export interface OutboxMail extends Message {
  id: string;
  kind: string;
  recipient: string;
  createdAt: Date;
}

/** A mail server takes nothing for an address, today or ever. `answer` is its numbers, and names nobody. */
export interface MailRejection {
  answer: string;
}

interface MailRow {
  id: string;
  account_id: string | null;
  kind: string;
  recipient: string;
  sealed_content: Buffer;
  tries: number;
  created_at: Date;
}

const decryptMail = (encryption: Encryption, row: MailRow): OutboxMail => ({
  ...(JSON.parse(
    encryption.open(row.sealed_content, mailAssociatedData(row.id)).plain.toString(),
  ) as Message),
  id: row.id,
  kind: row.kind,
  recipient: row.recipient,
  createdAt: row.created_at,
});

const firstRetryMs = 30_000;
const maxRetryMs = 3_600_000;

/**
 * A mail whose address is refused for good loses its text and is never due again, and the audit says so; false where
 * that was done, or the mail delivered, before. It is remembered as the others are.
 */
const markMailRejected = (
  db: Db,
  { id, kind, account_id: userId }: MailRow,
  { answer: replyCode }: MailRejection,
): Promise<boolean> =>
  applyEffects(
    db,
    [
      recordAuditEventsEffect([
        { event: 'mail.refused', accountId: userId ?? undefined, detail: { kind, answer: replyCode } },
      ]),
    ],
    {
      sql: ($) => `UPDATE mails SET next_try_at = 'infinity', sealed_content = NULL
        WHERE id = ${$(1)} AND sealed_content IS NOT NULL RETURNING 1`,
      params: [id],
    },
  );

/**
 * Hands the mails that are due to `deliver`, at most ten, and answers how many there were. A mail is claimed by
 * moving its next try ahead, so that two processes never send the same one and no transaction is open meanwhile;
 * its text is gone at delivery. One that fails is tried again with growing pauses, up to an hour; one whose address is
 * refused for good is not, and `refused` hears of it once.
 */
export async function deliverDueMails(
  db: Db,
  encryption: Encryption,
  deliver: (mail: OutboxMail) => Promise<MailRejection | undefined>,
  onRejected: (kind: string, rejection: MailRejection) => void,
): Promise<number> {
  const now = Date.now();
  const { rows } = await db.query<MailRow>(
    `UPDATE mails SET tries = tries + 1,
       next_try_at = $1::timestamptz + least($3::int, $2::int * 2 ^ least(tries, 12)) * interval '1 millisecond'
     WHERE id IN (SELECT id FROM mails WHERE delivered_at IS NULL AND next_try_at <= $1
                  ORDER BY next_try_at LIMIT 10 FOR UPDATE SKIP LOCKED)
     RETURNING id, account_id, kind, recipient, sealed_content, tries, created_at`,
    [new Date(now), firstRetryMs, maxRetryMs],
  );
  const results = await Promise.allSettled(
    rows.map(async (row) => {
      const rejection = await deliver(decryptMail(encryption, row));
      if (rejection) {
        if (await markMailRejected(db, row, rejection)) onRejected(row.kind, rejection);
        return;
      }
      await db.query('UPDATE mails SET delivered_at = $2, sealed_content = NULL WHERE id = $1', [
        row.id,
        new Date(),
      ]);
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return rows.length;
}

/** The newest mails that still have their text: what /dev/mail shows where no mail server is configured. */
export async function findPendingMails(db: Db, encryption: Encryption, limit: number): Promise<OutboxMail[]> {
  const { rows } = await db.query<MailRow>(
    `SELECT id, account_id, kind, recipient, sealed_content, tries, created_at FROM mails
     WHERE sealed_content IS NOT NULL ORDER BY created_at DESC LIMIT $1`,
    [limit],
  );
  return rows.map((row) => decryptMail(encryption, row));
}

/** How an outbox stands: what is due, what was tried in vain and is tried again, and since when the oldest waits. */
export interface OutboxStats {
  due: number;
  retried: number;
  oldest: Date | undefined;
}

/** The mails that are not delivered yet, and may be. A mail that is under way this very moment counts among those that are tried again. */
export async function getMailOutboxStats(db: Db): Promise<OutboxStats> {
  const { rows } = await db.query<{ due: number; retried: number; oldest: Date | null }>(
    `SELECT count(*) FILTER (WHERE next_try_at <= $1) AS due, count(*) FILTER (WHERE tries > 0) AS retried,
       min(created_at) AS oldest
     FROM mails WHERE delivered_at IS NULL AND next_try_at < 'infinity'`,
    [new Date()],
  );
  const { due = 0, retried = 0, oldest } = rows[0] ?? {};
  return { due, retried, oldest: oldest ?? undefined };
}

/** Removes mails delivered before `before`, and undelivered ones as old; at most `limit`; answers how many. */
export async function deleteOldMails(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM mails WHERE ctid = ANY(ARRAY(SELECT ctid FROM mails
       WHERE coalesce(delivered_at, created_at) < $1 ORDER BY coalesce(delivered_at, created_at) LIMIT $2))`,
    [before, limit],
  );
  return count;
}
