import { resourceServersNamed } from '../../src/clients/resource-servers/resource-servers.ts';
import type { Visit } from './interaction-context.ts';

/** What an application asks for at one resource server, in the words of whoever registered it. */
export interface AskedResource {
  name: string;
  scopes: string[];
}

const words = (value: unknown): string[] => (typeof value === 'string' ? value.split(' ') : []);

/**
 * What the question is about at registered resource servers: what was not allowed before, or, where it is asked once more
 * though all of it was, everything in the request. `told` are the scopes that this puts into words.
 */
export async function resourcesAsked(
  { house, record }: Visit,
  missing: Readonly<Record<string, readonly string[]>>,
  anew: boolean,
): Promise<{ shown: AskedResource[]; told: Set<string> }> {
  const { resource, scope } = record.params;
  const ids = anew
    ? [resource].flat().filter((one): one is string => typeof one === 'string')
    : Object.keys(missing);
  const servers = await resourceServersNamed(house.db, ids);
  const told = new Set<string>();
  const shown = [...servers.values()].flatMap(({ id, name, scopes }) => {
    const asked = anew ? words(scope) : (missing[id] ?? []);
    const mine = scopes.filter((one) => asked.includes(one.name));
    for (const one of mine) told.add(one.name);
    return mine.length > 0 ? [{ name, scopes: mine.map(({ description }) => description) }] : [];
  });
  return { shown, told };
}
