import type { Client } from 'oidc-provider';
import { listUserGroups } from '../users/groups.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import { exceedsDelegationLimit } from './resource-servers/api-scopes.ts';
import { getAllowedGroups } from './metadata.ts';
import { secretsTopic } from './secrets.ts';
import type { ClientActor } from './clients.ts';
import { deleteClientRow, lockClient } from './clients.ts';
import { saveClientDescription } from '../sessions/logout-outbox.ts';
import { revokeClientAccess, endPendingAndGrants } from '../sessions/records.ts';

/** Whether an account may use a client: everybody may, unless the client names groups and the account is in none. */
export async function canUseClient(db: Db, client: Client | undefined, accountId: string): Promise<boolean> {
  const allowed = getAllowedGroups(client);
  if (!allowed) return true;
  return (await listUserGroups(db, accountId)).some(({ id }) => allowed.includes(id));
}

/**
 * Ends what everybody has with a client: grants, codes, tokens, and its place in their sessions. The sessions here live
 * on, so users who come back are signed in silently. Answers how many logout messages it will get.
 */
export function signOutAllUsers(
  db: Db,
  id: string,
  { reach, ...doer }: ClientActor,
): Promise<number | 'beyond-reach'> {
  return transactionWithRetry(db, async (tx) => {
    const held = await lockClient(tx, id);
    if (held && exceedsDelegationLimit(reach, held.client)) return 'beyond-reach';
    const ended = await revokeClientAccess(tx, id);
    await recordAuditEvent(tx, {
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
  }: ClientActor & { /** Only as it was then (its `updatedAt`). */ seen?: Date | undefined },
): Promise<number | 'beyond-reach' | undefined> {
  return transactionWithRetry(db, async (tx) => {
    const held = await lockClient(tx, id);
    if (!held || (seen && held.updatedAt.getTime() !== seen.getTime())) return undefined;
    if (exceedsDelegationLimit(reach, held.client)) return 'beyond-reach';
    await endPendingAndGrants(tx, id);
    const ended = await revokeClientAccess(tx, id);
    // Afterwards nobody knows where to send the message.
    await saveClientDescription(tx, held.client);
    await deleteClientRow(tx, id);
    // They went with it, and must not open another of the same name.
    await tx.announce(secretsTopic);
    const detail = { name: held.client.name, managed: held.managed, sessions: ended };
    await recordAuditEvent(tx, { event: 'client.removed', clientId: id, ...doer, detail });
    return ended;
  });
}
