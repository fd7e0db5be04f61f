// Longer than other files: a table has one owner, and a code is made, kept, tried, claimed and spent in it alone.
import { randomUUID } from 'node:crypto';
import {
  recoveryCodeDisabled,
  recoveryCodeIssued,
  recoveryCodeUsed,
  wrongSecondFactor,
} from '../mail/messages.ts';
import type { Post, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { takeTurn } from '../platform/database.ts';
import type { Hasher } from '../platform/hashing.ts';
import { recordDeed, recordProof, turnOf, voidOtherProofs } from '../platform/proofs.ts';
import type { Vault } from '../platform/secrets.ts';
import { clearAttempts, countAttempt } from '../platform/throttle.ts';
import { looksLikeCode, newCode, normalCode } from './code-text.ts';
import { authenticatorOf } from './totp.ts';

const about = (interaction: string, account: string) => `recovery-code:${interaction}:${account}`;

/** When the account's live code was made and last checked; undefined where there is none. */
export async function liveCode(
  db: Db,
  accountId: string,
): Promise<{ since: Date; checked: Date | undefined } | undefined> {
  const { rows } = await db.query<{ live_at: Date; checked_at: Date | null }>(
    'SELECT live_at, checked_at FROM recovery_codes WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL',
    [accountId],
  );
  return rows[0] && { since: rows[0].live_at, checked: rows[0].checked_at ?? undefined };
}

async function pendingCode(
  db: Db,
  vault: Vault,
  interaction: string,
  accountId: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ sealed_code: Buffer }>(
    `SELECT sealed_code FROM recovery_codes
     WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL AND sealed_code IS NOT NULL`,
    [interaction, accountId],
  );
  return rows[0] && vault.open(rows[0].sealed_code, about(interaction, accountId)).plain.toString();
}

/**
 * The new recovery code that this interaction shows. It is pending, and good for nothing, until its last group
 * was typed back; a reload or a lost answer shows the same one. It stays readable for this interaction alone,
 * sealed; what verifies it later is an argon2id hash (100 bits are below 112: NIST SP 800-63B-4 §3.1.2.2).
 */
export async function offerCode(
  db: Db,
  vault: Vault,
  hasher: Hasher,
  { account, interaction }: { account: Recipient; interaction: string },
): Promise<string> {
  const waiting = await pendingCode(db, vault, interaction, account.id);
  if (waiting) return waiting;
  const code = newCode();
  // Whoever signs in here as somebody else gets a code of their own, in the other's place.
  await db.query(
    `INSERT INTO recovery_codes (id, account_id, hash, interaction, sealed_code, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (interaction) DO UPDATE SET account_id = excluded.account_id, hash = excluded.hash,
       sealed_code = excluded.sealed_code, created_at = excluded.created_at
     WHERE recovery_codes.account_id <> excluded.account_id`,
    [
      randomUUID(),
      account.id,
      await hasher.hash(normalCode(code)),
      interaction,
      vault.seal(code, about(interaction, account.id)),
      new Date(),
    ],
  );
  // Two reloads at once: the one that came first decided which code both show.
  const shown = await pendingCode(db, vault, interaction, account.id);
  if (!shown) throw new Error('the pending recovery code is gone');
  return shown;
}

export type LastGroupRefusal = { code: 'wrong-last-group' };

/**
 * The person typed the last group back: in one transaction the older code dies, the new one lives, and the
 * readable copy is wiped. `claimed`: the older code is what opened this sign-in, and must still be this
 * interaction's to spend. `authenticator`: the one that this sign-in knows, which must still be the account's.
 */
