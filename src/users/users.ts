// Longer than usual: a table has one owner.
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { matchLocale } from '../i18n/phrases.ts';
import type { Locale } from '../i18n/phrases.ts';
import type { Db } from '../db/database.ts';
import { isUuid, sql, acquireAdvisoryLock, advisoryLockSql } from '../db/database.ts';
import type { Effect, Precondition } from '../db/effects.ts';
import type { Hasher } from '../crypto/argon2.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { selectRowAsJson, parseTimestamp, parseOptionalTimestamp } from '../db/parts.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import { sha256 } from '../crypto/encryption.ts';
import type { Device, JoinedDeviceRow } from './devices.ts';
import { joinedDeviceSql, toJoinedDevice } from './devices.ts';
import { selectGroupMembers } from './groups.ts';
import type { Actor } from './operators.ts';
import { validatePassword } from './password-rules.ts';

export const roles = ['person', 'help-desk', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** An account as the rest of the house knows it; the password's hash stays in this room. */
export interface User {
  /** A UUID that never changes and is never given to anybody else: the `sub` of every token. */
  id: string;
  email: string;
  /** A second address, proved, that hears of changes; nobody signs in with it, and no code goes there. */
  noticeEmail: string | undefined;
  name: string;
  locale: Locale | undefined;
  role: Role;
  /** The group whose members alone an operator looks after; everybody, where undefined. */
  operatorGroup: string | undefined;
  /** Since when an invitation waits for the person to choose a password; undefined where none waits. */
  invitedAt: Date | undefined;
  twoStepRequired: boolean;
  emailVerified: boolean;
  /** Until when a phone may be connected with the password alone. */
  enrolmentOpenUntil: Date | undefined;
  /** The session that this is for; any, where undefined. */
  enrolmentSession: string | undefined;
  createdAt: Date;
  disabledAt: Date | undefined;
}

interface Row {
  id: string;
  email: string;
  notice_email: string | null;
  name: string;
  locale: string | null;
  role: Role;
  operator_group: string | null;
  invited_at: Date | null;
  two_step_required: boolean;
  email_verified_at: Date | null;
  enrolment_open_until: Date | null;
  enrolment_session: string | null;
  created_at: Date;
  disabled_at: Date | null;
}

const columns =
  'id, email, notice_email, name, locale, role, operator_group, invited_at, two_step_required, email_verified_at, enrolment_open_until, enrolment_session, created_at, disabled_at';

const toUser = (row: Row): User => ({
  id: row.id,
  email: row.email,
  noticeEmail: row.notice_email ?? undefined,
  name: row.name,
  locale: row.locale ? matchLocale([row.locale]) : undefined,
  role: row.role,
  operatorGroup: row.operator_group ?? undefined,
  invitedAt: row.invited_at ?? undefined,
  twoStepRequired: row.two_step_required,
  emailVerified: row.email_verified_at !== null,
  enrolmentOpenUntil: row.enrolment_open_until ?? undefined,
  enrolmentSession: row.enrolment_session ?? undefined,
  createdAt: row.created_at,
  disabledAt: row.disabled_at ?? undefined,
});

type JsonRow<Of> = { [Name in keyof Of]: Of[Name] extends Date | null ? string | null : Of[Name] };

/** The account with the number `id`, asked for beside other things. */
export const userSubquery: JsonSubquery<{ account: string }, User | undefined> = {
  ask: ({ account }) => selectRowAsJson(`SELECT ${columns} FROM accounts WHERE id = ${account}`),
  read(json) {
    if (json === null) return undefined;
    const row = json as JsonRow<Row>;
    return toUser({
      ...row,
      invited_at: parseOptionalTimestamp(row.invited_at) ?? null,
      email_verified_at: parseOptionalTimestamp(row.email_verified_at) ?? null,
      enrolment_open_until: parseOptionalTimestamp(row.enrolment_open_until) ?? null,
      created_at: parseTimestamp(row.created_at ?? ''),
      disabled_at: parseOptionalTimestamp(row.disabled_at) ?? null,
    });
  },
};

/** What addresses are compared by: capitals, blanks around it and Unicode spellings make no second account. */
export const normalizeEmail = (email: string): string => email.normalize('NFKC').trim().toLowerCase();

/**
 * Whether a text is an address that mail can be sent to: one `@`, printable ASCII only, so that no look-alike
 * letter, second recipient or header line slips through (normalise first, then judge).
 */
export const isEmail = (email: string): boolean =>
  email.length <= 254 && /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(email);

/** Days that a new account may connect its first phone with the password alone (DESIGN: the enrolment window). */
const enrollmentDays = 7;

export interface NewUser {
  email: string;
  name: string;
  password: string;
  role?: Role;
  locale?: Locale;
  twoStepRequired?: boolean;
}

export type CreateUserRefusal =
  'malformed-email' | 'missing-name' | 'email-taken' | ReturnType<typeof validatePassword>;

/**
 * Makes an account with a verified address and an open enrolment window; a refusal says what is wrong. `also` happens
 * in the same transaction.
 */
export async function createUser(
  db: Db,
  hasher: Hasher,
  brand: string,
  input: NewUser,
  onCreated?: (enrollmentOpenUntil: Db, account: User) => Promise<void>,
): Promise<{ account: User } | { refusal: NonNullable<CreateUserRefusal> }> {
  const email = normalizeEmail(input.email);
  const name = input.name.normalize('NFC').trim().slice(0, 200);
  const role = input.role ?? 'person';
  // Whoever can change other people's access always signs in in two steps.
  const mfaRequired = role !== 'person' || (input.twoStepRequired ?? true);
  if (!isEmail(email)) return { refusal: 'malformed-email' };
  if (name === '') return { refusal: 'missing-name' };
  const fault = validatePassword(input.password, { twoStep: mfaRequired, context: [email, name, brand] });
  if (fault) return { refusal: fault };
  const hash = await hasher.hash(input.password.normalize('NFC'));
  const now = new Date();
  const enrollmentOpenUntil = new Date(now.getTime() + enrollmentDays * 86_400_000);
  return db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, `email:${email}`);
    const { rows } = await tx.query<Row>(
      `INSERT INTO accounts (id, email, email_key, name, locale, role, password_hash, two_step_required,
         email_verified_at, enrolment_open_until, created_at)
       VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $8) ON CONFLICT (email_key) DO NOTHING RETURNING ${columns}`,
      [randomUUID(), email, name, input.locale ?? null, role, hash, mfaRequired, now, enrollmentOpenUntil],
    );
    const row = rows[0];
    if (!row) return { refusal: 'email-taken' };
    await recordAuditEvent(tx, { event: 'account.created', accountId: row.id, detail: { role } });
    await onCreated?.(tx, toUser(row));
    return { account: toUser(row) };
  });
}

