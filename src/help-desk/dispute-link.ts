import { generateCode, normalizeCode } from '../mfa/recovery-code-format.ts';
import type { Db } from '../db/database.ts';
import { sha256 } from '../crypto/encryption.ts';

const codeLength = 16;

// 80 bits and a fast hash: the code names its case by itself, in any browser, and all that it can do is to stop it.
const hashDisputeCode = (code: string) => sha256(normalizeCode(code));

/** A new code with which the person stops this case. Each mail about the case has its own; all of them work. */
export async function createDisputeCode(tx: Db, caseId: string): Promise<string> {
  const code = generateCode(codeLength);
  await tx.query('INSERT INTO help_desk_stop_codes (hash, case_id, created_at) VALUES ($1, $2, $3)', [
    hashDisputeCode(code),
    caseId,
    new Date(),
  ]);
  return code;
}

/** Whether a text can be a stop code at all. */
export const looksLikeDisputeCode = (typed: string): boolean =>
  new RegExp(`^[0-9A-HJKMNP-TV-Z]{${codeLength}}$`).test(normalizeCode(typed));

/** The case that a code stops. */
export async function findCaseIdByDisputeCode(db: Db, code: string): Promise<string | undefined> {
  const { rows } = await db.query<{ case_id: string }>(
    'SELECT case_id FROM help_desk_stop_codes WHERE hash = $1',
    [hashDisputeCode(code)],
  );
  return rows[0]?.case_id;
}
