import type { Client } from 'oidc-provider';
import { groupsOf } from '../users/groups.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import { beyondReach } from './resource-servers/api-scopes.ts';
import { allowedGroupsOf } from './metadata.ts';
import { secretsTopic } from './secrets.ts';
import type { ClientDoer } from './clients.ts';
import { forgetClient, heldClient } from './clients.ts';
import { keepDescription } from '../sessions/logout-outbox.ts';
import { endClient, endPendingAndGrants } from '../sessions/records.ts';

/** Whether an account may use a client: everybody may, unless the client names groups and the account is in none. */
export async function mayUse(db: Db, client: Client | undefined, accountId: string): Promise<boolean> {
  const allowed = allowedGroupsOf(client);
  if (!allowed) return true;
  return (await groupsOf(db, accountId)).some(({ id }) => allowed.includes(id));
}

/**
 * Ends what everybody has with a client: grants, codes, tokens, and its place in their sessions. The sessions here live
 * on, so users who come back are signed in silently. Answers how many logout messages it will get.
 */
export function signOutEveryone(
  db: Db,
  id: string,
  { reach, ...doer }: ClientDoer,
): Promise<number | 'beyond-reach'> {
  return transactionWithRetry(db, async (open) => {
    const held = await heldClient(open, id);
    if (held && beyondReach(reach, held.client)) return 'beyond-reach';
    const ended = await endClient(open, id);
    await audit(open, {
      event: 'client.everyone-signed-out',
      clientId: id,
      ...doer,
      detail: { sessions: ended },
    });
    return ended;
  });
}

/**
 * Removes a client and all that hangs on it: secrets, grants, tokens, its place in sessions. Answers how many logout
 * messages it will get; undefined: there is no such client.
 */
export function removeClient(
  db: Db,
  id: string,
  {
    seen,
    reach,
    ...doer
  }: ClientDoer & { /** Only as it was then (its `updatedAt`). */ seen?: Date | undefined },
): Promise<number | 'beyond-reach' | undefined> {
  return transactionWithRetry(db, async (open) => {
    const held = await heldClient(open, id);
    if (!held || (seen && held.updatedAt.getTime() !== seen.getTime())) return undefined;
    if (beyondReach(reach, held.client)) return 'beyond-reach';
    await endPendingAndGrants(open, id);
    const ended = await endClient(open, id);
    // Afterwards nobody knows where to send the message.
    await keepDescription(open, held.client);
    await forgetClient(open, id);
    // They went with it, and must not open another of the same name.
    await open.announce(secretsTopic);
    const detail = { name: held.client.name, managed: held.managed, sessions: ended };
    await audit(open, { event: 'client.removed', clientId: id, ...doer, detail });
    return ended;
  });
}