export async function confirmCode(
  db: Db,
  vault: Vault,
  post: Post,
  {
    account,
    interaction,
    lastGroup,
    claimed,
    authenticator,
    origin,
  }: {
    account: Recipient;
    interaction: string;
    lastGroup: string;
    claimed: boolean;
    authenticator: string | undefined;
    origin: Origin;
  },
): Promise<LastGroupRefusal | undefined> {
  const code = await pendingCode(db, vault, interaction, account.id);
  const typed = normalCode(lastGroup);
  // Some type or paste the whole code, which shows just as well that they have it.
  if (!code || ![code.slice(-4), normalCode(code)].includes(typed)) return { code: 'wrong-last-group' };
  await db.transaction(async (open) => {
    const now = new Date();
    // Two tabs confirm two codes at once: one after the other, so that in the end one lives; and none for a phone that
    // somebody has replaced or switched off meanwhile.
    if (!(await turnOf(open, account.id, interaction))) return;
    if ((await authenticatorOf(open, account.id))?.id !== authenticator) return;
    // Where the old code opened this sign-in it must still be this interaction's: the spending is the check.
    if (claimed && !(await spendClaimed(open, account.id, interaction, origin))) return;
    const { rows } = await open.query<{ id: string }>(
      `UPDATE recovery_codes SET sealed_code = NULL, interaction = NULL
       WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL RETURNING id`,
      [interaction, account.id],
    );
    // Sent twice at once: the first did it all, and the answer is the same.
    if (!rows[0]) return;
    await voidLive(open, account.id);
    await open.query('UPDATE recovery_codes SET live_at = $2 WHERE id = $1', [rows[0].id, now]);
    await recordDeed(open, interaction, account.id, 'new_recovery_code');
    await audit(open, { event: 'recovery-code.issued', accountId: account.id, origin });
    await post(open, account, 'recovery-code-issued', recoveryCodeIssued);
  });
  return undefined;
}

/** Ends the account's live code, if there is one, and with it the claim of whoever entered it and waits. */
export async function voidLive(open: Db, accountId: string): Promise<void> {
  await open.query(
    `UPDATE recovery_codes SET used_at = $2, claimed_by = NULL
     WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL`,
    [accountId, new Date()],
  );
}

/** Spends the code that this interaction claimed; answers whether it was still claimed by it and unspent. */
export async function spendClaimed(
  open: Db,
  accountId: string,
  interaction: string,
  origin: Origin,
): Promise<boolean> {
  const { count } = await open.query(
    `UPDATE recovery_codes SET used_at = $3
     WHERE account_id = $1 AND claimed_by = $2 AND live_at IS NOT NULL AND used_at IS NULL`,
    [accountId, interaction, new Date()],
  );
  if (count > 0) await audit(open, { event: 'recovery-code.spent', accountId, origin });
  return count > 0;
}

/** Whether this interaction has shown a code that was not typed back yet. */
export async function codeOffered(db: Db, accountId: string, interaction: string): Promise<boolean> {
  const { count } = await db.query(
    'SELECT 1 FROM recovery_codes WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL',
    [interaction, accountId],
  );
  return count > 0;
}

/** How a recovery code stands to an interaction: not entered, claimed by it, or spent by what it completed. */
export async function claimOf(
  db: Db,
  accountId: string,
  interaction: string,
): Promise<'none' | 'claimed' | 'spent'> {
  const { rows } = await db.query<{ used_at: Date | null }>(
    `SELECT used_at FROM recovery_codes WHERE account_id = $1 AND claimed_by = $2
     ORDER BY used_at DESC NULLS FIRST LIMIT 1`,
    [accountId, interaction],
  );
  if (!rows[0]) return 'none';
  return rows[0].used_at ? 'spent' : 'claimed';
}

export type RecoveryRefusal =
  { code: 'malformed-recovery-code' | 'wrong-recovery-code' } | { code: 'throttled'; seconds: number };

/** Consecutive wrong codes after a right password that are worth a mail, and that end the code. */
const worthTelling = 3;
const mostFailures = 50;

interface CodeAttempt {
  account: Recipient;
  interaction: string;
  code: string;
  origin: Origin;
}

async function refuse(db: Db, post: Post, { account, origin }: CodeAttempt, failures: number): Promise<void> {
  await db.transaction(async (open) => {
    await audit(open, { event: 'recovery-code.wrong', accountId: account.id, origin, detail: { failures } });
    if (failures === worthTelling) await post(open, account, 'wrong-second-factor', wrongSecondFactor);
    // At the fiftieth or, where its request died, at the next: the count begins anew with the next code.
    if (failures < mostFailures) return;
    await voidLive(open, account.id);
    await clearAttempts(open, `account:${account.id}`, 'recovery-code');
    await audit(open, {
      event: 'recovery-code.disabled',
      accountId: account.id,
      origin,
      detail: { failures },
    });
    await post(open, account, 'recovery-code-disabled', recoveryCodeDisabled);
  });
}

