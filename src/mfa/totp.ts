import { randomUUID } from 'node:crypto';
import { verify } from 'otplib';
import { authenticatorDisabledMail, secondFactorFailedMail } from '../mail/templates/sign-in.ts';
import type { EnqueueMail, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent, recordAuditEventsEffect } from '../audit/audit-log.ts';
import { auditOncePerMinute } from '../audit/audit-once.ts';
import type { Db } from '../db/database.ts';
import { advisoryLockSql } from '../db/database.ts';
import { applyEffects } from '../db/effects.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { buildQuery, selectRowAsJson, parseTimestamp, parseOptionalTimestamp } from '../db/parts.ts';
import { recordVerifiedFactorsEffect, recordVerifiedFactor } from '../security/verified-factors.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { clearAttemptsEffect, clearAttempts, countAttempt } from '../security/throttle.ts';

/** The authenticator app of an account: a 160-bit secret (RFC 4226 R6) and the last step that was accepted. */
export interface Authenticator {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  disabledAt: Date | undefined;
}

export const stepSeconds = 30;
/** One step to either side (RFC 6238 §5.2). */
export const windowSeconds = stepSeconds;
/** How far back a code is recognised, to say that the phone's clock is slow; it is refused all the same. */
export const clockSkewSeconds = 10 * stepSeconds;
/** NIST SP 800-63B-4 §3.2.2 ends at 100; three codes are valid at a time, so we end at 50. */
const maxFailures = 50;
/** Consecutive wrong codes after a right password that are worth a mail. */
const notifyAtFailures = 3;

/** Six digits as typed: blanks and hyphens between them do not matter. Anything else is not a code. */
export function parseTotpCode(typed: string): string | undefined {
  const code = typed.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return /^\d{6}$/.test(code) ? code : undefined;
}

interface Row {
  id: string;
  sealed_secret: Buffer;
  last_step: number;
  created_at: Date;
  last_used_at: Date;
  disabled_at: Date | null;
}

const associatedData = (id: string) => `authenticator:${id}`;

