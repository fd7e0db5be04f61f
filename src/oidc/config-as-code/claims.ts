import type { ClaimFault, OwnClaim } from '../../users/claim-value.ts';
import { checkClaim } from '../../users/claim-value.ts';
import type { ClaimDefinition } from '../../users/claim-definitions.ts';
import { claimBy, listClaims } from '../../users/claim-definitions.ts';
import type { Db } from '../../db/database.ts';
import type { FileFault, FileOptions, FileResult } from './clients.ts';
import { changeClaim, defineClaim } from '../claims/custom-claims.ts';

/** Reads the claims of a file, and finds everything that is wrong with any of them. */
export function readClaims(given: unknown): { claims: OwnClaim[]; faults: FileFault[] } {
  const faults: FileFault[] = [];
  const claims: OwnClaim[] = [];
  [given].flat().forEach((one: unknown, at) => {
    const placed = ({ path, code }: ClaimFault) =>
      faults.push({ path, field: path, code, at, list: 'claims' });
    const read = checkClaim(one);
    if ('faults' in read) read.faults.forEach(placed);
    else if (claims.some(({ name }) => name === read.claim.name))
      placed({ path: 'name', code: 'claim-taken' });
    else claims.push(read.claim);
  });
  return { claims, faults };
}

const fields = ['scope', 'label', 'multi'] as const;

/** Field by field what would change. */
function differences(before: ClaimDefinition | undefined, after: OwnClaim): FileResult['changes'] {
  const said = (claim: OwnClaim | undefined, field: (typeof fields)[number]) =>
    claim && JSON.stringify(field === 'label' ? [claim.label.sv, claim.label.en] : claim[field]);
  return fields
    .map((field) => ({ field, before: said(before, field), after: said(after, field) }))
    .filter((one) => one.before !== one.after);
}

/**
 * Makes the claims as a file says, in the transaction of the whole file, before the clients that need their scopes. One
 * that the file does not name stays: with it everybody's values would go.
 */
export async function applyClaims(
  open: Db,
  claims: readonly OwnClaim[],
  { by, origin }: FileOptions,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  for (const claim of claims) {
    const doer = { by, origin };
    const before = await claimBy(open, { name: claim.name });
    const done = before ? await changeClaim(open, claim, doer) : await defineClaim(open, claim, doer);
    const id = `claim ${claim.name}`;
    if (!done || 'fault' in done)
      results.push({ id, result: 'claim-refused', why: done?.fault.code ?? 'claim-taken', changes: [] });
    else {
      const result = 'result' in done ? done.result : 'created';
      results.push({ id, result, changes: differences(before, claim) });
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
