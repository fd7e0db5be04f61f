/** What the provider recorded about an account, counted: the one sign of a deed that was done twice. */
import { type AuditEventType, findAuditEvents } from '../../src/audit/audit-log.ts';
import type { Db } from '../../src/db/database.ts';

export async function recorded(
  { db }: { db: Db },
  event: AuditEventType,
  accountId: string,
): Promise<number> {
  return (await findAuditEvents(db, { event, accountId, limit: 1000 })).length;
}