/** The account with that identifier, disabled ones too. */
export async function findUserById(db: Db, id: string): Promise<User | undefined> {
  // Identifiers come from sessions and tokens, which may be anything that somebody sent.
  if (!isUuid(id)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM accounts WHERE id = $1`, [id]);
  return rows[0] && toUser(rows[0]);
}

/** The account with that address in any spelling, disabled ones too. */
export async function findUserByEmail(db: Db, email: string): Promise<User | undefined> {
  // What can be no address is nobody's, and may hold what PostgreSQL does not take.
  if (!isEmail(normalizeEmail(email))) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM accounts WHERE email_key = $1`, [
    normalizeEmail(email),
  ]);
  return rows[0] && toUser(rows[0]);
}

/**
 * Whom a password for that address is verified for: the account that has it, and its hash; where nobody has it, the hash
 * of some other account, always the same one, whose answer counts for nothing. Hashes of several makes and costs take
 * several times, and an address that nobody has must not be told by a time that no account takes. With it comes the
 * account's device that `token`, the browser's cookie, names.
 */
export async function findPasswordCredentials(
  db: Db,
  email: string,
  token: string | undefined,
): Promise<{ account: User | undefined; hash: string | undefined; device: Device | undefined }> {
  const key = normalizeEmail(email);
  if (!isEmail(key)) return { account: undefined, hash: undefined, device: undefined };
  const place = sha256(`stranger:${key}`).toString('hex').slice(0, 32);
  const { rows } = await db.query<Row & JoinedDeviceRow & { password_hash: string; stranger: boolean }>(
    `SELECT * FROM (
       SELECT ${columns}, password_hash, false AS stranger FROM accounts WHERE email_key = $1
       UNION ALL (SELECT ${columns}, password_hash, true FROM accounts WHERE id >= $2::uuid ORDER BY id LIMIT 1)) AS p
     LEFT JOIN LATERAL (${joinedDeviceSql('p.id', '$3')}) AS d ON NOT p.stranger`,
    [key, place, token ? sha256(token) : null],
  );
  const own = rows.find(({ stranger }) => !stranger);
  return {
    account: own && toUser(own),
    hash: (own ?? rows[0])?.password_hash,
    device: own && toJoinedDevice(own),
  };
}

