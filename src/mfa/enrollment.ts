import { generateSecret, generateURI, verify } from 'otplib';
import type { Recipient } from '../mail/outbox.ts';
import type { Db } from '../db/database.ts';
import type { Encryption } from '../crypto/encryption.ts';
import type { TotpAttempt } from './totp.ts';
import { parseTotpCode, clockSkewSeconds, stepSeconds, windowSeconds } from './totp.ts';

/** A pending secret is good for ten minutes (NIST SP 800-63B-4 §4.1.2.2). */
const pendingMinutes = 10;

const associatedData = (interaction: string, userId: string) =>
  `pending-authenticator:${interaction}:${userId}`;

/** What the enrolment page shows: the key as text, and as the address that a QR code carries. */
export interface PendingEnrollment {
  key: string;
  uri: string;
}

/**
 * The secret that this interaction may connect: the pending one while it is fresh, so that a reload shows the
 * same QR code, else a new one. It opens nothing until a code of it was verified.
 */
export async function getPendingEnrollment(
  db: Db,
  encryption: Encryption,
  { account, interaction, brand }: { account: Recipient; interaction: string; brand: string },
): Promise<PendingEnrollment> {
  const now = new Date();
  const sealed = encryption.seal(generateSecret({ length: 20 }), associatedData(interaction, account.id));
  const { rows } = await db.query<{ sealed_secret: Buffer }>(
    `INSERT INTO pending_authenticators AS p (interaction, account_id, sealed_secret, created_at)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (interaction) DO UPDATE SET
       sealed_secret = CASE WHEN p.created_at < $5 OR p.account_id <> $2 THEN $3 ELSE p.sealed_secret END,
       created_at = CASE WHEN p.created_at < $5 OR p.account_id <> $2 THEN $4 ELSE p.created_at END,
       account_id = $2
     RETURNING sealed_secret`,
    [interaction, account.id, sealed, now, new Date(now.getTime() - pendingMinutes * 60_000)],
  );
  const row = rows[0];
  if (!row) throw new Error('no pending authenticator came back');
  const key = encryption.open(row.sealed_secret, associatedData(interaction, account.id)).plain.toString();
  return { key, uri: generateURI({ issuer: brand, label: account.email, secret: key }) };
}

export type EnrollmentRefusal =
  | { code: 'malformed-code' | 'wrong-code' | 'enrollment-expired' }
  | { code: 'clock-behind' | 'clock-ahead'; seconds: number };

/** A verified pending secret on its way to becoming the authenticator: see `two-step.ts`. */
export interface VerifiedEnrollment {
  secret: string;
  step: number;
}

/** Whether a code belongs to the pending secret of this interaction; at enrolment the clock is told both ways. */
export async function verifyEnrollmentCode(
  db: Db,
  encryption: Encryption,
  { account, interaction, code: typed }: TotpAttempt,
): Promise<{ proven: VerifiedEnrollment } | { refusal: EnrollmentRefusal }> {
  const code = parseTotpCode(typed);
  if (!code) return { refusal: { code: 'malformed-code' } };
  const { rows } = await db.query<{ sealed_secret: Buffer }>(
    `SELECT sealed_secret FROM pending_authenticators
     WHERE interaction = $1 AND account_id = $2 AND created_at >= $3`,
    [interaction, account.id, new Date(Date.now() - pendingMinutes * 60_000)],
  );
  if (!rows[0]) return { refusal: { code: 'enrollment-expired' } };
  const secret = encryption
    .open(rows[0].sealed_secret, associatedData(interaction, account.id))
    .plain.toString();
  const epoch = Date.now() / 1000;
  const near = await verify({ secret, token: code, epoch, epochTolerance: windowSeconds });
  if (near.valid && 'timeStep' in near) return { proven: { secret, step: near.timeStep } };
  const far = await verify({ secret, token: code, epoch, epochTolerance: clockSkewSeconds });
  if (!far.valid) return { refusal: { code: 'wrong-code' } };
  const seconds = Math.abs(far.delta) * stepSeconds;
  return { refusal: { code: far.delta < 0 ? 'clock-behind' : 'clock-ahead', seconds } };
}

/** Takes the pending secret of this interaction away, once; answers whether it was still there. */
export async function consumePendingEnrollment(tx: Db, interaction: string): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM pending_authenticators WHERE interaction = $1', [
    interaction,
  ]);
  return count > 0;
}

/** Removes pending secrets older than their ten minutes, at most `limit`; answers how many. */
export async function prunePendingEnrollments(db: Db, limit: number): Promise<number> {
  const { count } = await db.query(
    `DELETE FROM pending_authenticators WHERE interaction IN
       (SELECT interaction FROM pending_authenticators WHERE created_at < $1 LIMIT $2)`,
    [new Date(Date.now() - pendingMinutes * 60_000), limit],
  );
  return count;
}
