// Longer than other files: a table has one owner, and a code from the help desk is kept, tried and spent like a saved one.
import { randomUUID } from 'node:crypto';
import { helpDeskCodeUsedMail } from '../mail/templates/help-desk.ts';
import {
  recoveryCodeDisabledMail,
  recoveryCodeIssuedMail,
  recoveryCodeUsedMail,
  secondFactorFailedMail,
} from '../mail/templates/sign-in.ts';
import type { EnqueueMail, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import { auditOncePerMinute } from '../audit/audit-once.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { EndWeakerSignIns } from '../security/factor-change.ts';
import type { Hasher } from '../crypto/argon2.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { buildQuery, selectRowAsJson, parseTimestamp, parseOptionalTimestamp } from '../db/parts.ts';
import {
  hasVerifiedFactor,
  recordCompletedAction,
  recordVerifiedFactor,
  lockUserIfSignInValid,
  discardFactorElsewhere,
} from '../security/verified-factors.ts';
import type { Encryption } from '../crypto/encryption.ts';
import { clearAttempts, countAttempt } from '../security/throttle.ts';
import { looksLikeRecoveryCode, generateCode, normalizeCode } from './recovery-code-format.ts';
import { authenticatorHoldersSql, findAuthenticator } from './totp.ts';

const associatedData = (interaction: string, userId: string) => `recovery-code:${interaction}:${userId}`;

/** Saved by the person, or mailed by the help desk: of both together one lives, the newest. */
export type RecoveryCodeKind = 'saved' | 'help-desk';

/** A saved code that lives: when it was made and last checked. */
export interface ActiveRecoveryCode {
  since: Date;
  checked: Date | undefined;
}

/** The saved code of an account; undefined where none lives. */
export const activeCodeSubquery: JsonSubquery<{ account: string }, ActiveRecoveryCode | undefined> = {
  ask: ({ account }) =>
    selectRowAsJson(`SELECT live_at, checked_at FROM recovery_codes
      WHERE account_id = ${account} AND kind = 'saved' AND live_at IS NOT NULL AND used_at IS NULL`),
  read(json) {
    const row = json as { live_at: string; checked_at: string | null } | null;
    return row
      ? { since: parseTimestamp(row.live_at), checked: parseOptionalTimestamp(row.checked_at) }
      : undefined;
  },
};

const queryActiveCode = buildQuery(activeCodeSubquery, { account: '$1' });

/** The same, asked for alone. */
export const findActiveRecoveryCode = (db: Db, accountId: string): Promise<ActiveRecoveryCode | undefined> =>
  queryActiveCode(db, [accountId]);

/**
 * How many accounts have an authenticator and no recovery code: whoever of them loses the phone needs the help desk. One
 * look over both tables: half a second at 200 000 accounts on two busy cores.
 */
export async function countUsersWithoutRecoveryCode(db: Db): Promise<number> {
  const { rows } = await db.query<{ accounts: number }>(
    `SELECT count(*) AS accounts FROM (${authenticatorHoldersSql}) AS holder
     WHERE NOT EXISTS (SELECT 1 FROM recovery_codes AS code
       WHERE code.account_id = holder.account_id AND kind = 'saved' AND live_at IS NOT NULL AND used_at IS NULL)`,
  );
  return rows[0]?.accounts ?? 0;
}

async function findPendingCode(
  db: Db,
  encryption: Encryption,
  interaction: string,
  accountId: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ sealed_code: Buffer }>(
    `SELECT sealed_code FROM recovery_codes
     WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL AND sealed_code IS NOT NULL`,
    [interaction, accountId],
  );
  return (
    rows[0] && encryption.open(rows[0].sealed_code, associatedData(interaction, accountId)).plain.toString()
  );
}

/**
 * The new recovery code that this interaction shows. It is pending, and good for nothing, until its last group
 * was typed back; a reload or a lost answer shows the same one. It stays readable for this interaction alone,
 * sealed; what verifies it later is an argon2id hash (100 bits are below 112: NIST SP 800-63B-4 §3.1.2.2).
 * `offered`: whether it was shown before, where the caller knows; else that is read.
 */
