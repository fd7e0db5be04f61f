import type { Db } from '../platform/database.ts';
import { clientsToRevoke, holdForRevocation, noteRevoked } from './clients.ts';
import { endGrantsOf, endPendingOf, leaveSessions } from './records.ts';

/** Rows that one transaction ends at most: its locks are held for milliseconds. */
const batchSize = 500;

/**
 * Ends everything of one disabled client: sign-ins under way, device codes, grants with their codes and tokens, its own
 * tokens and its place in sessions, each batch in its own transaction with the logout messages of its sessions. Stops
 * where the client was enabled or removed, or another process is at it.
 */
async function revokeClient(db: Db, id: string): Promise<void> {
  const batch = <Result>(work: (open: Db) => Promise<Result>) =>
    db.transaction(async (open) =>
      (await holdForRevocation(open, id)) ? { done: await work(open) } : undefined,
    );
  if (!(await batch((open) => endPendingOf(open, id)))) return;
  for (let ended = batchSize; ended === batchSize;) {
    const result = await batch((open) => endGrantsOf(open, id, batchSize));
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
  await batch((open) => noteRevoked(open, id));
}

/** Ends everything of the clients that were disabled. The next call finds what a process leaves undone. */
export async function revokeDisabledClients(db: Db): Promise<void> {
  for (const id of await clientsToRevoke(db)) await revokeClient(db, id);
}
