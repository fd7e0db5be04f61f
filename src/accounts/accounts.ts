import { randomUUID } from 'node:crypto';
import { matchLocale } from '../locales/phrases.ts';
import type { Locale } from '../locales/phrases.ts';
import type { Db } from '../platform/database.ts';
import { takeTurn } from '../platform/database.ts';
import type { Hasher } from '../platform/hashing.ts';
import type { Origin } from '../platform/audit.ts';
import { audit } from '../platform/audit.ts';
import { voidProofs } from '../platform/proofs.ts';
import { passwordFault } from './password-rules.ts';

export const roles = ['person', 'help-desk', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** An account as the rest of the house knows it; the password's hash stays in this room. */
export interface Account {
  /** A UUID that never changes and is never given to anybody else: the `sub` of every token. */
  id: string;
  email: string;
  /** A second address, proved, that hears of changes; nobody signs in with it, and no code goes there. */
  noticeEmail: string | undefined;
  name: string;
  locale: Locale | undefined;
  role: Role;
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
  two_step_required: boolean;
  email_verified_at: Date | null;
  enrolment_open_until: Date | null;
  enrolment_session: string | null;
  created_at: Date;
  disabled_at: Date | null;
}

const columns =
  'id, email, notice_email, name, locale, role, two_step_required, email_verified_at, enrolment_open_until, enrolment_session, created_at, disabled_at';

const accountOf = (row: Row): Account => ({
  id: row.id,
  email: row.email,
  noticeEmail: row.notice_email ?? undefined,
  name: row.name,
  locale: row.locale ? matchLocale([row.locale]) : undefined,
  role: row.role,
  twoStepRequired: row.two_step_required,
  emailVerified: row.email_verified_at !== null,
  enrolmentOpenUntil: row.enrolment_open_until ?? undefined,
  enrolmentSession: row.enrolment_session ?? undefined,
  createdAt: row.created_at,
  disabledAt: row.disabled_at ?? undefined,
});

/** What addresses are compared by: capitals, blanks around it and Unicode spellings make no second account. */
export const emailKey = (email: string): string => email.normalize('NFKC').trim().toLowerCase();

/**
 * Whether a text is an address that mail can be sent to: one `@`, printable ASCII only, so that no look-alike
 * letter, second recipient or header line slips through (normalise first, then judge).
 */
export const isEmail = (email: string): boolean =>
  email.length <= 254 && /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(email);

/** Days that a new account may connect its first phone with the password alone (DESIGN: the enrolment window). */
const enrolmentDays = 7;

export interface NewAccount {
  email: string;
  name: string;
  password: string;
  role?: Role;
  locale?: Locale;
  twoStepRequired?: boolean;
}

export type AccountRefusal =
  'malformed-email' | 'missing-name' | 'email-taken' | ReturnType<typeof passwordFault>;

/** Makes an account with a verified address and an open enrolment window; a refusal says what is wrong. */
export async function createAccount(
  db: Db,
  hasher: Hasher,
  brand: string,
  wanted: NewAccount,
): Promise<{ account: Account } | { refusal: NonNullable<AccountRefusal> }> {
  const email = emailKey(wanted.email);
  const name = wanted.name.normalize('NFC').trim().slice(0, 200);
  const role = wanted.role ?? 'person';
  // Whoever can change other people's access always signs in in two steps.
  const twoStep = role !== 'person' || (wanted.twoStepRequired ?? true);
  if (!isEmail(email)) return { refusal: 'malformed-email' };
  if (name === '') return { refusal: 'missing-name' };
  const fault = passwordFault(wanted.password, { twoStep, context: [email, name, brand] });
  if (fault) return { refusal: fault };
  const hash = await hasher.hash(wanted.password.normalize('NFC'));
  const now = new Date();
  const open = new Date(now.getTime() + enrolmentDays * 86_400_000);
  return db.transaction(async (tx) => {
    await takeTurn(tx, `email:${email}`);
    const { rows } = await tx.query<Row>(
      `INSERT INTO accounts (id, email, email_key, name, locale, role, password_hash, two_step_required,
         email_verified_at, enrolment_open_until, created_at)
       VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $8) ON CONFLICT (email_key) DO NOTHING RETURNING ${columns}`,
      [randomUUID(), email, name, wanted.locale ?? null, role, hash, twoStep, now, open],
    );
    const row = rows[0];
    if (!row) return { refusal: 'email-taken' };
    await audit(tx, { event: 'account.created', accountId: row.id, detail: { role } });
    return { account: accountOf(row) };
  });
}

/** The account with that identifier, disabled ones too. */
export async function accountById(db: Db, id: string): Promise<Account | undefined> {
  // Identifiers come from sessions and tokens, which may be anything that somebody sent.
  if (!/^[0-9a-f-]{36}$/.test(id)) return undefined;
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM accounts WHERE id = $1`, [id]);
  return rows[0] && accountOf(rows[0]);
}

/** The account with that address in any spelling, and its password's hash: for the password's verifier alone. */
export async function accountWithPassword(
  db: Db,
  email: string,
): Promise<{ account: Account; hash: string } | undefined> {
  // What can be no address is nobody's, and may hold what PostgreSQL does not take.
  if (!isEmail(emailKey(email))) return undefined;
  const { rows } = await db.query<Row & { password_hash: string }>(
    `SELECT ${columns}, password_hash FROM accounts WHERE email_key = $1`,
    [emailKey(email)],
  );
  return rows[0] && { account: accountOf(rows[0]), hash: rows[0].password_hash };
}

/** Somebody reads the mail of this address, which is the account's: from now on it counts as proved. */
export async function noteEmailProved(open: Db, id: string, email: string): Promise<void> {
  await open.query(
    'UPDATE accounts SET email_verified_at = $3 WHERE id = $1 AND email_key = $2 AND email_verified_at IS NULL',
    [id, emailKey(email), new Date()],
  );
}

/** Whether this hash is still the password's, of an account that is not disabled. */
export async function isPassword(open: Db, id: string, hash: string): Promise<boolean> {
  const { count } = await open.query(
    'SELECT 1 FROM accounts WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL',
    [id, hash],
  );
  return count > 0;
}

/** Replaces a hash that was made with older parameters, if it is still the one that was read. */
export async function replaceHash(open: Db, id: string, from: string, to: string): Promise<void> {
  await open.query('UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2', [
    id,
    from,
    to,
  ]);
}

/** Whether a phone may be connected with the password alone, in this session (DESIGN §5, the enrolment window). */
export const enrolmentOpen = (account: Account, session: string | undefined): boolean =>
  account.enrolmentOpenUntil !== undefined &&
  account.enrolmentOpenUntil > new Date() &&
  (account.enrolmentSession === undefined || account.enrolmentSession === session);

/** Opens that window for ten minutes to the session that switched two-step verification off, and to no other. */
export async function openEnrolment(open: Db, id: string, session: string | undefined): Promise<void> {
  const until = session ? new Date(Date.now() + 10 * 60_000) : null;
  await open.query('UPDATE accounts SET enrolment_open_until = $2, enrolment_session = $3 WHERE id = $1', [
    id,
    until,
    session ?? null,
  ]);
}

/** Gives the account a new password. */
export async function replacePassword(open: Db, id: string, hash: string): Promise<void> {
  await open.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [id, hash]);
}

/** Gives the account a new, proved address; no where another account has it. Of two that want one, the first has it. */
export async function replaceEmail(open: Db, id: string, email: string): Promise<boolean> {
  await takeTurn(open, `email:${emailKey(email)}`);
  const { count } = await open.query(
    `UPDATE accounts SET email = $2, email_key = $2, email_verified_at = $3,
       notice_email = NULLIF(notice_email, $2)
     WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE email_key = $2)`,
    [id, emailKey(email), new Date()],
  );
  return count > 0;
}

/**
 * Gives the account a second address for notices, or takes it away; answers with the one that was there before, and
 * with nothing where this changes nothing.
 */
export async function replaceNoticeEmail(
  open: Db,
  id: string,
  email: string | undefined,
): Promise<{ before: string | undefined } | undefined> {
  const { rows } = await open.query<{ before: string | null }>(
    `UPDATE accounts SET notice_email = $2
     FROM (SELECT id, notice_email FROM accounts WHERE id = $1 FOR UPDATE) AS old
     WHERE accounts.id = old.id AND accounts.notice_email IS DISTINCT FROM $2
     RETURNING old.notice_email AS before`,
    [id, email ? emailKey(email) : null],
  );
  return rows[0] && { before: rows[0].before ?? undefined };
}

/** Removes the account and all that hangs on it. Its identifier is never given to anybody else. */
export async function removeAccount(open: Db, id: string): Promise<void> {
  await open.query('DELETE FROM accounts WHERE id = $1', [id]);
}

/** The person's language for pages and mails. */
export async function chooseLocale(db: Db, id: string, locale: Locale, origin: Origin): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('UPDATE accounts SET locale = $2 WHERE id = $1', [id, locale]);
    await audit(tx, { event: 'account.language-changed', accountId: id, origin, detail: { locale } });
  });
}

/** Disables or enables an account; its sessions and tokens are refused from the next request on. */
export function setDisabled(db: Db, email: string, disabled: boolean): Promise<Account | undefined> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<Row>(
      `UPDATE accounts SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, $3) END
       WHERE email_key = $1 RETURNING ${columns}`,
      [emailKey(email), disabled, new Date()],
    );
    if (!rows[0]) return undefined;
    // Whoever waits half-way in a sign-in begins anew, also when the account is enabled again.
    if (disabled) await voidProofs(tx, { accountId: rows[0].id });
    await audit(tx, { event: disabled ? 'account.disabled' : 'account.enabled', accountId: rows[0].id });
    return accountOf(rows[0]);
  });
}

/** Accounts by address, `limit` after `after`: a page of a list. */
export async function listAccounts(db: Db, after: string, limit: number): Promise<Account[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM accounts WHERE email_key > $1 ORDER BY email_key LIMIT $2`,
    [after, limit],
  );
  return rows.map(accountOf);
}
