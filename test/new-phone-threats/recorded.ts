/** What the provider recorded about an account, counted: the one sign of a deed that was done twice. */
import { type AuditEvent, auditRows } from '../../src/audit/audit-log.ts';
import type { Db } from '../../src/db/database.ts';

export async function recorded({ db }: { db: Db }, event: AuditEvent, accountId: string): Promise<number> {
  return (await auditRows(db, { event, accountId, limit: 1000 })).length;
}
