import { randomUUID } from 'node:crypto';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { isUuid, acquireAdvisoryLock } from '../db/database.ts';
import type { CustomClaim } from './claim-value.ts';
import type { AuditActor } from './groups.ts';

/** A claim of the house's own, with its number. */
export interface ClaimDefinition extends CustomClaim {
  id: string;
}

interface Row {
  id: string;
  name: string;
  scope: string;
  label_sv: string;
  label_en: string;
  multi: boolean;
}

const columns = 'id, name, scope, label_sv, label_en, multi';

const toClaimDefinition = ({ label_sv: sv, label_en: en, ...row }: Row): ClaimDefinition => ({
  ...row,
  label: { sv, en },
});

/** How many claims there may be: each process keeps all of them, and each is named to whoever asks (discovery). */
const maxClaims = 200;

/** All definitions by scope and name. */
export async function listClaims(db: Db): Promise<ClaimDefinition[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM claim_definitions ORDER BY scope COLLATE "C", name COLLATE "C"`,
  );
  return rows.map(toClaimDefinition);
}

/** The definition with that name or number. */
export async function findClaim(
  db: Db,
  which: { name: string } | { id: string },
): Promise<ClaimDefinition | undefined> {
  if ('id' in which && !isUuid(which.id)) return undefined;
  const { rows } =
    'name' in which
      ? await db.query<Row>(`SELECT ${columns} FROM claim_definitions WHERE name = $1`, [which.name])
      : await db.query<Row>(`SELECT ${columns} FROM claim_definitions WHERE id = $1`, [which.id]);
  return rows[0] && toClaimDefinition(rows[0]);
}

/** One change of definitions at a time: of two that take the last claims of a scope away the second one is told. */
export const lockClaims = (tx: Db): Promise<void> => acquireAdvisoryLock(tx, 'claims');

/** Those of these scopes that no claim belongs to; the others stay until the caller's transaction ends. */
export async function findUnknownScopes(tx: Db, scopes: readonly string[]): Promise<string[]> {
  if (scopes.length === 0) return [];
  const { rows } = await tx.query<{ scope: string }>(
    `SELECT scope FROM claim_definitions
     WHERE scope IN (SELECT jsonb_array_elements_text($1::text::jsonb)) FOR KEY SHARE`,
    [JSON.stringify(scopes)],
  );
  return scopes.filter((scope) => !rows.some((row) => row.scope === scope));
}

const auditClaimChange = (
  tx: Db,
  event: 'claim.defined' | 'claim.changed',
  claim: CustomClaim,
  doer: AuditActor,
) =>
  recordAuditEvent(tx, {
    event,
    ...doer,
    detail: { claim: claim.name, scope: claim.scope, multi: claim.multi, label: claim.label.en },
  });

/** Defines a claim, in the turn of all; no where the name is taken, or where there are as many as may be. */
export async function addClaim(tx: Db, claim: CustomClaim, doer: AuditActor): Promise<boolean> {
  const { name, scope, label, multi } = claim;
  const { count } = await tx.query(
    `INSERT INTO claim_definitions (id, name, scope, label_sv, label_en, multi, created_at, updated_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE (SELECT count(*) FROM claim_definitions) < $8
     ON CONFLICT (name) DO NOTHING`,
    [randomUUID(), name, scope, label.sv, label.en, multi, new Date(), maxClaims],
  );
  if (count > 0) await auditClaimChange(tx, 'claim.defined', claim, doer);
  return count > 0;
}

/** Gives a claim another scope or label, in the turn of all; name and kind stay. */
export async function replaceClaim(tx: Db, id: string, claim: CustomClaim, doer: AuditActor): Promise<void> {
  const { scope, label } = claim;
  await tx.query(
    `UPDATE claim_definitions SET scope = $2, label_sv = $3, label_en = $4, updated_at = $5 WHERE id = $1`,
    [id, scope, label.sv, label.en, new Date()],
  );
  await auditClaimChange(tx, 'claim.changed', claim, doer);
}

/** Removes a claim and everybody's values for it, in the turn of all. */
export async function deleteClaim(tx: Db, claim: ClaimDefinition, doer: AuditActor): Promise<void> {
  await tx.query('DELETE FROM claim_definitions WHERE id = $1', [claim.id]);
  await recordAuditEvent(tx, {
    event: 'claim.removed',
    ...doer,
    detail: { claim: claim.name, scope: claim.scope },
  });
}
