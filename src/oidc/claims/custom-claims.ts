import type { ClaimFault, CustomClaim } from '../../users/claim-value.ts';
import type { ClaimDefinition } from '../../users/claim-definitions.ts';
import {
  addClaim,
  findClaim,
  lockClaims,
  deleteClaim,
  listClaims,
  replaceClaim,
} from '../../users/claim-definitions.ts';
import type { AuditActor } from '../../users/groups.ts';
import type { Db } from '../../db/database.ts';
import { claimsTopic } from './claim-cache.ts';
import { clientScopes } from '../../clients/schema.ts';
import { isScopeReferenced, listClientsWithoutConsent } from '../../clients/clients.ts';
import { revokeGrantsForClaim } from '../../sessions/records.ts';
import { isResourceScope } from '../../clients/resource-servers/resource-servers.ts';

const createFault = (path: string, code: ClaimFault['code']): { fault: ClaimFault } => ({
  fault: { path, code },
});

/** Whoever allowed the scope before allowed less: their applications ask again. */
async function revokeAffectedGrants(tx: Db, { name, scope }: CustomClaim): Promise<void> {
  // What a person is called was within the words of `profile` all the time.
  if (clientScopes.some((one) => one === scope)) return;
  await revokeGrantsForClaim(tx, { scope, claim: name }, await listClientsWithoutConsent(tx));
}

/** Whether a scope would be nobody's without this claim, while an application is registered for it. */
async function isScopeStillNeeded(tx: Db, { id, scope }: ClaimDefinition): Promise<boolean> {
  if (clientScopes.some((one) => one === scope)) return false;
  const others = (await listClaims(tx)).some((one) => one.scope === scope && one.id !== id);
  return !others && isScopeReferenced(tx, scope);
}

/** Defines a claim of the house's own. */
export function defineCustomClaim(
  db: Db,
  claim: CustomClaim,
  doer: AuditActor,
): Promise<{ fault: ClaimFault } | { claim: ClaimDefinition }> {
  return db.transaction(async (tx) => {
    await lockClaims(tx);
    if (await isResourceScope(tx, claim.scope)) return createFault('scope', 'scope-reserved');
    const made = await addClaim(tx, claim, doer);
    const stored = await findClaim(tx, { name: claim.name });
    if (!made || !stored) return createFault('name', 'claim-taken');
    await revokeAffectedGrants(tx, claim);
    await tx.announce(claimsTopic);
    return { claim: stored };
  });
}

export type ClaimChangeResult = 'changed' | 'unchanged';

/** Gives a claim another scope or label. Its name is what applications read, and its kind what they expect: both stay. */
export function changeCustomClaim(
  db: Db,
  claim: CustomClaim,
  doer: AuditActor,
): Promise<{ fault: ClaimFault } | { result: ClaimChangeResult } | undefined> {
  return db.transaction(async (tx) => {
    await lockClaims(tx);
    const known = await findClaim(tx, { name: claim.name });
    if (!known) return undefined;
    if (known.multi !== claim.multi) return createFault('multi', 'claim-kind-fixed');
    const moved = known.scope !== claim.scope;
    const renamed = known.label.sv !== claim.label.sv || known.label.en !== claim.label.en;
    if (!moved && !renamed) return { result: 'unchanged' };
    if (moved && (await isResourceScope(tx, claim.scope))) return createFault('scope', 'scope-reserved');
    if (moved && (await isScopeStillNeeded(tx, known))) return createFault('scope', 'scope-of-application');
    await replaceClaim(tx, known.id, claim, doer);
    if (moved) await revokeAffectedGrants(tx, claim);
    await tx.announce(claimsTopic);
    return { result: 'changed' };
  });
}

/** Removes a claim and everybody's values for it; refused where an application would be left with a scope of nothing. */
export function removeCustomClaim(
  db: Db,
  name: string,
  doer: AuditActor,
): Promise<'no-such-claim' | 'scope-of-application' | undefined> {
  return db.transaction(async (tx) => {
    await lockClaims(tx);
    const known = await findClaim(tx, { name });
    if (!known) return 'no-such-claim';
    if (await isScopeStillNeeded(tx, known)) return 'scope-of-application';
    await deleteClaim(tx, known, doer);
    await tx.announce(claimsTopic);
    return undefined;
  });
}
