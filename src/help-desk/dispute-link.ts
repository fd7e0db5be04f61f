import { newCode, normalCode } from '../mfa/recovery-code-format.ts';
import type { Db } from '../db/database.ts';
import { sha256 } from '../crypto/encryption.ts';

const length = 16;

// 80 bits and a fast hash: the code names its case by itself, in any browser, and all that it can do is to stop it.
const hashOf = (code: string) => sha256(normalCode(code));

/** A new code with which the person stops this case. Each mail about the case has its own; all of them work. */
export async function newStopCode(open: Db, caseId: string): Promise<string> {
  const code = newCode(length);
  await open.query('INSERT INTO help_desk_stop_codes (hash, case_id, created_at) VALUES ($1, $2, $3)', [
    hashOf(code),
    caseId,
    new Date(),
  ]);
  return code;
}

/** Whether a text can be a stop code at all. */
export const looksLikeStopCode = (typed: string): boolean =>
  new RegExp(`^[0-9A-HJKMNP-TV-Z]{${length}}$`).test(normalCode(typed));

/** The case that a code stops. */
export async function caseOfStopCode(db: Db, code: string): Promise<string | undefined> {
  const { rows } = await db.query<{ case_id: string }>(
    'SELECT case_id FROM help_desk_stop_codes WHERE hash = $1',
    [hashOf(code)],
  );
  return rows[0]?.case_id;
}