export async function issuePendingCode(
  db: Db,
  encryption: Encryption,
  hasher: Hasher,
  { account, interaction, offered = true }: { account: Recipient; interaction: string; offered?: boolean },
): Promise<string> {
  const pending = offered ? await findPendingCode(db, encryption, interaction, account.id) : undefined;
  if (pending) return pending;
  const code = generateCode();
  // Whoever signs in here as somebody else gets a code of their own, in the other's place.
  const { count } = await db.query(
    `INSERT INTO recovery_codes (id, account_id, hash, interaction, sealed_code, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (interaction) DO UPDATE SET account_id = excluded.account_id, hash = excluded.hash,
       sealed_code = excluded.sealed_code, created_at = excluded.created_at
     WHERE recovery_codes.account_id <> excluded.account_id`,
    [
      randomUUID(),
      account.id,
      await hasher.hash(normalizeCode(code)),
      interaction,
      encryption.seal(code, associatedData(interaction, account.id)),
      new Date(),
    ],
  );
  if (count > 0) return code;
  // Two reloads at once: the one that came first decided which code both show.
  const shown = await findPendingCode(db, encryption, interaction, account.id);
  if (!shown) throw new Error('the pending recovery code is gone');
  return shown;
}

export type LastGroupRefusal = { code: 'wrong-last-group' };

/**
 * The person typed the last group back: in one transaction the older code dies, the new one lives, and the
 * readable copy is wiped. `claimed`: the older code is what opened this sign-in, and must still be this
 * interaction's to spend. `authenticator`: the one that this sign-in knows, which must still be the account's. What rests
 * on the password alone ends.
 */
export async function confirmRecoveryCode(
  db: Db,
  encryption: Encryption,
  enqueueMail: EnqueueMail,
  endWeakerSignIns: EndWeakerSignIns,
  confirmation: {
    account: Recipient;
    interaction: string;
    lastGroup: string;
    claimed: boolean;
    authenticator: string | undefined;
    origin: Origin;
    /** What goes on, and whether sessions with MFA end as well (`endWeakerSignIns`). */
    session: string | undefined;
    device?: string | undefined;
    endOtherSessions: boolean;
  },
): Promise<LastGroupRefusal | undefined> {
  const { account, interaction, lastGroup, claimed, authenticator, origin: requestInfo } = confirmation;
  const { session, device, endOtherSessions } = confirmation;
  const code = await findPendingCode(db, encryption, interaction, account.id);
  const typed = normalizeCode(lastGroup);
  // Some type or paste the whole code, which shows just as well that they have it.
  if (!code || ![code.slice(-4), normalizeCode(code)].includes(typed)) return { code: 'wrong-last-group' };
  await transactionWithRetry(db, async (tx) => {
    const now = new Date();
    // Two tabs confirm two codes at once: one after the other, so that in the end one lives; and none for a phone that
    // somebody has replaced or switched off meanwhile.
    const [isValid, current] = await Promise.all([
      lockUserIfSignInValid(tx, account.id, interaction),
      findAuthenticator(tx, account.id),
    ]);
    if (!isValid || current?.id !== authenticator) return;
    // Where the old code opened this sign-in it must still be this interaction's: the spending is the check.
    if (claimed && !(await consumeReservedCode(tx, account.id, interaction, requestInfo))) return;
    const { rows } = await tx.query<{ id: string }>(
      `UPDATE recovery_codes SET sealed_code = NULL, interaction = NULL
       WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL RETURNING id`,
      [interaction, account.id],
    );
    // Sent twice at once: the first did it all, and the answer is the same.
    if (!rows[0]) return;
    // Most of it has ended already where this sign-in bound the authenticator (J1, J3); a code may also be issued alone.
    await endWeakerSignIns(tx, { accountId: account.id, interaction, session, device, endOtherSessions });
    await Promise.all([
      revokeActiveCode(tx, account.id),
      tx.query('UPDATE recovery_codes SET live_at = $2 WHERE id = $1', [rows[0].id, now]),
      recordCompletedAction(tx, interaction, account.id, 'new_recovery_code'),
      recordAuditEvent(tx, { event: 'recovery-code.issued', accountId: account.id, origin: requestInfo }),
      enqueueMail(tx, account, 'recovery-code-issued', recoveryCodeIssuedMail),
    ]);
  });
  return undefined;
}

