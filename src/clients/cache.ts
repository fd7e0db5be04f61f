import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '../db/database.ts';
import { createDatabaseCache } from '../db/remembered.ts';
import type { SecretReader } from './secrets.ts';
import { secretsTopic, createSecretReader } from './secrets.ts';
import { findClientMetadata, clientsTopic } from './clients.ts';
import type { ResourceServer } from './resource-servers/schema.ts';
import { findResourceServersById, resourceServersTopic } from './resource-servers/resource-servers.ts';

/**
 * What is asked of applications at every request: their descriptions, their secrets, and the resource servers that they
 * ask for. It is kept, and forgotten in every process as soon as an administrator changes something of it.
 */
export interface ClientCache {
  /** The client as the protocol sees it; undefined where there is none or it is switched off. */
  metadata(id: string): Promise<AdapterPayload | undefined>;
  secrets: SecretReader;
  /** Those of these resource servers that there are, by identifier. */
  resourceServers(ids: readonly string[]): Promise<Map<string, ResourceServer>>;
}

/** Opens the book; nothing is read yet. */
export function createClientCache(db: Database): ClientCache {
  const clients = createDatabaseCache(db, clientsTopic, (id) => findClientMetadata(db, id));
  const secrets = createDatabaseCache(db, secretsTopic, createSecretReader(db));
  const servers = createDatabaseCache(db, resourceServersTopic, async (id) =>
    (await findResourceServersById(db, [id])).get(id),
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
