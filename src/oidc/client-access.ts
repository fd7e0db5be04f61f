import type { Client, Provider } from 'oidc-provider';
import type { Doer } from '../accounts/groups.ts';
import { groupsOf } from '../accounts/groups.ts';
import { audit } from '../platform/audit.ts';
import type { Db } from '../platform/database.ts';
import { allowedGroupsOf } from './client-metadata.ts';
import { forgetClient, heldClient } from './clients.ts';
import type { ClientSession } from './records.ts';
import { endClient } from './records.ts';

/** Whether an account may use a client: everybody may, unless the client names groups and the account is in none. */
export async function mayUse(db: Db, client: Client | undefined, accountId: string): Promise<boolean> {
  const allowed = allowedGroupsOf(client);
  if (!allowed) return true;
  return (await groupsOf(db, accountId)).some(({ id }) => allowed.includes(id));
}

/**
 * Ends what everybody has with a client: grants, codes, tokens, and its place in their sessions. The sessions here live
 * on, so whoever comes back is let in without a question. Answers the sessions that the application is to be told of.
 */
export function signOutEveryone(db: Db, id: string, doer: Doer): Promise<ClientSession[]> {
  return db.transaction(async (open) => {
    const ended = await endClient(open, id);
    await audit(open, {
      event: 'client.everyone-signed-out',
      clientId: id,
      ...doer,
      detail: { sessions: ended.length },
    });
    return ended;
  });
}

/** Removes a client and all that hangs on it: secrets, grants, tokens, its place in sessions. Undefined: there is none. */
export function removeClient(
  db: Db,
  id: string,
  { seen, ...doer }: Doer & { /** Only as it was then (its `updatedAt`). */ seen?: Date | undefined },
): Promise<ClientSession[] | undefined> {
  return db.transaction(async (open) => {
    const held = await heldClient(open, id);
    if (!held || (seen && held.updatedAt.getTime() !== seen.getTime())) return undefined;
    const ended = await endClient(open, id);
    await forgetClient(open, id);
    const detail = { name: held.client.name, managed: held.managed, sessions: ended.length };
    await audit(open, { event: 'client.removed', clientId: id, ...doer, detail });
    return ended;
  });
}

/** What of the library's client sends the logout token; its types leave it out. */
interface ToldClient {
  backchannelLogoutUri?: string | undefined;
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>;
}

/** Messages under way at once, and how many in a row may go unanswered before the application counts as away. */
const atOnce = 10;
const patience = 10;

/**
 * Finds how to tell an application that sessions ended, while it is still registered; undefined where it wants no such
 * message (OpenID Connect Back-Channel Logout 1.0 §2.3). The function answers how many it heard of.
 */
export async function messengerTo(
  provider: Provider,
  id: string,
): Promise<((ended: readonly ClientSession[]) => Promise<number>) | undefined> {
  const client = (await provider.Client.find(id)) as unknown as ToldClient | undefined;
  if (!client?.backchannelLogoutUri) return undefined;
  return async (ended) => {
    let [told, silent] = [0, 0];
    for (let at = 0; at < ended.length && silent < patience; at += atOnce) {
      const batch = ended.slice(at, at + atOnce);
      const results = await Promise.allSettled(
        batch.map(({ accountId, sid }) => client.backchannelLogout(accountId, sid)),
      );
      const heard = results.filter(({ status }) => status === 'fulfilled').length;
      told += heard;
      silent = heard > 0 ? 0 : silent + batch.length;
    }
    return told;
  };
}
