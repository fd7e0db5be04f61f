import { randomInt, randomUUID } from 'node:crypto';
import { enrollmentCode } from '../mail/messages.ts';
import type { Post, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { Hasher } from '../platform/hashing.ts';
import { recordProof } from '../platform/proofs.ts';
import { clearAttempts, countAttempt } from '../platform/throttle.ts';

/**
 * A code mailed to the account's verified address, typed before a first phone may be connected outside the
 * enrolment window: whoever has the password alone enrols nothing. It proves the mailbox for this interaction and
 * this purpose, and is never a second factor of a sign-in (NIST SP 800-63B-4 §3.1.3).
 */
const livesMinutes = 10;
/** ASVS 2.4.1: nobody floods a mailbox. */
const mostADay = 5;
const pauseSeconds = 60;

export type SendRefusal = { code: 'throttled'; seconds: number };

interface Request {
  account: Recipient;
  interaction: string;
  origin: Origin;
}

/** Sends a new code, unless one went out within the minute or five within the day. Older ones die. */
export async function sendCode(
  db: Db,
  hasher: Hasher,
  post: Post,
  { account, interaction, origin }: Request,
): Promise<SendRefusal | undefined> {
  const code = String(randomInt(100_000_000)).padStart(8, '0');
  const hash = await hasher.hash(code);
  const now = new Date();
  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  return db.transaction(async (open) => {
    // One at a time for an account, so that the count is the truth.
    await open.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`mailed-code:${account.id}`]);
    const { rows } = await open.query<{ today: number; latest: Date | null }>(
      'SELECT count(*) AS today, max(created_at) AS latest FROM mailed_codes WHERE account_id = $1 AND created_at > $2',
      [account.id, ago(86_400)],
    );
    const { today = 0, latest = null } = rows[0] ?? {};
    if (latest && latest > ago(pauseSeconds)) {
      return {
        code: 'throttled',
        seconds: pauseSeconds - Math.floor((now.getTime() - latest.getTime()) / 1000),
      };
    }
    if (today >= mostADay) return { code: 'throttled', seconds: 3600 };
    await open.query('UPDATE mailed_codes SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL', [
      account.id,
      now,
    ]);
    await open.query(
      `INSERT INTO mailed_codes (id, interaction, account_id, hash, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [randomUUID(), interaction, account.id, hash, now, new Date(now.getTime() + livesMinutes * 60_000)],
    );
    await audit(open, { event: 'mailed-code.sent', accountId: account.id, origin });
    const shown = `${code.slice(0, 4)} ${code.slice(4)}`;
    await post(open, account, 'enrollment-code', (facts) => enrollmentCode(facts, shown));
    return undefined;
  });
}

/** Whether a code is on its way for this interaction: then the page waits for it instead of sending another. */
export async function codeSent(db: Db, interaction: string, accountId: string): Promise<boolean> {
  const { count } = await db.query(
    'SELECT 1 FROM mailed_codes WHERE interaction = $1 AND account_id = $2 LIMIT 1',
    [interaction, accountId],
  );
  return count > 0;
}

export type MailedCodeRefusal =
  { code: 'wrong-mailed-code' | 'expired-mailed-code' } | { code: 'throttled'; seconds: number };

/** Verifies a mailed code of this interaction, spends it and writes the proof. */
export async function verifyMailedCode(
  db: Db,
  hasher: Hasher,
  { account, interaction, origin, code }: Request & { code: string },
): Promise<MailedCodeRefusal | undefined> {
  const digits = code.normalize('NFKC').replaceAll(/[\s-]/g, '');
  // What can be no code is no guess, and costs none.
  if (!/^\d{8}$/.test(digits)) return { code: 'wrong-mailed-code' };
  const subject = `account:${account.id}`;
  const counted = await countAttempt(db, subject, 'mailed-code');
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  const { rows } = await db.query<{ id: string; hash: string; expires_at: Date }>(
    `SELECT id, hash, expires_at FROM mailed_codes
     WHERE interaction = $1 AND account_id = $2 AND used_at IS NULL ORDER BY created_at DESC LIMIT 1`,
    [interaction, account.id],
  );
  const row = rows[0];
  const right = await hasher.verify(row?.hash, digits);
  if (!right || !row) {
    await audit(db, { event: 'mailed-code.wrong', accountId: account.id, origin });
    return { code: 'wrong-mailed-code' };
  }
  return db.transaction(async (open) => {
    const now = new Date();
    const { count } = await open.query(
      'UPDATE mailed_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2',
      [row.id, now],
    );
    if (count === 0) return { code: 'expired-mailed-code' };
    await clearAttempts(open, subject, 'mailed-code');
    await recordProof(open, interaction, { factor: 'mailed-code', accountId: account.id, ref: row.id });
    await audit(open, { event: 'mailed-code.right', accountId: account.id, origin });
    return undefined;
  });
}

/** Removes codes older than a day, which no limit counts any more, at most `limit`; answers how many. */
export async function sweepMailedCodes(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM mailed_codes WHERE id IN (SELECT id FROM mailed_codes WHERE created_at < $1 LIMIT $2)',
    [before, limit],
  );
  return count;
}
