import { timeZone } from '../i18n/phrases.ts';
import type { AuditEvent, AuditFilter, AuditRow } from '../audit/audit-log.ts';
import { auditRows } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { isRowNumber } from '../db/database.ts';
import { accountByEmail, emailsOf, seenBy } from './users.ts';
import type { Actor } from './operators.ts';
import { accountFor } from './operators.ts';

/** What is asked of the audit, in the same words on the page, in its file and in the interface for programs. */
export interface AskedOfAudit {
  event?: AuditEvent | '' | undefined;
  /** The address or the number of the person that it is about. */
  account?: string | undefined;
  /** The address or the number of the operator who did it. */
  operator?: string | undefined;
  /** A day (where the house lives) or a moment, ISO 8601: the first that is in. */
  since?: string | undefined;
  /** A day, the last that is in, or a moment, the first that is not. */
  until?: string | undefined;
}

/** The moment when a day begins where the house lives. Its clocks are changed at night, never at midnight. */
export function beginningOf(date: string): Date {
  const utc = new Date(`${date}T00:00:00Z`);
  const there = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(utc);
  return new Date(utc.getTime() - (Date.parse(`${there.replace(' ', 'T')}Z`) - utc.getTime()));
}

const dayAfter = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

const isDay = (text: string): boolean => text.length === 10;

/** The number that was said, or that of whoever has the address that was. */
const numberOf = async (db: Db, said: string): Promise<string | undefined> =>
  said.includes('@') ? (await accountByEmail(db, said))?.id : said;

/** The number of the person with that address or number, where this operator sees them; an operator sees itself. */
async function accountOf(db: Db, actor: Actor, said: string): Promise<string | undefined> {
  const id = await numberOf(db, said);
  if (!id || ('id' in actor && id === actor.id)) return id;
  return (await accountFor(db, actor, 'audit.read', id))?.id;
}

/** The number of the operator with that address or number, where this one may know it: whom the list shows by address. */
async function operatorWith(db: Db, actor: Actor, said: string): Promise<string | undefined> {
  const id = await numberOf(db, said);
  return id && isRowNumber(id) && (await emailsOf(db, actor, [id])).has(id) ? id : undefined;
}

/** A program that reads the audit of everybody reads all of it, whatever it may do to whom: nothing is missing in a log. */
const rowsSeenBy = (actor: Actor) =>
  'program' in actor && actor.group === undefined ? undefined : seenBy(actor);

export type Filter = Omit<AuditFilter, 'limit' | 'before'>;

/** The filter of the rows that this operator asked for and may see; undefined where nobody has the address. */
export async function filterOf(db: Db, actor: Actor, asked: AskedOfAudit): Promise<Filter | undefined> {
  const { event, account, operator, since, until } = asked;
  const accountId = account ? await accountOf(db, actor, account) : undefined;
  const by = operator ? await operatorWith(db, actor, operator) : undefined;
  if ((account && !accountId) || (operator && !by)) return undefined;
  return {
    about: rowsSeenBy(actor),
    group: actor.group,
    ...(event ? { event } : {}),
    ...(accountId ? { accountId } : {}),
    ...(by ? { actor: by } : {}),
    since: since ? (isDay(since) ? beginningOf(since) : new Date(since)) : undefined,
    until: until ? (isDay(until) ? beginningOf(dayAfter(until)) : new Date(until)) : undefined,
  };
}

/** A row as it leaves the house: addresses beside numbers, of those whom the operator sees. */
const leaving = (row: AuditRow, emails: ReadonlyMap<string, string>) => ({
  id: row.id,
  at: row.at.toISOString(),
  event: row.event,
  account: row.account_id,
  email: (row.account_id && emails.get(row.account_id)) ?? null,
  operator: row.actor,
  operatorEmail: (row.actor && emails.get(row.actor)) ?? null,
  program: row.program,
  client: row.client_id,
  address: row.address,
  request: row.request,
  detail: row.detail,
});
export type LeavingRow = ReturnType<typeof leaving>;

/** The columns of the audit in a file, in their order. */
export const auditColumns = [
  'id',
  'at',
  'event',
  'account',
  'email',
  'operator',
  'operatorEmail',
  'program',
  'client',
  'address',
  'request',
  'detail',
] as const satisfies readonly (keyof LeavingRow)[];

/** A page of rows as they leave the house, the newest first: of those about a group, what is about the actor's own. */
export async function leavingRows(
  db: Db,
  actor: Actor,
  filter: Omit<AuditFilter, 'group'>,
): Promise<LeavingRow[]> {
  const rows = await auditRows(db, { ...filter, group: actor.group });
  const ids = rows.flatMap(({ account_id: account, actor: by }) => [account, by].filter((id) => id !== null));
  const emails = await emailsOf(db, actor, [...new Set(ids)]);
  return rows.map((row) => leaving(row, emails));
}