/** Somebody reads the mail of this address, which is the account's: from now on it counts as proved. */
export async function markEmailVerified(tx: Db, id: string, email: string): Promise<void> {
  await tx.query(
    'UPDATE accounts SET email_verified_at = $3 WHERE id = $1 AND email_key = $2 AND email_verified_at IS NULL',
    [id, normalizeEmail(email), new Date()],
  );
}

/** Takes the account's turn, and is open where this hash is the password's by then and the account is not disabled. */
export const passwordUnchanged = (id: string, hash: string): Precondition => ({
  sql: ($) =>
    `SELECT 1 FROM accounts WHERE id = ${$(1)} AND password_hash = ${$(2)} AND disabled_at IS NULL
     AND ${advisoryLockSql($(3))} FOR SHARE`,
  params: [id, hash, `account:${id}`],
});

/** Replaces a hash that was made with older parameters, if it is still the one that was read. */
export const replaceHashEffect = (id: string, from: string, to: string): Effect => ({
  sql: ($, open) => `hash_replaced AS (UPDATE accounts SET password_hash = ${$(3)}
    WHERE id = ${$(1)} AND password_hash = ${$(2)} AND ${open})`,
  params: [id, from, to],
});

/** Whether a phone may be connected with the password alone, in this session (DESIGN §5, the enrolment window). */
export const isEnrollmentOpen = (account: User, session: string | undefined): boolean =>
  account.enrolmentOpenUntil !== undefined &&
  account.enrolmentOpenUntil > new Date() &&
  (account.enrolmentSession === undefined || account.enrolmentSession === session);

/** Opens that window for ten minutes to the session that switched two-step verification off, and to no other. */
export async function openEnrollment(tx: Db, id: string, session: string | undefined): Promise<void> {
  const until = session ? new Date(Date.now() + 10 * 60_000) : null;
  await tx.query('UPDATE accounts SET enrolment_open_until = $2, enrolment_session = $3 WHERE id = $1', [
    id,
    until,
    session ?? null,
  ]);
}

/** Gives the account a new password; an invitation is accepted with the first. */
export async function replacePassword(tx: Db, id: string, hash: string): Promise<void> {
  await tx.query('UPDATE accounts SET password_hash = $2, invited_at = NULL WHERE id = $1', [id, hash]);
}

/** Notes that the password was chosen anew by whoever reads the mail; for 72 hours the help desk mails no code then. */
export async function recordPasswordReset(tx: Db, id: string): Promise<void> {
  await tx.query('UPDATE accounts SET password_reset_at = $2 WHERE id = $1', [id, new Date()]);
}

/** When the account's address was last changed, and its password last reset by mail. */
export async function findLatestChanges(
  db: Db,
  id: string,
): Promise<{ emailChangedAt: Date | undefined; passwordResetAt: Date | undefined }> {
  const { rows } = await db.query<{ email_changed_at: Date | null; password_reset_at: Date | null }>(
    'SELECT email_changed_at, password_reset_at FROM accounts WHERE id = $1',
    [id],
  );
  return {
    emailChangedAt: rows[0]?.email_changed_at ?? undefined,
    passwordResetAt: rows[0]?.password_reset_at ?? undefined,
  };
}

/** Gives the account a new, proved address; no where another account has it. Of two that want one, the first has it. */
export async function replaceEmail(tx: Db, id: string, email: string): Promise<boolean> {
  await acquireAdvisoryLock(tx, `email:${normalizeEmail(email)}`);
  const { count } = await tx.query(
    `UPDATE accounts SET email = $2, email_key = $2, email_verified_at = $3, email_changed_at = $3,
       notice_email = NULLIF(notice_email, $2)
     WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE email_key = $2)`,
    [id, normalizeEmail(email), new Date()],
  );
  return count > 0;
}

