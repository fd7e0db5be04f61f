import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Log } from '../telemetry/log.ts';
import type { Revocation } from './clients.ts';
import { clientsToRevoke, holdForRevocation, noteRevoked } from './clients.ts';
import { revokeAllGrantsOfClient, endPendingOf, leaveSessions } from '../sessions/records.ts';

/** Rows that one transaction ends at most: its locks are held for milliseconds. */
const batchSize = 500;

/**
 * Ends everything of one disabled client: sign-ins under way, device codes, grants with their codes and tokens, its own
 * tokens and its place in sessions, each batch in its own transaction with the logout messages of its sessions. Stops
 * where the client was enabled or removed, even if it was disabled again, or another process is at it.
 */
async function revokeClient(db: Db, revocation: Revocation): Promise<void> {
  const { id } = revocation;
  const batch = <Result>(work: (open: Db) => Promise<Result>) =>
    transactionWithRetry(db, async (open) =>
      (await holdForRevocation(open, revocation)) ? { done: await work(open) } : undefined,
    );
  for (const end of [endPendingOf, revokeAllGrantsOfClient])
    for (let ended = batchSize; ended === batchSize;) {
      const result = await batch((open) => end(open, id, batchSize));
      if (!result) return;
      ended = result.done;
    }
  let after: Buffer | undefined;
  do {
    const from = after;
    const result = await batch((open) => leaveSessions(open, id, { after: from, limit: batchSize }));
    if (!result) return;
    after = result.done.next;
  } while (after);
  await batch((open) => noteRevoked(open, revocation));
}

/**
 * Ends everything of the clients that were disabled. The next call finds what a process leaves undone.
 *
 * @throws where some could not be ended; each of them is logged, and the others are ended all the same.
 */
export async function revokeDisabledClients(db: Db, log: Log): Promise<void> {
  let failed = 0;
  for (const revocation of await clientsToRevoke(db))
    try {
      await revokeClient(db, revocation);
    } catch (fault) {
      failed += 1;
      log.warn({ client: revocation.id, fault: String(fault) }, 'a disabled client could not be revoked');
    }
  if (failed > 0) throw new Error(`disabled clients that could not be revoked: ${failed}`);
}
