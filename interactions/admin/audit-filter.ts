import { z } from 'zod';
import { accountWithPassword, emailsOf, seenBy } from '../../src/accounts/accounts.ts';
import { groupsOf } from '../../src/accounts/groups.ts';
import { mayAct } from '../../src/accounts/operators.ts';
import { timeZone } from '../../src/locales/phrases.ts';
import type { AuditFilter } from '../../src/platform/audit.ts';
import { auditEvents } from '../../src/platform/audit.ts';
import type { AdminVisit } from './gate.ts';

// Days that a date can be reckoned with; no row is older or younger.
const day = z
  .union([z.literal(''), z.iso.date().refine((date) => date >= '1970-01-01' && date < '9999-01-01')])
  .default('');

/** What an operator asks of the audit; the same fields filter the page and the file. */
export const askedOfAudit = z.object({
  event: z.union([z.literal(''), z.enum(auditEvents)]).default(''),
  account: z.string().max(254).default(''),
  operator: z.string().max(254).default(''),
  since: day,
  until: day,
});
export type AskedOfAudit = z.output<typeof askedOfAudit>;

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

/** The number of the person with that address, where this operator sees them. */
async function accountOf({ house, operator }: AdminVisit, email: string): Promise<string | undefined> {
  const account = (await accountWithPassword(house.db, email))?.account;
  if (!account) return undefined;
  const groups = (await groupsOf(house.db, account.id)).map(({ id }) => id);
  const { id, role } = account;
  return mayAct(operator, 'audit.read', { id, role, groups }) || id === operator.id ? id : undefined;
}

/** The number of the operator with that address, where this one may know it: the same addresses that the list shows. */
async function operatorWith({ house, operator }: AdminVisit, email: string): Promise<string | undefined> {
  const id = (await accountWithPassword(house.db, email))?.account.id;
  return id && (await emailsOf(house.db, operator, [id])).has(id) ? id : undefined;
}

export type Filter = Omit<AuditFilter, 'limit' | 'before'>;

/** The filter of the rows that this operator asked for and may see; undefined where nobody has the address. */
export async function filterOf(visit: AdminVisit, asked: AskedOfAudit): Promise<Filter | undefined> {
  const accountId = asked.account ? await accountOf(visit, asked.account) : undefined;
  const actor = asked.operator ? await operatorWith(visit, asked.operator) : undefined;
  if ((asked.account && !accountId) || (asked.operator && !actor)) return undefined;
  return {
    about: seenBy(visit.operator),
    group: visit.operator.group,
    ...(asked.event ? { event: asked.event } : {}),
    ...(accountId ? { accountId } : {}),
    ...(actor ? { actor } : {}),
    since: asked.since ? beginningOf(asked.since) : undefined,
    until: asked.until ? beginningOf(dayAfter(asked.until)) : undefined,
  };
}