/**
 * Gives the account a second address for notices, or takes it away; answers with the one that was there before, and
 * with nothing where this changes nothing.
 */
export async function replaceNoticeEmail(
  tx: Db,
  id: string,
  email: string | undefined,
): Promise<{ before: string | undefined } | undefined> {
  const { rows } = await tx.query<{ before: string | null }>(
    `UPDATE accounts SET notice_email = $2
     FROM (SELECT id, notice_email FROM accounts WHERE id = $1 FOR UPDATE) AS old
     WHERE accounts.id = old.id AND accounts.notice_email IS DISTINCT FROM $2
     RETURNING old.notice_email AS before`,
    [id, email ? normalizeEmail(email) : null],
  );
  return rows[0] && { before: rows[0].before ?? undefined };
}

/**
 * Whether the house keeps an enabled administrator without limits if this row stops being one. Every statement that may
 * take one away carries it, in the turn of `lockAdministrators`: of two at once the second sees what the first did.
 */
const keepsAdministratorSql = `(accounts.role <> 'administrator' OR accounts.operator_group IS NOT NULL OR accounts.disabled_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM accounts AS o WHERE o.role = 'administrator' AND o.operator_group IS NULL
    AND o.disabled_at IS NULL AND o.id <> accounts.id))`;

/** One change of who is an administrator at a time. Taken after the turn of an account, never before. */
export const lockAdministrators = (tx: Db): Promise<void> => acquireAdvisoryLock(tx, 'administrators');

/** Whether this account is the last enabled administrator without limits; true until the end of the transaction. */
export async function isLastAdministrator(tx: Db, id: string): Promise<boolean> {
  await lockAdministrators(tx);
  const { count } = await tx.query(`SELECT 1 FROM accounts WHERE id = $1 AND NOT ${keepsAdministratorSql}`, [
    id,
  ]);
  return count > 0;
}

/** Whether there is an administrator without limits, other than `except`; a disabled one counts. */
export async function hasAdministrator(db: Db, except?: string): Promise<boolean> {
  const { count } = await db.query(
    `SELECT 1 FROM accounts WHERE role = 'administrator' AND operator_group IS NULL AND id IS DISTINCT FROM $1 LIMIT 1`,
    [except ?? null],
  );
  return count > 0;
}

/** Removes the account and all that hangs on it, but never the last administrator. Its identifier is never given again. */
export async function deleteUserRow(tx: Db, id: string): Promise<boolean> {
  await lockAdministrators(tx);
  const { count } = await tx.query(`DELETE FROM accounts WHERE id = $1 AND ${keepsAdministratorSql}`, [id]);
  return count > 0;
}

/** The person's language for pages and mails. */
export async function setLocale(db: Db, id: string, locale: Locale, requestInfo: Origin): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('UPDATE accounts SET locale = $2 WHERE id = $1', [id, locale]);
    await recordAuditEvent(tx, {
      event: 'account.language-changed',
      accountId: id,
      origin: requestInfo,
      detail: { locale },
    });
  });
}

/** Disables or enables an account; no for the last administrator, who stays. */
export async function setDisabled(tx: Db, id: string, disabled: boolean): Promise<boolean> {
  await lockAdministrators(tx);
  const { count } = await tx.query(
    `UPDATE accounts SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, $3) END
     WHERE id = $1 AND (NOT $2 OR ${keepsAdministratorSql})`,
    [id, disabled, new Date()],
  );
  return count > 0;
}

/** Gives an account a role, limited to a group or not; no where that would take the last administrator away. */
export async function setRole(tx: Db, id: string, role: Role, group: string | undefined): Promise<boolean> {
  await lockAdministrators(tx);
  // Whoever can change other people's access always signs in in two steps.
  const { count } = await tx.query(
    `UPDATE accounts SET role = $2, operator_group = $3, two_step_required = two_step_required OR $2 <> 'person'
     WHERE id = $1 AND (($2 = 'administrator' AND $3::uuid IS NULL) OR ${keepsAdministratorSql})`,
    [id, role, group ?? null],
  );
  return count > 0;
}

