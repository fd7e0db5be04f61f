import type { Db } from '../../db/database.ts';
import type { ClientFault } from '../../clients/connectivity-check.ts';
import type { ConfigFault, ConfigOptions, ConfigResult } from './clients.ts';
import { isResourceReferenced } from '../../clients/clients.ts';
import type { ResourceServer } from '../../clients/resource-servers/schema.ts';
import {
  applyResourceServerFromFile,
  listResourceServers,
  validateResourceServer,
  removeResourceServer,
} from '../../clients/resource-servers/resource-servers.ts';

/** Reads the resource servers of a file, and finds everything that is wrong with any of them. */
export async function validateResourceServers(
  about: Parameters<typeof validateResourceServer>[0],
  given: unknown,
): Promise<{ servers: ResourceServer[]; faults: ConfigFault[] }> {
  const faults: ConfigFault[] = [];
  const servers: ResourceServer[] = [];
  for (const [at, one] of [given].flat().entries()) {
    const placed = (fault: ClientFault) => faults.push({ ...fault, at, list: 'resourceServers' });
    const read = await validateResourceServer(about, one);
    if ('faults' in read) read.faults.forEach(placed);
    else if (servers.some(({ id }) => id === read.server.id))
      placed({ path: 'id', field: 'id', code: 'resource-taken' });
    else servers.push(read.server);
  }
  return { servers, faults };
}

/** Makes or changes the resource servers as a file says, in the transaction of the whole file. */
export async function applyResourceServers(
  tx: Db,
  servers: readonly ResourceServer[],
  { adopt, by, origin: requestInfo }: ConfigOptions,
): Promise<ConfigResult[]> {
  const results: ConfigResult[] = [];
  // Everybody who holds several of them takes them in this order.
  for (const server of servers.toSorted((one, other) => (one.id < other.id ? -1 : 1))) {
    const done = await applyResourceServerFromFile(tx, server, adopt === true, { by, origin: requestInfo });
    results.push({ id: server.id, ...done });
  }
  return results;
}

/** When the clients of the file are in: whether one still names what is gone, and, where asked for, what the file left out. */
export async function finalizeResourceServers(
  tx: Db,
  servers: readonly ResourceServer[],
  { prune, by, origin: requestInfo }: ConfigOptions,
): Promise<ConfigResult[]> {
  const results: ConfigResult[] = [];
  for (const { id, scopes } of servers) {
    const kept = scopes.map(({ name }) => name);
    if (await isResourceReferenced(tx, id, kept))
      results.push({ id, result: 'resource-in-use', changes: [] });
  }
  const orphans = (await listResourceServers(tx)).filter(
    ({ server, managed }) => managed === 'file' && !servers.some(({ id }) => id === server.id),
  );
  for (const { number, server } of prune ? orphans : []) {
    const kept = await removeResourceServer(tx, { number }, isResourceReferenced, {
      by,
      origin: requestInfo,
    });
    results.push({ id: server.id, result: kept ? 'resource-in-use' : 'removed', changes: [] });
  }
  return results;
}

/** What a description says beyond its defaults. */
function omitDefaults({
  tokenFormat,
  signingAlg,
  lifetime,
  ...server
}: ResourceServer): Record<string, unknown> {
  return {
    ...server,
    ...(tokenFormat === 'jwt' ? {} : { tokenFormat }),
    ...(signingAlg && signingAlg !== 'ES256' ? { signingAlg } : {}),
    ...(lifetime === 600 ? {} : { lifetime }),
  };
}

/** All resource servers as a file that makes them again. */
export const exportResourceServers = async (db: Db): Promise<Record<string, unknown>[]> =>
  (await listResourceServers(db)).map(({ server }) => omitDefaults(server));
