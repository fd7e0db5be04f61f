import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '../db/database.ts';
import { remembered } from '../db/remembered.ts';
import type { SecretReader } from './secrets.ts';
import { secretsTopic, storedSecrets } from './secrets.ts';
import { clientMetadata, clientsTopic } from './clients.ts';
import type { ResourceServer } from './resource-servers/schema.ts';
import { resourceServersNamed, resourceServersTopic } from './resource-servers/resource-servers.ts';

/**
 * What is asked of applications at every request: their descriptions, their secrets, and the resource servers that they
 * ask for. It is kept, and forgotten in every process as soon as an administrator changes something of it.
 */
export interface ClientBook {
  /** The client as the protocol sees it; undefined where there is none or it is switched off. */
  metadata(id: string): Promise<AdapterPayload | undefined>;
  secrets: SecretReader;
  /** Those of these resource servers that there are, by identifier. */
  resourceServers(ids: readonly string[]): Promise<Map<string, ResourceServer>>;
}

/** Opens the book; nothing is read yet. */
export function openClientBook(db: Database): ClientBook {
  const clients = remembered(db, clientsTopic, (id) => clientMetadata(db, id));
  const secrets = remembered(db, secretsTopic, storedSecrets(db));
  const servers = remembered(db, resourceServersTopic, async (id) =>
    (await resourceServersNamed(db, [id])).get(id),
  );
  return {
    metadata: async (id) => {
      const found = await clients.of(id);
      // The library writes into what it is given.
      return found && { ...found };
    },
    secrets: async (clientId) => (await secrets.of(clientId)) ?? [],
    async resourceServers(ids) {
      const found = await Promise.all(ids.map((id) => servers.of(id)));
      return new Map(found.flatMap((server) => (server ? [[server.id, server]] : [])));
    },
  };
}