/** Two-step verification is no longer left to the person; answers whether it was. */
export async function setMfaRequired(tx: Db, id: string): Promise<boolean> {
  const { count } = await tx.query(
    'UPDATE accounts SET two_step_required = true WHERE id = $1 AND NOT two_step_required',
    [id],
  );
  return count > 0;
}

/** An invitation goes out: it waits for the first password, and opens the enrolment window anew. `first` makes one. */
export async function renewInvitation(tx: Db, id: string, { first }: { first: boolean }): Promise<boolean> {
  const now = new Date();
  const { count } = await tx.query(
    `UPDATE accounts SET invited_at = $2, enrolment_open_until = $3, enrolment_session = NULL
     WHERE id = $1 AND ($4 OR invited_at IS NOT NULL)`,
    [id, now, new Date(now.getTime() + enrollmentDays * 86_400_000), first],
  );
  return count > 0;
}

/** Whether somebody's limits leave the accounts of operators open: an unlimited administrator's, and a program's that gives roles. */
export const canManageOperators = (actor: Actor): boolean =>
  actor.group === undefined &&
  ('program' in actor ? actor.actions.includes('people.role') : actor.role === 'administrator');

/**
 * The accounts that an operator sees, as a part of another statement; undefined: all. The rule of `hasPermission` as SQL: nobody
 * but an unlimited administrator sees operators, and a limit to a group holds everywhere.
 */
export function selectVisibleUsers(actor: Actor): Knex.QueryBuilder | undefined {
  if (canManageOperators(actor)) return undefined;
  const { group } = actor;
  const users = sql('accounts').select('id').where('role', 'person');
  return group === undefined ? users : users.whereIn('id', selectGroupMembers(group));
}

/** What PostgreSQL's text search takes of what somebody typed: the beginnings of words, all of which must be there. */
const toPrefixQuery = (text: string): string =>
  (text.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => `${word}:*`).join(' & ');

/** People sought by the beginning of an address or by words of a name, and in one group where that is asked. */
export interface UserSearch {
  text: string;
  /** Only those whose address comes after this one: the next page. */
  after?: string | undefined;
  group?: string | undefined;
  limit: number;
}

/** A page of 200, and one more that tells whether there are more. */
const maxPageSize = 201;

/** One half of a search: a page of what `found` holds, by address, of the accounts that the operator sees. */
async function findUserPage(
  db: Db,
  actor: Actor,
  found: Knex.QueryBuilder,
  { after, group, limit }: Omit<UserSearch, 'text'>,
): Promise<User[]> {
  // Another group than the own has nobody in it: which of the own people are there, too, is not told.
  if (group !== undefined && actor.group !== undefined && group !== actor.group) return [];
  const wanted = found.orderByRaw('email_key COLLATE "C"').limit(Math.min(limit, maxPageSize));
  const seen = selectVisibleUsers(actor);
  if (group !== undefined) wanted.whereIn('id', selectGroupMembers(group));
  if (seen) wanted.whereIn('id', seen);
  if (after !== undefined) wanted.whereRaw('email_key COLLATE "C" > ?', [after]);
  return (await db.run<Row>(wanted)).rows.map(toUser);
}

/**
 * People whose address begins with `text`, or in whose name words begin with its words, by address, `limit` after the
 * address `after`: those that the operator sees. Each half has an index of its own, which an OR of both would not use.
 */
export async function searchUsers(db: Db, actor: Actor, { text, ...page }: UserSearch): Promise<User[]> {
  const prefix = normalizeEmail(text);
  const allUsers = sql('accounts').select(sql.raw(columns));
  if (prefix === '') return findUserPage(db, actor, allUsers, page);
  const literal = prefix.replaceAll(/[\\%_]/g, '\\$&');
  const byEmail = allUsers.clone().whereRaw('email_key COLLATE "C" LIKE ?', [`${literal}%`]);
  const words = toPrefixQuery(text.normalize('NFC'));
  // OFFSET 0 keeps PostgreSQL from walking all addresses in order and looking at each name.
  const named = sql('accounts')
    .select(sql.raw(columns), 'email_key')
    .whereRaw("to_tsvector('simple', name) @@ to_tsquery('simple', ?) OFFSET 0", [words]);
  const byName = sql.select(sql.raw(columns)).from(named.as('named'));
  const halves = [await findUserPage(db, actor, byEmail, page)];
  if (words) halves.push(await findUserPage(db, actor, byName, page));
  const byAddress = new Map(halves.flat().map((account) => [account.email, account]));
  return [...byAddress.keys()]
    .toSorted((one, other) => (one < other ? -1 : 1))
    .slice(0, Math.min(page.limit, maxPageSize))
    .flatMap((email) => byAddress.get(email) ?? []);
}

