import { randomUUID } from 'node:crypto';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { isRowNumber, takeTurn } from '../db/database.ts';
import type { OwnClaim } from './claim-value.ts';
import type { Doer } from './groups.ts';

/** A claim of the house's own, with its number. */
export interface ClaimDefinition extends OwnClaim {
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

const definitionOf = ({ label_sv: sv, label_en: en, ...row }: Row): ClaimDefinition => ({
  ...row,
  label: { sv, en },
});

/** How many claims there may be: each process keeps all of them, and each is named to whoever asks (discovery). */
const mostClaims = 200;

/** All definitions by scope and name. */
export async function listClaims(db: Db): Promise<ClaimDefinition[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM claim_definitions ORDER BY scope COLLATE "C", name COLLATE "C"`,
  );
  return rows.map(definitionOf);
}

/** The definition with that name or number. */
export async function claimBy(
  db: Db,
  which: { name: string } | { id: string },
): Promise<ClaimDefinition | undefined> {
  if ('id' in which && !isRowNumber(which.id)) return undefined;
  const { rows } =
    'name' in which
      ? await db.query<Row>(`SELECT ${columns} FROM claim_definitions WHERE name = $1`, [which.name])
      : await db.query<Row>(`SELECT ${columns} FROM claim_definitions WHERE id = $1`, [which.id]);
  return rows[0] && definitionOf(rows[0]);
}

/** One change of definitions at a time: of two that take the last claims of a scope away the second one is told. */
export const claimsTurn = (open: Db): Promise<void> => takeTurn(open, 'claims');

/** Those of these scopes that no claim belongs to; the others stay until the caller's transaction ends. */
export async function unknownScopes(open: Db, scopes: readonly string[]): Promise<string[]> {
  if (scopes.length === 0) return [];
  const { rows } = await open.query<{ scope: string }>(
    `SELECT scope FROM claim_definitions
     WHERE scope IN (SELECT jsonb_array_elements_text($1::text::jsonb)) FOR KEY SHARE`,
    [JSON.stringify(scopes)],
  );
  return scopes.filter((scope) => !rows.some((row) => row.scope === scope));
}

const noted = (open: Db, event: 'claim.defined' | 'claim.changed', claim: OwnClaim, doer: Doer) =>
  audit(open, {
    event,
    ...doer,
    detail: { claim: claim.name, scope: claim.scope, multi: claim.multi, label: claim.label.en },
  });

/** Defines a claim, in the turn of all; no where the name is taken, or where there are as many as may be. */
export async function addClaim(open: Db, claim: OwnClaim, doer: Doer): Promise<boolean> {
  const { name, scope, label, multi } = claim;
  const { count } = await open.query(
    `INSERT INTO claim_definitions (id, name, scope, label_sv, label_en, multi, created_at, updated_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE (SELECT count(*) FROM claim_definitions) < $8
     ON CONFLICT (name) DO NOTHING`,
    [randomUUID(), name, scope, label.sv, label.en, multi, new Date(), mostClaims],
  );
  if (count > 0) await noted(open, 'claim.defined', claim, doer);
  return count > 0;
}

/** Gives a claim another scope or label, in the turn of all; name and kind stay. */
export async function replaceClaim(open: Db, id: string, claim: OwnClaim, doer: Doer): Promise<void> {
  const { scope, label } = claim;
  await open.query(
    `UPDATE claim_definitions SET scope = $2, label_sv = $3, label_en = $4, updated_at = $5 WHERE id = $1`,
    [id, scope, label.sv, label.en, new Date()],
  );
  await noted(open, 'claim.changed', claim, doer);
}

/** Removes a claim and everybody's values for it, in the turn of all. */
export async function deleteClaim(open: Db, claim: ClaimDefinition, doer: Doer): Promise<void> {
  await open.query('DELETE FROM claim_definitions WHERE id = $1', [claim.id]);
  await audit(open, { event: 'claim.removed', ...doer, detail: { claim: claim.name, scope: claim.scope } });
}
