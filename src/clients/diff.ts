import type { ClientDescription } from './schema.ts';

/** One field that two descriptions differ in, each side as JSON; undefined where it is not set. */
export interface FieldChange {
  field: string;
  before: string | undefined;
  after: string | undefined;
}

/** A description as a flat list of fields, so that one lifetime that differs is named and not all of them. */
function flattenFields(client: Partial<ClientDescription> | undefined): Map<string, string> {
  const { lifetimes = {}, ...rest } = client ?? {};
  const nested = Object.entries(lifetimes).map(([name, value]) => [`lifetimes.${name}`, value] as const);
  const set = [...Object.entries(rest), ...nested].filter(([, value]) => value !== undefined);
  return new Map(set.map(([name, value]) => [name, stringifySorted(value)]));
}

/** The order of members means nothing, that of a list does. */
const stringifySorted = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

/** Field by field what would change; a description holds no secret. */
export const diffClients = (before: ClientDescription | undefined, after: ClientDescription): FieldChange[] =>
  diffFields(before, after);

/** The same of anything that is described member by member. */
export function diffFields(before: object | undefined, after: object): FieldChange[] {
  const [old, next] = [flattenFields(before), flattenFields(after)];
  const fields = [...new Set([...old.keys(), ...next.keys()])];
  return fields
    .filter((field) => old.get(field) !== next.get(field))
    .map((field) => ({ field, before: old.get(field), after: next.get(field) }));
}

const maxSummaryLength = 1500;

/** The differences in one line for the audit: field, before and after, cut where they are long. */
export function summarizeChanges(changes: readonly FieldChange[]): string {
  const one = ({ field, before, after }: FieldChange) =>
    before === undefined ? `${field}: ${after}` : `${field}: ${before} → ${after ?? '–'}`;
  const text = changes.map(one).join('; ');
  return text.length > maxSummaryLength ? `${text.slice(0, maxSummaryLength - 1)}…` : text;
}
