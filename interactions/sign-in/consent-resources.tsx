import { findResourceServersById } from '../../src/clients/resource-servers/resource-servers.ts';
import type { InteractionContext } from './interaction-context.ts';

/** What an application asks for at one resource server, in the words of whoever registered it. */
export interface RequestedResource {
  name: string;
  scopes: string[];
}

const splitSpaceSeparated = (value: unknown): string[] => (typeof value === 'string' ? value.split(' ') : []);

/**
 * What the question is about at registered resource servers: what was not allowed before, or, where it is asked once more
 * though all of it was, everything in the request. `told` are the scopes that this puts into words.
 */
export async function requestedResources(
  { house: context, record }: InteractionContext,
  missing: Readonly<Record<string, readonly string[]>>,
  consentAgain: boolean,
): Promise<{ shown: RequestedResource[]; told: Set<string> }> {
  const { resource, scope } = record.params;
  const ids = consentAgain
    ? [resource].flat().filter((one): one is string => typeof one === 'string')
    : Object.keys(missing);
  const servers = await findResourceServersById(context.db, ids);
  const describedScopes = new Set<string>();
  const resources = [...servers.values()].flatMap(({ id, name, scopes }) => {
    const requestedScopes = consentAgain ? splitSpaceSeparated(scope) : (missing[id] ?? []);
    const ownScopes = scopes.filter((one) => requestedScopes.includes(one.name));
    for (const one of ownScopes) describedScopes.add(one.name);
    return ownScopes.length > 0 ? [{ name, scopes: ownScopes.map(({ description }) => description) }] : [];
  });
  return { shown: resources, told: describedScopes };
}
