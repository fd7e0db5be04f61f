import { randomUUID } from 'node:crypto';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { recordProof } from '../platform/proofs.ts';
import { sha256 } from '../platform/secrets.ts';
import { newDevice } from '../mail/messages.ts';
import type { Post } from '../mail/outbox.ts';
import type { Account } from './accounts.ts';

/**
 * Browsers that an account has signed in from. One cookie names the browser; strangers' wrong passwords do not
 * lock it out, and where the person asked for it, it stands in for the six digits for 30 days.
 */
export interface Device {
  id: string;
  label: string;
  firstSeenAt: Date;
  lastSeenAt: Date;
  rememberedUntil: Date | undefined;
}

interface Row {
  id: string;
  label: string;
  first_seen_at: Date;
  last_seen_at: Date;
  remembered_until: Date | null;
}

const deviceOf = (row: Row): Device => ({
  id: row.id,
  label: row.label,
  firstSeenAt: row.first_seen_at,
  lastSeenAt: row.last_seen_at,
  rememberedUntil: row.remembered_until ?? undefined,
});

const rememberedDays = 30;

const families: readonly [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const systems: readonly [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac'],
  [/Linux/, 'Linux'],
];

/** "Firefox, Windows": words of ours chosen by what the browser calls itself, never its own text. */
export function deviceLabel(userAgent: string): string {
  const found = [families, systems].map((list) => list.find(([pattern]) => pattern.test(userAgent))?.[1]);
  return found.filter(Boolean).join(', ') || '?';
}

/** The device that a browser's cookie names for this account, if there is one. */
export async function knownDevice(db: Db, accountId: string, token: string): Promise<Device | undefined> {
  const { rows } = await db.query<Row>(
    'SELECT id, label, first_seen_at, last_seen_at, remembered_until FROM devices WHERE account_id = $1 AND token_hash = $2',
    [accountId, sha256(token)],
  );
  return rows[0] && deviceOf(rows[0]);
}

/** A device read beside the account; all null where there is none. */
export interface DeviceBeside {
  device_id: string | null;
  device_label: string;
  device_first_seen_at: Date;
  device_last_seen_at: Date;
  device_remembered_until: Date | null;
}

/** The subselect that reads the device of an account by the hash of its token; both are expressions of SQL. */
export const deviceBeside = (account: string, tokenHash: string): string =>
  `SELECT id AS device_id, label AS device_label, first_seen_at AS device_first_seen_at,
     last_seen_at AS device_last_seen_at, remembered_until AS device_remembered_until
   FROM devices WHERE account_id = ${account} AND token_hash = ${tokenHash}`;

/** The one that was read so, if there is one. */
export const deviceOfBeside = (row: DeviceBeside): Device | undefined =>
  row.device_id === null
    ? undefined
    : {
        id: row.device_id,
        label: row.device_label,
        firstSeenAt: row.device_first_seen_at,
        lastSeenAt: row.device_last_seen_at,
        rememberedUntil: row.device_remembered_until ?? undefined,
      };

/** Writes the proof that stands in for six digits, where the device is remembered and its time has not run out. */
export async function recogniseDevice(
  open: Db,
  interaction: string,
  accountId: string,
  device: Device | undefined,
  origin: Origin,
): Promise<void> {
  if (!device?.rememberedUntil || device.rememberedUntil <= new Date()) return;
  await Promise.all([
    recordProof(open, interaction, { factor: 'device', accountId, ref: device.id }),
    audit(open, { event: 'device.recognised', accountId, origin, detail: { device: device.id } }),
  ]);
}

/**
 * Notes the browser of a finished sign-in under a new token, which takes the old one's place for every account on
 * it: one that somebody planted or copied before is worth nothing after. An account's first browser is no news;
 * any later new one is told by mail.
 */
export async function welcomeDevice(
  open: Db,
  post: Post,
  account: Account,
  device: { token: string | undefined; next: string; remember: boolean; origin: Origin },
): Promise<void> {
  const { token, next, remember, origin } = device;
  const now = new Date();
  const remembered = remember ? new Date(now.getTime() + rememberedDays * 86_400_000) : null;
  const label = deviceLabel(origin.userAgent);
  const { rows } = await open.query<{ id: string; fresh: boolean; others: boolean }>(
    `WITH moved AS (UPDATE devices SET token_hash = $4,
         last_seen_at = CASE WHEN account_id = $2 THEN $6 ELSE last_seen_at END,
         label = CASE WHEN account_id = $2 THEN $5 ELSE label END,
         remembered_until = CASE WHEN account_id = $2 THEN coalesce($7, remembered_until) ELSE remembered_until END
       WHERE token_hash = $3 RETURNING id, account_id),
     arrived AS (INSERT INTO devices (id, account_id, token_hash, label, first_seen_at, last_seen_at, remembered_until)
       SELECT $1::uuid, $2::uuid, $4, $5, $6, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM moved WHERE account_id = $2)
       ON CONFLICT (token_hash, account_id) DO UPDATE SET
         last_seen_at = $6, label = $5, remembered_until = coalesce($7, devices.remembered_until)
       RETURNING id)
     SELECT id, id = $1 AS fresh,
       EXISTS (SELECT 1 FROM devices AS other WHERE other.account_id = $2 AND other.id <> $1) AS others
     FROM (SELECT id FROM moved WHERE account_id = $2 UNION ALL SELECT id FROM arrived) AS here`,
    [
      randomUUID(),
      account.id,
      token === undefined ? null : sha256(token),
      sha256(next),
      label,
      now,
      remembered,
    ],
  );
  if (remember) {
    const detail = { device: rows[0]?.id ?? '' };
    await audit(open, { event: 'device.remembered', accountId: account.id, origin, detail });
  }
  if (rows[0]?.fresh && rows[0].others) {
    await post(open, account, 'new-device', (facts) => newDevice(facts, label));
  }
}

/** The browsers that an account has signed in from, the latest first. */
export async function devicesOf(db: Db, accountId: string): Promise<Device[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, label, first_seen_at, last_seen_at, remembered_until FROM devices
     WHERE account_id = $1 ORDER BY last_seen_at DESC`,
    [accountId],
  );
  return rows.map(deviceOf);
}

/** Those of them that are remembered: they stand in for the six digits. */
export async function rememberedDevices(db: Db, accountId: string): Promise<Device[]> {
  const now = new Date();
  const all = await devicesOf(db, accountId);
  return all.filter(({ rememberedUntil }) => rememberedUntil && rememberedUntil > now);
}

/** Ends the remembering of all devices of an account, in the transaction of what made them doubtful. */
export async function forgetDevices(open: Db, accountId: string): Promise<void> {
  await open.query('UPDATE devices SET remembered_until = NULL WHERE account_id = $1', [accountId]);
}

/** Ends the remembering of one device of this account; answers whether there was one. */
export function forgetDevice(db: Db, accountId: string, device: string, origin: Origin): Promise<boolean> {
  return db.transaction(async (open) => {
    const { count } = await open.query(
      'UPDATE devices SET remembered_until = NULL WHERE account_id = $1 AND id::text = $2 AND remembered_until IS NOT NULL',
      [accountId, device],
    );
    if (count > 0) await audit(open, { event: 'device.forgotten', accountId, origin, detail: { device } });
    return count > 0;
  });
}
