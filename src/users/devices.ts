import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '../audit/audit-log.ts';
import type { Origin } from '../http/request-info.ts';
import { insertAuditEventsSql, recordAuditEvent, auditEventToJson, auditTopic } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { Effect } from '../db/effects.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { provedRefs } from '../security/verified-factors.ts';
import { sha256 } from '../crypto/encryption.ts';
import { newDeviceMail } from '../mail/templates/sign-in.ts';
import type { EnqueueMail } from '../mail/outbox.ts';
import type { User } from './users.ts';

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

const toDevice = (row: Row): Device => ({
  id: row.id,
  label: row.label,
  firstSeenAt: row.first_seen_at,
  lastSeenAt: row.last_seen_at,
  rememberedUntil: row.remembered_until ?? undefined,
});

const trustedDays = 30;

const browserPatterns: readonly [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const osPatterns: readonly [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac'],
  [/Linux/, 'Linux'],
];

/** "Firefox, Windows": words of ours chosen by what the browser calls itself, never its own text. */
export function describeUserAgent(userAgent: string): string {
  const found = [browserPatterns, osPatterns].map(
    (list) => list.find(([pattern]) => pattern.test(userAgent))?.[1],
  );
  return found.filter(Boolean).join(', ') || '?';
}

/** The device that a browser's cookie names for this account, if there is one. */
export async function findDeviceByToken(
  db: Db,
  accountId: string,
  token: string,
): Promise<Device | undefined> {
  const { rows } = await db.query<Row>(
    'SELECT id, label, first_seen_at, last_seen_at, remembered_until FROM devices WHERE account_id = $1 AND token_hash = $2',
    [accountId, sha256(token)],
  );
  return rows[0] && toDevice(rows[0]);
}

/** A device read beside the account; all null where there is none. */
export interface JoinedDeviceRow {
  device_id: string | null;
  device_label: string;
  device_first_seen_at: Date;
  device_last_seen_at: Date;
  device_remembered_until: Date | null;
}

/** The subselect that reads the device of an account by the hash of its token; both are expressions of SQL. */
export const joinedDeviceSql = (account: string, tokenHash: string): string =>
  `SELECT id AS device_id, label AS device_label, first_seen_at AS device_first_seen_at,
     last_seen_at AS device_last_seen_at, remembered_until AS device_remembered_until
   FROM devices WHERE account_id = ${account} AND token_hash = ${tokenHash}`;

/** The one that was read so, if there is one. */
export const toJoinedDevice = (row: JoinedDeviceRow): Device | undefined =>
  row.device_id === null
    ? undefined
    : {
        id: row.device_id,
        label: row.device_label,
        firstSeenAt: row.device_first_seen_at,
        lastSeenAt: row.device_last_seen_at,
        rememberedUntil: row.device_remembered_until ?? undefined,
      };

/** Whether a device stands in for the six digits: it is remembered, and its time has not run out. */
export const isTrusted = ({ rememberedUntil }: Device): boolean =>
  rememberedUntil !== undefined && rememberedUntil > new Date();

/** What names a browser: until now, and from the end of its sign-in on. */
export interface BrowserTokens {
  token: string | undefined;
  next: string;
}

/** The number of the device that a browser is to an account, by the hashes of two tokens, either of which may name it. */
export const deviceIdSubquery: JsonSubquery<
  { account: string; tokens: readonly [string, string] },
  string | undefined
> = {
  ask: ({ account, tokens: [token, next] }) =>
    `(SELECT to_jsonb(id) FROM devices WHERE account_id = ${account} AND token_hash IN (${token}, ${next})
      ORDER BY token_hash = ${next} DESC LIMIT 1)`,
  read: (json) => (json as string | null) ?? undefined,
};

/** The ids of the devices that were proved in an interaction and are still trusted by the user. */
export const trustedDevicesPart: JsonSubquery<
  { interaction: string; account: string },
  ReadonlySet<string>
> = {
  ask: ({ interaction, account }) =>
    `(SELECT jsonb_agg(id) FROM devices WHERE id IN ${provedRefs(interaction, 'device')}
      AND account_id = ${account} AND remembered_until IS NOT NULL)`,
  read: (json) => new Set((json as string[] | null) ?? []),
};

/** A browser whose sign-in is finished. */
export interface SignedInBrowser extends BrowserTokens {
  /** The number of the device that it is known as. */
  known: string | undefined;
  /** It is to stand in for the six digits, at the person's wish. */
  remember: boolean;
  origin: Origin;
}

/**
 * Notes the browser of a finished sign-in under a new token, which takes the old one's place for every account on
 * it: one that somebody planted or copied before is worth nothing after. An account's first browser is no news;
 * any later new one is told by mail.
 */
export function recordDeviceEffects(
  enqueueMail: EnqueueMail,
  account: User,
  { known, token, next, remember, origin: requestInfo }: SignedInBrowser,
): Effect[] {
  const now = new Date();
  const label = describeUserAgent(requestInfo.userAgent);
  const trustedUntil = remember ? new Date(now.getTime() + trustedDays * 86_400_000) : null;
  const tokens = [token === undefined ? null : sha256(token), sha256(next)];
  const recordEffect: Effect = {
    sql: recordDeviceSql,
    params: [randomUUID(), account.id, ...tokens, label, now, trustedUntil, known ?? null],
    // Whether it is the account's first is asked of what others have noted by then.
    behindGate: known === undefined,
  };
  const effects = [recordEffect];
  if (remember) effects.push(auditTrustedDeviceEffect({ accountId: account.id, origin: requestInfo }, now));
  if (known === undefined) {
    const mailEffect = enqueueMail.effect(account, 'new-device', (facts) => newDeviceMail(facts, label));
    // A sign-in that is finished twice at once arrives once, and is told once.
    effects.push({
      ...mailEffect,
      sql: ($) => mailEffect.sql($, 'EXISTS (SELECT FROM devices_arrived WHERE is_news)'),
    });
  }
  return effects;
}

// Where a finish of this very interaction has left a row under the new token it stays, and the one under the old goes.
const recordDeviceSql: Effect['sql'] = ($, open) => `devices_left AS (DELETE FROM devices AS old
    WHERE token_hash = ${$(3)} AND token_hash <> ${$(4)} AND ${open} AND ${otherDeviceExistsSql($(4))}),
  devices_moved AS (UPDATE devices AS old SET token_hash = ${$(4)},
      last_seen_at = CASE WHEN account_id = ${$(2)} THEN ${$(6)} ELSE last_seen_at END,
      label = CASE WHEN account_id = ${$(2)} THEN ${$(5)} ELSE label END,
      remembered_until = CASE WHEN account_id = ${$(2)} THEN coalesce(${$(7)}, remembered_until) ELSE remembered_until END
    WHERE (id = ${$(8)}::uuid OR token_hash = ${$(3)}) AND ${open} AND NOT ${otherDeviceExistsSql($(4))}
    RETURNING id, account_id),
  devices_arrived AS (INSERT INTO devices (id, account_id, token_hash, label, first_seen_at, last_seen_at, remembered_until)
    SELECT ${$(1)}::uuid, ${$(2)}::uuid, ${$(4)}, ${$(5)}, ${$(6)}, ${$(6)}, ${$(7)}
    WHERE ${open} AND NOT EXISTS (SELECT FROM devices_moved WHERE account_id = ${$(2)})
    ON CONFLICT (token_hash, account_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, label = excluded.label,
      remembered_until = coalesce(excluded.remembered_until, devices.remembered_until)
    RETURNING id, account_id,
      id = ${$(1)} AND EXISTS (SELECT FROM devices AS other WHERE other.account_id = ${$(2)}) AS is_news)`;

const otherDeviceExistsSql = (tokenHash: string) =>
  `EXISTS (SELECT FROM devices AS there
     WHERE there.account_id = old.account_id AND there.token_hash = ${tokenHash} AND there.id <> old.id)`;

/** The row of the audit names the device that the browser has become. */
function auditTrustedDeviceEffect(subject: { accountId: string; origin: Origin }, now: Date): Effect {
  const auditEvent: AuditEvent = { event: 'device.remembered', ...subject };
  return {
    sql: ($) =>
      `device_remembered AS (${insertAuditEventsSql(
        `(SELECT jsonb_set(${$(1)}::text::jsonb, '{detail,device}', to_jsonb(id)) AS deed
          FROM (SELECT id, account_id FROM devices_moved UNION ALL SELECT id, account_id FROM devices_arrived) AS here
          WHERE account_id = ${$(3)}) AS said`,
        'deed',
        $(2),
      )})`,
    params: [auditEventToJson(auditEvent, 0), now, subject.accountId],
    announce: { say: (db) => db.announce(auditTopic, [auditEvent]) },
  };
}

/** The browsers that an account has signed in from, the latest first. */
export async function listDevices(db: Db, accountId: string): Promise<Device[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, label, first_seen_at, last_seen_at, remembered_until FROM devices
     WHERE account_id = $1 ORDER BY last_seen_at DESC`,
    [accountId],
  );
  return rows.map(toDevice);
}

/** Those of them that are remembered: they stand in for the six digits. */
export async function listTrustedDevices(db: Db, accountId: string): Promise<Device[]> {
  return (await listDevices(db, accountId)).filter(isTrusted);
}

/** Ends the remembering of all devices of an account, in the transaction of what made them doubtful. */
export async function forgetTrustedDevices(tx: Db, accountId: string): Promise<void> {
  await tx.query('UPDATE devices SET remembered_until = NULL WHERE account_id = $1', [accountId]);
}

/**
 * Makes all browsers of a user unknown but the one with the device id `current`, which is trusted no more. A browser that
 * signs in again counts as new. Runs in the transaction of the change.
 */
export async function removeOtherDevices(
  open: Db,
  accountId: string,
  current: string | undefined,
): Promise<void> {
  await open.query(
    `WITH removed AS (DELETE FROM devices WHERE account_id = $1 AND id IS DISTINCT FROM $2::uuid)
     UPDATE devices SET remembered_until = NULL WHERE account_id = $1 AND id = $2::uuid`,
    [accountId, current ?? null],
  );
}

/** Ends the remembering of one device of this account; answers whether there was one. */
export function forgetTrustedDevice(
  db: Db,
  accountId: string,
  device: string,
  requestInfo: Origin,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { count } = await tx.query(
      'UPDATE devices SET remembered_until = NULL WHERE account_id = $1 AND id::text = $2 AND remembered_until IS NOT NULL',
      [accountId, device],
    );
    if (count > 0)
      await recordAuditEvent(tx, {
        event: 'device.forgotten',
        accountId,
        origin: requestInfo,
        detail: { device },
      });
    return count > 0;
  });
}
