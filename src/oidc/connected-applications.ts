import type { Client, Provider } from 'oidc-provider';
import type { Origin } from '../http/request-info.ts';
import { audit } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { transactionWithRetry } from '../db/deadlocks.ts';
import type { Allowed } from '../sessions/records.ts';
import { allowedBy, endGrants } from '../sessions/records.ts';
import { resourceServersNamed } from '../clients/resource-servers/resource-servers.ts';

/** An application that a person's account is connected to. */
export interface Application extends Allowed {
  name: string;
  /** What it may do at resource servers, in their words; `told` are the scopes that these stand for. */
  at: { name: string; scopes: string[]; told: string[] }[];
  /** Part of the house: it never asked, and connects again at the next sign-in to it. */
  firstParty: boolean;
  /** Where the person opens it; undefined where it does not say. */
  openAt: string | undefined;
}

/** Its own door, or one that begins a sign-in here (OpenID Connect Core §4). Both were judged when they were registered. */
function doorOf(client: Client | undefined, issuer: string): string | undefined {
  if (!client?.initiateLoginUri) return client?.clientUri;
  const url = new URL(client.initiateLoginUri);
  url.searchParams.set('iss', issuer);
  return url.href;
}

/** The applications that an account is connected to; one that is switched off or gone goes by its identifier. */
export async function applicationsOf(db: Db, provider: Provider, accountId: string): Promise<Application[]> {
  const allowed = await allowedBy(db, accountId);
  const servers = await resourceServersNamed(
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
        openAt: doorOf(client, provider.issuer),
      };
    }),
  );
}

/**
 * Disconnects an application from an account: what was allowed, and all codes and tokens of it, end in one
 * transaction. Another account's connection stays. Answers whether there was one.
 */
export function disconnect(db: Db, accountId: string, clientId: string, origin: Origin): Promise<boolean> {
  return transactionWithRetry(db, async (open) => {
    const ended = await endGrants(open, accountId, clientId);
    if (ended) await audit(open, { event: 'grant.revoked', accountId, clientId, origin });
    return ended;
  });
}
