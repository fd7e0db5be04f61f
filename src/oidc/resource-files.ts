import type { Db } from '../platform/database.ts';
import type { ClientFault } from './client-check.ts';
import type { Entry, FileFault, FileOptions, FileResult } from './client-files.ts';
import { applyEntries, exportEntries, readEntries } from './client-files.ts';
import { namesResource } from './clients.ts';
import type { ResourceServer } from './resource-description.ts';
import {
  describeResourceFromFile,
  listResourceServers,
  readResourceServer,
  removeResourceServer,
} from './resource-servers.ts';

/** What a file describes; `servers` is undefined where it does not speak of resource servers at all. */
export interface Described {
  entries: Entry[];
  servers: ResourceServer[] | undefined;
}

const lists = ['resourceServers', 'clients'] as const;

/** Where in a file something stands: `2.name` in a list of clients, `resourceServers.0.id` beside it. */
export const placeOf = ({ list, at, path }: FileFault): string =>
  list === undefined ? `${at}.${path}` : `${list}.${at}.${path}`;

/** A file with sections, as `clients export` writes one where there are resource servers. */
function sectionsOf(given: unknown): { resourceServers?: unknown; clients?: unknown } | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  return lists.some((name) => name in given) ? given : undefined;
}

function readServers(issuer: string, given: unknown): { servers: ResourceServer[]; faults: FileFault[] } {
  const faults: FileFault[] = [];
  const servers: ResourceServer[] = [];
  [given].flat().forEach((one: unknown, at) => {
    const placed = (fault: ClientFault) => faults.push({ ...fault, at, list: 'resourceServers' });
    const read = readResourceServer(issuer, one);
    if ('faults' in read) read.faults.forEach(placed);
    else if (servers.some(({ id }) => id === read.server.id))
      placed({ path: 'id', field: 'id', code: 'resource-taken' });
    else servers.push(read.server);
  });
  return { servers, faults };
}

/**
 * Reads what a file holds: one client, a list of them, or `resourceServers` and `clients`. Finds everything that is wrong
 * with any of it; a client may name a resource server of the same file.
 */
export async function readFile(
  db: Db,
  issuer: string,
  given: unknown,
): Promise<Described | { faults: FileFault[] }> {
  const sections = sectionsOf(given);
  const odd = Object.keys(sections ?? {}).filter((name) => !lists.some((one) => one === name));
  const unknown = odd.map((path): FileFault => ({ at: 0, path, field: path, code: 'unknown-field' }));
  const said = sections && 'resourceServers' in sections;
  const { servers, faults } = said
    ? readServers(issuer, sections.resourceServers ?? [])
    : { servers: [], faults: [] };
  const read = await readEntries(db, sections ? (sections.clients ?? []) : given, servers);
  // What is not read here is there, only described wrongly: its clients are not told that it is missing.
  const lost = new Set(faults.length > 0 ? ['resource-unknown', 'resource-scope-unknown'] : []);
  const ofClients = 'faults' in read ? read.faults.filter(({ code }) => !lost.has(code)) : [];
  const all = [...unknown, ...faults, ...ofClients];
  if (all.length > 0 || 'faults' in read) return { faults: all };
  return { entries: read.entries, servers: said ? servers : undefined };
}

/** Applies a file, all of it or nothing: resource servers before the clients that name them, and what goes after them. */
export function applyFile(
  db: Db,
  { entries, servers }: Described,
  options: FileOptions,
): Promise<FileResult[]> {
  if (!servers) return applyEntries(db, entries, options);
  const { by, origin } = options;
  // Everybody who holds several of them takes them in this order.
  const inOrder = servers.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return applyEntries(db, entries, options, {
    async first(open) {
      const results: FileResult[] = [];
      for (const server of inOrder) {
        const done = await describeResourceFromFile(open, server, options.adopt === true, { by, origin });
        results.push({ id: server.id, ...done });
      }
      return results;
    },
    async last(open) {
      const results: FileResult[] = [];
      for (const { id, scopes } of inOrder) {
        const kept = scopes.map(({ name }) => name);
        if (await namesResource(open, id, kept)) results.push({ id, result: 'resource-in-use', changes: [] });
      }
      const orphans = (await listResourceServers(open)).filter(
        ({ server, managed }) => managed === 'file' && !servers.some(({ id }) => id === server.id),
      );
      for (const { number, server } of options.prune ? orphans : []) {
        const kept = await removeResourceServer(open, { number }, namesResource, { by, origin });
        results.push({ id: server.id, result: kept ? 'resource-in-use' : 'removed', changes: [] });
      }
      return results;
    },
  });
}

/** What a description says beyond its defaults. */
function brief({ tokenFormat, signingAlg, lifetime, ...server }: ResourceServer): Record<string, unknown> {
  return {
    ...server,
    ...(tokenFormat === 'jwt' ? {} : { tokenFormat }),
    ...(signingAlg && signingAlg !== 'ES256' ? { signingAlg } : {}),
    ...(lifetime === 600 ? {} : { lifetime }),
  };
}

/** All clients, and the resource servers where there are any, as a file that makes them again; never a secret. */
export async function exportFile(db: Db): Promise<unknown> {
  const clients = await exportEntries(db);
  const servers = await listResourceServers(db);
  if (servers.length === 0) return clients;
  return { resourceServers: servers.map(({ server }) => brief(server)), clients };
}
