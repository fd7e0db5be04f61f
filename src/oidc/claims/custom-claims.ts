import type { ClaimFault, OwnClaim } from '../../users/claim-value.ts';
import type { ClaimDefinition } from '../../users/claim-definitions.ts';
import {
  addClaim,
  claimBy,
  claimsTurn,
  deleteClaim,
  listClaims,
  replaceClaim,
} from '../../users/claim-definitions.ts';
import type { Doer } from '../../users/groups.ts';
import type { Db } from '../../db/database.ts';
import { claimsTopic } from './claim-cache.ts';
import { clientScopes } from '../../clients/schema.ts';
import { namesScope, silentClients } from '../../clients/clients.ts';
import { endGrantsTelling } from '../../sessions/records.ts';
import { isResourceScope } from '../../clients/resource-servers/resource-servers.ts';

const refused = (path: string, code: ClaimFault['code']): { fault: ClaimFault } => ({
  fault: { path, code },
});

/** Whoever allowed the scope before allowed less: their applications ask again. */
async function askAgain(open: Db, { name, scope }: OwnClaim): Promise<void> {
  // What a person is called was within the words of `profile` all the time.
  if (clientScopes.some((one) => one === scope)) return;
  await endGrantsTelling(open, { scope, claim: name }, await silentClients(open));
}

/** Whether a scope would be nobody's without this claim, while an application is registered for it. */
async function isNeeded(open: Db, { id, scope }: ClaimDefinition): Promise<boolean> {
  if (clientScopes.some((one) => one === scope)) return false;
  const others = (await listClaims(open)).some((one) => one.scope === scope && one.id !== id);
  return !others && namesScope(open, scope);
}

/** Defines a claim of the house's own. */
export function defineClaim(
  db: Db,
  claim: OwnClaim,
  doer: Doer,
): Promise<{ fault: ClaimFault } | { claim: ClaimDefinition }> {
  return db.transaction(async (open) => {
    await claimsTurn(open);
    if (await isResourceScope(open, claim.scope)) return refused('scope', 'scope-reserved');
    const made = await addClaim(open, claim, doer);
    const stored = await claimBy(open, { name: claim.name });
    if (!made || !stored) return refused('name', 'claim-taken');
    await askAgain(open, claim);
    await open.announce(claimsTopic);
    return { claim: stored };
  });
}

export type Changed = 'changed' | 'unchanged';

/** Gives a claim another scope or label. Its name is what applications read, and its kind what they expect: both stay. */
export function changeClaim(
  db: Db,
  claim: OwnClaim,
  doer: Doer,
): Promise<{ fault: ClaimFault } | { result: Changed } | undefined> {
  return db.transaction(async (open) => {
    await claimsTurn(open);
    const known = await claimBy(open, { name: claim.name });
    if (!known) return undefined;
    if (known.multi !== claim.multi) return refused('multi', 'claim-kind-fixed');
    const moved = known.scope !== claim.scope;
    const renamed = known.label.sv !== claim.label.sv || known.label.en !== claim.label.en;
    if (!moved && !renamed) return { result: 'unchanged' };
    if (moved && (await isResourceScope(open, claim.scope))) return refused('scope', 'scope-reserved');
    if (moved && (await isNeeded(open, known))) return refused('scope', 'scope-of-application');
    await replaceClaim(open, known.id, claim, doer);
    if (moved) await askAgain(open, claim);
    await open.announce(claimsTopic);
    return { result: 'changed' };
  });
}

/** Removes a claim and everybody's values for it; refused where an application would be left with a scope of nothing. */
export function removeClaim(
  db: Db,
  name: string,
  doer: Doer,
): Promise<'no-such-claim' | 'scope-of-application' | undefined> {
  return db.transaction(async (open) => {
    await claimsTurn(open);
    const known = await claimBy(open, { name });
    if (!known) return 'no-such-claim';
    if (await isNeeded(open, known)) return 'scope-of-application';
    await deleteClaim(open, known, doer);
    await open.announce(claimsTopic);
    return undefined;
  });
}
