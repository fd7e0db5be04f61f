import { timeZone } from '../i18n/phrases.ts';
import type { AuditEventType, AuditFilter, AuditRow } from '../audit/audit-log.ts';
import { findAuditEvents } from '../audit/audit-log.ts';
import type { Db } from '../db/database.ts';
import { isUuid } from '../db/database.ts';
import { findUserByEmail, findEmailsByUserIds, selectVisibleUsers } from './users.ts';
import type { Actor } from './operators.ts';
import { findVisibleUser } from './operators.ts';

/** What is asked of the audit, in the same words on the page, in its file and in the interface for programs. */
export interface AuditQuery {
  event?: AuditEventType | '' | undefined;
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
export function startOfDay(date: string): Date {
  const utc = new Date(`${date}T00:00:00Z`);
  const localTime = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(utc);
  return new Date(utc.getTime() - (Date.parse(`${localTime.replace(' ', 'T')}Z`) - utc.getTime()));
}

const nextDay = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

const isDateOnly = (text: string): boolean => text.length === 10;

/** The number that was said, or that of whoever has the address that was. */
const resolveUserId = async (db: Db, emailOrId: string): Promise<string | undefined> =>
  emailOrId.includes('@') ? (await findUserByEmail(db, emailOrId))?.id : emailOrId;

/** The number of the person with that address or number, where this operator sees them; an operator sees itself. */
async function findVisibleUserId(db: Db, actor: Actor, emailOrId: string): Promise<string | undefined> {
  const id = await resolveUserId(db, emailOrId);
  if (!id || ('id' in actor && id === actor.id)) return id;
  return (await findVisibleUser(db, actor, 'audit.read', id))?.id;
}

/** The number of the operator with that address or number, where this one may know it: whom the list shows by address. */
async function findVisibleOperatorId(db: Db, actor: Actor, emailOrId: string): Promise<string | undefined> {
  const id = await resolveUserId(db, emailOrId);
  return id && isUuid(id) && (await findEmailsByUserIds(db, actor, [id])).has(id) ? id : undefined;
}

/** A program that reads the audit of everybody reads all of it, whatever it may do to whom: nothing is missing in a log. */
const visibleUsersFor = (actor: Actor) =>
  'program' in actor && actor.group === undefined ? undefined : selectVisibleUsers(actor);

export type AuditSearchFilter = Omit<AuditFilter, 'limit' | 'before'>;

/** The filter of the rows that this operator asked for and may see; undefined where nobody has the address. */
export async function buildAuditFilter(
  db: Db,
  actor: Actor,
  query: AuditQuery,
): Promise<AuditSearchFilter | undefined> {
  const { event, account, operator, since, until } = query;
  const userId = account ? await findVisibleUserId(db, actor, account) : undefined;
  const actorId = operator ? await findVisibleOperatorId(db, actor, operator) : undefined;
  if ((account && !userId) || (operator && !actorId)) return undefined;
  return {
    about: visibleUsersFor(actor),
    group: actor.group,
    ...(event ? { event } : {}),
    ...(userId ? { accountId: userId } : {}),
    ...(actorId ? { actor: actorId } : {}),
    since: since ? (isDateOnly(since) ? startOfDay(since) : new Date(since)) : undefined,
    until: until ? (isDateOnly(until) ? startOfDay(nextDay(until)) : new Date(until)) : undefined,
  };
}

/** A row as it leaves the house: addresses beside numbers, of those whom the operator sees. */
const toPublicAuditEvent = (row: AuditRow, emails: ReadonlyMap<string, string>) => ({
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
export type PublicAuditEvent = ReturnType<typeof toPublicAuditEvent>;

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
] as const satisfies readonly (keyof PublicAuditEvent)[];

/** A page of rows as they leave the house, the newest first: of those about a group, what is about the actor's own. */
export async function findPublicAuditEvents(
  db: Db,
  actor: Actor,
  filter: Omit<AuditFilter, 'group'>,
): Promise<PublicAuditEvent[]> {
  const rows = await findAuditEvents(db, { ...filter, group: actor.group });
  const ids = rows.flatMap(({ account_id: account, actor: by }) => [account, by].filter((id) => id !== null));
  const emails = await findEmailsByUserIds(db, actor, [...new Set(ids)]);
  return rows.map((row) => toPublicAuditEvent(row, emails));
}