/** Ends the account's live code, if there is one, and with it the claim of whoever entered it and waits. */
export async function revokeActiveCode(tx: Db, accountId: string): Promise<void> {
  await tx.query(
    `UPDATE recovery_codes SET used_at = $2, claimed_by = NULL
     WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL`,
    [accountId, new Date()],
  );
}

/** Minutes that a code from the help desk lives, counted at its use and not by a sweeper (authentik CVE-2025-64708). */
const helpDeskCodeMinutes = 60;

/** Makes the account's one live code one from the help desk: whatever code lived before is void from here on. */
export async function issueHelpDeskCode(
  tx: Db,
  { accountId, hash }: { accountId: string; hash: string },
): Promise<void> {
  const now = new Date();
  await revokeActiveCode(tx, accountId);
  await tx.query(
    `INSERT INTO recovery_codes (id, account_id, kind, hash, created_at, live_at, expires_at)
     VALUES ($1, $2, 'help-desk', $3, $4, $4, $5)`,
    [randomUUID(), accountId, hash, now, new Date(now.getTime() + helpDeskCodeMinutes * 60_000)],
  );
}

/** Until when the account's code from the help desk lives; undefined where none does. */
export async function findHelpDeskCodeExpiry(db: Db, accountId: string): Promise<Date | undefined> {
  const { rows } = await db.query<{ expires_at: Date }>(
    `SELECT expires_at FROM recovery_codes
     WHERE account_id = $1 AND kind = 'help-desk' AND used_at IS NULL AND expires_at > $2`,
    [accountId, new Date()],
  );
  return rows[0]?.expires_at;
}

/** Ends a code from the help desk, and the claim of whoever typed it; answers whether one lived. */
export async function revokeHelpDeskCode(tx: Db, accountId: string): Promise<boolean> {
  const { count } = await tx.query(
    `UPDATE recovery_codes SET used_at = $2, claimed_by = NULL
     WHERE account_id = $1 AND kind = 'help-desk' AND used_at IS NULL`,
    [accountId, new Date()],
  );
  return count > 0;
}

/** Spends the code that this interaction claimed; answers whether it was still claimed by it, living and unspent. */
export async function consumeReservedCode(
  tx: Db,
  accountId: string,
  interaction: string,
  requestInfo: Origin,
): Promise<boolean> {
  const { rows } = await tx.query<{ kind: RecoveryCodeKind }>(
    `UPDATE recovery_codes SET used_at = $3
     WHERE account_id = $1 AND claimed_by = $2 AND live_at IS NOT NULL AND used_at IS NULL
       AND (expires_at IS NULL OR expires_at > $3)
     RETURNING kind`,
    [accountId, interaction, new Date()],
  );
  const consumed = rows[0];
  if (consumed)
    await recordAuditEvent(tx, { event: eventsByKind[consumed.kind].spent, accountId, origin: requestInfo });
  return consumed !== undefined;
}

/** Whether this interaction has shown a code that was not typed back yet. */
export const pendingCodeSubquery: JsonSubquery<{ interaction: string; account: string }, boolean> = {
  ask: ({ interaction, account }) =>
    `(SELECT to_jsonb(count(*) > 0) FROM recovery_codes
      WHERE interaction = ${interaction} AND account_id = ${account} AND live_at IS NULL)`,
  read: (json) => json === true,
};

/** How a code stands to an interaction: not entered, claimed by it, or spent by what it completed. */
export interface CodeReservation {
  state: 'none' | 'claimed' | 'spent';
  kind: RecoveryCodeKind;
  /** It was claimed in time, and its time has run out since: it completes nothing any more. */
  expired: boolean;
}