function claim(
  db: Db,
  post: Post,
  { account, interaction, origin }: CodeAttempt,
  id: string,
): Promise<boolean> {
  return db.transaction(async (open) => {
    await takeTurn(open, `account:${account.id}`);
    const { count } = await open.query(
      'UPDATE recovery_codes SET claimed_by = $2 WHERE id = $1 AND used_at IS NULL',
      [id, interaction],
    );
    if (count === 0) return false;
    await voidOtherProofs(open, interaction, 'recovery-code', id);
    await clearAttempts(open, `account:${account.id}`, 'recovery-code');
    await recordProof(open, interaction, { factor: 'recovery-code', accountId: account.id, ref: id });
    await audit(open, { event: 'recovery-code.right', accountId: account.id, origin });
    await post(open, account, 'recovery-code-used', recoveryCodeUsed);
    return true;
  });
}

type Judged = { id: string } | { refusal: RecoveryRefusal };

/** Whether what was typed is the account's live code. The attempt is counted first; no code costs the same time. */
async function judge(db: Db, hasher: Hasher, post: Post, attempt: CodeAttempt): Promise<Judged> {
  const { account, code, origin } = attempt;
  if (!looksLikeCode(code)) return { refusal: { code: 'malformed-recovery-code' } };
  const counted = await countAttempt(db, `account:${account.id}`, 'recovery-code');
  if (!counted.allowed) {
    await audit(db, { event: 'recovery-code.throttled', accountId: account.id, origin });
    return { refusal: { code: 'throttled', seconds: counted.seconds } };
  }
  const { rows } = await db.query<{ id: string; hash: string }>(
    'SELECT id, hash FROM recovery_codes WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL',
    [account.id],
  );
  const right = await hasher.verify(rows[0]?.hash, normalCode(code));
  if (right && rows[0]) return { id: rows[0].id };
  await refuse(db, post, attempt, counted.failures);
  return { refusal: { code: 'wrong-recovery-code' } };
}

/**
 * Verifies the saved recovery code, claims it for this interaction and writes the proof. It is not spent yet: the
 * transaction that completes something spends it, so that nobody who closes the lid half-way is locked out. A
 * later interaction that enters it takes the claim over and voids the earlier proof.
 */
export async function claimCode(
  db: Db,
  hasher: Hasher,
  post: Post,
  attempt: CodeAttempt,
): Promise<RecoveryRefusal | undefined> {
  const judged = await judge(db, hasher, post, attempt);
  if ('refusal' in judged) return judged.refusal;
  return (await claim(db, post, attempt, judged.id)) ? undefined : { code: 'wrong-recovery-code' };
}

/** Tells a person whether the code that they kept is the living one, and spends nothing. Throttled like its use. */
export async function checkCode(
  db: Db,
  hasher: Hasher,
  post: Post,
  attempt: CodeAttempt,
): Promise<RecoveryRefusal | undefined> {
  const judged = await judge(db, hasher, post, attempt);
  if ('refusal' in judged) return judged.refusal;
  const { account, interaction, origin } = attempt;
  await db.transaction(async (open) => {
    await open.query('UPDATE recovery_codes SET checked_at = $2 WHERE id = $1', [judged.id, new Date()]);
    await clearAttempts(open, `account:${account.id}`, 'recovery-code');
    await recordDeed(open, interaction, account.id, 'check_recovery_code');
    await audit(open, { event: 'recovery-code.checked', accountId: account.id, origin });
  });
  return undefined;
}

/** Removes pending codes whose interaction has ended, at most `limit`; answers how many. */
export async function sweepPendingCodes(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM recovery_codes WHERE id IN
       (SELECT id FROM recovery_codes WHERE live_at IS NULL AND created_at < $1 LIMIT $2)`,
    [before, limit],
  );
  return count;
}
