import { recordAuditEvent, recordAuditEvents } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import type { ClaimDefinition } from './claim-definitions.ts';
import { listClaims } from './claim-definitions.ts';
import type { AuditActor } from './groups.ts';
import type { UserAction } from './operators.ts';
import { toAuditActor, lockUserForAction } from './operators.ts';

/** What an account has for claims of the house's own, by their names; a list also where it is one text. */
export type Attributes = Readonly<Record<string, readonly string[]>>;

/** Why values are refused; the code is the phrase key. */
const attributeFaultCodes = [
  'attribute-unknown',
  'attribute-single',
  'attribute-malformed',
  'attribute-too-long',
  'attributes-too-many',
] as const;
export type AttributeFaultCode = (typeof attributeFaultCodes)[number];

export interface AttributeFault {
  /** The claim; empty where it is about all of them. */
  path: string;
  code: AttributeFaultCode;
}

/** Letters of one value, and values of one account: what is told stays a small answer. */
const maxValueLength = 1000;
const maxValues = 50;

/** A value is one line: no control character, and nothing that PostgreSQL cannot keep. */
function validateValue(text: unknown): AttributeFaultCode | undefined {
  if (typeof text !== 'string' || !text.isWellFormed() || /\p{Cc}/u.test(text)) return 'attribute-malformed';
  return text.length > maxValueLength ? 'attribute-too-long' : undefined;
}

/** Values as they are kept: without blanks around them, none empty and none twice. */
const normalizeValues = (texts: readonly string[]): string[] => [
  ...new Set(texts.map((text) => text.normalize('NFC').trim()).filter((text) => text !== '')),
];

/**
 * Judges values by name: a text, a list of them, or null. A claim that ends with no value is an empty list in the answer,
 * which takes away what there was.
 */
export function validateAttributes(
  claims: readonly ClaimDefinition[],
  given: Readonly<Record<string, unknown>>,
): { attributes: Record<string, string[]> } | { faults: AttributeFault[] } {
  const faults: AttributeFault[] = [];
  const read = Object.entries(given).map(([name, value]): [string, string[]] => {
    const claim = claims.find((one) => one.name === name);
    const texts: unknown[] = value === null ? [] : [value].flat();
    const code = claim ? texts.map(validateValue).find((fault) => fault !== undefined) : 'attribute-unknown';
    const values = code ? [] : normalizeValues(texts as string[]);
    if (code) faults.push({ path: name, code });
    else if (values.length > 1 && !claim?.multi) faults.push({ path: name, code: 'attribute-single' });
    return [name, values];
  });
  return faults.length > 0 ? { faults } : { attributes: Object.fromEntries(read) };
}

/** Whether an account may have all these. */
export const isWithinValueLimit = (attributes: Attributes): boolean =>
  Object.values(attributes).flat().length <= maxValues;

interface Row {
  account_id: string;
  name: string;
  said: string[];
}

const toAttributes = (rows: readonly Pick<Row, 'name' | 'said'>[]): Record<string, string[]> =>
  Object.fromEntries(rows.map(({ name, said }) => [name, said]));

/** What an account has, by the claim's name; only of `names`, where they are given. */
export async function findAttributes(
  db: Db,
  accountId: string,
  names?: readonly string[],
): Promise<Record<string, string[]>> {
  const { rows } = await db.query<Row>(
    `SELECT name, said FROM account_attributes
     WHERE account_id = $1 AND ($2::text IS NULL OR name IN (SELECT jsonb_array_elements_text($2::text::jsonb)))
     ORDER BY name COLLATE "C"`,
    [accountId, names ? JSON.stringify(names) : null],
  );
  return toAttributes(rows);
}

/** What many accounts have, by the account's number. */
export async function findAttributesOfUsers(
  db: Db,
  accountIds: readonly string[],
): Promise<Map<string, Record<string, string[]>>> {
  const { rows } = await db.query<Row>(
    `SELECT account_id, name, said FROM account_attributes
     WHERE account_id IN (SELECT jsonb_array_elements_text($1::text::jsonb)::uuid)
     ORDER BY account_id, name COLLATE "C"`,
    [JSON.stringify(accountIds)],
  );
  const found = new Map<string, Record<string, string[]>>();
  for (const { account_id: id, name, said } of rows) found.set(id, { ...found.get(id), [name]: said });
  return found;
}

