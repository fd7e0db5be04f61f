import type { Client, Provider } from 'oidc-provider';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { ClientGrant } from '../sessions/records.ts';
import { listClientGrants, revokeClientGrants } from '../sessions/records.ts';
import { findResourceServersById } from '../clients/resource-servers/resource-servers.ts';

/** An application that a person's account is connected to. */
export interface ConnectedApplication extends ClientGrant {
  name: string;
  /** What it may do at resource servers, in their words; `told` are the scopes that these stand for. */
  at: { name: string; scopes: string[]; told: string[] }[];
  /** Part of the house: it never asked, and connects again at the next sign-in to it. */
  firstParty: boolean;
  /** Where the person opens it; undefined where it does not say. */
  openAt: string | undefined;
}

/** Its own door, or one that begins a sign-in here (OpenID Connect Core §4). Both were judged when they were registered. */
function getLaunchUrl(client: Client | undefined, issuer: string): string | undefined {
  if (!client?.initiateLoginUri) return client?.clientUri;
  const url = new URL(client.initiateLoginUri);
  url.searchParams.set('iss', issuer);
  return url.href;
}

/** The applications that an account is connected to; one that is switched off or gone goes by its identifier. */
export async function listConnectedApplications(
  db: Db,
  provider: Provider,
  accountId: string,
): Promise<ConnectedApplication[]> {
  const allowed = await listClientGrants(db, accountId);
  const servers = await findResourceServersById(
    db,
    allowed.flatMap(({ resources }) => Object.keys(resources)),
  );
  return Promise.all(
    allowed.map(async (one) => {
      const client = await provider.Client.find(one.clientId);
      return {
        ...one,
        name: client?.clientName ?? one.clientId,
        at: Object.entries(one.resources).flatMap(([id, told]) => {
          const server = servers.get(id);
          const mine = server?.scopes.filter(({ name }) => told.includes(name)) ?? [];
          return server
            ? [{ name: server.name, scopes: mine.map(({ description }) => description), told }]
            : [];
        }),
        firstParty: client?.['urn:hemma:first-party'] === true,
        openAt: getLaunchUrl(client, provider.issuer),
      };
    }),
  );
}

/**
 * Disconnects an application from an account: what was allowed, and all codes and tokens of it, end in one
 * transaction. Another account's connection stays. Answers whether there was one.
 */
export function disconnectApplication(
  db: Db,
  accountId: string,
  clientId: string,
  requestInfo: Origin,
): Promise<boolean> {
  return transactionWithRetry(db, async (tx) => {
    const ended = await revokeClientGrants(tx, accountId, clientId);
    if (ended)
      await recordAuditEvent(tx, { event: 'grant.revoked', accountId, clientId, origin: requestInfo });
    return ended;
  });
}
