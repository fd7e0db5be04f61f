import { randomInt, randomUUID } from 'node:crypto';
import { recoveryCodeIssued } from '../mail/messages.ts';
import type { Post, Recipient } from '../mail/outbox.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import type { Hasher } from '../platform/hashing.ts';
import type { Vault } from '../platform/secrets.ts';

/** Crockford base32: no I, L, O, U, so that nothing is misread aloud or on paper. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 20;

/** 20 characters, 100 bits, each by rejection sampling (`randomInt`), shown as 5 groups of 4. */
export function newCode(): string {
  const characters = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
  return (characters.match(/.{4}/g) ?? []).join('-');
}

/** What was typed, as the alphabet has it: case, blanks and hyphens do not matter, O is 0, I and L are 1. */
export const normalCode = (typed: string): string =>
  typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');

const about = (interaction: string, account: string) => `recovery-code:${interaction}:${account}`;

/** When the account's live code was made; undefined where there is none. */
export async function liveCodeSince(db: Db, accountId: string): Promise<Date | undefined> {
  const { rows } = await db.query<{ live_at: Date }>(
    'SELECT live_at FROM recovery_codes WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL',
    [accountId],
  );
  return rows[0]?.live_at;
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
  await db.query(
    `INSERT INTO recovery_codes (id, account_id, hash, interaction, sealed_code, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (interaction) DO NOTHING`,
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
 * readable copy is wiped.
 */
export async function confirmCode(
  db: Db,
  vault: Vault,
  post: Post,
  {
    account,
    interaction,
    lastGroup,
    origin,
  }: { account: Recipient; interaction: string; lastGroup: string; origin: Origin },
): Promise<LastGroupRefusal | undefined> {
  const code = await pendingCode(db, vault, interaction, account.id);
  const typed = normalCode(lastGroup);
  // Some type or paste the whole code, which shows just as well that they have it.
  if (!code || ![code.slice(-4), normalCode(code)].includes(typed)) return { code: 'wrong-last-group' };
  await db.transaction(async (open) => {
    const now = new Date();
    const { rows } = await open.query<{ id: string }>(
      `UPDATE recovery_codes SET sealed_code = NULL, interaction = NULL
       WHERE interaction = $1 AND account_id = $2 AND live_at IS NULL RETURNING id`,
      [interaction, account.id],
    );
    // Sent twice at once: the first did it all, and the answer is the same.
    if (!rows[0]) return;
    await open.query(
      'UPDATE recovery_codes SET used_at = $2 WHERE account_id = $1 AND live_at IS NOT NULL AND used_at IS NULL',
      [account.id, now],
    );
    await open.query('UPDATE recovery_codes SET live_at = $2 WHERE id = $1', [rows[0].id, now]);
    await audit(open, { event: 'recovery-code.issued', accountId: account.id, origin });
    await post(open, account, 'recovery-code-issued', recoveryCodeIssued);
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