/** How this account's recovery code, saved or from the help desk, stands to an interaction. */
export const reservationSubquery: JsonSubquery<{ interaction: string; account: string }, CodeReservation> = {
  ask: ({ interaction, account }) =>
    selectRowAsJson(`SELECT used_at, kind, expires_at FROM recovery_codes
      WHERE account_id = ${account} AND claimed_by = ${interaction} ORDER BY used_at DESC NULLS FIRST LIMIT 1`),
  read(json) {
    const row = json as { used_at: string | null; kind: RecoveryCodeKind; expires_at: string | null } | null;
    if (!row) return { state: 'none', kind: 'saved', expired: false };
    const expired = row.expires_at !== null && parseTimestamp(row.expires_at) <= new Date();
    return { state: row.used_at === null ? 'claimed' : 'spent', kind: row.kind, expired };
  },
};

export type RecoveryCodeRefusal =
  | {
      code:
        | 'malformed-recovery-code'
        | 'wrong-recovery-code'
        | 'expired-help-desk-code'
        | 'help-desk-code-needs-password';
    }
  | { code: 'throttled'; seconds: number };

const eventsByKind = {
  saved: { right: 'recovery-code.right', spent: 'recovery-code.spent' },
  'help-desk': { right: 'help-desk-code.right', spent: 'help-desk-code.spent' },
} as const;
const factorByKind = { saved: 'recovery-code', 'help-desk': 'help-desk-code' } as const;

/** Consecutive wrong codes after a right password that are worth a mail, and that end the code. */
const notifyAtFailures = 3;
const maxFailures = 50;

interface RecoveryCodeAttempt {
  account: Recipient;
  interaction: string;
  code: string;
  origin: Origin;
}

async function recordFailedAttempt(
  db: Db,
  enqueueMail: EnqueueMail,
  { account, origin: requestInfo }: RecoveryCodeAttempt,
  failures: number,
): Promise<void> {
  await db.transaction(async (tx) => {
    await recordAuditEvent(tx, {
      event: 'recovery-code.wrong',
      accountId: account.id,
      origin: requestInfo,
      detail: { failures },
    });
    if (failures === notifyAtFailures)
      await enqueueMail(tx, account, 'wrong-second-factor', secondFactorFailedMail);
    // At the fiftieth or, where its request died, at the next: the count begins anew with the next code.
    if (failures < maxFailures) return;
    await revokeActiveCode(tx, account.id);
    await clearAttempts(tx, `account:${account.id}`, 'recovery-code');
    await recordAuditEvent(tx, {
      event: 'recovery-code.disabled',
      accountId: account.id,
      origin: requestInfo,
      detail: { failures },
    });
    await enqueueMail(tx, account, 'recovery-code-disabled', recoveryCodeDisabledMail);
  });
}

function reserveCode(
  db: Db,
  enqueueMail: EnqueueMail,
  { account, interaction, origin: requestInfo }: RecoveryCodeAttempt,
  { id, kind }: { id: string; kind: RecoveryCodeKind },
): Promise<RecoveryCodeRefusal | undefined> {
  const factor = factorByKind[kind];
  return db.transaction(async (tx) => {
    // What follows goes with it, and behind it.
    const lock = acquireAdvisoryLock(tx, `account:${account.id}`);
    if (kind === 'help-desk') {
      const [, entitled] = await Promise.all([
        lock,
        hasVerifiedFactor(tx, interaction, account.id, 'password'),
      ]);
      // Mailed and alone it would make whoever reads the mail the account's owner (NIST SP 800-63B-4 §4.2.2.2).
      if (!entitled) return { code: 'help-desk-code-needs-password' };
    }
    const [, { count }] = await Promise.all([
      lock,
      tx.query(
        `UPDATE recovery_codes SET claimed_by = $2
         WHERE id = $1 AND used_at IS NULL AND (expires_at IS NULL OR expires_at > $3)`,
        [id, interaction, new Date()],
      ),
    ]);
    if (count === 0) return { code: 'wrong-recovery-code' };
    await Promise.all([
      discardFactorElsewhere(tx, interaction, factor, id),
      clearAttempts(tx, `account:${account.id}`, 'recovery-code'),
      recordVerifiedFactor(tx, interaction, { factor, accountId: account.id, ref: id }),
      recordAuditEvent(tx, { event: eventsByKind[kind].right, accountId: account.id, origin: requestInfo }),
      kind === 'saved'
        ? enqueueMail(tx, account, 'recovery-code-used', recoveryCodeUsedMail)
        : enqueueMail(tx, account, 'help-desk-code-used', helpDeskCodeUsedMail),
    ]);
    return undefined;
  });
}

