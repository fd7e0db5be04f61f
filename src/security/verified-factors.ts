import type { Db } from '../db/database.ts';
import { advisoryLockSql } from '../db/database.ts';
import type { Effect, Precondition } from '../db/effects.ts';
import { checkPrecondition, applyEffects } from '../db/effects.ts';
import type { JsonSubquery } from '../db/parts.ts';
import { selectRowsAsJson, parseTimestamp } from '../db/parts.ts';

/** What a person can prove in a sign-in. `device` is a remembered one: it stands in
 * for six digits, weakly. `mailbox` stands in for a forgotten password until a new one is chosen. `help-desk-code`
 * leads to a new phone, and counts for nothing else. */
export type FactorType =
  'password' | 'totp' | 'recovery-code' | 'help-desk-code' | 'mailed-code' | 'mailbox' | 'device';

/** What an interaction completed, written in the transaction that did it. A deed sent twice
 * finds it done: the answer says whether this call was the first. */
export async function recordCompletedAction(
  tx: Db,
  interaction: string,
  userId: string,
  action: string,
): Promise<boolean> {
  const { count } = await tx.query(
    'INSERT INTO deeds (interaction, account_id, deed, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [interaction, userId, action, new Date()],
  );
  return count > 0;
}

/** What an interaction completed so far, for one account. */
export const completedActionsSubquery: JsonSubquery<
  { interaction: string; account: string },
  ReadonlySet<string>
> = {
  ask: ({ interaction, account: userId }) =>
    selectRowsAsJson(`SELECT deed FROM deeds WHERE interaction = ${interaction} AND account_id = ${userId}`),
  read: (json) => new Set((json as { deed: string }[]).map(({ deed: action }) => action)),
};

/** One thing proved, by one account, in one interaction, at one time. */
export interface VerifiedFactor {
  factor: FactorType;
  accountId: string;
  /** The row that was proved: an authenticator, a device. */
  ref: string | undefined;
  at: Date;
}

/**
 * Hands an interaction over to the browser that verifies its first factor: a gate around the verifier's own condition. It
 * does not pass for whoever holds an earlier value of the sign-in cookie.
 */
export type Rebind = (condition: Precondition) => Precondition;

/** An emailed code that was counted and is not verified yet (`countPasswordAndCode`). */
export interface CountedCode {
  hash: string;
  /** Whom it was sent to; undefined for an unknown email address. */
  accountId: string | undefined;
  /** Consumes it; false where it was consumed or has expired by then. */
  consume(open: Db): Promise<boolean>;
}

/** What one account proved in one interaction at once: what it proved with, and the row that was proved. */
export interface NewVerifiedFactors {
  interaction: string;
  accountId: string;
  factors: readonly { factor: FactorType; ref?: string }[];
  /** The first factor: nothing that was verified in this interaction before counts beside it. */
  first?: boolean | undefined;
}

/**
 * Proofs. Written by a factor's verifier alone, in the very transaction that consumes what was proved; nothing that a
 * page sends can write one. Proofs of another account in the same interaction are void, but for what is written this very
 * moment: whoever reads proofs goes by the account.
 */
export const recordVerifiedFactorsEffect = ({
  interaction,
  accountId: userId,
  factors,
  first,
}: NewVerifiedFactors): Effect => ({
  // A row of these very factors is not deleted but written over: one statement touches a row once.
  sql: ($, condition) =>
    `proofs_voided AS (DELETE FROM proofs
       WHERE interaction = ${$(1)} AND (account_id <> ${$(2)} OR ${$(6)}) AND factor <> ALL(${$(3)}::text[]) AND ${condition}),
     proofs_recorded AS (INSERT INTO proofs (interaction, factor, account_id, ref, at)
       SELECT ${$(1)}, factor, ${$(2)}::uuid, ref, ${$(5)}::timestamptz
       FROM unnest(${$(3)}::text[], ${$(4)}::text[]) AS given (factor, ref) WHERE ${condition}
       ON CONFLICT (interaction, factor) DO UPDATE
         SET account_id = excluded.account_id, ref = excluded.ref, at = excluded.at)`,
  params: [
    interaction,
    userId,
    factors.map(({ factor }) => factor),
    factors.map(({ ref }) => ref ?? null),
    new Date(),
    first === true,
  ],
});

/** One of them, in the caller's transaction. */
export async function recordVerifiedFactor(
  tx: Db,
  interaction: string,
  {
    accountId: userId,
    first,
    ...factor
  }: { factor: FactorType; accountId: string; ref?: string; first?: boolean },
): Promise<void> {
  await applyEffects(tx, [
    recordVerifiedFactorsEffect({ interaction, accountId: userId, factors: [factor], first }),
  ]);
}

