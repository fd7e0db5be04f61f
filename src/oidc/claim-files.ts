import type { ClaimFault, OwnClaim } from '../accounts/claim-check.ts';
import { checkClaim } from '../accounts/claim-check.ts';
import type { ClaimDefinition } from '../accounts/claim-definitions.ts';
import { claimBy, listClaims } from '../accounts/claim-definitions.ts';
import type { Doer } from '../accounts/groups.ts';
import { phrasesFor } from '../locales/phrases.ts';
import type { Db } from '../platform/database.ts';
import type { FileResult } from './client-files.ts';
import { changeClaim, defineClaim } from './own-claims.ts';

/** A file's parts by their names; one that is a client or a list of them, as files were before, is `clients` alone. */
export function sectionsOf(given: unknown): { claims?: unknown; clients?: unknown; odd: string[] } {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!isObject || !('claims' in given || 'clients' in given)) return { clients: given, odd: [] };
  const { claims, clients, ...others } = given as Record<string, unknown>;
  return { claims, clients, odd: Object.keys(others) };
}

/** A fault and the place of its claim in the file, from 0. */
export interface ClaimFileFault extends ClaimFault {
  at: number;
}

/** Reads the claims of a file, and finds everything that is wrong with any of them. */
export function readClaims(given: unknown): { claims: OwnClaim[] } | { faults: ClaimFileFault[] } {
  const list = given === undefined || given === null ? [] : [given].flat();
  const read = list.map(checkClaim);
  const faults = read.flatMap((one, at) =>
    'faults' in one ? one.faults.map((fault) => ({ ...fault, at })) : [],
  );
  const claims = read.flatMap((one) => ('claim' in one ? [one.claim] : []));
  const names = claims.map(({ name }) => name);
  names.forEach((name, at) => {
    if (names.indexOf(name) !== at) faults.push({ at, path: 'name', code: 'claim-taken' });
  });
  return faults.length > 0 ? { faults } : { claims };
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

const { faults: words } = phrasesFor('en').ownClaims;

/**
 * Makes the claims as a file says, in the transaction of the whole file, before the clients that need their scopes. One
 * that the file does not name stays: with it everybody's values would go. What cannot be takes the file back.
 */
export async function applyClaims(open: Db, claims: readonly OwnClaim[], doer: Doer): Promise<FileResult[]> {
  const results: FileResult[] = [];
  for (const claim of claims) {
    const before = await claimBy(open, { name: claim.name });
    const done = before ? await changeClaim(open, claim, doer) : await defineClaim(open, claim, doer);
    if (!done || 'fault' in done)
      throw new Error(`claim ${claim.name}: ${words[done?.fault.code ?? 'claim-taken']}`);
    const result = 'result' in done ? done.result : 'created';
    results.push({ id: `claim ${claim.name}`, result, changes: differences(before, claim) });
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
