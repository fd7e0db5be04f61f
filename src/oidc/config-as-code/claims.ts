import type { ClaimFault, CustomClaim } from '../../users/claim-value.ts';
import { validateClaim } from '../../users/claim-value.ts';
import type { ClaimDefinition } from '../../users/claim-definitions.ts';
import { findClaim, listClaims } from '../../users/claim-definitions.ts';
import type { Db } from '../../db/database.ts';
import type { ConfigFault, ConfigOptions, ConfigResult } from './clients.ts';
import { changeCustomClaim, defineCustomClaim } from '../claims/custom-claims.ts';

/** Reads the claims of a file, and finds everything that is wrong with any of them. */
export function parseClaims(given: unknown): { claims: CustomClaim[]; faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const claims: CustomClaim[] = [];
  [given].flat().forEach((one: unknown, at) => {
    const placed = ({ path, code }: ClaimFault) =>
      faults.push({ path, field: path, code, at, list: 'claims' });
    const read = validateClaim(one);
    if ('faults' in read) read.faults.forEach(placed);
    else if (claims.some(({ name }) => name === read.claim.name))
      placed({ path: 'name', code: 'claim-taken' });
    else claims.push(read.claim);
  });
  return { claims, faults };
}

const comparedFields = ['scope', 'label', 'multi'] as const;

/** Field by field what would change. */
function diffClaims(before: ClaimDefinition | undefined, after: CustomClaim): ConfigResult['changes'] {
  const said = (claim: CustomClaim | undefined, field: (typeof comparedFields)[number]) =>
    claim && JSON.stringify(field === 'label' ? [claim.label.sv, claim.label.en] : claim[field]);
  return comparedFields
    .map((field) => ({ field, before: said(before, field), after: said(after, field) }))
    .filter((one) => one.before !== one.after);
}

/**
 * Makes the claims as a file says, in the transaction of the whole file, before the clients that need their scopes. One
 * that the file does not name stays: with it everybody's values would go.
 */
export async function applyClaims(
  tx: Db,
  claims: readonly CustomClaim[],
  { by, origin: requestInfo }: ConfigOptions,
): Promise<ConfigResult[]> {
  const results: ConfigResult[] = [];
  for (const claim of claims) {
    const doer = { by, origin: requestInfo };
    const before = await findClaim(tx, { name: claim.name });
    const done = before ? await changeCustomClaim(tx, claim, doer) : await defineCustomClaim(tx, claim, doer);
    const id = `claim ${claim.name}`;
    if (!done || 'fault' in done)
      results.push({ id, result: 'claim-refused', why: done?.fault.code ?? 'claim-taken', changes: [] });
    else {
      const result = 'result' in done ? done.result : 'created';
      results.push({ id, result, changes: diffClaims(before, claim) });
    }
  }
  return results;
}

/** All claims as a file that makes them again. */
export async function exportClaims(db: Db): Promise<Record<string, unknown>[]> {
  return (await listClaims(db)).map(({ name, scope, label, multi }) => ({
    name,
    scope,
    label: label.sv === label.en ? label.sv : label,
    ...(multi ? { multi } : {}),
  }));
}