async function findAuthenticatorRow(db: Db, accountId: string): Promise<Row | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT id, sealed_secret, last_step, created_at, last_used_at, disabled_at
     FROM authenticators WHERE account_id = $1`,
    [accountId],
  );
  return rows[0];
}

/** The authenticator of an account, without its secret. */
export const authenticatorSubquery: JsonSubquery<{ account: string }, Authenticator | undefined> = {
  ask: ({ account }) =>
    selectRowAsJson(
      `SELECT id, created_at, last_used_at, disabled_at FROM authenticators WHERE account_id = ${account}`,
    ),
  read(json) {
    const row = json as {
      id: string;
      created_at: string;
      last_used_at: string;
      disabled_at: string | null;
    } | null;
    if (!row) return undefined;
    return {
      id: row.id,
      createdAt: parseTimestamp(row.created_at),
      lastUsedAt: parseTimestamp(row.last_used_at),
      disabledAt: parseOptionalTimestamp(row.disabled_at),
    };
  },
};

const queryAuthenticator = buildQuery(authenticatorSubquery, { account: '$1' });

/** The same, asked for alone. */
export const findAuthenticator = (db: Db, accountId: string): Promise<Authenticator | undefined> =>
  queryAuthenticator(db, [accountId]);

/** SQL: the accounts that have an authenticator. */
export const authenticatorHoldersSql = 'SELECT account_id FROM authenticators';

export type TotpRefusal =
  | { code: 'malformed-code' | 'wrong-code' | 'used-code' | 'authenticator-disabled' }
  | { code: 'clock-behind' | 'throttled'; seconds: number };

type CodeMatch = { step: number } | { behind: number } | { ahead: number } | 'used' | 'wrong';

/** Compares a code with the server's clock alone. */
async function matchCode(secret: string, code: string, lastStep: number): Promise<CodeMatch> {
  const epoch = Date.now() / 1000;
  const near = await verify({ secret, token: code, epoch, epochTolerance: windowSeconds });
  if (near.valid && 'timeStep' in near) return near.timeStep > lastStep ? { step: near.timeStep } : 'used';
  const slow = await verify({ secret, token: code, epoch, epochTolerance: [clockSkewSeconds, 0] });
  // Only a code that was never accepted tells of a slow clock: an old one seen over a shoulder stays merely wrong.
  if (slow.valid && 'timeStep' in slow && slow.timeStep > lastStep)
    return { behind: -slow.delta * stepSeconds };
  const fast = await verify({ secret, token: code, epoch, epochTolerance: [0, clockSkewSeconds] });
  if (fast.valid && 'timeStep' in fast) return { ahead: fast.timeStep };
  return 'wrong';
}

export interface TotpAttempt {
  account: Recipient;
  interaction: string;
  code: string;
  origin: Origin;
}

/** What follows a wrong code: the audit row, a mail at the third, the end of the authenticator at the fiftieth. */
async function recordFailedAttempt(
  db: Db,
  enqueueMail: EnqueueMail,
  attempt: TotpAttempt,
  failures: number,
  reused: boolean,
): Promise<boolean> {
  const { account, origin: requestInfo } = attempt;
  return db.transaction(async (tx) => {
    const event = reused ? 'totp.reused' : 'totp.wrong';
    await recordAuditEvent(tx, { event, accountId: account.id, origin: requestInfo, detail: { failures } });
    if (failures === notifyAtFailures)
      await enqueueMail(tx, account, 'wrong-second-factor', secondFactorFailedMail);
    if (failures < maxFailures) return false;
    const { count } = await tx.query(
      'UPDATE authenticators SET disabled_at = $2 WHERE account_id = $1 AND disabled_at IS NULL',
      [account.id, new Date()],
    );
    if (count > 0) {
      await recordAuditEvent(tx, {
        event: 'authenticator.disabled',
        accountId: account.id,
        origin: requestInfo,
        detail: { failures },
      });
      await enqueueMail(tx, account, 'authenticator-disabled', authenticatorDisabledMail);
    }
    return true;
  });
}

/**
 * Verifies six digits and writes the proof. The attempt is counted before the code is looked at; the step is
 * spent by a conditional UPDATE, so that one code opens one sign-in however often and fast it is sent
 * (RFC 6238 §5.2). The budget is the account's, across interactions, browsers and addresses.
 */
export async function verifyTotp(
  db: Db,
  encryption: Encryption,
  enqueueMail: EnqueueMail,
  attempt: TotpAttempt,
): Promise<TotpRefusal | undefined> {
  const { account, interaction, origin: requestInfo } = attempt;
  const code = parseTotpCode(attempt.code);
  if (!code) return { code: 'malformed-code' };
  const row = await findAuthenticatorRow(db, account.id);
  if (!row) return { code: 'wrong-code' };
  if (row.disabled_at) return { code: 'authenticator-disabled' };
  const subject = `account:${account.id}`;
  const counted = await countAttempt(db, subject, 'totp');
  if (!counted.allowed) {
    await auditOncePerMinute(db, subject, {
      event: 'totp.throttled',
      accountId: account.id,
      origin: requestInfo,
    });
    return { code: 'throttled', seconds: counted.seconds };
  }
  if (!encryption.opens(row.sealed_secret)) return { code: 'authenticator-disabled' };
  const { plain, stale } = encryption.open(row.sealed_secret, associatedData(row.id));
  const judged = await matchCode(plain.toString(), code, row.last_step);
  const right = typeof judged === 'object' && 'step' in judged ? judged.step : undefined;
  const accepted = right !== undefined && (await consumeStep(db, row, right, attempt));
  // A code that somebody knew before its time looks merely wrong, and is worth nothing when its time comes.
  if (typeof judged === 'object' && 'ahead' in judged) await invalidateStep(db, row.id, judged.ahead);
  if (accepted) {
    if (stale) await reencryptSecret(db, row, encryption.seal(plain, associatedData(row.id)));
    return undefined;
  }
  const reused = judged === 'used' || right !== undefined;
  const ended = await recordFailedAttempt(
    db,
    enqueueMail,
    { ...attempt, account, interaction },
    counted.failures,
    reused,
  );
  if (ended) return { code: 'authenticator-disabled' };
  if (reused) return { code: 'used-code' };
  if (typeof judged === 'object' && 'behind' in judged)
    return { code: 'clock-behind', seconds: judged.behind };
  return { code: 'wrong-code' };
}

async function invalidateStep(db: Db, id: string, step: number): Promise<void> {
  await db.query('UPDATE authenticators SET last_step = $2 WHERE id = $1 AND last_step < $2', [id, step]);
}

/** The write is the check: only a greater step passes, and only on an authenticator that is still switched on. */
function consumeStep(
  db: Db,
  row: Row,
  step: number,
  { account: { id: accountId }, interaction, origin: requestInfo }: TotpAttempt,
): Promise<boolean> {
  const effects = [
    clearAttemptsEffect([`account:${accountId}`, 'totp']),
    recordVerifiedFactorsEffect({ interaction, accountId, factors: [{ factor: 'totp', ref: row.id }] }),
    recordAuditEventsEffect([{ event: 'totp.right', accountId, origin: requestInfo }]),
  ];
  return applyEffects(db, effects, {
    sql: ($) => `UPDATE authenticators SET last_step = ${$(2)}, last_used_at = ${$(3)}
      WHERE id = ${$(1)} AND last_step < ${$(2)} AND disabled_at IS NULL AND ${advisoryLockSql($(4))} RETURNING 1`,
    params: [row.id, step, new Date(), `account:${accountId}`],
  });
}

/** An older key closed the secret: the newest closes it now (HEMMA_SECRET_KEYS). */
async function reencryptSecret(db: Db, row: Row, sealed: Buffer): Promise<void> {
  await db.query('UPDATE authenticators SET sealed_secret = $2 WHERE id = $1 AND sealed_secret = $3', [
    row.id,
    sealed,
    row.sealed_secret,
  ]);
}

/**
 * Takes this very authenticator away, in the caller's transaction; answers whether it was still the account's. One
 * that took its place meanwhile stays.
 */
export async function unbindAuthenticator(tx: Db, accountId: string, id: string): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM authenticators WHERE account_id = $1 AND id = $2', [
    accountId,
    id,
  ]);
  if (count === 0) return false;
  await clearAttempts(tx, `account:${accountId}`, 'totp');
  return true;
}

/**
 * Gives the account its authenticator, in the caller's transaction, and writes the proof. The account has one
 * place for it, and the insert decides who takes it: of two tabs one wins. Answers whether this one did.
 */
export async function bindAuthenticator(
  tx: Db,
  encryption: Encryption,
  { account, interaction, origin: requestInfo }: Omit<TotpAttempt, 'code'>,
  { secret, step }: { secret: string; step: number },
): Promise<boolean> {
  const id = randomUUID();
  const { count } = await tx.query(
    `INSERT INTO authenticators (id, account_id, sealed_secret, last_step, created_at, last_used_at)
     VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (account_id) DO NOTHING`,
    [id, account.id, encryption.seal(secret, associatedData(id)), step, new Date()],
  );
  if (count === 0) return false;
  await Promise.all([
    recordVerifiedFactor(tx, interaction, { factor: 'totp', accountId: account.id, ref: id }),
    recordAuditEvent(tx, { event: 'authenticator.connected', accountId: account.id, origin: requestInfo }),
  ]);
  return true;
}

/** Ends whatever authenticator the account has, in the caller's transaction; answers whether it had one. */
export async function removeAuthenticators(tx: Db, accountId: string): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM authenticators WHERE account_id = $1', [accountId]);
  await clearAttempts(tx, `account:${accountId}`, 'totp');
  return count > 0;
}
