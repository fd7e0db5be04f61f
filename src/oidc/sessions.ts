import type { UserChangeHooks } from '../security/user-changes.ts';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { acquireAdvisoryLock } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import { discardVerifiedFactors } from '../security/verified-factors.ts';
import { findClientById } from '../clients/clients.ts';
import type { LogoutOutcome } from '../sessions/logout-outbox.ts';
import { listLogoutOutcomes } from '../sessions/logout-outbox.ts';
import { endAllSessionsAndGrants, endFinishedInteractions, endSessions } from '../sessions/records.ts';
import { endWeakerSignIns } from '../sessions/weaker-sign-ins.ts';

/** Who ends sessions, and which: the one with the public number `only`, or all but `except`. */
export interface EndSessionsRequest {
  accountId: string;
  which: { only: string } | { except: string };
  origin: Origin;
}

/**
 * Ends sessions of a user's own; their clients are sent logout messages. Another user's session is none of this account's
 * and stays. Where all but one end, so do sign-ins that would open another session: half-way ones, and those that are
 * finished and not followed yet. Answers how many sessions ended.
 */
export function endUserSessions(
  db: Db,
  { accountId, which, origin: requestInfo }: EndSessionsRequest,
): Promise<number> {
  return transactionWithRetry(db, async (tx) => {
    if ('except' in which) await endSignIns(tx, accountId);
    const ended = await endSessions(tx, accountId, which);
    if (ended > 0)
      await recordAuditEvent(tx, {
        event: 'session.ended',
        accountId,
        origin: requestInfo,
        detail: { sessions: ended },
      });
    return ended;
  });
}

/** Ends all sign-ins of a user that are under way, in the lock that finishing ones wait for; see `endWeakerSignIns`. */
async function endSignIns(open: Db, accountId: string): Promise<void> {
  await acquireAdvisoryLock(open, `account:${accountId}`);
  await discardVerifiedFactors(open, { accountId });
  await endFinishedInteractions(open, accountId, undefined);
}

/** How a change of factors, of the password or of the account ends sessions: in its own transaction. */
export const sessionHooks: Pick<UserChangeHooks, 'endWeakerSignIns' | 'endEverything'> = {
  endWeakerSignIns,
  endEverything: (tx, { accountId }) => endAllSessionsAndGrants(tx, accountId),
};

/** The words for an application: its name, or its identifier where it is gone. */
export const findClientName = async (db: Db, id: string): Promise<string> =>
  (await findClientById(db, id))?.client.name ?? id;

/** An application that was signed in through a session, and how it stands with telling it of the end. */
export interface SignedOutClient {
  name: string;
  /** `by-browser`: it takes no messages; the person's browser opens its page, and nobody learns what came of it. */
  outcome: LogoutOutcome | 'by-browser';
  /** That page, with whose sign-out it is (OpenID Connect Front-Channel Logout 1.0 §3). */
  frame?: string;
}

/** How it stands with the applications of a session that ended, by name. */
export async function listSignedOutClients(
  db: Db,
  issuer: string,
  session: string,
): Promise<SignedOutClient[]> {
  const clients = (await listLogoutOutcomes(db, session)).map(
    async ({ clientId, sid, described, outcome }): Promise<SignedOutClient> => {
      const client = described ?? (await findClientById(db, clientId))?.client;
      const name = client?.name ?? clientId;
      if (!client?.frontchannelLogoutUri || client.backchannelLogoutUri) return { name, outcome };
      const frame = new URL(client.frontchannelLogoutUri);
      frame.searchParams.set('iss', issuer);
      frame.searchParams.set('sid', sid ?? '');
      return { name, outcome: 'by-browser', frame: frame.href };
    },
  );
  return (await Promise.all(clients)).toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Whether some of these applications can be signed out by the person's browser alone. */
export async function needFrontchannelLogout(db: Db, clientIds: readonly string[]): Promise<boolean> {
  const clients = await Promise.all(clientIds.map((id) => findClientById(db, id)));
  return clients.some((one) => one?.client.frontchannelLogoutUri && !one.client.backchannelLogoutUri);
}
