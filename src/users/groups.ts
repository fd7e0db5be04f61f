// Longer than usual: a table has one owner.
import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Origin } from '../http/request-info.ts';
import { recordAuditEvent, recordAuditEvents } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { sql, acquireAdvisoryLock } from '../db/database.ts';

/** A customer's people: an operator may be limited to one group, an account may be in several. */
export interface Group {
  id: string;
  name: string;
}

/** Who does it, from where; `by` is the operator's number, nobody's where it is done from a shell. */
export interface AuditActor {
  by?: string | undefined;
  origin?: Origin | undefined;
}

const normalizeGroupName = (name: string): string =>
  name.normalize('NFC').replaceAll(/\s+/g, ' ').trim().slice(0, 80);

const toNameKey = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** Makes a group; refused where its name is empty or another has it in any spelling. */
export function createGroup(
  db: Db,
  name: string,
  doer: AuditActor,
): Promise<{ group: Group } | { refusal: 'missing-name' | 'group-taken' }> {
  const shown = normalizeGroupName(name);
  if (shown === '') return Promise.resolve({ refusal: 'missing-name' });
  return db.transaction(async (tx) => {
    await acquireAdvisoryLock(tx, `group:${toNameKey(shown)}`);
    const { rows } = await tx.query<Group>(
      `INSERT INTO groups (id, name, name_key, created_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name_key) DO NOTHING RETURNING id, name`,
      [randomUUID(), shown, toNameKey(shown), new Date()],
    );
    const group = rows[0];
    if (!group) return { refusal: 'group-taken' };
    await recordAuditEvent(tx, { event: 'group.created', ...doer, detail: { group: group.id, name: shown } });
    return { group };
  });
}

/** Gives a group another name; what is refused, and where the group is gone, stays as it is. */
export function renameGroup(
  db: Db,
  id: string,
  name: string,
  doer: AuditActor,
): Promise<{ code: 'missing-name' | 'group-taken' | 'no-such-group' } | undefined> {
  const shown = normalizeGroupName(name);
  if (shown === '') return Promise.resolve({ code: 'missing-name' });
  return db.transaction(async (tx) => {
    // Of two that want one name the first has it.
    await acquireAdvisoryLock(tx, `group:${toNameKey(shown)}`);
    const group = await lockGroup(tx, id);
    if (!group) return { code: 'no-such-group' };
    if (group.name === shown) return undefined;
    const { count } = await tx.query(
      `UPDATE groups SET name = $2, name_key = $3
       WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM groups WHERE name_key = $3 AND id <> $1)`,
      [group.id, shown, toNameKey(shown)],
    );
    if (count === 0) return { code: 'group-taken' };
    const detail = { group: group.id, name: shown, before: group.name };
    await recordAuditEvent(tx, { event: 'group.renamed', ...doer, detail });
    return undefined;
  });
}

/** The group, held until the caller's transaction ends: nobody comes to depend on it meanwhile. */
async function lockGroup(tx: Db, id: string): Promise<Group | undefined> {
  const { rows } = await tx.query<Group>('SELECT id, name FROM groups WHERE id::text = $1 FOR UPDATE', [id]);
  return rows[0];
}

/** Whether all these groups are there; they stay until the caller's transaction ends, and it with what names them. */
export async function lockGroups(tx: Db, ids: readonly string[]): Promise<boolean> {
  if (ids.length === 0) return true;
  const { count } = await tx.query(
    `SELECT 1 FROM groups WHERE id::text IN (SELECT jsonb_array_elements_text($1::text::jsonb)) FOR KEY SHARE`,
    [JSON.stringify(ids)],
  );
  return count === new Set(ids).size;
}

/** PostgreSQL's words for a row that another one needs: `restrict_violation` since 18, before it like any foreign key. */
const isForeignKeyViolation = (fault: unknown): boolean =>
  ['23001', '23503'].some((code) => (fault as { code?: unknown }).code === code);

/**
 * Removes a group; its people stay, in one group less. Refused while an operator is limited to it, who would look after
 * nobody or everybody (the foreign key is the check), and while an application lets only its people in (`isNamed`).
 */
export async function removeGroup(
  db: Db,
  id: string,
  isReferenced: (tx: Db, group: string) => Promise<boolean>,
  doer: AuditActor,
): Promise<{ code: 'no-such-group' | 'group-limits-operator' | 'group-of-application' } | undefined> {
  try {
    return await db.transaction(async (tx) => {
      const group = await lockGroup(tx, id);
      if (!group) return { code: 'no-such-group' };
      if (await isReferenced(tx, group.id)) return { code: 'group-of-application' };
      const members = await tx.query('DELETE FROM group_members WHERE group_id = $1', [group.id]);
      await tx.query('DELETE FROM groups WHERE id = $1', [group.id]);
      const detail = { group: group.id, name: group.name, members: members.count };
      await recordAuditEvent(tx, { event: 'group.removed', ...doer, detail });
      return undefined;
    });
  } catch (fault) {
    if (isForeignKeyViolation(fault)) return { code: 'group-limits-operator' };
    throw fault;
  }
}

