import { randomInt, randomUUID } from 'node:crypto';
import type { EnqueueMail, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import { applyEffects } from '../db/effects.ts';
import type { Hasher } from '../crypto/argon2.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { selectRowAsJson } from '../db/parts.ts';
import type { Precondition } from '../db/effects.ts';
import { checkPrecondition } from '../db/effects.ts';
import type { CountedCode, Rebind } from '../security/verified-factors.ts';
import { recordVerifiedFactor } from '../security/verified-factors.ts';
import { clearAttempts, countAttempt } from '../security/throttle.ts';
import type { Requester } from './code-request-budget.ts';
import { countCodeRequest } from './code-request-budget.ts';
import type { MailedCodePurpose, PagePurpose } from './mailed-code-purposes.ts';
import { factorByPurpose, mailTemplates } from './mailed-code-purposes.ts';
import { eightDigits } from './recovery-code-format.ts';

const codeTtlMinutes = 10;
/** Seconds between two codes of one interaction. Until then the first stays valid, and nothing is counted. */
const resendDelaySeconds = 60;
/** Wrong pairs of password and code that void the code. */
const maxPairs = 5;

const noRecipient: Recipient = { id: randomUUID(), email: '', name: '', locale: undefined };

export type MailedCodeSendRefusal = { code: 'throttled' | 'just-sent'; seconds: number };

interface SendRequest {
  purpose: MailedCodePurpose;
  interaction: string;
  origin: Origin;
  /** Where the code goes: an account's address, or the new one. Undefined where nobody has the address. */
  recipient: Recipient | undefined;
  /** What the address is counted by (a hash of it). */
  subject: string;
  requestedBy: Requester;
}

/** Seconds until this interaction may have another code; undefined where it may now. */
async function justSent(
  db: Db,
  { interaction, purpose }: SendRequest,
  now: Date,
): Promise<number | undefined> {
  const { rows } = await db.query<{ created_at: Date }>(
    'SELECT created_at FROM mailed_codes WHERE interaction = $1 AND purpose = $2 AND created_at > $3 ORDER BY created_at DESC LIMIT 1',
    [interaction, purpose, new Date(now.getTime() - resendDelaySeconds * 1000)],
  );
  const latest = rows[0]?.created_at;
  return latest && Math.max(1, Math.ceil(resendDelaySeconds - (now.getTime() - latest.getTime()) / 1000));
}

/**
 * Sends a new code; older ones of the purpose in this interaction are revoked. At most one a minute in an interaction, and
 * within the budgets of the requester. For an unknown address, everything is the same but the mail.
 */
export async function sendMailedCode(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  request: SendRequest,
): Promise<MailedCodeSendRefusal | undefined> {
  const { purpose, interaction, origin: requestInfo, recipient } = request;
  const early = await justSent(db, request, new Date());
  if (early !== undefined) return { code: 'just-sent', seconds: early };
  const counted = await countCodeRequest(db, request);
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  const code = String(randomInt(100_000_000)).padStart(8, '0');
  const hash = await hasher.hash(code);
  const now = new Date();
  return db.transaction(async (tx) => {
    // Several sendings of one page at once are one: the second finds what the first has sent.
    await acquireAdvisoryLock(tx, `mailed-code:${interaction}`);
    const again = await justSent(tx, request, now);
    if (again !== undefined) return { code: 'just-sent', seconds: again };
    await tx.query(
      'UPDATE mailed_codes SET used_at = $3 WHERE interaction = $1 AND purpose = $2 AND used_at IS NULL',
      [interaction, purpose, now],
    );
    await tx.query(
      `INSERT INTO mailed_codes (id, interaction, purpose, account_id, address, subject, hash, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        randomUUID(),
        interaction,
        purpose,
        recipient?.id ?? null,
        recipient?.email ?? null,
        counted.requester,
        hash,
        now,
        new Date(now.getTime() + codeTtlMinutes * 60_000),
      ],
    );
    await recordAuditEvent(tx, {
      event: 'mailed-code.sent',
      accountId: recipient?.id,
      origin: requestInfo,
      detail: { purpose },
    });
    const shown = `${code.slice(0, 4)} ${code.slice(4)}`;
    // For an address without a user the same statement runs, and writes nothing.
    const letter = enqueueMail.effect(recipient ?? noRecipient, `${purpose}-code`, (facts) =>
      mailTemplates[purpose](facts, shown),
    );
    await applyEffects(tx, [letter], {
      sql: ($) => `SELECT 1 WHERE ${$(1)}::boolean`,
      params: [recipient !== undefined],
    });
    return undefined;
  });
}

/** A code that was mailed: its purpose, whose it is, and the address that it went to. */
export interface PendingMailedCode {
  purpose: PagePurpose;
  accountId: string | undefined;
  address: string | undefined;
}

/** The code whose page an interaction waits at, if any. A code beside a password has no page that it opens. */
export const pendingMailedCodeSubquery: JsonSubquery<{ interaction: string }, PendingMailedCode | undefined> =
  {
    ask: ({ interaction }) =>
      selectRowAsJson(`SELECT purpose, account_id, address FROM mailed_codes
      WHERE interaction = ${interaction} AND used_at IS NULL AND purpose <> 'throttled-password'
      ORDER BY created_at DESC LIMIT 1`),
    read(json) {
      const row = json as { purpose: PagePurpose; account_id: string | null; address: string | null } | null;
      if (!row) return undefined;
      return {
        purpose: row.purpose,
        accountId: row.account_id ?? undefined,
        address: row.address ?? undefined,
      };
    },
  };

export type MailedCodeRefusal =
  { code: 'wrong-mailed-code' | 'expired-mailed-code' } | { code: 'throttled'; seconds: number };

export interface MailedCodeAttempt {
  purpose: PagePurpose;
  interaction: string;
  /** Used where the code is the first verified factor, which a code for a forgotten password is. */
  rebind: Rebind;
  origin: Origin;
  code: string;
  /** Who has proved something here already: a code that another user asked for is wrong (R35). */
  account: string | undefined;
}

/**
 * Counts one pair of password and code on the code's row, in a committed statement, before either is verified. Undefined
 * where the interaction has no valid code: none was asked for, it was used, it expired, or five pairs were wrong.
 */
export async function countPasswordAndCode(db: Db, interaction: string): Promise<CountedCode | undefined> {
  const { rows } = await db.query<{ id: string; hash: string; account_id: string | null }>(
    `UPDATE mailed_codes SET failures = failures + 1
     WHERE interaction = $1 AND purpose = 'throttled-password' AND used_at IS NULL AND expires_at > $2 AND failures < $3
     RETURNING id, hash, account_id`,
    [interaction, new Date(), maxPairs],
  );
  const [row] = rows;
  return (
    row && {
      hash: row.hash,
      accountId: row.account_id ?? undefined,
      consume: async (open) => (await spendCode(open, row.id)) > 0,
    }
  );
}

async function spendCode(open: Db, id: string): Promise<number> {
  const { count } = await open.query(
    'UPDATE mailed_codes SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2',
    [id, new Date()],
  );
  return count;
}

/**
 * Verifies a mailed code of this interaction and purpose and spends it, with `then` in the same transaction. Wrong
 * codes are counted before they are looked at; a code that went to nobody is as wrong as any other.
 */
export async function verifyMailedCode(
  db: Db,
  hasher: Hasher,
  { purpose, interaction, rebind, origin: requestInfo, code, account }: MailedCodeAttempt,
  onVerified?: (tx: Db, proved: { accountId: string; address: string }) => Promise<void>,
): Promise<MailedCodeRefusal | undefined> {
  const digits = eightDigits(code);
  // What can be no code is no guess, and costs none.
  if (!digits) return { code: 'wrong-mailed-code' };
  const { rows } = await db.query<{
    id: string;
    hash: string;
    account_id: string | null;
    address: string | null;
    subject: string | null;
  }>(
    `SELECT id, hash, account_id, address, subject FROM mailed_codes
     WHERE interaction = $1 AND purpose = $2 AND used_at IS NULL ORDER BY created_at DESC LIMIT 1`,
    [interaction, purpose],
  );
  const row = rows[0];
  const subject = row?.subject ?? `interaction:${interaction}`;
  const counted = await countAttempt(db, subject, 'mailed-code');
  if (!counted.allowed) return { code: 'throttled', seconds: counted.seconds };
  const right = await hasher.verify(row?.hash, digits);
  const { account_id: accountId, address } = row ?? { account_id: null, address: null };
  const others = account !== undefined && account !== accountId;
  if (!right || !row || !accountId || !address || others) {
    await recordAuditEvent(db, {
      event: 'mailed-code.wrong',
      accountId: accountId ?? undefined,
      origin: requestInfo,
      detail: { purpose },
    });
    return { code: 'wrong-mailed-code' };
  }
  return db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, `account:${accountId}`);
    const first = purpose === 'forgotten-password';
    if (first && !(await checkPrecondition(tx, rebind(mailedCodeUsable(row.id, new Date())))))
      return { code: 'expired-mailed-code' };
    if ((await spendCode(tx, row.id)) === 0) return { code: 'expired-mailed-code' };
    await clearAttempts(tx, subject, 'mailed-code');
    const factor = factorByPurpose[purpose];
    if (factor) await recordVerifiedFactor(tx, interaction, { factor, accountId, ref: row.id, first });
    await recordAuditEvent(tx, {
      event: 'mailed-code.right',
      accountId,
      origin: requestInfo,
      detail: { purpose },
    });
    await onVerified?.(tx, { accountId, address });
    return undefined;
  });
}

/** Passes where a code may still be consumed. */
const mailedCodeUsable = (id: string, now: Date): Precondition => ({
  sql: ($) => `SELECT 1 FROM mailed_codes WHERE id = ${$(1)} AND used_at IS NULL AND expires_at > ${$(2)}`,
  params: [id, now],
});

/** The address is another: codes that went to the old one in other sign-ins of this account are worth nothing. */
export async function revokeMailedCodes(
  tx: Db,
  { account, interaction }: { account: Recipient; interaction: string },
): Promise<void> {
  await tx.query(
    'UPDATE mailed_codes SET used_at = $3 WHERE account_id = $1 AND interaction <> $2 AND used_at IS NULL',
    [account.id, interaction, new Date()],
  );
}

/** Removes codes older than `before`, at most `limit`; answers how many. */
export async function pruneMailedCodes(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM mailed_codes WHERE id IN (SELECT id FROM mailed_codes WHERE created_at < $1 LIMIT $2)',
    [before, limit],
  );
  return count;
}