/** Attributes as they are written in files and answers: a list for a claim that may have several, a text for any other. */
export function serializeAttributes(
  claims: readonly ClaimDefinition[],
  attributes: Attributes,
): Record<string, string | string[]> {
  const several = new Set(claims.filter(({ multi }) => multi).map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(attributes).map(([name, said]) => [name, several.has(name) ? [...said] : (said[0] ?? '')]),
  );
}

/** Puts values in; the claim must be there, or the statement fails. */
async function upsertAttributes(
  tx: Db,
  rows: readonly { account: string; name: string; said: readonly string[] }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO account_attributes (account_id, name, said)
     SELECT account, name, said FROM jsonb_to_recordset($1::text::jsonb)
       AS arriving (account uuid, name text, said jsonb)
     ON CONFLICT (account_id, name) DO UPDATE SET said = excluded.said`,
    [JSON.stringify(rows)],
  );
}

const buildAttributeEvent = (accountId: string, names: readonly string[], doer: AuditActor) => ({
  event: 'account.attributes-changed' as const,
  accountId,
  ...doer,
  // Which, and never what: a value may be anything that is nobody else's business.
  detail: { claims: names.join(' ').slice(0, 1500) },
});

const haveSameValues = (one: readonly string[] | undefined, other: readonly string[]) =>
  JSON.stringify(one ?? []) === JSON.stringify(other);

/** Gives an account values for claims, and takes away where there is none; what is not named stays. */
export function changeAttributes(
  db: Db,
  change: UserAction & { given: Readonly<Record<string, unknown>> },
): Promise<{ code: 'not-there' } | { faults: AttributeFault[] } | undefined> {
  return db.transaction(async (tx) => {
    // In the account's turn: of two that change it at once the second one counts what the first left.
    const account = await lockUserForAction(tx, 'people.attributes', change);
    if (!account) return { code: 'not-there' };
    const judged = validateAttributes(await listClaims(tx), change.given);
    if ('faults' in judged) return judged;
    const before = await findAttributes(tx, account.id);
    const changed = Object.entries(judged.attributes).filter(
      ([name, said]) => !haveSameValues(before[name], said),
    );
    if (changed.length === 0) return undefined;
    const after = { ...before, ...judged.attributes };
    if (!isWithinValueLimit(after)) return { faults: [{ path: '', code: 'attributes-too-many' }] };
    const removed = changed.filter(([, said]) => said.length === 0).map(([name]) => name);
    await tx.query(
      `DELETE FROM account_attributes
       WHERE account_id = $1 AND name IN (SELECT jsonb_array_elements_text($2::text::jsonb))`,
      [account.id, JSON.stringify(removed)],
    );
    await upsertAttributes(
      tx,
      changed.flatMap(([name, said]) => (said.length > 0 ? [{ account: account.id, name, said }] : [])),
    );
    const names = changed.map(([name]) => name);
    await recordAuditEvent(tx, buildAttributeEvent(account.id, names, toAuditActor(change)));
    return undefined;
  });
}

/** Gives many new accounts their values at once, judged already, in the caller's transaction. */
export async function addAttributes(
  tx: Db,
  additions: readonly { accountId: string; attributes: Attributes }[],
  doer: AuditActor,
): Promise<void> {
  const given = additions.map(({ accountId, attributes }) => ({
    accountId,
    set: Object.entries(attributes).filter(([, said]) => said.length > 0),
  }));
  await upsertAttributes(
    tx,
    given.flatMap(({ accountId, set }) => set.map(([name, said]) => ({ account: accountId, name, said }))),
  );
  await recordAuditEvents(
    tx,
    given.flatMap(({ accountId, set }) =>
      set.length > 0
        ? [
            buildAttributeEvent(
              accountId,
              set.map(([name]) => name),
              doer,
            ),
          ]
        : [],
    ),
  );
}