export type GroupSummary = Group & { members: number };

/** All groups by name, with how many are in each. */
export async function listGroups(db: Db): Promise<GroupSummary[]> {
  const { rows } = await db.query<GroupSummary>(
    `SELECT id, name, (SELECT count(*)::int FROM group_members WHERE group_id = groups.id) AS members
     FROM groups ORDER BY name_key LIMIT 1000`,
  );
  return rows;
}

/** The group with that number, with how many are in it. */
export async function findGroupSummary(db: Db, id: string): Promise<GroupSummary | undefined> {
  const { rows } = await db.query<GroupSummary>(
    `SELECT id, name, (SELECT count(*)::int FROM group_members WHERE group_id = groups.id) AS members
     FROM groups WHERE id::text = $1`,
    [id],
  );
  return rows[0];
}

/** The group with that name in any spelling, or with that number. */
export async function findGroup(
  db: Db,
  which: { name: string } | { id: string },
): Promise<Group | undefined> {
  const { rows } =
    'name' in which
      ? await db.query<Group>('SELECT id, name FROM groups WHERE name_key = $1', [toNameKey(which.name)])
      : await db.query<Group>('SELECT id, name FROM groups WHERE id::text = $1', [which.id]);
  return rows[0];
}

/** The groups that an account is in, by name. */
export async function listUserGroups(db: Db, accountId: string): Promise<Group[]> {
  const { rows } = await db.query<Group>(
    `SELECT id, name FROM groups WHERE id IN (SELECT group_id FROM group_members WHERE account_id = $1)
     ORDER BY name_key`,
    [accountId],
  );
  return rows;
}

/** Puts an account into a group, in the caller's transaction; once more changes nothing. */
export async function addMember(tx: Db, accountId: string, group: Group, doer: AuditActor): Promise<boolean> {
  const { count } = await tx.query(
    'INSERT INTO group_members (group_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [group.id, accountId],
  );
  const detail = { group: group.id, name: group.name };
  if (count > 0) await recordAuditEvent(tx, { event: 'group.member-added', accountId, ...doer, detail });
  return count > 0;
}

/** Puts many accounts into groups at once, in the caller's transaction: what `addMember` does, for new accounts. */
export async function addMembers(
  tx: Db,
  members: readonly { accountId: string; group: Group }[],
  doer: AuditActor,
): Promise<void> {
  if (members.length === 0) return;
  await tx.query(
    `INSERT INTO group_members (group_id, account_id)
     SELECT group_id, account_id FROM jsonb_to_recordset($1::text::jsonb) AS joining (group_id uuid, account_id uuid)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(members.map(({ accountId, group }) => ({ account_id: accountId, group_id: group.id })))],
  );
  await recordAuditEvents(
    tx,
    members.map(({ accountId, group }) => ({
      event: 'group.member-added',
      accountId,
      ...doer,
      detail: { group: group.id, name: group.name },
    })),
  );
}

/** The names of the groups of many accounts, by the account's number. */
export async function listUserGroupNames(
  db: Db,
  accountIds: readonly string[],
): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ id: string; names: string[] }>(
    `SELECT account_id AS id, array_agg(name ORDER BY name_key) AS names
     FROM group_members JOIN groups ON groups.id = group_id
     WHERE account_id IN (SELECT jsonb_array_elements_text($1::text::jsonb)::uuid) GROUP BY account_id`,
    [JSON.stringify(accountIds)],
  );
  return new Map(rows.map(({ id, names }) => [id, names]));
}

/** Takes an account out of a group, in the caller's transaction; answers whether it was in it. */
export async function removeMember(
  tx: Db,
  accountId: string,
  group: Group,
  doer: AuditActor,
): Promise<boolean> {
  const { count } = await tx.query('DELETE FROM group_members WHERE group_id = $1 AND account_id = $2', [
    group.id,
    accountId,
  ]);
  const detail = { group: group.id, name: group.name };
  if (count > 0) await recordAuditEvent(tx, { event: 'group.member-removed', accountId, ...doer, detail });
  return count > 0;
}

/** The accounts in a group, as a part of another statement: limits of operators are kept by SQL. */
export const selectGroupMembers = (group: string): Knex.QueryBuilder =>
  sql('group_members').select('account_id').where('group_id', group);
