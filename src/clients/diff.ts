import type { ClientDescription } from './schema.ts';

/** One field that two descriptions differ in, each side as JSON; undefined where it is not set. */
export interface Difference {
  field: string;
  before: string | undefined;
  after: string | undefined;
}

/** A description as a flat list of fields, so that one lifetime that differs is named and not all of them. */
function flat(client: Partial<ClientDescription> | undefined): Map<string, string> {
  const { lifetimes = {}, ...rest } = client ?? {};
  const nested = Object.entries(lifetimes).map(([name, value]) => [`lifetimes.${name}`, value] as const);
  const set = [...Object.entries(rest), ...nested].filter(([, value]) => value !== undefined);
  return new Map(set.map(([name, value]) => [name, sorted(value)]));
}

/** The order of members means nothing, that of a list does. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** Field by field what would change; a description holds no secret. */
export const differences = (before: ClientDescription | undefined, after: ClientDescription): Difference[] =>
  memberDifferences(before, after);

/** The same of anything that is described member by member. */
export function memberDifferences(before: object | undefined, after: object): Difference[] {
  const [old, next] = [flat(before), flat(after)];
  const fields = [...new Set([...old.keys(), ...next.keys()])];
  return fields
    .filter((field) => old.get(field) !== next.get(field))
    .map((field) => ({ field, before: old.get(field), after: next.get(field) }));
}

const most = 1500;

/** The differences in one line for the audit: field, before and after, cut where they are long. */
export function inShort(changes: readonly Difference[]): string {
  const one = ({ field, before, after }: Difference) =>
    before === undefined ? `${field}: ${after}` : `${field}: ${before} → ${after ?? '–'}`;
  const text = changes.map(one).join('; ');
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