/** The addresses of accounts by their numbers, of those that the operator sees; at most a page of them. */
export async function findEmailsByUserIds(
  db: Db,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const seen = selectVisibleUsers(actor);
  const wanted = sql('accounts').select('id', 'email').whereIn('id', ids.slice(0, 2000));
  if (seen)
    wanted.where((any) => {
      any.whereIn('id', seen);
      if ('id' in actor) any.orWhere('id', actor.id);
    });
  const { rows } = await db.run<{ id: string; email: string }>(wanted);
  return new Map(rows.map(({ id, email }) => [id, email]));
}

/** Whether anybody has an account here. */
export async function hasUsers(db: Db): Promise<boolean> {
  return (await db.query('SELECT 1 FROM accounts LIMIT 1')).count > 0;
}

/** Accounts by address, `limit` after `after`: a page of a list. */
export async function listUsers(db: Db, after: string, limit: number): Promise<User[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM accounts WHERE email_key > $1 ORDER BY email_key LIMIT $2`,
    [after, limit],
  );
  return rows.map(toUser);
}

/** An account that comes from a file, judged already. Its hash is one that the house reads. */
export interface ImportedUser {
  id: string;
  email: string;
  name: string;
  locale: Locale | null;
  hash: string;
  twoStepRequired: boolean;
  emailVerified: boolean;
  disabled: boolean;
  /** Nobody knows its password: an invitation waits. */
  invited: boolean;
}

/**
 * Makes people's accounts, some hundred in one statement, and answers with the numbers of those made: an address that
 * somebody has is left as it is. Without an enrolment window: that is for invitations to one's own mailbox.
 */
export async function insertUsers(tx: Db, users: readonly ImportedUser[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO accounts (id, email, email_key, name, locale, role, password_hash, two_step_required,
       email_verified_at, disabled_at, invited_at, created_at)
     SELECT id, email, email, name, locale, 'person', hash, "twoStepRequired",
       CASE WHEN "emailVerified" THEN $2::timestamptz END, CASE WHEN disabled THEN $2::timestamptz END,
       CASE WHEN invited THEN $2::timestamptz END, $2
     FROM jsonb_to_recordset($1::text::jsonb) AS arriving (id uuid, email text, name text, locale text, hash text,
       "twoStepRequired" boolean, "emailVerified" boolean, disabled boolean, invited boolean)
     ON CONFLICT (email_key) DO NOTHING RETURNING id`,
    [JSON.stringify(users), new Date()],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Which of these addresses, as they are compared, somebody has. */
export async function findTakenEmails(db: Db, keys: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ email_key: string }>(
    'SELECT email_key FROM accounts WHERE email_key IN (SELECT jsonb_array_elements_text($1::text::jsonb))',
    [JSON.stringify(keys)],
  );
  return new Set(rows.map((row) => row.email_key));
}

/** Tells PostgreSQL how many accounts there are now: after thousands at once it would plan as for the few of before. */
export async function analyzeUsers(db: Db): Promise<void> {
  await db.query('ANALYZE accounts');
}

/** How many accounts there are. */
export async function countUsers(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM accounts');
  return rows[0]?.count ?? 0;
}

/** An account on its way into a file. */
export type UserWithHash = ImportedUser & { role: Role };

/** Accounts with their hashes by address, `limit` after `after`: for exports, and for nothing that is shown. */
export async function listUsersWithHash(db: Db, after: string, limit: number): Promise<UserWithHash[]> {
  const { rows } = await db.query<UserWithHash>(
    `SELECT id, email, name, locale, role, password_hash AS hash, two_step_required AS "twoStepRequired",
       email_verified_at IS NOT NULL AS "emailVerified", disabled_at IS NOT NULL AS disabled,
       invited_at IS NOT NULL AS invited
     FROM accounts WHERE email_key COLLATE "C" > $1 ORDER BY email_key COLLATE "C" LIMIT $2`,
    [after, limit],
  );
  return rows;
}