/** Voids what other interactions proved with this very thing: a recovery code belongs to the last that entered it. */
export async function discardFactorElsewhere(
  tx: Db,
  interaction: string,
  factor: FactorType,
  ref: string,
): Promise<void> {
  await tx.query('DELETE FROM proofs WHERE factor = $2 AND ref = $3 AND interaction <> $1', [
    interaction,
    factor,
    ref,
  ]);
}

/**
 * Voids what was proved: in one interaction, which begins anew; or by an account in every interaction but `except`,
 * since somebody may wait there with a password that was changed.
 */
export async function discardVerifiedFactors(
  db: Db,
  scope: { interaction: string } | { accountId: string; except?: string | undefined },
): Promise<void> {
  if ('interaction' in scope) {
    await db.query('DELETE FROM proofs WHERE interaction = $1', [scope.interaction]);
    return;
  }
  await db.query('DELETE FROM proofs WHERE account_id = $1 AND interaction IS DISTINCT FROM $2', [
    scope.accountId,
    scope.except ?? null,
  ]);
}

/**
 * Lets one change of an account at a time go on, and is open where what opens this sign-in, the password or the mailbox,
 * still stands by then: whoever waited for the lock may have been shut out by then, and carries out nothing. `openedAt`:
 * when that was verified (milliseconds). A password that was verified again since opens another sign-in than this one.
 */
export const signInValidPrecondition = (
  userId: string,
  interaction: string,
  openedAt?: number,
): Precondition => ({
  sql: ($) =>
    `SELECT 1 FROM proofs WHERE interaction = ${$(1)} AND account_id = ${$(2)}::uuid
     AND factor IN ('password', 'mailbox') AND (${$(4)}::timestamptz IS NULL OR at = ${$(4)})
     AND ${advisoryLockSql($(3))} FOR SHARE`,
  params: [interaction, userId, `account:${userId}`, openedAt === undefined ? null : new Date(openedAt)],
});

/** The same at the beginning of a transaction. */
export const lockUserIfSignInValid = (
  tx: Db,
  userId: string,
  interaction: string,
  openedAt?: number,
): Promise<boolean> => checkPrecondition(tx, signInValidPrecondition(userId, interaction, openedAt));

/** What was proved in an interaction so far. */
export const verifiedFactorsSubquery: JsonSubquery<{ interaction: string }, VerifiedFactor[]> = {
  ask: ({ interaction }) =>
    selectRowsAsJson(`SELECT factor, account_id, ref, at FROM proofs WHERE interaction = ${interaction}`),
  read: (json) =>
    (json as { factor: FactorType; account_id: string; ref: string | null; at: string }[]).map(
      ({ factor, account_id: userId, ref, at }) => ({
        factor,
        accountId: userId,
        ref: ref ?? undefined,
        at: parseTimestamp(at),
      }),
    ),
};

/** SQL of the number of the account that opened an interaction, by its password or its mailbox. */
export const signInUserIdSql = (interaction: string): string =>
  `(SELECT account_id FROM proofs WHERE interaction = ${interaction} AND factor IN ('password', 'mailbox') LIMIT 1)`;

/** SQL of the rows that were proved in an interaction with one kind of factor: authenticators, devices. */
export const provedRefs = (interaction: string, factor: FactorType): string =>
  `(SELECT ref::uuid FROM proofs WHERE interaction = ${interaction} AND factor = '${factor}')`;

/** Whether this account proved a factor in this interaction. */
export async function hasVerifiedFactor(
  db: Db,
  interaction: string,
  userId: string,
  factor: FactorType,
): Promise<boolean> {
  const { count } = await db.query(
    'SELECT 1 FROM proofs WHERE interaction = $1 AND account_id = $2 AND factor = $3',
    [interaction, userId, factor],
  );
  return count > 0;
}

/** Removes proofs older than `before` (interactions live 30 minutes), at most `limit`; answers how many. */
export async function deleteOldVerifiedFactors(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM proofs WHERE ctid = ANY(ARRAY(SELECT ctid FROM proofs WHERE at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}

/** Removes deeds older than `before`, at most `limit`; answers how many. */
export async function deleteOldCompletedActions(db: Db, before: Date, limit: number): Promise<number> {
  const { count } = await db.query(
    'DELETE FROM deeds WHERE ctid = ANY(ARRAY(SELECT ctid FROM deeds WHERE at < $1 LIMIT $2))',
    [before, limit],
  );
  return count;
}