type CodeCheck = { id: string; kind: RecoveryCodeKind } | { refusal: RecoveryCodeRefusal };

/** Whether what was typed is the account's live code. The attempt is counted first; no code costs the same time. */
async function verifyAttempt(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  attempt: RecoveryCodeAttempt,
): Promise<CodeCheck> {
  const { account, code, origin: requestInfo } = attempt;
  if (!looksLikeRecoveryCode(code)) return { refusal: { code: 'malformed-recovery-code' } };
  const subject = `account:${account.id}`;
  const counted = await countAttempt(db, subject, 'recovery-code');
  if (!counted.allowed) {
    const throttled = {
      event: 'recovery-code.throttled',
      accountId: account.id,
      origin: requestInfo,
    } as const;
    await auditOncePerMinute(db, subject, throttled);
    return { refusal: { code: 'throttled', seconds: counted.seconds } };
  }
  const { rows } = await db.query<{
    id: string;
    hash: string;
    kind: RecoveryCodeKind;
    expires_at: Date | null;
  }>(
    `SELECT id, hash, kind, expires_at FROM recovery_codes
     WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL`,
    [account.id],
  );
  const row = rows[0];
  const right = await hasher.verify(row?.hash, normalizeCode(code));
  if (right && row && (row.expires_at === null || row.expires_at > new Date())) return row;
  if (right) {
    await recordAuditEvent(db, {
      event: 'help-desk-code.expired',
      accountId: account.id,
      origin: requestInfo,
    });
    return { refusal: { code: 'expired-help-desk-code' } };
  }
  await recordFailedAttempt(db, enqueueMail, attempt, counted.failures);
  return { refusal: { code: 'wrong-recovery-code' } };
}

/**
 * Verifies the recovery code, saved or from the help desk, claims it for this interaction and writes the proof. It is not spent yet: the
 * transaction that completes something spends it, so that nobody who closes the lid half-way is locked out. A
 * later interaction that enters it takes the claim over and voids the earlier proof.
 */
export async function reserveRecoveryCode(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  attempt: RecoveryCodeAttempt,
): Promise<RecoveryCodeRefusal | undefined> {
  const judged = await verifyAttempt(db, hasher, enqueueMail, attempt);
  if ('refusal' in judged) return judged.refusal;
  return reserveCode(db, enqueueMail, attempt, judged);
}

/** Tells a person whether the code that they kept is the living one, and spends nothing. Throttled like its use. */
export async function checkRecoveryCode(
  db: Db,
  hasher: Hasher,
  enqueueMail: EnqueueMail,
  attempt: RecoveryCodeAttempt,
): Promise<RecoveryCodeRefusal | undefined> {
  const judged = await verifyAttempt(db, hasher, enqueueMail, attempt);
  if ('refusal' in judged) return judged.refusal;
  // A code from the help desk is none that anybody keeps.
  if (judged.kind !== 'saved') return { code: 'wrong-recovery-code' };
  const { account, interaction, origin: requestInfo } = attempt;
  await db.transaction(async (tx) => {
    await tx.query('UPDATE recovery_codes SET checked_at = $2 WHERE id = $1', [judged.id, new Date()]);
    await clearAttempts(tx, `account:${account.id}`, 'recovery-code');
    await recordCompletedAction(tx, interaction, account.id, 'check_recovery_code');
    await recordAuditEvent(tx, {
      event: 'recovery-code.checked',
      accountId: account.id,
      origin: requestInfo,
    });
  });
  return undefined;
}

/** Removes pending codes whose interaction has ended, at most `limit`; answers how many. */
export async function prunePendingCodes(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM recovery_codes WHERE id IN
       (SELECT id FROM recovery_codes WHERE live_at IS NULL AND created_at < $1 LIMIT $2)`,
    [before, limit],
  );
  return count;
}
